//! What an interrupted re-key has left, and whether to go on with it.
//!
//! Anyone who can write to the storage can put anything in its place, and encrypt a root key to any owner. The owner who
//! is being removed even knows the present root key, and every claim key with it. So what the present state vouches for
//! is not enough. A beginning counts only if one of the next owners vouches for its root key, by a MAC that nobody can
//! compute but that owner and the one who goes on.
//!
//! The MAC also covers the header that is replaced, and all of the next owners. A root key is never encrypted to anyone
//! else: otherwise an owner who goes on for more of them would give it to one whom the next re-key removes.

use super::claim::Root;
use super::keyring::recipient_of;
use super::unlocked::Unlocked;
use crate::Error;
use crate::backend::{Snapshot, Table};
use crate::error::RecordName;
use crate::keys::{Identity, Recipient};
use crate::record::{self, BEGINNING_KEY, Beginning, Context, Digest, Header, Heir, Slot};
use crate::seal::{Key, RootKey};

/// Reads what a re-key has left, for which nobody vouches yet; `None` if there is nothing of that form.
pub(super) fn read(successor: &dyn Snapshot) -> Result<Option<Beginning>, Error> {
    let bytes = successor.get(Table::Meta, BEGINNING_KEY)?;
    let unknown = || RecordName::Unknown(Table::Meta.name());
    Ok(bytes.and_then(|bytes| record::decode(&bytes, unknown).ok()))
}

/// Who will own the store, and who of them re-keys it.
pub(super) struct Heirs<'a> {
    /// Of the header that is replaced.
    of: Digest,
    /// The header of the next state.
    header: Header,
    /// Their recipients, sorted.
    recipients: Vec<&'a str>,
    /// Those whose identities are at hand, with their recipients. The first one vouches.
    at_hand: Vec<(&'a Identity, Recipient)>,
}

impl<'a> Heirs<'a> {
    /// The owners of these slots. `new` is an identity that gets a slot for the first time.
    pub(super) fn of(
        old: &'a Unlocked,
        next: &Header,
        new: Option<&'a Identity>,
        slots: &'a [Slot],
    ) -> Result<Self, Error> {
        let mut recipients: Vec<_> = slots.iter().map(|slot| &*slot.recipient).collect();
        recipients.sort_unstable();
        let new = new.map(|it| (it, it.name()));
        let own = old.opener.as_ref();
        let own = own.map(|it| (&it.identity, it.recipient.clone()));
        let mut at_hand = Vec::new();
        for (identity, name) in new.into_iter().chain(own) {
            let slot = slots.iter().find(|slot| slot.recipient == name);
            if let Some(slot) = slot
                && identity.private_bytes().is_some()
            {
                at_hand.push((identity, recipient_of(slot)?));
            }
        }
        Ok(Self {
            of: old.digest(),
            header: next.clone(),
            recipients,
            at_hand,
        })
    }

    /// Reads what a re-key for the same owners has left, and the root key of that; `None` if there is nothing that one of
    /// them certainly made, from the same state.
    pub(super) fn find(
        &self,
        successor: &dyn Snapshot,
    ) -> Result<Option<(Beginning, RootKey)>, Error> {
        let Some(found) = read(successor)? else {
            return Ok(None);
        };
        let root = self.root_of(&found)?;
        let is_proven = |root: &RootKey| {
            let said = root.verify(&found.proof, &found.context(&self.header));
            said.is_some_and(|it| it.is_empty())
        };
        Ok(root.filter(is_proven).map(|root| (found, root)))
    }

    /// The root key of a beginning, if an owner vouches for it.
    fn root_of(&self, found: &Beginning) -> Result<Option<RootKey>, Error> {
        let mut recipients: Vec<_> = found.heirs.iter().map(|it| &*it.recipient).collect();
        recipients.sort_unstable();
        let is_of_heir = self.recipients.contains(&&*found.by);
        let Ok(by) = found.by.parse::<Recipient>() else {
            return Ok(None);
        };
        if found.of != self.of || recipients != self.recipients || !is_of_heir {
            return Ok(None);
        }
        for (identity, own) in &self.at_hand {
            let own = own.to_string();
            let heir = found.heirs.iter().find(|it| it.recipient == own);
            let (Some(heir), Some(pair)) = (heir, self.pair(identity, &by, (&found.by, &own))?)
            else {
                continue;
            };
            let Ok(Some(root)) = RootKey::unwrap(&heir.wrapped, identity) else {
                continue;
            };
            if heir.mac == Some(self.mac(&pair, &root)?) {
                return Ok(Some(root));
            }
        }
        Ok(None)
    }

    /// Begins: vouches for the root key that was encrypted in these slots. `None` if the owner who re-keys the store has
    /// no private key at hand, or will be an owner no more: then nobody could go on.
    pub(super) fn begin(&self, root: &RootKey, slots: &[Slot]) -> Result<Option<Beginning>, Error> {
        let Some((identity, by)) = self.at_hand.first() else {
            return Ok(None);
        };
        let by = by.to_string();
        let heir = |slot: &Slot| {
            let pair = self.pair(identity, &recipient_of(slot)?, (&by, &slot.recipient))?;
            let mac = pair.map(|pair| self.mac(&pair, root)).transpose()?;
            Ok::<_, Error>(Heir {
                recipient: slot.recipient.clone(),
                wrapped: slot.wrapped.clone(),
                mac,
            })
        };
        let heirs = slots.iter().map(heir).collect::<Result<_, _>>()?;
        Ok(Some(Beginning {
            of: self.of,
            by,
            heirs,
            scopes: 0,
            pages: Vec::new(),
            proof: Vec::new(),
        }))
    }

    /// The key that only the owner who vouches and the one who goes on know. `other` is the one whose identity this is
    /// not.
    fn pair(
        &self,
        identity: &Identity,
        other: &Recipient,
        (by, to): (&str, &str),
    ) -> Result<Option<Key>, Error> {
        let store = self.header.store;
        let shared = identity.secret_shared_with(other);
        let key = shared.map(|shared| Key::derive(&shared, &Context::Pair { store, by, to }));
        key.transpose()
    }

    fn mac(&self, pair: &Key, root: &RootKey) -> Result<Digest, Error> {
        let root = Root {
            key: root,
            header: &self.header,
        };
        let context = Context::Heirs {
            of: &self.of,
            root: &root.id()?,
            heirs: &self.recipients,
        };
        Ok(*Key::derive(pair.bytes(), &context)?.bytes())
    }
}
