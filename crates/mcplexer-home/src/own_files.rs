//! The files that make up a home, which no output may replace.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use mcplexer_durable::directory_of;

use crate::error::EnvironmentError;
use crate::home::{AUDIT_VARIABLE, AuditTarget, Home, KEY_VARIABLE, KeySource};

const KEY: &str = "key file";
const LOG: &str = "audit log";
const CONFIGURATION: &str = "configuration";

/// A path that was to be written, and leads to a file of the home.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is the {what} of this home", .path.display())]
#[non_exhaustive]
pub struct OwnFile {
    /// The path as it was given.
    pub path: PathBuf,
    /// What the file is.
    pub what: &'static str,
}

impl OwnFile {
    /// Returns whether it is `config.yaml`.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        self.what == CONFIGURATION
    }
}

impl Home {
    /// Checks that output may go to this path: that it does not lead to the store, a key, a log, the
    /// pins or the configuration, by a link or under another name.
    ///
    /// # Errors
    /// [`OwnFile`] if it does.
    pub fn check_output(&self, path: &Path) -> Result<(), OwnFile> {
        let mut own = self.own_files().into_iter();
        match own.find(|own| is_same_file(&own.path, path)) {
            Some(own) => Err(OwnFile {
                path: path.to_owned(),
                ..own
            }),
            None => Ok(()),
        }
    }

    /// Checks that the key file and the log are not other files of the home as well.
    ///
    /// # Errors
    /// [`EnvironmentError::NotItsOwn`] if one is.
    pub(crate) fn check_places(&self) -> Result<(), EnvironmentError> {
        let log = match self.audit() {
            AuditTarget::File(log) => Some((AUDIT_VARIABLE, log.clone(), LOG)),
            AuditTarget::Home => Some((AUDIT_VARIABLE, self.audit_log(), LOG)),
            AuditTarget::Stderr | AuditTarget::Off => None,
        };
        let key = match self.key() {
            KeySource::File(key) => Some((KEY_VARIABLE, key.clone(), KEY)),
            KeySource::Environment(_) => None,
        };
        // What a variable names is the one to blame.
        let places = match self.audit() {
            AuditTarget::File(_) => [log, key],
            _ => [key, log],
        };
        for (variable, path, itself) in places.into_iter().flatten() {
            let mut others = self.own_files().into_iter();
            let other = others.find(|it| it.what != itself && is_same_file(&it.path, &path));
            if let Some(OwnFile { what, .. }) = other {
                return Err(EnvironmentError::NotItsOwn {
                    variable,
                    itself,
                    path,
                    what,
                });
            }
        }
        Ok(())
    }

    /// The files of this directory, and the key file and the log in use. Not all of them need exist.
    fn own_files(&self) -> Vec<OwnFile> {
        let mut files = vec![
            (self.directory().join("age.key"), KEY),
            (self.audit_log(), LOG),
            (self.config(), CONFIGURATION),
            (self.pins(), "list of accepted stores"),
            (self.store_cache(), "copy of the store"),
            (self.trusted(), "list of trusted projects"),
            (self.gateway_key(), "key of the gateway"),
            (self.gateway_clients(), "list of the gateway's clients"),
        ];
        if let Some(store) = self.store().file() {
            files.insert(0, (store.to_owned(), "store"));
        }
        if let KeySource::File(key) = self.key() {
            files.push((key.clone(), KEY));
        }
        if let AuditTarget::File(log) = self.audit() {
            files.push((log.clone(), LOG));
        }
        let files = files.into_iter();
        files.map(|(path, what)| OwnFile { path, what }).collect()
    }
}

/// Returns whether two paths lead to one file. Of files that do not exist yet, the directory and the
/// name count.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| fs::metadata(path).map(|it| (it.dev(), it.ino())).ok();
    match (id(one), id(other)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => {
            let directory = |path: &Path| id(directory_of(path));
            one.file_name() == other.file_name()
                && directory(one).map_or(one == other, |it| Some(it) == directory(other))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_of_the_home_is_known_by_each_of_its_names() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("home")).unwrap();
        let variables = |name: &str| match name {
            "MCPLEXER_HOME" => Some(at("home").into()),
            "MCPLEXER_AGE_KEY" => Some(at("key").into()),
            "MCPLEXER_AUDIT" => Some(at("log").into()),
            _ => None,
        };
        let home = Home::from_variables(variables).unwrap();
        let what = |path: &Path| home.check_output(path).map_err(|own| own.what);
        symlink(at("home"), at("to-home")).unwrap();
        for exist in [false, true] {
            for (name, expected) in [
                ("home/secrets.redb", "store"),
                ("to-home/age.key", "key file"),
                ("home/../home/audit.log", "audit log"),
                ("home/config.yaml", "configuration"),
                ("to-home/pins", "list of accepted stores"),
                ("home/trusted", "list of trusted projects"),
                ("home/gateway.key", "key of the gateway"),
                ("home/gateway.clients", "list of the gateway's clients"),
                ("key", "key file"),
                ("log", "audit log"),
            ] {
                if exist {
                    fs::write(at(name), "").unwrap();
                    fs::hard_link(at(name), at("hard")).unwrap();
                    symlink(at(name), at("soft")).unwrap();
                    assert_eq!(what(&at("hard")), Err(expected), "{name}");
                    assert_eq!(what(&at("soft")), Err(expected), "{name}");
                    fs::remove_file(at("hard")).unwrap();
                    fs::remove_file(at("soft")).unwrap();
                }
                assert_eq!(what(&at(name)), Err(expected), "{name}");
            }
        }
        for name in ["age.key", "home/secrets", "home/sub/age.key", "pins"] {
            assert_eq!(what(&at(name)), Ok(()), "{name}");
        }
    }
}
