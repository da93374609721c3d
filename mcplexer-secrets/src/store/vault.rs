//! Where an operation gets its reader from, and is recorded.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

mod change;

pub(super) use self::change::{IfMissing, overtaken};
use super::keyring::Keyring;
use super::names::Names;
use super::options::StoreOptions;
use super::patience::Patience;
use super::read_ahead::{ReadAhead, Wanted};
use super::reader::Reader;
use super::recorder::{Recorder, Subject};
use super::slots::{SlotInfo, SlotKind};
use super::standing::{Checked, Trust};
use super::unlocked::{Unlocked, read_header};
use crate::audit::CallRecord;
use crate::backend::{Backend, BackendError, BackendErrorKind, Copied, Snapshot};
use crate::error::Finding;
use crate::keys::{Ask, KeyErrorKind};
use crate::{Error, ErrorKind};

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
        match self.peek_names_checked(subject.wanted(), work) {
            // Names need no key: a log is missing, and a line about that would begin a new one in its place.
            Err(error @ Error::Locked { .. }) => Err(error),
            read => self.record(subject, read),
        }
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

fn is_busy(error: &BackendError) -> bool {
    error.kind() == BackendErrorKind::Busy
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::store::fixture::filled;

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
}
