//! Where an operation gets its reader or its writer from, and is recorded.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::keyring::Keyring;
use super::names::Names;
use super::not_found;
use super::options::StoreOptions;
use super::patience::Patience;
use super::read_ahead::{ReadAhead, Wanted};
use super::reader::Reader;
use super::recorder::{OverLoss, Recorder, Subject};
use super::room::{Bounded, Room};
use super::slots::{SlotInfo, SlotKind};
use super::standing::{Checked, Trust};
use super::unlocked::{Unlocked, read_header};
use super::writer::{Part, Writer};
use crate::audit::CallRecord;
use crate::backend::{
    Backend, BackendError, BackendErrorKind, Commit, CommitId, Copied, Snapshot, Transaction,
};
use crate::error::Finding;
use crate::keys::{Ask, KeyErrorKind};
use crate::record::Claim;
use crate::{Error, ErrorKind, ScopeId};

/// The records, the keys and the audit log of one store. A clone shares them.
#[derive(Clone)]
pub(super) struct Vault {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) keyring: Arc<Keyring>,
    pub(super) recorder: Recorder,
    has_created: Arc<AtomicBool>,
    /// Whether what was read last came from a copy.
    copied: Arc<Mutex<Option<Copied>>>,
    /// How long to go on where others are in the way.
    pub(super) patience: Duration,
}

/// What a change does if there is no store.
#[derive(Debug, Clone, Copy)]
pub(super) enum IfMissing<'a> {
    /// Creates one.
    Create(OverLoss),
    /// Fails: this scope does not exist.
    ScopeNotFound(&'a ScopeId),
    /// Fails: there is no store.
    NoStore,
}

impl IfMissing<'_> {
    /// Creates a store, but not over the loss of another one.
    pub(super) const CREATE: Self = Self::Create(OverLoss::Refuse);

    fn over_loss(self) -> OverLoss {
        match self {
            Self::Create(over_loss) => over_loss,
            Self::ScopeNotFound(_) | Self::NoStore => OverLoss::Refuse,
        }
    }

    /// Decides whether a store may be created.
    fn check(self, recorder: &Recorder) -> Result<(), Error> {
        if !matches!(self, Self::Create(OverLoss::Allow)) {
            recorder.require_none_is_lost()?;
        }
        match self {
            Self::Create(_) => Ok(()),
            Self::ScopeNotFound(scope) => Err(not_found::scope(scope)),
            Self::NoStore => Err(Error::NoStore),
        }
    }
}

impl Vault {
    /// Records nothing yet.
    pub(super) fn new(backend: Arc<dyn Backend>, keyring: Arc<Keyring>) -> Self {
        Self {
            backend,
            keyring,
            recorder: Recorder::default(),
            patience: StoreOptions::default().patience(),
            has_created: Arc::default(),
            copied: Arc::default(),
        }
    }

    /// Whether what was read last came from a copy.
    pub(super) fn copied(&self) -> Option<Copied> {
        self.last_copied().clone()
    }

    fn last_copied(&self) -> MutexGuard<'_, Option<Copied>> {
        self.copied.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there was no store, and a change made one.
    pub(super) fn has_created(&self) -> bool {
        self.has_created.load(Ordering::Relaxed)
    }

    /// Whether there is a store.
    pub(super) fn exists(&self) -> Result<bool, Error> {
        Ok(self.backend.read()?.is_some())
    }

    /// Whether there is a store. Fails if there was one.
    pub(super) fn exists_and_is_not_lost(&self) -> Result<bool, Error> {
        Ok(self.unless_lost(self.backend.read()?.map(drop))?.is_some())
    }

