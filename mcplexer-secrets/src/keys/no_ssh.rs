//! Uninhabited stand-ins for SSH keys, used without the feature `ssh`.

use age::secrecy::SecretString;
use zeroize::Zeroizing;

use super::{InvalidKeyText, InvalidRecipient, Recipient};

#[derive(Clone)]
pub(super) enum SshIdentity {}

impl SshIdentity {
    pub(super) fn as_age(&self) -> &dyn age::Identity {
        match *self {}
    }

    pub(super) fn private_bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        match *self {}
    }
}

pub(super) enum SshFile {
    #[expect(dead_code, reason = "there are no SSH keys")]
    Open(SshIdentity, Recipient),
    #[expect(dead_code, reason = "there are no SSH keys")]
    Encrypted(EncryptedSshKey, Recipient),
}

impl SshFile {
    pub(super) fn parse(_bytes: &[u8]) -> Result<Self, InvalidKeyText> {
        Err(InvalidKeyText::NotSupported)
    }
}

pub(super) enum EncryptedSshKey {}

impl EncryptedSshKey {
    pub(super) fn open(&self, _passphrase: &SecretString) -> Option<SshIdentity> {
        match *self {}
    }
}

#[derive(Clone)]
pub(super) enum SshRecipient {}

impl SshRecipient {
    pub(super) fn parse(_text: &str) -> Result<Self, InvalidRecipient> {
        Err(InvalidRecipient::NotSupported)
    }

    pub(super) fn to_text(&self) -> String {
        match *self {}
    }

    pub(super) fn to_age(&self) -> Box<dyn age::Recipient> {
        match *self {}
    }
}
