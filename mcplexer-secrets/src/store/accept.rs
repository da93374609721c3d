//! Accepting a store: the owner's key says that it is this owner's, and the owner's log begins with it.

use std::sync::Arc;

use super::keyring::require_accepted;
use super::recorder::Subject;
use super::slots::SlotInfo;
use super::standing::Trust;
use super::vault::Vault;
use super::writer::Writer;
use crate::audit::AuditOperation;
use crate::backend::Snapshot;
use crate::error::Finding;
use crate::keys::Ask;
use crate::{Error, Timestamp};

/// What an owner accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Accepted {
    /// The label of the owner.
    pub label: String,
    /// Who made the owner's key open the store, by the label in the store.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// All who can open the store.
    pub owners: Vec<SlotInfo>,
    /// Why the store was refused before; `None` if it was not.
    pub refused: Option<String>,
}

/// Accepts the store as it is. One that is older than its log says is accepted only if `older` is set.
pub(super) fn accept(vault: &Vault, older: bool) -> Result<Accepted, Error> {
    let subject = Subject::store(AuditOperation::Accept);
    let accepted = change(vault, subject, older);
    accepted.inspect_err(|error| vault.record_failure(subject, error))
}

fn change(vault: &Vault, subject: Subject<'_>, older: bool) -> Result<Accepted, Error> {
    // Unlocking may wait for a passphrase: do it before other writers have to wait.
    let unlock = |snapshot: &dyn Snapshot| vault.keyring.unlock_any(snapshot, Ask::Allowed);
    vault.snapshot(unlock)?.ok_or(Error::NoStore)?;
    let transaction = vault.backend.write()?;
    let unlocked = unlock(&*transaction)?;
    unlocked.require_here()?;
    let (Some(opener), Some(own)) = (&unlocked.opener, unlocked.owner()) else {
        return Err(Error::NoStore);
    };
    let not_accepted = require_accepted(&unlocked).err();
    let trust = Trust::Verified(Arc::clone(&unlocked));
    let contradicted = match vault.recorder.check(trust) {
        Err(error) if !may_be_accepted(&error, older) => return Err(error),
        result => result.err(),
    };
    let not_accepted = not_accepted.map(|_| format!("{} had not accepted it", own.label));
    let contradicted = contradicted.map(|error| error.to_string());
    let accepted = Accepted {
        label: own.label.clone(),
        by: own.wrapped_by.clone(),
        at: own.wrapped_at,
        owners: unlocked.slots.iter().map(SlotInfo::of).collect(),
        refused: not_accepted.or(contradicted),
    };
    let claim = vault
        .keyring
        .accept(unlocked.root(), &opener.identity, &own.recipient)?;
    let recipient = own.recipient.clone();
    let before = vault
        .recorder
        .unchecked(Trust::Verified(Arc::clone(&unlocked)))?;
    let mut writer = Writer::new(transaction, unlocked);
    writer.put_claim(&recipient, claim.as_ref())?;
    writer.set_accepted();
    vault
        .recorder
        .record_change(subject, &before, &mut writer)?;
    let (commit, unlocked) = writer.commit()?;
    vault.require_applied(commit)?;
    vault.recorder.record_committed(Arc::clone(&unlocked));
    vault.keyring.remember(unlocked);
    Ok(accepted)
}

/// Whether the owner may go on although the log contradicts the store: the log is elsewhere, or the store is older, and
/// that is meant. A log that lacks lines, or is another store's, is moved away first, so that none is continued that
/// was tampered with.
fn may_be_accepted(error: &Error, older: bool) -> bool {
    match error {
        Error::Tampered { finding, .. } => match finding {
            Finding::NoLog => true,
            Finding::StoreIsOlder { .. } | Finding::ClaimIsOlder => older,
            _ => false,
        },
        _ => false,
    }
}
