//! Scopes as a program sees them.

use super::life::Change;
use super::reader::ScopeReader;
use crate::record::Scope;
use crate::{Error, ScopeId, ScopeKind, SecretName, Timestamp};

/// Most scopes a store can hold.
pub const MAX_SCOPES: u64 = 100_000;
/// Most secrets a scope can hold.
pub const MAX_SECRETS_PER_SCOPE: usize = 100_000;
/// Most redaction hints a scope can have.
pub const MAX_REDACTION_HINTS: usize = 64;
/// Longest display name of a scope, in characters.
pub const MAX_DISPLAY_NAME_LEN: usize = 128;
/// Most earlier versions of each secret that a scope can keep.
pub const MAX_KEEP_VERSIONS: u8 = 100;
/// How many earlier versions of each secret a scope keeps unless told otherwise.
pub const DEFAULT_KEEP_VERSIONS: u8 = 5;

/// A scope without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScopeInfo {
    /// Its id.
    pub id: ScopeId,
    /// How its secrets reach a tool server.
    pub kind: ScopeKind,
    /// A name for people, if it has one.
    pub display_name: Option<String>,
    /// Names of variables and fields that carry a credential although their names do not say so.
    pub redaction_hints: Vec<SecretName>,
    /// How many earlier versions of each secret it keeps.
    pub keep_versions: u8,
    /// When it was created.
    pub created: Timestamp,
    /// How many secrets it holds.
    pub secrets: usize,
}

impl ScopeInfo {
    /// Describes an empty scope created at `now`.
    #[must_use]
    pub fn new(scope: &NewScope, now: Timestamp) -> Self {
        Self {
            id: scope.id.clone(),
            kind: scope.kind,
            display_name: scope.display_name.clone(),
            redaction_hints: scope.redaction_hints.clone(),
            keep_versions: scope.keep_versions,
            created: now,
            secrets: 0,
        }
    }
}

/// A scope to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewScope {
    /// Its id.
    pub id: ScopeId,
    /// How its secrets will reach a tool server.
    pub kind: ScopeKind,
    /// A name for people: 1 to 128 characters, none of them a control character.
    pub display_name: Option<String>,
    /// Names of variables and fields that carry a credential although their names do not say so: at
    /// most 64.
    pub redaction_hints: Vec<SecretName>,
    /// How many earlier versions of each secret to keep: at most 100. A lower number than before applies to a
    /// secret when its next value is stored.
    pub keep_versions: u8,
}

/// Changes to what is said about a scope. By default everything stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScopeEdit {
    /// What happens to its display name.
    pub display_name: Change<String>,
    /// How many earlier versions of each secret to keep from now on.
    pub keep_versions: Option<u8>,
}

impl NewScope {
    /// Describes a scope of kind [`Env`](ScopeKind::Env) without a display name and without hints, which keeps
    /// [`DEFAULT_KEEP_VERSIONS`].
    #[must_use]
    pub fn env(id: ScopeId) -> Self {
        Self {
            id,
            kind: ScopeKind::Env,
            display_name: None,
            redaction_hints: Vec::new(),
            keep_versions: DEFAULT_KEEP_VERSIONS,
        }
    }

    /// Checks that a store can hold such a scope.
    ///
    /// # Errors
    /// [`Error::InvalidDisplayName`], [`Error::TooManyHints`] or [`Error::TooManyVersions`].
    pub fn check(&self) -> Result<(), Error> {
        if let Some(name) = &self.display_name {
            let len = name.chars().count();
            if len == 0 || len > MAX_DISPLAY_NAME_LEN || name.chars().any(char::is_control) {
                return Err(Error::InvalidDisplayName);
            }
        }
        if self.redaction_hints.len() > MAX_REDACTION_HINTS {
            return Err(Error::TooManyHints);
        }
        match self.keep_versions {
            0..=MAX_KEEP_VERSIONS => Ok(()),
            _ => Err(Error::TooManyVersions),
        }
    }

    /// Describes a scope as it is, with these changes.
    pub(super) fn edited(id: &ScopeId, record: &Scope, edit: &ScopeEdit) -> Self {
        let mut scope = Self {
            id: id.clone(),
            kind: record.kind,
            display_name: record.display_name.clone(),
            redaction_hints: record.redaction_hints.clone(),
            keep_versions: record.keep_versions,
        };
        edit.display_name.apply(&mut scope.display_name);
        scope.keep_versions = edit.keep_versions.unwrap_or(scope.keep_versions);
        scope
    }

    /// Whether the scope is of another kind, has another display name or other hints, or keeps another number
    /// of versions.
    pub(super) fn differs_from(&self, record: &Scope) -> bool {
        self.kind != record.kind
            || self.display_name != record.display_name
            || self.redaction_hints != record.redaction_hints
            || self.keep_versions != record.keep_versions
    }

    /// Fails if the scope holds a secret whose name the new kind does not allow.
    pub(super) fn check_fits(&self, there: &ScopeReader<'_>) -> Result<(), Error> {
        if there.record().kind == self.kind {
            return Ok(());
        }
        let mut names = there.entries()?.into_iter().map(|entry| entry.name);
        match names.find(|name| self.kind.check(name).is_err()) {
            None => Ok(()),
            Some(name) => Err(Error::KindMisfit {
                scope: self.id.clone(),
                kind: self.kind,
                name,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> NewScope {
        NewScope::env("s".parse().unwrap())
    }

    #[test]
    fn a_display_name_is_1_to_128_printable_characters() {
        let check = |name: &str| {
            let mut scope = scope();
            scope.display_name = Some(name.to_owned());
            scope.check()
        };
        for good in ["x", "GitHub, Ünïted", &"ü".repeat(MAX_DISPLAY_NAME_LEN)] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", "a\nb", &"x".repeat(MAX_DISPLAY_NAME_LEN + 1)] {
            assert!(
                matches!(check(bad), Err(Error::InvalidDisplayName)),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn a_scope_has_at_most_64_hints() {
        let mut scope = scope();
        scope.redaction_hints = vec!["K".parse().unwrap(); MAX_REDACTION_HINTS];
        assert!(scope.check().is_ok());
        scope.redaction_hints.push("K".parse().unwrap());
        assert!(matches!(scope.check(), Err(Error::TooManyHints)));
    }

    #[test]
    fn a_scope_keeps_at_most_100_earlier_versions() {
        let mut scope = scope();
        for keep in [0, DEFAULT_KEEP_VERSIONS, MAX_KEEP_VERSIONS] {
            scope.keep_versions = keep;
            assert!(scope.check().is_ok(), "{keep}");
        }
        scope.keep_versions = MAX_KEEP_VERSIONS + 1;
        assert!(matches!(scope.check(), Err(Error::TooManyVersions)));
    }
}
