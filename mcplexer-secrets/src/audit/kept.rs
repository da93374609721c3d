use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::{AuditError, AuditEvent};
use crate::StoreId;

/// A chained log that is kept and can be read back, so that the store vouches for it: the store seals
/// the position of each change, and refuses to go on if that line is gone.
///
/// [`FileAudit`](super::FileAudit) and [`MemoryAudit`](super::MemoryAudit) are such logs. A program
/// that only passes events on implements [`AuditSink`](super::AuditSink).
pub trait KeptLog: fmt::Debug + Send + Sync {
    /// Returns the log that the next line goes to.
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

    /// Appends a line. It must be durable when this returns if [`AuditEvent::durable`] says so.
    ///
    /// # Errors
    /// [`AuditError`] if it cannot be written; the operation then fails, and has no effect.
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

/// A place in a log: a line and the hash it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditPosition {
    /// The id of the log.
    pub log: [u8; 32],
    /// The number of the line, from 1.
    pub line: u64,
    /// Where the line begins, in bytes from the beginning of the log.
    pub offset: u64,
    /// Its hash.
    pub hash: [u8; 32],
}

/// The line of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditChange {
    /// Its number, from 1.
    pub line: u64,
    /// The line that the store had sealed before, 0 if none.
    pub sealed: u64,
}

impl AuditChange {
    /// Returns whether this can be the last change to a store that has sealed the line `sealed`, 0 if
    /// none. A change writes its line, says there what was sealed before, and seals the line in the
    /// same commit. So the seal is at the last change, or where that change found it if a crash came
    /// between the two.
    pub(crate) fn fits(&self, sealed: u64) -> bool {
        [self.line, self.sealed].contains(&sealed)
    }
}
