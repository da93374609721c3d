//! Where the identities that open a store come from.
//!
//! A [`KeyProvider`] yields [`Identity`]s; it is the only thing that sees key files, environment
//! variables and passphrases.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use age::secrecy::ExposeSecret;
use zeroize::Zeroizing;

mod env;
mod file;
mod fixed;

pub use env::EnvKeys;
pub use file::{FileKeys, PassphraseRequest};
pub use fixed::FixedKeys;

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
}

impl<T: KeyProvider + ?Sized> KeyProvider for Arc<T> {
    fn identities(&self, ask: Ask) -> Result<Vec<Identity>, KeyError> {
        (**self).identities(ask)
    }

    fn identities_for_new_store(&self) -> Result<Vec<Identity>, KeyError> {
        (**self).identities_for_new_store()
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

/// An age X25519 identity: a private key. Wiped when dropped; `Debug` shows only its recipient.
#[derive(Clone)]
pub struct Identity(pub(crate) age::x25519::Identity);

impl Identity {
    /// A new random identity.
    #[must_use]
    pub fn generate() -> Self {
        Self(age::x25519::Identity::generate())
    }

    /// Reads one identity from its text form, `AGE-SECRET-KEY-1…`.
    ///
    /// # Errors
    /// `None` if it is not one; the text is not repeated.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    /// Reads the text of an age key file: one identity a line, empty lines and lines that begin
    /// with `#` aside.
    ///
    /// # Errors
    /// [`InvalidKeyText`] names the first line that is none of these.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, InvalidKeyText> {
        let mut identities = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let identity = Self::parse(line).ok_or(InvalidKeyText::Line(index + 1))?;
            identities.push(identity);
        }
        if identities.is_empty() {
            return Err(InvalidKeyText::NoIdentity);
        }
        Ok(identities)
    }

    /// The public key in its text form, `age1…`.
    #[must_use]
    pub fn recipient(&self) -> String {
        self.0.to_public().to_string()
    }

    /// The private key in its text form, wiped when dropped.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.to_string().expose_secret().to_owned())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.recipient())
    }
}

/// Why a text is not that of an age key file. Nothing of it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKeyText {
    /// This line, counted from 1, is no identity, comment or empty line.
    #[error("line {0} is not an age identity (AGE-SECRET-KEY-1…)")]
    Line(usize),
    /// There are only comments and empty lines.
    #[error("it holds no age identity")]
    NoIdentity,
    /// It is not UTF-8.
    #[error("it is not text")]
    NotText,
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
        /// The recipients of the identities that were tried.
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
    /// The environment variable is not set.
    #[error("{variable} is not set")]
    NotSet {
        /// The variable.
        variable: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str =
        "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";

    #[test]
    fn debug_shows_the_recipient_only() {
        let identity = Identity::parse(SECRET).unwrap();
        insta::assert_snapshot!(format!("{identity:?}"), @"Identity(age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa)");
    }

    #[test]
    fn a_key_file_may_hold_several_identities_and_comments() {
        let other = Identity::generate();
        let text = format!("# mine\r\n{SECRET}\r\n\n  {}  \n", *other.to_text());
        let identities = Identity::parse_all(&text).unwrap();
        let recipients: Vec<_> = identities.iter().map(Identity::recipient).collect();
        assert_eq!(recipients[1], other.recipient());
        assert_eq!(recipients.len(), 2);
    }

    #[test]
    fn a_bad_line_is_named_by_its_number_only() {
        let error = Identity::parse_all("# x\nAGE-SECRET-KEY-1OOPS\n").unwrap_err();
        assert_eq!(error, InvalidKeyText::Line(2));
        assert!(!error.to_string().contains("OOPS"));
        assert_eq!(
            Identity::parse_all("# nothing\n").unwrap_err(),
            InvalidKeyText::NoIdentity
        );
    }
}
