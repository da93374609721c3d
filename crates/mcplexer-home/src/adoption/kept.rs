//! What is kept of the clients' files whose servers are behind the gateway, to put them back.
//!
//! Each file has one in the directory `handed-over` of the home, mode 0600, named after the digest of its path. The
//! servers in it have references where their credentials were.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use mcplexer_clients::{ClientConfig, HandOverError, HandedMap, MAX_CONFIG_LEN, Presence};
use mcplexer_durable::{create_parent, open_regular, read_at_most, replace_file, sync_parent};
use mcplexer_files::config::{Server, ServerName};
use mcplexer_secrets::Error as StoreError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Error;
use crate::home::Home;

const DIRECTORY: &str = "handed-over";

/// What is kept of one file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(skip)]
    path: PathBuf,
    /// The client's file, for people who look here.
    file: String,
    /// The client for which its one server connects.
    pub(super) client: ServerName,
    /// Each time that it was handed over, the oldest first.
    pub(super) steps: Vec<Step>,
    /// The servers that it has behind the gateway.
    pub(super) servers: Vec<KeptServer>,
}

/// The servers that were taken out of a file at one time.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Step {
    servers: Vec<HandedMap>,
    /// The digest of the file that is to be written, until it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending: Option<String>,
}

/// A server in `config.yaml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeptServer {
    pub(super) name: ServerName,
    /// Whether handing over a file has added it.
    pub(super) added: bool,
    pub(super) server: Server,
}

impl Kept {
    /// Reads what is kept of a file; nothing, for a client with this name, if it was never handed over.
    pub(super) fn load(home: &Home, file: &Path, client: &ServerName) -> Result<Self, Error> {
        let path = place(home, file);
        let kept = read(&path)?;
        Ok(kept.unwrap_or_else(|| Self {
            path,
            file: std::path::absolute(file)
                .as_deref()
                .unwrap_or(file)
                .display()
                .to_string(),
            client: client.clone(),
            steps: Vec::new(),
            servers: Vec::new(),
        }))
    }

    /// Reads what is kept of a file, if it was handed over.
    pub(super) fn find(home: &Home, file: &Path) -> Result<Option<Self>, Error> {
        read(&place(home, file))
    }

    /// Returns what has happened to the file. The rest has not: a command was killed, or somebody has put the servers
    /// back by hand.
    fn applied(&self, bytes: &[u8], config: &ClientConfig) -> Result<&[Step], HandOverError> {
        let is_pending = |step: &Step| step.pending.as_ref().is_some_and(|it| *it != digest(bytes));
        if config.connects(self.client.as_str()) {
            return Ok(match self.steps.split_last() {
                // It may have been written and changed since.
                Some((last, before))
                    if is_pending(last) && config.presence(&last.servers) != Presence::None =>
                {
                    before
                }
                _ => &self.steps,
            });
        }
        // The server that connects is gone. Those that are not in the file either are nowhere else.
        let mut applied = self.steps.as_slice();
        while let Some((last, before)) = applied.split_last() {
            match config.presence(&last.servers) {
                Presence::All => applied = before,
                Presence::None => break,
                _ => return Err(HandOverError::Changed),
            }
        }
        let is_out = |step: &Step| config.presence(&step.servers) == Presence::None;
        match applied.iter().all(is_out) {
            true => Ok(applied),
            false => Err(HandOverError::Changed),
        }
    }

    /// Forgets what was kept and has not happened.
    ///
    /// # Errors
    /// [`Error::Disconnected`] if that cannot be told.
    pub(super) fn settle(&mut self, bytes: &[u8], config: &ClientConfig) -> Result<(), Error> {
        let applied = self.applied(bytes, config);
        let applied = applied.map_err(|_| self.disconnected())?.len();
        self.steps.truncate(applied);
        self.done();
        Ok(())
    }

    /// Returns the error for a file that no longer connects to the gateway.
    pub(super) fn disconnected(&self) -> Error {
        Error::Disconnected {
            file: PathBuf::from(&self.file),
            client: self.client.clone(),
        }
    }

    /// Adds what was taken out of the file to make this text of it.
    pub(super) fn push(&mut self, servers: Vec<HandedMap>, text: &[u8]) {
        let pending = Some(digest(text));
        self.steps.push(Step { servers, pending });
    }

