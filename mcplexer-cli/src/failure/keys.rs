//! Advice on keys and their owners.

use std::io::ErrorKind;
use std::path::Path;

use mcplexer_home::EnvKeyError;
use mcplexer_secrets::Error;
use mcplexer_secrets::keys::{InvalidKeyText, KeyError, KeyFileError};

use crate::text::{shown, typed};

/// Returns the key file whose passphrase was not given, if that is the failure.
pub(super) fn unanswered(error: &Error) -> Option<&Path> {
    let (Error::Key(reason) | Error::Locked { reason, .. }) = error else {
        return None;
    };
    match reason.reason() {
        Some(KeyFileError::PassphraseNeeded { path }) => Some(path),
        _ => None,
    }
}

/// The kinds of key file, as advice.
const KEY_FILE: &str = "a key file holds AGE-SECRET-KEY-1… lines, as age-keygen writes them, is encrypted with age -p, or is an SSH private key";

/// What to use in the place of an SSH key that cannot open a store.
pub(crate) const OTHER_KEY: &str =
    "ssh-keygen -t ed25519 makes a key that can, and so does age-keygen";

/// Returns what to do about a key that cannot be used.
pub(super) fn hint(reason: &KeyError) -> Option<String> {
    if let Some(error) = reason.reason() {
        return file(error);
    }
    if let Some(EnvKeyError::Invalid { .. }) = reason.reason() {
        return Some(KEY_FILE.to_owned());
    }
    let hint = match reason {
        KeyError::NoPlugin { name } => {
            return Some(format!(
                "install age-plugin-{name}, or remove its keys: mcplexer key list"
            ));
        }
        KeyError::PluginDebug { .. } => "unset AGEDEBUG",
        KeyError::NotReplaceable { .. } => {
            "mcplexer key rotate --keep-identity re-encrypts the store only; or mcplexer key add a new key, and remove this one"
        }
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
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Returns what to do about a key file.
fn file(error: &KeyFileError) -> Option<String> {
    let hint = match error {
        KeyFileError::Exposed { path, .. } => return Some(format!("chmod 600 {}", typed(path))),
        KeyFileError::ForeignOwner { path, .. } => {
            return Some(format!("make a copy of {} that you own", shown(path)));
        }
        KeyFileError::Unreadable { path, .. } => {
            return Some(format!(
                "check that {} is a file that you can read; MCPLEXER_AGE_KEY names another",
                shown(path)
            ));
        }
        KeyFileError::Invalid {
            path,
            reason: InvalidKeyText::SshRounds(_),
        } => return Some(format!("ssh-keygen -p -a 16 -f {}", shown(path))),
        KeyFileError::Invalid {
            path,
            reason: InvalidKeyText::SshOldFormat | InvalidKeyText::SshCipher,
        } => return Some(format!("ssh-keygen -p -f {} rewrites it", shown(path))),
        KeyFileError::Invalid {
            reason: InvalidKeyText::Ssh(_),
            ..
        } => OTHER_KEY,
        KeyFileError::TooMuchWork { .. } => {
            "encrypt the key again with age -p, on a machine that can open it"
        }
        KeyFileError::PassphraseNeeded { .. } => {
            "run this in a terminal, or give an identity in MCPLEXER_AGE_IDENTITY"
        }
        KeyFileError::PassphraseWrong { .. } => {
            "try again; MCPLEXER_AGE_KEY names another key file"
        }
        KeyFileError::NotCreated { source, .. } if source.kind() == ErrorKind::StorageFull => {
            "make room on the disk and try again; nothing was changed"
        }
        KeyFileError::NotCreated { .. } => "MCPLEXER_AGE_KEY names another place for the key",
        KeyFileError::NotDropped { .. } => {
            "make the file writable, and run mcplexer key rotate again"
        }
        KeyFileError::Invalid {
            reason: InvalidKeyText::Public,
            ..
        } => {
            "name the file of the private key with MCPLEXER_AGE_KEY or --identity; for an SSH key, the one without .pub"
        }
        KeyFileError::Invalid { .. } | KeyFileError::NotByPassphrase { .. } => KEY_FILE,
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Returns what to do about a slot that was not found, or cannot be used.
pub(super) fn slots(error: &Error) -> String {
    let hint = match error {
        Error::SlotNotFound { .. } | Error::SlotExists { .. } | Error::SlotsFull => {
            "mcplexer key list shows the keys that open the store"
        }
        Error::LabelTaken { .. } => "choose another with --label; mcplexer key list shows them",
        Error::SlotAmbiguous { .. } => "name one by its label; mcplexer key list shows them",
        Error::LastSlot { .. } => "mcplexer key add adds another key first",
        Error::OwnSlot { .. } => "--force removes it anyway",
        Error::InvalidLabel(_) => "--label gives another",
        _ => "",
    };
    hint.to_owned()
}
