//! How a backend fails.

/// A failure of the backend: a message, and the backend's own error as its source.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct BackendError {
    kind: BackendErrorKind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
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
        }
    }

    /// Creates a failure with its cause.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the kind of this failure.
    #[must_use]
    pub fn kind(&self) -> BackendErrorKind {
        self.kind
    }
}
