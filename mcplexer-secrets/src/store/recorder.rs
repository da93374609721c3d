//! The audit log: a line for each operation, and the seals by which the store vouches for the log.

use std::fmt;
use std::path::Path;

use super::unlocked::Unlocked;
use super::writer::Writer;
use crate::audit::{
    self, AuditEvent, AuditLog, AuditOperation, AuditOutcome, AuditPosition, AuditReport, AuditSink,
};
use crate::backend::{Snapshot, Table};
use crate::credentials::{Purpose, Select};
use crate::error::{Finding, RecordName};
use crate::record::{self, AUDIT_SEAL_PREFIX, AuditSeal};
use crate::{Error, ScopeId, SecretName, StoreId, Timestamp};

/// What the lines about an operation say. Nothing else depends on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    operation: AuditOperation,
    scope: Option<&'a ScopeId>,
    name: Option<&'a SecretName>,
}

impl<'a> Subject<'a> {
    /// An operation on the store as a whole.
    pub(super) fn store(operation: AuditOperation) -> Self {
        Self {
            operation,
            scope: None,
            name: None,
        }
    }

    /// An operation on a scope.
    pub(super) fn scope(operation: AuditOperation, scope: &'a ScopeId) -> Self {
        Self {
            operation,
            scope: Some(scope),
            name: None,
        }
    }

    /// An operation on one secret.
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

