//! The sources of the identities that open a store.
//!
//! A [`KeyProvider`] returns [`Identity`]s. Only providers see key files, environment variables and
//! passphrases. A provider that can store a new identity is also a [`KeyWriter`], and one that can
//! ask a person has a [`Prompter`]. A [`KeyHolder`] gives access to a key that cannot be read, such
//! as one in a key management service or an agent.

use auto_impl::auto_impl;
use std::fmt;
use std::sync::Arc;

mod agreement;
mod error;
mod file;
mod fixed;
mod form;
mod holder;
mod identity;
mod key_text;
pub(crate) mod passphrase;
mod person;
mod pins;
#[cfg(feature = "plugin")]
mod plugin;
#[cfg(not(feature = "plugin"))]
#[path = "keys/no_plugin.rs"]
mod plugin;
mod recipient;
mod recovery;
mod slot;
#[cfg(feature = "ssh")]
mod ssh;
#[cfg(not(feature = "ssh"))]
#[path = "keys/no_ssh.rs"]
mod ssh;

pub use error::{InvalidKeyText, KeyError, KeyErrorKind, ProviderError};
pub use file::{FileKeys, KeyFileError};
pub use fixed::FixedKeys;
pub(crate) use form::begun;
pub use holder::{FileKey, KeyHolder, Stanza};
pub use identity::Identity;
pub use person::{About, PassphraseRequest, Prompter};
pub(crate) use person::{Asking, Person};
pub use pins::Pins;
pub use recipient::{InvalidRecipient, Recipient};
pub use recovery::{InvalidRecoveryCode, RecoveryCode};
pub use slot::{InvalidLabel, SlotLabel, SlotRef};

/// Provides the identities that may open a store.
#[auto_impl(Arc, Box)]
pub trait KeyProvider: fmt::Debug + Send + Sync {
    /// Returns the identities to try, in order. With [`Ask::Never`], it must not ask for a
    /// passphrase.
    ///
    /// # Errors
    /// [`KeyError`] if there are none. Its [`kind`](KeyError::kind) says whether the store may be
    /// opened in another way.
    fn identities(&self, ask: Ask) -> Result<Vec<Identity>, KeyError>;

    /// Returns what stores new identities; `None` if this provider cannot.
    fn writer(&self) -> Option<&dyn KeyWriter> {
        None
    }

    /// Returns the prompter that asks a person for passphrases and shows a plugin's messages;
    /// `None` if no person can be asked.
    fn prompter(&self) -> Option<Arc<dyn Prompter>> {
        None
    }
}

/// Stores identities durably, and replaces one with another.
pub trait KeyWriter: Send + Sync {
    /// Returns the identities for a **new** store, and creates one if there are none yet. The store never
    /// calls this once it exists.
    ///
    /// # Errors
    /// [`KeyError`] if a new identity cannot be stored.
    fn identities_for_new_store(&self) -> Result<Vec<Identity>, KeyError>;

    /// Creates an identity to replace the one of the recipient `old`, and stores it durably beside
    /// the others. If an earlier replacement of `old` was interrupted, returns the identity created
    /// then.
    ///
    /// # Errors
    /// * [`KeyError::NotReplaceable`] if the identities here cannot be replaced.
    /// * Another [`KeyError`] if the new identity cannot be stored.
    fn begin_replacement(&self, old: &Recipient) -> Result<Identity, KeyError>;

    /// Removes the identity of the recipient `gone` durably: the old identity after the store has
    /// moved to the new one, or the new identity if the store has not moved. An identity that was
    /// created elsewhere may be kept.
    ///
    /// # Errors
    /// [`KeyError`] if the removal cannot be stored.
    fn end_replacement(&self, gone: &Recipient) -> Result<(), KeyError>;

    /// Returns the replacements that were begun but not finished.
    ///
    /// # Errors
    /// As [`KeyProvider::identities`].
    fn unfinished(&self, ask: Ask) -> Result<Vec<Unfinished>, KeyError>;
}

/// A replacement that was begun but not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The recipient of the new identity.
    pub new: Recipient,
    /// The recipient of the identity that it was to replace.
    pub old: Recipient,
}

/// Whether a provider may ask a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ask {
    /// It may ask.
    Allowed,
    /// It must not ask.
    Never,
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
