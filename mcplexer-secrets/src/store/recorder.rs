//! The audit log: a line for each operation, and the seals by which the store vouches for the log.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::read_ahead::Wanted;
use super::standing::{Checked, Trust};
use super::unlocked::Unlocked;
use super::writer::Writer;
use crate::audit::{
    self, Actor, Audit, AuditEvent, AuditOperation, AuditOutcome, AuditPosition, AuditState,
    CallRecord, KeptLog,
};
use crate::credentials::{Purpose, Select};
use crate::error::{Finding, RecordName};
use crate::record::AuditSeal;
use crate::{Error, ScopeId, SecretName};

/// After so many lines about calls, one has the state of the store.
const MAX_UNMARKED: usize = 256;

/// What an operation is about: that is what its lines say, and whose records are read at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    operation: AuditOperation,
    scope: Option<&'a ScopeId>,
    /// The secrets that it names. A line names one only.
    names: &'a [SecretName],
    used_for: Option<&'a str>,
}

impl<'a> Subject<'a> {
    /// An operation on the store as a whole.
    pub(super) fn store(operation: AuditOperation) -> Self {
        Self {
            operation,
            scope: None,
            names: &[],
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
        Self::secrets(operation, scope, std::slice::from_ref(name))
    }

    /// An operation on several secrets of a scope.
    pub(super) fn secrets(
        operation: AuditOperation,
        scope: &'a ScopeId,
        names: &'a [SecretName],
    ) -> Self {
        Self {
            names,
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
        let names = match select {
            Select::Only(names) | Select::AnyOf(names) => names,
            Select::All => &[],
        };
        Self {
            used_for,
            ..Self::secrets(operation, scope, names)
        }
    }

    /// What to read at once.
    pub(super) fn wanted(&self) -> Wanted<'a> {
        Wanted {
            scope: self.scope,
            names: self.names,
        }
    }

    fn event(&self, outcome: AuditOutcome, actor: &'a Actor) -> AuditEvent<'a> {
        let mut event = AuditEvent::new(self.operation, outcome, actor);
        event.scope = self.scope;
        event.name = match self.names {
            [name] => Some(name),
            _ => None,
        };
        event.used_for = self.used_for;
        event
    }
}

/// Whether a change may be made although the audit log contradicts the store, or knows of one that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OverLoss {
    /// It may: a backup brings the store back, or its owner accepts it as it is.
    Allow,
    /// It must not: the change would hide the loss.
    Refuse,
}

/// Writes the audit log, if there is one.
#[derive(Clone, Default)]
pub(super) struct Recorder {
    audit: Option<Arc<Audit>>,
    actor: Arc<Actor>,
    calls: Arc<Mutex<CallLog>>,
}

/// Where calls are recorded.
#[derive(Debug, Clone, Copy, Default)]
struct CallLog {
    /// The log that was compared with the store. `None` before the first call.
    id: Option<[u8; 32]>,
    /// How many lines were added since without the state of a store.
    unmarked: usize,
}

impl Recorder {
    /// The same recorder, writing there.
    pub(super) fn to(self, audit: Audit) -> Self {
        Self {
            audit: Some(Arc::new(audit)),
            calls: Arc::default(),
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

    /// Records an operation that succeeds once this returns. `seen` is the state that it read.
    pub(super) fn record(&self, subject: Subject<'_>, seen: Option<&Checked>) -> Result<(), Error> {
        if let Some(audit) = &self.audit {
            let mut event = subject.event(AuditOutcome::Ok, &self.actor);
            event.state = seen.and_then(Checked::state);
            audit.record(&event)?;
        }
        Ok(())
    }

    /// Records an operation that failed. The caller reports that error, even if the log cannot be
    /// written.
    pub(super) fn record_failure(
        &self,
        subject: Subject<'_>,
        error: &Error,
        seen: Option<&Checked>,
    ) {
        if let Some(audit) = &self.audit
            && !is_missing_log(error)
        {
            let mut event = subject.event(error.kind().into(), &self.actor);
            event.state = seen.and_then(Checked::state);
            let _unrecorded = audit.record(&event);
        }
    }

    /// Records calls if nothing has to be waited for. Returns whether it did.
    pub(super) fn record_calls_at_once(&self, calls: &[CallRecord]) -> Result<bool, Error> {
        if calls.is_empty() {
            return Ok(true);
        }
        let kept = match self.audit.as_deref() {
            None => return Ok(true),
            // Who reads standard error may let it wait.
            Some(Audit::Sink(_)) => return Ok(false),
            Some(Audit::Log(kept)) => kept,
        };
        let log = *self.call_log();
        let Some(id) = log.id.filter(|_| log.unmarked < MAX_UNMARKED) else {
            return Ok(false);
        };
        let events: Vec<_> = calls.iter().map(CallRecord::event).collect();
        let is_done = kept.append_all(&events, Some(id))?.is_some();
        if is_done {
            self.call_log().unmarked += events.len();
        }
        Ok(is_done)
    }

    /// Records calls. `check` compares the log with the store, before the first of them and then from time to time: a
    /// log that contradicts the store is not continued, and the last line with the state of the store stays near the end,
    /// where every operation looks for it.
    pub(super) fn record_calls(
        &self,
        calls: &[CallRecord],
        check: impl FnOnce() -> Result<Option<Checked>, Error>,
    ) -> Result<(), Error> {
        if self.record_calls_at_once(calls)? {
            return Ok(());
        }
        let Some(audit) = &self.audit else {
            return Ok(());
        };
        let mut events: Vec<_> = calls.iter().map(CallRecord::event).collect();
        let Some(kept) = audit.log() else {
            return Ok(events
                .iter()
                .try_for_each(|it| audit.record(it).map(drop))?);
        };
        let checked = check()?;
        if let Some(first) = events.first_mut() {
            first.state = checked.as_ref().and_then(Checked::state);
        }
        let last = kept.append_all(&events, None)?;
        *self.call_log() = CallLog {
            id: last.map(|it| it.log),
            unmarked: 0,
        };
        Ok(())
    }

    /// Makes durable what was recorded.
    pub(super) fn sync(&self) -> Result<(), Error> {
        Ok(self.kept().map_or(Ok(()), KeptLog::sync)?)
    }

    fn call_log(&self) -> MutexGuard<'_, CallLog> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where there is no store: fails if there was one, that is, if the log has recorded a store that is
    /// gone; also if the log cannot be read.
    pub(super) fn require_none_is_lost(&self) -> Result<(), Error> {
        let Some(kept) = self.kept() else {
            return Ok(());
        };
        match kept.view(None, &[])?.last {
            Some(_) => Err(damaged(kept, Finding::StoreIsGone)),
            None => Ok(()),
        }
    }

    /// Compares a state of the store with the log.
    ///
    /// # Errors
    /// [`Error::Tampered`] if the log lacks a line that the store has sealed, or has recorded a later
    /// state of the store, or another store.
    pub(super) fn check(&self, trust: Trust) -> Result<Checked, Error> {
        let Some(kept) = self.kept() else {
            return Ok(Checked::new(trust, None));
        };
        let seen = trust.seen();
        let view = kept.view(Some(seen.header.store), &seen.sealed())?;
        let compared = seen.compare(&kept.file(), &view);
        compared.map_err(|finding| trust.contradicted(finding, &kept.file()))?;
        Ok(Checked::new(trust, Some(view)))
    }

    /// As [`check`](Self::check), unless `over_loss` allows what the log contradicts.
    pub(super) fn check_unless(&self, over_loss: OverLoss, trust: Trust) -> Result<Checked, Error> {
        match over_loss {
            OverLoss::Allow => self.unchecked(trust),
            OverLoss::Refuse => self.check(trust),
        }
    }

    /// The log, if there is one that can be read back.
    pub(super) fn kept(&self) -> Option<&dyn KeptLog> {
        self.audit.as_deref().and_then(Audit::log)
    }

    /// Records a change that is about to be committed, durably, and adds a seal over the line to
    /// the change. `before` is the state that it changes.
    pub(super) fn record_change(
        &self,
        subject: Subject<'_>,
        before: &Checked,
        writer: &mut Writer<'_>,
    ) -> Result<(), Error> {
        let Some(audit) = &self.audit else {
            return Ok(());
        };
        for (operation, scope, name) in writer.parts() {
            // Not durable by themselves: the line that follows them is.
            let part = Subject::secrets(*operation, scope, name.as_slice());
            audit.record(&part.event(AuditOutcome::Ok, &self.actor))?;
        }
        self.record_pending(subject, before, writer)
    }

    /// Records that a change which lost to another writer is about to be committed to another state. What it does is
    /// in the log already.
    pub(super) fn record_retry(
        &self,
        before: &Checked,
        writer: &mut Writer<'_>,
    ) -> Result<(), Error> {
        self.record_pending(Subject::store(AuditOperation::Retry), before, writer)
    }

    fn record_pending(
        &self,
        subject: Subject<'_>,
        before: &Checked,
        writer: &mut Writer<'_>,
    ) -> Result<(), Error> {
        let Some(audit) = &self.audit else {
            return Ok(());
        };
        let mut event = subject.event(AuditOutcome::Ok, &self.actor);
        let header = writer.header();
        event.state = before.state().map(|before| AuditState {
            store: header.store,
            generation: header.generation,
            revision: header.revision.saturating_add(1),
            pending: true,
            ..before
        });
        let position = audit.record(&event)?;
        if let (Some(kept), Some(position)) = (audit.log(), position) {
            writer.put_seal(AuditSeal {
                log: position.log,
                file: audit::file_name(&kept.file()),
                owner: writer.unlocked().owner_label(),
                line: position.line,
                offset: position.offset,
                hash: position.hash,
            });
        }
        Ok(())
    }

    /// A state that the log may contradict.
    pub(super) fn unchecked(&self, trust: Trust) -> Result<Checked, Error> {
        let store = trust.seen().header.store;
        let view = self.kept().map(|kept| kept.view(Some(store), &[]));
        Ok(Checked::new(trust, view.transpose()?))
    }

    /// Records durably that a checkpoint was made; returns the position of the line, if there is a log that can be read
    /// back.
    pub(super) fn record_checkpoint(&self, seen: &Checked) -> Result<Option<AuditPosition>, Error> {
        let subject = Subject::store(AuditOperation::Checkpoint);
        let mut event = subject.event(AuditOutcome::Ok, &self.actor);
        event.state = seen.state();
        match &self.audit {
            Some(audit) => Ok(audit.record(&event)?),
            None => Ok(None),
        }
    }

    /// Records durably that a change of owners or keys was committed: a store that is put back to the state before
    /// it then differs from a commit that was interrupted. The change is done, so a failure here is not an error.
    pub(super) fn record_committed(&self, unlocked: Arc<Unlocked>) {
        if let Ok(checked) = self.unchecked(Trust::Verified(unlocked)) {
            let subject = Subject::store(AuditOperation::Committed);
            let _unrecorded = self.record(subject, Some(&checked));
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.audit.fmt(f)
    }
}

/// Whether a log is missing: the line about that would begin a new one in its place.
fn is_missing_log(error: &Error) -> bool {
    matches!(
        error,
        Error::Tampered {
            finding: Finding::NoLog,
            ..
        }
    )
}

fn damaged(log: &dyn KeptLog, finding: Finding) -> Error {
    Error::tampered(RecordName::AuditLog(log.file()), finding)
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
        recorder.record(subject, None).unwrap();
        recorder.require_none_is_lost().unwrap();
        recorder.record_failure(subject, &Error::NoStore, None);
        assert_eq!(Error::NoStore.kind(), ErrorKind::NotFound);
    }
}
