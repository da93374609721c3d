//! Who made a backup: MACs over it that only an owner of the store can compute.

use std::sync::Arc;

use super::claim::{claim_key, claimant};
use super::standing::Trust;
use super::unlocked::Unlocked;
use super::vault::Vault;
use crate::Error;
use crate::backup::{Backup, Maker, OwnerMac};
use crate::keys::{Ask, Identity};
use crate::record::{Context, Digest, StoreId};
use crate::seal::Key;

/// Who made a backup, as far as the keys at hand can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackupMaker {
    /// This store.
    ThisStore,
    /// An owner of this store, or a former one: it was made before the owner whose key is at hand last claimed the store,
    /// or the audit log contradicts the store, which may have been put back to a state with a former owner.
    Earlier,
    /// Another store that a key at hand has claimed.
    OwnStore,
    /// Somebody who knows the passphrase that opens the backup.
    Passphrase,
    /// Anybody who knows a recipient. The values in it may be theirs.
    Unknown,
}

/// Computes the MACs over a backup with that digest.
pub(super) fn make(unlocked: &Unlocked, digest: &Digest) -> Result<Maker, Error> {
    let store = unlocked.header.store;
    let context = Context::Backup { store, digest };
    let mut owners = Vec::new();
    for slot in unlocked.slots.iter() {
        if let Some((claim, key)) = unlocked.root().claim_key_of(slot)? {
            owners.push(OwnerMac {
                recipient: slot.recipient.clone(),
                since: claim.since,
                mac: *Key::derive(key.bytes(), &context)?.bytes(),
            });
        }
    }
    Ok(Maker {
        generation: unlocked.header.generation,
        mac: unlocked.root.mac(&context)?,
        owners,
    })
}

/// Finds out who made a backup.
pub(super) fn of(vault: &Vault, backup: &Backup) -> Result<BackupMaker, Error> {
    let (Some(maker), Some(store)) = (&backup.maker, StoreId::parse(&backup.store)) else {
        return Ok(unknown(backup));
    };
    let digest = &backup.digest;
    // A store that does not open says nothing about a backup.
    let unlocked = vault.peek_even_if_lost(|reader| Ok(reader.unlocked.clone()));
    let here = unlocked
        .ok()
        .flatten()
        .filter(|it| it.header.store == store);
    let is_newest = here.as_ref().is_some_and(|unlocked| {
        let trust = Trust::Verified(Arc::clone(unlocked));
        vault.recorder.check(trust).is_ok()
    });
    if let Some(unlocked) = &here
        && unlocked.header.generation == maker.generation
        && unlocked.root.mac(&Context::Backup { store, digest })? == maker.mac
    {
        return Ok(match is_newest {
            true => BackupMaker::ThisStore,
            false => BackupMaker::Earlier,
        });
    }
    let mut identities: Vec<_> = backup.opened_with.iter().cloned().collect();
    identities.extend(vault.keyring.identities(Ask::Never));
    for identity in &identities {
        if let Some(since) = made_by(maker, identity, store, digest)? {
            return Ok(match here.as_ref().map(|it| claimed_since(it, identity)) {
                Some(Some(now)) if now <= since && is_newest => BackupMaker::ThisStore,
                Some(_) => BackupMaker::Earlier,
                None if was_claimed_later(vault, identity, store, since)? => BackupMaker::Earlier,
                None => BackupMaker::OwnStore,
            });
        }
    }
    Ok(unknown(backup))
}

/// The generation in which the owner of this identity last claimed the store; `None` if it has no slot, or no claim.
fn claimed_since(unlocked: &Unlocked, identity: &Identity) -> Option<u64> {
    let name = identity.name();
    let mut slots = unlocked.slots.iter();
    let slot = slots.find(|slot| slot.recipient == name)?;
    slot.claim.as_ref().map(|claim| claim.since)
}

/// Whether the log, which may remember a store that is gone, has recorded a later claim of this identity.
fn was_claimed_later(
    vault: &Vault,
    identity: &Identity,
    store: StoreId,
    since: u64,
) -> Result<bool, Error> {
    let Some(log) = vault.recorder.kept() else {
        return Ok(false);
    };
    let Some(last) = log.view(Some(store), &[])?.last else {
        return Ok(false);
    };
    let is_own = last.claimant.is_some() && last.claimant == claimant(identity, store)?;
    Ok(last.store == store && is_own && last.claimed > Some(since))
}

/// The generation of the claim of this identity with which the backup was made; `None` if it was not.
fn made_by(
    maker: &Maker,
    identity: &Identity,
    store: StoreId,
    digest: &Digest,
) -> Result<Option<u64>, Error> {
    let name = identity.name();
    for owner in maker.owners.iter().filter(|it| it.recipient == name) {
        if let Some(key) = claim_key(identity, store, owner.since)?
            && *Key::derive(key.bytes(), &Context::Backup { store, digest })?.bytes() == owner.mac
        {
            return Ok(Some(owner.since));
        }
    }
    Ok(None)
}

fn unknown(backup: &Backup) -> BackupMaker {
    match backup.opened_with {
        Some(_) => BackupMaker::Unknown,
        None => BackupMaker::Passphrase,
    }
}
