//! What was tampered with or damaged, and how, as errors say it.

use std::fmt;
use std::path::PathBuf;

use crate::{ScopeId, SecretName};

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
            Self::CutOff => f.write_str("is missing entries that the store has recorded"),
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