    /// Opening the selected secrets of a scope for a purpose.
    pub(super) fn opening(scope: &'a ScopeId, select: Select<'a>, purpose: Purpose<'_>) -> Self {
        let operation = match purpose {
            Purpose::Inject { .. } => AuditOperation::Inject,
            Purpose::Export => AuditOperation::Export,
            Purpose::Scan => AuditOperation::Scan,
        };
        match select {
            Select::Only([name]) | Select::AnyOf([name]) => Self::secret(operation, scope, name),
            _ => Self::scope(operation, scope),
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

/// Whether a store may be created although the audit log knows of one that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OverLoss {
    /// It may: a backup brings the store back.
    Allow,
    /// It must not: an empty store would hide the loss.
    Refuse,
}

/// Writes the audit log, if there is one.
pub(super) struct Recorder {
    sink: Option<Box<dyn AuditSink>>,
}

impl Recorder {
    pub(super) fn new(sink: Option<Box<dyn AuditSink>>) -> Self {
        Self { sink }
    }

    /// Records an operation that succeeds once this returns.
    pub(super) fn record(&self, subject: Subject<'_>) -> Result<(), Error> {
        self.append(subject, AuditOutcome::Ok)
    }

    /// Records an operation that failed. The caller reports that error, even if the log cannot be
    /// written.
    pub(super) fn record_failure(&self, subject: Subject<'_>, error: &Error) {
        let _unrecorded = self.append(subject, error.kind().into());
    }

    fn append(&self, subject: Subject<'_>, outcome: AuditOutcome) -> Result<(), Error> {
        match &self.sink {
            Some(sink) => sink.append(&subject.event(outcome)).map(drop),
            None => Ok(()),
        }
    }

    /// Fails if no store may be created: if the log cannot be read, or has changes of a store that
    /// is gone, unless `over_loss` allows that.
    pub(super) fn check_before_creation(&self, over_loss: OverLoss) -> Result<(), Error> {
        let Some(sink) = &self.sink else {
            return Ok(());
        };
        let Some(log) = sink.log()? else {
            return Ok(());
        };
        let is_lost = sink.last_change(None)?.is_some_and(|last| !last.fits(0));
        match over_loss {
            OverLoss::Refuse if is_lost => Err(damaged(&log, Finding::StoreIsGone)),
            OverLoss::Refuse | OverLoss::Allow => Ok(()),
        }
    }

    /// Records a change that is about to be committed, durably, and adds a seal over the line to
    /// the change.
    ///
    /// # Errors
    /// [`Error::Tampered`] if the log does not have the line that was sealed last, or has a later
    /// change. A new seal would vouch for a log that was cut off or rewritten, or hide that the
    /// store was put back to an older state.
    pub(super) fn record_change(
        &self,
        subject: Subject<'_>,
        writer: &mut Writer<'_>,
    ) -> Result<(), Error> {
        let Some(sink) = &self.sink else {
            return Ok(());
        };
        let log = sink.log()?;
        let before = match &log {
            Some(log) => check_log(&**sink, log, writer)?,
            None => 0,
        };
        for (operation, scope) in writer.parts() {
            // Not durable by themselves: the line that follows them is.
            sink.append(&Subject::scope(*operation, scope).event(AuditOutcome::Ok))?;
        }
        let mut event = subject.event(AuditOutcome::Ok);
        event.store = Some(writer.header().store);
        event.sealed = Some(before);
        let position = sink.append(&event)?;
        let Some(log) = log else {
            return Ok(());
        };
        let seal = AuditSeal {
            generation: writer.header().generation,
            file: audit::file_name(&log.path),
            line: position.line,
            offset: position.offset,
            hash: position.hash,
            proof: Vec::new(),
        };
        put_seal(writer, &position.log, seal)
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sink.fmt(f)
    }
}

/// Compares the log with its seal in the store; returns the number of the line that is sealed, 0 if
/// none is.
fn check_log(sink: &dyn AuditSink, log: &AuditLog, writer: &Writer<'_>) -> Result<u64, Error> {
    let unlocked = writer.unlocked();
    let key = record::audit_seal_key(&log.id);
    let mut before = 0;
    if let Some(bytes) = writer.snapshot().get(Table::Meta, &key)? {
        let seal = open_seal(unlocked, &log.id, &bytes)?;
        let sealed = AuditPosition {
            log: log.id,
            line: seal.line,
            offset: seal.offset,
            hash: seal.hash,
        };
        if !sink.holds(&sealed)? {
            return Err(damaged(log, Finding::CutOff));
        }
        before = seal.line;
    }
    let last = sink.last_change(Some(unlocked.header.store))?;
    match last.is_some_and(|last| !last.fits(before)) {
        true => Err(damaged(log, Finding::StoreIsOlder)),
        false => Ok(before),
    }
}

fn damaged(log: &AuditLog, finding: Finding) -> Error {
    Error::tampered(RecordName::AuditLog(log.path.clone()), finding)
}

/// The seals of all audit logs, verified, each with the id of its log.
pub(super) type Seals = Vec<([u8; 32], AuditSeal)>;

/// Reads and verifies the seals of all audit logs.
pub(super) fn seals(snapshot: &dyn Snapshot, unlocked: &Unlocked) -> Result<Seals, Error> {
    let mut seals = Vec::new();
    snapshot.scan(Table::Meta, AUDIT_SEAL_PREFIX, &mut |key, bytes| {
        let log = key.strip_prefix(AUDIT_SEAL_PREFIX);
        let log = log.and_then(|log| log.try_into().ok());
        let log = log.ok_or_else(|| Error::tampered(RecordName::AuditSeal, Finding::Malformed));
        seals.push(log.and_then(|log| Ok((log, open_seal(unlocked, &log, bytes)?))));
    })?;
    seals.into_iter().collect()
}

/// Puts a seal, with a proof over what it says.
pub(super) fn put_seal(
    writer: &mut Writer<'_>,
    log: &[u8; 32],
    mut seal: AuditSeal,
) -> Result<(), Error> {
    let context = seal.context(writer.header(), log);
    seal.proof = writer.unlocked().root.prove(&context)?;
    let bytes = record::encode(&seal)?;
    writer.put(Table::Meta, &record::audit_seal_key(log), &bytes)
}

/// Decodes a seal and checks that a holder of the root key wrote it.
fn open_seal(unlocked: &Unlocked, log: &[u8; 32], bytes: &[u8]) -> Result<AuditSeal, Error> {
    let seal: AuditSeal = record::decode(bytes, || RecordName::AuditSeal)?;
    let context = seal.context(&unlocked.header, log);
    if unlocked.root.verify(&seal.proof, &context) {
        Ok(seal)
    } else {
        Err(Error::tampered(RecordName::AuditSeal, Finding::DoesNotOpen))
    }
}

/// Verifies the log in a file against the seals of a store; without a store, only its chain.
pub(super) fn verify(path: &Path, store: Option<(StoreId, Seals)>) -> Result<AuditReport, Error> {
    match store {
        Some((store, seals)) => audit::verify(path, Some(store), &seals),
        None => audit::verify(path, None, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::store::fixture::{id, name};

    #[test]
    fn a_purpose_is_its_own_operation_and_one_secret_is_named() {
        let (scope, names) = (id("s"), [name("K"), name("L")]);
        let row = |select, purpose| {
            let event = Subject::opening(&scope, select, purpose).event(AuditOutcome::Ok);
            (event.operation, event.name.map(ToString::to_string))
        };
        let inject = Purpose::Inject {
            program: Some("server"),
        };
        let named = Some("K".to_owned());
        for (row, expected) in [
            (row(Select::All, inject), (AuditOperation::Inject, None)),
            (
                row(Select::Only(&names), inject),
                (AuditOperation::Inject, None),
            ),
            (
                row(Select::Only(&names[..1]), inject),
                (AuditOperation::Inject, named.clone()),
            ),
            (
                row(Select::AnyOf(&names[..1]), Purpose::Export),
                (AuditOperation::Export, named),
            ),
            (
                row(Select::All, Purpose::Scan),
                (AuditOperation::Scan, None),
            ),
        ] {
            assert_eq!(row, expected);
        }
    }

    #[test]
    fn without_a_sink_nothing_fails() {
        let recorder = Recorder::new(None);
        let subject = Subject::store(AuditOperation::List);
        recorder.record(subject).unwrap();
        recorder.check_before_creation(OverLoss::Refuse).unwrap();
        recorder.record_failure(subject, &Error::NoStore);
        assert_eq!(Error::NoStore.kind(), ErrorKind::NotFound);
    }
}
