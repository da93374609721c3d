//! A verified header with its root key, and the scopes opened under it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use super::claim::{Root, claimant};
use super::not_found;
use super::opener::Opener;
use super::pages::List;
use super::slots::machine_name;
use crate::backend::{Snapshot, Table};
use crate::error::{Finding, RecordName};
use crate::record::{
    self, Digest, Entry, HEADER_KEY, Header, MOVING_KEY, MovedTo, OWNERS_KEY, Owners, Scope,
    ScopeRef, Slot,
};
use crate::seal::{RootKey, ScopeKey};
use crate::{Error, ScopeId};

/// A header that the root key has verified, and the owners that it vouches for.
#[derive(Clone)]
pub(super) struct Unlocked {
    /// The record that the header was decoded from; empty while a change is in the making.
    bytes: Vec<u8>,
    pub(super) header: Header,
    pub(super) slots: Arc<Vec<Slot>>,
    pub(super) root: Arc<RootKey>,
    /// What opened it; `None` for a store that is being created.
    pub(super) opener: Option<Opener>,
    /// Whether the owner who opened it has accepted it.
    pub(super) is_accepted: bool,
    /// Tells the private key that opened it from others; `None` if that cannot claim a store.
    pub(super) claimant: Option<String>,
    /// Where the store is now; `None` if it is here. Then it takes no changes here.
    pub(super) moved: Option<MovedTo>,
    scopes: Arc<OpenScopes>,
}

/// Scopes opened with one root key, with the digests of their records.
#[derive(Default)]
struct OpenScopes {
    /// How many to keep.
    most: AtomicUsize,
    open: Mutex<HashMap<ScopeId, (Digest, Arc<OpenScope>)>>,
}

impl OpenScopes {
    fn open(&self) -> MutexGuard<'_, HashMap<ScopeId, (Digest, Arc<OpenScope>)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.key
            .open(sealed, &header.value(scope, entry))
            .ok_or_else(|| not_found::bad_secret(scope, &entry.name, Finding::DoesNotOpen))
    }
}

impl Unlocked {
    /// Wraps a header that this process makes.
    pub(super) fn new(header: Header, root: Arc<RootKey>) -> Self {
        Self {
            bytes: Vec::new(),
            header,
            slots: Arc::default(),
            root,
            opener: None,
            is_accepted: true,
            claimant: None,
            moved: None,
            scopes: Arc::default(),
        }
    }

    /// Verifies a header that was read.
    pub(super) fn verify(
        bytes: Vec<u8>,
        header: Header,
        slots: Arc<Vec<Slot>>,
        root: Arc<RootKey>,
        opener: Option<Opener>,
    ) -> Result<Self, Error> {
        let Some(said) = root.verify(&header.proof, &header.context()) else {
            return Err(Error::tampered(RecordName::Header, Finding::DoesNotOpen));
        };
        let moved = match &*said {
            "" => None,
            said => {
                let tampered = || Error::tampered(RecordName::Header, Finding::Malformed);
                Some(MovedTo::parse(said).ok_or_else(tampered)?)
            }
        };
        let mut unlocked = Self {
            bytes,
            slots,
            moved,
            ..Self::new(header, root)
        };
        unlocked.set_opener(opener)?;
        Ok(unlocked)
    }

    /// Says which identity opened it.
    pub(super) fn set_opener(&mut self, opener: Option<Opener>) -> Result<(), Error> {
        self.claimant = match &opener {
            Some(opener) => claimant(&opener.identity, self.header.store)?,
            None => None,
        };
        self.opener = opener;
        Ok(())
    }

