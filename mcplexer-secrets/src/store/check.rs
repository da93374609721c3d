//! Checking that everything in the store opens.

use std::cell::RefCell;

use super::contents::{Contents, Progress};
use super::vault::Vault;
use crate::Error;

/// What a check found in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// The store's generation.
    pub generation: u64,
    /// How many scopes were opened.
    pub scopes: u64,
    /// How many secrets were opened.
    pub secrets: u64,
}

/// Checks the backend, and opens every scope and every value. Passes each problem to `found`, and
/// goes on. No value is given out, so nothing is recorded.
pub(super) fn check(
    vault: &Vault,
    found: &mut dyn FnMut(Error),
    progress: &mut dyn FnMut(Progress),
) -> Result<Option<CheckReport>, Error> {
    let both = RefCell::new((found, progress));
    vault.peek_even_if_lost(|reader| {
        let (found, progress) = &mut *both.borrow_mut();
        if let Err(error) = vault.backend.check() {
            found(error.into());
        }
        let contents = Contents::open_what_opens(reader, found)?;
        let secrets = contents.check_values(found, progress);
        Ok(CheckReport {
            generation: reader.header().generation,
            scopes: contents.scopes.len() as u64,
            secrets,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Table;
    use crate::record;
    use crate::store::fixture::{filled, id, name, vault};

    #[test]
    fn what_opens_is_counted_and_what_does_not_is_found() {
        let store = filled();
        let checked = |store: &Vault| {
            let mut found = Vec::new();
            let report = check(store, &mut |error| found.push(error), &mut |_| ());
            (report.unwrap(), found.len())
        };
        let report = CheckReport {
            generation: 1,
            scopes: 2,
            secrets: 2,
        };
        assert_eq!(checked(&store), (Some(report), 0));
        let mut transaction = store.backend.write().unwrap();
        let key = record::secret_key(&id("s"), &name("L"));
        transaction.delete(Table::Secrets, &key).unwrap();
        let _applied = transaction.commit().unwrap();
        let report = CheckReport {
            secrets: 1,
            ..report
        };
        assert_eq!(checked(&store), (Some(report), 1));
        assert_eq!(checked(&vault()), (None, 0));
    }
}
