//! What went wrong, in words for the one who has to act, and what to do about it.

use std::io;

use mcplexer_durable::ReplaceError;
use mcplexer_secrets::audit::AuditErrorKind;
use mcplexer_secrets::backend::BackendErrorKind;
use mcplexer_secrets::keys::{EnvKeyError, InvalidKeyText, KeyError, KeyErrorKind, KeyFileError};
use mcplexer_secrets::{Error, Finding, Home, KeySource, RecordName, SlotInfo, SlotKind};

use crate::output::{say, say_hint, shortened, shown};
use crate::{exit_code, input, prompt};

mod environment;
mod process;
mod scan;
mod usage;

/// A failure to report: a message, the next steps, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hints: Vec<String>,
    /// How the command is used, as clap prints it.
    usage: Option<String>,
    pub(crate) code: u8,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hints: Vec::new(),
            usage: None,
            code: exit_code::FAILURE,
        }
    }

    pub(crate) fn with_code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same failure, at a place in a file.
    pub(crate) fn at(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// A failure that has been told in other words: only its exit code is left.
    pub(crate) fn silent(code: u8) -> Self {
        Self::new("").with_code(code)
    }

    /// The message and the hints, without what only steers a terminal.
    pub(crate) fn into_parts(self) -> (String, Vec<String>) {
        (
            shortened(self.message),
            self.hints.iter().map(shortened).collect(),
        )
    }

    pub(crate) fn of_stdout(error: &io::Error) -> Self {
        Self::new(format!("cannot write to standard output: {error}"))
    }

    pub(crate) fn report(&self) {
        if self.message.is_empty() {
            return;
        }
        say(&format!("mcplexer: error: {}", shortened(&self.message)));
        for hint in &self.hints {
            say_hint(&shortened(hint));
        }
        if let Some(usage) = &self.usage {
            say(usage);
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut message = with_causes(&error);
        if let Error::Locked {
            reason: KeyError::Wrong { recipients },
            ..
        } = &error
        {
            message = format!("no key opens this store: {}", other_key(recipients));
        }
        let failure = Self::new(message).with_code(exit_code::of(error.kind()));
        if let Error::Key(reason) | Error::Locked { reason, .. } = &error
            && let Some(KeyFileError::PassphraseNeeded { path }) = reason.reason()
            && prompt::was_left()
        {
            return input::not_given(&format!("passphrase for {}", shown(path)));
        }
        match &error {
            Error::Locked { reason, slots } => {
                let failure = failure.with_hints(key_hints(reason));
                if reason.kind() == KeyErrorKind::Absent {
                    let has_code = slots.iter().any(|slot| slot.kind == SlotKind::Recovery);
                    failure.with_hints(slots.iter().filter(|slot| slot.kind == SlotKind::Key).map(slot_hint))
                        .with_hint("put that key back, or name its file with MCPLEXER_AGE_KEY; no new key is made while this store exists")
                        .with_hints(has_code.then(|| "or, with the recovery code: mcplexer key recover".to_owned()))
                } else {
                    failure
                }
            }
            Error::Key(reason) => failure.with_hints(key_hints(reason)),
            Error::UnsupportedFormat { .. } => failure.with_hint("a newer mcplexer wrote this store; update this one"),
            Error::VersionMismatch { scope, .. } | Error::SecretExists { scope, .. } => {
                failure.with_hint(format!("mcplexer secret list {scope} shows the versions"))
            }
            Error::Tampered {
                record: RecordName::AuditLog(_) | RecordName::AuditLine(_) | RecordName::AuditSeal,
                finding,
            } => failure.with_hint(match finding {
                Finding::StoreIsGone => "mcplexer backup restore FILE brings it back; to begin anew without it, move the log away, or name another with MCPLEXER_AUDIT: each store has its own",
                Finding::StoreIsOlder => "put the newer store back; to go on with this one, move the log away",
                Finding::Missing => "put it back; the next change else begins another, which says that it follows one",
                _ => "keep the log as it is, and move it away to begin another, which says that it follows one",
            }),
            Error::Tampered { .. } => failure
                .with_hint("put back the home directory from a backup, or delete and store again what is named here"),
            Error::Backend(error) => failure.with_hint(match error.kind() {
                BackendErrorKind::Busy => "a program that was stopped may hold it; end that one, or try again",
                BackendErrorKind::Corrupt => "put the file back from a copy; nothing was changed",
                _ => "the directory and its files must be yours to read and write; MCPLEXER_HOME names another",
            }),
            Error::InvalidName(_) => {
                failure.with_hint("mcplexer scope create SCOPE --kind header makes a scope for HTTP field names")
            }
            Error::Conflicts { .. } => failure.with_hint(
                "nothing was imported; --overwrite replaces them, --skip-existing leaves them as they are",
            ),
            Error::NoStore => failure.with_hint("mcplexer secret put SCOPE KEY makes one"),
            Error::SlotNotFound { .. } | Error::SlotExists { .. } | Error::SlotsFull => {
                failure.with_hint("mcplexer key list shows what there is")
            }
            Error::SlotAmbiguous { .. } => failure
                .with_hint("name one by its label; mcplexer key list shows them"),
            Error::LastSlot { .. } => failure.with_hint("mcplexer key add lets another one open it"),
            Error::OwnSlot { .. } => failure.with_hint("--force removes it all the same"),
            Error::InvalidLabel(_) => failure.with_hint("--label gives another"),
            Error::NotABackup { .. } => {
                failure.with_hint("mcplexer backup create FILE makes one")
            }
            Error::BackupPassphraseWrong { .. } => failure.with_hint("try again; --identity and --recovery-code open it otherwise"),
            Error::FileExists { .. } => failure.with_hint("--force overwrites it; or name another file"),
            Error::NoBackupRecipient => failure.with_hint(
                "mcplexer backup create FILE --passphrase, or --recipient age1…, makes one that can be opened",
            ),
            Error::ScopeExists { scope } => {
                failure.with_hint(format!("mcplexer scope show {scope} tells what it is"))
            }
            Error::NotCarried { .. } => failure
                .with_hint("--only leaves it out; mcplexer inject writes it into a file"),
            Error::KindMisfit { scope, name, .. } => failure
                .with_hint(format!("leave the scope its kind, or mcplexer secret delete {scope} {name}")),
            Error::InvalidDisplayName => failure.with_hint("leave --name out to give it none"),
            Error::Environment { .. } => failure.with_hint("mcplexer help lists the variables"),
            Error::Io { action: "write", .. } => {
                failure.with_hint("nothing was changed; name a file in a directory that you may write to")
            }
            Error::ScopeChanged { .. } => failure.with_hint("nothing was changed; run it again"),
            Error::Io { path, .. } => {
                failure.with_hint(format!("{} must be a file that is yours to read", shown(path)))
            }
            Error::InvalidValue(_) => failure.with_hint("a value is 1 byte to 1 MiB of any bytes"),
            Error::Audit(error) => failure.with_hint(match error.kind() {
                AuditErrorKind::Busy => "a program that was stopped may hold it; end that one, or try again",
                AuditErrorKind::Corrupt => "keep the log as it is, and move it away to begin another, which says that it follows one",
                _ => "nothing is done that cannot be recorded; MCPLEXER_AUDIT names another log",
            }),
            _ => failure,
        }
    }
}

impl From<ReplaceError> for Failure {
    fn from(error: ReplaceError) -> Self {
        let failure = Self::new(with_causes(&error));
        match error {
            ReplaceError::Changed { .. } => failure
                .with_code(exit_code::CONFLICT)
                .with_hint("nothing was written; run it again"),
            _ => failure
                .with_hint("nothing was changed; name a file in a directory that you may write to"),
        }
    }
}

/// An error with its causes, on one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        message = format!("{message}: {inner}");
        cause = inner.source();
    }
    message
}