    /// The root key in its place.
    pub(super) fn root(&self) -> Root<'_> {
        Root {
            key: &self.root,
            header: &self.header,
        }
    }

    /// The slot of the owner who opened it.
    pub(super) fn owner(&self) -> Option<&Slot> {
        let opener = self.opener.as_ref()?;
        let mut slots = self.slots.iter();
        slots.find(|slot| slot.recipient == opener.recipient)
    }

    /// The private key that opened it, as the audit log calls it, and the generation in which it last claimed the
    /// store.
    pub(super) fn claim(&self) -> Option<(&String, u64)> {
        let claim = self.owner()?.claim.as_ref()?;
        Some((self.claimant.as_ref()?, claim.since))
    }

    /// The label of the owner who opened it; the name of the machine for a store that is being created.
    pub(super) fn owner_label(&self) -> String {
        self.owner()
            .map_or_else(machine_name, |slot| slot.label.clone())
    }

    /// Keeps the scopes that were opened with the same root key.
    pub(super) fn with_scopes_of(mut self, known: &Self) -> Self {
        if Arc::ptr_eq(&self.root, &known.root) {
            self.scopes = Arc::clone(&known.scopes);
        }
        self
    }

    /// Proves the header, and returns its record.
    pub(super) fn seal(&mut self) -> Result<&[u8], Error> {
        let moved = self.moved.as_ref().map(ToString::to_string);
        let said = moved.as_deref().unwrap_or_default();
        self.header.proof = self.root.prove(&self.header.context(), said)?;
        self.bytes = record::encode(&self.header)?;
        Ok(&self.bytes)
    }

    /// The record of the same header at the place that the store was moved to.
    pub(super) fn seal_moved(&self) -> Result<Vec<u8>, Error> {
        let mut there = self.clone();
        there.moved = None;
        there.seal().map(<[u8]>::to_vec)
    }

    /// Fails if the store was moved to another place.
    pub(super) fn require_here(&self) -> Result<(), Error> {
        match &self.moved {
            Some(MovedTo { place, .. }) => Err(Error::Moved { to: place.clone() }),
            None => Ok(()),
        }
    }

    /// The digest of the header's record.
    pub(super) fn digest(&self) -> Digest {
        record::digest(&self.bytes)
    }

    /// Whether this is the header with that record.
    pub(super) fn is_from(&self, bytes: &[u8]) -> bool {
        self.bytes == bytes
    }

    /// Sets how many scopes stay open.
    pub(super) fn keep_open(&self, count: usize) {
        self.scopes.most.store(count, Ordering::Relaxed);
    }

    /// A scope that was opened before. It may have changed since.
    pub(super) fn open_already(&self, id: &ScopeId) -> Option<Arc<OpenScope>> {
        let scopes = self.scopes.open();
        scopes.get(id).map(|(_, open)| Arc::clone(open))
    }

    /// Opens a scope, or finds it open; `None` if the list of scopes does not name it.
    pub(super) fn scope(
        &self,
        snapshot: &dyn Snapshot,
        id: &ScopeId,
    ) -> Result<Option<Arc<OpenScope>>, Error> {
        let Some(ScopeRef { digest, .. }) = find_scope(&self.header, snapshot, id)? else {
            return Ok(None);
        };
        let mut scopes = self.scopes.open();
        if let Some((known, open)) = scopes.get(id)
            && *known == digest
        {
            return Ok(Some(Arc::clone(open)));
        }
        let open = Arc::new(self.open_scope(snapshot, id, &digest)?);
        // Its place, or that of any other one.
        scopes.remove(id);
        let most = self.scopes.most.load(Ordering::Relaxed);
        while scopes.len() >= most.max(1)
            && let Some(any) = scopes.keys().next().cloned()
        {
            scopes.remove(&any);
        }
        if most > 0 {
            scopes.insert(id.clone(), (digest, Arc::clone(&open)));
        }
        Ok(Some(open))
    }

    /// Reads and opens a scope that is listed with that digest.
    pub(super) fn open_scope(
        &self,
        snapshot: &dyn Snapshot,
        id: &ScopeId,
        digest: &Digest,
    ) -> Result<OpenScope, Error> {
        let record = read_scope(snapshot, id, digest)?;
        let context = self.header.scope_key(id);
        let key = self.root.unwrap_scope_key(&record.key, &context);
        let key = key.ok_or_else(|| tampered(id, Finding::DoesNotOpen))?;
        Ok(OpenScope { record, key })
    }
}

fn tampered(id: &ScopeId, finding: Finding) -> Error {
    Error::tampered(RecordName::Scope(id.clone()), finding)
}

/// Finds a scope in the list of scopes. Fails if it is not listed, and has a record.
pub(super) fn find_scope(
    header: &Header,
    snapshot: &dyn Snapshot,
    id: &ScopeId,
) -> Result<Option<ScopeRef>, Error> {
    let found = List::Scopes.find(&header.pages, snapshot, id.as_str())?;
    if found.is_none()
        && snapshot
            .get(Table::Scopes, id.as_str().as_bytes())?
            .is_some()
    {
        return Err(tampered(id, Finding::Unlisted));
    }
    Ok(found)
}

/// Reads the record of a scope, which has that digest.
pub(super) fn read_scope(
    snapshot: &dyn Snapshot,
    id: &ScopeId,
    expected: &Digest,
) -> Result<Scope, Error> {
    let bytes = snapshot.get(Table::Scopes, id.as_str().as_bytes())?;
    let bytes = bytes.ok_or_else(|| not_found::listed_scope(id))?;
    if record::digest(&bytes) != *expected {
        return Err(tampered(id, Finding::NotAsSealed));
    }
    record::decode(&bytes, || RecordName::Scope(id.clone()))
}

/// Reads the header, which every store has; returns its record as well.
pub(super) fn read_header(snapshot: &dyn Snapshot) -> Result<(Vec<u8>, Header), Error> {
    let bytes = snapshot
        .get(Table::Meta, HEADER_KEY)?
        .map_or_else(|| Err(no_header(snapshot)), Ok)?;
    let header = record::decode(&bytes, || RecordName::Header)?;
    Ok((bytes, header))
}

/// Why a place that has records has no header.
fn no_header(snapshot: &dyn Snapshot) -> Error {
    match snapshot.get(Table::Meta, MOVING_KEY) {
        Ok(Some(_)) => Error::MoveUnfinished,
        Ok(None) => Error::tampered(RecordName::Header, Finding::Missing),
        Err(error) => error.into(),
    }
}

/// Reads the owners that the header vouches for.
pub(super) fn read_slots(snapshot: &dyn Snapshot, header: &Header) -> Result<Vec<Slot>, Error> {
    let tampered = |finding| Error::tampered(RecordName::Owners, finding);
    let bytes = snapshot.get(Table::Meta, OWNERS_KEY)?;
    let bytes = bytes.ok_or_else(|| tampered(Finding::Missing))?;
    if record::digest(&bytes) != header.owners {
        return Err(tampered(Finding::NotAsSealed));
    }
    let Owners(slots) = record::decode(&bytes, || RecordName::Owners)?;
    Ok(slots)
}
