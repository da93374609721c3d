//! How an operation changes the store: in one commit, which is settled if its answer is lost.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Vault;
use crate::backend::{BackendError, BackendErrorKind, Commit, CommitId, Transaction};
use crate::record::Claim;
use crate::store::not_found;
use crate::store::patience::Patience;
use crate::store::read_ahead::{ReadAhead, Wanted};
use crate::store::recorder::{OverLoss, Recorder, Subject};
use crate::store::room::{Bounded, Room};
use crate::store::standing::{Checked, Trust};
use crate::store::writer::{Part, Writer};
use crate::{Error, ScopeId};

/// What a change does if there is no store.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) enum IfMissing<'a> {
    /// Creates one.
    Create(OverLoss),
    /// Fails: this scope does not exist.
    ScopeNotFound(&'a ScopeId),
    /// Fails: there is no store.
    NoStore,
}

impl IfMissing<'_> {
    /// Creates a store, but not over the loss of another one.
    pub(in crate::store) const CREATE: Self = Self::Create(OverLoss::Refuse);

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
    /// Changes the store in one commit, or not at all, and records how it ended. `work` runs again
    /// if another writer was faster; the last run counts.
    pub(in crate::store) fn write<T>(
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
    pub(in crate::store) fn try_write<T>(
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
    pub(in crate::store) fn is_applied(&self, commit: Commit) -> Result<bool, Error> {
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
    pub(in crate::store) fn require_applied(&self, commit: Commit) -> Result<(), Error> {
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
    pub(in crate::store) fn replace<T>(
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
}

pub(in crate::store) fn overtaken(message: &str) -> Error {
    BackendError::new(BackendErrorKind::Busy, message).into()
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
    fn a_first_change_may_have_any_scope() {
        let vault = vault();
        change(&vault, |writer| writer.create_scope(&scope("s"))).unwrap();
        let has = vault.peek_names(|names| names.has_scope(&id("s")));
        assert_eq!(has.unwrap(), Some(true));
    }
}
