//! Adding and removing owners.

use std::cell::Cell;
use std::io;
use std::sync::Arc;

use super::contents::Progress;
use super::keyring::public_half;
use super::recorder::{OverLoss, Subject};
use super::rekey::{Rekey, Rekeyed};
use super::slots::{self, MAX_SLOTS, SlotInfo};
use super::unlocked::Unlocked;
use super::vault::{IfMissing, Vault};
use crate::audit::AuditOperation;
use crate::error::{Finding, RecordName};
use crate::keys::{Identity, Recipient, RecoveryCode, SlotLabel, SlotRef, passphrase};
use crate::record::{Holder, Slot};
use crate::{Error, InvalidValue, SecretValue, Timestamp, seal};

const RECOVERY_LABEL: &str = "recovery code";
/// What the slot of a recipient without a comment is called.
const DEFAULT_LABEL: &str = "owner";

/// A slot to be added.
struct NewSlot<'a> {
    /// What to call it, if the caller says so.
    label: Option<&'a str>,
    /// What to call it otherwise; with a number if another slot has that label.
    default_label: &'a str,
    recipient: Recipient,
    holder: Holder,
    /// The identity of the recipient, if it is at hand: it then claims the store at once.
    identity: Option<Identity>,
}

/// Adds a slot for a recipient.
pub(super) fn add_recipient(
    vault: &Vault,
    recipient: &Recipient,
    label: Option<&SlotLabel>,
) -> Result<SlotInfo, Error> {
    let comment = match (label, recipient.comment()) {
        (None, Some(comment)) => Some(comment.parse::<SlotLabel>()?),
        _ => None,
    };
    let label = label.or(comment.as_ref());
    check_label(label)?;
    let label = label.map(SlotLabel::as_str);
    NewSlot::of(recipient, label, DEFAULT_LABEL).add(vault)
}

/// Adds a slot for each of these recipients, or for none. A label is that of the first; the others have a number
/// as well.
pub(super) fn add_recipients(
    vault: &Vault,
    recipients: &[Recipient],
    label: Option<&SlotLabel>,
) -> Result<Vec<SlotInfo>, Error> {
    check_label(label)?;
    let mut new: Vec<NewSlot<'_>> = Vec::new();
    for recipient in recipients {
        if new.iter().any(|slot| slot.recipient == *recipient) {
            continue;
        }
        // Several keys of one person often have one comment.
        let comment = recipient.comment();
        let comment = comment.filter(|it| it.parse::<SlotLabel>().is_ok() && *it != RECOVERY_LABEL);
        let label = label.map(SlotLabel::as_str).or(comment);
        let label = label.unwrap_or(DEFAULT_LABEL);
        new.push(NewSlot::of(recipient, None, label));
    }
    add_all(vault, &new, || Ok(()))
}

/// Keeps the label of the recovery code for the recovery code.
fn check_label(label: Option<&SlotLabel>) -> Result<(), Error> {
    match label.filter(|label| label.as_str() == RECOVERY_LABEL) {
        Some(_) => Err(Error::LabelTaken {
            label: RECOVERY_LABEL.to_owned(),
        }),
        None => Ok(()),
    }
}

/// Adds a slot for a passphrase.
pub(super) fn add_passphrase(
    vault: &Vault,
    passphrase: &SecretValue,
    label: Option<&SlotLabel>,
) -> Result<SlotInfo, Error> {
    check_label(label)?;
    let passphrase = passphrase::for_new(passphrase);
    let passphrase = passphrase.ok_or(Error::InvalidValue(InvalidValue::NotText))?;
    let identity = Identity::generate();
    let sealed = seal::encrypt_identity(&identity, &passphrase)?;
    let new = NewSlot {
        label: label.map(SlotLabel::as_str),
        default_label: "passphrase",
        recipient: public_half(&identity)?,
        holder: Holder::Passphrase(sealed),
        identity: Some(identity),
    };
    new.add(vault)
}

