//! What is said about secrets besides their values, and which of them to replace.

use super::names::Names;
use super::not_found;
use super::recorder::Subject;
use super::scope::NewScope;
use super::secret::{PutMode, SecretInfo, Stored};
use super::state::SecretState;
use super::vault::{IfMissing, Vault};
use crate::audit::AuditOperation;
use crate::record::Entry;
use crate::{Error, Note, RotateEvery, ScopeId, SecretName, SecretValue, Timestamp};

/// What happens to something that may be absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Change<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It becomes this.
    Set(T),
    /// It is removed.
    Remove,
}

impl<T: Clone> Change<T> {
    pub(super) fn apply(&self, to: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Set(value) => *to = Some(value.clone()),
            Self::Remove => *to = None,
        }
    }
}

/// Changes to what is said about a secret. By default everything stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecretEdit {
    /// What happens to its note.
    pub note: Change<Note>,
    /// What happens to the time at which its value expires.
    pub expires: Change<Timestamp>,
    /// What happens to the interval at which to replace its value.
    pub rotate_every: Change<RotateEvery>,
}

impl SecretEdit {
    /// Fails if an expiry is too late to be written as text, in a backup for example.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self.expires {
            Change::Set(expires) if expires.to_string().parse() != Ok(expires) => {
                Err(Error::InvalidExpiry)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn apply(&self, to: &mut Entry) {
        self.note.apply(&mut to.note);
        self.expires.apply(&mut to.expires);
        self.rotate_every.apply(&mut to.rotate_every);
    }
}

/// A version of a secret, without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct VersionInfo {
    /// Its number.
    pub version: u64,
    /// When it was stored.
    pub updated: Timestamp,
    /// Its place among the versions of this secret in copies of one store; see
    /// [`SecretInfo::revision`](super::SecretInfo).
    pub revision: u64,
}

impl VersionInfo {
    pub(crate) fn new(version: u64, updated: Timestamp, revision: u64) -> Self {
        Self {
            version,
            updated,
            revision,
        }
    }
}

/// Why to replace the value of a secret, and by when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Due {
    /// It expires.
    Expires(Timestamp),
    /// It is to be rotated.
    Rotate(Timestamp),
}

/// A secret whose value is to be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DueSecret {
    /// Its scope.
    pub scope: ScopeId,
    /// The secret.
    pub info: SecretInfo,
    /// Why, and by when.
    pub due: Due,
}

impl SecretInfo {
    /// Returns when its value is to be replaced, as far as its interval says so.
    #[must_use]
    pub fn rotate_by(&self) -> Option<Timestamp> {
        self.rotate_every.map(|every| every.after(self.updated))
    }

    /// Returns why to replace its value by `time`; `None` if nothing says so. A value that expires and is to be
    /// rotated by then expires.
    #[must_use]
    pub fn due_by(&self, time: Timestamp) -> Option<Due> {
        let passed = |at: &Timestamp| *at <= time;
        let expires = self.expires.filter(passed).map(Due::Expires);
        expires.or_else(|| self.rotate_by().filter(passed).map(Due::Rotate))
    }
}

/// Stores a value, with changes to what is said about it.
pub(super) fn put(
    vault: &Vault,
    scope: &NewScope,
    name: &SecretName,
    value: &SecretValue,
    mode: PutMode,
    state: Option<SecretState>,
    edit: &SecretEdit,
) -> Result<Stored, Error> {
    let subject = Subject::secret(AuditOperation::Put, &scope.id, name);
    vault.write(subject, IfMissing::CREATE, |writer| {
        writer.put_secret(scope, name, value, mode, state, edit)
    })
}

/// Changes what is said about a secret.
pub(super) fn edit(
    vault: &Vault,
    scope: &ScopeId,
    name: &SecretName,
    edit: &SecretEdit,
    state: Option<SecretState>,
) -> Result<SecretInfo, Error> {
    let subject = Subject::secret(AuditOperation::Edit, scope, name);
    vault.write(subject, IfMissing::ScopeNotFound(scope), |writer| {
        writer.edit_secret(scope, name, edit, state)
    })
}

