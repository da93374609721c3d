//! Advice on files and on the store's file.

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

/// Returns what to do about a file that could not be read or written.
pub(super) fn io(action: &str, path: &Path) -> String {
    match action {
        "write" => {
            "nothing was changed; name a file in a directory that you can write to".to_owned()
        }
        _ => match repeated_path(path, "") {
            path if path.is_empty() => "check the path".to_owned(),
            path => format!("check the path {path}"),
        },
    }
}

/// Returns what to do about the store's file.
pub(super) fn backend(error: &BackendError) -> String {
    let hint = match error.kind() {
        BackendErrorKind::Busy => "a stopped program may hold it: end that one, or try again",
        BackendErrorKind::Unreachable => "nothing was changed; try again when the server answers",
        BackendErrorKind::Corrupt => {
            "nothing was changed; move the file away, and mcplexer backup restore FILE brings the secrets back from a backup"
        }
        _ => {
            "check that you can read and write the directory and its files; MCPLEXER_HOME names another"
        }
    };
    hint.to_owned()
}
