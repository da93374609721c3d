//! Reading names: the header and the scopes, verified as far as the key at hand allows, and
//! compared with the records that are there.

use std::sync::Arc;

use super::pages;
use super::sealed_store::Store;
use super::unlock::{Unlocked, read_header};
use crate::backend::{Snapshot, Table};
use crate::error::{Finding, RecordName};
use crate::keys::Ask;
use crate::record::{self, Entry, Header, Scope, Secret};
use crate::{Error, ScopeId};

impl Store {
    /// Reads the header, verified if that takes no question.
    pub(super) fn look(&self, snapshot: &dyn Snapshot) -> Result<View, Error> {
        match self.unlock(snapshot, Ask::Never) {
            Ok(unlocked) => Ok(View::Verified(unlocked)),
            Err(Error::Locked { .. }) => Ok(View::AsIs(read_header(snapshot)?.1)),
            Err(error) => Err(error),
        }
    }
}

/// The header and the scopes, as far as the key at hand allows to verify them.
pub(super) enum View {
    Verified(Arc<Unlocked>),
    AsIs(Header),
}

impl View {
    pub(super) fn header(&self) -> &Header {
        match self {
            Self::Verified(unlocked) => &unlocked.header,
            Self::AsIs(header) => header,
        }
    }

    /// A scope, which must be listed.
    pub(super) fn scope(&self, snapshot: &dyn Snapshot, id: &ScopeId) -> Result<Scope, Error> {
        let missing = || Error::tampered(RecordName::Scope(id.clone()), Finding::Missing);
        match self {
            Self::Verified(unlocked) => {
                let open = unlocked.scope(snapshot, id)?.ok_or_else(missing)?;
                Ok(open.record.clone())
            }
            Self::AsIs(_) => {
                let bytes = snapshot.get(Table::Scopes, id.as_str().as_bytes())?;
                record::decode(&bytes.ok_or_else(missing)?, || {
                    RecordName::Scope(id.clone())
                })
            }
        }
    }
}

/// All scopes, in order; there must be records of these and of no others.
pub(super) fn list_scopes(header: &Header, snapshot: &dyn Snapshot) -> Result<Vec<ScopeId>, Error> {
    let listed = pages::list(header, snapshot)?;
    check_scopes(&listed, snapshot)?;
    Ok(listed)
}

/// There must be no record of a scope that is not listed.
pub(super) fn check_scopes(listed: &[ScopeId], snapshot: &dyn Snapshot) -> Result<(), Error> {
    let mut unlisted = None;
    snapshot.scan(Table::Scopes, b"", &mut |key, _| {
        let found = listed.binary_search_by(|id| id.as_str().as_bytes().cmp(key));
        if found.is_err() {
            unlisted = Some(unlisted_scope(key));
        }
    })?;
    match unlisted {
        None => Ok(()),
        Some(record) => Err(Error::tampered(record, Finding::Unlisted)),
    }
}

/// Decodes a value's record, which must be the one that `entry` speaks of.
pub(super) fn decode_secret(
    bytes: &[u8],
    scope: &ScopeId,
    entry: &Entry,
    header: &Header,
) -> Result<Secret, Error> {
    let name = || RecordName::Secret(scope.clone(), entry.name.clone());
    let secret: Secret = record::decode(bytes, name)?;
    if secret.generation != header.generation {
        return Err(Error::tampered(
            name(),
            Finding::WrongGeneration {
                found: secret.generation,
                expected: header.generation,
            },
        ));
    }
    if secret.version != entry.version {
        return Err(Error::tampered(
            name(),
            Finding::WrongVersion {
                found: secret.version,
                expected: entry.version,
            },
        ));
    }
    Ok(secret)
}

/// Checks that the scope's values are there, all of them and no others, in the versions listed, and
/// gives each of them to `each`.
pub(super) fn compare_secrets(
    snapshot: &dyn Snapshot,
    scope: &ScopeId,
    record: &Scope,
    header: &Header,
    each: &mut dyn FnMut(&Entry, &Secret) -> Result<(), Error>,
) -> Result<(), Error> {
    let prefix = record::secret_prefix(scope);
    let mut listed = record.secrets.iter().peekable();
    let mut wrong = None;
    snapshot.scan(Table::Secrets, &prefix, &mut |key, bytes| {
        if wrong.is_some() {
            return;
        }
        let name = key.get(prefix.len()..).unwrap_or_default();
        let expected = listed.next_if(|entry| entry.name.as_str().as_bytes() <= name);
        wrong = match expected {
            Some(entry) if entry.name.as_str().as_bytes() == name => {
                let secret = decode_secret(bytes, scope, entry, header);
                secret.and_then(|secret| each(entry, &secret)).err()
            }
            Some(entry) => Some(Error::tampered(
                RecordName::Secret(scope.clone(), entry.name.clone()),
                Finding::Missing,
            )),
            None => Some(Error::tampered(
                unlisted_secret(scope, name),
                Finding::Unlisted,
            )),
        };
    })?;
    if let Some(error) = wrong {
        return Err(error);
    }
    match listed.next() {
        None => Ok(()),
        Some(entry) => Err(Error::tampered(
            RecordName::Secret(scope.clone(), entry.name.clone()),
            Finding::Missing,
        )),
    }
}

/// What to call a record under `name`, which something else may have put there.
fn unlisted_secret(scope: &ScopeId, name: &[u8]) -> RecordName {
    match String::from_utf8_lossy(name).parse() {
        Ok(name) => RecordName::Secret(scope.clone(), name),
        Err(_) => RecordName::Unknown(Table::Secrets.name()),
    }
}

fn unlisted_scope(key: &[u8]) -> RecordName {
    match String::from_utf8_lossy(key).parse() {
        Ok(id) => RecordName::Scope(id),
        Err(_) => RecordName::Unknown(Table::Scopes.name()),
    }
}
