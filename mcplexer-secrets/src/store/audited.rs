//! No operation without its audit line.

use std::path::Path;

use super::sealed_store::Store;
use super::transact::Change;
use crate::audit::{self, AuditEvent, AuditOperation, AuditOutcome, AuditReport};
use crate::backend::{Snapshot, Table};
use crate::error::{Finding, RecordName};
use crate::keys::Ask;
use crate::record::{self, AUDIT_SEAL_PREFIX, AuditSeal};
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
        work: impl FnOnce(&dyn Snapshot) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let result = match self.backend.read() {
            Ok(None) => return Ok(None),
            Ok(Some(snapshot)) => work(&*snapshot),
            Err(error) => Err(error.into()),
        };
        match &result {
            Ok(_) => self.record(subject, AuditOutcome::Ok)?,
            Err(error) => self.record_failure(subject, error),
        }
        result.map(Some)
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

    /// Records a change that is about to be committed, durably, and seals the line that does so
    /// into the store with it.
    pub(super) fn record_change(
        &self,
        subject: Subject<'_>,
        change: &mut Change<'_>,
    ) -> Result<(), Error> {
        let Some(sink) = &self.audit else {
            return Ok(());
        };
        let log = sink.log()?;
        let header = &change.unlocked.header;
        let mut event = subject.event(AuditOutcome::Ok);
        event.store = Some(header.store);
        event.sealed = Some(0);
        if let Some(log) = &log
            && let Some(bytes) = change
                .transaction
                .get(Table::Meta, &record::audit_seal_key(&log.id))?
        {
            let seal: AuditSeal = record::decode(&bytes, || RecordName::AuditSeal)?;
            event.sealed = Some(seal.line);
        }
        let position = sink.append(&event)?;
        let Some(log) = log else {
            return Ok(());
        };
        let mut seal = AuditSeal {
            generation: header.generation,
            file: log.file,
            line: position.line,
            hash: position.hash,
            proof: Vec::new(),
        };
        let context = seal.context(header, &position.log);
        seal.proof = change.unlocked.root.prove(&context)?;
        let key = record::audit_seal_key(&position.log);
        let bytes = record::encode(&seal)?;
        change.transaction.put(Table::Meta, &key, &bytes)?;
        Ok(())
    }

    /// Checks the audit log in the file at `path`: that no line was changed or removed, and that
    /// every line up to the last change to this store is there.
    ///
    /// # Errors
    /// [`Error::Tampered`] says which line does not fit; else if the store or the log cannot be
    /// read.
    pub fn verify_audit(&self, path: &Path) -> Result<AuditReport, Error> {
        let Some(snapshot) = self.backend.read()? else {
            return audit::verify(path, None, &[]);
        };
        let unlocked = self.unlock(&*snapshot, Ask::Allowed)?;
        let header = &unlocked.header;
        let mut seals = Vec::new();
        let mut failed = None;
        snapshot.scan(Table::Meta, AUDIT_SEAL_PREFIX, &mut |key, bytes| {
            let tampered = |finding| Error::tampered(RecordName::AuditSeal, finding);
            let seal = (|| {
                let log = key.get(AUDIT_SEAL_PREFIX.len()..).unwrap_or_default();
                let log = log.try_into().map_err(|_| tampered(Finding::Malformed))?;
                let seal: AuditSeal = record::decode(bytes, || RecordName::AuditSeal)?;
                let proved = unlocked
                    .root
                    .verify(&seal.proof, &seal.context(header, &log));
                if !proved {
                    return Err(tampered(Finding::DoesNotOpen));
                }
                Ok((log, seal))
            })();
            match seal {
                Ok(seal) => seals.push(seal),
                Err(error) => failed = Some(error),
            }
        })?;
        match failed {
            Some(error) => Err(error),
            None => audit::verify(path, Some(header.store), &seals),
        }
    }
}
