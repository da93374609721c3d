//! How a commit ends.

use super::BackendError;

/// How a commit ended.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub enum Commit {
    /// The change is durable.
    Applied,
    /// Something that was read or scanned has changed since. Nothing was applied; start over.
    Conflict,
    /// The answer was lost, so the change may have been applied, or may still be.
    /// [`Backend::settle`](super::Backend::settle) decides.
    Unknown(CommitId, BackendError),
}

/// What a backend needs to find out about a commit whose outcome is unknown. Only the backend knows what is in
/// it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitId(Vec<u8>);

impl CommitId {
    /// Wraps the backend's own name of a commit.
    #[must_use]
    pub fn new(name: impl Into<Vec<u8>>) -> Self {
        Self(name.into())
    }

    /// Returns the backend's own name of the commit.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
