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
    vault.peek(|reader| {
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
