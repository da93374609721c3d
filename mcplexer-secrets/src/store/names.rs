//! Reading names: one state of the store, and its header, verified if that needs no question.

use std::sync::Arc;

use super::consistency::{check_scopes, each_secret};
use super::keyring::Keyring;
use super::unlocked::{Unlocked, read_header};
use super::{ScopeInfo, SecretInfo, not_found, scope_list};
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
