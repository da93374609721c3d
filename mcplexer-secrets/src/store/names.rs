//! Reading names: one state of the store, and its header, verified if that needs no question.

use std::cmp::Reverse;
use std::sync::Arc;

use super::consistency::{check_scopes, each_secret, each_version};
use super::keyring::Keyring;
use super::life::VersionInfo;
use super::not_found;
use super::pages::List;
use super::scope::ScopeInfo;
use super::secret::SecretInfo;
use super::standing::Trust;
use super::unlocked::{find_scope, read_header, read_scope};
use crate::backend::{Snapshot, Table};
use crate::error::Finding;
use crate::keys::Ask;
use crate::record::{self, Entry, Header, Scope, ScopeRef};
use crate::{Error, ScopeId, ScopeKind, SecretName};

/// Reads the names in one state of the store.
///
/// They are in the clear. With a key at hand they are verified; without one they are read as they
/// are.
pub(super) struct Names<'s> {
    snapshot: &'s dyn Snapshot,
    trust: Trust,
}

impl<'s> Names<'s> {
    /// Reads the header, and verifies it if that needs no question.
    pub(super) fn new(snapshot: &'s dyn Snapshot, keyring: &Keyring) -> Result<Self, Error> {
        let trust = match keyring.unlock(snapshot, Ask::Never) {
            Ok(unlocked) => Trust::Verified(unlocked),
            Err(Error::Locked { .. }) => Trust::Unverified(Arc::new(read_header(snapshot)?.1)),
            Err(error) => return Err(error),
        };
        Ok(Self { snapshot, trust })
    }

    /// The header, and whether it is verified.
    pub(super) fn trust(&self) -> &Trust {
        &self.trust
    }

    fn header(&self) -> &Header {
        self.trust.seen().header
    }

    /// Whether the scope is listed.
    pub(super) fn has_scope(&self, id: &ScopeId) -> Result<bool, Error> {
        Ok(find_scope(self.header(), self.snapshot, id)?.is_some())
    }

    /// All scopes, sorted, as the header lists them.
    pub(super) fn scope_ids(&self) -> Result<Vec<ScopeId>, Error> {
        Ok(self.listed()?.into_iter().map(|it| it.id).collect())
    }

    fn listed(&self) -> Result<Vec<ScopeRef>, Error> {
        List::Scopes.all(&self.header().pages, self.snapshot)
    }

    /// Every scope, sorted. Fails if there is a record of another one.
    pub(super) fn scopes(&self) -> Result<Vec<ScopeInfo>, Error> {
        let listed = self.listed()?;
        check_scopes(&listed, self.snapshot)?;
        let infos = listed.into_iter().map(|ScopeRef { id, digest }| {
            let record = read_scope(self.snapshot, &id, &digest)?;
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
        let entries = self.entries(id)?;
        each_secret(self.snapshot, id, &entries, &mut |_, _| Ok(()))?;
        Ok(entries.iter().map(Entry::info).collect())
    }

    /// The secrets of a scope, sorted, as the scope lists them.
    pub(super) fn listed_secrets(&self, id: &ScopeId) -> Result<Vec<SecretInfo>, Error> {
        Ok(self.entries(id)?.iter().map(Entry::info).collect())
    }

    /// One secret, as its scope lists it.
    pub(super) fn secret(&self, id: &ScopeId, name: &SecretName) -> Result<SecretInfo, Error> {
        Ok(self.entry(id, name)?.info())
    }

    /// The versions of a secret, newest first. Fails if their records are not those listed.
    pub(super) fn history(
        &self,
        id: &ScopeId,
        name: &SecretName,
    ) -> Result<Vec<VersionInfo>, Error> {
        let (entry, mut versions) = (self.entry(id, name)?, Vec::new());
        each_version(self.snapshot, id, &entry, &mut |version, _| {
            versions.push(version.entry.version_info());
            Ok(())
        })?;
        versions.sort_unstable_by_key(|version| Reverse(version.version));
        Ok(versions)
    }

    /// A secret that the caller asked for.
    fn entry(&self, id: &ScopeId, name: &SecretName) -> Result<Entry, Error> {
        let pages = self.record(id)?.pages;
        let found = List::SecretsOf(id).find(&pages, self.snapshot, name.as_str())?;
        if found.is_none() {
            let key = record::secret_key(id, name);
            if self.snapshot.get(Table::Secrets, &key)?.is_some() {
                return Err(not_found::bad_secret(id, name, Finding::Unlisted));
            }
        }
        found.ok_or_else(|| not_found::secret(id, name))
    }

    /// The names of a scope's secrets, sorted, as the scope lists them.
    pub(super) fn secret_names(&self, id: &ScopeId) -> Result<Vec<SecretName>, Error> {
        let entries = self.entries(id)?;
        Ok(entries.into_iter().map(|it| it.name).collect())
    }

    fn entries(&self, id: &ScopeId) -> Result<Vec<Entry>, Error> {
        List::SecretsOf(id).all(&self.record(id)?.pages, self.snapshot)
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
        match &self.trust {
            Trust::Verified(unlocked) => {
                let open = unlocked.scope(self.snapshot, id)?;
                Ok(open.map(|open| open.record.clone()))
            }
            Trust::Unverified(header) => match find_scope(header, self.snapshot, id)? {
                Some(found) => read_scope(self.snapshot, id, &found.digest).map(Some),
                None => Ok(None),
            },
        }
    }
}

fn info(id: ScopeId, record: Scope) -> ScopeInfo {
    ScopeInfo {
        id,
        kind: record.kind,
        display_name: record.display_name,
        redaction_hints: record.redaction_hints,
        keep_versions: record.keep_versions,
        created: record.created,
        secrets: usize::try_from(record.secrets).unwrap_or(usize::MAX),
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
