use std::error::Error;

/// A failure of an audit sink: what failed in words, and the sink's own error as its source.
///
/// The operation that was to be recorded fails with it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct AuditError {
    kind: AuditErrorKind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What a failure of an audit sink calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditErrorKind {
    /// Another program is using the log; trying again later may work.
    Busy,
    /// The log is damaged, or something else is in its place.
    Corrupt,
    /// Anything else, mostly the file system.
    Other,
}

impl AuditError {
    /// A failure of this kind; `message` names the log and says what failed.
    #[must_use]
    pub fn new(kind: AuditErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// The same failure with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What it calls for.
    #[must_use]
    pub fn kind(&self) -> AuditErrorKind {
        self.kind
    }
}
