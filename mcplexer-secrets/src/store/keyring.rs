//! The keys of a store: where identities come from, and what they have unlocked.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::claim::Root;
use super::opener::{Opener, try_identities, try_identity};
use super::options::StoreOptions;
use super::slots::{SlotInfo, machine_name};
use super::unlocked::{Unlocked, read_header, read_slots};
use crate::backend::Snapshot;
use crate::error::{Finding, RecordName};
use crate::keys::{
    About, Ask, Asking, Identity, InvalidRecipient, KeyError, KeyErrorKind, KeyProvider, KeyWriter,
    PassphraseRequest, Person, Pins, Recipient, Unfinished, passphrase,
};
use crate::record::{Claim, Holder, Slot};
use crate::seal::{self, RootKey};
use crate::{Error, Timestamp};

/// How often to ask for the passphrase of a slot.
const PASSPHRASE_ATTEMPTS: u32 = 3;

/// Unlocks headers with the identities of a key provider, and keeps the last one unlocked.
pub(super) struct Keyring {
    provider: Arc<dyn KeyProvider>,
    pins: Option<Pins>,
    /// How many scopes to keep open.
    open_scopes: usize,
    unlocked: Mutex<Option<Arc<Unlocked>>>,
}

impl Keyring {
    pub(super) fn new(provider: Arc<dyn KeyProvider>) -> Self {
        Self {
            provider,
            pins: None,
            open_scopes: StoreOptions::default().open_scopes(),
            unlocked: Mutex::new(None),
        }
    }

    /// The same keys, with pins for those that cannot claim a store.
    pub(super) fn with_pins(&self, pins: Pins) -> Self {
        Self {
            pins: Some(pins),
            open_scopes: self.open_scopes,
            ..Self::new(Arc::clone(&self.provider))
        }
    }

    /// The same keys, with so many scopes kept open.
    pub(super) fn with_open_scopes(&self, count: usize) -> Self {
        Self {
            pins: self.pins.clone(),
            open_scopes: count,
            ..Self::new(Arc::clone(&self.provider))
        }
    }

    /// Reads and verifies the header of a store that the owner has accepted. Asks for keys only if the root
    /// key is not known yet.
    ///
    /// # Errors
    /// * [`Error::Locked`] if no identity opens a slot.
    /// * [`Error::NotAccepted`] if the owner has not accepted the store.
    pub(super) fn unlock(&self, snapshot: &dyn Snapshot, ask: Ask) -> Result<Arc<Unlocked>, Error> {
        let unlocked = self.unlock_any(snapshot, ask)?;
        require_accepted(&unlocked)?;
        Ok(unlocked)
    }

    /// As [`unlock`](Self::unlock), also if the owner has not accepted the store.
    pub(super) fn unlock_any(
        &self,
        snapshot: &dyn Snapshot,
        ask: Ask,
    ) -> Result<Arc<Unlocked>, Error> {
        let (bytes, header) = read_header(snapshot)?;
        let mut last = self.last();
        let mut opened = None;
        if let Some(known) = last.as_ref() {
            if known.is_from(&bytes) {
                return Ok(Arc::clone(known));
            }
            // Within a generation the root key stays. After another process has re-keyed the store
            // the generation differs, and the slots are tried again.
            if (known.header.store, known.header.generation) == (header.store, header.generation) {
                opened = Some((Arc::clone(&known.root), known.opener.clone()));
            }
        }
        let slots = match last.as_ref() {
            Some(known) if known.header.owners == header.owners => Arc::clone(&known.slots),
            _ => Arc::new(read_slots(snapshot, &header)?),
        };
        let (root, opener) = match opened {
            Some(opened) => opened,
            None => {
                let before = last.as_ref().and_then(|known| known.opener.as_ref());
                let (root, opener) = self.open_slot(&slots, ask, before)?;
                (Arc::new(root), Some(opener))
            }
        };
        let mut unlocked = Unlocked::verify(bytes, header, slots, root, opener)?;
        unlocked.is_accepted = self.is_accepted(&unlocked)?;
        if let Some(known) = last.as_ref() {
            unlocked = unlocked.with_scopes_of(known);
        }
        unlocked.keep_open(self.open_scopes);
        let unlocked = Arc::new(unlocked);
        *last = Some(Arc::clone(&unlocked));
        Ok(unlocked)
    }

    /// Keeps what this process has unlocked, or created, itself.
    pub(super) fn remember(&self, unlocked: Arc<Unlocked>) {
        unlocked.keep_open(self.open_scopes);
        *self.last() = Some(unlocked);
    }

