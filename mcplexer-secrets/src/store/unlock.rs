//! From identities to the root key, and from the root key to an open scope.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::pages::is_listed;
use super::sealed_store::Store;
use crate::backend::{Snapshot, Table};
use crate::error::{Finding, RecordName};
use crate::keys::{Ask, Identity, KeyError};
use crate::record::{self, HEADER_KEY, Header, Scope, Slot};
use crate::seal::{RootKey, ScopeKey};
use crate::{Error, ScopeId, Timestamp};

/// How many open scopes are kept at hand.
const OPEN_SCOPES: usize = 256;

/// A header that has been verified, with the root key that did it.
pub(super) struct Unlocked {
    bytes: Vec<u8>,
    pub(super) header: Header,
    pub(super) root: Arc<RootKey>,
    /// Scopes opened under this header, with the bytes they were opened from.
    scopes: Mutex<HashMap<ScopeId, CachedScope>>,
}

type CachedScope = (Vec<u8>, Arc<OpenScope>);

/// A scope record that has been verified, with its key.
pub(super) struct OpenScope {
    pub(super) record: Scope,
    pub(super) key: ScopeKey,
}

impl Unlocked {
    pub(super) fn new(bytes: Vec<u8>, header: Header, root: Arc<RootKey>) -> Self {
        Self {
            bytes,
            header,
            root,
            scopes: Mutex::default(),
        }
    }

    /// Opens a scope; `None` if it does not exist. The list of scopes is what counts.
    pub(super) fn scope(
        &self,
        snapshot: &dyn Snapshot,
        id: &ScopeId,
    ) -> Result<Option<Arc<OpenScope>>, Error> {
        let tampered = |finding| Error::tampered(RecordName::Scope(id.clone()), finding);
        let bytes = snapshot.get(Table::Scopes, id.as_str().as_bytes())?;
        let bytes = match (is_listed(&self.header, snapshot, id)?, bytes) {
            (true, Some(bytes)) => bytes,
            (true, None) => return Err(tampered(Finding::Missing)),
            (false, Some(_)) => return Err(tampered(Finding::Unlisted)),
            (false, None) => return Ok(None),
        };
        let mut scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, open)) = scopes.get(id)
            && *known == bytes
        {
            return Ok(Some(Arc::clone(open)));
        }
        let record: Scope = record::decode(&bytes, || RecordName::Scope(id.clone()))?;
        if record.generation != self.header.generation {
            return Err(tampered(Finding::WrongGeneration {
                found: record.generation,
                expected: self.header.generation,
            }));
        }
        let context = record.context(&self.header, id);
        let key = self
            .root
            .unwrap_scope_key(&record.key, &context)
            .ok_or_else(|| tampered(Finding::DoesNotOpen))?;
        let open = Arc::new(OpenScope { record, key });
        if scopes.len() >= OPEN_SCOPES {
            scopes.clear();
        }
        scopes.insert(id.clone(), (bytes, Arc::clone(&open)));
        Ok(Some(open))
    }
}

/// What a header was decoded from, and the header.
type HeaderRecord = (Vec<u8>, Header);

/// Reads the header, which every store has.
pub(super) fn read_header(snapshot: &dyn Snapshot) -> Result<HeaderRecord, Error> {
    let bytes = snapshot
        .get(Table::Meta, HEADER_KEY)?
        .ok_or_else(|| Error::tampered(RecordName::Header, Finding::Missing))?;
    let header = record::decode(&bytes, || RecordName::Header)?;
    Ok((bytes, header))
}

impl Store {
    /// The verified header, unlocking the root key if it is not at hand yet.
    pub(super) fn unlock(&self, snapshot: &dyn Snapshot, ask: Ask) -> Result<Arc<Unlocked>, Error> {
        let (bytes, header) = read_header(snapshot)?;
        let mut slot = self.unlocked.lock().unwrap_or_else(PoisonError::into_inner);
        let mut root = None;
        if let Some(known) = slot.as_ref() {
            if known.bytes == bytes {
                return Ok(Arc::clone(known));
            }
            // A scope came or went: the same root key vouches for the new list. After a re-key by
            // somebody else the generation differs, and the slots are tried anew.
            if (known.header.store, known.header.generation) == (header.store, header.generation) {
                root = Some(Arc::clone(&known.root));
            }
        }
        let root = match root {
            Some(root) => root,
            None => Arc::new(self.open_slot(&header.slots, ask)?),
        };
        if !root.verify(&header.proof, &header.context()) {
            return Err(Error::tampered(RecordName::Header, Finding::DoesNotOpen));
        }
        let unlocked = Arc::new(Unlocked::new(bytes, header, root));
        *slot = Some(Arc::clone(&unlocked));
        Ok(unlocked)
    }

    fn open_slot(&self, slots: &[Slot], ask: Ask) -> Result<RootKey, Error> {
        let locked = |reason| Error::Locked {
            reason,
            slots: slots.iter().map(SlotInfo::of).collect(),
        };
        let identities = self.keys.identities(ask).map_err(locked)?;
        let opened = identities.iter().find_map(|identity| {
            slots
                .iter()
                .find_map(|slot| RootKey::unwrap(&slot.wrapped, &identity.0))
        });
        opened.ok_or_else(|| {
            let recipients: Vec<_> = identities.iter().map(Identity::recipient).collect();
            if slots
                .iter()
                .any(|slot| recipients.contains(&slot.recipient))
            {
                return Error::tampered(RecordName::Header, Finding::DoesNotOpen);
            }
            locked(KeyError::Wrong { recipients })
        })
    }
}

/// One way to open a store, as its header names it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlotInfo {
    /// Whose it is: for the first slot, the name of the machine it was made on.
    pub label: String,
    /// The age recipient whose identity opens it.
    pub recipient: String,
    /// When it was made.
    pub created: Timestamp,
}

impl SlotInfo {
    pub(super) fn of(slot: &Slot) -> Self {
        Self {
            label: slot.label.clone(),
            recipient: slot.recipient.clone(),
            created: slot.created,
        }
    }
}
