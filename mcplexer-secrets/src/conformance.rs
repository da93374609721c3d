//! What every [`SecretStore`] and every [`Backend`] must do, as plain functions to call from a
//! test. Each takes an empty one and panics, saying what went wrong, if it does not conform.
//!
//! ```
//! use mcplexer_secrets::keys::FixedKeys;
//! use mcplexer_secrets::{Store, conformance};
//!
//! conformance::secret_store(&|| Box::new(Store::in_memory(FixedKeys::generate()).unwrap()));
//! ```

use crate::SecretStore;
use crate::backend::Backend;

mod backends;
mod stores;

/// Runs every check for a [`SecretStore`], each on a new empty store that `new` makes.
///
/// # Panics
/// If a check fails.
pub fn secret_store(new: &dyn Fn() -> Box<dyn SecretStore>) {
    for check in stores::CHECKS {
        check(&*new());
    }
}

/// Runs every check for a [`Backend`], each on a new empty backend that `new` makes.
///
/// # Panics
/// If a check fails.
pub fn backend(new: &dyn Fn() -> Box<dyn Backend>) {
    for check in backends::CHECKS {
        check(&*new());
    }
}