    /// What was unlocked last, or created.
    pub(super) fn last_unlocked(&self) -> Option<Arc<Unlocked>> {
        self.last().clone()
    }

    fn last(&self) -> MutexGuard<'_, Option<Arc<Unlocked>>> {
        self.unlocked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a slot with an identity of the provider, or else with the passphrase of a slot. The
    /// identity behind a passphrase stays the same after a re-key, so `before` is tried before
    /// asking again.
    fn open_slot(
        &self,
        slots: &[Slot],
        ask: Ask,
        before: Option<&Opener>,
    ) -> Result<(RootKey, Opener), Error> {
        let reason = match self.provider.identities(ask) {
            Ok(identities) => match try_identities(slots, &identities, ask)? {
                Ok(opened) => return Ok(opened),
                Err(reason) => reason,
            },
            Err(reason) => reason,
        };
        if reason.kind() == KeyErrorKind::Absent {
            if let Some(before) = before
                && let identities = std::slice::from_ref(&before.identity)
                && let Ok(Ok(opened)) = try_identities(slots, identities, Ask::Never)
            {
                return Ok(opened);
            }
            if ask == Ask::Allowed
                && let Some(opened) = self.ask_for_passphrase(slots)
            {
                return Ok(opened);
            }
        }
        Err(Error::Locked {
            reason,
            slots: slots.iter().map(SlotInfo::of).collect(),
        })
    }

    /// Asks for the passphrase of any slot that has one, and again while it is wrong. `None` if no
    /// slot has one, or nobody answers.
    fn ask_for_passphrase(&self, slots: &[Slot]) -> Option<(RootKey, Opener)> {
        let sealed = |slot: &Slot| match &slot.holder {
            Holder::Passphrase(sealed) => Some(sealed.clone()),
            Holder::Key | Holder::Recovery => None,
        };
        let by_passphrase: Vec<_> = slots
            .iter()
            .filter_map(|slot| Some((slot, sealed(slot)?)))
            .collect();
        if by_passphrase.is_empty() {
            return None;
        }
        let labels = by_passphrase.iter().map(|(slot, _)| slot.label.as_str());
        let labels = labels.collect::<Vec<_>>().join(", ");
        let person = self.provider.prompter()?;
        let _asking = Asking(&*person);
        (0..PASSPHRASE_ATTEMPTS).find_map(|attempt| {
            let request = PassphraseRequest {
                about: About::Slot(&labels),
                retry: attempt > 0,
            };
            let answer = person.passphrase(&request)?;
            passphrase::forms(&answer).iter().find_map(|passphrase| {
                by_passphrase.iter().find_map(|(slot, sealed)| {
                    let identity = seal::decrypt_identity(sealed, passphrase)?;
                    try_identity(slot, &identity).ok()?
                })
            })
        })
    }

    /// The identities of the provider; none if it has none to give.
    pub(super) fn identities(&self, ask: Ask) -> Vec<Identity> {
        self.provider.identities(ask).unwrap_or_default()
    }

    /// Whether an identity of the provider opens one of these slots.
    pub(super) fn opens_any(&self, slots: &[Slot]) -> bool {
        match self.provider.identities(Ask::Allowed) {
            Ok(identities) => {
                let opened = try_identities(slots, &identities, Ask::Allowed);
                matches!(opened, Ok(Ok(_)))
            }
            Err(_) => false,
        }
    }

    /// Whether the owner who opened the store has accepted it, with a claim or with a pin. An identity that can
    /// do neither accepts every store.
    fn is_accepted(&self, unlocked: &Unlocked) -> Result<bool, Error> {
        let (Some(opener), Some(slot)) = (&unlocked.opener, unlocked.owner()) else {
            return Ok(false);
        };
        match (
            unlocked.root().is_claimed(&opener.identity, slot)?,
            &self.pins,
        ) {
            (Some(is_claimed), _) => Ok(is_claimed),
            (None, Some(pins)) => pins.has(unlocked.header.store, &unlocked.root().id()?),
            (None, None) => Ok(true),
        }
    }

    /// Accepts a root key for an owner: returns the claim for the owner's slot, or pins the root key if
    /// `identity` cannot claim it.
    pub(super) fn accept(
        &self,
        root: Root<'_>,
        identity: &Identity,
        recipient: &str,
    ) -> Result<Option<Claim>, Error> {
        let claim = root.claim(identity, recipient)?;
        if let (None, Some(pins)) = (&claim, &self.pins) {
            pins.pin(root.header.store, &[root.id()?])?;
        }
        Ok(claim)
    }

