//! An opened home: the store with its keys and its audit log.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mcplexer_secrets::audit::{Chained, FileAudit, StderrAudit};
use mcplexer_secrets::backend::{Backend, CachedBackend};
use mcplexer_secrets::keys::{
    Ask, FileKeys, Identity, KeyProvider, PassphraseRequest, Pins, Prompter,
};
use mcplexer_secrets::{Error as StoreError, SecretValue, Store, StoreOptions};
use serde::Serialize;

use crate::env_keys::EnvKeys;
use crate::error::{EnvironmentError, Error};
use crate::exposed::Exposed;
use crate::home::{AuditTarget, Home, KeySource};
use crate::place::StorePlace;

/// An open store and what belongs to it.
pub struct OpenHome {
    home: Home,
    backend: Arc<dyn Backend>,
    cache: Option<Arc<CachedBackend>>,
    store: Store,
    keys: Arc<dyn KeyProvider>,
    file_keys: Option<Arc<FileKeys>>,
    person: Person,
    /// A log outside the home directory that did not exist at first.
    new_log: Option<PathBuf>,
}

/// Something that was created because it did not exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", content = "path", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Created {
    /// A key file.
    Key(PathBuf),
    /// A store.
    Store(StorePlace),
    /// An audit log that the environment names.
    Log(PathBuf),
}

impl OpenHome {
    /// Opens the store of a home. `person` is asked for passphrases.
    ///
    /// Nothing is created yet: the first secret creates the store, and its key if that is missing.
    ///
    /// # Errors
    /// - [`Error::Exposed`] if other users could change the home, the store, the log, the key or a
    ///   directory above one of them. Nothing has been read then.
    /// - [`Error::Store`] if the file is not a store.
    /// - [`Error::Environment`] if the directory of the audit log or the user's home does not exist, or if the log or the key is
    ///   another file of the home.
    pub fn open(home: Home, person: impl Prompter + 'static) -> Result<Self, Error> {
        home.check_user_home()?;
        // One file for two purposes would wait for itself, or be written over.
        home.check_places()?;
        let exposed = Exposed::refused_in(&home);
        if !exposed.is_empty() {
            return Err(Error::Exposed(exposed));
        }
        let person = Person(Arc::new(person));
        let (keys, file_keys): (Arc<dyn KeyProvider>, _) = match home.key() {
            KeySource::File(path) => {
                let keys = Arc::new(FileKeys::new(path).with_prompter(person.clone()));
                (Arc::clone(&keys) as Arc<dyn KeyProvider>, Some(keys))
            }
            KeySource::Environment(variable) => (Arc::new(EnvKeys::new(variable)), None),
        };
        let options = StoreOptions::default();
        let backend = home.store().backend(&options).map_err(StoreError::from)?;
        let (backend, cache) = home.cached(backend)?;
        let store = Store::with_backend(Arc::clone(&backend), Arc::clone(&keys))?;
        let mut store = store.with_pins(Pins::new(home.pins()));
        let mut new_log = None;
        match home.audit() {
            AuditTarget::Home => {
                store = store.with_audit_log(FileAudit::new(home.audit_log()));
            }
            AuditTarget::File(path) => {
                check_log(path)?;
                new_log = (!path.exists()).then(|| path.clone());
                store = store.with_audit_log(FileAudit::new(path));
            }
            AuditTarget::Stderr => {
                let chained = Chained::new(StderrAudit::new()).map_err(StoreError::from)?;
                store = store.with_audit(chained);
            }
            AuditTarget::Off => {}
        }
        Ok(Self {
            home,
            backend,
            cache,
            store,
            keys,
            file_keys,
            person,
            new_log,
        })
    }

    /// Returns the places of this home.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Returns whether there is a store, also where one was lost: if it cannot be read, there is.
    #[must_use]
    pub fn has_store(&self) -> bool {
        match self.home.store() {
            StorePlace::File(path) => path.exists(),
            StorePlace::Server(_) => !matches!(self.backend.read(), Ok(None)),
        }
    }

    /// Returns a number that each change of the store increases; `None` if its place does not tell, or not now.
    #[must_use]
    pub fn revision(&self) -> Option<u64> {
        self.backend.revision().ok().flatten()
    }

    /// Returns the store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the copy of a store on a server; `None` if none is kept.
    #[must_use]
    pub fn cache(&self) -> Option<&CachedBackend> {
        self.cache.as_deref()
    }

    /// Returns the provider of the keys.
    #[must_use]
    pub fn keys(&self) -> &Arc<dyn KeyProvider> {
        &self.keys
    }

    /// Returns a provider for the identities in another key file. It asks the same person.
    #[must_use]
    pub fn keys_in(&self, path: &Path) -> FileKeys {
        FileKeys::new(path).with_prompter(self.person.clone())
    }

    /// Returns the identities that may open the store.
    ///
    /// # Errors
    /// [`StoreError::Key`] if there are none.
    pub fn identities(&self) -> Result<Vec<Identity>, StoreError> {
        Ok(self.keys.identities(Ask::Allowed)?)
    }

