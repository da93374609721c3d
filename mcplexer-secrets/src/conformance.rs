//! Test suites for implementations of [`SecretStore`] and [`Backend`].
//!
//! Call one of these functions from a test. It panics, and says what is wrong, if the
//! implementation does not conform. Each check can also be run alone, by its name.
//!
//! ```
//! use mcplexer_secrets::keys::FixedKeys;
//! use mcplexer_secrets::{Store, conformance};
//!
//! conformance::secret_store(&|| Box::new(Store::in_memory(FixedKeys::generate()).unwrap()));
//! ```

use std::fmt;

use crate::SecretStore;
use crate::backend::Backend;

/// Names each check after its function.
macro_rules! checks {
    ($($check:ident),* $(,)?) => {
        [$(super::Check::new(stringify!($check), $check)),*]
    };
}

mod backends;
mod lost;
mod stores;
mod stores_on_backends;
mod together;

/// Opens handles on one place, which is empty at first: all of them work on the same records.
pub type Handles = dyn Fn() -> Box<dyn Backend>;

/// One check of a suite.
pub struct Check<T: ?Sized> {
    name: &'static str,
    run: fn(&T),
}

impl<T: ?Sized> Check<T> {
    const fn new(name: &'static str, run: fn(&T)) -> Self {
        Self { name, run }
    }

    /// Returns what is checked, as the name of a function.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs the check.
    ///
    /// # Panics
    /// If it fails.
    pub fn run(&self, subject: &T) {
        (self.run)(subject);
    }
}

impl<T: ?Sized> fmt::Debug for Check<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Every check of a [`SecretStore`]. Each needs a new, empty store.
pub const SECRET_STORE: &[Check<dyn SecretStore>] = stores::CHECKS;

/// Every check of a [`Backend`]. Each needs a new, empty place.
pub const BACKEND: &[Check<Handles>] = backends::CHECKS;

/// Every check of a [`Store`](crate::Store) on a [`Backend`]: several programs change it at the same time, and answers
/// are lost. Each needs a new, empty place.
pub const STORE_ON_BACKEND: &[Check<Handles>] = stores_on_backends::CHECKS;

/// Runs every check of a [`SecretStore`], each on a new, empty store from `new`.
///
/// # Panics
/// If a check fails.
pub fn secret_store(new: &dyn Fn() -> Box<dyn SecretStore>) {
    for check in SECRET_STORE {
        check.run(&*new());
    }
}

/// Runs every check of a [`Backend`], and of a [`Store`](crate::Store) on it, each on a new, empty place from `new`.
///
/// # Panics
/// If a check fails.
pub fn backend(new: &dyn Fn() -> Box<Handles>) {
    for check in BACKEND.iter().chain(STORE_ON_BACKEND) {
        check.run(&*new());
    }
}
