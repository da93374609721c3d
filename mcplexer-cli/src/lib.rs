//! The `mcplexer` command: keeps API tokens out of MCP configurations, in an encrypted local store.
//!
//! The binaries choose the allocator and call [`main`].

mod agent;
mod cli;
mod clipboard;
mod clock;
mod commands;
mod complete;
mod editor;
mod exit_code;
mod failure;
mod input;
mod known;
mod lines;
mod output;
mod pager;
mod process;
mod progress;
mod prompt;
mod scan;
mod scratch;
mod session;
mod stderr;
mod style;
mod table;
mod text;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use mcplexer_home::Home;

use crate::cli::Cli;
use crate::failure::{Context, Failure};

/// Runs the command with this process's arguments and environment, and returns its exit code.
///
/// It sets the process's panic hook: the library turns some panics of its dependencies into errors, and
/// their messages are not for the terminal.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(request) = complete::Request::received() {
        return request.answer();
    }
    if let Some(clearing) = clipboard::Clearing::asked_for() {
        // Nobody is there to hear of a failure.
        return ExitCode::from(u8::from(clearing.run().is_err()));
    }
    keep_caught_panics_silent();
    let result = match process::Helper::asked_for() {
        Some(helper) => helper.run().map_err(Failure::from),
        None => match cli::parsed(env::args_os()) {
            Ok((cli, named)) => named.check().and_then(|()| commands::run(cli)),
            Err(error) => Failure::of_usage(&error).and_then(|text| output::print(&text)),
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

/// What is printed in place of running a command.
#[derive(Debug)]
#[non_exhaustive]
pub struct Refusal {
    /// What is wrong with the arguments; or the help or the version, if they ask for it.
    pub message: String,
    /// 0 if they ask for it.
    pub exit_code: i32,
}

/// Parses arguments, of which the first is the program's name, and does nothing else.
///
/// # Errors
///
/// Returns what [`main`] prints for them in place of running a command.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<(), Refusal> {
    let parsed = Cli::try_parse_from(cli::split(arguments));
    parsed.map(drop).map_err(|error| Refusal {
        message: error.render().to_string(),
        exit_code: error.exit_code(),
    })
}

fn keep_caught_panics_silent() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !mcplexer_secrets::is_catching_panic() {
            default(info);
        } else if info.payload().downcast_ref() == Some(&ABORT) {
            let failure = Failure::new("the store is damaged")
                .with_hint("mcplexer backup create FILE saves what can still be read")
                .with_hint(
                    "then move the store away, and mcplexer backup restore FILE brings it back",
                )
                .with_code(exit_code::TAMPERED);
            std::process::exit(failure.report(&Context::new(None, false)).into());
        }
    }));
}

/// What Rust says before it aborts the process, because a destructor panicked while another panic was under way: redb
/// looks once more at a page that it has just found damaged. The result of a command may have been printed by then.
const ABORT: &str = "panic in a destructor during cleanup";
