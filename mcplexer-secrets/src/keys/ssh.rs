//! SSH keys in the age crate's types. That crate panics on some malformed ones, and keeps the private key to
//! itself, so keys are parsed a second time.

use std::sync::Arc;

use age::secrecy::{ExposeSecret, SecretString};
use age::ssh::{ParseRecipientKeyError, UnsupportedKey};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ssh_key::private::KeypairData;
use ssh_key::{Kdf, LineEnding, PrivateKey};
use zeroize::Zeroizing;

use super::error::MAX_ROUNDS;
use super::form::begun;
use super::{InvalidKeyText, InvalidRecipient, Recipient};
use crate::panics::catch;
use crate::stack;

mod pkcs8;

const BEGIN: &[u8] = b"-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &[u8] = b"-----END OPENSSH PRIVATE KEY-----";

/// An SSH private key. It is on the heap, once, so that no clone copies its bytes to the stack.
#[derive(Clone)]
pub(super) struct SshIdentity {
    key: Arc<age::ssh::Identity>,
    /// See [`private_bytes`](Self::private_bytes).
    private: Option<Arc<Zeroizing<Vec<u8>>>>,
}

impl SshIdentity {
    pub(super) fn as_age(&self) -> &dyn age::Identity {
        &*self.key
    }

    /// Returns the seed of an Ed25519 key (RFC 8032), or the private exponent of an RSA key, big-endian. `None` for a
    /// key in the older PEM format of OpenSSL.
    pub(super) fn private_bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        self.private.as_ref().map(|bytes| Zeroizing::clone(bytes))
    }
}

/// Decodes what is between two lines, in lines of any length.
fn decode(file: &[u8], begin: &[u8], end: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = file.trim_ascii().strip_prefix(begin)?.strip_suffix(end)?;
    let mut base64 = Zeroizing::new(text.to_vec());
    base64.retain(|byte| !byte.is_ascii_whitespace());
    Some(Zeroizing::new(BASE64_STANDARD.decode(&*base64).ok()?))
}

/// Parses a key in OpenSSH's own format (PROTOCOL.key).
fn parse_openssh(file: &[u8]) -> Option<PrivateKey> {
    let bytes = decode(file, BEGIN, END)?;
    catch(|| PrivateKey::from_bytes(&bytes))?.ok()
}

fn private_bytes_of(key: &PrivateKey) -> Option<Arc<Zeroizing<Vec<u8>>>> {
    let bytes = match key.key_data() {
        KeypairData::Ed25519(pair) => pair.private.as_ref().to_vec(),
        KeypairData::Rsa(pair) => pair.private.d.as_positive_bytes()?.to_vec(),
        _ => return None,
    };
    Some(Arc::new(Zeroizing::new(bytes)))
}

/// The content of the file of an SSH private key.
pub(super) enum SshFile {
    Open(SshIdentity, Recipient),
    /// A key that is encrypted with a passphrase.
    Encrypted(EncryptedSshKey, Recipient),
}

impl SshFile {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, InvalidKeyText> {
        stack::wiped_after(|| Self::parse_on_stack(bytes))
    }

    fn parse_on_stack(bytes: &[u8]) -> Result<Self, InvalidKeyText> {
        let bytes = begun(bytes);
        if let Some(key) = pkcs8::parse(bytes)? {
            let text = key.to_openssh(LineEnding::LF);
            return Self::parse_for_age(text.map_err(|_| InvalidKeyText::SshDamaged)?.as_bytes());
        }
        Self::parse_for_age(bytes)
    }

