//! Starts commands, and stands in for them while they run.
//!
//! A plain command replaces this process. A masked one runs as a child, whose output is relayed: behind
//! pipes, or behind a pseudo-terminal in a session of its own.

mod beside;
mod helper;
mod job;
mod leader;
mod masked;
mod relay;
mod signal_mask;
mod supervise;
mod terminal;

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{Access, access};

pub(crate) use beside::{Beside, Outcome};
pub(crate) use helper::Helper;
#[cfg(feature = "serve")]
pub(crate) use helper::launcher;
pub(crate) use job::{is_in_foreground, is_orphaned};
pub(crate) use masked::run_masked;
pub(crate) use signal_mask::{Blocked, Ignored};

/// Why a command did not run, or could not be followed to its end.
#[derive(Debug)]
pub(crate) enum ProcessError {
    /// The program could not be started.
    NotStarted {
        program: OsString,
        source: io::Error,
    },
    /// The path of this program, which a masked command is started through, is unknown.
    NoOwnPath(io::Error),
    /// The process that started this one, to help it run a command, is gone.
    NoParent,
    /// Signals, or the state of the command, could not be watched.
    NotSupervised(io::Error),
    /// The output could not be relayed.
    NotMasked(io::Error),
}

/// Where programs are looked for without `PATH`: execvp(3).
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// Returns the file name of a program, or `None` if it does not exist: what is mistyped in its place may be
/// a secret, and must not be recorded.
pub(crate) fn program_name(program: &OsStr) -> Option<Cow<'_, str>> {
    let path = Path::new(program);
    let is_there = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => find(program).is_some(),
        _ => path.is_file(),
    };
    path.file_name()
        .filter(|_| is_there)
        .map(OsStr::to_string_lossy)
}

/// Finds a program in `PATH`. Its entries that are not absolute are left out: a program in the working directory may come
/// from anybody.
pub(crate) fn find(name: &OsStr) -> Option<PathBuf> {
    let directories = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    let directories = std::env::split_paths(&directories).filter(|it| it.is_absolute());
    let mut places = directories.map(|it| it.join(name));
    places.find(|it| it.is_file() && access(it, Access::EXEC_OK).is_ok())
}

/// Keeps mcplexer's own variables, of which one may be a key, from a program that it starts.
pub(crate) fn without_own_variables(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"MCPLEXER_") {
            command.env_remove(name);
        }
    }
}

/// Replaces this process with the command. Returns only if that fails.
pub(crate) fn replace_with(mut command: Command) -> ProcessError {
    let source = command.exec();
    ProcessError::NotStarted {
        program: command.get_program().to_owned(),
        source,
    }
}
