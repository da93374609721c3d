//! `mcplexer hook`

mod shell;

use std::ffi::OsStr;
use std::io::IsTerminal;
use std::path::PathBuf;

use mcplexer_home::Home;
use mcplexer_home::credentials::Wanted;
use mcplexer_home::environment::{EnvFile, Environment, References, takes_over};
use mcplexer_home::project::{Error as ProjectError, ProjectFile, TrustList};
use mcplexer_secrets::Purpose;
use sha2::{Digest, Sha256};

use self::shell::{Code, is_name};
use super::project::{find, profile};
use crate::agent::Agent;
use crate::cli::{Global, Hook, HookShell};
use crate::failure::Failure;
use crate::process::ProcessError;
use crate::session::Session;
use crate::stderr::say;
use crate::text::{sanitized, shown, typed};
use crate::{exit_code, output};

pub(super) fn run(hook: &Hook, global: Global) -> Result<(), Failure> {
    let loaded = match (&hook.loaded, hook.shell) {
        (Some(loaded), _) => loaded.as_str(),
        (None, HookShell::Direnv) => "",
        (None, shell) => {
            let own = std::env::current_exe().map_err(ProcessError::NoOwnPath)?;
            return output::write(&shell::hook(shell, &own));
        }
    };
    if std::io::stdout().is_terminal() {
        return Err(
            Failure::new("this prints values, for a shell to read and not for a terminal")
                .with_hint("in a .envrc: eval \"$(mcplexer hook direnv)\"")
                .with_code(exit_code::USAGE),
        );
    }
    let here = Here::look(&Home::from_env()?)?;
    if here.state == loaded {
        return Ok(());
    }
    let mut code = Code::new(hook.shell);
    code.unload(&here.state);
    let change = here.load(&mut code, hook.shell, global);
    // What was loaded before goes in any case.
    output::write(code.text())?;
    let said = change?;
    if !global.quiet {
        say(&format!("mcplexer: {}", sanitized(said)));
    }
    Ok(())
}

/// The project of the working directory.
struct Here {
    file: Option<(PathBuf, Result<ProjectFile, ProjectError>)>,
    profile: Option<String>,
    /// What a shell compares to know whether something has changed; empty without a project.
    state: String,
}

impl Here {
    /// Looks at the file of the project, and at the list of those that are trusted. Opens no store.
    fn look(home: &Home) -> Result<Self, Failure> {
        let profile = profile();
        let file = find(home, None)?.map(|path| {
            let trusted = ProjectFile::read(&path).and_then(|file| {
                TrustList::read(home)?.check(&file)?;
                Ok(file)
            });
            (path, trusted)
        });
        let state = file.as_ref().map_or_else(String::new, |(path, file)| {
            let content = match file {
                Ok(file) => file.fingerprint().to_owned(),
                Err(error) => format!("{error:?}"),
            };
            let state = Sha256::digest(format!("{path:?} {content} {profile:?}"));
            state.iter().map(|byte| format!("{byte:02x}")).collect()
        });
        Ok(Self {
            file,
            profile,
            state,
        })
    }

    /// Adds what sets the variables to the code. Returns what to say.
    fn load(self, code: &mut Code, shell: HookShell, global: Global) -> Result<String, Failure> {
        let (path, file) = match self.file {
            None => return Ok("took back the variables of the project".to_owned()),
            Some(it) => it,
        };
        let file = match file {
            Err(ProjectError::NotTrusted { was_changed, .. }) if shell != HookShell::Direnv => {
                let message = match was_changed {
                    true => "was changed since you trusted it",
                    false => "is not trusted",
                };
                let directory = typed(path.parent().unwrap_or(&path));
                return Ok(format!(
                    "{} {message}; mcplexer trust --show {directory} shows what it gives",
                    shown(&path)
                ));
            }
            file => file?,
        };
        if let Some(agent) = Agent::running() {
            return Ok(format!(
                "{}: nothing of {} is set",
                agent.evidence(),
                shown(&path)
            ));
        }
        let selected = file.select(self.profile.as_deref(), Vec::new())?;
        refuse_takeovers(&selected.files)?;
        let mut wanted = Wanted::default();
        selected.choice.want(&mut wanted);
        for file in &selected.files {
            file.want(&mut wanted)?;
        }
        let session = Session::open(global)?;
        let purpose = Purpose::Inject {
            program: Some(shell.name()),
        };
        let opened = session.credentials(&wanted, purpose)?;
        let references = References::among([])?;
        let environment =
            Environment::build(&selected.choice, &selected.files, &references, &opened)?;
        let fit = |it: &(&str, &OsStr)| is_name(it.0);
        code.set(&environment.iter().filter(fit).collect::<Vec<_>>());
        let names = |is_fit: bool| {
            let names = environment.iter().map(|(name, _)| name);
            let names: Vec<_> = names.filter(|it| is_name(it) == is_fit).collect();
            names.join(", ")
        };
        let mut said = format!("{} sets {}", shown(&path), names(true));
        let unfit = names(false);
        if !unfit.is_empty() {
            said += &format!("; no shell takes the names {unfit}");
        }
        Ok(said)
    }
}

/// Refuses variables of a `.env` file that would change how the shell itself, or everything in it, works.
fn refuse_takeovers(files: &[EnvFile]) -> Result<(), Failure> {
    for name in files.iter().flat_map(EnvFile::names) {
        if let Some(does) = takes_over(name) {
            return Err(Failure::new(format!(
                "the project sets {name}, which {does}; nothing of it is set"
            ))
            .with_hint("mcplexer run -- COMMAND passes it to one command")
            .with_code(exit_code::USAGE));
        }
    }
    Ok(())
}
