//! The slots of a store, one an owner: what they are for, and finding one.

use crate::error::{Finding, RecordName};
use crate::keys::SlotRef;
use crate::record::{Holder, Slot};
use crate::{Error, Timestamp};

/// Most slots in a store.
pub const MAX_SLOTS: usize = 64;
/// Longest label of a slot, in characters.
const MAX_LABEL_LEN: usize = 64;

/// One way to open a store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlotInfo {
    /// Its name. The first slot has the name of the machine it was created on.
    pub label: String,
    /// The recipient whose identity opens it: `age1…`, `ssh-ed25519 …`, `ssh-rsa …`.
    pub recipient: String,
    /// When it was created.
    pub created: Timestamp,
    /// Where that identity is kept.
    pub kind: SlotKind,
}

/// Where the identity that opens a slot is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlotKind {
    /// Outside of the store: in a key file, an SSH key or a plugin.
    Key,
    /// In the slot, encrypted with a passphrase.
    Passphrase,
    /// Nowhere: it is derived from the recovery code.
    Recovery,
}

impl SlotInfo {
    pub(super) fn of(slot: &Slot) -> Self {
        Self {
            label: slot.label.clone(),
            recipient: slot.recipient.clone(),
            created: slot.created,
            kind: match slot.holder {
                Holder::Key => SlotKind::Key,
                Holder::Passphrase(_) => SlotKind::Passphrase,
                Holder::Recovery => SlotKind::Recovery,
            },
        }
    }
}

/// Finds the slot that is meant.
///
/// # Errors
/// [`Error::SlotNotFound`]; [`Error::SlotAmbiguous`] if several recipients begin so.
pub(super) fn find<'a>(slots: &'a [Slot], meant: &SlotRef) -> Result<&'a Slot, Error> {
    let at = meant.position(slots.iter().map(|it| (&*it.label, &*it.recipient)))?;
    let missing = || Error::tampered(RecordName::Owners, Finding::Malformed);
    slots.get(at).ok_or_else(missing)
}

/// Finds the slot of a lost key: the one that is meant, or else the only one for a key. `None` if
/// no slot is for a key.
///
/// # Errors
/// As [`find`]; [`Error::SlotAmbiguous`] if several slots are for keys, and `meant` names none of
/// them.
pub(super) fn find_lost<'a>(
    slots: &'a [Slot],
    meant: Option<&SlotRef>,
) -> Result<Option<&'a Slot>, Error> {
    let is_key = |slot: &&Slot| slot.holder == Holder::Key;
    let keys: Vec<_> = slots.iter().filter(is_key).collect();
    let slot = match (meant, &keys[..]) {
        (Some(meant), _) => find(slots, meant)?,
        (None, []) => return Ok(None),
        (None, [slot]) => slot,
        (None, _) => return Err(ambiguous(&keys)),
    };
    match is_key(&slot) {
        true => Ok(Some(slot)),
        false => Err(ambiguous(&keys)),
    }
}

fn ambiguous(slots: &[&Slot]) -> Error {
    let labels = slots.iter().map(|slot| slot.label.clone()).collect();
    Error::SlotAmbiguous { labels }
}

/// Returns `wanted`, with a number if another slot has that label.
pub(super) fn free_label(slots: &[Slot], wanted: &str) -> String {
    let mut label = wanted.to_owned();
    let mut number = 1_u64;
    while slots.iter().any(|slot| slot.label == label) {
        number += 1;
        label = format!("{wanted} {number}");
    }
    label
}

/// The label of the first slot.
pub(super) fn machine_name() -> String {
    let system = rustix::system::uname();
    let name = system.nodename().to_string_lossy();
    let printable = name.chars().filter(|c| !c.is_control());
    printable.take(MAX_LABEL_LEN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(label: &str, recipient: &str, holder: Holder) -> Slot {
        Slot {
            label: label.to_owned(),
            recipient: recipient.to_owned(),
            created: Timestamp::from_micros(0),
            holder,
            wrapped_by: String::new(),
            wrapped_at: Timestamp::from_micros(0),
            wrapped: Vec::new(),
            claim: None,
        }
    }

    fn slots() -> [Slot; 3] {
        [
            slot("laptop", "age1aab", Holder::Key),
            slot("desk", "age1abc", Holder::Key),
            slot("words", "age1xyz", Holder::Passphrase(Vec::new())),
        ]
    }

    #[test]
    fn a_slot_is_found_by_label_recipient_or_an_unambiguous_beginning() {
        let slots = slots();
        for meant in ["desk", "age1abc", "age1ab"] {
            assert_eq!(
                find(&slots, &SlotRef::new(meant)).unwrap().label,
                "desk",
                "{meant}"
            );
        }
        let labels = match find(&slots, &SlotRef::new("age1a")) {
            Err(Error::SlotAmbiguous { labels }) => labels,
            other => panic!("{other:?}"),
        };
        assert_eq!(labels, ["laptop", "desk"]);
        for meant in ["", "lap"] {
            assert!(matches!(
                find(&slots, &SlotRef::new(meant)),
                Err(Error::SlotNotFound { .. })
            ));
        }
    }

    #[test]
    fn the_lost_key_is_the_only_one_or_the_one_that_is_named() {
        let slots = slots();
        let lost = |slots, meant: Option<&str>| {
            let meant = meant.map(SlotRef::new);
            find_lost(slots, meant.as_ref()).map(|slot| slot.map(|it| it.label.as_str()))
        };
        assert_eq!(lost(&slots, Some("desk")).unwrap(), Some("desk"));
        assert_eq!(lost(&slots[1..], None).unwrap(), Some("desk"));
        assert_eq!(lost(&slots[2..], None).unwrap(), None);
        for meant in [None, Some("words")] {
            let refused = lost(&slots, meant);
            assert!(matches!(refused, Err(Error::SlotAmbiguous { labels }) if labels.len() == 2));
        }
    }

    #[test]
    fn a_label_that_is_taken_gets_a_number() {
        let mut slots = slots().to_vec();
        assert_eq!(free_label(&slots, "owner"), "owner");
        assert_eq!(free_label(&slots, "desk"), "desk 2");
        slots.push(slot("desk 2", "age1d", Holder::Key));
        assert_eq!(free_label(&slots, "desk"), "desk 3");
    }
}
