//! From identities to the root key, and from the root key to an open scope.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use age::secrecy::SecretString;
use zeroize::Zeroizing;

use super::pages::is_listed;
use super::sealed_store::Store;
use crate::backend::{Snapshot, Table};
use crate::error::{Finding, RecordName};
use crate::keys::{About, Ask, Identity, KeyError, KeyErrorKind, PassphraseRequest};
use crate::record::{self, Entry, HEADER_KEY, Header, Holder, Scope, Secret, Slot};
use crate::seal::{self, RootKey, ScopeKey};
use crate::{Error, ScopeId, Timestamp};

/// How many open scopes are kept at hand.
const OPEN_SCOPES: usize = 256;
/// How often the passphrase of a slot may be tried.
const PASSPHRASE_ATTEMPTS: u32 = 3;

/// A header that has been verified, with the root key that did it.
pub(super) struct Unlocked {
    bytes: Vec<u8>,
    pub(super) header: Header,
    pub(super) root: Arc<RootKey>,
    /// What opened it; `None` for a store that is being made.
    pub(super) opener: Option<Opener>,
    /// Scopes opened under this header, with the bytes they were opened from.
    scopes: Mutex<HashMap<ScopeId, CachedScope>>,
}

/// The identity that has opened a slot.
#[derive(Debug, Clone)]
pub(super) struct Opener {
    pub(super) identity: Identity,
    /// The recipient of the slot.
    pub(super) recipient: String,
}

type CachedScope = (Vec<u8>, Arc<OpenScope>);

/// A scope record that has been verified, with its key.
pub(super) struct OpenScope {
    pub(super) record: Scope,
    pub(super) key: ScopeKey,
}

impl OpenScope {
    /// Opens a value of this scope.
    pub(super) fn open_secret(
        &self,
        header: &Header,
        scope: &ScopeId,
        entry: &Entry,
        secret: &Secret,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let context = entry.context(header, scope);
        self.key.open(&secret.sealed, &context).ok_or_else(|| {
            let record = RecordName::Secret(scope.clone(), entry.name.clone());
            Error::tampered(record, Finding::DoesNotOpen)
        })
    }
}

impl Unlocked {
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
        let mut opened = None;
        if let Some(known) = slot.as_ref() {
            if known.bytes == bytes {
                return Ok(Arc::clone(known));
            }
            // A scope came or went: the same root key vouches for the new list. After a re-key by
            // somebody else the generation differs, and the slots are tried anew.
            if (known.header.store, known.header.generation) == (header.store, header.generation) {
                opened = Some((Arc::clone(&known.root), known.opener.clone()));
            }
        }
        let (root, opener) = match opened {
            Some(opened) => opened,
            None => {
                let before = slot.as_ref().and_then(|known| known.opener.as_ref());
                let (root, opener) = self.open_slot(&header.slots, ask, before)?;
                (Arc::new(root), Some(opener))
            }
        };
        let unlocked = Arc::new(verified(bytes, header, root, opener)?);
        *slot = Some(Arc::clone(&unlocked));
        Ok(unlocked)
    }

    /// Opens a slot with an identity at hand, or else with the passphrase of a slot. The identity
    /// of such a slot is the same after a re-key: `before` spares asking again.
    fn open_slot(
        &self,
        slots: &[Slot],
        ask: Ask,
        before: Option<&Opener>,
    ) -> Result<(RootKey, Opener), Error> {
        let reason = match self.keys.identities(ask) {
            Ok(identities) => match try_identities(slots, &identities, ask)? {
                Ok(opened) => return Ok(opened),
                Err(reason) => reason,
            },
            Err(reason) => reason,
        };
        if reason.kind() == KeyErrorKind::Absent {
            if let Some(before) = before
                && let Ok(Ok(opened)) =
                    try_identities(slots, std::slice::from_ref(&before.identity), Ask::Never)
            {
                return Ok(opened);
            }
            if ask == Ask::Allowed
                && let Some(opened) = self.ask_for_passphrase(slots)
            {
                return Ok(opened);
            }
        }
        Err(Error::Locked {
            reason,
            slots: slots.iter().map(SlotInfo::of).collect(),
        })
    }

    /// Asks for the passphrase of any slot that has one, again while it is wrong; `None` if no
    /// slot has one, or nobody knows it.
    fn ask_for_passphrase(&self, slots: &[Slot]) -> Option<(RootKey, Opener)> {
        let sealed = |slot: &Slot| match &slot.holder {
            Holder::Passphrase(sealed) => Some(sealed.clone()),
            Holder::Key | Holder::Recovery => None,
        };
        let by_passphrase: Vec<_> = slots
            .iter()
            .filter_map(|slot| Some((slot, sealed(slot)?)))
            .collect();
        let labels: Vec<_> = by_passphrase
            .iter()
            .map(|(slot, _)| slot.label.as_str())
            .collect();
        if labels.is_empty() {
            return None;
        }
        let labels = labels.join(", ");
        (0..PASSPHRASE_ATTEMPTS).find_map(|attempt| {
            let request = PassphraseRequest {
                about: About::Slot(&labels),
                retry: attempt > 0,
            };
            let answer = self.keys.prompter()?.passphrase(&request)?;
            let passphrase = SecretString::from(str::from_utf8(answer.expose()).ok()?.to_owned());
            by_passphrase.iter().find_map(|(slot, sealed)| {
                let identity = seal::decrypt_identity(sealed, &passphrase)?;
                let root = RootKey::unwrap(&slot.wrapped, &identity).ok()??;
                let recipient = slot.recipient.clone();
                Some((
                    root,
                    Opener {
                        identity,
                        recipient,
                    },
                ))
            })
        })
    }
}

