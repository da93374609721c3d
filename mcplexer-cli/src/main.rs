//! `mcplexer`: the credentials of tool servers, encrypted at rest, at the command line.

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

use std::alloc::System;
use std::process::ExitCode;

use clap::Parser;
use zeroizing_alloc::ZeroAlloc;

use crate::cli::{Cli, RunInSession};
use crate::failure::Failure;

/// Wipes what it frees: buffers inside libraries may have held a value.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
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
