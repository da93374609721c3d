//! How a backend fails.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// A failure of the backend: a message, and the backend's own error as its source.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct BackendError {
    kind: BackendErrorKind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    advice: Option<String>,
}

/// The kinds of backend failure that call for different reactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackendErrorKind {
    /// Another program holds the store. A later attempt may succeed.
    Busy,
    /// The server that has the store does not answer. A later attempt may succeed.
    Unreachable,
    /// The storage is damaged, or is not a store.
    Corrupt,
    /// A change is larger than a commit may be, as [`Limits`](super::Limits) says. It was not made: make it in smaller
    /// parts.
    TooLarge,
    /// What says where the store is, or how to reach it, is wrong: an address, an option of it, or a file that it names.
    Invalid,
    /// The server refuses who asks. [`advice`](BackendError::advice) says what is missing; without it, the user is not
    /// logged in.
    Denied,
    /// Anything else, mostly the file system.
    Other,
}

impl BackendError {
    /// Creates a failure of this kind. `message` says what failed, and where.
    #[must_use]
    pub fn new(kind: BackendErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
            advice: None,
        }
    }

    /// Creates a failure with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Creates a failure with what to do about it: a command, or a fact to act on. Only the backend knows it if it is
    /// about its server.
    #[must_use]
    pub fn with_advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Creates the same failure again, with more to say.
    pub(crate) fn because(why: Arc<Self>, more: &str) -> Self {
        let mut again = Self::new(why.kind, format!("{}{more}", why.message));
        again.advice.clone_from(&why.advice);
        match why.source {
            Some(_) => again.with_source(Cause(why)),
            None => again,
        }
    }

    /// Returns the kind of this failure.
    #[must_use]
    pub fn kind(&self) -> BackendErrorKind {
        self.kind
    }

    /// Returns what to do about it, if the backend knows that.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }
}

/// The source of a failure that is shared.
#[derive(Debug)]
struct Cause(Arc<BackendError>);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.source() {
            Some(source) => write!(f, "{source}"),
            None => Ok(()),
        }
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()?.source()
    }
}
