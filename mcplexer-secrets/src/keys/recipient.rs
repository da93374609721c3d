use std::fmt;
use std::str::FromStr;

use age::EncryptError;

use super::KeyError;
use super::error::one_line;
use super::form::is_private;
use super::person::Person;
use super::plugin::PluginRecipient;
use super::ssh::SshRecipient;

/// The types of SSH keys to which age encrypts.
pub(super) const SSH_TYPES: [&str; 2] = ["ssh-ed25519", "ssh-rsa"];

/// The public half of an identity. What is encrypted to it opens with that identity.
///
/// One of
/// * an age recipient, `age1…` (<https://age-encryption.org/v1>),
/// * an SSH public key, `ssh-ed25519 …` or `ssh-rsa …`, as in a `.pub` file,
/// * the recipient of an age plugin, `age1NAME1…`: encrypting to it needs the program
///   `age-plugin-NAME` (<https://c2sp.org/age-plugin>).
#[derive(Clone)]
pub struct Recipient {
    text: String,
    comment: Option<String>,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    X25519(age::x25519::Recipient),
    Ssh(SshRecipient),
    Plugin(PluginRecipient),
}

impl Recipient {
    /// Returns what follows an SSH public key in its file, usually `user@host`.
    #[must_use]
    pub fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    pub(super) fn x25519(recipient: age::x25519::Recipient) -> Self {
        Self {
            text: recipient.to_string(),
            comment: None,
            kind: Kind::X25519(recipient),
        }
    }

    /// Returns the recipient in the age crate's type. A plugin may ask `person`.
    pub(crate) fn to_age(
        &self,
        person: Option<Person>,
    ) -> Result<Box<dyn age::Recipient>, KeyError> {
        Ok(match &self.kind {
            Kind::X25519(recipient) => Box::new(recipient.clone()),
            Kind::Ssh(recipient) => recipient.to_age(),
            Kind::Plugin(recipient) => recipient.to_age(person)?,
        })
    }

    /// Returns the error for a recipient to which the age crate cannot encrypt.
    pub(crate) fn not_encrypted(&self, error: &EncryptError) -> KeyError {
        KeyError::NotEncrypted {
            recipient: self.text.clone(),
            reason: one_line(error),
        }
    }

    /// Returns the 32 bytes of an age X25519 recipient; `None` if it is another kind.
    pub(crate) fn x25519_bytes(&self) -> Option<[u8; 32]> {
        match &self.kind {
            Kind::X25519(_) => bech32::decode(&self.text).ok()?.1.try_into().ok(),
            Kind::Ssh(_) | Kind::Plugin(_) => None,
        }
    }

    /// Returns the name of its plugin, if it has one.
    pub(crate) fn plugin(&self) -> Option<&str> {
        match &self.kind {
            Kind::Plugin(recipient) => Some(recipient.plugin()),
            Kind::X25519(_) | Kind::Ssh(_) => None,
        }
    }
}

/// Two recipients are equal if they are the same key, whatever their comments.
impl PartialEq for Recipient {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Recipient {}

impl FromStr for Recipient {
    type Err = InvalidRecipient;

