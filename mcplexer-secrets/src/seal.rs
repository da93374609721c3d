//! Sealing: age files encrypted with a symmetric key and bound to their place.
//!
//! A sealed record is an age v1 file (<https://age-encryption.org/v1>) with a recipient stanza of
//! our own:
//!
//! ```text
//! -> mcplexer-seal SALT
//! BODY
//! ```
//!
//! `SALT` is 16 random bytes in base64 without padding. `BODY` is the file key, encrypted like that
//! of other age stanzas (ChaCha20-Poly1305, RFC 8439, zero nonce) under the wrap key
//! `HKDF-SHA-256(ikm = parent key, salt = SALT, info = "mcplexer-secrets/v1/" ‖ context)` (RFC
//! 5869). The context is the postcard encoding of a [`Context`]: everything that the record says in
//! the clear. A record therefore no longer opens if any of that is changed.

use std::collections::HashSet;
use std::fmt;
use std::io::{Read, Write};
use std::iter;

use age::{DecryptError, Decryptor, EncryptError, Encryptor};
use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use age_core::primitives::{aead_decrypt, aead_encrypt, hkdf};
use age_core::secrecy::{ExposeSecret, SecretString};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use zeroize::Zeroizing;

use crate::Error;
use crate::keys::{Identity, KeyError, Person, Recipient};
use crate::random::fill_random;
use crate::record::Context;
use crate::stack;

const TAG: &str = "mcplexer-seal";
const INFO: &[u8] = b"mcplexer-secrets/v1/";
const SALT_LEN: usize = 16;
const KEY_LEN: usize = 32;

/// In an age file, the header ends with `--- `, a MAC of 43 characters and a line feed. Then follow
/// 16 bytes of nonce and chunks of 64 KiB, each with a tag of 16 bytes.
const MAC_LINE: &[u8] = b"\n--- ";
const MAC_LEN: usize = 43 + 1;
const NONCE_LEN: usize = 16;
const CHUNK_LEN: usize = 64 * 1024;
const TAG_LEN: usize = 16;

/// The maximum scrypt work factor, as log₂. `age` has the same default. It needs 4 GiB.
pub(crate) const MAX_WORK_FACTOR: u8 = 22;

/// 32 random bytes, wiped when dropped.
pub(crate) struct Key(Box<Zeroizing<[u8; KEY_LEN]>>);

impl Key {
    fn zero() -> Self {
        Self(Box::new(Zeroizing::new([0; KEY_LEN])))
    }

    pub(crate) fn generate() -> Result<Self, Error> {
        let mut key = Self::zero();
        fill_random(&mut **key.0)?;
        Ok(key)
    }

    /// Returns a key of exactly these bytes; `None` if they are not 32.
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut key = Self::zero();
        (bytes.len() == KEY_LEN).then(|| key.0.copy_from_slice(bytes))?;
        Some(key)
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// Derives 32 bytes from a secret for `context`: `HKDF-SHA-256(ikm = secret, salt = none, info =
    /// "mcplexer-secrets/v1/" ‖ context)` (RFC 5869).
    pub(crate) fn derive(secret: &[u8], context: &Context<'_>) -> Result<Self, Error> {
        let info = context.encode_after(INFO)?;
        Ok(stack::wiped_after(|| {
            let mut key = Self::zero();
            key.0
                .copy_from_slice(&*Zeroizing::new(hkdf(&[], &info, secret)));
            key
        }))
    }

    /// Seals this key with a root key.
    pub(crate) fn seal_with(
        &self,
        root: &RootKey,
        context: &Context<'_>,
    ) -> Result<Vec<u8>, Error> {
        seal(&root.0, context, self.bytes())
    }

    /// Opens what [`seal_with`](Self::seal_with) returned.
    pub(crate) fn open_with(root: &RootKey, context: &Context<'_>, sealed: &[u8]) -> Option<Self> {
        Self::from_bytes(&open(&root.0, context, sealed)?)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([REDACTED])")
    }
}

/// Wraps scope keys, and authenticates what the store says in the clear.
#[derive(Debug)]
pub(crate) struct RootKey(pub(crate) Key);

/// Seals the values of one scope.
#[derive(Debug)]
pub(crate) struct ScopeKey(Key);

impl RootKey {
    pub(crate) fn generate() -> Result<Self, Error> {
        Key::generate().map(Self)
    }

    /// Encrypts the root key to a recipient, as the age file that a slot holds.
    pub(crate) fn wrap(
        &self,
        recipient: &Recipient,
        person: Option<Person>,
    ) -> Result<Vec<u8>, KeyError> {
        encrypt(&*recipient.to_age(person)?, self.0.bytes())
            .map_err(|error| recipient.not_encrypted(&error))
    }

    /// Opens what [`wrap`](Self::wrap) returned. `None` if this identity does not open it.
    pub(crate) fn unwrap(wrapped: &[u8], identity: &Identity) -> Result<Option<Self>, KeyError> {
        let key = identity.decrypt_with(|identity| decrypt(identity, wrapped))?;
        Ok(key.and_then(|bytes| Key::from_bytes(&bytes)).map(Self))
    }

