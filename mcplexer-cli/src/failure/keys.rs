//! Advice on keys and on who opens the store.

use std::io::ErrorKind;
use std::path::Path;

use mcplexer_secrets::Error;
use mcplexer_secrets::keys::{InvalidKeyText, KeyError};

use crate::output::shown;

/// The key file whose passphrase nobody gave, if that is what failed.
pub(super) fn unanswered(error: &Error) -> Option<&Path> {
    match error {
        Error::Key(KeyError::PassphraseNeeded { path })
        | Error::Locked {
            reason: KeyError::PassphraseNeeded { path },
            ..
        } => Some(path),
        _ => None,
    }
}

/// What to do about a key that cannot be used.
pub(super) fn hint(reason: &KeyError) -> Option<String> {
    let hint = match reason {
        KeyError::Exposed { path, .. } => return Some(format!("chmod 600 {}", shown(path))),
        KeyError::ForeignOwner { path, .. } => {
            return Some(format!("make a copy of {} that you own", shown(path)));
        }
        KeyError::Unreadable { path, .. } => {
            return Some(format!(
                "check that {} is a file that you can read; MCPLEXER_AGE_KEY names another",
                shown(path)
            ));
        }
        KeyError::NoPlugin { name } => {
            return Some(format!(
                "install age-plugin-{name}, or remove its keys: mcplexer key list"
            ));
        }
        KeyError::PassphraseNeeded { .. } => {
            "run this in a terminal, or give an identity in MCPLEXER_AGE_IDENTITY"
        }
        KeyError::PassphraseWrong { .. } => "try again; MCPLEXER_AGE_KEY names another key file",
        KeyError::NotReplaceable { .. } => {
            "mcplexer key rotate --keep-identity re-encrypts the store only; or mcplexer key add a new key, and remove this one"
        }
        KeyError::NotCreated { source, .. } if source.kind() == ErrorKind::StorageFull => {
            "make room on the disk and try again; nothing was changed"
        }
        KeyError::NotCreated { .. } => "MCPLEXER_AGE_KEY names another place for the key",
        KeyError::NotDropped { .. } => "make the file writable, and run mcplexer key rotate again",
        KeyError::Plugin { .. } => {
            "check that the device is connected; run this in a terminal to be asked for its PIN"
        }
        KeyError::NoRecipient { .. } => {
            "create the store with a plain age key first, then mcplexer key add the plugin's recipient"
        }
        KeyError::NotEncrypted { .. } => "mcplexer key list shows the keys that open the store",
        KeyError::RecoveryCodeWrong => {
            "check that it is the newest code of this store: mcplexer key list shows when it was created"
        }
        KeyError::Invalid {
            reason: InvalidKeyText::Public,
            ..
        } => {
            "name the file of the private key with MCPLEXER_AGE_KEY or --identity; for an SSH key, the one without .pub"
        }
        KeyError::Invalid { .. } | KeyError::NotByPassphrase { .. } => {
            "a key file holds AGE-SECRET-KEY-1… lines, as age-keygen writes them, is encrypted with age -p, or is an SSH private key"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// What to do about a key that was named and does not fit.
pub(super) fn slots(error: &Error) -> String {
    let hint = match error {
        Error::SlotNotFound { .. } | Error::SlotExists { .. } | Error::SlotsFull => {
            "mcplexer key list shows the keys that open the store"
        }
        Error::SlotAmbiguous { .. } => "name one by its label; mcplexer key list shows them",
        Error::LastSlot { .. } => "mcplexer key add adds another key first",
        Error::OwnSlot { .. } => "--force removes it anyway",
        Error::InvalidLabel => "--label gives another",
        _ => "",
    };
    hint.to_owned()
}
