//! Opening a slot of the header with an identity.

use crate::Error;
use crate::error::{Finding, RecordName};
use crate::keys::{Ask, Identity, KeyError};
use crate::record::Slot;
use crate::seal::RootKey;

/// The identity that opened a slot.
#[derive(Debug, Clone)]
pub(super) struct Opener {
    pub(super) identity: Identity,
    /// The recipient of the slot.
    pub(super) recipient: String,
}

/// Tries each identity on each slot. Plugins come last, and only if they may ask: they start a
/// program, and may wait for a person.
///
/// The inner error says why none of the identities opens a slot.
///
/// # Errors
/// [`Error::Tampered`] if a slot is made for one of the identities and does not open with it.
pub(super) fn try_identities(
    slots: &[Slot],
    identities: &[Identity],
    ask: Ask,
) -> Result<Result<(RootKey, Opener), KeyError>, Error> {
    let mut failure = None;
    for plugins in [false, true] {
        if plugins && ask == Ask::Never {
            break;
        }
        for identity in identities.iter().filter(|it| it.is_plugin() == plugins) {
            for slot in slots.iter().filter(|it| identity.may_open(&it.recipient)) {
                match try_identity(slot, identity) {
                    Ok(Some(opened)) => return Ok(Ok(opened)),
                    Ok(None) => {}
                    Err(reason) => failure = failure.or(Some(reason)),
                }
            }
        }
    }
    if let Some(failure) = failure {
        return Ok(Err(failure));
    }
    if slots.iter().any(|slot| is_made_for(slot, identities)) {
        return Err(Error::tampered(RecordName::Header, Finding::DoesNotOpen));
    }
    let recipients = identities.iter().map(Identity::name).collect();
    Ok(Err(KeyError::Wrong { recipients }))
}

/// Opens a slot with an identity; `None` if it is another's.
pub(super) fn try_identity(
    slot: &Slot,
    identity: &Identity,
) -> Result<Option<(RootKey, Opener)>, KeyError> {
    let root = RootKey::unwrap(&slot.wrapped, identity)?;
    let opener = || Opener {
        identity: identity.clone(),
        recipient: slot.recipient.clone(),
    };
    Ok(root.map(|root| (root, opener())))
}

/// Whether one of these identities must open the slot. A plugin or a holder of a key can fail for
/// reasons of its own.
fn is_made_for(slot: &Slot, identities: &[Identity]) -> bool {
    let mut own = identities.iter().filter(|it| it.is_at_hand());
    own.any(|identity| identity.name() == slot.recipient)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::record::Holder;

    fn slot(root: &RootKey, identity: &Identity) -> Slot {
        Slot {
            label: "owner".to_owned(),
            recipient: identity.name(),
            created: Timestamp::from_micros(0),
            holder: Holder::Key,
            wrapped_by: "owner".to_owned(),
            wrapped_at: Timestamp::from_micros(0),
            claim: None,
            wrapped: root.wrap(&identity.recipient().unwrap(), None).unwrap(),
        }
    }

    #[test]
    fn the_slot_of_the_identity_opens() {
        let (root, mine, other) = (
            RootKey::generate().unwrap(),
            Identity::generate(),
            Identity::generate(),
        );
        let slots = [slot(&root, &other), slot(&root, &mine)];
        let identities = [Identity::generate(), mine.clone()];
        let opened = try_identities(&slots, &identities, Ask::Never).unwrap();
        assert_eq!(opened.unwrap().1.recipient, mine.name());
    }

    #[test]
    fn a_foreign_identity_is_wrong_and_a_broken_slot_is_tampered() {
        let (root, mine) = (RootKey::generate().unwrap(), Identity::generate());
        let mut slot = slot(&root, &mine);
        let foreign = [Identity::generate()];
        let wrong = try_identities(std::slice::from_ref(&slot), &foreign, Ask::Never).unwrap();
        assert!(matches!(wrong, Err(KeyError::Wrong { .. })));
        let other = Identity::generate().recipient().unwrap();
        slot.wrapped = root.wrap(&other, None).unwrap();
        let tampered = try_identities(&[slot], &[mine], Ask::Never);
        assert!(matches!(tampered, Err(Error::Tampered { .. })));
    }
}
