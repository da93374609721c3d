use std::error::Error;

/// A failure of an audit sink: a message, and the sink's own error as its source.
///
/// The operation to be recorded fails with it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct AuditError {
    kind: AuditErrorKind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The kinds of audit failure that call for different reactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditErrorKind {
    /// Another program is using the log. A later attempt may succeed.
    Busy,
    /// The log is damaged, or something else is in its place.
    Corrupt,
    /// Anything else, mostly the file system.
    Other,
}

impl AuditError {
    /// Creates a failure of this kind. `message` says what failed, and on which log.
    #[must_use]
    pub fn new(kind: AuditErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// Adds the cause of the failure.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the kind of this failure.
    #[must_use]
    pub fn kind(&self) -> AuditErrorKind {
        self.kind
    }
}
