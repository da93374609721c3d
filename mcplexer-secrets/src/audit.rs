//! The audit log: one line for each operation on a secret, each line bound to the one before.
//!
//! A line is a JSON object. Its last two members are `prev`, the hash of the line before, and
//! `hash`, the SHA-256 of all bytes of the line before `,"hash":`. The first line's `prev` is 32
//! random bytes, the id of the log. A line never has a value, nor a length or hash of one.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, ScopeId, SecretName, StoreId, Timestamp};

mod chain;
mod file;
mod memory;
mod stderr;
mod verify;

pub use file::FileAudit;
pub(crate) use file::file_name;
pub use memory::MemoryAudit;
pub use stderr::StderrAudit;
pub(crate) use verify::verify;
pub use verify::{AuditLine, AuditReport, read_audit_log};

/// Takes the lines of an audit log.
pub trait AuditSink: fmt::Debug + Send + Sync {
    /// The log that the next line goes to; `None` if it is one that is not kept, and so cannot be
    /// verified.
    ///
    /// # Errors
    /// If the log cannot be read; the operation to be recorded then fails.
    fn log(&self) -> Result<Option<AuditLog>, Error>;

    /// Whether the log still has the line that was appended at this position.
    ///
    /// # Errors
    /// If the log cannot be read; the operation to be recorded then fails.
    fn holds(&self, position: &AuditPosition) -> Result<bool, Error>;

    /// The last line of the log that records a change to this store, or to any.
    ///
    /// # Errors
    /// If the log cannot be read; the operation to be recorded then fails.
    fn last_change(&self, store: Option<StoreId>) -> Result<Option<AuditChange>, Error>;

    /// Appends a line. It must be durable when this returns if [`AuditEvent::durable`] says so.
    ///
    /// # Errors
    /// If it cannot be written; the operation to be recorded then fails.
    fn append(&self, event: &AuditEvent<'_>) -> Result<AuditPosition, Error>;
}

/// Which log a sink writes to.
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
    /// Whether this can be the last change to a store that has sealed this line, 0 if none. A change
    /// writes its line, says there what was sealed before, and seals the line in the same commit. So
    /// the seal is at the last change, or where that one found it if it was cut short.
    pub(crate) fn fits(&self, sealed: u64) -> bool {
        [self.line, self.sealed].contains(&sealed)
    }
}

/// What is recorded.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AuditEvent<'a> {
    /// When it happened.
    pub time: Timestamp,
    /// What was done.
    pub operation: AuditOperation,
    /// In which scope.
    pub scope: Option<&'a ScopeId>,
    /// To which secret.
    pub name: Option<&'a SecretName>,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// For a change that is about to be committed: the line of this log that the store had sealed
    /// before, 0 if none.
    pub sealed: Option<u64>,
    /// For such a change: to which store.
    pub store: Option<StoreId>,
}

impl AuditEvent<'_> {
    /// Whether the line must be durable before the operation goes on: those of changes must, since
    /// the store is about to vouch for them.
    #[must_use]
    pub fn durable(&self) -> bool {
        self.sealed.is_some()
    }
}

/// The operations that are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AuditOperation {
    /// A store was made.
    Init,
    /// A value was stored.
    Put,
    /// A value was opened.
    Get,
    /// Values of a scope were opened to be given to a program, or written into a text.
    Inject,
    /// Values of a scope were opened to be looked for in files.
    Scan,
    /// The secrets of a scope, or all scopes, were listed.
    List,
    /// A secret was removed.
    Delete,
    /// A scope was made.
    CreateScope,
    /// A scope was removed.
    DeleteScope,
    /// A scope was given another kind, display name or hints.
    UpdateScope,
    /// Scopes were made, changed and removed together, to be as a file names them; the lines before
    /// say which.
    ApplyConfig,
    /// A line that a crash had left unfinished was removed from the log's end.
    Heal,
    /// The keys and everything sealed with them were replaced.
    Rotate,
    /// A way to open the store was added.
    AddSlot,
    /// A way to open the store was taken away, and the store re-keyed.
    RemoveSlot,
    /// A lost key was replaced by means of the recovery code, and the store re-keyed.
    Recover,
    /// Every value was written to a backup.
    Backup,
    /// A backup was taken in.
    Restore,
    /// What deleted records had left in the file was removed.
    Compact,
    /// Many values of a scope were stored at once.
    Import,
    /// Values of a scope were opened to be written to a file.
    Export,
}

/// How a recorded operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AuditOutcome {
    /// It was let through. For a change the line is written just before the commit.
    Ok,
    /// There was no such scope or secret.
    NotFound,
    /// It existed already, or had another version.
    Conflict,
    /// The request could not be right.
    Invalid,
    /// There was no key.
    NoKey,
    /// The store was tampered with or damaged.
    Tampered,
    /// Another program held the store.
    Busy,
    /// Any other failure, such as a full disk.
    Failed,
}

impl From<ErrorKind> for AuditOutcome {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Conflict => Self::Conflict,
            ErrorKind::Invalid => Self::Invalid,
            ErrorKind::Key => Self::NoKey,
            ErrorKind::Tampered => Self::Tampered,
            ErrorKind::Busy => Self::Busy,
            ErrorKind::Other => Self::Failed,
        }
    }
}
