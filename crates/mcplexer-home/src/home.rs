//! Where one user's store, key, audit log and configuration are.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mcplexer_durable::temporaries_beside;
use mcplexer_secrets::keys::Identity;

use crate::error::EnvironmentError;
use crate::place::{STORE_CACHE_VARIABLE, STORE_VARIABLE, StoreCache, StorePlace, StoreUrl};

/// The name of a store's file.
const STORE_FILE: &str = "secrets.redb";

/// A temporary file that changed more recently may still be in use.
const STILL_WRITTEN: Duration = Duration::from_secs(60);

/// Names the directory of the store.
pub const HOME_VARIABLE: &str = "MCPLEXER_HOME";
/// Names the key file.
pub const KEY_VARIABLE: &str = "MCPLEXER_AGE_KEY";
/// Holds identities inline, as CI systems hand out secrets.
pub const IDENTITY_VARIABLE: &str = "MCPLEXER_AGE_IDENTITY";
/// Names the audit log: a file, `stderr` or `off`.
pub const AUDIT_VARIABLE: &str = "MCPLEXER_AUDIT";

/// The directory that holds a user's store, and the places in and around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    directory: PathBuf,
    store: StorePlace,
    cache: StoreCache,
    key: KeySource,
    audit: AuditTarget,
    named: Vec<&'static str>,
    user_home: Option<PathBuf>,
}

/// Where the identities are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// In this file.
    File(PathBuf),
    /// Inline in the environment variable with this name.
    Environment(&'static str),
}

/// Where audit lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditTarget {
    /// To the log in the home directory.
    Home,
    /// To this file, which `MCPLEXER_AUDIT` names.
    File(PathBuf),
    /// To standard error.
    Stderr,
    /// Nowhere.
    Off,
}

impl Home {
    /// Reads the places from the environment. Nothing else in this crate reads variables, except
    /// [`EnvKeys`](crate::EnvKeys), which reads the identity itself.
    ///
    /// - The directory is `MCPLEXER_HOME`, or else `~/.mcplexer`.
    /// - The store is on the server that `MCPLEXER_STORE` names, or else in the file `secrets.redb` in the directory.
    /// - Of a store on a server a copy is kept in the directory, unless `MCPLEXER_STORE_CACHE` is `off`.
    /// - The key is `MCPLEXER_AGE_IDENTITY`, or the file `MCPLEXER_AGE_KEY`, or else `age.key` in
    ///   the directory.
    /// - The audit log is `MCPLEXER_AUDIT`, or else `audit.log` in the directory.
    ///
    /// An empty variable counts as not set. A path that begins with `~/` is below the home directory of the
    /// user: where no shell has read the variable, as in a systemd unit, nothing else says so.
    ///
    /// # Errors
    /// - [`EnvironmentError::NoHome`] if there is no home directory.
    /// - [`EnvironmentError::Relative`] if a path depends on the working directory, or begins with `~USER`.
    /// - [`EnvironmentError::TwoKeys`] if the key is given twice.
    /// - [`EnvironmentError::IdentityAsPath`] if a variable that names a path holds an identity.
    /// - [`EnvironmentError::StoreUrl`] and [`EnvironmentError::StorePassword`] if `MCPLEXER_STORE` is not a URL without
    ///   a password.
    /// - [`EnvironmentError::StoreCache`] if `MCPLEXER_STORE_CACHE` is neither `off` nor an age.
    pub fn from_env() -> Result<Self, EnvironmentError> {
        Self::from_variables(env::var_os)
    }

