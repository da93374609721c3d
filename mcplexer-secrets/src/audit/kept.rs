use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::{AuditError, AuditEvent};
use crate::StoreId;

/// A chained log that can be read back. The store seals the position of each change in it, and
/// refuses to continue if that line is missing.
///
/// [`FileAudit`](super::FileAudit) and [`MemoryAudit`](super::MemoryAudit) are such logs. A program
/// that only passes events on implements [`AuditSink`](super::AuditSink).
pub trait KeptLog: fmt::Debug + Send + Sync {
    /// Returns the log to which the next line goes.
    ///
    /// # Errors
    /// [`AuditError`] if the log cannot be read.
    fn log(&self) -> Result<AuditLog, AuditError>;

    /// Returns whether the log still has the line that was appended at this position.
    ///
    /// # Errors
    /// [`AuditError`] if the log cannot be read.
    fn holds(&self, position: &AuditPosition) -> Result<bool, AuditError>;

    /// Returns the last line that records a change to this store, or to any store.
    ///
    /// # Errors
    /// [`AuditError`] if the log cannot be read.
    fn last_change(&self, store: Option<StoreId>) -> Result<Option<AuditChange>, AuditError>;

    /// Appends a line. If [`AuditEvent::durable`] returns `true`, the line must be durable on
    /// return.
    ///
    /// # Errors
    /// [`AuditError`] if it cannot be written. The operation then fails and has no effect.
    fn append(&self, event: &AuditEvent<'_>) -> Result<AuditPosition, AuditError>;
}

impl<T: KeptLog + ?Sized> KeptLog for Arc<T> {
    fn log(&self) -> Result<AuditLog, AuditError> {
        (**self).log()
    }

    fn holds(&self, position: &AuditPosition) -> Result<bool, AuditError> {
        (**self).holds(position)
    }

    fn last_change(&self, store: Option<StoreId>) -> Result<Option<AuditChange>, AuditError> {
        (**self).last_change(store)
    }

    fn append(&self, event: &AuditEvent<'_>) -> Result<AuditPosition, AuditError> {
        (**self).append(event)
    }
}

/// Identifies a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLog {
    /// 32 random bytes: the `prev` of its first line.
    pub id: [u8; 32],
    /// Its file; empty if it has none.
    pub path: PathBuf,
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

/// The line of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditChange {
    /// Its number, from 1.
    pub line: u64,
    /// The line that the store had sealed before, or 0 if it had sealed none.
    pub sealed: u64,
}

impl AuditChange {
    /// Returns whether this can be the last change to a store that has sealed the line `sealed`, or
    /// 0 if it has sealed none. A change writes its line, which says what was sealed before, and
    /// seals the line in the same commit. So the store has sealed either the last change, or, if a
    /// crash came between the two, what that change found sealed.
    pub(crate) fn fits(&self, sealed: u64) -> bool {
        [self.line, self.sealed].contains(&sealed)
    }
}
