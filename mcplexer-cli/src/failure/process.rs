//! Advice on commands that could not be started.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};

use super::{Failure, has_credential, repeated_program};
use crate::exit_code;
use crate::process::ProcessError;

impl From<ProcessError> for Failure {
    fn from(error: ProcessError) -> Self {
        match error {
            ProcessError::NotStarted { program, source } => not_started(&program, &source),
            ProcessError::NoOwnPath(source) => {
                Self::new(format!("cannot find the path of mcplexer itself: {source}"))
            }
            ProcessError::NoParent => Self::new("the mcplexer that started this one is gone"),
            ProcessError::NotSupervised(source) => {
                Self::new(format!("cannot watch the command: {source}"))
            }
            ProcessError::NotMasked(source) => {
                Self::new(format!("cannot mask the command's output: {source}"))
            }
        }
    }
}

/// Returns the name in `NAME=value`, a variable in the place of a command; `NAME` if no variable can be called so.
/// The value is not repeated.
fn assigned(program: &OsStr) -> Option<&str> {
    let (name, _) = program.to_str()?.split_once('=')?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    match name.bytes().all(is_name) && !has_credential(name) {
        true => Some(name),
        false => Some("NAME"),
    }
}

/// Creates the failure for a command that could not be started, with the exit code that a shell
/// uses.
fn not_started(program: &OsStr, error: &io::Error) -> Failure {
    let code = match error.kind() {
        ErrorKind::NotFound => exit_code::COMMAND_NOT_FOUND,
        _ => exit_code::COMMAND_NOT_STARTED,
    };
    if let Some(name) = assigned(program) {
        return Failure::new(format!(
            "cannot start {name}=…: that is a variable, not a command"
        ))
        .with_hint(format!(
            "set it before mcplexer, or put it in an env file: {name}=… mcplexer run …"
        ))
        .with_code(code);
    }
    let is_path = program.as_encoded_bytes().contains(&b'/');
    let program = repeated_program(program);
    let failure = Failure::new(format!("cannot start {program}: {error}"));
    let failure = match error.kind() {
        ErrorKind::NotFound if is_path => {
            failure.with_hint("check the path, which begins in the working directory without a /")
        }
        ErrorKind::NotFound => failure.with_hint("is it installed, and its directory in PATH?"),
        ErrorKind::PermissionDenied => failure.with_hint("it must be a program that you may run"),
        ErrorKind::ArgumentListTooLong => failure.with_hint(
            "its arguments and environment are too large; pass fewer with --only or --clean-env",
        ),
        _ => failure,
    };
    failure.with_code(code)
}
