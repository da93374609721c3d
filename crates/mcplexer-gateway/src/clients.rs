//! The HTTP clients that may connect: their names, the digests of their tokens, and what they may do beside it.
//!
//! A token has 256 random bits, so its SHA-256 says nothing about it, and finding one by its digest tells nothing by the time
//! that it takes.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcplexer_durable::{
    Exposure, FileReplacement, PATIENCE, ReplaceError, create_file, create_parent, exposure,
    is_still_at, open_regular, read_at_most, wait_for_lock,
};
use mcplexer_files::config::ServerName;
use mcplexer_home::Home;
use serde::Serialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::http::Access;
use crate::server::lock;
use crate::stamp::Stamp;

mod entry;

use entry::Entry;
pub use entry::{ApiAccess, NoApiAccess};

/// The longest file, in bytes.
const MAX_LEN: usize = 1 << 20;

/// The length of a token, in bytes before it is text.
const TOKEN_LEN: usize = 32;

/// How often to try again if another process replaces the file.
const ATTEMPTS: usize = 20;

/// The file that says which HTTP clients may connect.
#[derive(Debug, Clone)]
pub struct HttpClients {
    path: PathBuf,
}

/// Why the clients cannot be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpClientsError {
    /// There is a client with this name.
    #[error("there is a client {name} already")]
    Exists {
        /// The name.
        name: ServerName,
    },
    /// There is no client with this name.
    #[error("there is no client {name}")]
    NotFound {
        /// The name.
        name: ServerName,
    },
    /// Others can read the file, or it is something else.
    #[error("{} {problem}", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The file cannot be used.
    #[error("cannot use {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A client that may connect over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HttpClient {
    /// Its name.
    pub name: ServerName,
    /// What it may do over the API.
    pub api: ApiAccess,
}

/// What is kept of the token of each client.
type Entries = BTreeMap<ServerName, Entry>;

/// Finds out whose a token is, as the file says when it is asked.
#[derive(Debug)]
pub struct Tokens {
    clients: HttpClients,
    seen: Mutex<Option<(Stamp, Entries)>>,
}

impl Tokens {
    /// Returns the client that has this token.
    pub fn find(&self, token: &str) -> Option<HttpClient> {
        let stamp = Stamp::of(&self.clients.path);
        let mut seen = lock(&self.seen);
        if !seen.as_ref().is_some_and(|(it, _)| it.is_same(&stamp)) {
            // A file that cannot be read lets nobody in.
            *seen = Some((stamp, self.clients.read().unwrap_or_default()));
        }
        let digest = digest(token);
        let (_, clients) = seen.as_ref()?;
        let (name, entry) = clients.iter().find(|(_, it)| it.digest == digest)?;
        Some(HttpClient {
            name: name.clone(),
            api: entry.api,
        })
    }
}

impl HttpClients {
    /// Uses the file of a home.
    #[must_use]
    pub fn of(home: &Home) -> Self {
        Self {
            path: home.gateway_clients(),
        }
    }

