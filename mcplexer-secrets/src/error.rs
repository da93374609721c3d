//! The store's errors and their kinds.

use std::path::PathBuf;
use std::{fmt, io};

use crate::audit::{AuditError, AuditErrorKind};
use crate::backend::{BackendError, BackendErrorKind};
use crate::keys::{InvalidLabel, KeyError, KeyErrorKind};
use crate::{
    InvalidName, InvalidValue, NotCarried, ScopeId, ScopeKind, SecretName, SlotInfo, Timestamp,
};

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
    /// A scope was told to keep more earlier versions than it can.
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
    /// Another program has been using the store for too long.
    Busy,
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
            | Self::SlotExists { .. }
            | Self::LabelTaken { .. }
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
                BackendErrorKind::Busy => ErrorKind::Busy,
                BackendErrorKind::Corrupt => ErrorKind::Tampered,
                BackendErrorKind::Other => ErrorKind::Other,
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

/// A record of the store, as errors name it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordName {
    /// The header, which vouches for every other record.
    Header,
    /// The list of owners.
    Owners,
    /// A page of the list of all scopes.
    ScopeList,
    /// A scope.
    Scope(ScopeId),
    /// A page of the list of a scope's secrets.
    SecretList(ScopeId),
    /// A sealed value.
    Secret(ScopeId, SecretName),
    /// An earlier version of a secret.
    Version(ScopeId, SecretName, u64),
    /// A record whose key is not a valid name.
    Unknown(&'static str),
    /// A line of an audit log, counted from 1.
    AuditLine(u64),
    /// An audit log as a whole.
    AuditLog(PathBuf),
    /// The store as a whole.
    Store,
    /// A checkpoint.
    Checkpoint,
}

impl fmt::Display for RecordName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("the store's header"),
            Self::Owners => f.write_str("the list of owners"),
            Self::ScopeList => f.write_str("the list of scopes"),
            Self::Scope(scope) => write!(f, "scope {scope}"),
            Self::SecretList(scope) => write!(f, "the list of secrets of scope {scope}"),
            Self::Secret(scope, name) => write!(f, "secret {scope}/{name}"),
            Self::Version(scope, name, version) => {
                write!(f, "version {version} of secret {scope}/{name}")
            }
            Self::Unknown(table) => write!(f, "a record of table {table}"),
            Self::AuditLine(line) => write!(f, "line {line} of the audit log"),
            Self::Store => f.write_str("the store"),
            Self::Checkpoint => f.write_str("the checkpoint"),
            Self::AuditLog(path) => write!(f, "the audit log {}", path.display()),
        }
    }
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// It cannot be decoded.
    Malformed,
    /// It does not open with its key: it was edited, forged, or moved from elsewhere.
    DoesNotOpen,
    /// It is listed but does not exist.
    Missing,
    /// The end of an audit log is not one that a crash can leave.
    NoEnd,
    /// There is no audit log, although this owner has written one.
    NoLog,
    /// It exists but is not listed.
    Unlisted,
    /// It is not the record that was last written there: it was edited, or an older one or another was put
    /// in its place.
    NotAsSealed,
    /// An audit line does not carry the hash of the line before it, or of itself.
    BrokenChain,
    /// Audit lines that the store has sealed are missing or were replaced.
    CutOff,
    /// The log has recorded a later state of the store: an older copy was put in its place.
    StoreIsOlder {
        /// The revision of the store.
        store: u64,
        /// The revision that the log has recorded.
        log: u64,
    },
    /// It is at an earlier revision than a checkpoint.
    BehindCheckpoint {
        /// Its revision.
        found: u64,
        /// The revision of the checkpoint.
        checkpoint: u64,
    },
    /// The log lacks the line that a checkpoint names.
    LacksCheckpoint,
    /// The log or the checkpoint is about another store than the one that is there.
    OtherStore,
    /// The log has recorded a later claim of the owner: a former owner made this store.
    ClaimIsOlder,
    /// The log has changes of a store that does not exist.
    StoreIsGone,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("cannot be decoded"),
            Self::DoesNotOpen => {
                f.write_str("does not open: it was edited, forged or moved from another place")
            }
            Self::Missing => f.write_str("is missing: it was removed behind the store's back"),
            Self::NoEnd => f.write_str(
                "does not end in one of its lines: what follows the last one is not what a crash leaves, at most 8 KiB",
            ),
            Self::NoLog => f.write_str("is missing: it was moved or removed, or never copied here"),
            Self::Unlisted => f.write_str("is not listed: it was added behind the store's back"),
            Self::NotAsSealed => f.write_str(
                "is not what was last written: it was edited, or put back to an older state",
            ),
            Self::BrokenChain => f.write_str("was changed, or a line before it was removed"),
            Self::CutOff => f.write_str("is missing lines that the store has sealed"),
            Self::StoreIsOlder { store, log } if store < log => write!(
                f,
                "has recorded revision {log}, and the store is at revision {store}: an older copy was put in its place"
            ),
            Self::StoreIsOlder { store, log } => write!(
                f,
                "has recorded changes up to revision {log} that the store lacks, although it is at revision {store}: a copy that went on separately was put in its place"
            ),
            Self::BehindCheckpoint { found, checkpoint } => write!(
                f,
                "is at revision {found}, and the checkpoint was made at revision {checkpoint}: an older copy was put in its place"
            ),
            Self::LacksCheckpoint => f.write_str(
                "lacks the line of the checkpoint: it was replaced, or put back to an older state",
            ),
            Self::OtherStore => f.write_str("is about another store than the one that is here"),
            Self::ClaimIsOlder => f.write_str(
                "has recorded a later claim of this key: the store was made by somebody who could open an earlier one",
            ),
            Self::StoreIsGone => f.write_str("belongs to a store that is missing or was replaced"),
        }
    }
}
