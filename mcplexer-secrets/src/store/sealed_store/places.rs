//! Several secrets at once, and secrets and scopes at other places.

use super::Store;
use crate::store::moves::{self, Moved};
use crate::store::scope::NewScope;
use crate::store::secret::{PutMode, SecretInfo, Stored};
use crate::store::several;
use crate::{Error, ScopeId, SecretName, SecretValue};

impl Store {
    /// Deletes secrets of a scope in one commit, or none of them. Otherwise as
    /// [`delete`](crate::SecretStore::delete).
    ///
    /// # Errors
    /// Nothing is deleted if this fails: [`Error::ScopeNotFound`], or [`Error::SecretNotFound`], also if a name
    /// is given twice.
    pub fn delete_all(&self, scope: &ScopeId, names: &[SecretName]) -> Result<(), Error> {
        several::delete(&self.vault, scope, names)
    }

    /// Opens secrets of a scope, in this order, with what is said about them. All are of one state of the store, and
    /// are recorded in one line.
    ///
    /// # Errors
    /// As [`get`](crate::SecretStore::get).
    pub fn get_all(
        &self,
        scope: &ScopeId,
        names: &[SecretName],
    ) -> Result<Vec<(SecretInfo, SecretValue)>, Error> {
        several::get(&self.vault, scope, names)
    }

    /// Returns the secrets of all scopes without their values, sorted by scope and name. Recorded as a list.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn list_all(&self) -> Result<Vec<(ScopeId, SecretInfo)>, Error> {
        several::list(&self.vault)
    }

    /// Stores the value of a secret, and what is said about it, as the next version of another one. The value keeps
    /// its age, from which an interval counts. Earlier versions are not copied. The scope to copy to is created as in
    /// [`put`](crate::SecretStore::put).
    ///
    /// # Errors
    /// Nothing is stored if this fails.
    /// * [`Error::SecretExists`] if both places are the same.
    /// * As [`get`](crate::SecretStore::get) and [`put`](crate::SecretStore::put).
    pub fn copy(
        &self,
        from: (&ScopeId, &SecretName),
        to: (&NewScope, &SecretName),
        mode: PutMode,
    ) -> Result<Stored, Error> {
        moves::copy(&self.vault, from, to, mode)
    }

    /// Moves a secret in one commit, with its versions, its times and what is said about it. Of its earlier versions, the
    /// newest come along, as many as the new scope keeps. A secret that is there, if `mode` allows to replace it, is
    /// deleted with all its versions.
    ///
    /// # Errors
    /// As [`copy`](Self::copy).
    pub fn move_secret(
        &self,
        from: (&ScopeId, &SecretName),
        to: (&NewScope, &SecretName),
        mode: PutMode,
    ) -> Result<Moved, Error> {
        moves::move_secret(&self.vault, from, to, mode)
    }

    /// Gives a scope another id in one commit. Its secrets, their versions and everything else stay. Returns how many
    /// secrets it holds.
    ///
    /// # Errors
    /// [`Error::ScopeNotFound`]; [`Error::ScopeExists`] if there is a scope of the new id. An [`Error::Backend`] that is
    /// [`TooLarge`](crate::backend::BackendErrorKind::TooLarge) if the backend [limits](crate::backend::Backend::limits) a
    /// commit, and the scope does not fit into one: move its secrets one by one.
    pub fn rename_scope(&self, scope: &ScopeId, new: &ScopeId) -> Result<usize, Error> {
        moves::rename_scope(&self.vault, scope, new)
    }
}
