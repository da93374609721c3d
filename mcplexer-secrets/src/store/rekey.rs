//! Re-keying: a new root key, new scope keys, every value encrypted again, in one commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::contents::{Contents, Progress};
use super::draft::Draft;
use super::not_found;
use super::opener::Opener;
use super::reader::Reader;
use super::recorder::{OverLoss, Subject};
use super::standing::Trust;
use super::unlocked::Unlocked;
use super::vault::Vault;
use super::versions::Incoming;
use super::writer::Writer;
use crate::Error;
use crate::backend::{Replacement, Snapshot};
use crate::keys::Identity;
use crate::record::Slot;
use crate::seal::RootKey;

/// What a re-key did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rekeyed {
    /// The store's generation now.
    pub generation: u64,
    /// How many scopes the store has.
    pub scopes: u64,
    /// How many secrets were encrypted again.
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

impl<'v> Rekey<'v> {
    /// Begins to re-key the store, which `unlock` opens.
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
            new: Writer::new(new, next),
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
        slots: Vec<Slot>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Rekeyed, Error> {
        let (scopes, secrets) = self.encrypt_again(progress)?;
        let generation = self.commit(subject, OverLoss::Refuse, new, slots)?;
        Ok(Rekeyed {
            generation,
            scopes,
            secrets,
            recipient: None,
        })
    }

    /// Encrypts every scope and every value again; returns how many those were.
    fn encrypt_again(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<(u64, u64), Error> {
        let Self {
            old, unlocked, new, ..
        } = self;
        let reader = Reader::new(&**old, Arc::clone(unlocked));
        let contents = Contents::open(&reader)?;
        let mut drafts = BTreeMap::new();
        for (id, open) in &contents.scopes {
            let draft = Draft::new(id.clone(), open.record.clone())?;
            drafts.insert(id, draft);
        }
        let mut incoming = Incoming::default();
        contents.each_value(progress, &mut |id, version, value| {
            let draft = drafts.get_mut(id);
            let draft = draft.ok_or_else(|| not_found::listed_scope(id))?;
            incoming.put(new, draft, version, value)
        })?;
        for draft in drafts.into_values() {
            new.put_scope(draft)?;
        }
        Ok((contents.scopes.len() as u64, contents.secrets))
    }

    /// Puts these slots, records the change and commits it; returns the new generation.
    pub(super) fn commit(
        mut self,
        subject: Subject<'_>,
        over_loss: OverLoss,
        new: Option<&Identity>,
        slots: Vec<Slot>,
    ) -> Result<u64, Error> {
        let keyring = &self.vault.keyring;
        let is_there = |old: &Slot| slots.iter().any(|slot| slot.recipient == old.recipient);
        if !self.unlocked.slots.iter().all(is_there) {
            let header = self.new.header_mut();
            header.left = header.generation;
        }
        let (old, next) = (&self.unlocked, Arc::clone(self.new.unlocked()));
        let slots = keyring.wrap_all(old, new, next.root(), slots)?;
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
        // A pin for either root key: the store opens whether or not the commit is cut short.
        keyring.pin(old, &[old.root(), next.root()])?;
        drop(self.old);
        let (commit, unlocked) = self.new.commit()?;
        self.vault.require_applied(commit)?;
        recorder.record_committed(unlocked);
        keyring.pin(old, &[next.root()])?;
        Ok(next.header.generation)
    }
}

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
        let rekeyed = rekey.finish(subject, None, slots, &mut |_| ()).unwrap();
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
