//! What a server was found to offer. It is kept in a file, so that lists are answered while the server does not run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use mcplexer_durable::{create_parent, read_at_most, replace_file};
use mcplexer_files::config::{self, ServerName};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::lists::{Item, Items, ListKind};
use crate::server::lock;

/// The longest file that is read, in bytes.
const MAX_LEN: usize = 64 << 20;

/// What a server offers.
#[derive(Debug)]
pub(crate) struct Offers {
    file: PathBuf,
    /// Tells one configuration of the server from another.
    definition: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    hello: Option<Arc<str>>,
    lists: BTreeMap<ListKind, Items>,
    /// The lists that were read from the file, and not from the server since.
    stale: Vec<ListKind>,
    is_apart: bool,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    definition: String,
    hello: Option<String>,
    lists: BTreeMap<ListKind, Vec<Item>>,
    is_apart: bool,
}

impl Offers {
    /// Reads what is known of a server. `directory` has a file for each server; what it says of another configuration is
    /// ignored, and so is what cannot be read.
    pub(crate) fn load(directory: &Path, name: &ServerName, server: &config::Server) -> Self {
        let file = directory.join(format!("{name}.json"));
        let definition = Sha256::digest(format!("{server:?}"));
        let definition = definition
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let offers = Self {
            file,
            definition,
            state: Mutex::default(),
        };
        if let Some(kept) = offers.read() {
            *lock(&offers.state) = State {
                hello: kept.hello.map(Into::into),
                stale: kept.lists.keys().copied().collect(),
                lists: kept
                    .lists
                    .into_iter()
                    .map(|(kind, items)| (kind, items.into()))
                    .collect(),
                is_apart: kept.is_apart,
            };
        }
        offers
    }

    fn read(&self) -> Option<Kept> {
        let file = fs::File::open(&self.file).ok()?;
        let bytes = read_at_most(MAX_LEN, &file).ok()?;
        let kept: Kept = serde_json::from_slice(&bytes).ok()?;
        (kept.definition == self.definition).then_some(kept)
    }

    /// Writes the file. That it cannot be written is no failure: the server is asked again then.
    pub(crate) fn save(&self) {
        let kept = {
            let state = lock(&self.state);
            Kept {
                definition: self.definition.clone(),
                hello: state.hello.as_deref().map(str::to_owned),
                lists: state
                    .lists
                    .iter()
                    .map(|(kind, items)| (*kind, items.to_vec()))
                    .collect(),
                is_apart: state.is_apart,
            }
        };
        if let Ok(bytes) = serde_json::to_vec(&kept)
            && create_parent(&self.file).is_ok()
        {
            let _asked_again = replace_file(&self.file, &bytes);
        }
    }

    /// Returns what the server said when it was greeted last.
    pub(crate) fn hello(&self) -> Option<Arc<str>> {
        lock(&self.state).hello.clone()
    }

    pub(crate) fn set_hello(&self, hello: &str) {
        lock(&self.state).hello = Some(hello.into());
    }

    /// Returns a list, if it is known.
    pub(crate) fn list(&self, kind: ListKind) -> Option<Items> {
        lock(&self.state).lists.get(&kind).cloned()
    }

    /// Takes a list from the server. Returns whether it is another one than before.
    pub(crate) fn set_list(&self, kind: ListKind, items: &Items) -> bool {
        let mut state = lock(&self.state);
        state.stale.retain(|it| *it != kind);
        let before = state.lists.insert(kind, Arc::clone(items));
        before.is_some_and(|it| it != *items)
    }

    /// Takes the lists that were only read from the file.
    pub(crate) fn take_stale(&self) -> Vec<ListKind> {
        std::mem::take(&mut lock(&self.state).stale)
    }

    /// Whether it needs an instance for each session.
    pub(crate) fn is_apart(&self) -> bool {
        lock(&self.state).is_apart
    }

    /// Learns that it needs an instance for each session.
    pub(crate) fn set_apart(&self) {
        lock(&self.state).is_apart = true;
    }
}

#[cfg(test)]
mod tests {
    use mcplexer_files::config::{Http, Server, Transport};

    use super::*;

    fn server(url: &str) -> Server {
        Server::new(Transport::Http(Http {
            url: url.to_owned(),
            headers: BTreeMap::new(),
            auth: None,
        }))
    }

    #[test]
    fn what_is_known_outlives_the_process_and_not_the_configuration() {
        let directory = tempfile::tempdir().unwrap();
        let cache = directory.path().join("cache");
        let name = "a".parse().unwrap();
        let offers = Offers::load(&cache, &name, &server("http://localhost/1"));
        assert!(offers.hello().is_none() && offers.list(ListKind::Tools).is_none());
        let item = Item {
            key: "t".to_owned(),
            text: r#"{"name":"t","x":1.0}"#.to_owned(),
        };
        let items: Items = vec![item].into();
        offers.set_hello("{}");
        assert!(
            !offers.set_list(ListKind::Tools, &items),
            "there was none before"
        );
        offers.set_apart();
        offers.save();

        let again = Offers::load(&cache, &name, &server("http://localhost/1"));
        assert_eq!(again.list(ListKind::Tools), Some(Arc::clone(&items)));
        assert!(again.hello().is_some() && again.is_apart());
        assert_eq!(again.take_stale(), [ListKind::Tools]);
        assert!(!again.set_list(ListKind::Tools, &items));
        assert!(again.set_list(ListKind::Tools, &Vec::new().into()));
        let other = Offers::load(&cache, &name, &server("http://localhost/2"));
        assert!(other.hello().is_none() && other.list(ListKind::Tools).is_none());
    }
}
