//! Comparing the records that are there with what lists them.

use crate::backend::{Snapshot, Table};
use crate::error::{Finding, RecordName};
use crate::record::{self, Entry, Header, Scope, Secret};
use crate::store::not_found::bad_secret;
use crate::{Error, ScopeId};

/// Fails if there is a record of a scope that is not listed. `listed` is sorted.
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

/// Decodes a value's record and checks that it is the one that `entry` lists.
pub(super) fn decode_secret(
    bytes: &[u8],
    scope: &ScopeId,
    entry: &Entry,
    header: &Header,
) -> Result<Secret, Error> {
    let name = || RecordName::Secret(scope.clone(), entry.name.clone());
    let secret: Secret = record::decode(bytes, name)?;
    if secret.generation != header.generation {
        let finding = Finding::WrongGeneration {
            found: secret.generation,
            expected: header.generation,
        };
        return Err(Error::tampered(name(), finding));
    }
    if secret.version != entry.version {
        let finding = Finding::WrongVersion {
            found: secret.version,
            expected: entry.version,
        };
        return Err(Error::tampered(name(), finding));
    }
    Ok(secret)
}

/// Passes each value's record of a scope to `each`, sorted by name. Fails if one is missing, is not
/// listed, or has another version than the list says.
pub(super) fn each_secret(
    snapshot: &dyn Snapshot,
    scope: &ScopeId,
    record: &Scope,
    header: &Header,
    each: &mut dyn FnMut(&Entry, &Secret) -> Result<(), Error>,
) -> Result<(), Error> {
    let prefix = record::secret_prefix(scope);
    let mut listed = record.secrets.iter().peekable();
    let mut result = Ok(());
    snapshot.scan(Table::Secrets, &prefix, &mut |key, bytes| {
        if result.is_err() {
            return;
        }
        let Some(name) = key.strip_prefix(&*prefix) else {
            result = Err(unknown_secret());
            return;
        };
        let expected = listed.next_if(|entry| entry.name.as_str().as_bytes() <= name);
        result = match expected {
            Some(entry) if entry.name.as_str().as_bytes() == name => {
                let secret = decode_secret(bytes, scope, entry, header);
                secret.and_then(|secret| each(entry, &secret))
            }
            Some(entry) => Err(bad_secret(scope, &entry.name, Finding::Missing)),
            None => Err(unlisted_secret(scope, name)),
        };
    })?;
    result?;
    match listed.next() {
        None => Ok(()),
        Some(entry) => Err(bad_secret(scope, &entry.name, Finding::Missing)),
    }
}

/// There is a secret that no scope lists.
pub(super) fn unknown_secret() -> Error {
    Error::tampered(
        RecordName::Unknown(Table::Secrets.name()),
        Finding::Unlisted,
    )
}

/// Names the record if its key is one that this library would write.
fn unlisted_secret(scope: &ScopeId, name: &[u8]) -> Error {
    match String::from_utf8_lossy(name).parse() {
        Ok(name) => bad_secret(scope, &name, Finding::Unlisted),
        Err(_) => unknown_secret(),
    }
}

fn unlisted_scope(key: &[u8]) -> RecordName {
    match String::from_utf8_lossy(key).parse() {
        Ok(id) => RecordName::Scope(id),
        Err(_) => RecordName::Unknown(Table::Scopes.name()),
    }
}