/// Lists the versions of a secret, newest first.
pub(super) fn history(
    vault: &Vault,
    scope: &ScopeId,
    name: &SecretName,
) -> Result<Vec<VersionInfo>, Error> {
    let subject = Subject::secret(AuditOperation::List, scope, name);
    let versions = vault.read_names(subject, |names| names.history(scope, name));
    versions?.ok_or_else(|| not_found::scope(scope))
}

/// Opens a version of a value.
pub(super) fn get_version(
    vault: &Vault,
    scope: &ScopeId,
    name: &SecretName,
    version: u64,
) -> Result<SecretValue, Error> {
    let subject = Subject::secret(AuditOperation::GetVersion, scope, name);
    let value = vault.read(subject, |reader| {
        reader.existing_scope(scope)?.version(name, version)
    });
    value?.ok_or_else(|| not_found::scope(scope))
}

/// Stores the value of a version again.
pub(super) fn restore_version(
    vault: &Vault,
    scope: &ScopeId,
    name: &SecretName,
    version: u64,
    state: Option<SecretState>,
) -> Result<Stored, Error> {
    let subject = Subject::secret(AuditOperation::RestoreVersion, scope, name);
    vault.write(subject, IfMissing::ScopeNotFound(scope), |writer| {
        writer.restore_version(scope, name, version, state)
    })
}

/// Lists the secrets of a scope, or of all scopes, that are to be replaced by `time`.
pub(super) fn list_due(
    vault: &Vault,
    scope: Option<&ScopeId>,
    time: Timestamp,
) -> Result<Vec<DueSecret>, Error> {
    let subject = match scope {
        Some(scope) => Subject::scope(AuditOperation::List, scope),
        None => Subject::store(AuditOperation::List),
    };
    let due = vault.read_names(subject, |names| due_by(names, scope, time))?;
    match (due, scope) {
        (Some(due), _) => Ok(due),
        (None, Some(scope)) => Err(not_found::scope(scope)),
        (None, None) => Ok(Vec::new()),
    }
}

/// As [`list_due`] of all scopes, but not recorded.
pub(super) fn due(vault: &Vault, time: Timestamp) -> Result<Vec<DueSecret>, Error> {
    let due = vault.peek_names(|names| due_by(names, None, time))?;
    Ok(due.unwrap_or_else(Vec::new))
}

/// Returns the secrets of a scope, or of all scopes, that are to be replaced by `time`, sorted by scope and
/// name.
fn due_by(
    names: &Names<'_>,
    scope: Option<&ScopeId>,
    time: Timestamp,
) -> Result<Vec<DueSecret>, Error> {
    let scopes = match scope {
        Some(scope) => vec![scope.clone()],
        None => names.scope_ids()?,
    };
    let mut found = Vec::new();
    for scope in scopes {
        for info in names.listed_secrets(&scope)? {
            found.extend(info.due_by(time).map(|due| DueSecret {
                scope: scope.clone(),
                info,
                due,
            }));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_secret_is_due_from_the_moment_it_expires_or_is_to_be_rotated() {
        let stored = time("2026-01-01T00:00:00Z");
        let mut info = SecretInfo::new("K".parse().unwrap(), stored);
        assert_eq!(info.due_by(Timestamp::from_micros(u64::MAX)), None);
        info.rotate_every = Some("90d".parse().unwrap());
        let rotate = time("2026-04-01T00:00:00Z");
        let just_before = Timestamp::from_micros(rotate.as_micros() - 1);
        assert_eq!(info.due_by(just_before), None);
        assert_eq!(info.due_by(rotate), Some(Due::Rotate(rotate)));
        let expires = time("2026-05-01T00:00:00Z");
        info.expires = Some(expires);
        assert_eq!(info.due_by(rotate), Some(Due::Rotate(rotate)));
        assert_eq!(info.due_by(expires), Some(Due::Expires(expires)));
    }

    #[test]
    fn an_edit_keeps_sets_or_removes() {
        let mut there = Some(1);
        Change::Keep.apply(&mut there);
        assert_eq!(there, Some(1));
        Change::Set(2).apply(&mut there);
        assert_eq!(there, Some(2));
        Change::Remove.apply(&mut there);
        assert_eq!(there, None);
    }
}
