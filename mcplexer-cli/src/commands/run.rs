//! `mcplexer run`

mod environment;
mod masked;
mod relay;
pub(super) mod session;
mod supervise;
mod terminal;

use std::ffi::OsStr;
use std::io::{Error as IoError, ErrorKind};
use std::os::unix::process::CommandExt;
use std::process::Command;

use environment::{EnvFile, Environment, Inherited};
use mcplexer_home::credentials::{Opened, Wanted};
use mcplexer_mask::MIN_MASKED_LEN;
use mcplexer_mask::Masker;
use mcplexer_secrets::Credentials;

use crate::cli::{Global, Run};
use crate::exit_code;
use crate::failure::Failure;
use crate::output::shown;
use crate::session::Session;

pub(super) fn run(run: &Run, global: Global) -> Result<(), Failure> {
    // Once hardened, a process may not be able to tell.
    let own = std::env::current_exe();
    let files = EnvFile::read_all(&run.env_file)?;
    let inherited = Inherited::read()?;
    if run.scope.is_empty() && files.is_empty() && inherited.is_empty() {
        return Err(Failure::new("no secrets were named to give to the command")
            .with_hint("--scope SCOPE or --env-file FILE names them, or a variable of the environment that is mcplexer://SCOPE/KEY")
            .with_code(exit_code::USAGE));
    }
    let session = Session::open(global)?;
    let mut wanted = Wanted::default();
    environment::want(run, &mut wanted);
    for file in &files {
        file.want(&mut wanted)?;
    }
    inherited.want(&mut wanted);
    if run.mask {
        wanted = wanted.with_all_of_each();
    }
    let opened = session.credentials(&wanted)?;
    let mut command = command(run, &files, &inherited, &opened)?;
    if run.mask {
        let masker = Masker::new(opened.iter().flat_map(Credentials::iter));
        if !masker.too_short().is_empty() {
            session.tell(&format!(
                "not masked, being shorter than {MIN_MASKED_LEN} bytes: {}",
                masker.too_short().join(", ")
            ));
        }
        drop(opened);
        session.release();
        return masked::run(command, masker, own);
    }
    session.release();
    Err(not_started(
        command.get_program().to_owned().as_ref(),
        &command.exec(),
    ))
}

/// The command with its environment.
fn command(
    run: &Run,
    files: &[EnvFile],
    inherited: &Inherited,
    opened: &Opened,
) -> Result<Command, Failure> {
    let mut environment = Environment::default();
    environment.add_scopes(run, opened)?;
    for file in files {
        environment.add_file(file, opened)?;
    }
    environment.add_inherited(inherited, opened)?;
    let [program, arguments @ ..] = &run.command[..] else {
        return Err(Failure::new("no command was given").with_code(exit_code::USAGE));
    };
    let mut command = Command::new(program);
    command.args(arguments);
    environment.apply(&mut command, run.clean_env);
    Ok(command)
}

/// Why a command could not be started, with the exit code that a shell has for it.
fn not_started(program: &OsStr, error: &IoError) -> Failure {
    let code = match error.kind() {
        ErrorKind::NotFound => exit_code::COMMAND_NOT_FOUND,
        _ => exit_code::COMMAND_NOT_STARTED,
    };
    let failure = Failure::new(format!("cannot start {}: {error}", shown(program.as_ref())));
    let failure = match error.kind() {
        ErrorKind::NotFound => failure.with_hint("is it installed, and its directory in PATH?"),
        ErrorKind::PermissionDenied => {
            failure.with_hint("it must be a program that you may execute")
        }
        ErrorKind::ArgumentListTooLong => failure.with_hint(
            "its arguments and environment are too large; --only or --clean-env makes it smaller",
        ),
        _ => failure,
    };
    failure.with_code(code)
}
