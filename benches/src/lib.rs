//! Stores to measure.

use std::path::Path;

use mcplexer_secrets::audit::FileAudit;
use mcplexer_secrets::keys::FileKeys;
use mcplexer_secrets::{
    Error, NewScope, OnConflict, PutMode, ScopeId, SecretName, SecretStore, SecretValue, Store,
};
use tempfile::TempDir;

/// A home directory with a filled store, deleted when dropped.
#[derive(Debug)]
pub struct Filled {
    directory: TempDir,
}

/// Returns the scope and the secret to read and write.
///
/// # Errors
/// Never: both names are valid.
pub fn target() -> Result<(ScopeId, SecretName), Error> {
    Ok(("scope-0".parse()?, "KEY_0".parse()?))
}

/// Returns a value of the length of a token, 40 bytes.
///
/// # Errors
/// Never: the value is valid.
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

/// Stores `scopes` scopes of `secrets` secrets each, one commit a scope.
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

/// Creates `scopes` empty scopes in one commit.
///
/// # Errors
/// If they cannot be stored.
pub fn create_scopes(store: &Store, scopes: usize) -> Result<(), Error> {
    let scope = |at: usize| Ok(NewScope::env(format!("scope-{at}").parse()?));
    let scopes = (0..scopes).map(scope).collect::<Result<Vec<_>, Error>>()?;
    store.apply_scopes(&scopes, &[]).map(drop)
}

/// Returns the number of scopes for a number of secrets: 10 to 1,000 secrets a scope.
#[must_use]
pub fn scopes(secrets: usize) -> usize {
    (secrets / 1000).max(10)
}

impl Filled {
    /// Creates a store in a file, with `secrets` secrets in all.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn new(secrets: usize) -> Result<Self, Error> {
        let filled = Self::empty()?;
        let scopes = scopes(secrets);
        fill(&filled.open()?, scopes, secrets / scopes)?;
        Ok(filled)
    }

    /// Creates a store in a file, with this many scopes and one secret.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn with_scopes(scopes: usize) -> Result<Self, Error> {
        let filled = Self::empty()?;
        let store = filled.open()?;
        create_scopes(&store, scopes)?;
        let (scope, name) = target()?;
        let scope = NewScope::env(scope);
        store.put(&scope, &name, &value()?, PutMode::Overwrite)?;
        Ok(filled)
    }

    fn empty() -> Result<Self, Error> {
        let directory = tempfile::tempdir().map_err(|source| Error::Io {
            action: "make",
            path: std::env::temp_dir(),
            source,
        })?;
        Ok(Self { directory })
    }

    /// Opens the store again.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(&self) -> Result<Store, Error> {
        open(self.directory.path())
    }

    /// Returns an audit log beside the store.
    #[must_use]
    pub fn audit(&self) -> FileAudit {
        FileAudit::new(self.directory.path().join("audit.log"))
    }
}
