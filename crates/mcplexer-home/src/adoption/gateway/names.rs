//! The names of a file's servers in `config.yaml`.

use std::collections::BTreeMap;
use std::path::Path;

use mcplexer_clients::{client_id, client_of};
use mcplexer_files::config::{MAX_SERVER_NAME_LEN, Server, ServerName};

use crate::adoption::Error;
use crate::adoption::client_file::ClientFile;
use crate::adoption::kept::{self, Kept, KeptServer};
use crate::config::of_home;
use crate::home::Home;
use crate::servers;

/// The client of a file that says nothing of it.
const NO_CLIENT: &str = "client";

/// The names of the servers in `config.yaml`.
pub(super) struct Names {
    pub(super) client: ServerName,
    existing: BTreeMap<ServerName, Server>,
    new: Vec<(ServerName, Server)>,
    kept: Vec<KeptServer>,
    /// The servers that handing over this file or another one has added.
    added: Vec<KeptServer>,
}

impl Names {
    pub(super) fn read(file: &ClientFile, home: &Home) -> Result<Self, Error> {
        let config = of_home(home).map_err(servers::Error::from)?;
        let client = client_name(&file.path).ok_or_else(|| Error::UnknownClient {
            client: file.path.display().to_string(),
        })?;
        let mut kept = Kept::load(home, &file.path, &client)?;
        kept.settle(&file.bytes, &file.config)?;
        let mut added = kept::of_others(home, &file.path)?;
        added.extend(kept.servers.iter().cloned());
        // What was not handed over in the end is not behind the gateway.
        let kept_servers = match kept.steps.is_empty() {
            true => Vec::new(),
            false => kept.servers,
        };
        Ok(Self {
            client: kept.client,
            existing: config.unwrap_or_default().servers,
            new: Vec::new(),
            kept: kept_servers,
            added,
        })
    }

    /// Returns the name of a server, and whether it is new: one that is the same is there once.
    pub(super) fn take(&mut self, name: &ServerName, server: &Server) -> (ServerName, bool) {
        let mut number = 1;
        let mut candidate = name.clone();
        loop {
            let there = self.existing.get(&candidate);
            match there {
                Some(other) if other == server => {
                    self.keep(&candidate, server);
                    let is_new = self.new.iter().any(|(name, _)| *name == candidate);
                    return (candidate, is_new);
                }
                Some(_) => {
                    number += 1;
                    candidate = numbered(name, number);
                }
                None => {
                    self.existing.insert(candidate.clone(), server.clone());
                    self.new.push((candidate.clone(), server.clone()));
                    self.keep(&candidate, server);
                    return (candidate, true);
                }
            }
        }
    }

    fn keep(&mut self, name: &ServerName, server: &Server) {
        let was_added = |it: &KeptServer| it.added && it.name == *name && it.server == *server;
        let is_new = self.new.iter().any(|(it, _)| it == name);
        let kept = KeptServer {
            name: name.clone(),
            added: is_new || self.added.iter().any(was_added),
            server: server.clone(),
        };
        self.kept.retain(|it| it.name != *name);
        self.kept.push(kept);
    }

    pub(super) fn into_servers(self) -> (Vec<(ServerName, Server)>, Vec<KeptServer>) {
        (self.new, self.kept)
    }
}

/// Returns a name with a number behind it.
fn numbered(name: &ServerName, number: usize) -> ServerName {
    let end = format!("-{number}");
    let most = MAX_SERVER_NAME_LEN.saturating_sub(end.len());
    let start = name.as_str().get(..most).unwrap_or(name.as_str());
    let start = start.trim_end_matches(['-', '_']);
    format!("{start}{end}")
        .parse()
        .unwrap_or_else(|_| name.clone())
}

/// Returns the name of the client that a file is of, or else the file's own.
fn client_name(file: &Path) -> Option<ServerName> {
    let whole = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let stem = whole.file_stem().and_then(|it| it.to_str());
    let of_place = client_of(&whole);
    let of_place = of_place.map(|client| client_id(client).unwrap_or(client));
    let of_file = of_place.or(stem).and_then(servers::name_of);
    of_file.or_else(|| NO_CLIENT.parse().ok())
}
