//! `mcplexer run`

mod environment;

use std::ffi::OsStr;
use std::io::{Error as IoError, ErrorKind};
use std::os::unix::process::CommandExt;
use std::process::Command;

use environment::{EnvFile, Environment};

use crate::cli::{Global, Run};
use crate::credentials::{Opened, Wanted};
use crate::exit_code;
use crate::failure::Failure;
use crate::output::shown;
use crate::session::Session;

pub(super) fn run(run: &Run, global: Global) -> Result<(), Failure> {
    let files = EnvFile::read_all(&run.env_file)?;
    let session = Session::open(global)?;
    let mut wanted = Wanted::default();
    environment::want(run, &mut wanted);
    for file in &files {
        file.want(&mut wanted)?;
    }
    let opened = wanted.open(&session)?;
    let mut command = command(run, &files, &opened)?;
    session.release();
    Err(not_started(
        command.get_program().to_owned().as_ref(),
        &command.exec(),
    ))
}

/// The command with its environment.
fn command(run: &Run, files: &[EnvFile], opened: &Opened) -> Result<Command, Failure> {
    let mut environment = Environment::default();
    environment.add_scopes(run, opened)?;
    for file in files {
        environment.add_file(file, opened)?;
    }
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
