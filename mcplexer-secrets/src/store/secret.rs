//! Secrets as a program sees them, and when to store one.

use crate::record::Entry;
use crate::{Error, Note, RotateEvery, ScopeId, SecretName, Timestamp};

/// When to store a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PutMode {
    /// Always: an existing secret is replaced.
    #[default]
    Overwrite,
    /// Only if there is no such secret yet.
    Create,
    /// Only if the secret is at exactly this version (compare-and-swap).
    Replace {
        /// The version the caller last saw.
        version: u64,
    },
}

impl PutMode {
    /// Fails if the mode forbids to replace this entry, or to create one.
    pub(super) fn check(
        self,
        scope: &ScopeId,
        name: &SecretName,
        existing: Option<&Entry>,
    ) -> Result<(), Error> {
        let found = existing.map(|entry| entry.version);
        match (self, found) {
            (Self::Create, Some(version)) => Err(Error::SecretExists {
                scope: scope.clone(),
                name: name.clone(),
                version,
            }),
            (Self::Replace { version }, found) if found != Some(version) => {
                Err(Error::VersionMismatch {
                    scope: scope.clone(),
                    name: name.clone(),
                    expected: version,
                    found,
                })
            }
            _ => Ok(()),
        }
    }
}

/// What storing a value did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// The version of the secret now; 1 for a new one.
    pub version: u64,
    /// Whether the scope was created.
    pub scope_created: bool,
    /// The expiry of the value that was replaced, if it had passed and went with it.
    pub expiry_dropped: Option<Timestamp>,
}

impl Stored {
    /// Describes a value stored as this version.
    #[must_use]
    pub fn new(version: u64, scope_created: bool) -> Self {
        Self {
            version,
            scope_created,
            expiry_dropped: None,
        }
    }
}

/// A secret without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretInfo {
    /// Its name.
    pub name: SecretName,
    /// How often it was stored since it was created; 1 for a new one.
    pub version: u64,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last stored.
    pub updated: Timestamp,
    /// Orders the versions of this secret in copies of one store, where clocks may differ: grows with each
    /// value stored. 0 if the store has no revisions.
    pub revision: u64,
    /// A note for people, which is not encrypted.
    pub note: Option<Note>,
    /// When its value expires. A value that has expired is still given out.
    pub expires: Option<Timestamp>,
    /// How often to replace its value, counted from `updated`.
    pub rotate_every: Option<RotateEvery>,
}

impl SecretInfo {
    /// Describes a secret first stored at `now`.
    #[must_use]
    pub fn new(name: SecretName, now: Timestamp) -> Self {
        Self {
            name,
            version: 1,
            created: now,
            updated: now,
            revision: 0,
            note: None,
            expires: None,
            rotate_every: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_looks_at_the_version_that_is_there() {
        let (scope, name): (ScopeId, SecretName) = ("s".parse().unwrap(), "K".parse().unwrap());
        let entry = Entry {
            name: name.clone(),
            version: 3,
            created: Timestamp::from_micros(0),
            updated: Timestamp::from_micros(0),
            revision: 0,
            note: None,
            expires: None,
            rotate_every: None,
            digest: [0; 32],
        };
        let check = |mode: PutMode, existing| mode.check(&scope, &name, existing);
        let replace = |version| PutMode::Replace { version };
        for (mode, existing) in [
            (PutMode::Overwrite, None),
            (PutMode::Overwrite, Some(&entry)),
            (PutMode::Create, None),
            (replace(3), Some(&entry)),
        ] {
            assert!(check(mode, existing).is_ok(), "{mode:?}");
        }
        let exists = check(PutMode::Create, Some(&entry));
        assert!(matches!(
            exists,
            Err(Error::SecretExists { version: 3, .. })
        ));
        for (mode, existing) in [(replace(2), Some(&entry)), (replace(1), None)] {
            let mismatch = check(mode, existing);
            assert!(matches!(mismatch, Err(Error::VersionMismatch { .. })));
        }
    }
}
