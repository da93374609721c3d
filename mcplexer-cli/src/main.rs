//! `mcplexer`: the credentials of tool servers, encrypted at rest, at the command line.

mod agent;
mod cli;
mod commands;
mod exit_code;
mod failure;
mod input;
mod output;
mod progress;
mod prompt;
mod session;

use std::alloc::System;
use std::process::ExitCode;

use clap::Parser;
use mcplexer_home::Home;
use zeroizing_alloc::ZeroAlloc;

use crate::cli::{Cli, RunInSession};
use crate::failure::{Context, Failure};

/// Wipes what it frees: buffers inside libraries may have held a value.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    let result = match RunInSession::asked_for() {
        Some(arguments) => commands::run_in_session(&arguments),
        None => match Cli::try_parse() {
            Ok(cli) => commands::run(cli),
            Err(error) => Failure::of_usage(&error),
        },
    };
    match result {
        Ok(()) => ExitCode::from(exit_code::DONE),
        Err(failure) => {
            let home = Home::from_env().ok();
            let context = Context::new(home.as_ref(), prompt::was_left());
            ExitCode::from(failure.report(&context))
        }
    }
}
