//! How large a commit may be.

/// How large a commit may be.
///
/// An import, a merge of a backup and a list of scopes that are larger are cut into several commits, each of which leaves a whole store. What
/// cannot be cut is refused before anything is encrypted: a value that is too long, and a scope that is too large to be renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many records it may put and delete; `None` without a limit. Deleting by a prefix counts as one.
    pub operations: Option<usize>,
    /// How many bytes the keys and records that it puts may have together; `None` without a limit.
    pub bytes: Option<usize>,
}

impl Limits {
    /// A commit may be as large as there is space.
    pub const NONE: Self = Self {
        operations: None,
        bytes: None,
    };

    /// At most so many operations and bytes.
    #[must_use]
    pub const fn new(operations: Option<usize>, bytes: Option<usize>) -> Self {
        Self { operations, bytes }
    }
}
