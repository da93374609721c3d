//! Moving the store to another place, sealed as it is. The old one stays there, and takes no more changes.
//!
//! In this order, so that a kill at any point leaves one store that takes changes, or none until the move is run again:
//!
//! 1. The records are copied, all but the header. The new place has a [`Moving`](crate::record::Moving) in its place, so
//!    that nobody takes it for a store, or makes one there.
//! 2. Nobody else may change the old place from here on. What has changed meanwhile is copied, and everything is read back
//!    and compared.
//! 3. The new place learns the revision of the next header. The old place gets that header, which says where the store is
//!    and vouches for the line of the audit log.
//! 4. The records are compared once more, and the new place gets the same header, without those words, if it still expects
//!    that revision: who gives the move up takes it away there first.

use std::sync::Arc;

use self::copy::{Copy, Pass};
use super::check::{self, CheckReport};
use super::contents::Progress;
use super::names::Names;
use super::recorder::{OverLoss, Subject};
use super::standing::Trust;
use super::unlocked::Unlocked;
use super::vault::{IfMissing, Vault};
use super::writer::Writer;
use crate::Error;
use crate::audit::AuditOperation;
use crate::backend::{Backend, Table};
use crate::error::PlaceHas;
use crate::record::{MOVING_KEY, MoveId, MovedTo};

mod copy;
mod target;

pub(super) use self::target::Target;

/// What a move of a store to another place did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transferred {
    /// Whether it was moved there before, so that nothing was done.
    pub was_done: bool,
    /// How many records the store has there.
    pub records: u64,
    /// How many bytes their keys and contents have.
    pub bytes: u64,
    /// How many of them were put. The others were there, from a move that was interrupted or from an earlier time.
    pub put: u64,
    /// How many records were deleted there that the store does not have.
    pub deleted: u64,
    /// The revision of the store.
    pub revision: u64,
    /// How many scopes were opened there.
    pub scopes: u64,
    /// How many secrets were opened there.
    pub secrets: u64,
}

/// Another place of the same store.
pub(super) fn beside(vault: &Vault, backend: Arc<dyn Backend>) -> Vault {
    Vault::new(backend, Arc::clone(&vault.keyring))
}

/// Moves the store to `to`, which people call `place`, or goes on with a move that was interrupted.
pub(super) fn transfer(
    vault: &Vault,
    to: &Vault,
    place: &str,
    progress: &mut dyn FnMut(Progress),
) -> Result<Transferred, Error> {
    let unlocked = vault.peek(|reader| Ok(Arc::clone(&reader.unlocked)))?;
    let unlocked = unlocked.ok_or(Error::NoStore)?;
    let target = Target { vault: to, place };
    let copy = Copy {
        from: vault,
        to: target,
        header: &unlocked.header,
        mover: MoveId::generate()?,
    };
    let (done, was_done) = match &unlocked.moved {
        Some(there) if there.place != place => {
            let to = there.place.clone();
            return Err(Error::Moved { to });
        }
        Some(_) if target.has(&unlocked)? => (Pass::default(), true),
        Some(_) => (finish(&copy, &unlocked)?, false),
        None => {
            check_all(vault, progress)?;
            let id = target.prepare(&unlocked.header, copy.mover)?;
            let first = copy.pass(&mut || ())?;
            let (second, unlocked) = mark(vault, &copy, id)?;
            let last = finish(&copy, &unlocked)?;
            (first.then(&second).then(&last), false)
        }
    };
    let report = check_all(to, progress)?;
    let report = report.ok_or_else(|| target.error(PlaceHas::Nothing))?;
    let there = match was_done {
        true => copy.count()?,
        false => done,
    };
    Ok(Transferred {
        was_done,
        records: there.records,
        bytes: there.bytes,
        put: there.put,
        deleted: there.deleted,
        revision: target.revision()?,
        scopes: report.scopes,
        secrets: report.secrets,
    })
}

/// Opens everything. Fails with the first that does not open.
fn check_all(
    vault: &Vault,
    progress: &mut dyn FnMut(Progress),
) -> Result<Option<CheckReport>, Error> {
    let mut first = None;
    let mut found = |error| {
        first.get_or_insert(error);
    };
    let report = check::check(vault, &mut found, progress)?;
    first.map_or(Ok(report), Err)
}

