//! redb's failures as messages and kinds.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::Path;

use crate::backend::patient::NoPatience;
use crate::backend::{BackendError, BackendErrorKind};

/// Why redb could not do something.
pub(super) enum Cause {
    /// Another writer holds the lock. The handle remains usable.
    WouldBlock,
    Panic,
    Redb(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for Cause {
    fn from(error: E) -> Self {
        Self::Redb(error.into())
    }
}

impl Cause {
    /// Whether another program holds a lock.
    pub(super) fn is_busy(&self) -> bool {
        match self {
            Self::WouldBlock => true,
            Self::Panic => false,
            Self::Redb(error) => match error {
                redb::Error::Backend(error) => error.is::<NoPatience>(),
                redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => true,
                _ => false,
            },
        }
    }
}

/// Returns where the records are, for messages.
pub(super) fn place(path: Option<&Path>) -> Cow<'_, str> {
    path.map_or("the store in memory".into(), Path::to_string_lossy)
}

/// Turns redb's error into a message that names the path.
pub(super) fn failure(path: Option<&Path>, verb: &str, cause: Cause) -> BackendError {
    use BackendErrorKind::{Busy, Corrupt, Other};
    let place = place(path);
    let is_busy = cause.is_busy();
    let error = match cause {
        Cause::Redb(error) if !is_busy => error,
        Cause::Panic => return BackendError::new(Corrupt, format!("{place} is damaged")),
        Cause::WouldBlock | Cause::Redb(_) => {
            let message = format!("{place} is in use by another program");
            return BackendError::new(Busy, message);
        }
    };
    let (kind, message) = match &error {
        redb::Error::Io(io) => match io.kind() {
            ErrorKind::InvalidData => (Corrupt, format!("{place} is not a redb database")),
            ErrorKind::UnexpectedEof => (Corrupt, format!("{place} is damaged: it ends too early")),
            // redb asked for an offset that no file has, because a damaged page misled it.
            ErrorKind::InvalidInput => (Corrupt, format!("{place} is damaged")),
            _ => (Other, format!("cannot {verb} {place}")),
        },
        redb::Error::PreviousIo
        | redb::Error::DatabaseClosed
        | redb::Error::Unsupported
        | redb::Error::Backend(_)
        | redb::Error::ValueTooLarge(_) => (Other, format!("cannot {verb} {place}")),
        // Anything else redb finds, such as a table of another type, was never written by this
        // backend.
        _ => (Corrupt, format!("{place} is damaged")),
    };
    BackendError::new(kind, message).with_source(error)
}