/// What a header is once its root key has verified it.
pub(super) fn verified(
    bytes: Vec<u8>,
    header: Header,
    root: Arc<RootKey>,
    opener: Option<Opener>,
) -> Result<Unlocked, Error> {
    if root.verify(&header.proof, &header.context()) {
        Ok(Unlocked::new(bytes, header, root, opener))
    } else {
        Err(Error::tampered(RecordName::Header, Finding::DoesNotOpen))
    }
}

/// Tries each identity on each slot, those first that take neither a program nor a person. The
/// inner error is that none opens any.
pub(super) fn try_identities(
    slots: &[Slot],
    identities: &[Identity],
    ask: Ask,
) -> Result<Result<(RootKey, Opener), KeyError>, Error> {
    let mut failure = None;
    for plugins in [false, true] {
        if plugins && ask == Ask::Never {
            break;
        }
        let of_this_kind = identities.iter().filter(|it| it.is_plugin() == plugins);
        for identity in of_this_kind {
            for slot in slots
                .iter()
                .filter(|slot| identity.may_open(&slot.recipient))
            {
                match RootKey::unwrap(&slot.wrapped, identity) {
                    Ok(Some(root)) => {
                        let opener = Opener {
                            identity: identity.clone(),
                            recipient: slot.recipient.clone(),
                        };
                        return Ok(Ok((root, opener)));
                    }
                    Ok(None) => {}
                    Err(reason) => failure = failure.or(Some(reason)),
                }
            }
        }
    }
    if let Some(failure) = failure {
        return Ok(Err(failure));
    }
    // A plugin may have reasons of its own.
    let fits = |slot: &Slot| {
        let mut own = identities.iter().filter(|it| !it.is_plugin());
        own.any(|identity| identity.name() == slot.recipient)
    };
    if slots.iter().any(fits) {
        return Err(Error::tampered(RecordName::Header, Finding::DoesNotOpen));
    }
    let recipients = identities.iter().map(Identity::name).collect();
    Ok(Err(KeyError::Wrong { recipients }))
}

/// One way to open a store, as its header names it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlotInfo {
    /// Whose it is: for the first slot, the name of the machine it was made on.
    pub label: String,
    /// The recipient whose identity opens it: `age1…`, `ssh-ed25519 …`, `ssh-rsa …`.
    pub recipient: String,
    /// When it was made.
    pub created: Timestamp,
    /// Who has that identity.
    pub kind: SlotKind,
}

/// Who has the identity that opens a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlotKind {
    /// Somebody, in a key file, an SSH key or a plugin.
    Key,
    /// Whoever knows the slot's passphrase.
    Passphrase,
    /// Whoever has the recovery code.
    Recovery,
}

impl SlotInfo {
    pub(super) fn of(slot: &Slot) -> Self {
        Self {
            label: slot.label.clone(),
            recipient: slot.recipient.clone(),
            created: slot.created,
            kind: match slot.holder {
                Holder::Key => SlotKind::Key,
                Holder::Passphrase(_) => SlotKind::Passphrase,
                Holder::Recovery => SlotKind::Recovery,
            },
        }
    }
}
