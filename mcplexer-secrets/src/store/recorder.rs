//! The audit log: a line for each operation, and the seals by which the store vouches for the log.

use std::fmt;
use std::sync::Arc;

use super::writer::Writer;
use crate::audit::{
    self, Actor, Audit, AuditEvent, AuditLog, AuditOperation, AuditOutcome, AuditPosition, KeptLog,
};
use crate::credentials::{Purpose, Select};
use crate::error::{Finding, RecordName};
use crate::record::AuditSeal;
use crate::{Error, ScopeId, SecretName};

/// What the lines about an operation say. Nothing else depends on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    operation: AuditOperation,
    scope: Option<&'a ScopeId>,
    name: Option<&'a SecretName>,
    used_for: Option<&'a str>,
}

impl<'a> Subject<'a> {
    /// An operation on the store as a whole.
    pub(super) fn store(operation: AuditOperation) -> Self {
        Self {
            operation,
            scope: None,
            name: None,
            used_for: None,
        }
    }

    /// An operation on a scope.
    pub(super) fn scope(operation: AuditOperation, scope: &'a ScopeId) -> Self {
        Self {
            scope: Some(scope),
            ..Self::store(operation)
        }
    }

    /// An operation on one secret.
    pub(super) fn secret(
        operation: AuditOperation,
        scope: &'a ScopeId,
        name: &'a SecretName,
    ) -> Self {
        Self {
            name: Some(name),
            ..Self::scope(operation, scope)
        }
    }

    /// Opening the selected secrets of a scope for a purpose.
    pub(super) fn opening(scope: &'a ScopeId, select: Select<'a>, purpose: Purpose<'a>) -> Self {
        let (operation, used_for) = match purpose {
            Purpose::Inject { program } => (AuditOperation::Inject, program),
            Purpose::Export => (AuditOperation::Export, None),
            Purpose::Scan => (AuditOperation::Scan, None),
        };
        let subject = match select {
            Select::Only([name]) | Select::AnyOf([name]) => Self::secret(operation, scope, name),
            _ => Self::scope(operation, scope),
        };
        Self {
            used_for,
            ..subject
        }
    }

    fn event(&self, outcome: AuditOutcome, actor: &'a Actor) -> AuditEvent<'a> {
        let mut event = AuditEvent::new(self.operation, outcome, actor);
        event.scope = self.scope;
        event.name = self.name;
        event.used_for = self.used_for;
        event
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
#[derive(Clone, Default)]
pub(super) struct Recorder {
    audit: Option<Arc<Audit>>,
    actor: Arc<Actor>,
}

impl Recorder {
    /// The same recorder, writing there.
    pub(super) fn to(self, audit: Audit) -> Self {
        Self {
            audit: Some(Arc::new(audit)),
            ..self
        }
    }

    /// The same recorder, for what another actor does.
    pub(super) fn acting_as(self, actor: Actor) -> Self {
        Self {
            actor: Arc::new(actor),
            ..self
        }
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
        if let Some(audit) = &self.audit {
            audit.record(&subject.event(outcome, &self.actor))?;
        }
        Ok(())
    }

    /// Where there is no store: fails if there was one, that is, if the log has changes of a store that is
    /// gone; also if the log cannot be read.
    pub(super) fn require_none_is_lost(&self) -> Result<(), Error> {
        let Some(kept) = self.audit.as_deref().and_then(Audit::log) else {
            return Ok(());
        };
        match kept.last_change(None)?.is_some_and(|last| !last.fits(0)) {
            true => Err(damaged(&kept.log()?, Finding::StoreIsGone)),
            false => Ok(()),
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
        let Some(audit) = &self.audit else {
            return Ok(());
        };
        let kept = audit.log();
        let log = kept.map(KeptLog::log).transpose()?;
        let before = match (kept, &log) {
            (Some(kept), Some(log)) => check_log(kept, log, writer)?,
            _ => 0,
        };
        for (operation, scope) in writer.parts() {
            // Not durable by themselves: the line that follows them is.
            let part = Subject::scope(*operation, scope);
            audit.record(&part.event(AuditOutcome::Ok, &self.actor))?;
        }
        let mut event = subject.event(AuditOutcome::Ok, &self.actor);
        event.store = Some(writer.header().store);
        event.sealed = Some(before);
        let (Some(log), Some(position)) = (log, audit.record(&event)?) else {
            return Ok(());
        };
        writer.put_seal(AuditSeal {
            log: position.log,
            file: audit::file_name(&log.path),
            line: position.line,
            offset: position.offset,
            hash: position.hash,
        });
        Ok(())
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.audit.fmt(f)
    }
}

/// Compares the log with its seal in the store; returns the number of the line that is sealed, 0 if
/// none is.
fn check_log(kept: &dyn KeptLog, log: &AuditLog, writer: &Writer<'_>) -> Result<u64, Error> {
    let header = writer.header();
    let mut before = 0;
    if let Some(seal) = header.logs.iter().find(|it| it.log == log.id) {
        let sealed = AuditPosition {
            log: log.id,
            line: seal.line,
            offset: seal.offset,
            hash: seal.hash,
        };
        if !kept.holds(&sealed)? {
            return Err(damaged(log, Finding::CutOff));
        }
        before = seal.line;
    }
    let last = kept.last_change(Some(header.store))?;
    match last.is_some_and(|last| !last.fits(before)) {
        true => Err(damaged(log, Finding::StoreIsOlder)),
        false => Ok(before),
    }
}

fn damaged(log: &AuditLog, finding: Finding) -> Error {
    Error::tampered(RecordName::AuditLog(log.path.clone()), finding)
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
            let actor = Actor::default();
            let event = Subject::opening(&scope, select, purpose).event(AuditOutcome::Ok, &actor);
            let used_for = event.used_for.map(ToOwned::to_owned);
            (
                event.operation,
                event.name.map(ToString::to_string),
                used_for,
            )
        };
        let inject = Purpose::Inject {
            program: Some("server"),
        };
        let (named, server) = (Some("K".to_owned()), Some("server".to_owned()));
        for (row, expected) in [
            (
                row(Select::All, inject),
                (AuditOperation::Inject, None, server.clone()),
            ),
            (
                row(Select::Only(&names), inject),
                (AuditOperation::Inject, None, server.clone()),
            ),
            (
                row(Select::Only(&names[..1]), inject),
                (AuditOperation::Inject, named.clone(), server),
            ),
            (
                row(Select::AnyOf(&names[..1]), Purpose::Export),
                (AuditOperation::Export, named, None),
            ),
            (
                row(Select::All, Purpose::Scan),
                (AuditOperation::Scan, None, None),
            ),
        ] {
            assert_eq!(row, expected);
        }
    }

    #[test]
    fn without_a_sink_nothing_fails() {
        let recorder = Recorder::default();
        let subject = Subject::store(AuditOperation::List);
        recorder.record(subject).unwrap();
        recorder.require_none_is_lost().unwrap();
        recorder.record_failure(subject, &Error::NoStore);
        assert_eq!(Error::NoStore.kind(), ErrorKind::NotFound);
    }
}