impl Failure {
    fn with_hints(mut self, hints: impl IntoIterator<Item = String>) -> Self {
        self.hints.extend(hints);
        self
    }
}

/// A key that is not one of the store's, and where it is.
fn other_key(recipients: &[String]) -> String {
    let place = Home::from_env().map(|home| match home.key() {
        KeySource::File(path) => shown(path),
        KeySource::Environment(variable) => (*variable).to_owned(),
        _ => "what is at hand".to_owned(),
    });
    let place = place.unwrap_or_default();
    format!("{place} is another key: {}", recipients.join(", "))
}

fn slot_hint(slot: &SlotInfo) -> String {
    format!("the store was made for {} ({})", slot.recipient, slot.label)
}

fn key_hints(reason: &KeyError) -> Option<String> {
    if let Some(error) = reason.reason() {
        return key_file_hint(error);
    }
    if let Some(EnvKeyError::Invalid { .. }) = reason.reason() {
        return Some(KEY_FILE_HINT.to_owned());
    }
    Some(match reason {
        KeyError::NotReplaceable { .. } => {
            "mcplexer key rotate --keep-identity re-keys the store only; or mcplexer key add a new key, and remove this one".to_owned()
        }
        KeyError::NoPlugin { name } => format!("install age-plugin-{name}, or remove its keys: mcplexer key list"),
        KeyError::Plugin { .. } => "is the device there? run this in a terminal to be asked for its PIN".to_owned(),
        KeyError::NoRecipient { .. } => {
            "make the store with a plain age key first, then mcplexer key add the plugin's recipient".to_owned()
        }
        KeyError::NotEncrypted { .. } => "mcplexer key list shows whose keys open the store".to_owned(),
        KeyError::RecoveryCodeWrong => "is it the newest code of this store? mcplexer key list shows when it was created".to_owned(),
        _ => return None,
    })
}

const KEY_FILE_HINT: &str = "a key file holds AGE-SECRET-KEY-1… lines, as age-keygen writes them, or is one encrypted with age -p, or an SSH private key";

fn key_file_hint(error: &KeyFileError) -> Option<String> {
    Some(match error {
        KeyFileError::Exposed { path, .. } => format!("chmod 600 {}", shown(path)),
        KeyFileError::ForeignOwner { path, .. } => {
            format!("use a copy of {} that belongs to you", shown(path))
        }
        KeyFileError::PassphraseNeeded { .. } => {
            "run this in a terminal, or give an identity in MCPLEXER_AGE_IDENTITY".to_owned()
        }
        KeyFileError::Unreadable { path, .. } => format!(
            "check {}, or name another file with MCPLEXER_AGE_KEY",
            shown(path)
        ),
        KeyFileError::NotCreated { source, .. }
            if source.kind() == io::ErrorKind::StorageFull =>
        {
            "make room on the disk and try again; nothing was changed".to_owned()
        }
        KeyFileError::NotCreated { .. } => {
            "MCPLEXER_AGE_KEY names another place for the key".to_owned()
        }
        KeyFileError::NotDropped { .. } => {
            "run mcplexer key rotate again once the file can be written".to_owned()
        }
        KeyFileError::PassphraseWrong { .. } => {
            "try again; MCPLEXER_AGE_KEY names another key file".to_owned()
        }
        KeyFileError::Invalid {
            reason: InvalidKeyText::Public,
            ..
        } => {
            "name the file of the private key, as MCPLEXER_AGE_KEY or --identity; of an SSH key, the one without .pub".to_owned()
        }
        KeyFileError::Invalid { .. } | KeyFileError::NotByPassphrase { .. } => {
            KEY_FILE_HINT.to_owned()
        }
        _ => return None,
    })
}
