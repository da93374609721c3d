//! The content of a key file, once its passphrase has opened it.

use std::io::Read;
use std::sync::{MutexGuard, PoisonError};

use age::armor::ArmoredReader;
use age::secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{FileKeys, KeyFileError};
use crate::keys::form::{begun, is_ssh_key};
use crate::keys::ssh::SshFile;
use crate::keys::{About, Ask, Asking, Identity, InvalidKeyText, PassphraseRequest, passphrase};
use crate::{SecretValue, seal, stack};

/// The maximum number of attempts at a passphrase.
const ATTEMPTS: u32 = 3;
const BINARY_AGE: &[u8] = b"age-encryption.org/";
const ARMORED_AGE: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";

/// The encoding of an age file.
#[derive(Clone, Copy)]
pub(super) enum Encoding {
    Binary,
    Armored,
}

/// The content of a key file.
pub(super) enum Content {
    /// Lines of identities.
    Plain(Zeroizing<Vec<u8>>),
    /// The same, from an encrypted file.
    Decrypted(Zeroizing<Vec<u8>>, Encoding),
    /// An SSH private key.
    Ssh(Box<Identity>),
}

impl FileKeys {
    pub(super) fn content(&self, ask: Ask) -> Result<Content, KeyFileError> {
        let bytes = self.read()?;
        let armored = begun(&bytes).starts_with(ARMORED_AGE);
        if armored || bytes.starts_with(BINARY_AGE) {
            let file = if armored { begun(&bytes) } else { &bytes };
            let text = self.decrypt(file, ask)?;
            let encoding = match armored {
                true => Encoding::Armored,
                false => Encoding::Binary,
            };
            return Ok(Content::Decrypted(text, encoding));
        }
        if !is_ssh_key(&bytes) {
            return Ok(Content::Plain(bytes));
        }
        let (key, recipient) = match SshFile::parse(&bytes).map_err(|it| self.invalid(it))? {
            SshFile::Open(key, recipient) => (key, recipient),
            SshFile::Encrypted(key, recipient) => (
                self.ask_until_right(ask, |it| Ok(key.open(&it)))?,
                recipient,
            ),
        };
        Ok(Content::Ssh(Box::new(Identity::ssh(key, recipient))))
    }

    pub(super) fn invalid(&self, reason: InvalidKeyText) -> KeyFileError {
        KeyFileError::Invalid {
            path: self.path.clone(),
            reason,
        }
    }

    pub(super) fn text<'a>(&self, bytes: &'a [u8]) -> Result<&'a str, KeyFileError> {
        str::from_utf8(bytes).map_err(|_| self.invalid(InvalidKeyText::NotText))
    }

    pub(super) fn parse(&self, bytes: &[u8]) -> Result<Vec<Identity>, KeyFileError> {
        Identity::parse_all_with(self.text(bytes)?, self.person.as_ref())
            .map_err(|reason| self.invalid(reason))
    }

    /// Opens a key file made by `age -p`.
    pub(super) fn decrypt(
        &self,
        bytes: &[u8],
        ask: Ask,
    ) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        let damaged = || KeyFileError::NotByPassphrase {
            path: self.path.clone(),
        };
        let decryptor = || age::Decryptor::new_buffered(ArmoredReader::new(bytes));
        if !decryptor().is_ok_and(|decryptor| decryptor.is_scrypt()) {
            return Err(damaged());
        }
        self.ask_until_right(ask, |passphrase| {
            let identity = seal::by_passphrase(passphrase);
            let decryptor = decryptor().map_err(|_| damaged())?;
            stack::wiped_after(|| {
                match decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)) {
                    Ok(mut reader) => {
                        // The text is never longer than its encrypted form, so the buffer never
                        // grows.
                        let mut text = Zeroizing::new(Vec::with_capacity(bytes.len()));
                        reader.read_to_end(&mut text).map_err(|_| damaged())?;
                        Ok(Some(text))
                    }
                    Err(
                        age::DecryptError::DecryptionFailed | age::DecryptError::NoMatchingKeys,
                    ) => Ok(None),
                    Err(age::DecryptError::ExcessiveWork { required, .. }) => {
                        Err(KeyFileError::TooMuchWork {
                            path: self.path.clone(),
                            factor: required,
                        })
                    }
                    Err(_) => Err(damaged()),
                }
            })
        })
    }

    /// Tries the passphrase that was right before, then asks for one until `open` returns
    /// something.
    pub(super) fn ask_until_right<T>(
        &self,
        ask: Ask,
        open: impl Fn(SecretString) -> Result<Option<T>, KeyFileError>,
    ) -> Result<T, KeyFileError> {
        let path = || self.path.clone();
        let mut known = self.known_passphrase();
        if let Some(passphrase) = known.as_ref().and_then(secret_string)
            && let Some(opened) = open(passphrase)?
        {
            return Ok(opened);
        }
        *known = None;
        let person = match (&self.person, ask) {
            (Some(person), Ask::Allowed) => person,
            _ => return Err(KeyFileError::PassphraseNeeded { path: path() }),
        };
        let _asking = Asking(&**person);
        for attempt in 0..ATTEMPTS {
            let request = PassphraseRequest {
                about: About::KeyFile(&self.path),
                retry: attempt > 0,
            };
            let answer = person
                .passphrase(&request)
                .ok_or_else(|| KeyFileError::PassphraseNeeded { path: path() })?;
            for form in passphrase::forms(&answer) {
                let used = SecretValue::new(form.expose_secret().as_bytes().to_vec()).ok();
                if let Some(opened) = open(form)? {
                    *known = used;
                    return Ok(opened);
                }
            }
        }
        Err(KeyFileError::PassphraseWrong { path: path() })
    }

    pub(super) fn known_passphrase(&self) -> MutexGuard<'_, Option<SecretValue>> {
        self.passphrase
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn secret_string(passphrase: &SecretValue) -> Option<SecretString> {
    let text = str::from_utf8(passphrase.expose()).ok()?;
    Some(SecretString::from(text.to_owned()))
}
