//! The records of secrets: how a scope lists one, its current version, and its earlier ones.

use serde::{Deserialize, Serialize};

use super::{Digest, Listed};
use crate::{Note, RotateEvery, ScopeId, SecretInfo, SecretName, Timestamp, VersionInfo};

/// A secret, as listed in its scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) name: SecretName,
    pub(crate) version: u64,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// Orders the versions of this secret in copies of one store: the store's revision with this version, or
    /// more.
    pub(crate) revision: u64,
    pub(crate) note: Option<Note>,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) rotate_every: Option<RotateEvery>,
    /// Of the secret's record.
    pub(crate) digest: Digest,
}

impl Listed for Entry {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}

impl Entry {
    pub(crate) fn info(&self) -> SecretInfo {
        let mut info = SecretInfo::new(self.name.clone(), self.created);
        info.version = self.version;
        info.updated = self.updated;
        info.revision = self.revision;
        info.note.clone_from(&self.note);
        info.expires = self.expires;
        info.rotate_every = self.rotate_every;
        info
    }

    /// Describes an earlier version of this secret.
    pub(crate) fn at(&self, earlier: &Earlier) -> Self {
        Self {
            version: earlier.version,
            updated: earlier.updated,
            revision: earlier.revision,
            digest: earlier.digest,
            ..self.clone()
        }
    }

    /// Describes this version without what is said about the secret.
    pub(crate) fn version_info(&self) -> VersionInfo {
        VersionInfo::new(self.version, self.updated, self.revision)
    }
}

/// The current version of a secret, and the list of its earlier ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Secret {
    /// The value, sealed with the scope key over its place, version and times.
    #[serde(with = "serde_bytes")]
    pub(crate) sealed: Vec<u8>,
    /// The versions before, in ascending order.
    pub(crate) earlier: Vec<Earlier>,
}

/// An earlier version of a secret, as its record lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Earlier {
    pub(crate) version: u64,
    pub(crate) updated: Timestamp,
    pub(crate) revision: u64,
    /// Of the version's record.
    pub(crate) digest: Digest,
}

/// An earlier version of a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct EarlierValue {
    /// The value, sealed as it was when it was the current one.
    #[serde(with = "serde_bytes")]
    pub(crate) sealed: Vec<u8>,
}

/// Returns the prefix of the keys of a scope's secrets in
/// [`Table::Secrets`](crate::backend::Table::Secrets): the scope's id and a NUL, which no id and no
/// name contains.
pub(crate) fn secret_prefix(scope: &ScopeId) -> Vec<u8> {
    [scope.as_str().as_bytes(), b"\0"].concat()
}

/// Returns the key of the current version of a secret.
pub(crate) fn secret_key(scope: &ScopeId, name: &SecretName) -> Vec<u8> {
    [scope.as_str().as_bytes(), b"\0", name.as_str().as_bytes()].concat()
}

/// Returns the prefix of the keys of a secret's earlier versions. They follow that of the current one.
pub(crate) fn version_prefix(scope: &ScopeId, name: &SecretName) -> Vec<u8> {
    [&secret_key(scope, name)[..], b"\0"].concat()
}

/// Returns the key of an earlier version of a secret, such that the keys are in order of the versions.
pub(crate) fn version_key(scope: &ScopeId, name: &SecretName, version: u64) -> Vec<u8> {
    [&version_prefix(scope, name)[..], &version.to_be_bytes()].concat()
}

/// Splits what follows [`secret_prefix`] in a key: the name, and what follows it in the key of an earlier
/// version.
pub(crate) fn split_place(place: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = place.splitn(2, |&byte| byte == 0);
    (parts.next().unwrap_or_default(), parts.next())
}
