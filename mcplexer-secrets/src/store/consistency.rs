//! Comparing the records that are there with what lists them.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde::de::DeserializeOwned;

use crate::backend::{Range, Snapshot, Table};
use crate::error::{Finding, RecordName};
use crate::record::{self, Earlier, EarlierValue, Entry, ScopeRef, Secret};
use crate::store::not_found::bad_secret;
use crate::{Error, ScopeId};

/// Fails if there is a record of a scope that is not listed. `listed` is sorted.
pub(super) fn check_scopes(listed: &[ScopeRef], snapshot: &dyn Snapshot) -> Result<(), Error> {
    snapshot.try_scan(Range::all(Table::Scopes), |key, _| {
        let found = listed.binary_search_by(|it| it.id.as_str().as_bytes().cmp(key));
        found
            .map(drop)
            .map_err(|_| Error::tampered(unlisted_scope(key), Finding::Unlisted))
    })
}

/// Decodes a secret's record, which `entry` lists.
pub(super) fn decode_secret(bytes: &[u8], scope: &ScopeId, entry: &Entry) -> Result<Secret, Error> {
    decode_listed(bytes, entry, || {
        RecordName::Secret(scope.clone(), entry.name.clone())
    })
}

/// Decodes the record of an earlier version, which `entry` describes.
pub(super) fn decode_earlier(
    bytes: &[u8],
    scope: &ScopeId,
    entry: &Entry,
) -> Result<EarlierValue, Error> {
    decode_listed(bytes, entry, || version_name(scope, entry))
}

fn decode_listed<T: DeserializeOwned>(
    bytes: &[u8],
    entry: &Entry,
    name: impl Fn() -> RecordName,
) -> Result<T, Error> {
    if record::digest(bytes) != entry.digest {
        return Err(Error::tampered(name(), Finding::NotAsSealed));
    }
    record::decode(bytes, name)
}

/// A version of a secret whose record was found.
pub(super) struct Version<'a> {
    /// Describes this version.
    pub(super) entry: Cow<'a, Entry>,
    /// Whether it is the current one, which comes before the earlier ones.
    pub(super) is_current: bool,
    /// How many versions of this secret follow.
    pub(super) left: usize,
}

impl<'a> Version<'a> {
    /// The current version of a listed secret, before its record is read.
    fn current(entry: &'a Entry) -> Self {
        Self {
            entry: Cow::Borrowed(entry),
            is_current: true,
            left: 0,
        }
    }

    /// What follows the scope's prefix in the key of its record.
    fn place(&self) -> Vec<u8> {
        let name = self.entry.name.as_str().as_bytes();
        match self.is_current {
            true => name.to_vec(),
            false => [name, b"\0", &self.entry.version.to_be_bytes()].concat(),
        }
    }

    fn tampered(&self, scope: &ScopeId, finding: Finding) -> Error {
        match self.is_current {
            true => bad_secret(scope, &self.entry.name, finding),
            false => Error::tampered(version_name(scope, &self.entry), finding),
        }
    }
}

/// Takes each version of a secret with its sealed value.
pub(super) type EachVersion<'a> = dyn FnMut(&Version<'_>, &[u8]) -> Result<(), Error> + 'a;

/// Passes each version of each secret of a scope to `each`, sorted by name: the current one, and then the
/// earlier ones, oldest first. Fails if a record is missing, is not listed, or is not the one that is listed.
pub(super) fn each_secret(
    snapshot: &dyn Snapshot,
    scope: &ScopeId,
    listed: &[Entry],
    each: &mut EachVersion<'_>,
) -> Result<(), Error> {
    let prefix = record::secret_prefix(scope);
    let mut walk = Walk::new(scope, listed);
    walk.over(snapshot, &prefix, &prefix, each)?;
    walk.end()
}

/// Passes each version of one secret to `each`, as [`each_secret`] does.
pub(super) fn each_version(
    snapshot: &dyn Snapshot,
    scope: &ScopeId,
    entry: &Entry,
    each: &mut EachVersion<'_>,
) -> Result<(), Error> {
    let mut walk = Walk::new(scope, std::slice::from_ref(entry));
    let key = record::secret_key(scope, &entry.name);
    if let Some(bytes) = snapshot.get(Table::Secrets, &key)? {
        walk.meet(entry.name.as_str().as_bytes(), &bytes, each)?;
    }
    let prefix = record::secret_prefix(scope);
    let versions = record::version_prefix(scope, &entry.name);
    walk.over(snapshot, &versions, &prefix, each)?;
    walk.end()
}

