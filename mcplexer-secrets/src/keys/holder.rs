//! Identities whose private key stays elsewhere.

use auto_impl::auto_impl;
use std::cell::RefCell;
use std::fmt;

use age::DecryptError;
use age_core::format::FileKey as AgeFileKey;
use age_core::format::Stanza as AgeStanza;
use age_core::secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::KeyError;

const FILE_KEY_LEN: usize = 16;

/// Decrypts with a private key that it never hands out: a key management service, an agent, a
/// device.
///
/// [`Identity::held_by`](super::Identity::held_by) makes an identity of it. A holder may have an
/// ordinary identity itself and call [`Identity::unwrap`](super::Identity::unwrap), or it may
/// follow the specification of the recipient it serves (for `age1…`:
/// <https://age-encryption.org/v1>, section "The X25519 recipient type").
#[auto_impl(Arc, Box)]
pub trait KeyHolder: fmt::Debug + Send + Sync {
    /// Decrypts the file key in a stanza. `None` means that the stanza is for another key.
    ///
    /// # Errors
    /// [`KeyError`] if the holder cannot be reached, or refuses. The store then stays locked.
    fn unwrap(&self, stanza: &Stanza<'_>) -> Result<Option<FileKey>, KeyError>;
}

/// A recipient stanza of an age file: a file key, encrypted to one recipient.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Stanza<'a> {
    /// The type of recipient, such as `X25519`.
    pub tag: &'a str,
    /// Further data for the holder of the key, such as an ephemeral public key.
    pub args: &'a [String],
    /// The encrypted file key.
    pub body: &'a [u8],
}

impl<'a> Stanza<'a> {
    /// Creates a stanza from its parts, for example as an agent received them.
    #[must_use]
    pub fn new(tag: &'a str, args: &'a [String], body: &'a [u8]) -> Self {
        Self { tag, args, body }
    }

    pub(super) fn to_age(self) -> AgeStanza {
        AgeStanza {
            tag: self.tag.to_owned(),
            args: self.args.to_vec(),
            body: self.body.to_vec(),
        }
    }
}

/// The key of an age file: 16 bytes, wiped when dropped. `Debug` shows nothing of it.
pub struct FileKey(Box<Zeroizing<[u8; FILE_KEY_LEN]>>);

impl FileKey {
    /// Copies these bytes. The caller wipes the original.
    #[must_use]
    pub fn copy_of(bytes: &[u8; 16]) -> Self {
        let mut key = Box::new(Zeroizing::new([0; FILE_KEY_LEN]));
        key.copy_from_slice(bytes);
        Self(key)
    }

    /// Returns the bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8; 16] {
        &self.0
    }

    pub(super) fn of_age(key: &AgeFileKey) -> Self {
        Self::copy_of(key.expose_secret())
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey([REDACTED])")
    }
}

/// A holder as an identity of the age crate. It keeps the holder's failure, because age's error
/// type cannot.
pub(super) struct Held<'a> {
    holder: &'a dyn KeyHolder,
    failure: RefCell<Option<KeyError>>,
}

impl<'a> Held<'a> {
    pub(super) fn new(holder: &'a dyn KeyHolder) -> Self {
        Self {
            holder,
            failure: RefCell::default(),
        }
    }

    /// Returns why the holder failed, if it did.
    pub(super) fn into_failure(self) -> Option<KeyError> {
        self.failure.into_inner()
    }
}

impl age::Identity for Held<'_> {
    fn unwrap_stanza(&self, stanza: &AgeStanza) -> Option<Result<AgeFileKey, DecryptError>> {
        let stanza = Stanza::new(&stanza.tag, &stanza.args, &stanza.body);
        match self.holder.unwrap(&stanza) {
            Ok(key) => key.map(|key| {
                Ok(AgeFileKey::init_with_mut(|bytes| {
                    bytes.copy_from_slice(key.expose());
                }))
            }),
            Err(error) => {
                self.failure.replace(Some(error));
                Some(Err(DecryptError::KeyDecryptionFailed))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_key() {
        let key = FileKey::copy_of(&[0x5A; 16]);
        insta::assert_snapshot!(format!("{key:?}"), @"FileKey([REDACTED])");
    }
}
