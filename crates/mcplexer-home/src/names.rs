//! The names in the store of a home, for completion at the command line.

use std::time::Duration;

use mcplexer_secrets::keys::FixedKeys;
use mcplexer_secrets::{Error as StoreError, ScopeId, SecretName, Store, StoreOptions};

use crate::error::Error;
use crate::exposed::Exposed;
use crate::home::Home;

/// How long to wait for a program that holds the store: somebody waits at a prompt.
const PATIENCE: Duration = Duration::from_millis(200);

/// Reads names from a store without its key. They are not verified.
///
/// Nothing is asked, recorded, created or changed.
#[derive(Debug)]
pub struct Names {
    store: Store,
}

impl Names {
    /// Opens the store of a home, which need not exist.
    ///
    /// # Errors
    /// - [`Error::Exposed`] if other users could change the home.
    /// - [`Error::Store`] if the file is not a store, or another program holds it.
    pub fn of(home: &Home) -> Result<Self, Error> {
        let exposed = Exposed::refused_in(home);
        if !exposed.is_empty() {
            return Err(Error::Exposed(exposed));
        }
        let options = StoreOptions::default().with_patience(PATIENCE);
        let backend = home.store().backend(&options).map_err(StoreError::from)?;
        let no_key = FixedKeys::new(Vec::new());
        let store = Store::with_backend(backend, no_key)?.with_options(&options);
        Ok(Self { store })
    }

    /// Returns the scopes, sorted.
    ///
    /// # Errors
    /// [`Error::Store`] if the store cannot be read.
    pub fn scopes(&self) -> Result<Vec<ScopeId>, Error> {
        Ok(self.store.scope_names()?)
    }

    /// Returns the secrets of a scope, sorted.
    ///
    /// # Errors
    /// [`Error::Store`] if there is no such scope, or the store cannot be read.
    pub fn secrets(&self, scope: &ScopeId) -> Result<Vec<SecretName>, Error> {
        Ok(self.store.secret_names(scope)?)
    }

    /// Returns the labels of the keys that open the store.
    ///
    /// # Errors
    /// [`Error::Store`] if the store cannot be read.
    pub fn owners(&self) -> Result<Vec<String>, Error> {
        let slots = self.store.slots()?.into_iter();
        Ok(slots.map(|it| it.label).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::time::SystemTime;

    use super::*;
    use crate::open::tests::{opened, put};

    /// Every file of a home, with its length and when it was changed.
    fn files(home: &Home) -> Vec<(PathBuf, u64, SystemTime)> {
        let entries = fs::read_dir(home.directory()).unwrap();
        let mut files: Vec<_> = entries
            .map(|it| {
                let it = it.unwrap();
                let metadata = it.metadata().unwrap();
                (it.path(), metadata.len(), metadata.modified().unwrap())
            })
            .collect();
        files.sort();
        files
    }

    #[test]
    fn names_need_no_key_and_leave_no_trace() {
        let directory = tempfile::tempdir().unwrap();
        let open = opened(&directory);
        put(&open, "web", "B", "v");
        put(&open, "web", "A", "v");
        put(&open, "api", "C", "v");
        let home = open.home().clone();
        drop(open);
        fs::remove_file(home.directory().join("age.key")).unwrap();
        let before = files(&home);

        let names = Names::of(&home).unwrap();
        let scopes = names.scopes().unwrap();
        assert_eq!(scopes, ["api", "web"].map(|it| it.parse().unwrap()));
        let secrets = names.secrets(&scopes[1]).unwrap();
        assert_eq!(secrets, ["A", "B"].map(|it| it.parse().unwrap()));
        assert_eq!(names.owners().unwrap().len(), 1);
        assert!(names.secrets(&"none".parse().unwrap()).is_err());
        assert_eq!(files(&home), before);
    }

    #[test]
    fn a_home_without_a_store_has_no_names_and_stays_so() {
        let directory = tempfile::tempdir().unwrap();
        let home = opened(&directory).home().clone();
        let names = Names::of(&home).unwrap();
        assert!(names.scopes().unwrap().is_empty());
        assert!(names.owners().unwrap().is_empty());
        assert!(!home.directory().exists());
    }
}
