//! The store that keeps everything encrypted.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::audited::Subject;
use super::credentials::Opening;
use super::pages::is_listed;
use super::unlock::{SlotInfo, Unlocked, read_header};
use super::view::{compare_secrets, list_scopes};
use super::{NewScope, PutMode, ScopeInfo, SecretInfo, SecretStore, Stored};
use crate::audit::{Actor, Audit, AuditOperation, AuditSink, KeptLog};
use crate::backend::{Backend, RedbBackend, Table};
use crate::credentials::{Credentials, Select};
use crate::keys::KeyProvider;
use crate::record::{self, Entry};
use crate::{Error, ScopeId, SecretName, SecretValue, Timestamp};

/// A [`SecretStore`] in which values, and the keys that seal them, are encrypted at rest.
///
/// It is cheap to keep open and may be shared between threads. Several processes may use one file
/// at the same time. The key is asked for when it is first needed, once.
pub struct Store {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) keys: Arc<dyn KeyProvider>,
    pub(super) audit: Option<Arc<Audit>>,
    pub(super) actor: Arc<Actor>,
    pub(super) unlocked: Arc<Mutex<Option<Arc<Unlocked>>>>,
}

impl Store {
    /// A store in the redb file at `path`. A file that does not exist is made by the first put,
    /// with mode 0600, and so is the key.
    ///
    /// # Errors
    /// If there is a file and it is no store, or one of a later format.
    pub fn open(path: impl Into<PathBuf>, keys: impl KeyProvider + 'static) -> Result<Self, Error> {
        Self::with_backend(RedbBackend::file(path), keys)
    }

    /// A store in memory, which is gone when it is dropped. It is redb and sealed like one on
    /// disk, so that a test runs the real thing.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn in_memory(keys: impl KeyProvider + 'static) -> Result<Self, Error> {
        Self::with_backend(RedbBackend::in_memory()?, keys)
    }

    /// A store in any other backend.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn with_backend(
        backend: impl Backend + 'static,
        keys: impl KeyProvider + 'static,
    ) -> Result<Self, Error> {
        if let Some(snapshot) = backend.read()? {
            read_header(&*snapshot)?;
        }
        Ok(Self {
            backend: Arc::new(backend),
            keys: Arc::new(keys),
            audit: None,
            actor: Arc::default(),
            unlocked: Arc::default(),
        })
    }

    /// Records every operation in `sink`. An operation that cannot be recorded fails.
    #[must_use]
    pub fn with_audit(mut self, sink: impl AuditSink + 'static) -> Self {
        self.audit = Some(Arc::new(Audit::Sink(Box::new(sink))));
        self
    }

    /// Records every operation in `log`, and vouches for it: each change seals its line into the
    /// store. An operation that cannot be recorded fails, and so does a change if a sealed line is
    /// gone.
    #[must_use]
    pub fn with_audit_log(mut self, log: impl KeptLog + 'static) -> Self {
        self.audit = Some(Arc::new(Audit::Log(Box::new(log))));
        self
    }

    /// Returns the same open store, whose operations are recorded as done by `actor` instead of this
    /// process. It is cheap: both share everything else.
    #[must_use]
    pub fn acting_as(&self, actor: Actor) -> Self {
        Self {
            backend: Arc::clone(&self.backend),
            keys: Arc::clone(&self.keys),
            audit: self.audit.clone(),
            actor: Arc::new(actor),
            unlocked: Arc::clone(&self.unlocked),
        }
    }

    /// Makes an empty store, and a key if the provider has none yet. Says whether it did: a store
    /// that is there already is left alone.
    ///
    /// # Errors
    /// If no key can be had, or the store cannot be written.
    pub fn init(&self) -> Result<bool, Error> {
        if self.exists()? {
            return Ok(false);
        }
        self.change(Subject::store(AuditOperation::Init), |_| Ok(()))?;
        Ok(true)
    }

    /// Stores a value as [`put`](SecretStore::put) does. A scope that does not exist becomes this
    /// one.
    ///
    /// # Errors
    /// As [`put`](SecretStore::put).
    pub fn put_into(
        &self,
        scope: &NewScope,
        name: &SecretName,
        value: &SecretValue,
        mode: PutMode,
    ) -> Result<Stored, Error> {
        let (new, scope) = (scope, &scope.id);
        let subject = Subject::secret(AuditOperation::Put, scope, name);
        self.change(subject, |change| {
            let found = change.scope(scope)?;
            let scope_created = found.is_none();
            let open = match found {
                Some(open) => open,
                None => change.add_scope(new)?,
            };
            let mut record = open.record.clone();
            record.kind.check(name)?;
            check_mode(mode, scope, name, record.entry(name))?;
            let now = Timestamp::now();
            let version = change.put_next(scope, &mut record, &open.key, name, value, now)?;
            change.put_scope(scope, record, &open.key)?;
            Ok(Stored::new(version, scope_created))
        })
    }

    /// Whether there is a store yet.
    ///
    /// # Errors
    /// If that cannot be read.
    pub fn exists(&self) -> Result<bool, Error> {
        Ok(self.backend.read()?.is_some())
    }

    /// Who can open the store, as its header says; none if there is no store. Needs no key, so
    /// these are names to show, not to rely on.
    ///
    /// # Errors
    /// If the header cannot be read.
    pub fn slots(&self) -> Result<Vec<SlotInfo>, Error> {
        let Some(snapshot) = self.backend.read()? else {
            return Ok(Vec::new());
        };
        let (_, header) = read_header(&*snapshot)?;
        Ok(header.slots.iter().map(SlotInfo::of).collect())
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("backend", &self.backend)
            .field("keys", &self.keys)
            .field("audit", &self.audit)
            .finish_non_exhaustive()
    }
}

