//! Where sealed records are stored.
//!
//! A backend keeps ordered byte records in named tables and sees only ciphertext and names. It
//! offers two things: a [`Snapshot`] to read one state of all tables, and a [`Transaction`] that
//! applies wholly or not at all. That fits a transactional file (redb, [`RedbBackend`]) as well as
//! a database server or a cluster.
//!
//! # What every backend guarantees
//!
//! A store is a sequence of states. A state is a set of records, and a commit leads from one state to
//! the next. [`conformance::backend`](crate::conformance::backend) checks all of this.
//!
//! 1. **A snapshot is one state**, and not an old one: every commit that was acknowledged before
//!    [`read`](Backend::read) was called is in it, also one through another handle on the same place.
//! 2. **A transaction is serializable.** It begins at one state, and its reads and scans see that state
//!    with its own changes. It is applied only to a state in which each of its reads and scans would
//!    return the same: neither a record that was read may have changed, nor may one have come into a
//!    range that was scanned, or left it.
//! 3. **What [`delete_prefix`](Transaction::delete_prefix) deletes is decided at the commit.** Nothing
//!    with that prefix is there afterwards, except what the transaction put itself later. A record
//!    that somebody else put meanwhile is gone as well, or the commit is a conflict.
//! 4. **A commit ends in one of three ways** ([`Commit`]), or fails and has changed nothing. One that
//!    is applied is durable, in the way that the engine was set up for.
//! 5. **An unknown outcome can be decided.** [`settle`](Backend::settle) says whether a commit was
//!    applied, and before it answers it makes sure that the commit cannot be applied any more.
//! 6. **Writers queue.** [`write`](Backend::write) waits for its turn where the engine has a lock for
//!    that: the header is part of every change, so writers that race for it only throw work away.
//!    Nothing depends on the lock. If it is lost, the commit is a conflict.
//! 7. **A replacement keeps writers out, and readers not.** After its commit, the engine gives out
//!    nothing of the old state but to snapshots that were there before. An engine that keeps history
//!    discards it then, and after a record was deleted, as soon as it can.
//!
//!    Before its commit, a replacement can [keep](Successor::keep) what it has so far, as a *beginning*.
//!    No reader sees that. It outlives the process: the next replacement of the same state finds it in
//!    its successor, as it was when it was kept last. With any commit it is gone, and the engine
//!    discards it. An engine may keep nothing, or lose what it has kept. Nobody but the engine vouches
//!    for a beginning, so a caller that goes on with one checks it first, or [clears](Successor::clear)
//!    it.

use auto_impl::auto_impl;
use std::fmt;
use std::ops::ControlFlow;

mod cached;
mod commit;
mod error;
mod limits;
mod patient;
mod pointers;
mod queue;
mod range;
mod redb;

pub use self::cached::{CachedBackend, Copied};
pub use self::commit::{Commit, CommitId};
pub use self::error::{BackendError, BackendErrorKind};
pub use self::limits::Limits;
pub use self::range::Range;
pub use self::redb::RedbBackend;

/// A named, ordered set of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
#[auto_impl(Arc, Box)]
pub trait Backend: fmt::Debug + Send + Sync {
    /// Returns the current state, or `None` if nothing was ever committed. Never creates anything.
    ///
    /// # Errors
    /// [`BackendError`] if the state cannot be read.
    fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError>;

    /// Begins to change the state. Waits until other writers are done. The first commit creates the
    /// storage.
    ///
    /// # Errors
    /// [`BackendErrorKind::Busy`] if the wait takes too long.
    fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError>;

    /// Begins to replace the current state with a new one. Other writers wait until it is committed or dropped;
    /// readers go on.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn replace(&self) -> Result<Replacement<'_>, BackendError>;

    /// Returns whether a commit whose outcome was [`Unknown`](Commit::Unknown) was applied. After this returned
    /// `false`, it never will be.
    ///
    /// # Errors
    /// [`BackendError`] if that cannot be found out now. The caller may ask again if it is
    /// [`Busy`](BackendErrorKind::Busy) or [`Unreachable`](BackendErrorKind::Unreachable).
    fn settle(&self, commit: &CommitId) -> Result<bool, BackendError>;

