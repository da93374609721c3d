//! What redb has to say when it fails, in words, and what it calls for.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::Path;

use crate::backend::patient::NoPatience;
use crate::backend::{BackendError, BackendErrorKind};

/// Why redb could not do something.
pub(super) enum Cause {
    /// Another writer does not make way; the handle is as good as before.
    WouldBlock,
    Panic,
    Redb(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for Cause {
    fn from(error: E) -> Self {
        Self::Redb(error.into())
    }
}

/// Where the records are, in words.
pub(super) fn place(path: Option<&Path>) -> Cow<'_, str> {
    path.map_or("the store in memory".into(), Path::to_string_lossy)
}

/// Puts redb's error into words, with the path it is about.
pub(super) fn failure(path: Option<&Path>, verb: &str, cause: Cause) -> BackendError {
    use BackendErrorKind::{Busy, Corrupt, Other};
    let place = place(path);
    let busy = || {
        let message = format!("{place} is in use by another program that does not make way");
        BackendError::new(Busy, message)
    };
    let error = match cause {
        Cause::WouldBlock => return busy(),
        Cause::Panic => return BackendError::new(Corrupt, format!("{place} is damaged")),
        Cause::Redb(redb::Error::Backend(error)) if error.is::<NoPatience>() => return busy(),
        Cause::Redb(redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch) => {
            return busy();
        }
        Cause::Redb(error) => error,
    };
    let (kind, message) = match &error {
        redb::Error::Io(io) => match io.kind() {
            ErrorKind::InvalidData => (Corrupt, format!("{place} is not a redb database")),
            ErrorKind::UnexpectedEof => (Corrupt, format!("{place} is damaged: it ends too early")),
            // redb asked for a place that no file has, so it was misled by what it read.
            ErrorKind::InvalidInput => (Corrupt, format!("{place} is damaged")),
            _ => (Other, format!("cannot {verb} {place}")),
        },
        redb::Error::PreviousIo
        | redb::Error::DatabaseClosed
        | redb::Error::Unsupported
        | redb::Error::Backend(_)
        | redb::Error::ValueTooLarge(_) => (Other, format!("cannot {verb} {place}")),
        // Whatever else redb finds, such as a table of another type, this backend never wrote.
        _ => (Corrupt, format!("{place} is damaged")),
    };
    BackendError::new(kind, message).with_source(error)
}
