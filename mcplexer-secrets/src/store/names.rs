//! Reading names: one state of the store, and its header, verified if that needs no question.

use std::sync::Arc;

use super::consistency::{check_scopes, each_secret};
use super::keyring::Keyring;
use super::scope::ScopeInfo;
use super::secret::SecretInfo;
use super::unlocked::{Unlocked, read_header};
use super::{not_found, scope_list};
use crate::backend::{Snapshot, Table};
use crate::error::{Finding, RecordName};
use crate::keys::Ask;
use crate::record::{self, Entry, Header, Scope};
use crate::{Error, ScopeId, ScopeKind, SecretName};

/// Reads the names in one state of the store.
///
/// They are in the clear. With a key at hand they are verified; without one they are read as they
/// are.
pub(super) struct Names<'s> {
    snapshot: &'s dyn Snapshot,
    trust: Trust,
}

enum Trust {
    Verified(Arc<Unlocked>),
    Unverified(Header),
}

impl<'s> Names<'s> {
    /// Reads the header, and verifies it if that needs no question.
    pub(super) fn new(snapshot: &'s dyn Snapshot, keyring: &Keyring) -> Result<Self, Error> {
        let trust = match keyring.unlock(snapshot, Ask::Never) {
            Ok(unlocked) => Trust::Verified(unlocked),
            Err(Error::Locked { .. }) => Trust::Unverified(read_header(snapshot)?.1),
            Err(error) => return Err(error),
        };
        Ok(Self { snapshot, trust })
    }

    fn header(&self) -> &Header {
        match &self.trust {
            Trust::Verified(unlocked) => &unlocked.header,
            Trust::Unverified(header) => header,
        }
    }

    /// Whether the scope is listed.
    pub(super) fn has_scope(&self, id: &ScopeId) -> Result<bool, Error> {
        scope_list::contains(self.header(), self.snapshot, id)
    }

    /// All scopes, sorted, as the header lists them.
    pub(super) fn scope_ids(&self) -> Result<Vec<ScopeId>, Error> {
        scope_list::all(self.header(), self.snapshot)
    }

    /// Every scope, sorted. Fails if there is a record of another one.
    pub(super) fn scopes(&self) -> Result<Vec<ScopeInfo>, Error> {
        let listed = self.scope_ids()?;
        check_scopes(&listed, self.snapshot)?;
        let infos = listed.into_iter().map(|id| {
            let record = self.find(&id)?;
            let record = record.ok_or_else(|| not_found::listed_scope(&id))?;
            Ok(info(id, record))
        });
        infos.collect()
    }

    /// One scope.
    pub(super) fn scope(&self, id: &ScopeId) -> Result<ScopeInfo, Error> {
        Ok(info(id.clone(), self.record(id)?))
    }

    /// The secrets of a scope, sorted. Fails if their records are not those listed.
    pub(super) fn secrets(&self, id: &ScopeId) -> Result<Vec<SecretInfo>, Error> {
        let record = self.record(id)?;
        each_secret(
            self.snapshot,
            id,
            &record,
            self.header(),
            &mut |_, _| Ok(()),
        )?;
        Ok(record.secrets.iter().map(Entry::info).collect())
    }

    /// The names of a scope's secrets, sorted, as the scope lists them.
    pub(super) fn secret_names(&self, id: &ScopeId) -> Result<Vec<SecretName>, Error> {
        let record = self.record(id)?;
        Ok(record.secrets.into_iter().map(|it| it.name).collect())
    }

    /// The kind of a scope; `None` if it does not exist.
    pub(super) fn kind(&self, id: &ScopeId) -> Result<Option<ScopeKind>, Error> {
        Ok(self.find(id)?.map(|record| record.kind))
    }

    /// The record of a scope that the caller asked for.
    fn record(&self, id: &ScopeId) -> Result<Scope, Error> {
        self.find(id)?.ok_or_else(|| not_found::scope(id))
    }

    /// The record of a scope; `None` if it does not exist.
    fn find(&self, id: &ScopeId) -> Result<Option<Scope>, Error> {
        let header = match &self.trust {
            Trust::Verified(unlocked) => {
                let open = unlocked.scope(self.snapshot, id)?;
                return Ok(open.map(|open| open.record.clone()));
            }
            Trust::Unverified(header) => header,
        };
        let name = || RecordName::Scope(id.clone());
        let bytes = self.snapshot.get(Table::Scopes, id.as_str().as_bytes())?;
        match (scope_list::contains(header, self.snapshot, id)?, bytes) {
            (true, Some(bytes)) => record::decode(&bytes, name).map(Some),
            (true, None) => Err(not_found::listed_scope(id)),
            (false, Some(_)) => Err(Error::tampered(name(), Finding::Unlisted)),
            (false, None) => Ok(None),
        }
    }
}

fn info(id: ScopeId, record: Scope) -> ScopeInfo {
    ScopeInfo {
        id,
        kind: record.kind,
        display_name: record.display_name,
        redaction_hints: record.redaction_hints,
        created: record.created,
        secrets: record.secrets.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::FixedKeys;
    use crate::store::fixture::{filled, id, name};

    /// Reads names with the store's key, and without any.
    fn both<T>(work: impl Fn(&Names<'_>) -> T) -> [T; 2] {
        let vault = filled();
        let without = Keyring::new(Arc::new(FixedKeys::new(Vec::new())));
        [&vault.keyring, &without].map(|keyring| {
            let read = vault.snapshot(|snapshot| Ok(work(&Names::new(snapshot, keyring)?)));
            read.unwrap().unwrap()
        })
    }

    #[test]
    fn names_are_read_with_and_without_a_key() {
        for ids in both(|names| names.scope_ids().unwrap()) {
            assert_eq!(ids, [id("s"), id("t")]);
        }
        for scopes in both(|names| names.scopes().unwrap()) {
            assert_eq!(
                scopes.iter().map(|it| it.secrets).collect::<Vec<_>>(),
                [2, 0]
            );
        }
        for scope in both(|names| names.scope(&id("s")).unwrap()) {
            assert_eq!((scope.secrets, scope.kind), (2, ScopeKind::Env));
        }
        for names in both(|names| names.secret_names(&id("s")).unwrap()) {
            assert_eq!(names, [name("K"), name("L")]);
        }
        for secrets in both(|names| names.secrets(&id("s")).unwrap()) {
            assert_eq!(secrets.len(), 2);
        }
    }

    #[test]
    fn a_scope_that_does_not_exist_is_not_found() {
        for has in both(|names| names.has_scope(&id("x")).unwrap()) {
            assert!(!has);
        }
        for missing in both(|names| names.scope(&id("x"))) {
            assert!(matches!(missing, Err(Error::ScopeNotFound { .. })));
        }
        for kind in both(|names| names.kind(&id("x")).unwrap()) {
            assert_eq!(kind, None);
        }
    }
}
