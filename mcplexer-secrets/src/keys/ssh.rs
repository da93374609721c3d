//! SSH keys in the age crate's types. That crate panics on some malformed ones.

use std::sync::Arc;

use age::secrecy::SecretString;

use super::{InvalidKeyText, Recipient};
use crate::panics::catch;
use crate::stack;

/// An SSH private key. It is on the heap, once, so that no clone copies its bytes to the stack.
#[derive(Clone)]
pub(super) struct SshIdentity(Arc<age::ssh::Identity>);

impl SshIdentity {
    pub(super) fn as_age(&self) -> &dyn age::Identity {
        &*self.0
    }
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
        let read = catch(|| age::ssh::Identity::from_buffer(bytes, None));
        let key = read.and_then(Result::ok).ok_or(InvalidKeyText::Ssh)?;
        let recipient = age::ssh::Recipient::try_from(key.clone());
        let recipient = recipient.map_err(|_| InvalidKeyText::Ssh)?;
        let recipient: Recipient = recipient
            .to_string()
            .parse()
            .map_err(|_| InvalidKeyText::Ssh)?;
        match key {
            age::ssh::Identity::Unencrypted(_) => {
                Ok(Self::Open(SshIdentity(Arc::new(key)), recipient))
            }
            age::ssh::Identity::Encrypted(key) => {
                Ok(Self::Encrypted(EncryptedSshKey(key), recipient))
            }
            age::ssh::Identity::Unsupported(_) => Err(InvalidKeyText::Ssh),
        }
    }
}

/// An SSH private key with a passphrase.
pub(super) struct EncryptedSshKey(age::ssh::EncryptedKey);

impl EncryptedSshKey {
    /// Opens the key. Returns `None` if the passphrase is wrong.
    pub(super) fn open(&self, passphrase: SecretString) -> Option<SshIdentity> {
        let opened = catch(|| stack::wiped_after(|| self.0.decrypt(passphrase)));
        let key = opened.and_then(Result::ok)?;
        Some(SshIdentity(Arc::new(key.into())))
    }
}

/// An SSH public key.
#[derive(Clone)]
pub(super) struct SshRecipient(age::ssh::Recipient);

impl SshRecipient {
    /// Parses the type and the data of a key, without a comment.
    pub(super) fn parse(text: &str) -> Option<Self> {
        catch(|| text.parse()).and_then(Result::ok).map(Self)
    }

    pub(super) fn to_text(&self) -> String {
        self.0.to_string()
    }

    /// Returns the recipient in the age crate's type.
    pub(super) fn to_age(&self) -> Box<dyn age::Recipient> {
        Box::new(self.0.clone())
    }
}
