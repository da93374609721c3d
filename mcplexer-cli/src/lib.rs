//! The `mcplexer` command: keeps the credentials of tool servers encrypted at rest.
//!
//! This library has one function, [`main`]; the binaries choose the allocator and call it.

mod agent;
mod cli;
mod commands;
mod config_file;
mod credentials;
mod environment;
mod exit_code;
mod failure;
mod harden;
mod input;
mod output;
mod process;
mod progress;
mod prompt;
mod scan;
mod session;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, RunInSession};
use crate::failure::Failure;

/// Runs the command with this process's arguments and environment, and returns its exit code.
///
/// It sets the process's panic hook: the library turns some panics of its dependencies into errors, and
/// their messages are not for the terminal.
#[must_use]
pub fn main() -> ExitCode {
    keep_caught_panics_silent();
    let result = match RunInSession::asked_for() {
        Some(it) => process::lead(&it.program, &it.arguments).map_err(Failure::from),
        None => match Cli::try_parse() {
            Ok(cli) => commands::run(cli),
            Err(error) => Failure::of_usage(&error),
        },
    };
    match result {
        Ok(()) => ExitCode::from(exit_code::DONE),
        Err(failure) => {
            failure.report();
            ExitCode::from(failure.code)
        }
    }
}

fn keep_caught_panics_silent() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !mcplexer_secrets::is_catching_panic() {
            default(info);
        }
    }));
}