/// Says at the old place that the store was moved, once the new one has everything. Returns what that took, and the
/// header as it is now.
fn mark(vault: &Vault, copy: &Copy<'_>, id: MoveId) -> Result<(Pass, Arc<Unlocked>), Error> {
    let subject = Subject::store(AuditOperation::MoveStore);
    let done = vault.write(subject, IfMissing::NoStore, |writer: &mut Writer<'_>| {
        // A server ends a session that says nothing for long. If it has ended, the commit says so.
        let done = copy.until_equal(&mut || {
            let _answer = writer.snapshot().get(Table::Meta, MOVING_KEY);
        })?;
        let revision = writer.next_revision();
        copy.to.expect(writer.header(), copy.mover, revision)?;
        writer.set_moved(Some(MovedTo {
            id,
            place: copy.to.place.to_owned(),
        }));
        Ok(done)
    })?;
    let unlocked = vault.peek(|reader| Ok(Arc::clone(&reader.unlocked)))?;
    let unlocked = unlocked.ok_or(Error::NoStore)?;
    vault.recorder.record_committed(Arc::clone(&unlocked));
    Ok((done, unlocked))
}

/// Compares everything, as nobody changes the old place any more, and puts the header.
fn finish(copy: &Copy<'_>, unlocked: &Unlocked) -> Result<Pass, Error> {
    copy.to.claim(unlocked, copy.mover)?;
    let done = copy.until_equal(&mut || ())?;
    let header = unlocked.seal_moved()?;
    copy.to.finish(&unlocked.header, copy.mover, &header)?;
    Ok(done)
}

/// Lets the store take changes again where it was moved from, if the move to `to` was not finished. Without that place,
/// nobody knows whether it was. Returns whether the store was moved.
pub(super) fn keep(vault: &Vault, to: Option<Target<'_>>) -> Result<bool, Error> {
    let subject = Subject::store(AuditOperation::KeepStore);
    let kept = keep_here(vault, to, subject);
    kept.inspect_err(|error| vault.record_failure(subject, error))
}

fn keep_here(vault: &Vault, to: Option<Target<'_>>, subject: Subject<'_>) -> Result<bool, Error> {
    let over_loss = match to {
        Some(_) => OverLoss::Refuse,
        None => OverLoss::Allow,
    };
    // Unlocking may wait for a passphrase: do it before other writers have to wait.
    let unlocked = vault.peek_even_if_lost(|reader| Ok(Arc::clone(&reader.unlocked)))?;
    let unlocked = unlocked.ok_or(Error::NoStore)?;
    if unlocked.moved.is_none() {
        return Ok(false);
    }
    // What the new place has says more than the log does.
    if let Some(to) = to {
        to.require_unfinished(&unlocked)?;
    }
    let trust = Trust::Verified(Arc::clone(&unlocked));
    vault.recorder.check_unless(over_loss, trust)?;
    if let Some(to) = to {
        to.give_up(&unlocked)?;
    }
    let transaction = vault.backend.write()?;
    let unlocked = vault.unlock(&*transaction)?;
    if unlocked.moved.is_none() {
        return Ok(true);
    }
    let trust = Trust::Verified(Arc::clone(&unlocked));
    let before = vault.recorder.check_unless(over_loss, trust)?;
    let mut writer = Writer::new(transaction, unlocked);
    writer.set_moved(None);
    vault
        .recorder
        .record_change(subject, &before, &mut writer)?;
    let (commit, unlocked) = writer.commit()?;
    vault.require_applied(commit)?;
    vault.recorder.record_committed(Arc::clone(&unlocked));
    vault.keyring.remember(unlocked);
    Ok(true)
}

/// Requires that `old`, which people call `place`, is what is left of this store where it was moved from, or of a move to
/// there that was not finished. Records that it is deleted there.
pub(super) fn let_go(vault: &Vault, old: &Vault, place: &str) -> Result<(), Error> {
    let subject = Subject::store(AuditOperation::DeleteMoved);
    let read = vault.read(subject, |reader| {
        reader.unlocked.require_here()?;
        let here = &reader.unlocked.header;
        let old = Target { vault: old, place };
        match old.unlocked_of(here)? {
            None if old.is_begun(here)? => Ok(()),
            None => Err(old.error(PlaceHas::Nothing)),
            Some(it) if it.moved.is_none() => Err(old.error(PlaceHas::SameStore)),
            Some(it) if it.header.revision > here.revision => Err(old.error(PlaceHas::LaterState)),
            Some(_) => {
                // The header of the old place was the last one seen.
                vault.keyring.remember(Arc::clone(&reader.unlocked));
                Ok(())
            }
        }
    })?;
    read.ok_or(Error::NoStore)
}

/// Where the store was moved to, as far as that can be found out without a question; `None` if it is here.
pub(super) fn moved_to(vault: &Vault) -> Result<Option<String>, Error> {
    let Some(snapshot) = vault.backend.read()? else {
        return Ok(None);
    };
    let names = Names::new(&*snapshot, &vault.keyring)?;
    Ok(match names.trust() {
        Trust::Verified(unlocked) => unlocked.moved.as_ref().map(|it| it.place.clone()),
        Trust::Unverified(_) => None,
    })
}
