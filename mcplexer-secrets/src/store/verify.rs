//! Verifying the audit log and a checkpoint against the store.

use std::path::Path;
use std::sync::Arc;

use super::claim::claim_key;
use super::standing::Trust;
use super::unlocked::Unlocked;
use super::vault::Vault;
use crate::Error;
use crate::audit::{self, AuditReport};
use crate::checkpoint::Checkpoint;
use crate::error::{Finding, RecordName};
use crate::seal::Key;

/// Verifies the log at `path`, and compares it and the store with each other, and with a checkpoint. Starts over if
/// another process changes the store meanwhile.
pub(super) fn verify(
    vault: &Vault,
    path: &Path,
    checkpoint: Option<&Checkpoint>,
) -> Result<AuditReport, Error> {
    let verified = vault.peek_even_if_behind(|unlocked| {
        if let Some(checkpoint) = checkpoint {
            compare(unlocked, checkpoint)?;
        }
        let store = unlocked.header.store;
        let trust = Trust::Verified(Arc::clone(unlocked));
        let seen = trust.seen();
        let position = checkpoint.map(|it| &it.position);
        let mut verified = audit::verify(path, Some(store), &seen.sealed(), position)?;
        let compared = seen.compare(path, &verified.view);
        compared.map_err(|finding| trust.contradicted(finding, path))?;
        if !verified.has_checkpoint {
            return Err(trust.contradicted(Finding::LacksCheckpoint, path));
        }
        (verified.report.earlier, verified.report.others) =
            seen.other_logs(path, verified.view.log());
        Ok(verified.report)
    })?;
    if let Some(report) = verified {
        return Ok(report);
    }
    let verified = audit::verify(path, None, &[], None)?;
    match verified.view.last {
        Some(_) => Err(Error::tampered(
            RecordName::AuditLog(path.to_owned()),
            Finding::StoreIsGone,
        )),
        None => Ok(verified.report),
    }
}

/// Compares the store with a checkpoint. Its MAC can be checked with the key that made it.
fn compare(unlocked: &Unlocked, checkpoint: &Checkpoint) -> Result<(), Error> {
    let header = &unlocked.header;
    let forged = |finding| Err(Error::tampered(RecordName::Checkpoint, finding));
    if checkpoint.store != header.store {
        return forged(Finding::OtherStore);
    }
    if let Some(mac) = mac(unlocked, checkpoint)?
        && mac != checkpoint.mac
    {
        return forged(Finding::DoesNotOpen);
    }
    let behind = |finding| Err(Error::tampered(RecordName::Store, finding));
    if header.revision < checkpoint.revision || header.generation < checkpoint.generation {
        return behind(Finding::BehindCheckpoint {
            found: header.revision,
            checkpoint: checkpoint.revision,
        });
    }
    match unlocked.claim() {
        Some((claimant, since)) if *claimant == checkpoint.claimant && since < checkpoint.since => {
            behind(Finding::ClaimIsOlder)
        }
        _ => Ok(()),
    }
}

/// The MAC of a checkpoint; `None` if another key made it, or the root key of another generation.
fn mac(unlocked: &Unlocked, checkpoint: &Checkpoint) -> Result<Option<[u8; 32]>, Error> {
    let context = checkpoint.context();
    match (&unlocked.claimant, &unlocked.opener) {
        (Some(claimant), Some(opener)) if *claimant == checkpoint.claimant => {
            let key = claim_key(&opener.identity, checkpoint.store, checkpoint.since)?;
            let mac = key.map(|key| Key::derive(key.bytes(), &context));
            Ok(mac.transpose()?.map(|mac| *mac.bytes()))
        }
        _ if checkpoint.claimant.is_empty()
            && checkpoint.generation == unlocked.header.generation =>
        {
            unlocked.root.mac(&context).map(Some)
        }
        _ => Ok(None),
    }
}

/// The state of the store and its log as it is now. The log has a line about it, so that it is durable.
pub(super) fn checkpoint(vault: &Vault) -> Result<Checkpoint, Error> {
    let unlocked = vault.peek(|reader| Ok(Arc::clone(&reader.unlocked)))?;
    let unlocked = unlocked.ok_or(Error::NoStore)?;
    let checked = vault
        .recorder
        .check(Trust::Verified(Arc::clone(&unlocked)))?;
    let position = vault.recorder.record_checkpoint(&checked)?;
    let (claimant, since) = match unlocked.claim() {
        Some((claimant, since)) => (claimant.clone(), since),
        None => (String::new(), 0),
    };
    let mut checkpoint = Checkpoint {
        store: unlocked.header.store,
        generation: unlocked.header.generation,
        revision: unlocked.header.revision,
        position: position.ok_or(Error::NoStore)?,
        claimant,
        since,
        mac: [0; 32],
    };
    checkpoint.mac = mac(&unlocked, &checkpoint)?.ok_or(Error::NoStore)?;
    Ok(checkpoint)
}
