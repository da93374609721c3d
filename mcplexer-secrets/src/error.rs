//! The store's errors and their kinds.

use std::io;
use std::path::PathBuf;

use crate::audit::{AuditError, AuditErrorKind};
use crate::backend::{BackendError, BackendErrorKind};
use crate::keys::{InvalidLabel, KeyError, KeyErrorKind};
use crate::{
    InvalidName, InvalidValue, NotCarried, ScopeId, ScopeKind, SecretName, SlotInfo, Timestamp,
};

mod place;
mod tampering;

pub use place::PlaceHas;
pub use tampering::{Finding, RecordName};

/// A failure of a [`SecretStore`](crate::SecretStore). It carries names and paths, never a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The scope does not exist.
    #[error("no scope {scope}")]
    ScopeNotFound {
        /// The scope asked for.
        scope: ScopeId,
    },
    /// The secret does not exist in this scope.
    #[error("no secret {name} in scope {scope}")]
    SecretNotFound {
        /// The scope asked for, which exists.
        scope: ScopeId,
        /// The name asked for.
        name: SecretName,
    },
    /// The secret exists, and has no such version, or no longer.
    #[error("no version {version} of {scope}/{name}")]
    VersionNotFound {
        /// Its scope.
        scope: ScopeId,
        /// Its name.
        name: SecretName,
        /// The version asked for.
        version: u64,
    },
    /// The scope to create already exists.
    #[error("scope {scope} already exists")]
    ScopeExists {
        /// The scope.
        scope: ScopeId,
    },
    /// The scope to delete is not the one that the caller saw.
    #[error("scope {scope} was changed concurrently")]
    ScopeChanged {
        /// The scope.
        scope: ScopeId,
    },
    /// The secret to create already exists.
    #[error("{scope}/{name} already exists, at version {version}")]
    SecretExists {
        /// Its scope.
        scope: ScopeId,
        /// Its name.
        name: SecretName,
        /// Its current version.
        version: u64,
    },
    /// A compare-and-swap found another version than expected.
    #[error("{scope}/{name} is {}, not at version {expected}", at_version(.found))]
    VersionMismatch {
        /// The scope.
        scope: ScopeId,
        /// The name.
        name: SecretName,
        /// The version that was expected.
        expected: u64,
        /// The current version; `None` if the secret does not exist.
        found: Option<u64>,
    },
    /// Secrets to import already exist with other values.
    #[error("{scope} already has other values for {}", in_words(.names))]
    Conflicts {
        /// The scope.
        scope: ScopeId,
        /// All of those secrets.
        names: Vec<SecretName>,
    },
    /// Secrets are not in the state any more in which the caller saw them: they were replaced, edited, deleted or created since.
    #[error("in scope {scope}, {} changed concurrently", in_words(.names))]
    SecretsChanged {
        /// The scope.
        scope: ScopeId,
        /// All of those secrets.
        names: Vec<SecretName>,
    },
    /// Two secrets to import have the same name.
    #[error("{scope}/{name} is given twice")]
    NamedTwice {
        /// The scope.
        scope: ScopeId,
        /// The name.
        name: SecretName,
    },
    /// The scope already holds the maximum number of secrets.
    #[error(
        "scope {scope} is full: it holds {} secrets",
        crate::MAX_SECRETS_PER_SCOPE
    )]
    ScopeFull {
        /// The scope.
        scope: ScopeId,
    },
    /// The store already holds the maximum number of scopes.
    #[error("the store is full: it holds {} scopes", crate::MAX_SCOPES)]
    StoreFull,
    /// The store does not exist yet.
    #[error("there is no store yet")]
    NoStore,
    /// No slot has this label or recipient.
    #[error("no key {slot} opens this store")]
    SlotNotFound {
        /// The label or recipient asked for.
        slot: String,
    },
    /// Several slots match.
    #[error("several keys match: {}", .labels.join(", "))]
    SlotAmbiguous {
        /// Their labels.
        labels: Vec<String>,
    },
    /// A slot already has this label or recipient.
    #[error("{slot} already opens this store")]
    SlotExists {
        /// The label or the recipient.
        slot: String,
    },
    /// Another slot already has this label.
    #[error("the label {label} is taken by another key")]
    LabelTaken {
        /// The label.
        label: String,
    },
    /// The recovery code could not be shown, so it was not added.
    #[error("the recovery code could not be shown, and was not added")]
    NotShown(#[source] io::Error),
    /// The store already has the maximum number of slots.
    #[error("the store already has {} keys, the maximum", crate::MAX_SLOTS)]
    SlotsFull,
    /// The only slot cannot be removed: nobody could open the store without it.
    #[error("{label} is the only key that opens this store")]
    LastSlot {
        /// Its label.
        label: String,
    },
    /// The slot in use cannot be removed: the caller could not open the store without it.
    #[error("{label} is the key in use here: without it you could not open the store")]
    OwnSlot {
        /// Its label.
        label: String,
    },
    /// The label is invalid.
    #[error(transparent)]
    InvalidLabel(#[from] InvalidLabel),
    /// The file is not a backup.
    #[error("not a backup of mcplexer: {reason}")]
    NotABackup {
        /// Why not.
        reason: String,
    },
    /// The passphrase does not open the backup.
    #[error("wrong passphrase for {path}", path = .path.display())]
    BackupPassphraseWrong {
        /// The backup.
        path: PathBuf,
    },
    /// The file to create already exists.
    #[error("{path} already exists", path = .path.display())]
    FileExists {
        /// The file.
        path: PathBuf,
    },
    /// No key of the store can open a backup: all of them are passphrases.
    #[error("no key of this store can open a backup: all of them are passphrases")]
    NoBackupRecipient,
    /// A value cannot be passed on in the chosen way.
    #[error("{scope}/{name} {reason}")]
    NotCarried {
        /// The scope.
        scope: ScopeId,
        /// The secret.
        name: SecretName,
        /// Why not.
        reason: NotCarried,
    },
    /// The name is invalid.
    #[error(transparent)]
    InvalidName(#[from] InvalidName),
    /// The value is invalid.
    #[error(transparent)]
    InvalidValue(#[from] InvalidValue),
    /// The display name is empty, longer than 128 characters, or contains a control character.
    #[error("a display name is 1 to 128 characters, none of them a control character")]
    InvalidDisplayName,
    /// A scope was given more redaction hints than it can have.
    #[error("a scope has at most {} redaction hints", crate::MAX_REDACTION_HINTS)]
    TooManyHints,
    /// A scope was asked to keep more earlier versions than it can.
    #[error("a scope keeps at most {} earlier versions", crate::MAX_KEEP_VERSIONS)]
    TooManyVersions,
    /// The expiry cannot be written as an RFC 3339 time.
    #[error("an expiry is a time before the year 10000")]
    InvalidExpiry,
    /// The scope cannot become this kind while it holds this secret.
    #[error("scope {scope} cannot become {kind}: it holds {name}, which no {kind} scope can hold")]
    KindMisfit {
        /// The scope.
        scope: ScopeId,
        /// The kind asked for.
        kind: ScopeKind,
        /// The first of its secrets whose name does not fit.
        name: SecretName,
    },
    /// No available identity opens this store.
    #[error("no key opens this store")]
    Locked {
        /// The attempt that failed.
        #[source]
        reason: KeyError,
        /// The slots of the store. The identity of any of them would open it.
        slots: Vec<SlotInfo>,
    },
    /// The owner whose key opens this store has not accepted it: somebody else created it, or the store was
    /// replaced.
    #[error(
        "the key {slot} opens this store, but has not accepted it: {by} encrypted it to this key on {at}"
    )]
    NotAccepted {
        /// The label of the key.
        slot: String,
        /// Who made the key open this store, by the label in the store.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// The store was moved. Here it takes no changes any more.
    #[error("this store was moved to {to}, and takes no changes here")]
    Moved {
        /// Where it is now, as the move named it.
        to: String,
    },
    /// A store is being moved to here, or a move to here was interrupted.
    #[error("a store is being moved to here, and the move is not finished")]
    MoveUnfinished,
    /// A store cannot be moved to a place, or not be deleted there.
    #[error("{place} {has}")]
    Place {
        /// The place, as the caller named it.
        place: String,
        /// What is there.
        has: PlaceHas,
    },
    /// The key is missing, or cannot be used or replaced.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A record is not what the store wrote.
    #[error("tampered or damaged: {record} {finding}")]
    Tampered {
        /// The record.
        record: RecordName,
        /// What is wrong with it.
        finding: Finding,
    },
    /// The store is in a format that this version does not know.
    #[error("{record} is in format version {found}; this program reads version {supported}")]
    UnsupportedFormat {
        /// The record in that format.
        record: RecordName,
        /// Its version.
        found: u8,
        /// The version this library reads and writes.
        supported: u8,
    },
    /// The backend failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The storage did not answer in time whether a change was made. Look before you make it again.
    #[error("it is not known whether the change was made: the storage did not answer")]
    OutcomeUnknown {
        /// What went wrong when the change was committed.
        #[source]
        source: BackendError,
    },
    /// A change that takes several commits, because the backend limits one, failed after the first of them. What was made
    /// is whole, and the same change again goes on with the rest.
    #[error("a part of the change was made before it failed")]
    PartlyMade {
        /// Why the rest was not made.
        #[source]
        source: Box<Self>,
    },
    /// The operation could not be recorded in the audit log, and therefore has no effect.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A file other than the key file cannot be read or written.
    #[error("cannot {action} {path}", path = .path.display())]
    Io {
        /// What failed, as a verb.
        action: &'static str,
        /// The path of the file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The operating system gave no random bytes, or sealing failed for lack of memory.
    #[error("cannot seal: {0}")]
    Seal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The kinds of failure that call for different reactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Something was not found.
    NotFound,
    /// Something already exists, or was changed concurrently.
    Conflict,
    /// The request is invalid, regardless of what the store holds.
    Invalid,
    /// The key is missing, wrong or exposed.
    Key,
    /// The store or the log is damaged, or was tampered with.
    Tampered,
    /// Another program has been using the store for too long, or its server does not answer. Nothing was changed.
    Busy,
    /// It is not known whether a change was made.
    OutcomeUnknown,
    /// Anything else, mostly the file system.
    Other,
}

impl Error {
    /// Returns the kind of this failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::ScopeNotFound { .. }
            | Self::SecretNotFound { .. }
            | Self::VersionNotFound { .. }
            | Self::NoStore
            | Self::SlotNotFound { .. } => ErrorKind::NotFound,
            Self::ScopeExists { .. }
            | Self::ScopeChanged { .. }
            | Self::SecretExists { .. }
            | Self::VersionMismatch { .. }
            | Self::Conflicts { .. }
            | Self::SecretsChanged { .. }
            | Self::SlotExists { .. }
            | Self::LabelTaken { .. }
            | Self::Moved { .. }
            | Self::Place { .. }
            | Self::FileExists { .. } => ErrorKind::Conflict,
            Self::InvalidName(_)
            | Self::InvalidValue(_)
            | Self::InvalidDisplayName
            | Self::TooManyHints
            | Self::TooManyVersions
            | Self::InvalidExpiry
            | Self::KindMisfit { .. }
            | Self::InvalidLabel(_)
            | Self::NoBackupRecipient
            | Self::NotCarried { .. }
            | Self::NamedTwice { .. }
            | Self::SlotAmbiguous { .. }
            | Self::LastSlot { .. }
            | Self::OwnSlot { .. } => ErrorKind::Invalid,
            Self::Key(error) if error.kind() == KeyErrorKind::NoSpace => ErrorKind::Other,
            Self::Locked { .. } | Self::Key(_) | Self::BackupPassphraseWrong { .. } => {
                ErrorKind::Key
            }
            Self::Tampered { .. } | Self::NotAccepted { .. } | Self::NotABackup { .. } => {
                ErrorKind::Tampered
            }
            Self::Audit(error) => match error.kind() {
                AuditErrorKind::Busy => ErrorKind::Busy,
                AuditErrorKind::Corrupt => ErrorKind::Tampered,
                AuditErrorKind::Other => ErrorKind::Other,
            },
            Self::Backend(error) => match error.kind() {
                BackendErrorKind::Busy | BackendErrorKind::Unreachable => ErrorKind::Busy,
                BackendErrorKind::Corrupt => ErrorKind::Tampered,
                BackendErrorKind::Invalid => ErrorKind::Invalid,
                BackendErrorKind::TooLarge | BackendErrorKind::Denied | BackendErrorKind::Other => {
                    ErrorKind::Other
                }
            },
            Self::MoveUnfinished => ErrorKind::Busy,
            Self::OutcomeUnknown { .. } => ErrorKind::OutcomeUnknown,
            // The others promise that nothing was changed.
            Self::PartlyMade { source } => match source.kind() {
                ErrorKind::OutcomeUnknown => ErrorKind::OutcomeUnknown,
                _ => ErrorKind::Other,
            },
            Self::ScopeFull { .. }
            | Self::StoreFull
            | Self::SlotsFull
            | Self::UnsupportedFormat { .. }
            | Self::Io { .. }
            | Self::NotShown(_)
            | Self::Seal(_) => ErrorKind::Other,
        }
    }

    pub(crate) fn tampered(record: RecordName, finding: Finding) -> Self {
        Self::Tampered { record, finding }
    }
}

fn at_version(found: &Option<u64>) -> String {
    found.map_or_else(
        || "not there".to_owned(),
        |version| format!("at version {version}"),
    )
}

fn in_words(names: &[SecretName]) -> String {
    let names: Vec<_> = names.iter().map(SecretName::as_str).collect();
    names.join(", ")
}
