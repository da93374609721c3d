//! `mcplexer hook`

mod shell;
mod special;

use std::ffi::OsStr;
use std::io::IsTerminal;
use std::path::PathBuf;

use mcplexer_home::Home;
use mcplexer_home::credentials::Wanted;
use mcplexer_home::environment::{
    EnvFile, Environment, Error as EnvironmentError, References, takes_over_a_shell,
};
use mcplexer_home::project::{Error as ProjectError, ProjectFile, TrustList};
use mcplexer_secrets::Purpose;
use sha2::{Digest, Sha256};

use self::shell::{Code, is_name};
pub(super) use self::special::is_special;
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
    let here = Home::from_env().map_err(Failure::from);
    let here = here.and_then(|home| Here::look(&home));
    let state = match &here {
        Ok(here) => here.state.clone(),
        // It is said once, not with each prompt.
        Err(failure) => digest(&format!("{failure:?}")),
    };
    if state == loaded {
        return Ok(());
    }
    let mut code = Code::new(hook.shell);
    let is_left = here.as_ref().is_ok_and(|here| here.file.is_none());
    code.unload(&state, is_left && !global.quiet);
    let change = here.and_then(|here| here.load(&mut code, hook.shell, global));
    // What was loaded before goes in any case.
    output::write(code.text())?;
    match change? {
        Some(said) if !global.quiet => say(&format!("mcplexer: {}", sanitized(said))),
        _ => {}
    }
    Ok(())
}

fn digest(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
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
            digest(&format!("{path:?} {content} {profile:?}"))
        });
        Ok(Self {
            file,
            profile,
            state,
        })
    }

    /// Adds what sets the variables to the code. Returns what to say; the shell itself says what it has set.
    fn load(
        self,
        code: &mut Code,
        shell: HookShell,
        global: Global,
    ) -> Result<Option<String>, Failure> {
        let Some((path, file)) = self.file else {
            return Ok(None);
        };
        let file = match file {
            Err(ProjectError::NotTrusted { was_changed, .. }) if shell != HookShell::Direnv => {
                let message = match was_changed {
                    true => "was changed since you trusted it",
                    false => "is not trusted",
                };
                let directory = typed(path.parent().unwrap_or(&path));
                return Ok(Some(format!(
                    "{} {message}; mcplexer trust --show {directory} shows what it gives",
                    shown(&path)
                )));
            }
            file => file?,
        };
        if let Some(agent) = Agent::running() {
            return Ok(Some(format!(
                "{}: nothing of {} is set",
                agent.evidence(),
                shown(&path)
            )));
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
            Environment::build(&selected.choice, &selected.files, &references, &opened)
                .map_err(explain)?;
        let (set, others): (Vec<_>, Vec<_>) = environment
            .iter()
            .partition(|(name, _)| is_name(name) && !is_special(name));
        let path = shown(&path);
        let but = match others.is_empty() {
            true => String::new(),
            false => format!(
                "; not {}, which a shell does not take from a project",
                names(&others)
            ),
        };
        let said = !global.quiet && shell != HookShell::Direnv;
        let said = said.then(|| (sanitized(&path), sanitized(&but)));
        code.set(&set, said);
        let of_direnv = || format!("{path} sets {}{but}", names(&set));
        Ok((shell == HookShell::Direnv).then(of_direnv))
    }
}

fn names(variables: &[(&str, &OsStr)]) -> String {
    let names: Vec<_> = variables.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// Explains why nothing is set. No option of the hook passes a variable that takes over a command.
fn explain(error: EnvironmentError) -> Failure {
    match &error {
        EnvironmentError::TakesOver { variables } => {
            let names: Vec<_> = variables.iter().map(|it| it.variable.as_str()).collect();
            Failure::new(error.to_string())
                .with_hint(format!(
                    "mcplexer run --allow-env {} -- COMMAND passes it to one command",
                    names.join(",")
                ))
                .with_code(exit_code::USAGE)
        }
        _ => error.into(),
    }
}

/// Refuses variables of a `.env` file that would change how the shell itself, or everything in it, works.
fn refuse_takeovers(files: &[EnvFile]) -> Result<(), Failure> {
    for name in files.iter().flat_map(EnvFile::names) {
        if let Some(does) = takes_over_a_shell(name) {
            return Err(Failure::new(format!(
                "the project sets {name}, which {does}; nothing of it is set"
            ))
            .with_hint("mcplexer run -- COMMAND passes it to one command")
            .with_code(exit_code::USAGE));
        }
    }
    Ok(())
}
