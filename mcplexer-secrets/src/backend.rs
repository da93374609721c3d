//! Where sealed records live.
//!
//! A backend keeps ordered byte records in named tables and sees only ciphertext and names. It
//! offers two things: a [`Snapshot`] to read one state of all tables, and a [`Transaction`] that
//! applies wholly or not at all. That fits a transactional file (redb, [`RedbBackend`]) as well as
//! a cluster: there a transaction remembers the revision of each record it read and commits with
//! one compare-and-swap, answering [`Commit::Conflict`] if any of them has moved on.

use std::fmt;

mod patient;
mod redb;

pub use self::redb::RedbBackend;

/// A named, ordered set of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Table {
    /// The header, the list of scopes, the seals of audit logs.
    Meta,
    /// Scope id → scope record.
    Scopes,
    /// Scope id, NUL, secret name → sealed value.
    Secrets,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 3] = [Self::Meta, Self::Scopes, Self::Secrets];

    /// The name under which the table is kept.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Scopes => "scopes",
            Self::Secrets => "secrets",
        }
    }
}

/// Holds the records of one store.
pub trait Backend: fmt::Debug + Send + Sync {
    /// The current state; `None` if nothing was ever committed. Never creates anything.
    ///
    /// # Errors
    /// [`BackendError`] if the state cannot be read.
    fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError>;

    /// Begins to change the state. What is needed to hold a first one comes to be with its commit.
    ///
    /// # Errors
    /// [`BackendErrorKind::Busy`] if another writer does not make way.
    fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError>;

    /// Begins to put a whole new state in the place of the current one, which leaves nothing of
    /// that behind.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn replace(&self) -> Result<Replacement<'_>, BackendError>;

    /// Checks what the backend itself keeps in order, as thoroughly as it can.
    ///
    /// # Errors
    /// [`BackendErrorKind::Corrupt`] if something is out of order.
    fn check(&self) -> Result<(), BackendError> {
        Ok(())
    }
}

/// A state on its way out, and the one that takes its place.
pub struct Replacement<'a> {
    /// The current state, which nobody changes meanwhile; `None` if there is none.
    pub old: Option<Box<dyn Snapshot + 'a>>,
    /// Begins without any record. Once its commit is applied, what stores the state holds nothing
    /// that was only in the old one.
    pub new: Box<dyn Transaction + 'a>,
}

impl fmt::Debug for Replacement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replacement")
    }
}

/// One state of all tables: what is read through it fits together.
pub trait Snapshot {
    /// The record under `key`.
    ///
    /// # Errors
    /// [`BackendError`] if it cannot be read.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError>;

    /// Calls `each` with the key and the record of every record whose key begins with `prefix`,
    /// in the order of the keys.
    ///
    /// # Errors
    /// [`BackendError`] if they cannot be read.
    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        each: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<(), BackendError>;
}

/// A change of state in the making. Reading through it shows the state with the change; dropping it
/// leaves the state as it was.
pub trait Transaction: Snapshot {
    /// Whether nothing was ever committed before: this is about to be the first state.
    fn is_first(&self) -> bool;

    /// Puts a record, replacing what was there.
    ///
    /// # Errors
    /// [`BackendError`].
    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Result<(), BackendError>;

    /// Removes a record, if it is there.
    ///
    /// # Errors
    /// [`BackendError`].
    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), BackendError>;

    /// Removes every record whose key begins with `prefix`.
    ///
    /// # Errors
    /// [`BackendError`].
    fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Result<(), BackendError>;

    /// Makes the change durable, wholly, if every record read through this transaction is still as
    /// it was read.
    ///
    /// # Errors
    /// [`BackendError`]; the state is then as it was.
    fn commit(self: Box<Self>) -> Result<Commit, BackendError>;
}

/// How a commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum Commit {
    /// The change is durable.
    Applied,
    /// A record that was read has changed since; nothing was applied, start over.
    Conflict,
}

/// A backend's failure: what it was about in words, and the backend's own error as its source.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct BackendError {
    kind: BackendErrorKind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What a backend's failure calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackendErrorKind {
    /// Another program holds the store; trying again later may work.
    Busy,
    /// What lies there is damaged, or is no store.
    Corrupt,
    /// Anything else, mostly the file system.
    Other,
}

impl BackendError {
    /// A failure of this kind; `message` names the place and says what failed.
    #[must_use]
    pub fn new(kind: BackendErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// The same, with its cause.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What it calls for.
    #[must_use]
    pub fn kind(&self) -> BackendErrorKind {
        self.kind
    }
}