    /// Makes the slot of a new store's first owner, and creates a key if the provider has no key yet.
    pub(super) fn first_slot(&self, root: Root<'_>) -> Result<(Slot, Opener), Error> {
        let identities = match self.provider.writer() {
            Some(keys) => keys.identities_for_new_store()?,
            None => self.provider.identities(Ask::Allowed)?,
        };
        let identity = identities.into_iter().next().ok_or(KeyError::NoIdentity)?;
        let recipient = public_half(&identity)?;
        let created = root.header.created;
        let slot = Slot {
            label: machine_name(),
            recipient: recipient.to_string(),
            created,
            holder: Holder::Key,
            wrapped_by: machine_name(),
            wrapped_at: created,
            wrapped: self.wrap(root.key, &recipient)?,
            claim: self.accept(root, &identity, &recipient.to_string())?,
        };
        let recipient = slot.recipient.clone();
        Ok((
            slot,
            Opener {
                identity,
                recipient,
            },
        ))
    }

    /// Encrypts a root key to a recipient.
    pub(super) fn wrap(&self, root: &RootKey, recipient: &Recipient) -> Result<Vec<u8>, KeyError> {
        root.wrap(recipient, self.person())
    }

    /// Encrypts the next root key to the recipient of each slot. The claims are renewed; the owner of `old`, and
    /// `new`, an identity that replaces one, claim it anew if they have none that is current.
    pub(super) fn wrap_all(
        &self,
        old: &Unlocked,
        new: Option<&Identity>,
        next: Root<'_>,
        mut slots: Vec<Slot>,
    ) -> Result<Vec<Slot>, Error> {
        let own = old.opener.as_ref().map(|it| (&it.identity, &*it.recipient));
        let new = new.map(|it| (it, it.name()));
        let at_hand: Vec<_> = own
            .into_iter()
            .chain(new.as_ref().map(|(it, name)| (*it, &**name)))
            .collect();
        let by = old.owner_label();
        let now = Timestamp::now();
        for slot in &mut slots {
            let mine = at_hand
                .iter()
                .find(|(_, recipient)| *recipient == slot.recipient);
            let carried = old.root().carry(slot, next)?;
            let is_current = |claim: &Claim| claim.since >= next.header.left;
            slot.claim = match mine {
                Some((identity, recipient)) if !carried.as_ref().is_some_and(is_current) => {
                    next.claim(identity, recipient)?
                }
                _ => carried,
            };
            slot.wrapped = self.wrap(next.key, &recipient_of(slot)?)?;
            slot.wrapped_by.clone_from(&by);
            slot.wrapped_at = now;
        }
        Ok(slots)
    }

