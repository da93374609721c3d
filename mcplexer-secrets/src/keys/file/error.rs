use std::io;
use std::path::PathBuf;

use crate::keys::{InvalidKeyText, KeyError, KeyErrorKind};
use crate::seal::MAX_WORK_FACTOR;

/// Why the identities of a key file cannot be used or stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It does not exist.
    #[error("{path} does not exist", path = .path.display())]
    Missing {
        /// The key file.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("cannot read {path}", path = .path.display())]
    Unreadable {
        /// The key file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others can read it, so it is not used.
    #[error("{path} is open to others (mode {mode:04o})", path = .path.display())]
    Exposed {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to another user, so it is not used.
    #[error("{path} belongs to another user (uid {owner})", path = .path.display())]
    ForeignOwner {
        /// The key file.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// Its content is not valid.
    #[error("{path} is not a key file: {reason}", path = .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: InvalidKeyText,
    },
    /// It is an age file, but was not encrypted with a passphrase, or is damaged.
    #[error("{path} is an encrypted file that no passphrase opens", path = .path.display())]
    NotByPassphrase {
        /// The key file.
        path: PathBuf,
    },
    /// Trying a passphrase would take too much time and memory.
    #[error(
        "{path} takes a scrypt work factor of {factor}, and {MAX_WORK_FACTOR} is the most that is tried",
        path = .path.display()
    )]
    TooMuchWork {
        /// The key file.
        path: PathBuf,
        /// The binary logarithm of its cost.
        factor: u8,
    },
    /// It needs a passphrase, and nobody could be asked for it.
    #[error("{path} needs a passphrase, and there is no way to ask for it", path = .path.display())]
    PassphraseNeeded {
        /// The key file.
        path: PathBuf,
    },
    /// The passphrase was wrong each time.
    #[error("wrong passphrase for {path}", path = .path.display())]
    PassphraseWrong {
        /// The key file.
        path: PathBuf,
    },
    /// A new key could not be written.
    #[error("cannot write a new key to {path}", path = .path.display())]
    NotCreated {
        /// The key file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The store has moved to a new key, but the old one is still in the file.
    #[error("the store is re-keyed, but {path} still holds the old key", path = .path.display())]
    NotDropped {
        /// The key file.
        path: PathBuf,
        /// Why it could not be written.
        source: io::Error,
    },
}

impl From<KeyFileError> for KeyError {
    fn from(error: KeyFileError) -> Self {
        let kind = match &error {
            KeyFileError::Missing { .. } => KeyErrorKind::Absent,
            KeyFileError::NotCreated { source, .. } | KeyFileError::NotDropped { source, .. }
                if source.kind() == io::ErrorKind::StorageFull =>
            {
                KeyErrorKind::NoSpace
            }
            _ => KeyErrorKind::Unusable,
        };
        Self::provider(kind, error)
    }
}
