//! Whether a recovery code is of use, before anybody types one.

use mcplexer_secrets::{Error as StoreError, SlotInfo, SlotKind};

use super::Error;

/// Checks that a store can be recovered, and that it is clear which key is lost. `lost` is its
/// label, or its recipient or the beginning of that.
///
/// # Errors
/// - [`Error::NoRecoveryCode`] if the store has none.
/// - [`StoreError::SlotNotFound`] if no key is called `lost`.
/// - [`Error::WhichLost`] if there are several.
pub fn check_recoverable(slots: &[SlotInfo], lost: Option<&str>) -> Result<(), Error> {
    if !slots.iter().any(|slot| slot.kind == SlotKind::Recovery) {
        return Err(Error::NoRecoveryCode);
    }
    let keys = slots.iter().filter(|slot| slot.kind == SlotKind::Key);
    let keys: Vec<_> = keys
        .map(|slot| (slot.label.as_str(), slot.recipient.as_str()))
        .collect();
    check(&keys, lost)
}

/// `keys` are labels and recipients.
fn check(keys: &[(&str, &str)], lost: Option<&str>) -> Result<(), Error> {
    let meant: Vec<_> = match lost {
        None => keys.to_vec(),
        Some(lost) => match keys
            .iter()
            .find(|(label, it)| *label == lost || *it == lost)
        {
            Some(key) => vec![*key],
            None => {
                let begins = |(_, recipient): &&(&str, &str)| recipient.starts_with(lost);
                keys.iter().filter(begins).copied().collect()
            }
        },
    };
    match (lost, meant.as_slice()) {
        (None, []) | (_, [_]) => Ok(()),
        (Some(lost), []) => Err(StoreError::SlotNotFound {
            slot: lost.to_owned(),
        }
        .into()),
        (_, several) => Err(Error::WhichLost(StoreError::SlotAmbiguous {
            labels: several
                .iter()
                .map(|(label, _)| (*label).to_owned())
                .collect(),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [(&str, &str); 3] = [("ann", "age1abc"), ("bob", "age1abd"), ("age1ab", "age1x")];

    #[test]
    fn the_lost_key_must_be_clear() {
        assert!(check(&[], None).is_ok());
        assert!(check(&KEYS[..1], None).is_ok());
        assert!(matches!(check(&KEYS, None), Err(Error::WhichLost(_))));
        for clear in ["ann", "age1abd", "age1abc", "age1x"] {
            assert!(check(&KEYS, Some(clear)).is_ok(), "{clear}");
        }
        assert!(check(&KEYS, Some("age1ab")).is_ok(), "a label goes first");
        assert!(matches!(
            check(&KEYS[..2], Some("age1ab")),
            Err(Error::WhichLost(_))
        ));
        assert!(matches!(check(&KEYS, Some("carl")), Err(Error::Store(_))));
    }

    #[test]
    fn without_a_code_there_is_nothing_to_recover() {
        assert!(matches!(
            check_recoverable(&[], None),
            Err(Error::NoRecoveryCode)
        ));
    }
}
