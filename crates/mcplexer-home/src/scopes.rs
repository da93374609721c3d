//! Lists scopes and secrets, never values.

use mcplexer_secrets::{
    Error as StoreError, Note, RotateEvery, ScopeEdit, ScopeId, ScopeInfo, ScopeKind, SecretInfo,
    SecretName, SecretState, SecretStore, Timestamp,
};
use serde::Serialize;

use crate::open::OpenHome;
use crate::text::{as_optional_text, as_text};

/// All scopes.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ScopeList {
    /// The scopes, by id.
    pub scopes: Vec<ScopeRow>,
}

/// A scope, without its secrets.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ScopeRow {
    /// Its id.
    pub id: ScopeId,
    /// How its secrets reach a tool server.
    #[serde(serialize_with = "as_text")]
    pub kind: ScopeKind,
    /// A name for people.
    pub name: Option<String>,
    /// Names that carry a credential although they do not look like it.
    pub redaction_hints: Vec<SecretName>,
    /// How many earlier versions of each secret it keeps.
    pub keep_versions: u8,
    /// When it was created.
    #[serde(serialize_with = "as_text")]
    pub created: Timestamp,
    /// How many secrets it holds.
    pub secrets: usize,
}

/// A scope with its secrets.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ScopeReport {
    /// Its id.
    pub id: ScopeId,
    /// How its secrets reach a tool server.
    #[serde(serialize_with = "as_text")]
    pub kind: ScopeKind,
    /// A name for people.
    pub name: Option<String>,
    /// Names that carry a credential although they do not look like it.
    pub redaction_hints: Vec<SecretName>,
    /// How many earlier versions of each secret it keeps.
    pub keep_versions: u8,
    /// When it was created.
    #[serde(serialize_with = "as_text")]
    pub created: Timestamp,
    /// Its secrets, by name.
    pub secrets: Vec<SecretRow>,
}

/// The secrets of a scope.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct SecretList {
    /// The scope.
    pub scope: ScopeId,
    /// Its secrets, by name.
    pub secrets: Vec<SecretRow>,
}

/// A secret, without its value.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct SecretRow {
    /// Its name.
    pub name: SecretName,
    /// Its version, from 1.
    pub version: u64,
    /// Changes whenever the secret is changed.
    #[serde(skip)]
    pub state: SecretState,
    /// When it was first stored.
    #[serde(serialize_with = "as_text")]
    pub created: Timestamp,
    /// When this version was stored.
    #[serde(serialize_with = "as_text")]
    pub updated: Timestamp,
    /// A note for people.
    pub note: Option<Note>,
    /// When its value expires.
    #[serde(serialize_with = "as_optional_text")]
    pub expires: Option<Timestamp>,
    /// The number of days after which to replace its value.
    pub rotate_every_days: Option<u32>,
    /// When to replace its value, as that number says.
    #[serde(serialize_with = "as_optional_text")]
    pub rotate_by: Option<Timestamp>,
}

/// The versions of a secret.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct History {
    /// The scope.
    pub scope: ScopeId,
    /// The secret.
    pub key: SecretName,
    /// Its versions, newest first.
    pub versions: Vec<VersionRow>,
}

/// A version of a secret, without its value.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct VersionRow {
    /// Its number, from 1.
    pub version: u64,
    /// When it was stored.
    #[serde(serialize_with = "as_text")]
    pub updated: Timestamp,
}

/// Secrets whose values are to be replaced.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct DueList {
    /// The time by which they are to be replaced.
    #[serde(serialize_with = "as_text")]
    pub by: Timestamp,
    /// The secrets, by scope and name.
    pub secrets: Vec<DueRow>,
}

/// A secret whose value is to be replaced.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct DueRow {
    /// Its scope.
    pub scope: ScopeId,
    /// The secret.
    #[serde(flatten)]
    pub secret: SecretRow,
}

impl From<ScopeInfo> for ScopeRow {
    fn from(scope: ScopeInfo) -> Self {
        Self {
            id: scope.id,
            kind: scope.kind,
            name: scope.display_name,
            redaction_hints: scope.redaction_hints,
            keep_versions: scope.keep_versions,
            created: scope.created,
            secrets: scope.secrets,
        }
    }
}

impl From<SecretInfo> for SecretRow {
    fn from(secret: SecretInfo) -> Self {
        Self {
            rotate_by: secret.rotate_by(),
            state: secret.state(),
            name: secret.name,
            version: secret.version,
            created: secret.created,
            updated: secret.updated,
            note: secret.note,
            expires: secret.expires,
            rotate_every_days: secret.rotate_every.map(RotateEvery::days),
        }
    }
}

/// Returns all scopes.
///
/// # Errors
/// If the store cannot be read.
pub fn list(open: &OpenHome) -> Result<ScopeList, StoreError> {
    let scopes = open.store().scopes()?.into_iter().map(ScopeRow::from);
    Ok(ScopeList {
        scopes: scopes.collect(),
    })
}

/// Returns a scope and its secrets.
///
/// # Errors
/// [`StoreError::ScopeNotFound`].
pub fn show(id: &ScopeId, open: &OpenHome) -> Result<ScopeReport, StoreError> {
    let scope = open.store().scope(id)?;
    Ok(ScopeReport {
        secrets: secrets(id, open)?.secrets,
        id: scope.id,
        kind: scope.kind,
        name: scope.display_name,
        redaction_hints: scope.redaction_hints,
        keep_versions: scope.keep_versions,
        created: scope.created,
    })
}

/// Returns the secrets of a scope.
///
/// # Errors
/// [`StoreError::ScopeNotFound`].
pub fn secrets(id: &ScopeId, open: &OpenHome) -> Result<SecretList, StoreError> {
    let secrets = open.store().list(id)?.into_iter().map(SecretRow::from);
    Ok(SecretList {
        scope: id.clone(),
        secrets: secrets.collect(),
    })
}

/// Returns the versions of a secret.
///
/// # Errors
/// [`StoreError::ScopeNotFound`] or [`StoreError::SecretNotFound`].
pub fn history(id: &ScopeId, name: &SecretName, open: &OpenHome) -> Result<History, StoreError> {
    let versions = open.store().history(id, name)?.into_iter();
    Ok(History {
        scope: id.clone(),
        key: name.clone(),
        versions: versions
            .map(|it| VersionRow {
                version: it.version,
                updated: it.updated,
            })
            .collect(),
    })
}

/// Returns the secrets of a scope, or of all scopes, that expire or are to be rotated by a time.
///
/// # Errors
/// [`StoreError::ScopeNotFound`].
pub fn due(scope: Option<&ScopeId>, by: Timestamp, open: &OpenHome) -> Result<DueList, StoreError> {
    let due = open.store().list_due(scope, by)?.into_iter();
    Ok(DueList {
        by,
        secrets: due
            .map(|it| DueRow {
                scope: it.scope,
                secret: SecretRow::from(it.info),
            })
            .collect(),
    })
}

/// Changes how many earlier versions of each secret a scope keeps; returns whether it kept another number.
///
/// # Errors
/// [`StoreError::ScopeNotFound`] or [`StoreError::TooManyVersions`].
pub fn set_keep_versions(
    id: &ScopeId,
    keep_versions: u8,
    open: &OpenHome,
) -> Result<bool, StoreError> {
    let edit = ScopeEdit {
        keep_versions: Some(keep_versions),
        ..ScopeEdit::default()
    };
    open.store().edit_scope(id, &edit)
}
