//! `mcplexer run`

use std::ffi::{OsStr, OsString};
use std::process::Command;

use mcplexer_home::credentials::Wanted;
use mcplexer_home::environment::{
    Arguments, Choice, EnvFile, Environment, Error, NoVariable, References,
};
use mcplexer_home::project::Selected;
use mcplexer_home::{Home, Names, others_see_arguments};
use mcplexer_mask::Masker;
use mcplexer_secrets::{Purpose, ScopeId};

use super::project;
use crate::agent::Agent;
use crate::cli::{Global, Run};
use crate::exit_code;
use crate::failure::{Failure, again, can_repeat, has_credential};
use crate::known;
use crate::process::{self, program_name, replace_with, run_masked};
use crate::session::Session;
use crate::text::{sanitized, word};

pub(super) fn run(run: Run, global: Global) -> Result<(), Failure> {
    // Looked up first, because a hardened process may not be able to.
    let own = std::env::current_exe();
    let Some((program, arguments)) = run.command.split_first() else {
        return Err(Failure::new("no command was given").with_code(exit_code::USAGE));
    };
    if let Some(failure) = scope_in_front(program, arguments) {
        return Err(failure);
    }
    let arguments = Arguments::new(arguments.to_vec());
    let mut files = EnvFile::read_all(&run.env_file)?;
    let references = References::among(std::env::vars_os())?;
    let mut choice = Choice {
        scopes: run.scope,
        only: run.only,
        renames: run.rename,
        allowed: run.allow_env,
    };
    let fills_arguments = arguments.want(&mut Wanted::default())?;
    // A client's file names its secrets by references, and starts servers in any directory: what a project there has to
    // say is not for them.
    if choice.scopes.is_empty() && files.is_empty() && references.is_empty() && !fills_arguments {
        let project = project::selected(run.profile, &choice.allowed)?;
        Selected { choice, files } = project.ok_or_else(of_nothing)?;
    } else if run.profile.is_some() {
        return Err(Failure::new(
            "--profile is for a command that gets its secrets from mcplexer.yaml",
        )
        .with_hint("leave it out, or the references in the variables and arguments")
        .with_code(exit_code::USAGE));
    }
    let mut wanted = wanted(&choice, &files, &references)?;
    arguments.want(&mut wanted)?;
    if fills_arguments && !run.allow_arguments && others_see_arguments() {
        return Err(of_seen_arguments());
    }
    let session = Session::open(global)?;
    for place in files.iter().flat_map(EnvFile::cut_at_hash) {
        session.warn(&sanitized(format!(
            "{place}: the value ends at the # right behind it; in quotes, it goes on"
        )));
    }
    let agent = Agent::running().filter(|_| !run.mask && !run.no_mask);
    let masks = run.mask || agent.is_some();
    if masks {
        wanted = wanted.with_all_of_each();
    }
    let name = program_name(program);
    let purpose = Purpose::Inject {
        program: name.as_deref(),
    };
    let opened = session.credentials(&wanted, purpose)?;
    let environment = Environment::build(&choice, &files, &references, &opened)?;
    tell_left_out(&session, &environment, fills_arguments)?;
    let mut command = Command::new(program);
    command.args(arguments.fill(&opened)?);
    let inherited = std::env::vars_os().map(|(name, _)| name);
    environment.apply(&mut command, inherited, run.clean_env);
    drop(environment);
    if !masks {
        session.release();
        return Err(replace_with(command).into());
    }
    let mut known = known::Wanted::of(opened.iter());
    let everyday = known.take_everyday();
    let masker = Masker::new(known.known);
    drop(opened);
    if let Some(agent) = agent {
        session.tell(&format!(
            "{}: its output is masked (--no-mask shows it)",
            agent.evidence()
        ));
    }
    for line in known::left_out("not masked", masker.too_short(), &everyday) {
        session.tell(&line);
    }
    session.release();
    Ok(run_masked(command, masker, own)?)
}

/// Returns the secrets to pass to the command.
fn wanted(choice: &Choice, files: &[EnvFile], references: &References) -> Result<Wanted, Failure> {
    let mut wanted = Wanted::default();
    choice.want(&mut wanted);
    for file in files {
        file.want(&mut wanted)?;
    }
    references.want(&mut wanted);
    Ok(wanted)
}

/// Tells which secrets of the scopes have no variable. Fails if nothing else is passed.
fn tell_left_out(
    session: &Session,
    environment: &Environment,
    fills_arguments: bool,
) -> Result<(), Failure> {
    let secrets = environment.left_out().to_vec();
    let Some(first) = secrets.first().map(NoVariable::reference) else {
        return Ok(());
    };
    let error = Error::NoVariables { secrets };
    if environment.is_empty() && !fills_arguments {
        return Err(error.into());
    }
    session.tell(&format!("not passed: {error}"));
    session.hint(&again(&["--rename", &format!("{first}=NAME")], "passes it"));
    Ok(())
}

/// Returns the failure for a scope in the place of the command: `run SCOPE -- COMMAND`.
fn scope_in_front(program: &OsStr, arguments: &[OsString]) -> Option<Failure> {
    let scope: ScopeId = program.to_str()?.parse().ok()?;
    if process::find(program).is_some() {
        return None;
    }
    if has_credential(scope.as_str()) {
        let failure = Failure::new("there is no such command, and it stands before --");
        return Some(failure.with_code(exit_code::USAGE));
    }
    let (message, command) = match arguments.split_first()? {
        (dashes, command) if dashes == "--" => {
            let message = format!("there is no command {scope}, which stands before --");
            (message, command)
        }
        _ if is_scope(&scope) => {
            let message = format!("there is no command {scope}, but a scope");
            (message, arguments)
        }
        _ => return None,
    };
    let hint = format!(
        "did you mean mcplexer run --scope {scope} -- {}?",
        repeated(command)?
    );
    let failure = Failure::new(message).with_hint(hint);
    Some(failure.with_code(exit_code::USAGE))
}

/// Returns whether the store has a scope, as far as that can be read.
fn is_scope(scope: &ScopeId) -> bool {
    let names = Home::from_env().ok().map(|home| Names::of(&home));
    let scopes = names.and_then(|names| names.ok()?.scopes().ok());
    scopes.is_some_and(|scopes| scopes.contains(scope))
}

/// Returns a command as it is typed, without arguments that may be values.
fn repeated(command: &[OsString]) -> Option<String> {
    let (program, arguments) = command.split_first()?;
    let mut words = vec![word(program.to_str()?)];
    for argument in arguments {
        match argument
            .to_str()
            .filter(|it| can_repeat(&it.to_lowercase()))
        {
            Some(argument) => words.push(word(argument)),
            None => {
                words.push("…".to_owned());
                break;
            }
        }
    }
    Some(words.join(" "))
}

fn of_nothing() -> Failure {
    Failure::new("nothing to pass to the command")
        .with_hint(again(
            &["--scope", "SCOPE"],
            "passes the secrets of a scope",
        ))
        .with_hint("or give --env-file FILE, or set a variable to mcplexer://SCOPE/KEY")
        .with_hint("or write a mcplexer.yaml into the project's directory: scopes: [SCOPE]")
        .with_code(exit_code::USAGE)
}

fn of_seen_arguments() -> Failure {
    Failure::new("a secret in an argument could be seen by other users of this machine")
        .with_hint(again(&["--allow-arguments"], "passes it nevertheless"))
        .with_hint("many programs take it from a variable: mcplexer run --scope SCOPE -- COMMAND")
        .with_code(exit_code::USAGE)
}
