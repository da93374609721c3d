//! Advice on files and on the store's file.

use std::io::{self, ErrorKind};
use std::path::Path;

use mcplexer_durable::ReplaceError;
use mcplexer_secrets::backend::{BackendError, BackendErrorKind};

use super::{Failure, chain, repeated_path};
use crate::exit_code;

impl From<ReplaceError> for Failure {
    fn from(error: ReplaceError) -> Self {
        let failure = match &error {
            ReplaceError::NotWritten { path, source } => {
                let path = repeated_path(path, "that file");
                Self::new(format!("cannot write {path}: {source}"))
            }
            _ => Self::new(chain(&error)),
        };
        match error {
            ReplaceError::Changed { .. } => failure
                .with_hint("nothing was written; run it again")
                .with_code(exit_code::CONFLICT),
            _ => failure
                .with_hint("nothing was changed; name a file in a directory that you can write to"),
        }
    }
}

/// What to do about a file that this user may not read.
const NOT_READABLE: &str = "you may not read it: its owner can change that, with chmod";
/// What to do about a directory in the place of a file.
const A_DIRECTORY: &str = "it is a directory: give a file in it";

/// Returns what to do about a file that was opened and could not be read.
pub(crate) fn of_reading(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::IsADirectory => A_DIRECTORY,
        ErrorKind::PermissionDenied => NOT_READABLE,
        _ => "try another copy of it",
    }
}

/// Returns what to do about a file that could not be read or written.
pub(super) fn io(action: &str, path: &Path, error: &io::Error) -> String {
    match (action, error.kind()) {
        ("read", ErrorKind::PermissionDenied) => NOT_READABLE.to_owned(),
        ("read", ErrorKind::IsADirectory) => A_DIRECTORY.to_owned(),
        ("write", _) => {
            "nothing was changed; name a file in a directory that you can write to".to_owned()
        }
        _ => match repeated_path(path, "") {
            path if path.is_empty() => "check the path".to_owned(),
            path => format!("check the path {path}"),
        },
    }
}

/// Returns what to do about the store's file, or its server.
pub(super) fn backend(error: &BackendError) -> String {
    if let Some(advice) = error.advice() {
        return advice.to_owned();
    }
    let hint = match error.kind() {
        BackendErrorKind::Busy => "a stopped program may hold it: end that one, or try again",
        BackendErrorKind::Unreachable => "nothing was changed; try again when the server answers",
        BackendErrorKind::Corrupt => {
            "nothing was changed; move the file away, and mcplexer backup restore FILE brings the secrets back from a backup"
        }
        BackendErrorKind::TooLarge => {
            "make it in smaller parts: a scope secret by secret, with mcplexer secret move"
        }
        BackendErrorKind::Invalid => {
            "nothing was changed; docs/team.md says how the URL of a store is written"
        }
        BackendErrorKind::Denied => {
            "set MCPLEXER_STORE_PASSWORD; PostgreSQL's may also be in ~/.pgpass, or in the file of passwordfile=FILE in the URL"
        }
        _ => {
            "check that you can read and write the directory and its files; MCPLEXER_HOME names another"
        }
    };
    hint.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_is_too_large_is_to_be_made_in_parts() {
        let error = BackendError::new(BackendErrorKind::TooLarge, "the change is too large");
        assert!(backend(&error).starts_with("make it in smaller parts"));
    }

    #[test]
    fn what_to_do_depends_on_why_a_file_cannot_be_read() {
        let hint = |kind: ErrorKind| io("read", Path::new("a"), &kind.into());
        assert!(hint(ErrorKind::PermissionDenied).starts_with("you may not read it"));
        assert!(hint(ErrorKind::IsADirectory).ends_with("give a file in it"));
        assert_eq!(hint(ErrorKind::NotFound), "check the path a");
    }
}
