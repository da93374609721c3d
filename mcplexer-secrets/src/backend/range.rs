//! Which records a scan passes.

use super::Table;

/// The records of a table whose keys begin with a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Range<'a> {
    /// The table.
    pub table: Table,
    /// What every key begins with.
    pub prefix: &'a [u8],
    /// Only keys that come later than this one: to go on where a scan broke off.
    pub after: Option<&'a [u8]>,
}

impl<'a> Range<'a> {
    /// Every record of a table.
    #[must_use]
    pub const fn all(table: Table) -> Self {
        Self::prefix(table, b"")
    }

    /// The records of a table whose keys begin with `prefix`.
    #[must_use]
    pub const fn prefix(table: Table, prefix: &'a [u8]) -> Self {
        Self {
            table,
            prefix,
            after: None,
        }
    }

    /// The records of this range whose keys come later than `key`.
    #[must_use]
    pub const fn after(self, key: &'a [u8]) -> Self {
        Self {
            after: Some(key),
            ..self
        }
    }
}