    fn from_str(text: &str) -> Result<Self, InvalidRecipient> {
        let text = text.trim();
        if is_private(text) {
            return Err(InvalidRecipient::Private);
        }
        if let Ok(recipient) = text.parse::<age::x25519::Recipient>() {
            return Ok(Self::x25519(recipient));
        }
        if let Some(recipient) = PluginRecipient::parse(text) {
            return Ok(Self {
                text: text.to_owned(),
                comment: None,
                kind: Kind::Plugin(recipient),
            });
        }
        let is_plugin = text.strip_prefix("age1").is_some_and(|it| it.contains('1'));
        if is_plugin && !cfg!(feature = "plugin") {
            return Err(InvalidRecipient::NotSupported);
        }
        let mut words = text.split_whitespace();
        let (Some(tag), Some(key)) = (words.next(), words.next()) else {
            return Err(InvalidRecipient::Unknown);
        };
        if !tag.starts_with("ssh-") && !tag.starts_with("ecdsa-") && !tag.starts_with("sk-") {
            return Err(InvalidRecipient::Unknown);
        }
        if !cfg!(feature = "ssh") {
            return Err(InvalidRecipient::NotSupported);
        }
        if let Some(invalid) = InvalidRecipient::of_type(tag) {
            return Err(invalid);
        }
        let recipient = SshRecipient::parse(&format!("{tag} {key}"))?;
        let comment: Vec<_> = words.collect();
        if comment.iter().any(|word| SSH_TYPES.contains(word)) {
            return Err(InvalidRecipient::Several);
        }
        let comment = comment.join(" ");
        Ok(Self {
            text: recipient.to_text(),
            comment: Some(comment).filter(|comment| !comment.is_empty()),
            kind: Kind::Ssh(recipient),
        })
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({})", self.text)
    }
}

/// Why a text is not a recipient. Never contains a part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRecipient {
    /// It is not a recipient of any kind.
    #[error("not a recipient: expected age1…, ssh-ed25519 … or ssh-rsa …")]
    Unknown,
    /// It is a private key, or begins like one.
    #[error("that is a private key; a recipient is its public half")]
    Private,
    /// It is more than one recipient.
    #[error("that is more than one public key")]
    Several,
    /// It is an SSH key of a type that age cannot encrypt to.
    #[error("keys of this type cannot decrypt: only ssh-ed25519 and ssh-rsa keys can open a store")]
    Ssh,
    /// It is an SSH key on a security key, which can only sign.
    #[error("an SSH key on a security key cannot decrypt, so it cannot open a store")]
    SshHardware,
    /// It is an SSH certificate.
    #[error("that is an SSH certificate; a store is opened by the key itself")]
    SshCertificate,
    /// It is an RSA key of less than 2048 bits.
    #[error("ssh-rsa keys of less than 2048 bits are too weak to open a store")]
    RsaTooShort,
    /// It is an RSA key of more than 4096 bits.
    #[error("ssh-rsa keys of more than 4096 bits cannot open a store")]
    RsaTooLong,
    /// It begins like an SSH public key, and is cut off or mistyped.
    #[error("that SSH public key is cut off or damaged")]
    SshDamaged,
    /// It is an SSH key or belongs to a plugin, and this program is built without the feature for it.
    #[error("this program is built without support for that kind of key")]
    NotSupported,
}

impl InvalidRecipient {
    /// Returns why no SSH key of this type opens a store; `None` if one may.
    pub(super) fn of_type(kind: &str) -> Option<Self> {
        match kind {
            _ if SSH_TYPES.contains(&kind) => None,
            _ if kind.contains("-cert-") => Some(Self::SshCertificate),
            _ if kind.starts_with("sk-") => Some(Self::SshHardware),
            _ => Some(Self::Ssh),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_recipient_is_known_by_its_form() {
        let ssh =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN";
        let with_comment: Recipient = format!("{ssh} alice@host\n").parse().unwrap();
        assert_eq!(with_comment.to_string(), ssh);
        assert_eq!(with_comment.comment(), Some("alice@host"));
        let two = format!("{ssh} alice\n{ssh} bob\n");
        assert_eq!(two.parse::<Recipient>(), Err(InvalidRecipient::Several));
        let identity = age::x25519::Identity::generate();
        let plain: Recipient = identity.to_public().to_string().parse().unwrap();
        assert_eq!(plain.plugin(), None);
    }

    #[test]
    fn what_is_no_recipient_is_refused_and_not_repeated() {
        let refused = |text: &str| text.parse::<Recipient>().unwrap_err();
        for (text, reason) in [
            ("", InvalidRecipient::Unknown),
            ("alice", InvalidRecipient::Unknown),
            ("age1qqqqqqqq", InvalidRecipient::Unknown),
            ("AGE-SECRET-KEY-1QQQQ", InvalidRecipient::Private),
            ("age-secret-key-1qqqq", InvalidRecipient::Private),
            (
                "-----BEGIN OPENSSH PRIVATE KEY-----",
                InvalidRecipient::Private,
            ),
            ("ssh-dss AAAAB3NzaC1kc3MAAACB", InvalidRecipient::Ssh),
            (
                "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY",
                InvalidRecipient::Ssh,
            ),
            (
                "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t",
                InvalidRecipient::SshHardware,
            ),
            (
                "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29t",
                InvalidRecipient::SshCertificate,
            ),
            (
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW",
                InvalidRecipient::SshDamaged,
            ),
            // The name of one type with a key of another.
            (
                "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN",
                InvalidRecipient::SshDamaged,
            ),
            // An exponent of one byte, which is 0, makes the age crate panic.
            (
                "ssh-rsa AAAAB3NzaC1yc2EAAAABAA==",
                InvalidRecipient::SshDamaged,
            ),
        ] {
            assert_eq!(refused(text), reason, "{text}");
        }
    }
}
