//! Stores to measure.

use std::path::Path;

use mcplexer_secrets::audit::FileAudit;
use mcplexer_secrets::keys::FileKeys;
use mcplexer_secrets::{Error, PutMode, ScopeId, SecretName, SecretStore, SecretValue, Store};
use tempfile::TempDir;

/// A home directory with a filled store, gone when dropped.
#[derive(Debug)]
pub struct Filled {
    directory: TempDir,
}

/// The scope and the secret that is read and written.
///
/// # Errors
/// Never: these are names.
pub fn target() -> Result<(ScopeId, SecretName), Error> {
    Ok(("scope-0".parse()?, "KEY_0".parse()?))
}

/// A value of the length of a token: 40 bytes.
///
/// # Errors
/// Never: it is one.
pub fn value() -> Result<SecretValue, Error> {
    Ok(SecretValue::copy_of(&[b'x'; 40])?)
}

/// Opens the store of a home directory, with its key in a file.
///
/// # Errors
/// If it cannot be opened.
pub fn open(home: &Path) -> Result<Store, Error> {
    let keys = FileKeys::new(home.join("age.key"));
    Store::open(home.join("secrets.redb"), keys)
}

/// Puts `scopes` scopes of `secrets` secrets each.
///
/// # Errors
/// If they cannot be stored.
pub fn fill(store: &Store, scopes: usize, secrets: usize) -> Result<(), Error> {
    let value = value()?;
    for scope in 0..scopes {
        let scope: ScopeId = format!("scope-{scope}").parse()?;
        for secret in 0..secrets {
            let name: SecretName = format!("KEY_{secret}").parse()?;
            store.put(&scope, &name, &value, PutMode::Overwrite)?;
        }
    }
    Ok(())
}

impl Filled {
    /// A store of 10 scopes that holds `secrets` secrets in all, in a file.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new(secrets: usize) -> Result<Self, Error> {
        let directory = tempfile::tempdir().map_err(|source| Error::Io {
            action: "make",
            path: std::env::temp_dir(),
            source,
        })?;
        let filled = Self { directory };
        fill(&filled.open()?, 10, secrets / 10)?;
        Ok(filled)
    }

    /// Opens the store anew.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(&self) -> Result<Store, Error> {
        open(self.directory.path())
    }

    /// An audit log beside the store.
    #[must_use]
    pub fn audit(&self) -> FileAudit {
        FileAudit::new(self.directory.path().join("audit.log"))
    }
}
