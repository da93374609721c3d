//! Where the records of a store are: in a file of the home, or on a server.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mcplexer_secrets::StoreOptions;
use mcplexer_secrets::backend::{Backend, BackendError, RedbBackend};
use serde::{Serialize, Serializer};

use crate::error::EnvironmentError;
use crate::home::Home;

mod cache;
mod deletion;
mod servers;

pub use self::cache::{STORE_CACHE_VARIABLE, StoreCache};

/// Names the server that has the store.
pub const STORE_VARIABLE: &str = "MCPLEXER_STORE";
/// Holds the password for that server. As every variable of mcplexer, it is kept from the commands that are run.
pub const STORE_PASSWORD_VARIABLE: &str = "MCPLEXER_STORE_PASSWORD";

/// Where the records of a store are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorePlace {
    /// In this file.
    File(PathBuf),
    /// On the server that this URL names.
    Server(StoreUrl),
}

/// The URL of a store on a server, without a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreUrl {
    engine: Engine,
    url: String,
}

/// What a server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Postgres,
    Etcd,
}

impl StoreUrl {
    /// Parses a URL: `postgres://…` or `etcd://…`. A password in it is refused, since others see it: in the environment
    /// of each program, and wherever the URL is printed.
    ///
    /// # Errors
    /// [`EnvironmentError::StoreUrl`], [`EnvironmentError::StorePassword`] and [`EnvironmentError::StoreOptions`].
    pub fn parse(url: &OsStr) -> Result<Self, EnvironmentError> {
        let url = url.to_str().ok_or(EnvironmentError::StoreUrl)?;
        let (scheme, rest) = url.split_once("://").ok_or(EnvironmentError::StoreUrl)?;
        let engine = match scheme {
            "postgres" | "postgresql" => Engine::Postgres,
            "etcd" => Engine::Etcd,
            _ => return Err(EnvironmentError::StoreUrl),
        };
        // A password may hold the characters that end an address, so what is before the last `@` counts.
        let user = rest.rsplit_once('@').map(|(user, _)| user);
        let options = rest.split_once('?').map_or("", |(_, options)| options);
        let options = options.split('&').filter(|it| !it.is_empty());
        let options = options.map(|it| it.split_once('=').unwrap_or((it, "")));
        let mut names = HashSet::new();
        let (mut has_password, mut is_clear) = (false, true);
        for (name, value) in options {
            has_password |= name == "password";
            // An encoded name could be one that is refused, and a schema needs no encoding.
            let is_encoded = name.contains('%') || (name == "schema" && value.contains('%'));
            is_clear &= names.insert(name) && !is_encoded;
        }
        if user.is_some_and(|user| user.contains(':')) || has_password {
            return Err(EnvironmentError::StorePassword);
        }
        if !is_clear {
            return Err(EnvironmentError::StoreOptions);
        }
        Ok(Self {
            engine,
            url: url.to_owned(),
        })
    }
}

impl StorePlace {
    /// Parses what a user names a place: `file` for the file of this home, or the URL of a store on a server.
    ///
    /// # Errors
    /// As [`StoreUrl::parse`].
    pub fn parse(text: &OsStr, home: &Home) -> Result<Self, EnvironmentError> {
        match text == "file" {
            true => Ok(Self::File(home.store_file())),
            false => StoreUrl::parse(text).map(Self::Server),
        }
    }

    /// The place that `Display` has written; `None` if it is not one.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let path = Path::new(name);
        match path.is_absolute() {
            true => Some(Self::File(path.to_owned())),
            false => StoreUrl::parse(OsStr::new(name)).ok().map(Self::Server),
        }
    }

    /// Returns the file; `None` if the store is on a server.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Server(_) => None,
        }
    }

    /// Returns the backend that stores the records there.
    pub(crate) fn backend(&self, options: &StoreOptions) -> Result<Arc<dyn Backend>, BackendError> {
        match self {
            Self::File(path) => {
                let backend = RedbBackend::file(path).with_private_directory();
                Ok(Arc::new(backend.with_options(options)))
            }
            Self::Server(url) => url.backend(options),
        }
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl fmt::Display for StorePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(url) => url.fmt(f),
        }
    }
}

impl Serialize for StorePlace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<StoreUrl, EnvironmentError> {
        StoreUrl::parse(OsStr::new(url))
    }

    #[test]
    fn a_url_names_an_engine() {
        for (url, engine) in [
            ("postgres://ann@db.example/secrets", Engine::Postgres),
            (
                "postgresql:///secrets?host=/run/postgresql",
                Engine::Postgres,
            ),
            ("etcd://a:2379,b:2379/team", Engine::Etcd),
        ] {
            let parsed = parse(url).unwrap();
            assert_eq!(
                (parsed.engine, parsed.to_string()),
                (engine, url.to_owned())
            );
        }
        for url in [
            "",
            "/srv/store",
            "db.example",
            "mysql://db",
            "Postgres://db",
        ] {
            assert_eq!(parse(url), Err(EnvironmentError::StoreUrl), "{url}");
        }
    }

    #[test]
    fn a_place_is_the_file_of_the_home_or_a_url_and_is_read_back_from_its_name() {
        let home = Home::at("/srv/m");
        let file = StorePlace::parse(OsStr::new("file"), &home).unwrap();
        assert_eq!(file.file(), Some(Path::new("/srv/m/secrets.redb")));
        let url = "postgres://ann@db/team?schema=ops";
        let server = StorePlace::parse(OsStr::new(url), &home).unwrap();
        for place in [file, server] {
            assert_eq!(StorePlace::of_name(&place.to_string()), Some(place));
        }
        assert!(StorePlace::parse(OsStr::new("/srv/other.redb"), &home).is_err());
        assert_eq!(StorePlace::of_name("somewhere"), None);
    }

    #[test]
    fn an_option_that_is_there_twice_or_encoded_is_refused_and_not_repeated() {
        for url in [
            "postgres://db?schema=sa&schema=sb",
            "postgres://db?schema=%73b",
            "postgres://db?sslmode=require&pass%77ord=hunter2",
            "etcd://a?user=ann&user=bob",
        ] {
            let error = parse(url).unwrap_err();
            assert_eq!(error, EnvironmentError::StoreOptions, "{url}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        assert!(parse("postgres:///team?host=%2Frun%2Fpostgresql").is_ok());
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_not_repeated() {
        for url in [
            "postgres://ann:hunter2@db/secrets",
            "postgres://ann:hunter2@db",
            "etcd://ann:hunter2@a:2379,b:2379",
            "postgres://db/secrets?sslmode=require&password=hunter2",
            "postgres://db?password=hunter2",
        ] {
            let error = parse(url).unwrap_err();
            assert_eq!(error, EnvironmentError::StorePassword);
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        // A password can hold the characters that end an address.
        assert!(parse("postgres://ann:hunt/er@db/secrets").is_err());
    }
}