    /// Returns the path of the audit log.
    ///
    /// # Errors
    /// [`EnvironmentError::NoAuditFile`] if the log is not kept in a file.
    pub fn audit_log(&self) -> Result<PathBuf, EnvironmentError> {
        match self.home.audit() {
            AuditTarget::Home => Ok(self.home.audit_log()),
            AuditTarget::File(path) => Ok(path.clone()),
            AuditTarget::Stderr | AuditTarget::Off => Err(EnvironmentError::NoAuditFile),
        }
    }

    /// Returns the key and the store that have been created since the home was opened. A file with the store goes
    /// without saying beside a new key; a server does not, since its address may be that of another database.
    #[must_use]
    pub fn created(&self) -> Vec<Created> {
        let place = self.home.store();
        let keys = self.file_keys.iter().filter(|keys| keys.created());
        let key = keys.map(|keys| Created::Key(keys.path().to_owned())).next();
        let is_worth_it = key.is_none() || place.file().is_none();
        let store =
            (is_worth_it && self.store.has_created()).then(|| Created::Store(place.clone()));
        key.into_iter().chain(store).collect()
    }

    /// Returns the audit log that has been created since the home was opened, if the environment
    /// names it: a typing error should not go unnoticed.
    #[must_use]
    pub fn created_log(&self) -> Option<Created> {
        let log = self.new_log.as_ref().filter(|log| log.exists());
        log.cloned().map(Created::Log)
    }
}

impl fmt::Debug for OpenHome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenHome")
            .field("home", &self.home)
            .finish_non_exhaustive()
    }
}

/// The log must be in a directory that exists: a mistyped one should not be created.
fn check_log(log: &Path) -> Result<(), EnvironmentError> {
    match log.parent() {
        Some(directory) if !directory.as_os_str().is_empty() && !directory.exists() => {
            Err(EnvironmentError::NoAuditDirectory {
                log: log.to_owned(),
                directory: directory.to_owned(),
            })
        }
        _ => Ok(()),
    }
}

/// The person to ask, shared by the key files of one home.
#[derive(Clone)]
struct Person(Arc<dyn Prompter>);

impl Prompter for Person {
    fn passphrase(&self, request: &PassphraseRequest<'_>) -> Option<SecretValue> {
        self.0.passphrase(request)
    }

    fn answered(&self) {
        self.0.answered();
    }

    fn tell(&self, message: &str) {
        self.0.tell(message);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use mcplexer_secrets::{NewScope, PutMode, SecretStore};
    use tempfile::TempDir;

    use super::*;

    /// A home in a directory of its own, to which nobody else can write.
    pub(crate) fn home(directory: &TempDir, audit: &str) -> Home {
        let mode = Permissions::from_mode(0o700);
        fs::set_permissions(directory.path(), mode).unwrap();
        let read = |name: &str| match name {
            "MCPLEXER_HOME" => Some(directory.path().join("home").into()),
            "MCPLEXER_AUDIT" => Some(audit.into()),
            _ => None,
        };
        Home::from_variables(read).unwrap()
    }

    pub(crate) fn opened(directory: &TempDir) -> OpenHome {
        let nobody = |_: &PassphraseRequest<'_>| None;
        OpenHome::open(home(directory, ""), nobody).unwrap()
    }

    pub(crate) fn put(open: &OpenHome, scope: &str, name: &str, value: &str) {
        let value = SecretValue::new(value.into()).unwrap();
        let (scope, name) = (NewScope::env(scope.parse().unwrap()), name.parse().unwrap());
        let mode = PutMode::Overwrite;
        open.store().put(&scope, &name, &value, mode).unwrap();
    }

    #[test]
    fn what_the_first_secret_creates_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let open = opened(&directory);
        assert_eq!(open.created(), []);
        put(&open, "web", "A", "v");
        let key = directory.path().join("home/age.key");
        assert_eq!(open.created(), [Created::Key(key)]);

        fs::remove_file(open.home().store().file().unwrap()).unwrap();
        fs::remove_file(open.home().audit_log()).unwrap();
        let open = opened(&directory);
        put(&open, "web", "A", "v");
        let store = Created::Store(open.home().store().clone());
        assert_eq!(open.created(), [store]);
        assert_eq!(open.created_log(), None, "it belongs to the home");
    }

    #[test]
    fn a_log_needs_a_directory() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("none/log");
        let nobody = |_: &PassphraseRequest<'_>| None;
        let refused = OpenHome::open(home(&directory, log.to_str().unwrap()), nobody);
        assert!(matches!(
            refused,
            Err(Error::Environment(
                EnvironmentError::NoAuditDirectory { .. }
            ))
        ));
        let off = OpenHome::open(home(&directory, "off"), nobody).unwrap();
        assert_eq!(off.audit_log(), Err(EnvironmentError::NoAuditFile));
    }
}
