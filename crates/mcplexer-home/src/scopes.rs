//! Lists scopes and secrets, never values.

use mcplexer_secrets::{
    Error as StoreError, ScopeId, ScopeInfo, ScopeKind, SecretInfo, SecretName, SecretStore,
    Timestamp,
};
use serde::Serialize;

use crate::open::OpenHome;
use crate::text::as_text;

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
    /// When it was first stored.
    #[serde(serialize_with = "as_text")]
    pub created: Timestamp,
    /// When this version was stored.
    #[serde(serialize_with = "as_text")]
    pub updated: Timestamp,
}

impl From<ScopeInfo> for ScopeRow {
    fn from(scope: ScopeInfo) -> Self {
        Self {
            id: scope.id,
            kind: scope.kind,
            name: scope.display_name,
            redaction_hints: scope.redaction_hints,
            created: scope.created,
            secrets: scope.secrets,
        }
    }
}

impl From<SecretInfo> for SecretRow {
    fn from(secret: SecretInfo) -> Self {
        Self {
            name: secret.name,
            version: secret.version,
            created: secret.created,
            updated: secret.updated,
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