    /// Takes a directory with the key and the audit log in it, whatever the environment says.
    #[must_use]
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        Self {
            key: KeySource::File(directory.join("age.key")),
            audit: AuditTarget::Home,
            named: Vec::new(),
            user_home: None,
            store: StorePlace::File(directory.join(STORE_FILE)),
            cache: StoreCache::On { max_age: None },
            directory,
        }
    }

    pub(crate) fn from_variables(
        read: impl Fn(&'static str) -> Option<OsString>,
    ) -> Result<Self, EnvironmentError> {
        let read = |name| read(name).filter(|value| !value.is_empty());
        // An identity would become the name of a new file, and every message would repeat it.
        for variable in [HOME_VARIABLE, KEY_VARIABLE, AUDIT_VARIABLE] {
            if read(variable).is_some_and(|value| Identity::is_in(&value.to_string_lossy())) {
                return Err(EnvironmentError::IdentityAsPath { variable });
            }
        }
        let user_home = read("HOME").map(PathBuf::from);
        let path = |name| match read(name) {
            Some(value) => whole_path(name, value.into(), user_home.as_deref()).map(Some),
            None => Ok(None),
        };
        let directory = match (path(HOME_VARIABLE)?, path("HOME")) {
            (Some(directory), _) => directory,
            (None, home) => home?.ok_or(EnvironmentError::NoHome)?.join(".mcplexer"),
        };
        let key = match (read(IDENTITY_VARIABLE), path(KEY_VARIABLE)?) {
            (Some(_), Some(_)) => return Err(EnvironmentError::TwoKeys),
            (Some(_), None) => KeySource::Environment(IDENTITY_VARIABLE),
            (None, Some(file)) => KeySource::File(file),
            (None, None) => KeySource::File(directory.join("age.key")),
        };
        let audit = match read(AUDIT_VARIABLE) {
            None => AuditTarget::Home,
            Some(value) if value.eq_ignore_ascii_case("off") => AuditTarget::Off,
            Some(value) if value.eq_ignore_ascii_case("stderr") => AuditTarget::Stderr,
            Some(value) => {
                let log = whole_path(AUDIT_VARIABLE, value.into(), user_home.as_deref())?;
                AuditTarget::File(log)
            }
        };
        let store = match read(STORE_VARIABLE) {
            Some(url) => StorePlace::Server(StoreUrl::parse(&url)?),
            None => StorePlace::File(directory.join(STORE_FILE)),
        };
        let cache = match read(STORE_CACHE_VARIABLE) {
            Some(value) => StoreCache::parse(&value)?,
            None => StoreCache::On { max_age: None },
        };
        let places = [
            HOME_VARIABLE,
            STORE_VARIABLE,
            KEY_VARIABLE,
            IDENTITY_VARIABLE,
        ];
        let named = places.into_iter().filter(|it| read(it).is_some()).collect();
        Ok(Self {
            directory,
            store,
            cache,
            key,
            audit,
            named,
            user_home,
        })
    }

    /// Checks that the home directory of the user exists, if the directory or the key file is below it. Users who
    /// are to have none, such as those of services, often have the home `/nonexistent`.
    ///
    /// # Errors
    /// [`EnvironmentError::NoUserHome`] if it does not.
    pub(crate) fn check_user_home(&self) -> Result<(), EnvironmentError> {
        let key = match &self.key {
            KeySource::File(key) => Some(key),
            KeySource::Environment(_) => None,
        };
        let Some(home) = &self.user_home else {
            return Ok(());
        };
        let mut places = [&self.directory].into_iter().chain(key);
        match places.any(|place| place.starts_with(home)) && !home.exists() {
            true => Err(EnvironmentError::NoUserHome { home: home.clone() }),
            false => Ok(()),
        }
    }

    /// Returns the directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the home directory of the user, in which mcplexer's is by default.
    #[must_use]
    pub fn user_home(&self) -> Option<&Path> {
        self.user_home.as_deref()
    }

    /// Returns where the store is.
    #[must_use]
    pub fn store(&self) -> &StorePlace {
        &self.store
    }

    /// Returns the path of the file that has the store, unless a server has it.
    #[must_use]
    pub fn store_file(&self) -> PathBuf {
        self.directory.join(STORE_FILE)
    }

    /// Returns the same home with the store at another place.
    #[must_use]
    pub fn with_store(&self, store: StorePlace) -> Self {
        Self {
            store,
            ..self.clone()
        }
    }

    /// Returns whether a copy of a store on a server is kept.
    #[must_use]
    pub fn cache(&self) -> StoreCache {
        self.cache
    }

    /// Returns the path of the copy of a store on a server, for when that cannot be reached.
    #[must_use]
    pub fn store_cache(&self) -> PathBuf {
        self.directory.join("store.cache")
    }

    /// Returns the path of the audit log that belongs to this directory, whatever
    /// [`audit`](Self::audit) says.
    #[must_use]
    pub fn audit_log(&self) -> PathBuf {
        self.directory.join("audit.log")
    }

    /// Returns the path of the file that says which stores the keys of plugins have accepted.
    #[must_use]
    pub fn pins(&self) -> PathBuf {
        self.directory.join("pins")
    }

    /// Returns the path of the file that names the scopes.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.directory.join("config.yaml")
    }

    /// Returns the path of the list of trusted projects.
    #[must_use]
    pub fn trusted(&self) -> PathBuf {
        self.directory.join("trusted")
    }

    /// Returns the path of the key that seals the ids of the gateway's sessions.
    #[must_use]
    pub fn gateway_key(&self) -> PathBuf {
        self.directory.join("gateway.key")
    }

    /// Returns the path of the file that says which HTTP clients the gateway lets in.
    #[must_use]
    pub fn gateway_clients(&self) -> PathBuf {
        self.directory.join("gateway.clients")
    }

    /// Returns the directory of what is true only as long as the gateway runs.
    #[must_use]
    pub fn run_directory(&self) -> PathBuf {
        self.directory.join("run")
    }

    /// Returns where the identities are.
    #[must_use]
    pub fn key(&self) -> &KeySource {
        &self.key
    }

    /// Returns where audit lines go.
    #[must_use]
    pub fn audit(&self) -> &AuditTarget {
        &self.audit
    }

    /// Returns the variables that name the directory or the key. Another program needs the same
    /// ones to find the same store.
    #[must_use]
    pub fn named_by(&self) -> &[&'static str] {
        &self.named
    }

    /// Lists the temporary files that killed commands left beside the store and the key.
    ///
    /// A file that changed within the last minute may still be in use and is not listed.
    #[must_use]
    pub fn leftovers(&self) -> Vec<PathBuf> {
        let mut places: Vec<_> = self.store.file().map(Path::to_owned).into_iter().collect();
        if let KeySource::File(key) = &self.key {
            places.push(key.clone());
        }
        // A directory that cannot be listed has been reported for its mode or its owner.
        let left = |path: &PathBuf| temporaries_beside(path).unwrap_or_default();
        let is_old = |path: &PathBuf| {
            let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
            modified.is_ok_and(|time| time.elapsed().is_ok_and(|since| since > STILL_WRITTEN))
        };
        places.iter().flat_map(left).filter(is_old).collect()
    }
}

