//! A test suite for implementations of [`SecretStore`] and [`Backend`].
//!
//! Call one of these functions from a test. It panics, and says what is wrong, if the
//! implementation does not conform.
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

/// Runs every check of a [`SecretStore`], each on a new, empty store from `new`.
///
/// # Panics
/// If a check fails.
pub fn secret_store(new: &dyn Fn() -> Box<dyn SecretStore>) {
    for check in stores::CHECKS {
        check(&*new());
    }
}

/// Runs every check of a [`Backend`], each on a new, empty backend from `new`.
///
/// # Panics
/// If a check fails.
pub fn backend(new: &dyn Fn() -> Box<dyn Backend>) {
    for check in backends::CHECKS {
        check(&*new());
    }
}
