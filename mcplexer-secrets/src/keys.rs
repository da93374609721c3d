//! Where the identities that open a store come from.
//!
//! A [`KeyProvider`] yields [`Identity`]s; it is the only thing that sees key files, environment
//! variables and passphrases.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::SecretValue;

mod file;
mod fixed;
mod identity;
mod key_text;
mod person;
mod recipient;
mod recovery;

pub use file::FileKeys;
pub use fixed::FixedKeys;
pub use identity::Identity;
pub(crate) use person::Person;
pub use person::{About, PassphraseRequest, Prompter};
pub use recipient::{InvalidRecipient, Recipient};
pub use recovery::{InvalidRecoveryCode, RecoveryCode};

/// Yields the identities that may open a store.
pub trait KeyProvider: fmt::Debug + Send + Sync {
    /// The identities to try, in order. With [`Ask::Never`] nobody is asked for a passphrase.
    ///
    /// # Errors
    /// [`KeyError`] if there is none to be had.
    fn identities(&self, ask: Ask) -> Result<Vec<Identity>, KeyError>;

    /// The identities that a **new** store is made for, making one if there is none yet. It is
    /// never called for a store that exists.
    ///
    /// # Errors
    /// [`KeyError`] if there is none to be had, or a new one cannot be kept safely.
    fn identities_for_new_store(&self) -> Result<Vec<Identity>, KeyError> {
        self.identities(Ask::Allowed)
    }

    /// Makes an identity that is to take the place of the one with the recipient `old`, and keeps
    /// it, durably, beside those that are there. If a rotation was cut short, it is the identity
    /// that was made then.
    ///
    /// # Errors
    /// [`KeyError::NotReplaceable`] if this provider keeps no identities, or
    /// [`KeyError::NotCreated`] if it cannot be written.
    fn begin_replacement(&self, _old: &str) -> Result<Identity, KeyError> {
        Err(KeyError::NotReplaceable {
            origin: "the identity".to_owned(),
        })
    }

    /// Drops the identity with this recipient, durably: the old one when the store has moved to
    /// the new one, or the new one when it has not. One that was not made by
    /// [`begin_replacement`](Self::begin_replacement) or for a new store may be kept.
    ///
    /// # Errors
    /// [`KeyError::NotDropped`] if that cannot be written.
    fn end_replacement(&self, _gone: &str) -> Result<(), KeyError> {
        Ok(())
    }

    /// The identities that an interrupted replacement has left behind: the recipient of each, and
    /// of the one whose place it was to take.
    ///
    /// # Errors
    /// As [`identities`](Self::identities).
    fn unfinished(&self, _ask: Ask) -> Result<Vec<(String, String)>, KeyError> {
        Ok(Vec::new())
    }

    /// Asks for a passphrase; `None` if there is nobody to ask.
    fn passphrase(&self, _request: &PassphraseRequest<'_>) -> Option<SecretValue> {
        None
    }

    /// Whom a plugin may talk to while something is encrypted to its recipient; nobody, by default.
    fn person(&self) -> Option<Arc<dyn Prompter>> {
        None
    }
}

/// For [`fuzzing`](crate::fuzzing).
#[cfg(feature = "fuzzing")]
pub(crate) fn edit_key_text(text: &str) {
    let new = Identity::generate();
    for old in ["age1old".to_owned(), new.name()] {
        let during = key_text::with(text, &new, &old);
        let begun = key_text::replacement_of(&during, &old);
        assert!(begun.is_some_and(|begun| begun.name() == new.name()));
        assert!(*key_text::without(&during, &new.name()) == text, "changed");
    }
}

impl<T: KeyProvider + ?Sized> KeyProvider for Arc<T> {
    fn identities(&self, ask: Ask) -> Result<Vec<Identity>, KeyError> {
        (**self).identities(ask)
    }

    fn identities_for_new_store(&self) -> Result<Vec<Identity>, KeyError> {
        (**self).identities_for_new_store()
    }

    fn begin_replacement(&self, old: &str) -> Result<Identity, KeyError> {
        (**self).begin_replacement(old)
    }

    fn end_replacement(&self, gone: &str) -> Result<(), KeyError> {
        (**self).end_replacement(gone)
    }

    fn unfinished(&self, ask: Ask) -> Result<Vec<(String, String)>, KeyError> {
        (**self).unfinished(ask)
    }

    fn passphrase(&self, request: &PassphraseRequest<'_>) -> Option<SecretValue> {
        (**self).passphrase(request)
    }

    fn person(&self) -> Option<Arc<dyn Prompter>> {
        (**self).person()
    }
}

