use std::fmt;
use std::sync::Arc;

use age::DecryptError;
use age::secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::form::{is_plugin, is_ssh_key};
use super::holder::{FileKey, Held, KeyHolder, Stanza};
use super::person::Person;
use super::plugin::PluginIdentity;
use super::recipient::Recipient;
use super::ssh::{SshFile, SshIdentity};
use super::{InvalidKeyText, KeyError};
use crate::stack;

/// A private key, or access to one: an age X25519 identity, an SSH private key, the identity of an age
/// plugin, or a key that a [`KeyHolder`] uses for us. Wiped when dropped; `Debug` shows only its
/// recipient.
#[derive(Clone)]
pub struct Identity(Kind);

/// Each key is on the heap, once: otherwise every move and every clone would copy its bytes to the
/// stack.
#[derive(Clone)]
enum Kind {
    X25519(Arc<age::x25519::Identity>),
    Ssh {
        key: SshIdentity,
        recipient: Recipient,
    },
    Plugin {
        identity: PluginIdentity,
        /// The recipient, as a comment in the key file names it.
        recipient: Option<Recipient>,
    },
    Held {
        recipient: Recipient,
        holder: Arc<dyn KeyHolder>,
    },
}

impl Identity {
    /// Generates a random age identity.
    #[must_use]
    pub fn generate() -> Self {
        stack::wiped_after(|| Self(Kind::X25519(Arc::new(age::x25519::Identity::generate()))))
    }

    /// Creates an identity whose private key `holder` keeps and uses. `recipient` is the public
    /// half, to which the store encrypts; it can be any kind of recipient.
    ///
    /// A rotation cannot replace such an identity. The holder is called with [`Ask::Never`] too, so
    /// a provider whose holder asks a person must return no such identity then.
    ///
    /// [`Ask::Never`]: super::Ask::Never
    #[must_use]
    pub fn held_by(recipient: Recipient, holder: Arc<dyn KeyHolder>) -> Self {
        Self(Kind::Held { recipient, holder })
    }

    /// Decrypts the file key in a stanza, as a [`KeyHolder`] does for another process. `None` means that
    /// the stanza is for another key.
    ///
    /// # Errors
    /// [`KeyError`] if a plugin or a holder fails.
    pub fn unwrap(&self, stanza: &Stanza<'_>) -> Result<Option<FileKey>, KeyError> {
        let stanza = stanza.to_age();
        let key = self.decrypt_with(|identity| {
            identity
                .unwrap_stanza(&stanza)
                .unwrap_or(Err(DecryptError::NoMatchingKeys))
        })?;
        Ok(key.as_ref().map(FileKey::of_age))
    }

