//! Why no key can be used.

use std::error::Error;
use std::fmt;
use std::io;

use super::InvalidRecipient;

/// The most rounds of bcrypt that are tried: several seconds. `ssh-keygen` uses 24 by default.
pub(super) const MAX_ROUNDS: u32 = 1024;

/// Why no key can be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// None of the identities opens a slot of the store.
    #[error("none of its keys is {names}", names = .recipients.join(" or "))]
    Wrong {
        /// The names of the identities that were tried.
        recipients: Vec<String>,
    },
    /// The provider has no identities.
    #[error("there is no identity to use")]
    NoIdentity,
    /// The identity cannot be replaced by a new one: it is an SSH key, or belongs to a plugin or a
    /// [`KeyHolder`](super::KeyHolder), or the provider cannot store a new one.
    #[error("{identity} cannot be replaced by a new identity here")]
    NotReplaceable {
        /// The name of the identity.
        identity: String,
    },
    /// The program for a plugin's recipients and identities is not installed.
    #[error("age-plugin-{name} is not in PATH")]
    NoPlugin {
        /// The name of the plugin.
        name: String,
    },
    /// A plugin could not open a slot.
    #[error("age-plugin-{name} failed: {reason}")]
    Plugin {
        /// The name of the plugin.
        name: String,
        /// The plugin's message.
        reason: String,
    },
    /// Debugging of plugins is on, which would print the keys that they decrypt.
    #[error("AGEDEBUG is set, with which age-plugin-{name} would print private keys")]
    PluginDebug {
        /// The name of the plugin.
        name: String,
    },
    /// A plugin's identity does not name the recipient to encrypt to.
    #[error("{name} does not name its recipient")]
    NoRecipient {
        /// The name of the identity.
        name: String,
    },
    /// The root key could not be encrypted to a recipient.
    #[error("cannot encrypt to {recipient}: {reason}")]
    NotEncrypted {
        /// The recipient.
        recipient: String,
        /// Why not.
        reason: String,
    },
    /// The store has no recovery code, or a different one.
    #[error("this recovery code does not open the store")]
    RecoveryCodeWrong,
    /// The provider's own reason, such as a [`KeyFileError`](super::KeyFileError).
    #[error(transparent)]
    Provider(ProviderError),
}

/// The kinds of key failure that call for different reactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyErrorKind {
    /// The provider has no identity, or one that does not open this store. The store tries another way
    /// to open it, such as a passphrase.
    Absent,
    /// An identity exists, but it or its use is faulty. No other way is tried.
    Unusable,
    /// A new identity could not be stored for lack of space.
    NoSpace,
}

impl KeyError {
    /// Creates an error from the provider's own reason, with its kind.
    #[must_use]
    pub fn provider(kind: KeyErrorKind, reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let reason = reason.into();
        Self::Provider(ProviderError { kind, reason })
    }

    /// Returns the kind of this failure.
    #[must_use]
    pub fn kind(&self) -> KeyErrorKind {
        match self {
            Self::Wrong { .. } | Self::NoIdentity => KeyErrorKind::Absent,
            Self::Provider(error) => error.kind,
            Self::NotReplaceable { .. }
            | Self::NoPlugin { .. }
            | Self::Plugin { .. }
            | Self::PluginDebug { .. }
            | Self::NoRecipient { .. }
            | Self::NotEncrypted { .. }
            | Self::RecoveryCodeWrong => KeyErrorKind::Unusable,
        }
    }

    /// Returns the provider's own reason, if there is one of this type.
    #[must_use]
    pub fn reason<T: Error + 'static>(&self) -> Option<&T> {
        match self {
            Self::Provider(error) => error.reason.downcast_ref(),
            _ => None,
        }
    }
}

/// The reason of a [`KeyProvider`](super::KeyProvider) or a [`KeyHolder`](super::KeyHolder).
///
/// Displays as that reason; [`KeyError::reason`] returns it in its own type.
#[derive(Debug)]
pub struct ProviderError {
    kind: KeyErrorKind,
    reason: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl Error for ProviderError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.reason.source()
    }
}

/// Why a text is not an age key file. Never contains a part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKeyText {
    /// This line, counted from 1, is neither an identity nor a comment, and is not empty.
    #[error("line {0} is not an age identity (AGE-SECRET-KEY-1… or AGE-PLUGIN-…)")]
    Line(usize),
    /// It is an SSH private key that age cannot use, for the same reason as its public half.
    #[error(transparent)]
    Ssh(InvalidRecipient),
    /// It begins like an SSH private key, and is cut off or damaged.
    #[error("it begins like an SSH private key, and is cut off or damaged")]
    SshDamaged,
    /// It is an SSH private key with a passphrase, in a format older than OpenSSH's own.
    #[error(
        "it is an SSH private key with a passphrase in an older format, which does not protect it well"
    )]
    SshOldFormat,
    /// It is an SSH private key with a passphrase and a cipher that age does not know.
    #[error("it is an SSH private key with a passphrase and a cipher that age does not know")]
    SshCipher,
    /// It is an SSH private key whose passphrase takes this many rounds of bcrypt to try: too much time.
    #[error(
        "its passphrase takes {0} rounds of bcrypt, and {MAX_ROUNDS} are the most that are tried"
    )]
    SshRounds(u32),
    /// It is an SSH private key with a passphrase, and there is no prompter to ask for it.
    #[error("it is encrypted")]
    Encrypted,
    /// It has only comments and empty lines.
    #[error("it holds no age identity")]
    NoIdentity,
    /// It is not UTF-8.
    #[error("it is not text")]
    NotText,
    /// It is the public half of a key.
    #[error("it is a public key")]
    Public,
    /// It is an SSH key or belongs to a plugin, and this program is built without the feature for it.
    #[error("this program is built without support for that kind of key")]
    NotSupported,
}

/// Returns the message of an age error, on one line. The message about a plugin that ended is replaced: it
/// recommends a variable with which private keys are printed.
pub(super) fn one_line(error: &dyn Error) -> String {
    let cause = error.source().and_then(|it| it.downcast_ref::<io::Error>());
    let ended = |kind| {
        // While the plugin was read from, and while it was written to.
        matches!(
            kind,
            io::ErrorKind::ConnectionAborted
                | io::ErrorKind::UnexpectedEof
                | io::ErrorKind::BrokenPipe
        )
    };
    if cause.is_some_and(|it| ended(it.kind())) {
        return "the program ended before it answered".to_owned();
    }
    let text = error.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
