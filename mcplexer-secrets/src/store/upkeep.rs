//! Looking after a store: that every value opens, and that nothing is left of what was deleted.

use std::cell::RefCell;

use super::audited::Subject;
use super::rekey::{Contents, Progress};
use super::sealed_store::Store;
use crate::Error;
use crate::audit::{AuditOperation, AuditOutcome};
use crate::backend::{BackendError, BackendErrorKind, Commit, Replacement, Table};
use crate::keys::Ask;

/// What a check has found in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// The generation that the store is at.
    pub generation: u64,
    /// How many scopes were opened.
    pub scopes: u64,
    /// How many secrets were opened.
    pub secrets: u64,
}

impl Store {
    /// Checks everything there is to check: what the backend keeps in order, that every record is
    /// vouched for, and that every value opens. Gives what is wrong to `found`, at most one thing a
    /// scope, and goes on. `None` if there is no store. No value is given out, so nothing is
    /// recorded.
    ///
    /// # Errors
    /// If the store cannot be opened at all.
    pub fn check(
        &self,
        found: &mut dyn FnMut(Error),
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Option<CheckReport>, Error> {
        let both = RefCell::new((found, progress));
        self.snapshot(|snapshot| {
            let unlocked = self.unlock(snapshot, Ask::Allowed)?;
            let (found, progress) = &mut *both.borrow_mut();
            if let Err(error) = self.backend.check() {
                found(error.into());
            }
            let header = &unlocked.header;
            let contents = Contents::of_what_opens(snapshot, &unlocked, found)?;
            let secrets = contents.check(snapshot, header, found, progress);
            Ok(CheckReport {
                generation: header.generation,
                scopes: contents.scopes.len() as u64,
                secrets,
            })
        })
    }

    /// Writes the store's records into a new file, and puts that in the place of the old one, so
    /// that nothing is left of what was deleted or replaced. Needs no key. In a backend that is no
    /// file, as far as the backend can.
    ///
    /// # Errors
    /// If there is no store, or it cannot be written; then it is as it was.
    pub fn compact(&self) -> Result<(), Error> {
        let subject = Subject::store(AuditOperation::Compact);
        self.recorded(subject, || {
            let Replacement { old, mut new } = self.backend.replace()?;
            let old = old.ok_or(Error::NoStore)?;
            for table in Table::ALL {
                let mut copied = Ok(());
                old.scan(table, b"", &mut |key, record| {
                    if copied.is_ok() {
                        copied = new.put(table, key, record);
                    }
                })?;
                copied?;
            }
            drop(old);
            self.record(subject, AuditOutcome::Ok)?;
            match new.commit()? {
                Commit::Applied => Ok(()),
                Commit::Conflict => {
                    let message = "somebody else has changed the store meanwhile";
                    Err(BackendError::new(BackendErrorKind::Busy, message).into())
                }
            }
        })
    }
}