    /// Parses one identity from its text form, `AGE-SECRET-KEY-1…` or `AGE-PLUGIN-…`. Returns
    /// `None` if it is not valid.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let x25519 = stack::wiped_after(|| text.parse().ok().map(Arc::new));
        if let Some(identity) = x25519 {
            return Some(Self(Kind::X25519(identity)));
        }
        let identity = PluginIdentity::parse(text)?;
        Some(Self(Kind::Plugin {
            identity,
            recipient: None,
        }))
    }

    /// Creates the identity of an SSH private key.
    pub(super) fn ssh(key: SshIdentity, recipient: Recipient) -> Self {
        Self(Kind::Ssh { key, recipient })
    }

    /// Returns whether a word looks like the text form of an identity, even a mistyped one. If so,
    /// it must not be repeated, and is not a file name.
    #[must_use]
    pub fn is_like(word: &str) -> bool {
        let word = word.to_ascii_uppercase();
        let data = word.strip_prefix("AGE-SECRET-KEY-1").or_else(|| {
            let plugin = word.strip_prefix("AGE-PLUGIN-")?;
            plugin.rsplit_once("-1").map(|(_, data)| data)
        });
        // No shorter than a checksum, so that file names may begin alike.
        data.is_some_and(|data| {
            data.len() >= 6 && data.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    }

    /// Returns whether a text that should be a file name contains an identity or an SSH private
    /// key, quoted or not.
    #[must_use]
    pub fn is_in(text: &str) -> bool {
        let mut words = text.split(|c: char| c.is_whitespace() || "'\":=".contains(c));
        text.contains("-----BEGIN ") || words.any(Self::is_like)
    }

    /// Parses the text of an age key file: one identity a line, empty lines, and comments that
    /// begin with `#`. Also parses the text of an SSH private key without a passphrase.
    ///
    /// # Errors
    /// [`InvalidKeyText`] names the first line that is not valid.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, InvalidKeyText> {
        Self::parse_all_with(text, None)
    }

    /// Parses the text of a key file, with plugins that may ask `person`.
    pub(super) fn parse_all_with(
        text: &str,
        person: Option<&Person>,
    ) -> Result<Vec<Self>, InvalidKeyText> {
        if is_ssh_key(text.as_bytes()) {
            return match SshFile::parse(text.as_bytes())? {
                SshFile::Open(key, recipient) => Ok(vec![Self::ssh(key, recipient)]),
                SshFile::Encrypted(..) => Err(InvalidKeyText::Encrypted),
            };
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut identities = Vec::new();
        let mut comments = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if let Some(comment) = line.strip_prefix('#') {
                comments.push(comment);
            }
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut identity = Self::parse(line).ok_or_else(|| match is_plugin(line) {
                true if !cfg!(feature = "plugin") => InvalidKeyText::NotSupported,
                _ => InvalidKeyText::Line(index + 1),
            })?;
            if let Kind::Plugin {
                identity,
                recipient,
            } = &mut identity.0
            {
                // Plugins write the recipient above the identity, in a comment.
                let mut words = comments.iter().flat_map(|line| line.split_whitespace());
                *recipient = words.find_map(|word| {
                    let recipient: Recipient = word.parse().ok()?;
                    (recipient.plugin() == Some(identity.plugin())).then_some(recipient)
                });
                identity.set_person(person);
            }
            identities.push(identity);
            comments.clear();
        }
        if identities.is_empty() {
            return Err(InvalidKeyText::NoIdentity);
        }
        Ok(identities)
    }

    /// Returns the public half; `None` if it is a plugin's identity and no comment in the key file
    /// names the recipient.
    #[must_use]
    pub fn recipient(&self) -> Option<Recipient> {
        match &self.0 {
            Kind::X25519(identity) => {
                let public = stack::wiped_after(|| identity.to_public());
                Some(Recipient::x25519(public))
            }
            Kind::Ssh { recipient, .. } | Kind::Held { recipient, .. } => Some(recipient.clone()),
            Kind::Plugin { recipient, .. } => recipient.clone(),
        }
    }

    /// Returns a name for it: its recipient or its plugin.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.0, self.recipient()) {
            (_, Some(recipient)) => recipient.to_string(),
            (Kind::Plugin { identity, .. }, None) => {
                format!("an identity of age-plugin-{}", identity.plugin())
            }
            (_, None) => String::new(),
        }
    }

    /// Returns the private key in its text form, wiped when dropped; `None` if it is not an age
    /// X25519 identity.
    pub(crate) fn to_text(&self) -> Option<Zeroizing<String>> {
        match &self.0 {
            Kind::X25519(identity) => Some(stack::wiped_after(|| {
                Zeroizing::new(identity.to_string().expose_secret().to_owned())
            })),
            Kind::Ssh { .. } | Kind::Plugin { .. } | Kind::Held { .. } => None,
        }
    }

    /// Returns the bytes of the private key, from which a claim key is derived, wiped when dropped: the 32 bytes
    /// of an X25519 key, the seed of an Ed25519 key, or the private exponent of an RSA key, big-endian.
    /// `None` if they are not in this process.
    pub(crate) fn private_bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        match &self.0 {
            Kind::X25519(_) => {
                let text = self.to_text()?;
                stack::wiped_after(|| {
                    let (_, bytes) = bech32::decode(&text).ok()?;
                    Some(Zeroizing::new(bytes))
                })
            }
            Kind::Ssh { key, .. } => key.private_bytes(),
            Kind::Plugin { .. } | Kind::Held { .. } => None,
        }
    }

    /// Returns whether it needs another program, and perhaps a person, to open something.
    pub(crate) fn is_plugin(&self) -> bool {
        matches!(self.0, Kind::Plugin { .. })
    }

    /// Returns whether the private key is in this process, and not with a plugin or a holder.
    pub(crate) fn is_at_hand(&self) -> bool {
        matches!(self.0, Kind::X25519(_) | Kind::Ssh { .. })
    }

    /// Returns whether it may open what was encrypted to this recipient.
    pub(crate) fn may_open(&self, recipient: &str) -> bool {
        match &self.0 {
            Kind::Plugin { identity, .. } => {
                let recipient = recipient.parse::<Recipient>().ok();
                recipient.is_some_and(|it| it.plugin() == Some(identity.plugin()))
            }
            Kind::Held { recipient: own, .. } => own.to_string() == recipient,
            Kind::X25519(_) | Kind::Ssh { .. } => true,
        }
    }

    /// Calls `decrypt` with the identity. Returns `None` if it is not the right identity.
    pub(crate) fn decrypt_with<T>(
        &self,
        decrypt: impl FnOnce(&dyn age::Identity) -> Result<T, DecryptError>,
    ) -> Result<Option<T>, KeyError> {
        match &self.0 {
            Kind::X25519(identity) => Ok(stack::wiped_after(|| decrypt(&**identity)).ok()),
            Kind::Ssh { key, .. } => Ok(stack::wiped_after(|| decrypt(key.as_age())).ok()),
            Kind::Held { holder, .. } => {
                let held = Held::new(&**holder);
                let opened = stack::wiped_after(|| decrypt(&held)).ok();
                held.into_failure().map_or(Ok(opened), Err)
            }
            Kind::Plugin { identity, .. } => identity.decrypt_with(decrypt),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.name())
    }
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
        let other_text = other.to_text().unwrap();
        let text = format!("# mine\r\n{SECRET}\r\n\n  {}  \n", *other_text);
        let identities = Identity::parse_all(&text).unwrap();
        assert_eq!(identities.len(), 2);
        assert_eq!(identities[1].name(), other.name());
    }

    #[test]
    fn what_looks_like_an_identity_is_told_from_names_of_files() {
        for word in [
            SECRET,
            &SECRET.to_lowercase(),
            "AGE-PLUGIN-YUBIKEY-1QQPZRY9X8",
        ] {
            assert!(Identity::is_like(word), "{word}");
        }
        for word in [
            "age.key",
            "/k/age-plugin-yubikey.txt",
            "age-plugin-yubikey-1",
            "age1x",
        ] {
            assert!(!Identity::is_like(word), "{word}");
        }
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

    #[cfg(feature = "plugin")]
    #[test]
    fn a_plugin_identity_knows_the_recipient_that_a_comment_names() {
        let identity = age::plugin::Identity::default_for_plugin("test").unwrap();
        let hrp = bech32::Hrp::parse("age1test").unwrap();
        let recipient = bech32::encode::<bech32::Bech32>(hrp, &[7; 4]).unwrap();
        let other = Identity::generate().name();
        let text = format!("#    Recipient: {recipient}\n# {other}\n{identity}\n{identity}\n");
        let identities = Identity::parse_all(&text).unwrap();
        assert_eq!(identities[0].name(), recipient);
        assert!(identities[0].may_open(&recipient) && !identities[0].may_open(&other));
        assert!(identities[1].recipient().is_none());
        assert_eq!(identities[1].name(), "an identity of age-plugin-test");
    }
}