/// Compares the records of secrets, in the order of their keys, with what lists them.
struct Walk<'a> {
    scope: &'a ScopeId,
    /// The version whose record is expected next.
    next: Option<Version<'a>>,
    /// The secret to which it belongs.
    secret: Option<&'a Entry>,
    /// The earlier versions of that secret that are expected after it.
    earlier: std::vec::IntoIter<Earlier>,
    /// The secrets that are expected after those.
    listed: std::slice::Iter<'a, Entry>,
}

impl<'a> Walk<'a> {
    fn new(scope: &'a ScopeId, listed: &'a [Entry]) -> Self {
        let mut walk = Self {
            scope,
            next: None,
            secret: None,
            earlier: Vec::new().into_iter(),
            listed: listed.iter(),
        };
        walk.advance();
        walk
    }

    /// Expects the next version.
    fn advance(&mut self) {
        let left = self.earlier.len().saturating_sub(1);
        self.next = match (self.secret, self.earlier.next()) {
            (Some(secret), Some(earlier)) => Some(Version {
                entry: Cow::Owned(secret.at(&earlier)),
                is_current: false,
                left,
            }),
            _ => {
                self.secret = self.listed.next();
                self.secret.map(Version::current)
            }
        };
    }

    /// Compares every record whose key begins with `from`, a key of this scope.
    fn over(
        &mut self,
        snapshot: &dyn Snapshot,
        from: &[u8],
        prefix: &[u8],
        each: &mut EachVersion<'_>,
    ) -> Result<(), Error> {
        let range = Range::prefix(Table::Secrets, from);
        snapshot.try_scan(range, |key, bytes| match key.strip_prefix(prefix) {
            Some(place) => self.meet(place, bytes, each),
            None => Err(unknown(Table::Secrets)),
        })
    }

    /// Compares the record that comes next.
    fn meet(
        &mut self,
        place: &[u8],
        bytes: &[u8],
        each: &mut EachVersion<'_>,
    ) -> Result<(), Error> {
        let scope = self.scope;
        let Some(mut expected) = self.next.take() else {
            return Err(unlisted_secret(scope, place));
        };
        match place.cmp(&expected.place()) {
            Ordering::Less => return Err(unlisted_secret(scope, place)),
            Ordering::Greater => return Err(expected.tampered(scope, Finding::Missing)),
            Ordering::Equal => {}
        }
        let sealed = if expected.is_current {
            let Secret { sealed, earlier } = decode_secret(bytes, scope, &expected.entry)?;
            expected.left = earlier.len();
            self.earlier = earlier.into_iter();
            sealed
        } else {
            decode_earlier(bytes, scope, &expected.entry)?.sealed
        };
        each(&expected, &sealed)?;
        self.advance();
        Ok(())
    }

    /// Fails if a record is still expected.
    fn end(self) -> Result<(), Error> {
        match self.next {
            None => Ok(()),
            Some(expected) => Err(expected.tampered(self.scope, Finding::Missing)),
        }
    }
}

/// There is a record that nothing lists.
pub(super) fn unknown(table: Table) -> Error {
    Error::tampered(RecordName::Unknown(table.name()), Finding::Unlisted)
}

/// Names the record if its key is one that this library would write.
fn unlisted_secret(scope: &ScopeId, place: &[u8]) -> Error {
    let (name, version) = record::split_place(place);
    let version = version.map(|bytes| bytes.try_into().map(u64::from_be_bytes));
    match (String::from_utf8_lossy(name).parse(), version) {
        (Ok(name), None) => bad_secret(scope, &name, Finding::Unlisted),
        (Ok(name), Some(Ok(version))) => Error::tampered(
            RecordName::Version(scope.clone(), name, version),
            Finding::Unlisted,
        ),
        _ => unknown(Table::Secrets),
    }
}

fn version_name(scope: &ScopeId, entry: &Entry) -> RecordName {
    RecordName::Version(scope.clone(), entry.name.clone(), entry.version)
}

fn unlisted_scope(key: &[u8]) -> RecordName {
    match String::from_utf8_lossy(key).parse() {
        Ok(id) => RecordName::Scope(id),
        Err(_) => RecordName::Unknown(Table::Scopes.name()),
    }
}
