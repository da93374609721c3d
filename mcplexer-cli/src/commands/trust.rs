//! `mcplexer trust`

use mcplexer_files::config::Profile;
use mcplexer_home::Home;
use mcplexer_home::environment::takes_over_a_shell;
use mcplexer_home::project::{FILE_NAME, ProjectFile, TrustList};

use super::hook::is_special;
use super::project::find;
use crate::agent::Agent;
use crate::cli::{Global, Trust};
use crate::exit_code;
use crate::failure::Failure;
use crate::output::print;
use crate::stderr::say;
use crate::text::{sanitized, shown, typed};

pub(super) fn run(trust: &Trust, global: Global) -> Result<(), Failure> {
    let home = Home::from_env()?;
    if trust.list {
        let list = TrustList::read(&home)?;
        let lines = list.paths().map(|path| format!("{}\n", shown(path)));
        return print(&lines.collect::<String>());
    }
    let found = find(&home, trust.directory.as_deref())?;
    let path = found.ok_or_else(|| {
        Failure::new(format!("there is no {FILE_NAME} here or above"))
            .with_hint(format!("mcplexer trust DIR names the directory that has one; {FILE_NAME} may be `scopes: [SCOPE]`"))
            .with_code(exit_code::NOT_FOUND)
    })?;
    let tell = |line: &str| {
        if !global.quiet {
            say(line);
        }
    };
    if trust.revoke {
        match TrustList::revoke(&home, &path)? {
            true => tell(&format!("{} is trusted no longer", shown(&path))),
            false => tell(&format!("{} was not trusted", shown(&path))),
        }
        return Ok(());
    }
    let file = ProjectFile::read(&path)?;
    let summary = summary(&file)?;
    if trust.show {
        return print(&summary);
    }
    if let Some(agent) = Agent::running() {
        return Err(Failure::new(format!(
            "{}, which cannot trust a project for you",
            agent.evidence()
        ))
        .with_hint(format!(
            "run it in a terminal of your own: mcplexer trust {}",
            typed(path.parent().unwrap_or(&path))
        ))
        .with_code(exit_code::DECLINED));
    }
    TrustList::trust(&home, &file)?;
    tell(summary.trim_end());
    tell(&format!("{} is trusted as it is now", shown(&path)));
    Ok(())
}

/// Says what a project gives to its commands; never values.
fn summary(file: &ProjectFile) -> Result<String, Failure> {
    let project = file.project();
    let mut text = format!("{}\n", shown(file.path()));
    add(&mut text, "  ", &project.base);
    for (name, profile) in &project.profiles {
        text += &format!("  profile {name}\n");
        add(&mut text, "    ", profile);
    }
    for (name, variables) in file.env_files()? {
        for variable in variables.names() {
            let does = match takes_over_a_shell(variable) {
                Some(does) => format!(", which {does}"),
                None if is_special(variable) => {
                    ", which a shell does not take from a project".to_owned()
                }
                None => String::new(),
            };
            text += &sanitized(format!("  {} sets {variable}{does}", name.display()));
            text.push('\n');
        }
    }
    Ok(text)
}

fn add(text: &mut String, indent: &str, profile: &Profile) {
    for scope in profile.scopes.iter().flatten() {
        *text += &format!("{indent}all secrets of scope {scope}\n");
    }
    for (name, reference) in &profile.env {
        *text += &format!("{indent}{name} is {}/{}\n", reference.scope, reference.name);
    }
    if let Some(name) = &profile.env_file {
        *text += &sanitized(format!("{indent}the variables of {}", name.display()));
        text.push('\n');
    }
}