    /// Encrypts the key of the scope that `context` describes.
    pub(crate) fn wrap_scope_key(
        &self,
        key: &ScopeKey,
        context: &Context<'_>,
    ) -> Result<Vec<u8>, Error> {
        seal(&self.0, context, key.0.bytes())
    }

    pub(crate) fn unwrap_scope_key(
        &self,
        wrapped: &[u8],
        context: &Context<'_>,
    ) -> Option<ScopeKey> {
        Key::from_bytes(&open(&self.0, context, wrapped)?).map(ScopeKey)
    }

    /// Seals a text, mostly an empty one. If it opens, the holder of the root key wrote it and `context`.
    pub(crate) fn prove(&self, context: &Context<'_>, said: &str) -> Result<Vec<u8>, Error> {
        seal(&self.0, context, said.as_bytes())
    }

    /// Computes a MAC of `context`, which only a holder of the root key can.
    pub(crate) fn mac(&self, context: &Context<'_>) -> Result<[u8; KEY_LEN], Error> {
        Key::derive(self.0.bytes(), context).map(|mac| *mac.bytes())
    }

    /// Opens a proof of `context`, and returns the text.
    pub(crate) fn verify(&self, proof: &[u8], context: &Context<'_>) -> Option<String> {
        let said = open(&self.0, context, proof)?;
        str::from_utf8(&said).ok().map(str::to_owned)
    }
}

impl ScopeKey {
    pub(crate) fn generate() -> Result<Self, Error> {
        Key::generate().map(Self)
    }

    pub(crate) fn seal(&self, value: &[u8], context: &Context<'_>) -> Result<Vec<u8>, Error> {
        seal(&self.0, context, value)
    }

    /// Opens a value, into a buffer of exactly its size.
    pub(crate) fn open(&self, sealed: &[u8], context: &Context<'_>) -> Option<Zeroizing<Vec<u8>>> {
        open(&self.0, context, sealed)
    }
}

fn seal(parent: &Key, context: &Context<'_>, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
    encrypt(&Joint::new(parent, context)?, plaintext).map_err(|error| Error::Seal(error.into()))
}

fn open(parent: &Key, context: &Context<'_>, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    decrypt(&Joint::new(parent, context).ok()?, sealed).ok()
}

/// Encrypts an identity with a passphrase, as `age -p` would encrypt its key file.
pub(crate) fn encrypt_identity(
    identity: &Identity,
    passphrase: &SecretString,
) -> Result<Vec<u8>, Error> {
    let text = identity.to_text().unwrap_or_default();
    let recipient = age::scrypt::Recipient::new(passphrase.clone());
    encrypt(&recipient, text.as_bytes()).map_err(|error| Error::Seal(error.into()))
}

/// Opens what [`encrypt_identity`] returned. `None` if the passphrase is wrong.
pub(crate) fn decrypt_identity(sealed: &[u8], passphrase: &SecretString) -> Option<Identity> {
    let text = decrypt(&by_passphrase(passphrase.clone()), sealed).ok()?;
    Identity::parse(str::from_utf8(&text).ok()?)
}

/// Returns the age identity for a passphrase, with a fixed maximum work factor. By default, the age
/// crate measures how much work takes a second and refuses 16 times that. On a busy machine it
/// would refuse good files.
pub(crate) fn by_passphrase(passphrase: SecretString) -> age::scrypt::Identity {
    let mut identity = age::scrypt::Identity::new(passphrase);
    identity.set_max_work_factor(MAX_WORK_FACTOR);
    identity
}

fn encrypt(recipient: &dyn age::Recipient, plaintext: &[u8]) -> Result<Vec<u8>, EncryptError> {
    stack::wiped_after(|| {
        let mut sealed = Vec::with_capacity(plaintext.len() + 512);
        let encryptor = Encryptor::with_recipients(iter::once(recipient))?;
        let mut writer = encryptor.wrap_output(&mut sealed)?;
        writer.write_all(plaintext)?;
        writer.finish()?;
        Ok(sealed)
    })
}

pub(crate) fn decrypt(
    identity: &dyn age::Identity,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    let len = plaintext_len(sealed).ok_or(DecryptError::InvalidHeader)?;
    stack::wiped_after(|| {
        let decryptor = Decryptor::new_buffered(sealed)?;
        let mut reader = decryptor.decrypt(iter::once(identity))?;
        let mut plaintext = Zeroizing::new(vec![0; len]);
        reader.read_exact(&mut plaintext)?;
        // Only at the end of the file is it known that no chunk is missing.
        match reader.read(&mut [0])? {
            0 => Ok(plaintext),
            _ => Err(DecryptError::DecryptionFailed),
        }
    })
}

