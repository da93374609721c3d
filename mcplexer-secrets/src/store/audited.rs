//! No operation without its audit line.

use std::path::Path;

use super::sealed_store::Store;
use super::transact::Change;
use super::unlock::{Unlocked, read_header};
use crate::audit::{
    self, Actor, AuditEvent, AuditOperation, AuditOutcome, AuditPosition, AuditReport, KeptLog,
};
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

    fn event(&self, outcome: AuditOutcome, actor: &'a Actor) -> AuditEvent<'a> {
        let mut event = AuditEvent::new(self.operation, outcome, actor);
        (event.scope, event.name) = (self.scope, self.name);
        event
    }
}

impl Store {
    /// Does `work` on one state of the store, and records how it ended before what it found is
    /// handed out. `None` is that there is no store, and nothing to record.
    pub(super) fn read<T>(
        &self,
        subject: Subject<'_>,
        work: impl Fn(&dyn Snapshot) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let result = self.snapshot(work);
        match &result {
            Ok(None) => {}
            Ok(Some(_)) => self.record(subject, AuditOutcome::Ok)?,
            Err(error) => self.record_failure(subject, error),
        }
        result
    }

    /// Does `work` on one state of the store; `None` is that there is none. While no key opens it
    /// because somebody re-keys the store, and so the key file is not of the same time as the
    /// state, it is done again on the next state.
    pub(super) fn snapshot<T>(
        &self,
        work: impl Fn(&dyn Snapshot) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let Some(mut snapshot) = self.backend.read()? else {
            return Ok(None);
        };
        loop {
            let error = match work(&*snapshot) {
                Err(error @ Error::Locked { .. }) => error,
                result => return result.map(Some),
            };
            let (_, seen) = read_header(&*snapshot)?;
            drop(snapshot);
            snapshot = match self.backend.read()? {
                Some(now) if read_header(&*now)?.1.generation != seen.generation => now,
                _ => return Err(error),
            };
        }
    }

    pub(super) fn record(&self, subject: Subject<'_>, outcome: AuditOutcome) -> Result<(), Error> {
        if let Some(audit) = &self.audit {
            audit.record(&subject.event(outcome, &self.actor))?;
        }
        Ok(())
    }

    /// Records an operation that fails anyway: the error that made it fail is the one to report,
    /// whether or not the log can take the line.
    pub(super) fn record_failure(&self, subject: Subject<'_>, error: &Error) {
        let _unrecorded = self.record(subject, error.kind().into());
    }

    /// Whether a store may be made: the log must be usable, and know of none. A new one would cover
    /// up that the one of before is gone; a backup of that one does not, which is what brings it back.
    pub(super) fn check_none_is_gone(&self, operation: AuditOperation) -> Result<(), Error> {
        let Some(kept) = self.audit.as_ref().and_then(|audit| audit.log()) else {
            return Ok(());
        };
        let log = kept.log()?;
        let last = kept.last_change(None)?;
        if operation != AuditOperation::Restore && last.is_some_and(|last| !last.fits(0)) {
            let name = RecordName::AuditLog(log.path);
            return Err(Error::tampered(name, Finding::StoreIsGone));
        }
        Ok(())
    }

    /// Records a change that is about to be committed, durably, and seals the line that does so
    /// into the store with it.
    ///
    /// The line sealed before must still be in the log, and no later change: a new seal would else
    /// vouch for a log that was cut off or rewritten meanwhile, and cover up that the store was put
    /// back to an older state.
    pub(super) fn record_change(
        &self,
        subject: Subject<'_>,
        change: &mut Change<'_>,
    ) -> Result<(), Error> {
        let Some(audit) = &self.audit else {
            return Ok(());
        };
        let kept = audit.log();
        let log = kept.map(KeptLog::log).transpose()?;
        let header = &change.unlocked.header;
        let mut event = subject.event(AuditOutcome::Ok, &self.actor);
        event.store = Some(header.store);
        let mut before = 0;
        if let (Some(kept), Some(log)) = (kept, &log) {
            let damaged = |finding| {
                let name = RecordName::AuditLog(log.path.clone());
                Error::tampered(name, finding)
            };
            let key = record::audit_seal_key(&log.id);
            if let Some(bytes) = change.transaction.get(Table::Meta, &key)? {
                let seal = open_seal(&change.unlocked, &log.id, &bytes)?;
                let sealed = AuditPosition {
                    log: log.id,
                    line: seal.line,
                    offset: seal.offset,
                    hash: seal.hash,
                };
                if !kept.holds(&sealed)? {
                    return Err(damaged(Finding::CutOff));
                }
                before = seal.line;
            }
            let last = kept.last_change(Some(header.store))?;
            if last.is_some_and(|last| !last.fits(before)) {
                return Err(damaged(Finding::StoreIsOlder));
            }
        }
        event.sealed = Some(before);
        for (operation, scope) in &change.parts {
            // Not durable by themselves: the line that follows them all is.
            audit
                .record(&Subject::scope(*operation, scope).event(AuditOutcome::Ok, &self.actor))?;
        }
        event.time = Timestamp::now();
        let position = audit.record(&event)?;
        let (Some(log), Some(position)) = (log, position) else {
            return Ok(());
        };
        let seal = AuditSeal {
            generation: header.generation,
            file: audit::file_name(&log.path),
            line: position.line,
            offset: position.offset,
            hash: position.hash,
            proof: Vec::new(),
        };
        change.put_audit_seal(&position.log, seal)
    }

    /// Checks the audit log in the file at `path`: that no line was changed or removed, and that
    /// every line up to the last change to this store is there.
    ///
    /// # Errors
    /// [`Error::Tampered`] says which line does not fit; else if the store or the log cannot be
    /// read.
    pub fn verify_audit(&self, path: &Path) -> Result<AuditReport, Error> {
        let sealed = self.snapshot(|snapshot| {
            let unlocked = self.unlock(snapshot, Ask::Allowed)?;
            Ok((unlocked.header.store, audit_seals(snapshot, &unlocked)?))
        })?;
        match sealed {
            Some((store, seals)) => audit::verify(path, Some(store), &seals),
            None => audit::verify(path, None, &[]),
        }
    }
}

/// The seals of all audit logs, verified, each with the id of its log.
pub(super) fn audit_seals(
    snapshot: &dyn Snapshot,
    unlocked: &Unlocked,
) -> Result<Vec<([u8; 32], AuditSeal)>, Error> {
    let mut seals = Vec::new();
    snapshot.scan(Table::Meta, AUDIT_SEAL_PREFIX, &mut |key, bytes| {
        let log = key.get(AUDIT_SEAL_PREFIX.len()..).unwrap_or_default();
        let log = log
            .try_into()
            .map_err(|_| Error::tampered(RecordName::AuditSeal, Finding::Malformed));
        seals.push(log.and_then(|log| Ok((log, open_seal(unlocked, &log, bytes)?))));
    })?;
    seals.into_iter().collect()
}

impl Change<'_> {
    /// Puts a seal, proved over what it says.
    pub(super) fn put_audit_seal(
        &mut self,
        log: &[u8; 32],
        mut seal: AuditSeal,
    ) -> Result<(), Error> {
        let context = seal.context(self.header(), log);
        seal.proof = self.unlocked.root.prove(&context)?;
        let bytes = record::encode(&seal)?;
        let key = record::audit_seal_key(log);
        self.transaction.put(Table::Meta, &key, &bytes)?;
        Ok(())
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
