//! Where sealed records are stored.
//!
//! A backend keeps ordered byte records in named tables and sees only ciphertext and names. It
//! offers two things: a [`Snapshot`] to read one state of all tables, and a [`Transaction`] that
//! applies wholly or not at all. That fits a transactional file (redb, [`RedbBackend`]) as well as
//! a cluster: there, a transaction remembers the revision of each record it read, commits with one
//! compare-and-swap, and returns [`Commit::Conflict`] if any of those records has changed.

use std::fmt;

mod patient;
mod redb;

pub use self::redb::RedbBackend;

/// A named, ordered set of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Table {
    /// The header, the list of owners, and the pages of the lists of scopes and of secrets.
    Meta,
    /// Scope id → scope record.
    Scopes,
    /// Scope id, NUL, secret name → sealed value.
    Secrets,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 3] = [Self::Meta, Self::Scopes, Self::Secrets];

    /// Returns the name under which the table is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Scopes => "scopes",
            Self::Secrets => "secrets",
        }
    }
}

/// Stores the records of one store.
pub trait Backend: fmt::Debug + Send + Sync {
    /// Returns the current state, or `None` if nothing was ever committed. Never creates anything.
    ///
    /// # Errors
    /// [`BackendError`] if the state cannot be read.
    fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError>;

    /// Begins to change the state. The first commit creates the storage.
    ///
    /// # Errors
    /// [`BackendErrorKind::Busy`] if another writer holds its lock for too long.
    fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError>;

    /// Begins to replace the current state with a new one. Nothing of the current state remains
    /// afterwards.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn replace(&self) -> Result<Replacement<'_>, BackendError>;

    /// Checks the backend's own structures, as thoroughly as it can.
    ///
    /// # Errors
    /// [`BackendErrorKind::Corrupt`] if they are inconsistent.
    fn check(&self) -> Result<(), BackendError> {
        Ok(())
    }
}

/// A state that is being replaced, and its successor.
pub struct Replacement<'a> {
    /// The current state, which nobody changes meanwhile; `None` if nothing was ever committed.
    pub old: Option<Box<dyn Snapshot + 'a>>,
    /// The new state, empty at first. Once it is committed, the storage holds nothing that was only
    /// in the old one.
    pub new: Box<dyn Transaction + 'a>,
}

impl fmt::Debug for Replacement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replacement")
    }
}

/// A consistent view of all tables at one moment.
pub trait Snapshot {
    /// Returns the record under `key`.
    ///
    /// # Errors
    /// [`BackendError`] if it cannot be read.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError>;

    /// Calls `each` with key and record, in key order, for every key that begins with `prefix`.
    ///
    /// # Errors
    /// [`BackendError`] if the records cannot be read.
    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        each: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<(), BackendError>;
}

/// A change of state that is not committed yet. Reads through it see the change. Dropping it leaves
/// the state as it was.
pub trait Transaction: Snapshot {
    /// Returns whether nothing was ever committed before.
    fn is_first(&self) -> bool;

    /// Stores a record, replacing an earlier one under the same key.
    ///
    /// # Errors
    /// [`BackendError`] if the record cannot be stored.
    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Result<(), BackendError>;

    /// Deletes a record, if it exists.
    ///
    /// # Errors
    /// [`BackendError`] if the record cannot be deleted.
    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), BackendError>;

    /// Deletes every record whose key begins with `prefix`.
    ///
    /// # Errors
    /// [`BackendError`] if the records cannot be deleted.
    fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Result<(), BackendError>;

    /// Makes the whole change durable, provided that no record read through this transaction has
    /// changed since.
    ///
    /// # Errors
    /// [`BackendError`]; the state is then unchanged.
    fn commit(self: Box<Self>) -> Result<Commit, BackendError>;
}

/// How a commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum Commit {
    /// The change is durable.
    Applied,
    /// A record that was read has changed since. Nothing was applied; start over.
    Conflict,
}

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
