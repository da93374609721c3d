use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{AuditError, AuditEvent, AuditPosition, AuditView, KeptLog, chain};
use crate::StoreId;

/// An audit log in memory, for tests.
#[derive(Debug)]
pub struct MemoryAudit(Mutex<State>);

#[derive(Debug)]
struct State {
    tip: AuditPosition,
    lines: Vec<String>,
}

impl MemoryAudit {
    /// Creates an empty log.
    ///
    /// # Errors
    /// [`AuditError`] if the operating system gives no random bytes for its id.
    pub fn new() -> Result<Self, AuditError> {
        Ok(Self(Mutex::new(State {
            tip: AuditPosition::genesis()?,
            lines: Vec::new(),
        })))
    }

    /// Returns the lines so far, oldest first, without their line feeds.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.state().lines.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeptLog for MemoryAudit {
    fn file(&self) -> PathBuf {
        PathBuf::new()
    }

    fn view(
        &self,
        store: Option<StoreId>,
        sealed: &[AuditPosition],
    ) -> Result<AuditView, AuditError> {
        let state = self.state();
        let lines = state.lines.iter().map(String::as_bytes);
        // A log in memory can only grow, so it is enough that it is long enough.
        let mut here = sealed.iter().filter(|it| it.log == state.tip.log);
        Ok(AuditView {
            tip: (state.tip.line > 0).then_some(state.tip),
            is_whole: here.all(|it| it.line <= state.tip.line),
            last: chain::last_mark(lines, store),
        })
    }

    fn append(&self, event: &AuditEvent<'_>) -> Result<AuditPosition, AuditError> {
        let mut state = self.state();
        let (line, tip) = state.tip.next(event, 0)?;
        state.lines.push(line.trim_end().to_owned());
        state.tip = tip;
        Ok(tip)
    }
}
