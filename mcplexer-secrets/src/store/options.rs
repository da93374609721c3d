//! How a store is opened.

use std::time::Duration;

/// Longer than anybody waits. An instant that is much later cannot be told.
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How long a store waits for others, and how much it keeps in memory.
///
/// [`Store::open_with`](crate::Store::open_with) takes them. A backend takes them by itself as well, such as
/// [`RedbBackend::with_options`](crate::backend::RedbBackend::with_options): each uses what it has.
///
/// ```no_run
/// use std::time::Duration;
///
/// use mcplexer_secrets::keys::FileKeys;
/// use mcplexer_secrets::{Store, StoreOptions};
///
/// # fn main() -> Result<(), mcplexer_secrets::Error> {
/// let options = StoreOptions::default()
///     .with_patience(Duration::from_secs(2))
///     .with_page_cache(16 << 20);
/// let keys = FileKeys::new("/srv/app/age.key");
/// let store = Store::open_with("/srv/app/secrets.redb", keys, &options)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    patience: Duration,
    open_scopes: usize,
    page_cache: usize,
}

impl Default for StoreOptions {
    /// 30 seconds of patience, 256 open scopes, and a page cache of 1 GiB.
    fn default() -> Self {
        Self {
            patience: mcplexer_durable::PATIENCE,
            open_scopes: 256,
            page_cache: 1 << 30,
        }
    }
}

impl StoreOptions {
    /// Sets how long an operation waits for other writers, or for a server that does not answer, before it fails with
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy). The default is 30 seconds. More than a year counts as a year.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience.min(A_YEAR);
        self
    }

    /// Sets how many scopes are kept open, with their keys: each takes some kilobytes, and saves decrypting its key
    /// again. The default is 256. With 0, each operation opens its scope again.
    #[must_use]
    pub fn with_open_scopes(mut self, count: usize) -> Self {
        self.open_scopes = count;
        self
    }

    /// Sets how many bytes of its file the redb backend keeps in memory at most. They are encrypted. The default is
    /// 1 GiB, which only a store of that size fills. Other backends have no such cache.
    #[must_use]
    pub fn with_page_cache(mut self, bytes: usize) -> Self {
        self.page_cache = bytes;
        self
    }

    /// Returns how long to wait.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Returns how many scopes are kept open.
    #[must_use]
    pub fn open_scopes(&self) -> usize {
        self.open_scopes
    }

    /// Returns how many bytes of its file the redb backend keeps.
    #[must_use]
    pub fn page_cache(&self) -> usize {
        self.page_cache
    }
}
