//! Claims: an owner's private key says that it accepted the store and its root key.
//!
//! A claim key is derived from the owner's private key and the store's id, so nobody who only knows the recipient can
//! compute it. The MAC under it covers the root key, so a claim cannot be moved into a store with another root key.
//! The claim key is sealed with the root key: an owner who re-keys the store renews the claims of the others, who need
//! not accept the store again. A former owner knows the claim keys of that time; `since` tells them from later ones.

use crate::Error;
use crate::keys::Identity;
use crate::record::{Claim, Context, Digest, Header, Slot, StoreId};
use crate::seal::{Key, RootKey};

/// A root key in its store and generation.
#[derive(Clone, Copy)]
pub(super) struct Root<'a> {
    pub(super) key: &'a RootKey,
    pub(super) header: &'a Header,
}

impl Root<'_> {
    /// Identifies the root key without revealing it.
    pub(super) fn id(self) -> Result<Digest, Error> {
        let store = self.header.store;
        self.key.mac(&Context::Root { store })
    }

    /// Claims the store for an owner; `None` if the identity's private key is not at hand.
    pub(super) fn claim(
        self,
        identity: &Identity,
        recipient: &str,
    ) -> Result<Option<Claim>, Error> {
        let since = self.header.generation;
        match claim_key(identity, self.header.store, since)? {
            Some(key) => self.claim_with(&key, recipient, since).map(Some),
            None => Ok(None),
        }
    }

    /// Whether the owner of the slot, whose identity this is, has claimed the store; `None` if such an identity cannot
    /// claim one.
    pub(super) fn is_claimed(
        self,
        identity: &Identity,
        slot: &Slot,
    ) -> Result<Option<bool>, Error> {
        let since = slot.claim.as_ref().map_or(0, |claim| claim.since);
        let Some(key) = claim_key(identity, self.header.store, since)? else {
            return Ok(None);
        };
        let mac = self.mac(&key)?;
        Ok(Some(
            slot.claim.as_ref().is_some_and(|claim| claim.mac == mac),
        ))
    }

    /// Renews the claim of an owner who is not at hand, for the root key `next`; `None` if there is no valid one.
    pub(super) fn carry(self, slot: &Slot, next: Root<'_>) -> Result<Option<Claim>, Error> {
        let claimed = self.claim_key_of(slot)?;
        let renewed =
            claimed.map(|(claim, key)| next.claim_with(&key, &slot.recipient, claim.since));
        renewed.transpose()
    }

    /// The claim of an owner, and the claim key that is sealed in it; `None` if there is no valid one.
    pub(super) fn claim_key_of(self, slot: &Slot) -> Result<Option<(&Claim, Key)>, Error> {
        let Some(claim) = &slot.claim else {
            return Ok(None);
        };
        let place = self.place(&slot.recipient, claim.since);
        match Key::open_with(self.key, &place, &claim.key) {
            Some(key) if self.mac(&key)? == claim.mac => Ok(Some((claim, key))),
            _ => Ok(None),
        }
    }

    fn claim_with(self, key: &Key, recipient: &str, since: u64) -> Result<Claim, Error> {
        Ok(Claim {
            since,
            mac: self.mac(key)?,
            key: key.seal_with(self.key, &self.place(recipient, since))?,
        })
    }

    fn mac(self, claim_key: &Key) -> Result<Digest, Error> {
        let (store, root) = (self.header.store, self.id()?);
        let mac = Key::derive(claim_key.bytes(), &Context::Claim { store, root: &root })?;
        Ok(*mac.bytes())
    }

    fn place<'a>(self, recipient: &'a str, since: u64) -> Context<'a> {
        Context::SealedClaimKey {
            store: self.header.store,
            generation: self.header.generation,
            recipient,
            since,
        }
    }
}

/// Tells a private key from others, for the audit log: 8 bytes in hexadecimal, derived like a claim key of generation 0,
/// which no claim has. `None` if the private key is not at hand.
pub(super) fn claimant(identity: &Identity, store: StoreId) -> Result<Option<String>, Error> {
    let key = claim_key(identity, store, 0)?;
    Ok(key.map(|key| {
        let bytes = key.bytes().iter().take(8);
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }))
}