/// Returns the length of the plaintext of an age file, computed from its layout.
fn plaintext_len(sealed: &[u8]) -> Option<usize> {
    let header = sealed
        .windows(MAC_LINE.len())
        .position(|window| window == MAC_LINE)?;
    let payload = sealed
        .len()
        .checked_sub(header + MAC_LINE.len() + MAC_LEN + NONCE_LEN)?;
    let chunks = payload.div_ceil(CHUNK_LEN + TAG_LEN).max(1);
    payload.checked_sub(chunks * TAG_LEN)
}

/// Our recipient stanza, for encryption and decryption: a parent key and the place to which the
/// file is bound.
struct Joint<'a> {
    parent: &'a Key,
    info: Vec<u8>,
}

impl<'a> Joint<'a> {
    fn new(parent: &'a Key, context: &Context<'_>) -> Result<Self, Error> {
        let info = context.encode_after(INFO)?;
        Ok(Self { parent, info })
    }

    fn wrap_key(&self, salt: &[u8]) -> Zeroizing<[u8; KEY_LEN]> {
        Zeroizing::new(hkdf(salt, &self.info, self.parent.bytes()))
    }
}

impl age::Recipient for Joint<'_> {
    fn wrap_file_key(
        &self,
        file_key: &FileKey,
    ) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let mut salt = [0; SALT_LEN];
        getrandom::fill(&mut salt).map_err(|error| EncryptError::Io(error.into()))?;
        let stanza = Stanza {
            tag: TAG.to_owned(),
            args: vec![BASE64_STANDARD_NO_PAD.encode(salt)],
            body: aead_encrypt(&self.wrap_key(&salt), file_key.expose_secret()),
        };
        Ok((vec![stanza], HashSet::new()))
    }
}

impl age::Identity for Joint<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag != TAG {
            return None;
        }
        let [salt] = stanza.args.as_slice() else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        let Ok(salt) = BASE64_STANDARD_NO_PAD.decode(salt) else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        if salt.len() != SALT_LEN {
            return Some(Err(DecryptError::InvalidHeader));
        }
        let opened = aead_decrypt(&self.wrap_key(&salt), FILE_KEY_BYTES, &stanza.body)
            .map(Zeroizing::new)
            .map_err(|_| DecryptError::DecryptionFailed);
        Some(opened.map(|bytes| FileKey::init_with_mut(|key| key.copy_from_slice(&bytes))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::StoreId;
    use crate::{ScopeId, SecretName, Timestamp};

    fn context<'a>(scope: &'a ScopeId, name: &'a SecretName, version: u64) -> Context<'a> {
        Context::Value {
            store: StoreId([1; 16]),
            generation: 1,
            scope,
            name,
            version,
            created: Timestamp::from_micros(1),
            updated: Timestamp::from_micros(2),
        }
    }

    #[test]
    fn what_is_sealed_opens_at_every_length_around_a_chunk() {
        let (scope, name) = ("s".parse().unwrap(), "K".parse().unwrap());
        let key = ScopeKey::generate().unwrap();
        let context = context(&scope, &name, 1);
        for len in [
            1,
            2,
            CHUNK_LEN - 1,
            CHUNK_LEN,
            CHUNK_LEN + 1,
            2 * CHUNK_LEN,
            1 << 20,
        ] {
            let value = vec![0xA5; len];
            let sealed = key.seal(&value, &context).unwrap();
            assert_eq!(plaintext_len(&sealed), Some(len));
            assert_eq!(*key.open(&sealed, &context).unwrap(), value);
        }
    }

    #[test]
    fn nothing_opens_with_another_key_or_in_another_place() {
        let (a, b, name) = (
            "a".parse().unwrap(),
            "b".parse().unwrap(),
            "K".parse().unwrap(),
        );
        let key = ScopeKey::generate().unwrap();
        let sealed = key.seal(b"value", &context(&a, &name, 1)).unwrap();
        assert!(key.open(&sealed, &context(&a, &name, 1)).is_some());
        assert!(key.open(&sealed, &context(&b, &name, 1)).is_none());
        assert!(key.open(&sealed, &context(&a, &name, 2)).is_none());
        let other = ScopeKey::generate().unwrap();
        assert!(other.open(&sealed, &context(&a, &name, 1)).is_none());
    }

    #[test]
    fn no_flipped_byte_and_no_truncation_opens() {
        let (scope, name) = ("s".parse().unwrap(), "K".parse().unwrap());
        let key = ScopeKey::generate().unwrap();
        let context = context(&scope, &name, 1);
        let sealed = key.seal(b"value", &context).unwrap();
        for at in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert!(key.open(&flipped, &context).is_none(), "byte {at}");
            assert!(key.open(&sealed[..at], &context).is_none(), "length {at}");
        }
        let longer = [sealed.as_slice(), b"x"].concat();
        assert!(key.open(&longer, &context).is_none());
    }

    #[test]
    fn debug_shows_no_key() {
        let shown = format!(
            "{:?} {:?}",
            RootKey::generate().unwrap(),
            ScopeKey::generate().unwrap()
        );
        insta::assert_snapshot!(shown, @"RootKey(Key([REDACTED])) ScopeKey(Key([REDACTED]))");
    }
}
