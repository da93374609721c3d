//! No operation without its audit line.

use super::sealed_store::Store;
use crate::audit::{AuditEvent, AuditOperation, AuditOutcome, AuditPosition};
use crate::backend::Snapshot;
use crate::record::StoreId;
use crate::{Error, ScopeId, SecretName, Timestamp};

/// An operation and what it is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) operation: AuditOperation,
    pub(super) scope: Option<&'a ScopeId>,
    pub(super) name: Option<&'a SecretName>,
}

impl<'a> Subject<'a> {
    pub(super) fn store(operation: AuditOperation) -> Self {
        Self {
            operation,
            scope: None,
            name: None,
        }
    }

    pub(super) fn scope(operation: AuditOperation, scope: &'a ScopeId) -> Self {
        Self {
            operation,
            scope: Some(scope),
            name: None,
        }
    }

    pub(super) fn secret(
        operation: AuditOperation,
        scope: &'a ScopeId,
        name: &'a SecretName,
    ) -> Self {
        Self {
            operation,
            scope: Some(scope),
            name: Some(name),
        }
    }

    fn event(&self, outcome: AuditOutcome) -> AuditEvent<'a> {
        AuditEvent {
            time: Timestamp::now(),
            operation: self.operation,
            scope: self.scope,
            name: self.name,
            outcome,
            sealed: None,
            store: None,
        }
    }
}

impl Store {
    /// Does `work` on one state of the store, and records how it ended before what it found is
    /// handed out. `None` is that there is no store, and nothing to record.
    pub(super) fn read<T>(
        &self,
        subject: Subject<'_>,
        work: impl FnOnce(&dyn Snapshot) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        let snapshot = self.backend.read().map_err(Error::from);
        let result = snapshot.and_then(|snapshot| work(&*snapshot));
        match &result {
            Ok(None) => {}
            Ok(Some(_)) => self.record(subject, AuditOutcome::Ok)?,
            Err(error) => self.record_failure(subject, error),
        }
        result
    }

    fn record(&self, subject: Subject<'_>, outcome: AuditOutcome) -> Result<(), Error> {
        if let Some(sink) = &self.audit {
            sink.append(&subject.event(outcome))?;
        }
        Ok(())
    }

    /// Records an operation that fails anyway: the error that made it fail is the one to report,
    /// whether or not the log can take the line.
    pub(super) fn record_failure(&self, subject: Subject<'_>, error: &Error) {
        let _unrecorded = self.record(subject, error.kind().into());
    }

    /// Records a change that is about to be committed, durably. `sealed` is the line that the
    /// store vouched for before.
    pub(super) fn record_change(
        &self,
        subject: Subject<'_>,
        store: StoreId,
        sealed: u64,
    ) -> Result<Option<AuditPosition>, Error> {
        let Some(sink) = &self.audit else {
            return Ok(None);
        };
        let mut event = subject.event(AuditOutcome::Ok);
        event.store = Some(store);
        event.sealed = Some(sealed);
        sink.append(&event).map(Some)
    }
}