    /// Returns how large a commit may be. Nothing larger is asked for, except of a [replacement](Self::replace): a larger
    /// change is cut into several commits, or refused as [`TooLarge`](BackendErrorKind::TooLarge) before anything is encrypted.
    fn limits(&self) -> Limits {
        Limits::NONE
    }

    /// Returns a number that every commit increases, if the engine can tell it for less than the price of a
    /// snapshot: whether anything has changed since.
    ///
    /// The commits of this handle are in it. Those of others may be missing for the time that it takes to hear of them:
    /// usually milliseconds, and up to half a minute if the way to the server is cut.
    ///
    /// # Errors
    /// [`BackendError`] if it cannot be read.
    fn revision(&self) -> Result<Option<u64>, BackendError> {
        Ok(None)
    }

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
    /// The new state: empty at first, or what an earlier replacement of the same state has
    /// [kept](Successor::keep). Once it is committed, the storage holds nothing that was only in the
    /// old one.
    pub new: Box<dyn Successor + 'a>,
}

impl fmt::Debug for Replacement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replacement")
    }
}

/// Takes a key and its record, and says whether to go on.
pub type EachRecord<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// A consistent view of all tables at one moment.
#[auto_impl(Box)]
pub trait Snapshot: Send {
    /// Returns the records at these places, in this order; `None` where there is no record. What is known by
    /// name is asked for at once: over a network, this is one way there and back.
    ///
    /// # Errors
    /// [`BackendError`] if they cannot be read. [`BackendErrorKind::Busy`] if an engine that keeps history has discarded
    /// this state meanwhile: the next one can be read.
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError>;

    /// Calls `each` with key and record, in key order, for every record in a range, until it breaks off.
    ///
    /// # Errors
    /// As [`get_many`](Self::get_many).
    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError>;

    /// Returns since when this state may be an old one; `None` if it is that of the storage itself. Known once
    /// something was read.
    fn copied(&self) -> Option<Copied> {
        None
    }

    /// Returns the record under `key`.
    ///
    /// # Errors
    /// [`BackendError`] if it cannot be read.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        Ok(self.get_many(&[(table, key)])?.pop().flatten())
    }
}

impl dyn Snapshot + '_ {
    /// Calls `each` with key and record, in key order, for every record in a range, until it fails.
    ///
    /// # Errors
    /// That of `each`, or a [`BackendError`] if the records cannot be read.
    pub fn try_scan<E: From<BackendError>>(
        &self,
        range: Range<'_>,
        mut each: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut failed = None;
        self.scan(range, &mut |key, record| match each(key, record) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })?;
        failed.map_or(Ok(()), Err)
    }
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

    /// Makes the whole change durable, provided that nothing that was read or scanned through this
    /// transaction has changed since.
    ///
    /// # Errors
    /// [`BackendError`] if nothing was changed, and never will be by this commit. An engine that cannot
    /// promise that returns [`Commit::Unknown`].
    fn commit(self: Box<Self>) -> Result<Commit, BackendError>;
}

/// The next state in the making, in the place of the current one.
pub trait Successor: Transaction {
    /// Keeps what was put so far, so that the next replacement of the same state can go on with it if this one is not
    /// committed. An engine that cannot do that does nothing.
    ///
    /// # Errors
    /// [`BackendError`] if it cannot be kept, or the current state was changed meanwhile.
    fn keep(&mut self) -> Result<(), BackendError>;

    /// Deletes everything that was put so far, and what an earlier replacement has kept. Once this one is committed, the
    /// storage holds nothing of that either.
    ///
    /// # Errors
    /// [`BackendError`] if it cannot be read, or deleted.
    fn clear(&mut self) -> Result<(), BackendError> {
        for table in Table::ALL {
            let mut is_empty = true;
            self.scan(Range::all(table), &mut |_, _| {
                is_empty = false;
                ControlFlow::Break(())
            })?;
            if !is_empty {
                self.delete_prefix(table, b"")?;
            }
        }
        Ok(())
    }
}
