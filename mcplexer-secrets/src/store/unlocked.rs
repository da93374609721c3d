//! A verified header with its root key, and the scopes opened under it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::opener::Opener;
use super::{not_found, scope_list};
use crate::backend::{Snapshot, Table};
use crate::error::{Finding, RecordName};
use crate::record::{self, Entry, HEADER_KEY, Header, Scope, Secret};
use crate::seal::{RootKey, ScopeKey};
use crate::{Error, ScopeId};

/// How many open scopes to keep.
const OPEN_SCOPES: usize = 256;

/// A header that the root key has verified.
pub(super) struct Unlocked {
    /// The record that the header was decoded from.
    bytes: Vec<u8>,
    pub(super) header: Header,
    pub(super) root: Arc<RootKey>,
    /// What opened it; `None` for a store that is being created.
    pub(super) opener: Option<Opener>,
    /// Scopes opened under this header, with the records they were opened from.
    scopes: Mutex<HashMap<ScopeId, CachedScope>>,
}

type CachedScope = (Vec<u8>, Arc<OpenScope>);

/// A verified scope record with its key.
pub(super) struct OpenScope {
    pub(super) record: Scope,
    pub(super) key: ScopeKey,
}

impl OpenScope {
    /// Decrypts a value of this scope.
    pub(super) fn open_secret(
        &self,
        header: &Header,
        scope: &ScopeId,
        entry: &Entry,
        secret: &Secret,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let context = entry.context(header, scope);
        self.key
            .open(&secret.sealed, &context)
            .ok_or_else(|| not_found::bad_secret(scope, &entry.name, Finding::DoesNotOpen))
    }
}

impl Unlocked {
    /// Wraps a header that this process wrote.
    pub(super) fn new(
        bytes: Vec<u8>,
        header: Header,
        root: Arc<RootKey>,
        opener: Option<Opener>,
    ) -> Self {
        Self {
            bytes,
            header,
            root,
            opener,
            scopes: Mutex::default(),
        }
    }

    /// Verifies a header that was read.
    pub(super) fn verify(
        bytes: Vec<u8>,
        header: Header,
        root: Arc<RootKey>,
        opener: Option<Opener>,
    ) -> Result<Self, Error> {
        if root.verify(&header.proof, &header.context()) {
            Ok(Self::new(bytes, header, root, opener))
        } else {
            Err(Error::tampered(RecordName::Header, Finding::DoesNotOpen))
        }
    }

    /// Whether this is the header with that record.
    pub(super) fn is_from(&self, bytes: &[u8]) -> bool {
        self.bytes == bytes
    }

    /// Opens a scope; `None` if the list of scopes does not name it.
    pub(super) fn scope(
        &self,
        snapshot: &dyn Snapshot,
        id: &ScopeId,
    ) -> Result<Option<Arc<OpenScope>>, Error> {
        let bytes = snapshot.get(Table::Scopes, id.as_str().as_bytes())?;
        let bytes = match (scope_list::contains(&self.header, snapshot, id)?, bytes) {
            (true, Some(bytes)) => bytes,
            (true, None) => return Err(not_found::listed_scope(id)),
            (false, Some(_)) => return Err(tampered(id, Finding::Unlisted)),
            (false, None) => return Ok(None),
        };
        let mut scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, open)) = scopes.get(id)
            && *known == bytes
        {
            return Ok(Some(Arc::clone(open)));
        }
        let open = Arc::new(self.open_scope(id, &bytes)?);
        if scopes.len() >= OPEN_SCOPES {
            scopes.clear();
        }
        scopes.insert(id.clone(), (bytes, Arc::clone(&open)));
        Ok(Some(open))
    }

    fn open_scope(&self, id: &ScopeId, bytes: &[u8]) -> Result<OpenScope, Error> {
        let record: Scope = record::decode(bytes, || RecordName::Scope(id.clone()))?;
        if record.generation != self.header.generation {
            let finding = Finding::WrongGeneration {
                found: record.generation,
                expected: self.header.generation,
            };
            return Err(tampered(id, finding));
        }
        let context = record.context(&self.header, id);
        let key = self.root.unwrap_scope_key(&record.key, &context);
        let key = key.ok_or_else(|| tampered(id, Finding::DoesNotOpen))?;
        Ok(OpenScope { record, key })
    }
}

fn tampered(id: &ScopeId, finding: Finding) -> Error {
    Error::tampered(RecordName::Scope(id.clone()), finding)
}

/// Reads the header, which every store has; returns its record as well.
pub(super) fn read_header(snapshot: &dyn Snapshot) -> Result<(Vec<u8>, Header), Error> {
    let bytes = snapshot
        .get(Table::Meta, HEADER_KEY)?
        .ok_or_else(|| Error::tampered(RecordName::Header, Finding::Missing))?;
    let header = record::decode(&bytes, || RecordName::Header)?;
    Ok((bytes, header))
}