/// Adds a slot for a new recovery code, once `show` has shown it.
pub(super) fn add_recovery_code(
    vault: &Vault,
    show: impl FnOnce(&RecoveryCode) -> io::Result<()>,
) -> Result<RecoveryCode, Error> {
    let code = RecoveryCode::generate()?;
    let identity = code.identity();
    let new = NewSlot {
        label: Some(RECOVERY_LABEL),
        default_label: RECOVERY_LABEL,
        recipient: public_half(&identity)?,
        holder: Holder::Recovery,
        identity: Some(identity),
    };
    // The change is begun again if another writer was quicker. The code stays the same.
    let show = Cell::new(Some(show));
    new.add_after(vault, || match show.take() {
        Some(show) => show(&code).map_err(Error::NotShown),
        None => Ok(()),
    })?;
    Ok(code)
}

/// Adds all of these slots, or none. Calls `last` when only the commit can still fail.
fn add_all(
    vault: &Vault,
    new: &[NewSlot<'_>],
    last: impl Fn() -> Result<(), Error>,
) -> Result<Vec<SlotInfo>, Error> {
    let subject = Subject::store(AuditOperation::AddSlot);
    vault.write(subject, IfMissing::NoStore, |writer| {
        let unlocked = Arc::clone(writer.unlocked());
        let mut infos = Vec::new();
        for new in new {
            let slot = new.make(vault, &unlocked, writer.slots())?;
            infos.push(SlotInfo::of(&slot));
            writer.push_slot(slot)?;
        }
        last()?;
        Ok(infos)
    })
}

impl<'a> NewSlot<'a> {
    fn of(recipient: &Recipient, label: Option<&'a str>, default_label: &'a str) -> Self {
        Self {
            label,
            default_label,
            recipient: recipient.clone(),
            holder: Holder::Key,
            identity: None,
        }
    }

    fn add(self, vault: &Vault) -> Result<SlotInfo, Error> {
        self.add_after(vault, || Ok(()))
    }

    /// Adds the slot if `last` succeeds, which is called when only the commit can still fail.
    fn add_after(
        self,
        vault: &Vault,
        last: impl Fn() -> Result<(), Error>,
    ) -> Result<SlotInfo, Error> {
        let added = add_all(vault, &[self], last)?;
        let missing = || Error::tampered(RecordName::Owners, Finding::Malformed);
        added.into_iter().next().ok_or_else(missing)
    }

    /// Makes the slot, to be added to those that are there.
    fn make(&self, vault: &Vault, unlocked: &Unlocked, slots: &[Slot]) -> Result<Slot, Error> {
        let root = unlocked.root();
        let recipient = self.recipient.to_string();
        let claim = self.identity.as_ref();
        let claim = claim.map(|identity| root.claim(identity, &recipient));
        let now = Timestamp::now();
        Ok(Slot {
            label: self.free_label(slots)?,
            created: now,
            holder: self.holder.clone(),
            wrapped_by: unlocked.owner_label(),
            wrapped_at: now,
            wrapped: vault.keyring.wrap(root.key, &self.recipient)?,
            claim: claim.transpose()?.flatten(),
            recipient,
        })
    }

    /// The label for the slot. Fails if there is no room for it, or the same already.
    fn free_label(&self, slots: &[Slot]) -> Result<String, Error> {
        if slots.len() >= MAX_SLOTS {
            return Err(Error::SlotsFull);
        }
        let recipient = self.recipient.to_string();
        let mut slots_here = slots.iter();
        if let Some(slot) = slots_here.find(|slot| slot.recipient == recipient) {
            return Err(Error::SlotExists {
                slot: slot.label.clone(),
            });
        }
        if let Some(label) = self.label
            && slots.iter().any(|slot| slot.label == label)
        {
            return Err(Error::LabelTaken {
                label: label.to_owned(),
            });
        }
        Ok(match self.label {
            Some(label) => label.to_owned(),
            None => slots::free_label(slots, self.default_label),
        })
    }
}

/// Removes a slot and re-keys the store, because its owner knows the root key.
pub(super) fn remove(
    vault: &Vault,
    slot: &SlotRef,
    force: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Rekeyed, Error> {
    let subject = Subject::store(AuditOperation::RemoveSlot);
    vault.replace(subject, OverLoss::Refuse, || {
        let rekey = Rekey::begin(vault, |snapshot| vault.unlock(snapshot))?;
        let mut slots = rekey.unlocked().slots.to_vec();
        let removed = slots::find(&slots, slot)?.clone();
        slots.retain(|slot| *slot != removed);
        let label = removed.label;
        if slots.is_empty() {
            return Err(Error::LastSlot { label });
        }
        let opener = rekey.unlocked().opener.as_ref();
        let is_own = opener.is_some_and(|opener| opener.recipient == removed.recipient);
        if is_own && !force && !vault.keyring.opens_any(&slots) {
            return Err(Error::OwnSlot { label });
        }
        rekey.finish(subject, None, &slots, progress)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixture::{change, filled};

    #[test]
    fn a_store_has_at_most_64_slots() {
        let vault = filled();
        change(&vault, |writer| {
            let mut slots = writer.slots().to_vec();
            let first = slots[0].clone();
            for number in 2..MAX_SLOTS {
                slots.push(Slot {
                    label: format!("owner {number}"),
                    recipient: Identity::generate().name(),
                    ..first.clone()
                });
            }
            assert_eq!(slots.len(), MAX_SLOTS - 1);
            writer.put_slots(slots)
        })
        .unwrap();
        let add = || {
            let recipient = Identity::generate().recipient().unwrap();
            add_recipient(&vault, &recipient, None)
        };
        assert_eq!(add().unwrap().label, "owner");
        assert!(matches!(add(), Err(Error::SlotsFull)));
        let unseen = |_: &RecoveryCode| panic!("there is no room for it");
        let full = add_recovery_code(&vault, unseen);
        assert!(matches!(full, Err(Error::SlotsFull)));
    }

    #[test]
    fn a_recipient_and_a_label_are_there_once() {
        let vault = filled();
        let recipient = Identity::generate().recipient().unwrap();
        let label = |text: &str| text.parse::<SlotLabel>().unwrap();
        add_recipient(&vault, &recipient, Some(&label("bob"))).unwrap();
        let again = add_recipient(&vault, &recipient, Some(&label("robert")));
        assert!(matches!(again, Err(Error::SlotExists { slot }) if slot == "bob"));
        let other = Identity::generate().recipient().unwrap();
        let again = add_recipient(&vault, &other, Some(&label("bob")));
        assert!(matches!(again, Err(Error::LabelTaken { label }) if label == "bob"));
    }

    #[test]
    fn several_recipients_are_added_or_none() {
        let vault = filled();
        let key = || Identity::generate().recipient().unwrap();
        let [ann, bob, eve] = [key(), key(), key()];
        let labels =
            |added: Vec<SlotInfo>| -> Vec<_> { added.into_iter().map(|slot| slot.label).collect() };
        let added = add_recipients(&vault, &[ann.clone(), bob.clone(), ann.clone()], None);
        assert_eq!(labels(added.unwrap()), ["owner", "owner 2"]);
        let again = add_recipients(&vault, &[eve.clone(), bob], None);
        assert!(matches!(again, Err(Error::SlotExists { slot }) if slot == "owner 2"));
        assert_eq!(
            labels(add_recipients(&vault, &[eve], None).unwrap()),
            ["owner 3"]
        );
    }

    #[test]
    fn a_recovery_code_that_was_not_shown_does_not_count() {
        let vault = filled();
        let slots = || vault.peek(|reader| Ok(reader.unlocked.slots.len()));
        let closed = |_: &RecoveryCode| Err(io::ErrorKind::BrokenPipe.into());
        let refused = add_recovery_code(&vault, closed);
        assert!(matches!(refused, Err(Error::NotShown(_))));
        assert_eq!(slots().unwrap(), Some(1));
        let mut seen = String::new();
        let code = add_recovery_code(&vault, |code| {
            seen.push_str(code.expose());
            Ok(())
        });
        assert_eq!(code.unwrap().expose(), seen);
        assert_eq!(slots().unwrap(), Some(2));
    }

    #[test]
    fn the_last_slot_and_the_own_one_are_not_removed() {
        let vault = filled();
        let own = || vault.peek(|reader| Ok(reader.unlocked.slots[0].label.clone()));
        let own = SlotRef::new(own().unwrap().unwrap());
        let last = remove(&vault, &own, true, &mut |_| ());
        assert!(matches!(last, Err(Error::LastSlot { .. })));
        add_recovery_code(&vault, |_| Ok(())).unwrap();
        let refused = remove(&vault, &own, false, &mut |_| ());
        assert!(matches!(refused, Err(Error::OwnSlot { .. })));
        remove(&vault, &SlotRef::new(RECOVERY_LABEL), false, &mut |_| ()).unwrap();
    }
}
