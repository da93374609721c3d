//! Comparing the records that are there with what lists them.

use crate::backend::{Snapshot, Table};
use crate::error::{Finding, RecordName};
use crate::record::{self, Entry, ScopeRef, Secret};
use crate::store::not_found::bad_secret;
use crate::{Error, ScopeId};

/// Fails if there is a record of a scope that is not listed. `listed` is sorted.
pub(super) fn check_scopes(listed: &[ScopeRef], snapshot: &dyn Snapshot) -> Result<(), Error> {
    let mut unlisted = None;
    snapshot.scan(Table::Scopes, b"", &mut |key, _| {
        let found = listed.binary_search_by(|it| it.id.as_str().as_bytes().cmp(key));
        if found.is_err() {
            unlisted = Some(unlisted_scope(key));
        }
    })?;
    match unlisted {
        None => Ok(()),
        Some(record) => Err(Error::tampered(record, Finding::Unlisted)),
    }
}

/// Decodes a value's record, which `entry` lists.
pub(super) fn decode_secret(bytes: &[u8], scope: &ScopeId, entry: &Entry) -> Result<Secret, Error> {
    if record::digest(bytes) != entry.digest {
        return Err(bad_secret(scope, &entry.name, Finding::NotAsSealed));
    }
    record::decode(bytes, || {
        RecordName::Secret(scope.clone(), entry.name.clone())
    })
}

/// Passes each value's record of a scope to `each`, sorted by name. Fails if one is missing, is not
/// listed, or is not the one that is listed.
pub(super) fn each_secret(
    snapshot: &dyn Snapshot,
    scope: &ScopeId,
    listed: &[Entry],
    each: &mut dyn FnMut(&Entry, &Secret) -> Result<(), Error>,
) -> Result<(), Error> {
    let prefix = record::secret_prefix(scope);
    let mut listed = listed.iter().peekable();
    let mut result = Ok(());
    snapshot.scan(Table::Secrets, &prefix, &mut |key, bytes| {
        if result.is_err() {
            return;
        }
        let Some(name) = key.strip_prefix(&*prefix) else {
            result = Err(unknown(Table::Secrets));
            return;
        };
        let expected = listed.next_if(|entry| entry.name.as_str().as_bytes() <= name);
        result = match expected {
            Some(entry) if entry.name.as_str().as_bytes() == name => {
                let secret = decode_secret(bytes, scope, entry);
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

/// There is a record that nothing lists.
pub(super) fn unknown(table: Table) -> Error {
    Error::tampered(RecordName::Unknown(table.name()), Finding::Unlisted)
}

/// Names the record if its key is one that this library would write.
fn unlisted_secret(scope: &ScopeId, name: &[u8]) -> Error {
    match String::from_utf8_lossy(name).parse() {
        Ok(name) => bad_secret(scope, &name, Finding::Unlisted),
        Err(_) => unknown(Table::Secrets),
    }
}

fn unlisted_scope(key: &[u8]) -> RecordName {
    match String::from_utf8_lossy(key).parse() {
        Ok(id) => RecordName::Scope(id),
        Err(_) => RecordName::Unknown(Table::Scopes.name()),
    }
}