    /// Parses a key in a format that the age crate reads.
    fn parse_for_age(bytes: &[u8]) -> Result<Self, InvalidKeyText> {
        let read = catch(|| age::ssh::Identity::from_buffer(bytes, None));
        let key = read.and_then(Result::ok);
        let key = key.ok_or(InvalidKeyText::SshDamaged)?;
        if let age::ssh::Identity::Unsupported(why) = &key {
            return Err(unsupported(why));
        }
        let recipient = age::ssh::Recipient::try_from(key.clone());
        let recipient = recipient.map_err(|error| invalid(&error))?;
        let recipient: Recipient = recipient.to_string().parse().map_err(InvalidKeyText::Ssh)?;
        match key {
            age::ssh::Identity::Unencrypted(_) => {
                let private = parse_openssh(bytes).as_ref().and_then(private_bytes_of);
                let key = Arc::new(key);
                Ok(Self::Open(SshIdentity { key, private }, recipient))
            }
            _ => {
                let key = parse_openssh(bytes).ok_or(InvalidKeyText::SshDamaged)?;
                match key.kdf() {
                    Kdf::Bcrypt { rounds, .. } if *rounds > MAX_ROUNDS => {
                        Err(InvalidKeyText::SshRounds(*rounds))
                    }
                    _ => Ok(Self::Encrypted(EncryptedSshKey(Box::new(key)), recipient)),
                }
            }
        }
    }
}

/// Says why the age crate cannot use a private key.
fn unsupported(why: &UnsupportedKey) -> InvalidKeyText {
    match why {
        UnsupportedKey::EncryptedPem => InvalidKeyText::SshOldFormat,
        UnsupportedKey::EncryptedSsh(_) => InvalidKeyText::SshCipher,
        UnsupportedKey::Hardware(_) => InvalidKeyText::Ssh(InvalidRecipient::SshHardware),
        UnsupportedKey::Type(kind) => {
            InvalidKeyText::Ssh(InvalidRecipient::of_type(kind).unwrap_or(InvalidRecipient::Ssh))
        }
    }
}

/// Says why the age crate cannot encrypt to the public half of a private key.
fn invalid(error: &ParseRecipientKeyError) -> InvalidKeyText {
    InvalidKeyText::Ssh(match error {
        ParseRecipientKeyError::RsaModulusTooSmall => InvalidRecipient::RsaTooShort,
        ParseRecipientKeyError::RsaModulusTooLarge => InvalidRecipient::RsaTooLong,
        ParseRecipientKeyError::Unsupported(kind) => {
            InvalidRecipient::of_type(kind).unwrap_or(InvalidRecipient::Ssh)
        }
        _ => return InvalidKeyText::SshDamaged,
    })
}

/// An SSH private key with a passphrase.
pub(super) struct EncryptedSshKey(Box<PrivateKey>);

impl EncryptedSshKey {
    /// Opens the key. Returns `None` if the passphrase is wrong.
    pub(super) fn open(&self, passphrase: &SecretString) -> Option<SshIdentity> {
        let opened = catch(|| stack::wiped_after(|| self.decrypt(passphrase)));
        opened.flatten()
    }

    /// Decrypts the key, and passes it on to age as a key without a passphrase.
    fn decrypt(&self, passphrase: &SecretString) -> Option<SshIdentity> {
        let key = self.0.decrypt(passphrase.expose_secret()).ok()?;
        let text = key.to_openssh(LineEnding::LF).ok()?;
        let private = private_bytes_of(&key);
        let key = Arc::new(age::ssh::Identity::from_buffer(text.as_bytes(), None).ok()?);
        Some(SshIdentity { key, private })
    }
}

/// An SSH public key.
#[derive(Clone)]
pub(super) struct SshRecipient(age::ssh::Recipient);

impl SshRecipient {
    /// Parses the type and the data of a key, without a comment.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidRecipient> {
        // The age crate panics on some damaged ones.
        match catch(|| text.parse()) {
            Some(Ok(recipient)) => Ok(Self(recipient)),
            Some(Err(error)) => Err(match invalid(&error) {
                InvalidKeyText::Ssh(
                    reason @ (InvalidRecipient::RsaTooShort | InvalidRecipient::RsaTooLong),
                ) => reason,
                _ => InvalidRecipient::SshDamaged,
            }),
            None => Err(InvalidRecipient::SshDamaged),
        }
    }

    pub(super) fn to_text(&self) -> String {
        self.0.to_string()
    }

    /// Returns the recipient in the age crate's type.
    pub(super) fn to_age(&self) -> Box<dyn age::Recipient> {
        Box::new(self.0.clone())
    }
}
