//! What every store of secrets does.

use super::Store;
use crate::audit::AuditOperation;
use crate::credentials::{Credentials, Purpose, Select};
use crate::store::life::SecretEdit;
use crate::store::names::Names;
use crate::store::recorder::Subject;
use crate::store::scope::{NewScope, ScopeInfo};
use crate::store::secret::{PutMode, SecretInfo, Stored};
use crate::store::vault::IfMissing;
use crate::store::{SecretStore, not_found};
use crate::{Error, ScopeId, SecretName, SecretValue};

impl SecretStore for Store {
    fn put(
        &self,
        scope: &NewScope,
        name: &SecretName,
        value: &SecretValue,
        mode: PutMode,
    ) -> Result<Stored, Error> {
        self.put_with(scope, name, value, mode, &SecretEdit::default())
    }

    fn get(&self, scope: &ScopeId, name: &SecretName) -> Result<SecretValue, Error> {
        let subject = Subject::secret(AuditOperation::Get, scope, name);
        let value = self.vault.read(subject, |reader| {
            reader.existing_scope(scope)?.existing_secret(name)
        })?;
        value.ok_or_else(|| not_found::scope(scope))
    }

    fn credentials(
        &self,
        scope: &ScopeId,
        select: Select<'_>,
        purpose: Purpose<'_>,
    ) -> Result<Credentials, Error> {
        let subject = Subject::opening(scope, select, purpose);
        let credentials = self.vault.read(subject, |reader| {
            reader.existing_scope(scope)?.credentials(select)
        })?;
        credentials.ok_or_else(|| not_found::scope(scope))
    }

    fn list(&self, scope: &ScopeId) -> Result<Vec<SecretInfo>, Error> {
        let subject = Subject::scope(AuditOperation::List, scope);
        let list = self.vault.read_names(subject, |names| names.secrets(scope));
        list?.ok_or_else(|| not_found::scope(scope))
    }

    fn delete(&self, scope: &ScopeId, name: &SecretName) -> Result<(), Error> {
        let subject = Subject::secret(AuditOperation::Delete, scope, name);
        let if_missing = IfMissing::ScopeNotFound(scope);
        self.vault.write(subject, if_missing, |writer| {
            writer.delete_secret(scope, name)
        })
    }

    fn scope(&self, scope: &ScopeId) -> Result<ScopeInfo, Error> {
        let subject = Subject::scope(AuditOperation::List, scope);
        let info = self.vault.read_names(subject, |names| names.scope(scope));
        info?.ok_or_else(|| not_found::scope(scope))
    }

    fn scopes(&self) -> Result<Vec<ScopeInfo>, Error> {
        let subject = Subject::store(AuditOperation::List);
        let scopes = self
            .vault
            .read_names(subject, |names: &Names<'_>| names.scopes())?;
        // Without a store there are no scopes.
        Ok(scopes.unwrap_or_else(Vec::new))
    }

    fn create_scope(&self, scope: &NewScope) -> Result<(), Error> {
        let subject = Subject::scope(AuditOperation::CreateScope, &scope.id);
        self.vault.write(subject, IfMissing::CREATE, |writer| {
            writer.create_scope(scope)
        })
    }

    fn delete_scope(&self, scope: &ScopeId) -> Result<usize, Error> {
        let subject = Subject::scope(AuditOperation::DeleteScope, scope);
        let if_missing = IfMissing::ScopeNotFound(scope);
        self.vault
            .write(subject, if_missing, |writer| writer.delete_scope(scope))
    }
}
