//! Whether a recovery code is of use, before anybody types one.

use mcplexer_secrets::keys::SlotRef;
use mcplexer_secrets::{Error as StoreError, SlotInfo, SlotKind};

use super::Error;

/// Checks that a store can be recovered, and that it is clear which key is lost.
///
/// # Errors
/// - [`Error::NoRecoveryCode`] if the store has none.
/// - [`StoreError::SlotNotFound`] if no key is called `lost`.
/// - [`Error::WhichLost`] if there are several.
pub fn check_recoverable(slots: &[SlotInfo], lost: Option<&SlotRef>) -> Result<(), Error> {
    if !slots.iter().any(|slot| slot.kind == SlotKind::Recovery) {
        return Err(Error::NoRecoveryCode);
    }
    let keys = slots.iter().filter(|slot| slot.kind == SlotKind::Key);
    let keys: Vec<_> = keys.cloned().collect();
    let found = match lost {
        Some(lost) => lost.find(&keys).map(drop),
        None if keys.len() > 1 => Err(StoreError::SlotAmbiguous {
            labels: keys.into_iter().map(|slot| slot.label).collect(),
        }),
        None => Ok(()),
    };
    found.map_err(|error| match error {
        StoreError::SlotAmbiguous { .. } => Error::WhichLost(error),
        error => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use mcplexer_secrets::Store;
    use mcplexer_secrets::keys::{FixedKeys, Identity};

    use super::*;

    #[test]
    fn a_lost_key_is_named_if_there_are_several() {
        let store = Store::in_memory(FixedKeys::generate()).unwrap();
        store.init().unwrap();
        let check = |lost: Option<&str>| {
            let lost = lost.map(SlotRef::new);
            check_recoverable(&store.slots().unwrap(), lost.as_ref())
        };
        assert!(matches!(check(None), Err(Error::NoRecoveryCode)));
        store.add_recovery_code().unwrap();
        check(None).unwrap();
        let recipient = Identity::generate().recipient().unwrap();
        let bob = "bob".parse().unwrap();
        store.add_recipient(&recipient, Some(&bob)).unwrap();
        assert!(matches!(check(None), Err(Error::WhichLost(_))));
        check(Some("bob")).unwrap();
        check(Some(&recipient.to_string())).unwrap();
        let missing = check(Some("carol"));
        assert!(matches!(
            missing,
            Err(Error::Store(StoreError::SlotNotFound { .. }))
        ));
    }
}
