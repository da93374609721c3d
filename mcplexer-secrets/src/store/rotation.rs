//! Replacing identities: by rotation, or after one was lost.

use super::beginning;
use super::contents::Progress;
use super::keyring::{public_half, recipient_of, unlock_with};
use super::names::Names;
use super::recorder::{OverLoss, Subject};
use super::rekey::{Rekey, Rekeyed};
use super::slots;
use super::unlocked::{read_header, read_slots};
use super::vault::Vault;
use crate::audit::AuditOperation;
use crate::backend::{Replacement, Snapshot, Successor};
use crate::keys::{Identity, KeyError, Recipient, RecoveryCode, SlotRef, Unfinished};
use crate::record::{Holder, Slot};
use crate::{Error, Timestamp};

/// Whether a rotation also replaces the identity that opens the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RotateIdentity {
    /// Yes: the old identity opens nothing any more.
    Replace,
    /// No: everything is encrypted again for the same identities.
    Keep,
}

/// Re-keys the store.
pub(super) fn rotate(
    vault: &Vault,
    identity: RotateIdentity,
    progress: &mut dyn FnMut(Progress),
) -> Result<Rekeyed, Error> {
    let subject = Subject::store(AuditOperation::Rotate);
    vault.replace(subject, OverLoss::Refuse, || {
        let rekey = Rekey::begin(vault, |snapshot| vault.unlock(snapshot))?;
        let slots = rekey.unlocked().slots.to_vec();
        if identity == RotateIdentity::Keep {
            return rekey.finish(subject, None, &slots, progress);
        }
        let opener = rekey.unlocked().opener.clone();
        let opener = opener.ok_or(KeyError::NoIdentity)?;
        let slot = slots::find(&slots, &SlotRef::new(&opener.recipient))?;
        if slot.holder != Holder::Key || opener.identity.to_text().is_none() {
            return Err(Error::Key(KeyError::NotReplaceable {
                identity: opener.recipient,
            }));
        }
        replace_identity(vault, &recipient_of(slot)?, |new| {
            let slots = with_replaced(slots, &opener.recipient, &new.name());
            rekey.finish(subject, Some(new), &slots, progress)
        })
    })
}

/// Opens the store with its recovery code and re-keys it for a new identity.
pub(super) fn recover(
    vault: &Vault,
    code: &RecoveryCode,
    lost: Option<&SlotRef>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Rekeyed, Error> {
    let subject = Subject::store(AuditOperation::Recover);
    vault.replace(subject, OverLoss::Refuse, || {
        let identity = code.identity();
        let rekey = Rekey::begin(vault, |snapshot| unlock_with(snapshot, &identity))?;
        let slots = rekey.unlocked().slots.to_vec();
        let lost = slots::find_lost(&slots, lost)?.cloned();
        let old = match &lost {
            Some(slot) => recipient_of(slot)?,
            None => public_half(&identity)?,
        };
        replace_identity(vault, &old, |new| {
            let slots = match &lost {
                Some(lost) => with_replaced(slots, &lost.recipient, &new.name()),
                // All slots are for passphrases: the new key gets one more.
                None => with_another(slots, &new.name()),
            };
            rekey.finish(subject, Some(new), &slots, progress)
        })
    })
}

/// The slots, with the recipient `new` in the place of `old`.
fn with_replaced(mut slots: Vec<Slot>, old: &str, new: &str) -> Vec<Slot> {
    for slot in slots.iter_mut().filter(|slot| slot.recipient == old) {
        new.clone_into(&mut slot.recipient);
        slot.created = Timestamp::now();
    }
    slots
}

/// The slots, and one for the recipient `new`.
fn with_another(mut slots: Vec<Slot>, new: &str) -> Vec<Slot> {
    slots.push(Slot {
        label: slots::free_label(&slots, &slots::machine_name()),
        recipient: new.to_owned(),
        created: Timestamp::now(),
        holder: Holder::Key,
        // A re-key fills in the rest.
        wrapped_by: String::new(),
        wrapped_at: Timestamp::now(),
        wrapped: Vec::new(),
        claim: None,
    });
    slots
}

/// Has the provider create an identity in the place of `old`, moves the store to it with `finish`,
/// and has the provider drop the old one; or the new one, if the store has not moved.
fn replace_identity(
    vault: &Vault,
    old: &Recipient,
    finish: impl FnOnce(&Identity) -> Result<Rekeyed, Error>,
) -> Result<Rekeyed, Error> {
    let new = vault.keyring.begin_replacement(old)?;
    match finish(&new) {
        Ok(mut rekeyed) => {
            vault.keyring.end_replacement(old)?;
            rekeyed.recipient = Some(public_half(&new)?.to_string());
            Ok(rekeyed)
        }
        Err(error) => {
            // What cannot be tidied up now stays, and does no harm.
            let _untidy = tidy(vault);
            Err(error)
        }
    }
}

/// Drops what an interrupted rotation or recovery has left in the key file; returns whether there
/// was anything.
pub(super) fn tidy(vault: &Vault) -> Result<bool, Error> {
    if !vault.exists()? || vault.keyring.unfinished()?.is_empty() {
        return Ok(false);
    }
    // A rotation holds this lock from its first step until the store has moved.
    let replacement = match vault.backend.replace() {
        Ok(Replacement { old, new }) => old.map(|old| (old, new)),
        // Such as where there is no space for another state, and so none for the beginning of one.
        Err(_) => None,
    };
    let (state, begun): (Box<dyn Snapshot + '_>, _) = match replacement {
        Some((old, new)) => (old, Some(new)),
        None => (vault.backend.write()?, None),
    };
    // An older store would have the wrong identity dropped, the only one that opens the newest.
    let trust = Names::new(&*state, &vault.keyring)?.trust().clone();
    vault.recorder.check(trust)?;
    let slots = read_slots(&*state, &read_header(&*state)?.1)?;
    let opens = |recipient: &Recipient| {
        let recipient = recipient.to_string();
        slots.iter().any(|it| it.recipient == recipient)
    };
    let mut tidied = false;
    for Unfinished { new, old } in vault.keyring.unfinished()? {
        match (opens(&new), opens(&old)) {
            (true, false) => vault.keyring.end_replacement(&old)?,
            // The next rotation can go on for an identity for which one was begun.
            (false, true) if !is_begun_for(begun.as_deref(), &new)? => {
                vault.keyring.end_replacement(&new)?;
            }
            _ => continue,
        }
        tidied = true;
    }
    Ok(tidied)
}

/// Whether a re-key was begun whose owners include this one.
fn is_begun_for(
    successor: Option<&(dyn Successor + '_)>,
    owner: &Recipient,
) -> Result<bool, Error> {
    let Some(successor) = successor else {
        return Ok(false);
    };
    let begun = beginning::read(successor)?;
    let owner = owner.to_string();
    Ok(begun.is_some_and(|it| it.heirs.iter().any(|heir| heir.recipient == owner)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_recipient_takes_the_slot_of_the_old_one_or_a_slot_of_its_own() {
        let before = with_another(with_another(Vec::new(), "age1a"), "age1b");
        let recipients = |slots: &[Slot]| -> Vec<String> {
            slots.iter().map(|slot| slot.recipient.clone()).collect()
        };
        assert_ne!(before[0].label, before[1].label);
        let after = with_replaced(before.clone(), "age1a", "age1c");
        assert_eq!(recipients(&after), ["age1c", "age1b"]);
        assert_eq!(after[0].label, before[0].label);
        assert_eq!(after[1], before[1]);
    }
}