    /// Returns the clients, by name.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn list(&self) -> Result<Vec<HttpClient>, HttpClientsError> {
        let clients = self.read()?.into_iter();
        let clients = clients.map(|(name, Entry { api, .. })| HttpClient { name, api });
        Ok(clients.collect())
    }

    /// Adds a client that may do this over the API; returns its token, which is kept nowhere.
    ///
    /// # Errors
    /// [`HttpClientsError::Exists`] if there is one with this name; others if the file cannot be used.
    pub fn add(
        &self,
        name: &ServerName,
        api: ApiAccess,
    ) -> Result<Zeroizing<String>, HttpClientsError> {
        let mut bytes = Zeroizing::new([0; TOKEN_LEN]);
        getrandom::fill(&mut *bytes).map_err(|it| self.failed(io::Error::other(it)))?;
        let token = Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes));
        let entry = Entry {
            digest: digest(&token),
            api,
        };
        self.change(|clients| match clients.contains_key(name) {
            true => Err(HttpClientsError::Exists { name: name.clone() }),
            false => {
                clients.insert(name.clone(), entry.clone());
                Ok(())
            }
        })?;
        Ok(token)
    }

    /// Removes a client: its token is worth nothing from now on.
    ///
    /// # Errors
    /// [`HttpClientsError::NotFound`] if no client has this name; others if the file cannot be used.
    pub fn remove(&self, name: &ServerName) -> Result<(), HttpClientsError> {
        self.change(|clients| match clients.remove(name) {
            Some(_) => Ok(()),
            None => Err(HttpClientsError::NotFound { name: name.clone() }),
        })
    }

    /// Lets in these clients, as the file has them when they connect.
    #[must_use]
    pub fn access(self) -> Access {
        let tokens = self.tokens();
        Access::with_tokens(move |token| Some(tokens.find(token)?.name.to_string()))
    }

    /// Finds out whose tokens are.
    #[must_use]
    pub fn tokens(self) -> Tokens {
        Tokens {
            clients: self,
            seen: Mutex::new(None),
        }
    }

    fn read(&self) -> Result<Entries, HttpClientsError> {
        let unusable = |problem| HttpClientsError::Unusable {
            path: self.path.clone(),
            problem,
        };
        let open = open_regular(&self.path, OpenOptions::new().read(true));
        let Some(file) = open.map_err(|it| self.failed(it))? else {
            return Ok(Entries::new());
        };
        if exposure(&file).map_err(|it| self.failed(it))? != Exposure::None {
            return Err(unusable("is open to other users"));
        }
        let bytes = read_at_most(MAX_LEN, &file).map_err(|it| self.failed(it))?;
        if bytes.is_empty() {
            return Ok(Entries::new());
        }
        let clients = serde_json::from_slice(&bytes);
        clients.map_err(|_| unusable("is not a list of clients"))
    }

    /// Changes the file; no change of another process is lost.
    fn change(
        &self,
        change: impl Fn(&mut Entries) -> Result<(), HttpClientsError>,
    ) -> Result<(), HttpClientsError> {
        for _ in 0..ATTEMPTS {
            let _lock = match self.locked() {
                Ok(Some(lock)) => lock,
                Ok(None) => continue,
                Err(error) => return Err(self.failed(error)),
            };
            let mut clients = self.read()?;
            change(&mut clients)?;
            let text = serde_json::to_vec_pretty(&clients);
            let text = text.map_err(|it| self.failed(it.into()))?;
            return replace(&self.path, &text).map_err(|it| self.failed(it));
        }
        Err(self.failed(ErrorKind::ResourceBusy.into()))
    }

    /// Locks the file; `None` if it has been replaced meanwhile.
    fn locked(&self) -> io::Result<Option<File>> {
        create_parent(&self.path)?;
        create_file(&self.path)?;
        let file = open_regular(&self.path, OpenOptions::new().read(true))?;
        let Some(file) = file else { return Ok(None) };
        wait_for_lock(&file, PATIENCE)?.ok_or(ErrorKind::ResourceBusy)?;
        Ok(is_still_at(&file, &self.path).then_some(file))
    }

    fn failed(&self, source: io::Error) -> HttpClientsError {
        HttpClientsError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let replaced = FileReplacement::begin(path).and_then(|it| it.write(bytes));
    replaced.map_err(|error| match error {
        ReplaceError::NotWritten { source, .. } => source,
        error => io::Error::other(error.to_string()),
    })
}

fn digest(token: &str) -> String {
    base16ct::lower::encode_string(&Sha256::digest(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_client_and_what_it_may_do() {
        let directory = tempfile::tempdir().unwrap();
        let clients = HttpClients {
            path: directory.path().join("gateway.clients"),
        };
        let name: ServerName = "backup".parse().unwrap();
        let token = clients.add(&name, ApiAccess::Read).unwrap();
        let expected = HttpClient {
            name: name.clone(),
            api: ApiAccess::Read,
        };
        let tokens = clients.clone().tokens();
        assert_eq!(tokens.find(&token), Some(expected.clone()));
        assert_eq!(clients.list().unwrap(), [expected]);
        assert_eq!(tokens.find("guessed"), None);
        clients.remove(&name).unwrap();
        assert_eq!(tokens.find(&token), None);
    }
}
