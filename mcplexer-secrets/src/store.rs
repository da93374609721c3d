//! The [`SecretStore`] trait, and [`Store`], which implements it.

use crate::credentials::{Credentials, Purpose, Select};
use crate::{Error, ScopeId, SecretName, SecretValue};
use auto_impl::auto_impl;

mod accept;
mod apply;
mod backup;
mod beginning;
mod check;
mod claim;
mod compact;
mod consistency;
mod contents;
mod draft;
#[cfg(test)]
mod fixture;
mod import;
mod keyring;
mod life;
mod maker;
mod moves;
mod names;
mod not_found;
mod opener;
mod options;
mod owners;
mod pages;
mod patience;
mod read_ahead;
mod reader;
mod recorder;
mod rekey;
mod restore;
mod room;
mod rotation;
mod scope;
mod sealed_store;
mod secret;
mod several;
mod slots;
mod span;
mod standing;
mod state;
mod taken_over;
mod transfer;
mod unlocked;
mod vault;
mod verify;
mod versions;
mod writer;

pub use accept::Accepted;
pub use apply::{AppliedScope, ScopeAction};
pub use backup::BackupReport;
pub use check::CheckReport;
pub use contents::Progress;
pub use import::{ImportAction, Imported, OnConflict};
pub use life::{Change, Due, DueSecret, SecretEdit, VersionInfo};
pub use maker::BackupMaker;
pub use moves::Moved;
pub use options::StoreOptions;
pub use rekey::Rekeyed;
pub use restore::{RestoreAction, RestoreMode, Restored, RestoredSecret};
pub use rotation::RotateIdentity;
pub use scope::{
    DEFAULT_KEEP_VERSIONS, MAX_DISPLAY_NAME_LEN, MAX_KEEP_VERSIONS, MAX_REDACTION_HINTS,
    MAX_SCOPES, MAX_SECRETS_PER_SCOPE, NewScope, ScopeEdit, ScopeInfo,
};
pub use sealed_store::Store;
pub use secret::{PutMode, SecretInfo, Stored};
pub use slots::{MAX_SLOTS, SlotInfo, SlotKind};
pub use state::{InvalidState, SecretState};
pub use transfer::Transferred;

/// A store of secrets, grouped by auth scope.
///
/// [`Store`] keeps them encrypted. The trait is object-safe and synchronous; an async program calls
/// it on its runtime's blocking pool. The `conformance` feature has a test suite for
/// implementations.
#[auto_impl(Arc, Box)]
pub trait SecretStore: Send + Sync {
    /// Stores a value, as `mode` allows.
    ///
    /// A scope that does not exist is created as `scope` describes it. One that exists stays as it
    /// is: only the id counts.
    ///
    /// # Errors
    /// Nothing is stored if this fails.
    /// * [`Error::SecretExists`] or [`Error::VersionMismatch`] if `mode` forbids it.
    /// * [`Error::InvalidName`] if the scope's kind does not allow this name.
    /// * [`Error::InvalidDisplayName`], [`Error::TooManyHints`] or [`Error::TooManyVersions`] if the scope
    ///   cannot be created.
    /// * [`Error::ScopeFull`] or [`Error::StoreFull`] at the limits of the store.
    fn put(
        &self,
        scope: &NewScope,
        name: &SecretName,
        value: &SecretValue,
        mode: PutMode,
    ) -> Result<Stored, Error>;

    /// Opens a value.
    ///
    /// # Errors
    /// * [`Error::ScopeNotFound`] or [`Error::SecretNotFound`] if it was never stored, or was
    ///   deleted through this API.
    /// * [`Error::Tampered`] if its record was changed or removed in any other way.
    fn get(&self, scope: &ScopeId, name: &SecretName) -> Result<SecretValue, Error>;

    /// Opens secrets of a scope together, with one line in the audit log. `purpose` says there what
    /// they are opened for.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn credentials(
        &self,
        scope: &ScopeId,
        select: Select<'_>,
        purpose: Purpose<'_>,
    ) -> Result<Credentials, Error>;

    /// Returns the secrets of a scope without their values, sorted by name.
    ///
    /// # Errors
    /// * [`Error::ScopeNotFound`].
    /// * [`Error::Tampered`] if the records of the scope do not agree.
    fn list(&self, scope: &ScopeId) -> Result<Vec<SecretInfo>, Error>;

    /// Deletes one secret, with every version of it. A secret stored under this name later begins with version 1.
    ///
    /// # Errors
    /// [`Error::ScopeNotFound`] and [`Error::SecretNotFound`].
    fn delete(&self, scope: &ScopeId, name: &SecretName) -> Result<(), Error>;

    /// Returns one scope. Its cost does not depend on how many scopes there are.
    ///
    /// # Errors
    /// * [`Error::ScopeNotFound`].
    /// * [`Error::Tampered`] if the record of the scope was changed or removed in any other way.
    fn scope(&self, scope: &ScopeId) -> Result<ScopeInfo, Error>;

    /// Returns all scopes, sorted by id.
    ///
    /// # Errors
    /// [`Error::Tampered`] if the records do not agree.
    fn scopes(&self) -> Result<Vec<ScopeInfo>, Error>;

    /// Creates an empty scope.
    ///
    /// # Errors
    /// * [`Error::ScopeExists`].
    /// * [`Error::InvalidDisplayName`], [`Error::TooManyHints`] or [`Error::TooManyVersions`].
    /// * [`Error::StoreFull`].
    fn create_scope(&self, scope: &NewScope) -> Result<(), Error>;

    /// Deletes a scope with all its secrets; returns how many secrets those were.
    ///
    /// # Errors
    /// [`Error::ScopeNotFound`].
    fn delete_scope(&self, scope: &ScopeId) -> Result<usize, Error>;
}
