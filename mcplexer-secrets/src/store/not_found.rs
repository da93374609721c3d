//! Errors for scopes and secrets that are not there.

use crate::error::{Finding, RecordName};
use crate::{Error, ScopeId, SecretName};

/// The scope does not exist.
pub(super) fn scope(scope: &ScopeId) -> Error {
    Error::ScopeNotFound {
        scope: scope.clone(),
    }
}

/// The scope exists, and does not list the secret.
pub(super) fn secret(scope: &ScopeId, name: &SecretName) -> Error {
    Error::SecretNotFound {
        scope: scope.clone(),
        name: name.clone(),
    }
}

/// The secret exists, and does not have the version.
pub(super) fn version(scope: &ScopeId, name: &SecretName, version: u64) -> Error {
    Error::VersionNotFound {
        scope: scope.clone(),
        name: name.clone(),
        version,
    }
}

/// The scope is listed, and its record is gone.
pub(super) fn listed_scope(scope: &ScopeId) -> Error {
    Error::tampered(RecordName::Scope(scope.clone()), Finding::Missing)
}

/// What is wrong with a secret's record.
pub(super) fn bad_secret(scope: &ScopeId, name: &SecretName, finding: Finding) -> Error {
    Error::tampered(RecordName::Secret(scope.clone(), name.clone()), finding)
}
