//! Starts commands, and stands in for them while they run.
//!
//! A plain command replaces this process. A masked one runs as a child, whose output is relayed: behind
//! pipes, or behind a pseudo-terminal in a session of its own.

mod job;
mod leader;
mod masked;
mod relay;
mod signal_mask;
mod supervise;
mod terminal;

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

pub(crate) use leader::lead;
pub(crate) use masked::run_masked;
pub(crate) use signal_mask::Blocked;

/// Why a command did not run, or could not be followed to its end.
#[derive(Debug)]
pub(crate) enum ProcessError {
    /// The program could not be started.
    NotStarted {
        program: OsString,
        source: io::Error,
    },
    /// The path of this program, which leads the session of a masked command, is unknown.
    NoOwnPath(io::Error),
    /// Signals, or the state of the command, could not be watched.
    NotSupervised(io::Error),
    /// The output could not be relayed.
    NotMasked(io::Error),
}

/// Replaces this process with the command. Returns only if that fails.
pub(crate) fn replace_with(mut command: Command) -> ProcessError {
    let source = command.exec();
    ProcessError::NotStarted {
        program: command.get_program().to_owned(),
        source,
    }
}
