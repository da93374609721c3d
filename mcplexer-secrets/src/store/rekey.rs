//! Re-keying: a new root key, new scope keys, every value encrypted again, in one commit. What is done before it is kept
//! where the backend can, so that a re-key that is interrupted can be gone on with.

use std::sync::Arc;

use super::beginning::Heirs;
use super::contents::{Contents, HEADER_AND_OWNERS, Progress};
use super::draft::Draft;
use super::opener::Opener;
use super::reader::Reader;
use super::recorder::{OverLoss, Subject};
use super::standing::Trust;
use super::taken_over::TakenOver;
use super::unlocked::Unlocked;
use super::vault::Vault;
use super::versions::Incoming;
use super::writer::Writer;
use crate::Error;
use crate::backend::{Replacement, Snapshot};
use crate::keys::Identity;
use crate::record::{Beginning, Slot};
use crate::seal::RootKey;

/// After so many scopes and secrets, what is done is kept, at the end of a scope.
const BATCH: u64 = 2_000;

/// What a re-key did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rekeyed {
    /// The store's generation now.
    pub generation: u64,
    /// How many scopes the store has.
    pub scopes: u64,
    /// How many secrets were encrypted again, by this call or by interrupted ones before it.
    pub secrets: u64,
    /// The recipient of the new identity, if one was created.
    pub recipient: Option<String>,
}

/// The current state of the store, which other writers cannot change, and the next one in the
/// making.
pub(super) struct Rekey<'v> {
    vault: &'v Vault,
    old: Box<dyn Snapshot + 'v>,
    unlocked: Arc<Unlocked>,
    pub(super) new: Writer<'v>,
}

/// What the next state has, in case that the re-key is interrupted.
struct Kept {
    /// How its owners know it; `None` if nobody could go on with it.
    beginning: Option<Beginning>,
    batch: u64,
    /// How many scopes and secrets were kept.
    count: u64,
}

impl<'v> Rekey<'v> {
    /// Begins to re-key the store, which `unlock` opens, with nothing in the next state.
    pub(super) fn begin_anew(
        vault: &'v Vault,
        unlock: impl Fn(&dyn Snapshot) -> Result<Arc<Unlocked>, Error>,
    ) -> Result<Self, Error> {
        let mut rekey = Self::begin(vault, unlock)?;
        rekey.new.clear()?;
        Ok(rekey)
    }

    /// Begins to re-key the store, which `unlock` opens. What another re-key has left is there until the
    /// [end](Self::finish).
    pub(super) fn begin(
        vault: &'v Vault,
        unlock: impl Fn(&dyn Snapshot) -> Result<Arc<Unlocked>, Error>,
    ) -> Result<Self, Error> {
        // Unlocking may wait for a passphrase: do it before other writers have to wait.
        vault.snapshot(&unlock)?.ok_or(Error::NoStore)?;
        let Replacement { old, new } = vault.backend.replace()?;
        let old = old.ok_or(Error::NoStore)?;
        let unlocked = unlock(&*old)?;
        unlocked.require_here()?;
        let mut header = unlocked.header.clone();
        header.generation = header.generation.saturating_add(1);
        (header.scopes, header.pages) = (0, Vec::new());
        let root = Arc::new(RootKey::generate()?);
        let next = Arc::new(Unlocked::new(header, root));
        Ok(Self {
            vault,
            old,
            unlocked,
            new: Writer::replacing(new, next),
        })
    }

    /// The header of the current state.
    pub(super) fn unlocked(&self) -> &Unlocked {
        &self.unlocked
    }

    /// Reads the current state.
    pub(super) fn old(&self) -> Reader<'_> {
        Reader::new(&*self.old, Arc::clone(&self.unlocked))
    }

    /// Encrypts everything again, for these slots only, and commits. `new` is an identity that gets a slot for the
    /// first time.
    pub(super) fn finish(
        mut self,
        subject: Subject<'_>,
        new: Option<&Identity>,
        slots: &[Slot],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Rekeyed, Error> {
        let Self {
            vault,
            old,
            unlocked,
            new: next,
        } = &mut self;
        let reader = Reader::new(&**old, Arc::clone(unlocked));
        let contents = Contents::open(&reader)?;
        let heirs = Heirs::of(unlocked, next.header(), new, slots)?;
        let (beginning, taken) = take_over(next, &heirs, &contents)?;
        let wrapped = wrap(vault, unlocked, next, new, slots.to_vec())?;
        let beginning = match beginning {
            Some(beginning) => Some(beginning),
            None => heirs.begin(&next.unlocked().root, &wrapped)?,
        };
        let limit = vault.backend.limits().operations;
        let mut kept = Kept {
            beginning,
            batch: limit.map_or(BATCH, |limit| BATCH.min(limit as u64)),
            count: next.header().scopes + taken.seen.secrets,
        };
        encrypt_again(next, &contents, &taken, &mut kept, progress)?;
        next.end_beginning()?;
        let (scopes, secrets) = (contents.scopes.len() as u64, contents.secrets);
        let generation = self.commit(subject, OverLoss::Refuse, new, wrapped)?;
        Ok(Rekeyed {
            generation,
            scopes,
            secrets,
            recipient: None,
        })
    }

    /// Encrypts the next root key to the recipients of these slots.
    pub(super) fn wrap(
        &mut self,
        new: Option<&Identity>,
        slots: Vec<Slot>,
    ) -> Result<Vec<Slot>, Error> {
        wrap(self.vault, &self.unlocked, &mut self.new, new, slots)
    }

    /// Puts these slots, which are [wrapped](Self::wrap), records the change and commits it; returns the new generation.
    pub(super) fn commit(
        mut self,
        subject: Subject<'_>,
        over_loss: OverLoss,
        new: Option<&Identity>,
        slots: Vec<Slot>,
    ) -> Result<u64, Error> {
        let keyring = &self.vault.keyring;
        let (old, next) = (&self.unlocked, Arc::clone(self.new.unlocked()));
        self.new.put_slots(slots)?;
        self.new.set_opener(match new {
            Some(identity) => Some(Opener {
                identity: identity.clone(),
                recipient: identity.name(),
            }),
            None => old.opener.clone(),
        })?;
        let recorder = &self.vault.recorder;
        let before = recorder.check_unless(over_loss, Trust::Verified(Arc::clone(old)))?;
        recorder.record_change(subject, &before, &mut self.new)?;
        // A pin for either root key: the store opens whether or not the commit is interrupted.
        keyring.pin(old, &[old.root(), next.root()])?;
        drop(self.old);
        let (commit, unlocked) = self.new.commit()?;
        self.vault.require_applied(commit)?;
        recorder.record_committed(unlocked);
        keyring.pin(old, &[next.root()])?;
        Ok(next.header.generation)
    }
}

