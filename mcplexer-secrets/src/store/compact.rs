//! Compacting: the same records in a new file, without what deleted records left behind.

use super::names::Names;
use super::recorder::{OverLoss, Subject};
use super::vault::Vault;
use crate::Error;
use crate::audit::AuditOperation;
use crate::backend::{Range, Replacement, Snapshot, Table, Transaction};

/// Copies every record to a new state and puts that in the place of the old one. Needs no key.
pub(super) fn compact(vault: &Vault) -> Result<(), Error> {
    let subject = Subject::store(AuditOperation::Compact);
    vault.replace(subject, OverLoss::Refuse, || {
        let Replacement { old, mut new } = vault.backend.replace()?;
        let old = old.ok_or(Error::NoStore)?;
        // A re-key may have kept what it had so far.
        new.clear()?;
        for table in Table::ALL {
            copy(table, &*old, &mut *new)?;
        }
        // Without a question: a key is not needed, but one that is at hand checks more.
        let trust = Names::new(&*old, &vault.keyring)?.trust().clone();
        let checked = vault.recorder.check(trust)?;
        drop(old);
        vault.recorder.record(subject, Some(&checked))?;
        vault.require_applied(new.commit()?)
    })
}

fn copy(table: Table, from: &dyn Snapshot, to: &mut dyn Transaction) -> Result<(), Error> {
    from.try_scan(Range::all(table), |key, record| {
        Ok(to.put(table, key, record)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixture::{filled, id, name, vault};

    #[test]
    fn every_record_is_copied_and_nothing_is_compacted_without_a_store() {
        let store = filled();
        compact(&store).unwrap();
        let value = store.peek(|it| it.existing_scope(&id("s"))?.existing_secret(&name("K")));
        assert_eq!(value.unwrap().unwrap().expose(), b"K");
        assert!(matches!(compact(&vault()), Err(Error::NoStore)));
    }
}