    /// Pins these root keys, if the owner who opened `unlocked` has a pin in place of a claim.
    pub(super) fn pin(&self, unlocked: &Unlocked, roots: &[Root<'_>]) -> Result<(), Error> {
        let is_pinned = |opener: &Opener| opener.identity.private_bytes().is_none();
        match (&self.pins, &unlocked.opener) {
            (Some(pins), Some(opener)) if is_pinned(opener) => {
                let roots = roots.iter().map(|root| root.id());
                pins.pin(
                    unlocked.header.store,
                    &roots.collect::<Result<Vec<_>, _>>()?,
                )
            }
            _ => Ok(()),
        }
    }

    /// The person a plugin may talk to while something is encrypted to its recipient.
    pub(super) fn person(&self) -> Option<Person> {
        self.provider.prompter()
    }

    /// Has the provider create an identity that takes the place of `old`.
    pub(super) fn begin_replacement(&self, old: &Recipient) -> Result<Identity, KeyError> {
        self.writer(old)?.begin_replacement(old)
    }

    /// Has the provider drop the identity `gone`, which a replacement no longer needs.
    pub(super) fn end_replacement(&self, gone: &Recipient) -> Result<(), KeyError> {
        self.writer(gone)?.end_replacement(gone)
    }

    /// The replacements that were begun and not ended.
    pub(super) fn unfinished(&self) -> Result<Vec<Unfinished>, KeyError> {
        match self.provider.writer() {
            Some(keys) => keys.unfinished(Ask::Allowed),
            None => Ok(Vec::new()),
        }
    }

    /// What stores a new identity in the place of this one.
    fn writer(&self, old: &Recipient) -> Result<&dyn KeyWriter, KeyError> {
        let not_replaceable = || KeyError::NotReplaceable {
            identity: old.to_string(),
        };
        self.provider.writer().ok_or_else(not_replaceable)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.provider.fmt(f)
    }
}

/// Unlocks the header with one identity alone, and does not keep it.
///
/// # Errors
/// [`KeyError::RecoveryCodeWrong`] if it opens no slot.
pub(super) fn unlock_with(
    snapshot: &dyn Snapshot,
    identity: &Identity,
) -> Result<Arc<Unlocked>, Error> {
    let (bytes, header) = read_header(snapshot)?;
    let slots = Arc::new(read_slots(snapshot, &header)?);
    let identities = std::slice::from_ref(identity);
    let opened = try_identities(&slots, identities, Ask::Never)?;
    let (root, opener) = opened.map_err(|_| KeyError::RecoveryCodeWrong)?;
    let mut unlocked = Unlocked::verify(bytes, header, slots, Arc::new(root), Some(opener))?;
    if let Some(slot) = unlocked.owner() {
        unlocked.is_accepted = unlocked.root().is_claimed(identity, slot)? != Some(false);
    }
    require_accepted(&unlocked)?;
    Ok(Arc::new(unlocked))
}

/// Requires that the owner who opened the store has accepted it.
pub(super) fn require_accepted(unlocked: &Unlocked) -> Result<(), Error> {
    match unlocked.owner() {
        Some(slot) if !unlocked.is_accepted => Err(Error::NotAccepted {
            slot: slot.label.clone(),
            by: slot.wrapped_by.clone(),
            at: slot.wrapped_at,
        }),
        _ => Ok(()),
    }
}

/// Returns the recipient of an identity. A plugin's identity may not name it.
pub(super) fn public_half(identity: &Identity) -> Result<Recipient, KeyError> {
    identity.recipient().ok_or_else(|| KeyError::NoRecipient {
        name: identity.name(),
    })
}

/// Parses the recipient of a slot.
pub(super) fn recipient_of(slot: &Slot) -> Result<Recipient, Error> {
    slot.recipient.parse().map_err(|reason| match reason {
        InvalidRecipient::NotSupported => Error::Key(KeyError::NotEncrypted {
            recipient: slot.recipient.clone(),
            reason: reason.to_string(),
        }),
        _ => Error::tampered(RecordName::Header, Finding::Malformed),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::keys::FixedKeys;
    use crate::store::fixture::{change, keyed, put};
    use crate::store::rotation::{RotateIdentity, rotate};
    use crate::store::vault::Vault;

    /// Counts how often it is asked for identities.
    #[derive(Debug)]
    struct Counted(FixedKeys, Arc<AtomicUsize>);

    impl KeyProvider for Counted {
        fn identities(&self, ask: Ask) -> Result<Vec<Identity>, KeyError> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.identities(ask)
        }
    }

    fn counted() -> (Vault, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let keys = Counted(FixedKeys::generate(), Arc::clone(&asked));
        (keyed(keys), asked)
    }

    #[test]
    fn a_key_is_asked_for_once_and_again_after_a_rekey() {
        let (vault, asked) = counted();
        for key in ["K", "L"] {
            change(&vault, |writer| put(writer, key, b"v")).unwrap();
            vault.peek(|_| Ok(())).unwrap();
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        rotate(&vault, RotateIdentity::Keep, &mut |_| ()).unwrap();
        for _ in 0..2 {
            vault.peek(|_| Ok(())).unwrap();
        }
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_foreign_key_finds_the_store_locked() {
        let (vault, _) = counted();
        change(&vault, |_| Ok(())).unwrap();
        let foreign = Keyring::new(Arc::new(FixedKeys::generate()));
        let locked = vault.snapshot(|snapshot| foreign.unlock(snapshot, Ask::Never).map(drop));
        assert!(matches!(locked, Err(Error::Locked { slots, .. }) if slots.len() == 1));
        let wrong = vault.snapshot(|it| unlock_with(it, &Identity::generate()).map(drop));
        assert!(matches!(
            wrong,
            Err(Error::Key(KeyError::RecoveryCodeWrong))
        ));
        let slots = vault.peek(|reader| Ok(reader.unlocked.slots.clone()));
        let slots = slots.unwrap().unwrap();
        assert!(vault.keyring.opens_any(&slots) && !foreign.opens_any(&slots));
    }
}