/// Goes on with what a re-key for the same owners has left of this very state, or else clears it.
fn take_over(
    next: &mut Writer<'_>,
    heirs: &Heirs<'_>,
    contents: &Contents<'_>,
) -> Result<(Option<Beginning>, TakenOver), Error> {
    if let Some((beginning, root)) = heirs.find(next.snapshot())? {
        let mut header = next.header().clone();
        header.scopes = beginning.scopes;
        header.pages.clone_from(&beginning.pages);
        let unlocked = Arc::new(Unlocked::new(header, Arc::new(root)));
        let left = Reader::new(next.snapshot(), Arc::clone(&unlocked));
        if let Some(taken) = TakenOver::compare(contents, &left)? {
            next.go_on(unlocked);
            return Ok((Some(beginning), taken));
        }
    }
    next.clear()?;
    Ok((None, TakenOver::default()))
}

/// Encrypts every scope and every value again, except for what was taken over.
fn encrypt_again(
    next: &mut Writer<'_>,
    contents: &Contents<'_>,
    taken: &TakenOver,
    kept: &mut Kept,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), Error> {
    let (mut seen, total) = (taken.seen, contents.secrets);
    if seen.secrets > 0 {
        let done = seen.secrets;
        progress(Progress { done, total });
    }
    for (id, open) in &contents.scopes {
        if taken.scopes.contains(id) {
            continue;
        }
        kept.keep_if_many(next, next.header().scopes + seen.secrets)?;
        let mut draft = Draft::new(id.clone(), open.record.clone())?;
        let mut incoming = Incoming::default();
        contents.each_of(id, open, &mut seen, progress, &mut |_, version, value| {
            incoming.put(next, &mut draft, version, value)
        })?;
        next.put_scope(draft)?;
    }
    contents.check_count(&seen, HEADER_AND_OWNERS)
}

impl Kept {
    /// Keeps what is done, so many scopes and secrets, if much of it is not kept yet.
    fn keep_if_many(&mut self, next: &mut Writer<'_>, count: u64) -> Result<(), Error> {
        match &mut self.beginning {
            Some(beginning) if count - self.count >= self.batch => {
                self.count = count;
                next.keep(beginning)
            }
            _ => Ok(()),
        }
    }
}

/// Encrypts the next root key to the recipients of these slots.
fn wrap(
    vault: &Vault,
    old: &Unlocked,
    next: &mut Writer<'_>,
    new: Option<&Identity>,
    slots: Vec<Slot>,
) -> Result<Vec<Slot>, Error> {
    let is_there = |old: &Slot| slots.iter().any(|slot| slot.recipient == old.recipient);
    if !old.slots.iter().all(is_there) {
        let header = next.header_mut();
        header.left = header.generation;
    }
    let root = next.unlocked().root();
    vault.keyring.wrap_all(old, new, root, slots)
}

#[cfg(test)]
mod interrupted;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::AuditOperation;
    use crate::store::fixture::{filled, id, name};

    #[test]
    fn everything_is_encrypted_again_under_the_next_generation() {
        let vault = filled();
        let rekey = Rekey::begin(&vault, |snapshot| vault.unlock(snapshot)).unwrap();
        let slots = rekey.unlocked().slots.to_vec();
        let subject = Subject::store(AuditOperation::Rotate);
        let rekeyed = rekey.finish(subject, None, &slots, &mut |_| ()).unwrap();
        assert_eq!(
            (rekeyed.generation, rekeyed.scopes, rekeyed.secrets),
            (2, 2, 2)
        );
        let value = vault.peek(|reader| {
            assert_eq!(reader.header().generation, 2);
            reader.existing_scope(&id("s"))?.existing_secret(&name("L"))
        });
        assert_eq!(value.unwrap().unwrap().expose(), b"L");
    }

    #[test]
    fn a_rekey_that_is_dropped_changes_nothing() {
        let vault = filled();
        drop(Rekey::begin(&vault, |snapshot| vault.unlock(snapshot)).unwrap());
        let generation = vault.peek(|reader| Ok(reader.header().generation));
        assert_eq!(generation.unwrap(), Some(1));
    }
}
