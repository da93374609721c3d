//! Opening secrets: one, or many of a scope at once.

use std::sync::Arc;

use super::audited::Subject;
use super::sealed_store::{Store, scope_not_found, secret_not_found};
use super::unlock::{OpenScope, Unlocked};
use super::view::{compare_secrets, decode_secret};
use crate::audit::AuditOperation;
use crate::backend::{Snapshot, Table};
use crate::credentials::{Credentials, Select};
use crate::error::{Finding, RecordName};
use crate::keys::Ask;
use crate::record::{self, Entry, Secret};
use crate::{Error, ScopeId, SecretName, SecretValue};

impl Store {
    /// Opens secrets of a scope together, to be written to a file: as
    /// [`credentials`](crate::SecretStore::credentials), but recorded as what it is.
    ///
    /// # Errors
    /// As a get.
    pub fn export(&self, scope: &ScopeId, select: Select<'_>) -> Result<Credentials, Error> {
        self.open_credentials(AuditOperation::Export, scope, select)
    }

    /// Opens all secrets of a scope to look for them, with a [`Scanner`](crate::Scanner): they go
    /// nowhere, and the audit log says so.
    ///
    /// # Errors
    /// As [`SecretStore::credentials`](crate::SecretStore::credentials).
    pub fn credentials_to_scan(&self, scope: &ScopeId) -> Result<Credentials, Error> {
        self.open_credentials(AuditOperation::Scan, scope, Select::All)
    }

    pub(super) fn open_credentials(
        &self,
        operation: AuditOperation,
        scope: &ScopeId,
        select: Select<'_>,
    ) -> Result<Credentials, Error> {
        let subject = match select {
            Select::Only([name]) | Select::AnyOf([name]) => Subject::secret(operation, scope, name),
            _ => Subject::scope(operation, scope),
        };
        let credentials = self.read(subject, |snapshot| {
            let opening = Opening::begin(self, snapshot, scope)?;
            let secrets = match select {
                Select::All => opening.all()?,
                Select::Only(names) => opening.each(names, true)?,
                Select::AnyOf(names) => opening.each(names, false)?,
            };
            let kind = opening.open.record.kind;
            Ok(Credentials::new(scope.clone(), kind, secrets))
        })?;
        credentials.ok_or_else(|| scope_not_found(scope))
    }
}

/// A scope whose secrets are being opened.
pub(super) struct Opening<'a> {
    snapshot: &'a dyn Snapshot,
    scope: &'a ScopeId,
    unlocked: Arc<Unlocked>,
    open: Arc<OpenScope>,
}

impl<'a> Opening<'a> {
    pub(super) fn begin(
        store: &Store,
        snapshot: &'a dyn Snapshot,
        scope: &'a ScopeId,
    ) -> Result<Self, Error> {
        let unlocked = store.unlock(snapshot, Ask::Allowed)?;
        let not_found = || scope_not_found(scope);
        let open = unlocked.scope(snapshot, scope)?.ok_or_else(not_found)?;
        Ok(Self::of(snapshot, scope, unlocked, open))
    }

    /// The same for a scope that is open.
    pub(super) fn of(
        snapshot: &'a dyn Snapshot,
        scope: &'a ScopeId,
        unlocked: Arc<Unlocked>,
        open: Arc<OpenScope>,
    ) -> Self {
        Self {
            snapshot,
            scope,
            unlocked,
            open,
        }
    }

    /// The value under `name`; `None` if it is certain that there is none.
    pub(super) fn secret(&self, name: &SecretName) -> Result<Option<SecretValue>, Error> {
        let key = record::secret_key(self.scope, name);
        let bytes = self.snapshot.get(Table::Secrets, &key)?;
        match (self.open.record.entry(name), bytes) {
            (Some(entry), Some(bytes)) => {
                let secret = decode_secret(&bytes, self.scope, entry, &self.unlocked.header)?;
                self.value(entry, &secret).map(Some)
            }
            (Some(_), None) => Err(self.tampered(name, Finding::Missing)),
            (None, Some(_)) => Err(self.tampered(name, Finding::Unlisted)),
            (None, None) => Ok(None),
        }
    }

    fn each(
        &self,
        names: &[SecretName],
        required: bool,
    ) -> Result<Vec<(SecretName, SecretValue)>, Error> {
        let mut secrets = Vec::with_capacity(names.len());
        for name in names {
            match self.secret(name)? {
                Some(value) => secrets.push((name.clone(), value)),
                None if required => return Err(secret_not_found(self.scope, name)),
                None => {}
            }
        }
        Ok(secrets)
    }

    fn all(&self) -> Result<Vec<(SecretName, SecretValue)>, Error> {
        let record = &self.open.record;
        let mut secrets = Vec::with_capacity(record.secrets.len());
        compare_secrets(
            self.snapshot,
            self.scope,
            record,
            &self.unlocked.header,
            &mut |entry, secret| {
                secrets.push((entry.name.clone(), self.value(entry, secret)?));
                Ok(())
            },
        )?;
        Ok(secrets)
    }

    fn value(&self, entry: &Entry, secret: &Secret) -> Result<SecretValue, Error> {
        let header = &self.unlocked.header;
        let value = self.open.open_secret(header, self.scope, entry, secret)?;
        SecretValue::copy_of(&value).map_err(|_| self.tampered(&entry.name, Finding::Malformed))
    }

    fn tampered(&self, name: &SecretName, finding: Finding) -> Error {
        let record = RecordName::Secret(self.scope.clone(), name.clone());
        Error::tampered(record, finding)
    }
}