    /// Opens values in one state of the store, and records how it ended before the caller gets
    /// them. `None` if there is no store; nothing is recorded then.
    pub(super) fn read<T>(
        &self,
        subject: Subject<'_>,
        work: impl Fn(&Reader<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.record(subject, self.peek_checked(subject.wanted(), work))
    }

    /// As [`read`](Self::read), without a record. For work that gives out no value.
    pub(super) fn peek<T>(
        &self,
        work: impl Fn(&Reader<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let read = self.peek_checked(Wanted::default(), work)?;
        Ok(read.map(|(value, _)| value))
    }

    fn peek_checked<T>(
        &self,
        wanted: Wanted<'_>,
        work: impl Fn(&Reader<'_>) -> Result<T, Error>,
    ) -> Result<Option<(T, Checked)>, Error> {
        self.snapshot_of(wanted, |snapshot| {
            let unlocked = self.unlock(snapshot)?;
            let checked = self
                .recorder
                .check(Trust::Verified(Arc::clone(&unlocked)))?;
            Ok((work(&Reader::new(snapshot, unlocked))?, checked))
        })
    }

    /// As [`peek`](Self::peek), without a comparison with the log. `None` also if the store is gone: for work that says
    /// so, or brings it back.
    pub(super) fn peek_even_if_lost<T>(
        &self,
        work: impl Fn(&Reader<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.snapshot_if_any(Wanted::default(), |snapshot| {
            work(&Reader::new(snapshot, self.unlock(snapshot)?))
        })
    }

    /// Compares one state of the store with something else; again with the next state if another process has changed
    /// the store since, and this one is behind.
    pub(super) fn peek_even_if_behind<T>(
        &self,
        work: impl Fn(&Arc<Unlocked>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.snapshot_if_any(Wanted::default(), |snapshot| work(&self.unlock(snapshot)?))
    }

    /// Reads names in one state of the store, and records how it ended. `None` if there is no
    /// store; nothing is recorded then.
    pub(super) fn read_names<T>(
        &self,
        subject: Subject<'_>,
        work: impl Fn(&Names<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.record(subject, self.peek_names_checked(subject.wanted(), work))
    }

    /// As [`read_names`](Self::read_names), without a record.
    pub(super) fn peek_names<T>(
        &self,
        work: impl Fn(&Names<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let read = self.peek_names_checked(Wanted::default(), work)?;
        Ok(read.map(|(value, _)| value))
    }

    fn peek_names_checked<T>(
        &self,
        wanted: Wanted<'_>,
        work: impl Fn(&Names<'_>) -> Result<T, Error>,
    ) -> Result<Option<(T, Checked)>, Error> {
        self.snapshot_of(wanted, |snapshot| {
            let names = Names::new(snapshot, &self.keyring)?;
            let checked = self.recorder.check(names.trust().clone());
            let checked = checked.map_err(|error| self.unless_a_stranger(snapshot, error))?;
            Ok((work(&names)?, checked))
        })
    }

    /// Who has no key that opens the store has no line of it in a log either: what is missing is a key.
    fn unless_a_stranger(&self, snapshot: &dyn Snapshot, error: Error) -> Error {
        let is_stranger = |locked: &Error| match locked {
            Error::Locked { reason, slots } => {
                let has_passphrase = |it: &SlotInfo| it.kind == SlotKind::Passphrase;
                reason.kind() == KeyErrorKind::Absent && !slots.iter().any(has_passphrase)
            }
            _ => false,
        };
        match &error {
            Error::Tampered {
                finding: Finding::NoLog | Finding::CutOff,
                ..
            } => {
                let locked = self.keyring.unlock(snapshot, Ask::Never).err();
                locked.filter(is_stranger).unwrap_or(error)
            }
            _ => error,
        }
    }

    /// Records calls through a gateway.
    pub(super) fn record_calls(&self, calls: &[CallRecord]) -> Result<(), Error> {
        let check = || {
            let checked = self.peek_names_checked(Wanted::default(), |_| Ok(()))?;
            Ok(checked.map(|((), checked)| checked))
        };
        self.recorder.record_calls(calls, check)
    }

    /// Works on one state of the store; `None` if there is no store. Fails if there was one.
    pub(super) fn snapshot<T>(
        &self,
        work: impl Fn(&dyn Snapshot) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.snapshot_of(Wanted::default(), work)
    }

    /// As [`snapshot`](Self::snapshot), and reads at once what is asked for.
    fn snapshot_of<T>(
        &self,
        wanted: Wanted<'_>,
        work: impl Fn(&dyn Snapshot) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let read = self.snapshot_if_any(wanted, |snapshot| {
            let value = work(snapshot)?;
            Ok((value, snapshot.copied()))
        })?;
        let read = read.map(|(value, copied)| {
            *self.last_copied() = copied;
            value
        });
        self.unless_lost(read)
    }

    fn unless_lost<T>(&self, read: Option<T>) -> Result<Option<T>, Error> {
        if read.is_none() {
            self.recorder.require_none_is_lost()?;
        }
        Ok(read)
    }

    /// As [`snapshot`](Self::snapshot). `None` also if the store is gone.
    ///
    /// The work is done again on the next state if another process has changed the store since, and
    /// * no key opens this state: a re-key replaces the key file before the store; or
    /// * the audit log is ahead of it.
    ///
    /// A copy that is behind is not a store that was put back: the error is that the store cannot be read.
    ///
    /// It is also done again if the backend is busy, such as one that has discarded this state meanwhile.
    fn snapshot_if_any<T>(
        &self,
        wanted: Wanted<'_>,
        work: impl Fn(&dyn Snapshot) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let mut patience = Patience::new(self.patience);
        let mut read = || loop {
            let last = self.keyring.last_unlocked();
            let Some(snapshot) = self.backend.read()? else {
                return Ok::<_, Error>(None);
            };
            match ReadAhead::of(snapshot, wanted, last.as_deref()) {
                Err(error) if is_busy(&error) && patience.pause()? => {}
                ahead => return Ok(Some(ahead?)),
            }
        };
        let Some(mut snapshot) = read()? else {
            return Ok(None);
        };
        let mut patience = Patience::new(self.patience);
        loop {
            let error = match work(&snapshot) {
                Err(Error::Backend(error)) if is_busy(&error) && patience.pause()? => {
                    drop(snapshot);
                    let Some(now) = read()? else {
                        return Ok(None);
                    };
                    snapshot = now;
                    continue;
                }
                Err(error) if may_pass(&error) => error,
                result => return result.map(Some),
            };
            if let Some(copied) = snapshot.copied()
                && is_ahead(&error)
            {
                let more = ", and the copy of it here is older than what this machine has seen";
                return Err(BackendError::because(copied.why, more).into());
            }
            let (seen, _) = read_header(&snapshot)?;
            drop(snapshot);
            snapshot = match read()? {
                Some(now) if read_header(&now)?.0 != seen => now,
                _ => return Err(error),
            };
        }
    }

    /// Unlocks the header, asking for a passphrase if need be.
    pub(super) fn unlock(&self, snapshot: &dyn Snapshot) -> Result<Arc<Unlocked>, Error> {
        self.keyring.unlock(snapshot, Ask::Allowed)
    }

    /// Changes the store in one commit, or not at all, and records how it ended. `work` runs again
    /// if another writer was faster; the last run counts.
    pub(super) fn write<T>(
        &self,
        subject: Subject<'_>,
        if_missing: IfMissing<'_>,
        work: impl Fn(&mut Writer<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.check_if_missing(if_missing)?;
        let result = self.write_until_applied(subject, if_missing, work);
        result.inspect_err(|error| self.record_failure(subject, error))
    }

    /// As [`write`](Self::write), without a record if it fails: for a change that may be made in smaller parts then.
    pub(super) fn try_write<T>(
        &self,
        subject: Subject<'_>,
        if_missing: IfMissing<'_>,
        work: impl Fn(&mut Writer<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.check_if_missing(if_missing)?;
        self.write_until_applied(subject, if_missing, work)
    }

    /// Fails before a key is asked for if there is certainly no store, and none may be created.
    fn check_if_missing(&self, if_missing: IfMissing<'_>) -> Result<(), Error> {
        let may_create = matches!(if_missing, IfMissing::Create(_));
        let is_known = self.keyring.last_unlocked().is_some();
        if !may_create && !is_known && matches!(self.backend.read(), Ok(None)) {
            if_missing.check(&self.recorder)?;
        }
        Ok(())
    }

    fn write_until_applied<T>(
        &self,
        subject: Subject<'_>,
        if_missing: IfMissing<'_>,
        work: impl Fn(&mut Writer<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (mut recorded, mut patience) = (None, Patience::new(self.patience));
        loop {
            let last = self.keyring.last_unlocked();
            if last.is_none() {
                // Unlocking may wait for a passphrase: do it before other writers have to wait.
                self.snapshot_if_any(Wanted::default(), |snapshot| self.unlock(snapshot))?;
            }
            let room = Room::new(self.backend.limits());
            let transaction = Bounded::new(self.backend.write()?, room.clone());
            let transaction = ReadAhead::of(transaction, subject.wanted(), last.as_deref())?;
            let is_first = transaction.is_first();
            let transaction = Box::new(transaction);
            let (mut writer, over_loss) = match is_first {
                true => (Writer::create(transaction)?, OverLoss::Allow),
                false => {
                    let unlocked = self.unlock(&*transaction)?;
                    unlocked.require_here()?;
                    (Writer::new(transaction, unlocked), if_missing.over_loss())
                }
            };
            // Before the work, which may find that there is nothing to do.
            let trust = Trust::Verified(Arc::clone(writer.unlocked()));
            let before = self.recorder.check_unless(over_loss, trust)?;
            let owners = writer.header().owners;
            writer = writer.within(room);
            let value = work(&mut writer)?;
            if is_first {
                self.let_first_owner_in(if_missing, &mut writer)?;
            }
            self.renew_claim(&mut writer)?;
            // Before it is recorded.
            writer.require_room_for_header()?;
            self.record_once(subject, &before, &mut writer, &mut recorded)?;
            let (commit, unlocked) = writer.commit()?;
            if self.is_applied(commit)? {
                if is_first {
                    self.has_created.store(true, Ordering::Relaxed);
                }
                if unlocked.header.owners != owners {
                    self.recorder.record_committed(Arc::clone(&unlocked));
                }
                // The key of a new store need not be asked for again, nor what was written verified.
                self.keyring.remember(unlocked);
                return Ok(value);
            }
            if !patience.pause()? {
                return Err(overtaken("other writers keep changing the store"));
            }
        }
    }

    /// Records a change that is about to be committed. One that is made again because somebody else was faster is in
    /// the log already.
    fn record_once(
        &self,
        subject: Subject<'_>,
        before: &Checked,
        writer: &mut Writer<'_>,
        recorded: &mut Option<Vec<Part>>,
    ) -> Result<(), Error> {
        if recorded.as_deref() == Some(writer.parts()) {
            return self.recorder.record_retry(before, writer);
        }
        *recorded = Some(writer.parts().to_vec());
        self.recorder.record_change(subject, before, writer)
    }

    /// Whether a commit was applied. `false` if somebody else was faster, so that the change is to be made again.
    ///
    /// # Errors
    /// [`Error::OutcomeUnknown`] if the backend does not find out in time. Nothing was changed with any other error.
    pub(super) fn is_applied(&self, commit: Commit) -> Result<bool, Error> {
        match commit {
            Commit::Applied => Ok(true),
            Commit::Conflict => Ok(false),
            Commit::Unknown(id, error) => match (self.settle(&id)?, may_answer(&error)) {
                (Some(true), _) => Ok(true),
                (Some(false), true) => Ok(false),
                (Some(false), false) => Err(error.into()),
                (None, _) => Err(Error::OutcomeUnknown { source: error }),
            },
        }
    }

    /// Asks the backend whether a commit was applied, again and again while it does not answer. `None` if it does not
    /// find out.
    fn settle(&self, commit: &CommitId) -> Result<Option<bool>, Error> {
        let mut patience = Patience::new(self.patience);
        loop {
            match self.backend.settle(commit) {
                Ok(applied) => return Ok(Some(applied)),
                Err(error) if may_answer(&error) && patience.pause()? => {}
                Err(_) => return Ok(None),
            }
        }
    }

    /// Requires that the commit of a replacement, or of one step of it, was applied.
    pub(super) fn require_applied(&self, commit: Commit) -> Result<(), Error> {
        match self.is_applied(commit)? {
            true => Ok(()),
            false => Err(overtaken("another writer changed the store first")),
        }
    }

    /// Claims the store again for the owner who changes it, if another owner was removed since: that one knows the claim
    /// key of before.
    fn renew_claim(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let unlocked = Arc::clone(writer.unlocked());
        let (Some(opener), Some(own)) = (&unlocked.opener, unlocked.owner()) else {
            return Ok(());
        };
        let is_old = |claim: &Claim| claim.since < unlocked.header.left;
        if own.claim.as_ref().is_some_and(is_old) {
            let claim = unlocked.root().claim(&opener.identity, &own.recipient)?;
            writer.put_claim(&opener.recipient, claim.as_ref())?;
        }
        Ok(())
    }

    /// Adds the first slot to a new store. Only now, when nothing else can be wrong with the
    /// request, a key is created.
    fn let_first_owner_in(
        &self,
        if_missing: IfMissing<'_>,
        writer: &mut Writer<'_>,
    ) -> Result<(), Error> {
        if_missing.check(&self.recorder)?;
        let (slot, opener) = self.keyring.first_slot(writer.unlocked().root())?;
        writer.push_first_slot(slot, opener)
    }

    /// Does work that replaces the whole state of a store that exists, and records it if it fails.
    pub(super) fn replace<T>(
        &self,
        subject: Subject<'_>,
        over_loss: OverLoss,
        work: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let exists = match over_loss {
            OverLoss::Allow => self.exists_and_is_not_lost()?,
            // Before anything is opened to be written.
            OverLoss::Refuse => self.peek_names(|_| Ok(()))?.is_some(),
        };
        if !exists {
            return Err(Error::NoStore);
        }
        work().inspect_err(|error| self.record_failure(subject, error))
    }

    /// Records an operation that failed, with the state of the store, unless that is what failed: a line that follows a
    /// change tells whether the change was committed.
    pub(super) fn record_failure(&self, subject: Subject<'_>, error: &Error) {
        let seen = match error.kind() {
            ErrorKind::Tampered | ErrorKind::Key => None,
            _ => self.seen_now(),
        };
        self.recorder.record_failure(subject, error, seen.as_ref());
    }

    /// The state of the store, if it can be read and agrees with the log.
    fn seen_now(&self) -> Option<Checked> {
        let snapshot = self.backend.read().ok()??;
        let names = Names::new(&*snapshot, &self.keyring).ok()?;
        self.recorder.check(names.trust().clone()).ok()
    }

    fn record<T>(
        &self,
        subject: Subject<'_>,
        result: Result<Option<(T, Checked)>, Error>,
    ) -> Result<Option<T>, Error> {
        match result {
            Ok(None) => Ok(None),
            Ok(Some((value, checked))) => {
                self.recorder.record(subject, Some(&checked))?;
                Ok(Some(value))
            }
            Err(error) => {
                self.record_failure(subject, &error);
                Err(error)
            }
        }
    }
}

/// Whether the next state of the store may be without this error.
fn may_pass(error: &Error) -> bool {
    is_ahead(error) || matches!(error, Error::Locked { .. } | Error::NotAccepted { .. })
}

/// Whether this machine knows of a later state.
fn is_ahead(error: &Error) -> bool {
    match error {
        Error::Tampered { finding, .. } => matches!(
            finding,
            Finding::StoreIsOlder { .. } | Finding::ClaimIsOlder | Finding::BehindCheckpoint { .. }
        ),
        _ => false,
    }
}

pub(super) fn overtaken(message: &str) -> Error {
    BackendError::new(BackendErrorKind::Busy, message).into()
}

fn is_busy(error: &BackendError) -> bool {
    error.kind() == BackendErrorKind::Busy
}

/// Whether a later attempt may end without this error.
fn may_answer(error: &BackendError) -> bool {
    matches!(
        error.kind(),
        BackendErrorKind::Busy | BackendErrorKind::Unreachable
    )
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::audit::{AuditOperation, FileAudit};
    use crate::store::fixture::{audited, change, filled, id, name, put, scope, vault};

    #[test]
    fn a_missing_store_is_created_only_if_the_change_says_so() {
        let vault = vault();
        let subject = Subject::store(AuditOperation::Put);
        let id = id("s");
        let never = |_: &mut Writer<'_>| -> Result<(), Error> { panic!("there is no store") };
        let missing = vault.write(subject, IfMissing::NoStore, never);
        assert!(matches!(missing, Err(Error::NoStore)));
        let missing = vault.write(subject, IfMissing::ScopeNotFound(&id), never);
        assert!(matches!(missing, Err(Error::ScopeNotFound { .. })));
        assert!(!vault.exists().unwrap());
        assert!(vault.peek(|_| Ok(())).unwrap().is_none());
        assert!(vault.peek_names(|_| Ok(())).unwrap().is_none());
        assert!(!vault.has_created());
        change(&vault, |_| Ok(())).unwrap();
        assert!(vault.exists().unwrap() && vault.has_created());
    }

    #[test]
    fn a_store_is_not_created_over_the_loss_of_another_unless_that_is_allowed() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("audit.log");
        let subject = Subject::store(AuditOperation::Init);
        let create = |if_missing| {
            let vault = audited(FileAudit::new(&log));
            vault.write(subject, if_missing, |_| Ok(()))?;
            // The log cannot tell a first change from one that was not committed.
            change(&vault, |_| Ok(()))
        };
        create(IfMissing::CREATE).unwrap();
        let lost = create(IfMissing::CREATE);
        assert!(matches!(lost, Err(Error::Tampered { .. })));
        create(IfMissing::Create(OverLoss::Allow)).unwrap();
    }

    #[test]
    fn a_failed_change_leaves_nothing() {
        let vault = filled();
        let failed: Result<(), _> = change(&vault, |writer| {
            put(writer, "M", b"m")?;
            Err(Error::NoStore)
        });
        assert!(matches!(failed, Err(Error::NoStore)));
        let names = vault.peek_names(|names| names.secret_names(&id("s")));
        assert_eq!(names.unwrap().unwrap(), [name("K"), name("L")]);
    }

    #[test]
    fn a_read_that_finds_the_store_locked_is_tried_again_only_after_a_rekey() {
        let vault = filled();
        let runs = Cell::new(0);
        let locked = |_: &dyn Snapshot| -> Result<(), Error> {
            runs.set(runs.get() + 1);
            Err(Error::Locked {
                reason: crate::keys::KeyError::NoIdentity,
                slots: Vec::new(),
            })
        };
        assert!(vault.snapshot(locked).is_err());
        assert_eq!(runs.get(), 1);
    }

    #[test]
    fn a_first_change_may_have_any_scope() {
        let vault = vault();
        change(&vault, |writer| writer.create_scope(&scope("s"))).unwrap();
        let has = vault.peek_names(|names| names.has_scope(&id("s")));
        assert_eq!(has.unwrap(), Some(true));
    }
}
