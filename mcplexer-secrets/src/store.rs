//! What a program asks of a secret store: the [`SecretStore`] trait and the types it speaks in.

use crate::credentials::{Credentials, Select};
use crate::{Error, ScopeId, ScopeKind, SecretName, SecretValue, Timestamp};

mod audited;
mod backup;
mod credentials;
mod import;
mod pages;
mod rekey;
mod restore;
mod scopes;
mod sealed_store;
mod slots;
mod transact;
mod unlock;
mod upkeep;
mod view;

pub use backup::BackupReport;
pub use import::{ImportAction, Imported, OnConflict};
pub use rekey::{Progress, Rekeyed};
pub use restore::{RestoreAction, RestoreMode, Restored, RestoredSecret};
pub use scopes::{AppliedScope, ScopeAction};
pub use sealed_store::Store;
pub use slots::{MAX_SLOTS, RotateIdentity};
pub use unlock::{SlotInfo, SlotKind};
pub use upkeep::CheckReport;

/// Most scopes a store can hold.
pub const MAX_SCOPES: u64 = 100_000;
/// Most redaction hints a scope can have.
pub const MAX_REDACTION_HINTS: usize = 64;
/// Longest display name of a scope, in characters.
pub const MAX_DISPLAY_NAME_LEN: usize = 128;
/// Most secrets a scope can hold.
pub const MAX_SECRETS_PER_SCOPE: usize = 10_000;

/// A store of secrets, grouped by auth scope.
///
/// [`Store`] is the one that keeps them encrypted. The trait is object-safe and synchronous; an
/// async program calls it through its runtime's blocking pool. The `conformance` feature has a
/// suite that any implementation must pass.
pub trait SecretStore: Send + Sync {
    /// Stores `value` under `scope` and `name`, as `mode` allows. A scope that does not exist is
    /// made, of kind [`Env`](ScopeKind::Env).
    ///
    /// # Errors
    /// [`Error::SecretExists`] or [`Error::VersionMismatch`] if `mode` forbids it;
    /// [`Error::InvalidName`] if the scope's kind does not take this name; [`Error::ScopeFull`];
    /// else what the keys, the records or the backend have to say. Nothing is stored then.
    fn put(
        &self,
        scope: &ScopeId,
        name: &SecretName,
        value: &SecretValue,
        mode: PutMode,
    ) -> Result<Stored, Error>;

    /// Opens the value stored under `scope` and `name`.
    ///
    /// # Errors
    /// [`Error::ScopeNotFound`] and [`Error::SecretNotFound`], once it is certain that the record
    /// was not merely removed behind the store's back; [`Error::Tampered`] if it was.
    fn get(&self, scope: &ScopeId, name: &SecretName) -> Result<SecretValue, Error>;

    /// Opens secrets of a scope together, to be given to a tool server: one unlock, one line in the
    /// audit log.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn credentials(&self, scope: &ScopeId, select: Select<'_>) -> Result<Credentials, Error>;

    /// The secrets of a scope, by name, without their values.
    ///
    /// # Errors
    /// [`Error::ScopeNotFound`]; [`Error::Tampered`] if the scope's records do not agree.
    fn list(&self, scope: &ScopeId) -> Result<Vec<SecretInfo>, Error>;

    /// Removes one secret. A secret put under this name later starts over at version 1.
    ///
    /// # Errors
    /// [`Error::ScopeNotFound`] and [`Error::SecretNotFound`].
    fn delete(&self, scope: &ScopeId, name: &SecretName) -> Result<(), Error>;

    /// All scopes, by id.
    ///
    /// # Errors
    /// [`Error::Tampered`] if the records do not agree.
    fn scopes(&self) -> Result<Vec<ScopeInfo>, Error>;

    /// Makes an empty scope.
    ///
    /// # Errors
    /// [`Error::ScopeExists`]; [`Error::InvalidDisplayName`].
    fn create_scope(&self, scope: &NewScope) -> Result<(), Error>;

