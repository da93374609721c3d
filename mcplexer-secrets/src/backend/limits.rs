//! How large a commit may be.

/// How large a commit may be. A change that is larger is refused before anything is encrypted.
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