/// Derives the claim key of an owner; `None` if the private key is not at hand.
pub(super) fn claim_key(
    identity: &Identity,
    store: StoreId,
    since: u64,
) -> Result<Option<Key>, Error> {
    let derive = |bytes: &[u8]| Key::derive(bytes, &Context::ClaimKey { store, since });
    identity.private_bytes().map(|it| derive(&it)).transpose()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::audit::{Audit, AuditOperation, FileAudit, KeptLog};
    use crate::backend::{BackendError, Range, Table};
    use crate::keys::{FixedKeys, SlotRef};
    use crate::record::AuditSeal;
    use crate::store::fixture::{change, id, keyed, name, put};
    use crate::store::owners;
    use crate::store::recorder::Subject;
    use crate::store::rotation::{RotateIdentity, rotate};
    use crate::store::vault::Vault;
    use crate::store::{accept, unlocked::Unlocked};

    /// The vault of an owner, without a store yet.
    fn vault_of(identity: &Identity) -> Vault {
        keyed(FixedKeys::new(vec![identity.clone()]))
    }

    /// The same store, as another owner opens it.
    fn opened_by(vault: &Vault, identity: &Identity) -> Vault {
        let mut opened = vault_of(identity);
        opened.backend = Arc::clone(&vault.backend);
        opened
    }

    /// A copy of the store, which an owner opens.
    fn copied_to(vault: &Vault, identity: &Identity) -> Vault {
        let copy = vault_of(identity);
        let from = vault.backend.read().unwrap().unwrap();
        let mut to = copy.backend.write().unwrap();
        for table in Table::ALL {
            let mut records = Vec::new();
            from.try_scan::<BackendError>(Range::all(table), |key, record| {
                records.push((key.to_vec(), record.to_vec()));
                Ok(())
            })
            .unwrap();
            for (key, record) in records {
                to.put(table, &key, &record).unwrap();
            }
        }
        let _applied = to.commit().unwrap();
        drop(from);
        copy
    }

    fn get(vault: &Vault) -> Result<(), Error> {
        let value = vault.peek(|it| it.existing_scope(&id("s"))?.existing_secret(&name("K")));
        value.map(drop)
    }

    fn unlocked(vault: &Vault) -> Arc<Unlocked> {
        let unlocked = vault.peek(|reader| Ok(Arc::clone(&reader.unlocked)));
        unlocked.unwrap().unwrap()
    }

    fn add(vault: &Vault, identity: &Identity, label: &str) {
        let recipient = identity.recipient().unwrap();
        let label = label.parse().unwrap();
        owners::add_recipient(vault, &recipient, Some(&label)).unwrap();
    }

    fn is_not_accepted(result: &Result<(), Error>) -> bool {
        matches!(result, Err(Error::NotAccepted { .. }))
    }

    /// T1: the attacker's own store, which the victim's key opens.
    #[test]
    fn a_store_that_somebody_else_made_is_not_accepted() {
        let (victim, attacker) = (Identity::generate(), Identity::generate());
        let forged = vault_of(&attacker);
        change(&forged, |writer| put(writer, "K", b"forged")).unwrap();
        add(&forged, &victim, "victim");
        let opened = opened_by(&forged, &victim);
        assert!(is_not_accepted(&get(&opened)));
        let changed = change(&opened, |writer| put(writer, "K", b"new"));
        assert!(is_not_accepted(&changed));
        let rotated = rotate(&opened, RotateIdentity::Keep, &mut |_| ());
        assert!(is_not_accepted(&rotated.map(drop)));
        // Nothing was changed by that, and the owner may still accept it.
        get(&forged).unwrap();
        accept::accept(&opened, false).unwrap();
        get(&opened).unwrap();
    }

    /// T1, with what can be copied from the victim's own file: the id of the store, and the claim.
    #[test]
    fn a_claim_is_not_valid_for_another_root_key() {
        let (victim, attacker) = (Identity::generate(), Identity::generate());
        let real = vault_of(&victim);
        change(&real, |writer| put(writer, "K", b"real")).unwrap();
        let known = unlocked(&real);
        let forged = vault_of(&attacker);
        change(&forged, |writer| {
            writer.header_mut().store = known.header.store;
            put(writer, "K", b"forged")
        })
        .unwrap();
        add(&forged, &victim, "victim");
        let claim = known.slots[0].claim.clone();
        change(&forged, |writer| {
            writer.put_claim(&victim.name(), claim.as_ref())
        })
        .unwrap();
        assert_eq!(unlocked(&forged).header.store, known.header.store);
        assert!(is_not_accepted(&get(&opened_by(&forged, &victim))));
    }

    #[test]
    fn a_claim_is_renewed_by_the_rekey_of_another_owner() {
        let (ann, bob) = (Identity::generate(), Identity::generate());
        let anns = vault_of(&ann);
        change(&anns, |writer| put(writer, "K", b"v")).unwrap();
        add(&anns, &bob, "bob");
        // What was never accepted is not renewed.
        rotate(&anns, RotateIdentity::Keep, &mut |_| ()).unwrap();
        let bobs = opened_by(&anns, &bob);
        assert!(is_not_accepted(&get(&bobs)));
        accept::accept(&bobs, false).unwrap();
        for _ in 0..2 {
            rotate(&anns, RotateIdentity::Keep, &mut |_| ()).unwrap();
            get(&opened_by(&anns, &bob)).unwrap();
        }
        let since = |vault: &Vault| {
            unlocked(vault)
                .owner()
                .unwrap()
                .claim
                .clone()
                .unwrap()
                .since
        };
        assert_eq!((since(&anns), since(&bobs)), (1, 2));
        // Once an owner is removed, each of the others claims the store anew with the next change.
        add(&anns, &Identity::generate(), "carol");
        owners::remove(&anns, &SlotRef::new("carol"), false, &mut |_| ()).unwrap();
        get(&bobs).unwrap();
        assert_eq!((since(&anns), since(&bobs)), (5, 2));
        change(&bobs, |writer| put(writer, "K", b"w")).unwrap();
        assert_eq!(since(&bobs), 5);
    }

    #[test]
    fn a_recovery_code_and_a_passphrase_claim_the_store_when_they_are_added() {
        let ann = Identity::generate();
        let vault = vault_of(&ann);
        change(&vault, |writer| put(writer, "K", b"v")).unwrap();
        let code = owners::add_recovery_code(&vault, |_| Ok(())).unwrap();
        get(&opened_by(&vault, &code.identity())).unwrap();
        rotate(&vault, RotateIdentity::Keep, &mut |_| ()).unwrap();
        get(&opened_by(&vault, &code.identity())).unwrap();
    }

    /// T2, by a former owner who can also forge: he knows the root key of his time and the claim keys sealed with it, and
    /// can read her log. Whatever she did last, whichever line he seals, and whatever he calls her.
    #[test]
    fn a_store_made_by_a_former_owner_is_found_by_the_log() {
        for last in 0..3 {
            let directory = tempfile::tempdir().unwrap();
            let log = directory.path().join("audit.log");
            let (ann, bob) = (Identity::generate(), Identity::generate());
            let recorded = |mut vault: Vault| {
                let log = Audit::Log(Box::new(FileAudit::new(&log)));
                vault.recorder = vault.recorder.clone().to(log);
                vault
            };
            let anns = recorded(vault_of(&ann));
            change(&anns, |writer| put(writer, "K", b"v")).unwrap();
            add(&anns, &bob, "bob");
            let bobs = copied_to(&anns, &bob);
            accept::accept(&bobs, false).unwrap();
            owners::remove(&anns, &SlotRef::new("bob"), false, &mut |_| ()).unwrap();
            match last {
                0 => change(&anns, |writer| put(writer, "K", b"w")).unwrap(),
                1 => {
                    let subject = Subject::store(AuditOperation::Get);
                    anns.read(subject, |_| Ok(())).unwrap();
                }
                _ => {
                    let gone = change(&anns, |it| it.delete_secret(&id("s"), &name("X")));
                    gone.unwrap_err();
                }
            }
            for _ in 0..3 {
                rotate(&bobs, RotateIdentity::Keep, &mut |_| ()).unwrap();
            }
            let text = std::fs::read(&log).unwrap();
            let mut offset = 0;
            let view = FileAudit::new(&log).view(None, &[]).unwrap();
            for (number, line) in (1..).zip(text.split_inclusive(|&byte| byte == b'\n')) {
                let seal = AuditSeal {
                    log: view.log().unwrap(),
                    file: "audit.log".to_owned(),
                    owner: String::new(),
                    line: number,
                    offset,
                    hash: crate::audit::hash_of(&line[..line.len() - 1]).unwrap(),
                };
                offset += line.len() as u64;
                for label in ["vm", "another"] {
                    change(&bobs, |writer| {
                        writer.header_mut().revision += 10;
                        writer.put_seal(seal.clone());
                        let mut slots = writer.slots().to_vec();
                        label.clone_into(&mut slots[0].label);
                        writer.put_slots(slots)
                    })
                    .unwrap();
                    std::fs::write(&log, &text).unwrap();
                    let found = get(&recorded(copied_to(&bobs, &ann)));
                    let is_found = matches!(found, Err(Error::Tampered { .. }));
                    assert!(is_found, "{last}, line {number}, {label}: {found:?}");
                }
            }
        }
    }
}
