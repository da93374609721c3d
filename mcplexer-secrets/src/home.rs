//! Where a user's store, key and audit log are: one rule for every program.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;
use std::time::Duration;

use crate::Error;
use crate::keys::{EnvKeys, FileKeys, Identity, KeyProvider};

/// A file that was changed since may be in use.
const STILL_WRITTEN: Duration = Duration::from_secs(60);

/// Names the directory of the store.
pub const HOME_VARIABLE: &str = "MCPLEXER_HOME";
/// Names the key file.
pub const KEY_VARIABLE: &str = "MCPLEXER_AGE_KEY";
/// Holds identities inline, as CI systems hand out secrets.
pub const IDENTITY_VARIABLE: &str = "MCPLEXER_AGE_IDENTITY";

/// The directory that holds a user's store, and the places in and around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    directory: PathBuf,
    key: KeySource,
}

/// Where the identities are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// In this file.
    File(PathBuf),
    /// Inline in the environment variable of this name.
    Environment(&'static str),
}

impl Home {
    /// The places that the environment names: `MCPLEXER_HOME`, else `~/.mcplexer`; the key in
    /// `MCPLEXER_AGE_IDENTITY`, in the file `MCPLEXER_AGE_KEY` names, or in `age.key` there. An
    /// empty variable counts as one that is not set.
    ///
    /// # Errors
    /// [`Error::Environment`] if there is no home directory, the key is given twice, or an identity
    /// stands where the name of a file should.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variables(|name| env::var_os(name))
    }

    fn from_variables(read: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        // It would become the name of a file, and of a new one.
        for variable in [HOME_VARIABLE, KEY_VARIABLE] {
            if Identity::is_in(&read(variable).unwrap_or_default().to_string_lossy()) {
                return Err(Error::Environment {
                    variable,
                    problem: "holds an identity; it is to name a place: give the identity in MCPLEXER_AGE_IDENTITY",
                });
            }
        }
        let path = |name| {
            read(name)
                .filter(|value| !value.is_empty())
                .map(|value| absolute(&value).unwrap_or_else(|_| value.into()))
        };
        let directory = match (path(HOME_VARIABLE), path("HOME")) {
            (Some(directory), _) => directory,
            (None, Some(home)) => home.join(".mcplexer"),
            (None, None) => {
                return Err(Error::Environment {
                    variable: "HOME",
                    problem: "is not set, so there is no place for a store; set MCPLEXER_HOME",
                });
            }
        };
        let inline = read(IDENTITY_VARIABLE).is_some_and(|value| !value.is_empty());
        let key = match (inline, path(KEY_VARIABLE)) {
            (true, Some(_)) => {
                return Err(Error::Environment {
                    variable: IDENTITY_VARIABLE,
                    problem: "and MCPLEXER_AGE_KEY are both set; unset one",
                });
            }
            (true, None) => KeySource::Environment(IDENTITY_VARIABLE),
            (false, Some(file)) => KeySource::File(file),
            (false, None) => KeySource::File(directory.join("age.key")),
        };
        Ok(Self { directory, key })
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file of the store.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.directory.join("secrets.redb")
    }

    /// The audit log.
    #[must_use]
    pub fn audit_log(&self) -> PathBuf {
        self.directory.join("audit.log")
    }

    /// The file that names the scopes.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.directory.join("config.yaml")
    }

    /// Files that commands which were killed have left beside the store and the key: they were to
    /// take a place, and never did. One that may still be written, because it was changed within
    /// the last minute, is not told.
    #[must_use]
    pub fn leftovers(&self) -> Vec<PathBuf> {
        let mut places = vec![self.store()];
        if let KeySource::File(key) = &self.key {
            places.push(key.clone());
        }
        let left = |path: &PathBuf| mcplexer_durable::temporaries_beside(path).unwrap_or_default();
        let is_old = |path: &PathBuf| {
            let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
            modified.is_ok_and(|time| time.elapsed().is_ok_and(|since| since > STILL_WRITTEN))
        };
        places.iter().flat_map(left).filter(is_old).collect()
    }

    /// Where the identities are; [`FileKeys`] and [`EnvKeys`] read them.
    #[must_use]
    pub fn key(&self) -> &KeySource {
        &self.key
    }
}

impl KeySource {
    /// A provider for these identities, which asks nobody for a passphrase.
    #[must_use]
    pub fn provider(&self) -> Arc<dyn KeyProvider> {
        match self {
            Self::File(path) => Arc::new(FileKeys::new(path)),
            Self::Environment(variable) => Arc::new(EnvKeys::new(variable)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(variables: &[(&str, &str)]) -> Result<Home, Error> {
        Home::from_variables(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| value.into())
        })
    }

    /// F16: one rule for where the key is.
    #[test]
    fn the_environment_names_every_place() {
        let plain = home(&[("HOME", "/home/ann"), ("MCPLEXER_HOME", "")]).unwrap();
        assert_eq!(plain.store(), Path::new("/home/ann/.mcplexer/secrets.redb"));
        assert_eq!(
            plain.audit_log(),
            Path::new("/home/ann/.mcplexer/audit.log")
        );
        let key = PathBuf::from("/home/ann/.mcplexer/age.key");
        assert_eq!(*plain.key(), KeySource::File(key));

        let moved = [("HOME", "/home/ann"), ("MCPLEXER_HOME", "/srv/m")];
        let named = [moved[1], ("MCPLEXER_AGE_KEY", "/run/k")];
        let inline = [moved[1], ("MCPLEXER_AGE_IDENTITY", "AGE-SECRET-KEY-1X")];
        assert_eq!(home(&moved).unwrap().directory(), Path::new("/srv/m"));
        assert_eq!(
            *home(&named).unwrap().key(),
            KeySource::File("/run/k".into())
        );
        assert_eq!(
            *home(&inline).unwrap().key(),
            KeySource::Environment("MCPLEXER_AGE_IDENTITY")
        );
    }

    #[test]
    fn no_home_and_two_keys_are_errors() {
        assert!(home(&[]).is_err());
        let both = [
            ("MCPLEXER_HOME", "/m"),
            ("MCPLEXER_AGE_KEY", "/k"),
            ("MCPLEXER_AGE_IDENTITY", "AGE-SECRET-KEY-1X"),
        ];
        let error = home(&both).unwrap_err().to_string();
        assert!(
            error.contains("both set") && !error.contains("SECRET"),
            "{error}"
        );
    }
}