/// Returns the path that a variable names, which must not depend on the working directory.
fn whole_path(
    variable: &'static str,
    path: PathBuf,
    user_home: Option<&Path>,
) -> Result<PathBuf, EnvironmentError> {
    let whole = match path.strip_prefix("~") {
        Ok(rest) => user_home.ok_or(EnvironmentError::NoHome)?.join(rest),
        Err(_) => path,
    };
    match whole.is_absolute() {
        true => Ok(whole),
        false => Err(EnvironmentError::Relative {
            variable,
            path: whole,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(variables: &[(&str, &str)]) -> Result<Home, EnvironmentError> {
        Home::from_variables(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| value.into())
        })
    }

    /// F16: one rule for where the key is.
    #[test]
    fn the_environment_names_every_place() {
        let plain = home(&[("HOME", "/home/ann"), ("MCPLEXER_HOME", "")]).unwrap();
        let file = Path::new("/home/ann/.mcplexer/secrets.redb");
        assert_eq!(plain.store().file(), Some(file));
        assert_eq!(
            plain.audit_log(),
            Path::new("/home/ann/.mcplexer/audit.log")
        );
        let key = PathBuf::from("/home/ann/.mcplexer/age.key");
        assert_eq!(*plain.key(), KeySource::File(key));
        assert!(plain.named_by().is_empty());

        let moved = [("HOME", "/home/ann"), ("MCPLEXER_HOME", "/srv/m")];
        let named = [moved[1], ("MCPLEXER_AGE_KEY", "/run/k")];
        let inline = [moved[1], ("MCPLEXER_AGE_IDENTITY", "AGE-SECRET-KEY-1X")];
        assert_eq!(home(&moved).unwrap().directory(), Path::new("/srv/m"));
        let named = home(&named).unwrap();
        assert_eq!(*named.key(), KeySource::File("/run/k".into()));
        assert_eq!(named.named_by(), [HOME_VARIABLE, KEY_VARIABLE]);
        assert_eq!(
            *home(&inline).unwrap().key(),
            KeySource::Environment("MCPLEXER_AGE_IDENTITY")
        );
    }

    #[test]
    fn a_directory_has_every_place_in_it() {
        let named = home(&[("MCPLEXER_HOME", "/srv/m")]).unwrap();
        let at = Home::at("/srv/m");
        assert_eq!((at.key(), at.audit()), (named.key(), named.audit()));
        assert_eq!((at.store(), at.config()), (named.store(), named.config()));
    }

    #[test]
    fn the_environment_names_the_audit_log() {
        let audit = |value| {
            let home = home(&[("HOME", "/h"), ("MCPLEXER_AUDIT", value)]);
            home.unwrap().audit().clone()
        };
        assert_eq!(audit(""), AuditTarget::Home);
        assert_eq!(audit("OFF"), AuditTarget::Off);
        assert_eq!(audit("stderr"), AuditTarget::Stderr);
        assert_eq!(audit("/logs/a"), AuditTarget::File("/logs/a".into()));
    }

    /// Public fault: openshift/installer#1821.
    #[test]
    fn a_tilde_is_the_home_directory_and_no_path_depends_on_the_working_directory() {
        let user = ("HOME", "/home/ann");
        let moved = [
            user,
            ("MCPLEXER_HOME", "~/m"),
            ("MCPLEXER_AGE_KEY", "~/k/age.key"),
            ("MCPLEXER_AUDIT", "~/log"),
        ];
        let moved = home(&moved).unwrap();
        assert_eq!(moved.directory(), Path::new("/home/ann/m"));
        assert_eq!(*moved.key(), KeySource::File("/home/ann/k/age.key".into()));
        assert_eq!(*moved.audit(), AuditTarget::File("/home/ann/log".into()));
        let itself = home(&[user, (HOME_VARIABLE, "~")]).unwrap();
        let file = Path::new("/home/ann/secrets.redb");
        assert_eq!(itself.store().file(), Some(file));
        for variable in [HOME_VARIABLE, KEY_VARIABLE, AUDIT_VARIABLE] {
            for path in ["m", "./m", "../m", "~ann/m", "~+/m", "$HOME/m", "%h/m", "-"] {
                let error = home(&[user, (variable, path)]).unwrap_err();
                let path = path.into();
                assert_eq!(error, EnvironmentError::Relative { variable, path });
            }
            let homeless = [("MCPLEXER_HOME", "/m"), (variable, "~/m")];
            let homeless = homeless.into_iter().rev().collect::<Vec<_>>();
            assert_eq!(home(&homeless).unwrap_err(), EnvironmentError::NoHome);
        }
        let relative = home(&[("HOME", "ann")]).unwrap_err();
        assert!(matches!(
            relative,
            EnvironmentError::Relative {
                variable: "HOME",
                ..
            }
        ));
    }

    #[test]
    fn no_home_and_two_keys_are_errors() {
        assert!(matches!(home(&[]), Err(EnvironmentError::NoHome)));
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

    #[test]
    fn an_identity_is_not_taken_for_a_path() {
        const IDENTITY: &str =
            "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
        for variable in [HOME_VARIABLE, KEY_VARIABLE, AUDIT_VARIABLE] {
            let error = home(&[("HOME", "/h"), (variable, IDENTITY)]).unwrap_err();
            let text = error.to_string();
            assert!(
                text.contains(variable) && !text.contains("SECRET"),
                "{text}"
            );
        }
    }
}