/// Whether a provider may ask a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ask {
    /// It may.
    Allowed,
    /// It must answer from what is at hand.
    Never,
}

/// Why a text is not that of an age key file. Nothing of it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKeyText {
    /// This line, counted from 1, is no identity, comment or empty line.
    #[error("line {0} is not an age identity (AGE-SECRET-KEY-1… or AGE-PLUGIN-…)")]
    Line(usize),
    /// It begins like an SSH private key, and is none that age can use.
    #[error(
        "only ssh-ed25519 and ssh-rsa keys, in OpenSSH's own format if they have a passphrase, can open a store"
    )]
    Ssh,
    /// It is an SSH private key with a passphrase, where nobody can be asked for one.
    #[error("it is encrypted")]
    Encrypted,
    /// There are only comments and empty lines.
    #[error("it holds no age identity")]
    NoIdentity,
    /// It is not UTF-8.
    #[error("it is not text")]
    NotText,
    /// It is the public half of a key.
    #[error("it is a public key")]
    Public,
}

/// Why there is no usable key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key file does not exist.
    #[error("{path} does not exist", path = .path.display())]
    Missing {
        /// The path tried.
        path: PathBuf,
    },
    /// The key file cannot be read.
    #[error("cannot read {path}", path = .path.display())]
    Unreadable {
        /// The path tried.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Others can read the key file, so it is not used.
    #[error("{path} is open to others (mode {mode:04o})", path = .path.display())]
    Exposed {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key file belongs to another user, so it is not used.
    #[error("{path} belongs to another user (uid {owner})", path = .path.display())]
    ForeignOwner {
        /// The key file.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// What should hold identities does not.
    #[error("{origin} is not a key file: {reason}")]
    Invalid {
        /// The path or the variable.
        origin: String,
        /// What is wrong with it.
        reason: InvalidKeyText,
    },
    /// The key file is an age file, but not one made with a passphrase, or damaged.
    #[error("{path} is an encrypted file that no passphrase opens", path = .path.display())]
    NotByPassphrase {
        /// The key file.
        path: PathBuf,
    },
    /// The key file has a passphrase and nobody could be asked for it.
    #[error("{path} has a passphrase, and there is nobody to ask for it", path = .path.display())]
    PassphraseNeeded {
        /// The key file.
        path: PathBuf,
    },
    /// The passphrase given was wrong each time.
    #[error("wrong passphrase for {path}", path = .path.display())]
    PassphraseWrong {
        /// The key file.
        path: PathBuf,
    },
    /// None of the identities opens a slot of the store.
    #[error("{tried} is another key", tried = .recipients.join(", "))]
    Wrong {
        /// What the identities that were tried are called.
        recipients: Vec<String>,
    },
    /// The provider has none.
    #[error("there is no identity to use")]
    NoIdentity,
    /// A new key could not be written, so no store was made.
    #[error("cannot write a new key to {path}", path = .path.display())]
    NotCreated {
        /// Where it was to be.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The identity cannot be replaced by another: it is an SSH key, belongs to a plugin, or comes
    /// from the environment.
    #[error("{origin} cannot be replaced by a new identity here")]
    NotReplaceable {
        /// The path, the variable, or what opened the store.
        origin: String,
    },
    /// The store is re-keyed, but an identity it no longer needs is still in the key file.
    #[error("the store is re-keyed, but {path} still holds the old key", path = .path.display())]
    NotDropped {
        /// The key file.
        path: PathBuf,
        /// Why it could not be written.
        source: std::io::Error,
    },
    /// The program for a plugin's recipients and identities is not installed.
    #[error("age-plugin-{name} is not in PATH")]
    NoPlugin {
        /// The name of the plugin.
        name: String,
    },
    /// A plugin could not open a slot.
    #[error("age-plugin-{name} failed: {reason}")]
    Plugin {
        /// The name of the plugin.
        name: String,
        /// What it says.
        reason: String,
    },
    /// A plugin's identity does not tell whom to encrypt to.
    #[error("{name} does not name its recipient")]
    NoRecipient {
        /// What it is called.
        name: String,
    },
    /// The root key could not be encrypted to a recipient.
    #[error("cannot encrypt to {recipient}: {reason}")]
    NotEncrypted {
        /// The recipient.
        recipient: String,
        /// Why not.
        reason: String,
    },
    /// The store has no recovery code, or another one.
    #[error("this recovery code does not open the store")]
    RecoveryCodeWrong,
    /// The environment variable is not set.
    #[error("{variable} is not set")]
    NotSet {
        /// The variable.
        variable: &'static str,
    },
}
