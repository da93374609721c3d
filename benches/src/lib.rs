//! Stores to measure.

use std::path::Path;

use mcplexer_secrets::audit::FileAudit;
use mcplexer_secrets::keys::FileKeys;
use mcplexer_secrets::{Error, NewScope, OnConflict, ScopeId, SecretName, SecretValue, Store};
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

/// Puts `scopes` scopes of `secrets` secrets each, each scope in one commit.
///
/// # Errors
/// If they cannot be stored.
pub fn fill(store: &Store, scopes: usize, secrets: usize) -> Result<(), Error> {
    for scope in 0..scopes {
        let scope: ScopeId = format!("scope-{scope}").parse()?;
        let secret = |at: usize| Ok((format!("KEY_{at}").parse::<SecretName>()?, value()?));
        let secrets: Vec<_> = (0..secrets).map(secret).collect::<Result<_, Error>>()?;
        store.import(&NewScope::env(scope), &secrets, OnConflict::Fail)?;
    }
    Ok(())
}

/// How many secrets are in how many scopes: 10 to 1,000 secrets a scope.
#[must_use]
pub fn scopes(secrets: usize) -> usize {
    (secrets / 1000).max(10)
}

impl Filled {
    /// A store that holds `secrets` secrets in all, in a file.
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
        let scopes = scopes(secrets);
        fill(&filled.open()?, scopes, secrets / scopes)?;
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
