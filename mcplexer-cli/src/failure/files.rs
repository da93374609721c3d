//! Advice on files and on the store's file.

use std::path::Path;

use mcplexer_secrets::Error;
use mcplexer_secrets::backend::{BackendError, BackendErrorKind};

use crate::output::shown;

/// What to do about a file that could not be read or written.
pub(super) fn io(action: &str, path: &Path) -> String {
    match action {
        "write" => {
            "nothing was changed; name a file in a directory that you can write to".to_owned()
        }
        _ => format!("check the path {}", shown(path)),
    }
}

/// What to do about a file that was to be written.
pub(super) fn target(error: &Error) -> String {
    let hint = match error {
        Error::FileExists { .. } => "--force overwrites it; or name another file",
        Error::FileChanged { .. } => "nothing was written; run it again",
        _ => "",
    };
    hint.to_owned()
}

/// What to do about the file of the store.
pub(super) fn backend(error: &BackendError) -> String {
    let hint = match error.kind() {
        BackendErrorKind::Busy => "a stopped program may hold it: end that one, or try again",
        BackendErrorKind::Corrupt => "restore the file from a copy; nothing was changed",
        _ => {
            "check that you can read and write the directory and its files; MCPLEXER_HOME names another"
        }
    };
    hint.to_owned()
}