    /// The file was written.
    pub(super) fn done(&mut self) {
        if let Some(step) = self.steps.last_mut() {
            step.pending = None;
        }
    }

    /// Returns the text of a file with its servers back.
    pub(super) fn take_back(
        &self,
        bytes: &[u8],
        config: &ClientConfig,
        read: &dyn Fn(&[u8]) -> Result<ClientConfig, Error>,
    ) -> Result<Result<Zeroizing<Vec<u8>>, HandOverError>, Error> {
        let mut text = Zeroizing::new(bytes.to_vec());
        let applied = match self.applied(bytes, config) {
            Ok(applied) => applied,
            Err(error) => return Ok(Err(error)),
        };
        let is_there = |step: &Step| {
            let presence = config.presence(&step.servers);
            matches!(presence, Presence::All | Presence::Some)
        };
        // The file would have two servers of one name.
        if applied.iter().any(is_there) {
            return Ok(Err(HandOverError::Again));
        }
        for step in applied.iter().rev() {
            match read(&text)?.take_back(self.client.as_str(), &step.servers) {
                Ok(back) => text = back,
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(text))
    }

    pub(super) fn save(&self) -> Result<(), Error> {
        create_parent(&self.path)
            .map_err(|source| failed("create the directory of", &self.path, source))?;
        let text = serde_json::to_vec_pretty(self).map_err(|source| self.damaged(source))?;
        Ok(replace_file(&self.path, &text)?)
    }

    pub(super) fn delete(&self) -> Result<(), Error> {
        match fs::remove_file(&self.path).and_then(|()| sync_parent(&self.path)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(failed("delete", &self.path, error))
            }
            _ => Ok(()),
        }
    }

    fn damaged(&self, source: serde_json::Error) -> Error {
        Error::Kept {
            kept: self.path.clone(),
            source,
        }
    }
}

/// Returns the servers that files have behind the gateway; without those of one file.
pub(super) fn of_others(home: &Home, file: &Path) -> Result<Vec<KeptServer>, Error> {
    let own = place(home, file);
    let mut servers = Vec::new();
    for path in all(home)? {
        if path != own {
            servers.extend(read(&path)?.into_iter().flat_map(|it| it.servers));
        }
    }
    Ok(servers)
}

/// Returns why files with what is kept cannot be read, of each that cannot.
pub(crate) fn damaged(home: &Home) -> Vec<Error> {
    match all(home) {
        Ok(paths) => paths.iter().filter_map(|path| read(path).err()).collect(),
        Err(error) => vec![error],
    }
}

/// Returns the files with what is kept, in the order of their names.
fn all(home: &Home) -> Result<Vec<PathBuf>, Error> {
    let directory = home.directory().join(DIRECTORY);
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("read", &directory, error)),
    };
    let paths = entries.map(|entry| entry.map(|it| it.path()));
    let paths: io::Result<Vec<_>> = paths.collect();
    let mut paths = paths.map_err(|error| failed("read", &directory, error))?;
    paths.retain(|it| it.extension() == Some(OsStr::new("json")));
    paths.sort_unstable();
    Ok(paths)
}

/// Returns where it is kept what was in a file.
fn place(home: &Home, file: &Path) -> PathBuf {
    let whole = file.canonicalize().or_else(|_| std::path::absolute(file));
    let whole = whole.unwrap_or_else(|_| file.to_owned());
    let mut name = digest(whole.as_os_str().as_bytes());
    name.truncate(32);
    home.directory().join(DIRECTORY).join(name + ".json")
}

fn read(path: &Path) -> Result<Option<Kept>, Error> {
    let read = || {
        let Some(file) = open_regular(path, OpenOptions::new().read(true))? else {
            return Ok(None);
        };
        let limit = usize::try_from(MAX_CONFIG_LEN).unwrap_or(usize::MAX);
        read_at_most(limit, &file).map(Some)
    };
    let bytes = read().map_err(|source| failed("read", path, source))?;
    let kept = bytes
        .map(|bytes| serde_json::from_slice::<Kept>(&bytes))
        .transpose();
    let kept = kept.map_err(|source| Error::Kept {
        kept: path.to_owned(),
        source,
    })?;
    Ok(kept.map(|kept| Kept {
        path: path.to_owned(),
        ..kept
    }))
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Store(StoreError::Io {
        action,
        path: path.to_owned(),
        source,
    })
}

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
