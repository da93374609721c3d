//! No operation without its audit line.

use std::path::Path;

use super::sealed_store::Store;
use super::transact::Change;
use super::unlock::Unlocked;
use crate::audit::{self, AuditEvent, AuditOperation, AuditOutcome, AuditPosition, AuditReport};
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
    ///
    /// The line sealed before must still be in the log: a new seal would else vouch for a log that
    /// was cut off or rewritten meanwhile.
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
        if let Some(log) = &log {
            let key = record::audit_seal_key(&log.id);
            if let Some(bytes) = change.transaction.get(Table::Meta, &key)? {
                let seal = open_seal(&change.unlocked, &log.id, &bytes)?;
                let sealed = AuditPosition {
                    log: log.id,
                    line: seal.line,
                    offset: seal.offset,
                    hash: seal.hash,
                };
                if !sink.holds(&sealed)? {
                    let name = RecordName::AuditLog(log.file.clone().into());
                    return Err(Error::tampered(name, Finding::CutOff));
                }
                event.sealed = Some(seal.line);
            }
        }
        let position = sink.append(&event)?;
        let Some(log) = log else {
            return Ok(());
        };
        let mut seal = AuditSeal {
            generation: header.generation,
            file: log.file,
            line: position.line,
            offset: position.offset,
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
        let mut seals = Vec::new();
        snapshot.scan(Table::Meta, AUDIT_SEAL_PREFIX, &mut |key, bytes| {
            let log = key.get(AUDIT_SEAL_PREFIX.len()..).unwrap_or_default();
            let log = log
                .try_into()
                .map_err(|_| Error::tampered(RecordName::AuditSeal, Finding::Malformed));
            seals.push(log.and_then(|log| Ok((log, open_seal(&unlocked, &log, bytes)?))));
        })?;
        let seals = seals.into_iter().collect::<Result<Vec<_>, _>>()?;
        audit::verify(path, Some(unlocked.header.store), &seals)
    }
}

/// Decodes a seal, and checks that the holder of the root key wrote it.
fn open_seal(unlocked: &Unlocked, log: &[u8; 32], bytes: &[u8]) -> Result<AuditSeal, Error> {
    let seal: AuditSeal = record::decode(bytes, || RecordName::AuditSeal)?;
    let context = seal.context(&unlocked.header, log);
    if unlocked.root.verify(&seal.proof, &context) {
        Ok(seal)
    } else {
        Err(Error::tampered(RecordName::AuditSeal, Finding::DoesNotOpen))
    }
}
