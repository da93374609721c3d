use auto_impl::auto_impl;
use std::fmt;
use std::path::PathBuf;

use super::{AuditError, AuditEvent, AuditState};
use crate::StoreId;

/// A chained log that can be read back. The store seals the position of each change in it, and
/// refuses to continue if that line is missing.
///
/// [`FileAudit`](super::FileAudit) and [`MemoryAudit`](super::MemoryAudit) are such logs. A program
/// that only passes events on implements [`AuditSink`](super::AuditSink).
#[auto_impl(Arc, Box)]
pub trait KeptLog: fmt::Debug + Send + Sync {
    /// Returns the path of the log; empty if it is not in a file.
    fn file(&self) -> PathBuf;

    /// Returns what the log says, for comparison with a store. `sealed` are the positions that the store has sealed, in
    /// this log and in others.
    ///
    /// # Errors
    /// [`AuditError`] if the log cannot be read.
    fn view(
        &self,
        store: Option<StoreId>,
        sealed: &[AuditPosition],
    ) -> Result<AuditView, AuditError>;

    /// Appends a line. If [`AuditEvent::durable`] returns `true`, the line must be durable on
    /// return.
    ///
    /// # Errors
    /// [`AuditError`] if it cannot be written. The operation then fails and has no effect.
    fn append(&self, event: &AuditEvent<'_>) -> Result<AuditPosition, AuditError>;

    /// Appends lines together, in this order, and returns the position of the last one. There is at least one.
    ///
    /// With the id of a log as `only`, the lines are appended to that log, and only if this takes no waiting for others.
    /// Otherwise `None` is returned, and nothing has been appended. A log that always has to wait need not implement this.
    ///
    /// # Errors
    /// [`AuditError`] if they cannot be written. None of them has been appended then, as far as the log can tell.
    fn append_all(
        &self,
        events: &[AuditEvent<'_>],
        only: Option<[u8; 32]>,
    ) -> Result<Option<AuditPosition>, AuditError> {
        if only.is_some() {
            return Ok(None);
        }
        let mut last = None;
        for event in events {
            last = Some(self.append(event)?);
        }
        Ok(last)
    }

    /// Makes every line durable that this process has appended.
    ///
    /// # Errors
    /// [`AuditError`] if that fails.
    fn sync(&self) -> Result<(), AuditError> {
        Ok(())
    }
}

/// What a log says, for comparison with a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditView {
    /// The last line. `None` if it has none.
    pub tip: Option<AuditPosition>,
    /// Whether the log still has the line at the sealed position that is in it; `true` if none is.
    pub is_whole: bool,
    /// The last line with the state of a store. Skipped are lines about the creation of other stores, which
    /// may not have been committed.
    pub last: Option<AuditMark>,
}

impl AuditView {
    /// Returns the id of the log: 32 random bytes, the `prev` of its first line. `None` if it has no lines.
    #[must_use]
    pub fn log(&self) -> Option<[u8; 32]> {
        self.tip.map(|tip| tip.log)
    }
}

/// A position in a log: a line and its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditPosition {
    /// The id of the log.
    pub log: [u8; 32],
    /// The number of the line, from 1.
    pub line: u64,
    /// The byte offset at which the line begins.
    pub offset: u64,
    /// Its hash.
    pub hash: [u8; 32],
}

/// A line with the state of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditMark {
    /// Its number, from 1.
    pub line: u64,
    /// The store.
    pub store: StoreId,
    /// The store's generation.
    pub generation: u64,
    /// The store's revision.
    pub revision: u64,
    /// The line that the store had sealed before, or 0 if it had sealed none.
    pub sealed: u64,
    /// Whether this is the state that a change was about to commit.
    pub pending: bool,
    /// The label of the owner whose key opened the store, if a key did.
    pub owner: Option<String>,
    /// Tells the private key that last claimed the store from others.
    pub claimant: Option<String>,
    /// The generation in which it did.
    pub claimed: Option<u64>,
}

impl AuditMark {
    /// The mark of a line with this state.
    pub(super) fn of(state: &AuditState<'_>, line: u64) -> Self {
        Self {
            line,
            store: state.store,
            generation: state.generation,
            revision: state.revision,
            sealed: state.sealed,
            pending: state.pending,
            owner: state.owner.map(str::to_owned),
            claimant: state.claimant.map(str::to_owned),
            claimed: state.claimed,
        }
    }
}