    /// Removes a scope with all its secrets, and says how many those were.
    ///
    /// # Errors
    /// [`Error::ScopeNotFound`].
    fn delete_scope(&self, scope: &ScopeId) -> Result<usize, Error>;

    /// One scope.
    ///
    /// # Errors
    /// [`Error::ScopeNotFound`], and as [`scopes`](Self::scopes).
    fn scope(&self, scope: &ScopeId) -> Result<ScopeInfo, Error> {
        self.scopes()?
            .into_iter()
            .find(|info| info.id == *scope)
            .ok_or_else(|| Error::ScopeNotFound {
                scope: scope.clone(),
            })
    }
}

/// When a put may go ahead.
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

/// What a put did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// The version the secret has now; 1 for a new one.
    pub version: u64,
    /// Whether the scope was made for it.
    pub scope_created: bool,
}

impl Stored {
    /// A put that gave the secret this version.
    #[must_use]
    pub fn new(version: u64, scope_created: bool) -> Self {
        Self {
            version,
            scope_created,
        }
    }
}

/// A secret without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretInfo {
    /// Its name.
    pub name: SecretName,
    /// How often it was put since it was made; 1 for a new one.
    pub version: u64,
    /// When it was first put.
    pub created: Timestamp,
    /// When it was last put.
    pub updated: Timestamp,
}

impl SecretInfo {
    /// A secret as first put at `now`.
    #[must_use]
    pub fn new(name: SecretName, now: Timestamp) -> Self {
        Self {
            name,
            version: 1,
            created: now,
            updated: now,
        }
    }
}

/// A scope without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScopeInfo {
    /// Its id.
    pub id: ScopeId,
    /// How its secrets reach a tool server.
    pub kind: ScopeKind,
    /// A name for people, if it was given one.
    pub display_name: Option<String>,
    /// Names of variables and fields that carry a credential though their names do not say so.
    pub redaction_hints: Vec<SecretName>,
    /// When it was made.
    pub created: Timestamp,
    /// How many secrets it holds.
    pub secrets: usize,
}

impl ScopeInfo {
    /// An empty scope made at `now`.
    #[must_use]
    pub fn new(scope: &NewScope, now: Timestamp) -> Self {
        Self {
            id: scope.id.clone(),
            kind: scope.kind,
            display_name: scope.display_name.clone(),
            redaction_hints: scope.redaction_hints.clone(),
            created: now,
            secrets: 0,
        }
    }
}

/// A scope to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewScope {
    /// Its id.
    pub id: ScopeId,
    /// How its secrets will reach a tool server.
    pub kind: ScopeKind,
    /// A name for people: 1 to 128 characters, none of them a control character.
    pub display_name: Option<String>,
    /// Names of variables and fields that carry a credential though their names do not say so: at
    /// most 64.
    pub redaction_hints: Vec<SecretName>,
}

impl NewScope {
    /// A scope of kind [`Env`](ScopeKind::Env) without a display name and without hints.
    #[must_use]
    pub fn env(id: ScopeId) -> Self {
        Self {
            id,
            kind: ScopeKind::Env,
            display_name: None,
            redaction_hints: Vec::new(),
        }
    }

    /// Checks that a store can hold such a scope.
    ///
    /// # Errors
    /// [`Error::InvalidDisplayName`] or [`Error::TooManyHints`].
    pub fn check(&self) -> Result<(), Error> {
        if let Some(name) = &self.display_name {
            let len = name.chars().count();
            if len == 0 || len > MAX_DISPLAY_NAME_LEN || name.chars().any(char::is_control) {
                return Err(Error::InvalidDisplayName);
            }
        }
        match self.redaction_hints.len() {
            0..=MAX_REDACTION_HINTS => Ok(()),
            _ => Err(Error::TooManyHints),
        }
    }
}
