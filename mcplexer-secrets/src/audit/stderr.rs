use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::chain::Actor;
use super::{AuditChange, AuditEvent, AuditLog, AuditPosition, AuditSink};
use crate::{Error, StoreId};

/// Audit lines on standard error, for containers whose log is collected from there. Each process
/// begins a chain of its own, and the store does not vouch for it, since it cannot be read back.
#[derive(Debug)]
pub struct StderrAudit {
    actor: Actor,
    tip: Mutex<AuditPosition>,
}

impl StderrAudit {
    /// A new chain on standard error.
    ///
    /// # Errors
    /// If the operating system gives no random bytes for its id.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            actor: Actor::this_process(),
            tip: Mutex::new(AuditPosition::genesis()?),
        })
    }
}

impl AuditSink for StderrAudit {
    fn log(&self) -> Result<Option<AuditLog>, Error> {
        Ok(None)
    }

    fn holds(&self, _position: &AuditPosition) -> Result<bool, Error> {
        // The store seals no line of a log that is not kept.
        Ok(false)
    }

    fn last_change(&self, _store: Option<StoreId>) -> Result<Option<AuditChange>, Error> {
        Ok(None)
    }

    fn append(&self, event: &AuditEvent<'_>) -> Result<AuditPosition, Error> {
        let mut tip = self.tip.lock().unwrap_or_else(PoisonError::into_inner);
        let (line, next) = tip.next(event, &self.actor, 0)?;
        let written = io::stderr().lock().write_all(line.as_bytes());
        written.map_err(|source| Error::Audit {
            path: PathBuf::from("on standard error"),
            source,
        })?;
        *tip = next;
        Ok(next)
    }
}
