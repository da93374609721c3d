use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::chain::{self, Actor};
use super::{AuditChange, AuditEvent, AuditLog, AuditPosition, AuditSink};
use crate::{Error, StoreId};

/// An audit log in memory, for tests and for programs that pass the lines on.
#[derive(Debug)]
pub struct MemoryAudit {
    actor: Actor,
    state: Mutex<(AuditPosition, Vec<String>)>,
}

impl MemoryAudit {
    /// An empty log.
    ///
    /// # Errors
    /// If the operating system gives no random bytes for its id.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            actor: Actor::this_process(),
            state: Mutex::new((AuditPosition::genesis()?, Vec::new())),
        })
    }

    /// The lines so far, oldest first, without their line feeds.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.1.clone()
    }
}

impl AuditSink for MemoryAudit {
    fn log(&self) -> Result<Option<AuditLog>, Error> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Some(AuditLog {
            id: state.0.log,
            path: PathBuf::new(),
        }))
    }

    fn holds(&self, position: &AuditPosition) -> Result<bool, Error> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A log in memory can only grow, so all that matters is that it is the same one.
        Ok(state.0.log == position.log && state.0.line >= position.line)
    }

    fn last_change(&self, store: Option<StoreId>) -> Result<Option<AuditChange>, Error> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = state.1.iter().map(String::as_bytes);
        Ok(chain::last_change(lines, store))
    }

    fn append(&self, event: &AuditEvent<'_>) -> Result<AuditPosition, Error> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (line, tip) = state.0.next(event, &self.actor, 0)?;
        state.1.push(line.trim_end().to_owned());
        state.0 = tip;
        Ok(tip)
    }
}