impl SecretStore for Store {
    fn put(
        &self,
        scope: &ScopeId,
        name: &SecretName,
        value: &SecretValue,
        mode: PutMode,
    ) -> Result<Stored, Error> {
        self.put_into(&NewScope::env(scope.clone()), name, value, mode)
    }

    fn get(&self, scope: &ScopeId, name: &SecretName) -> Result<SecretValue, Error> {
        let subject = Subject::secret(AuditOperation::Get, scope, name);
        let value = self.read(subject, |snapshot| {
            let value = Opening::begin(self, snapshot, scope)?.secret(name)?;
            value.ok_or_else(|| secret_not_found(scope, name))
        })?;
        value.ok_or_else(|| scope_not_found(scope))
    }

    fn credentials(&self, scope: &ScopeId, select: Select<'_>) -> Result<Credentials, Error> {
        self.open_credentials(AuditOperation::Inject, scope, select)
    }

    fn list(&self, scope: &ScopeId) -> Result<Vec<SecretInfo>, Error> {
        let subject = Subject::scope(AuditOperation::List, scope);
        let list = self.read(subject, |snapshot| {
            let view = self.look(snapshot)?;
            if !is_listed(view.header(), snapshot, scope)? {
                return Err(scope_not_found(scope));
            }
            let record = view.scope(snapshot, scope)?;
            compare_secrets(snapshot, scope, &record, view.header(), &mut |_, _| Ok(()))?;
            Ok(record.secrets.iter().map(Entry::info).collect())
        })?;
        list.ok_or_else(|| scope_not_found(scope))
    }

    fn delete(&self, scope: &ScopeId, name: &SecretName) -> Result<(), Error> {
        let subject = Subject::secret(AuditOperation::Delete, scope, name);
        self.change(subject, |change| {
            let open = change.scope(scope)?.ok_or_else(|| scope_not_found(scope))?;
            let mut record = open.record.clone();
            let at = record
                .position(name)
                .map_err(|_| secret_not_found(scope, name))?;
            record.secrets.remove(at);
            change
                .transaction
                .delete(Table::Secrets, &record::secret_key(scope, name))?;
            change.put_scope(scope, record, &open.key)
        })
    }

    fn scopes(&self) -> Result<Vec<ScopeInfo>, Error> {
        let subject = Subject::store(AuditOperation::List);
        let scopes = self.read(subject, |snapshot| {
            let view = self.look(snapshot)?;
            let infos = list_scopes(view.header(), snapshot)?.into_iter().map(|id| {
                let record = view.scope(snapshot, &id)?;
                Ok(ScopeInfo {
                    id,
                    kind: record.kind,
                    display_name: record.display_name,
                    redaction_hints: record.redaction_hints,
                    created: record.created,
                    secrets: record.secrets.len(),
                })
            });
            infos.collect::<Result<Vec<_>, Error>>()
        })?;
        Ok(scopes.unwrap_or_default())
    }

    fn create_scope(&self, scope: &NewScope) -> Result<(), Error> {
        let subject = Subject::scope(AuditOperation::CreateScope, &scope.id);
        self.change(subject, |change| {
            if change.scope(&scope.id)?.is_some() {
                return Err(Error::ScopeExists {
                    scope: scope.id.clone(),
                });
            }
            change.add_scope(scope)?;
            Ok(())
        })
    }

    fn delete_scope(&self, scope: &ScopeId) -> Result<usize, Error> {
        let subject = Subject::scope(AuditOperation::DeleteScope, scope);
        self.change(subject, |change| change.remove_scope(scope))
    }
}

pub(super) fn scope_not_found(scope: &ScopeId) -> Error {
    Error::ScopeNotFound {
        scope: scope.clone(),
    }
}

pub(super) fn secret_not_found(scope: &ScopeId, name: &SecretName) -> Error {
    Error::SecretNotFound {
        scope: scope.clone(),
        name: name.clone(),
    }
}

fn check_mode(
    mode: PutMode,
    scope: &ScopeId,
    name: &SecretName,
    existing: Option<&Entry>,
) -> Result<(), Error> {
    let found = existing.map(|entry| entry.version);
    match (mode, found) {
        (PutMode::Create, Some(version)) => Err(Error::SecretExists {
            scope: scope.clone(),
            name: name.clone(),
            version,
        }),
        (PutMode::Replace { version }, found) if found != Some(version) => {
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
