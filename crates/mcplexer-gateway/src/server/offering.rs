//! What a server offers: asking for it, keeping it, and asking again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::{Server, lock};
use crate::bridge;
use crate::dialect::{Dialect, Era};
use crate::error::CallError;
use crate::instance::{Instance, has};
use crate::lists::{Item, Items, ListKind, page};
use crate::session::Route;

/// The most pages of one list that are read, so that a server cannot go on for ever.
const MAX_PAGES: usize = 1000;

/// How lists that are not known yet are asked for.
#[derive(Debug, Default)]
pub(super) struct Listing {
    under_way: BTreeSet<ListKind>,
    /// The lists without which clients were answered: they get a notice when these are there.
    missed: BTreeSet<ListKind>,
    /// Whether it was waited for in vain, so that nobody waits again.
    is_late: bool,
}

impl Listing {
    /// Forgets that it was waited for in vain: something is another way now.
    pub(super) fn wait_again(&mut self) {
        self.is_late = false;
    }
}

impl Server {
    /// Returns what it offers, as far as that is known without asking.
    pub(crate) fn listed(&self, kind: ListKind) -> Option<Items> {
        self.offers.list(kind)
    }

    /// Returns what it offers. The first time it is asked; a server that does not run is started.
    pub(crate) async fn list(
        self: &Arc<Self>,
        kind: ListKind,
        route: &Route,
    ) -> Result<Items, CallError> {
        if let Some(items) = self.listed(kind) {
            return Ok(items);
        }
        let served = self.instance(route).await?;
        let items = self.fetch(kind, &served.instance).await?;
        self.offers.set_list(kind, &items);
        self.context.listed();
        self.save();
        let was_missed = {
            let mut listing = lock(&self.listing);
            listing.is_late = false;
            listing.missed.remove(&kind)
        };
        if was_missed {
            self.context.changed(&self.name, kind);
        }
        Ok(items)
    }

    /// Returns what it offers, if that is known soon: a server that was waited for in vain is not waited for again. It is
    /// asked nevertheless, and clients are notified when it has answered. `None` if it has not.
    pub(crate) async fn list_soon(
        self: &Arc<Self>,
        kind: ListKind,
        route: &Route,
        patience: Duration,
    ) -> Option<Result<Items, CallError>> {
        let (is_first, is_late) = {
            let mut listing = lock(&self.listing);
            (listing.under_way.insert(kind), listing.is_late)
        };
        if is_late && !is_first {
            return self.missed(kind);
        }
        let (server, route) = (Arc::clone(self), route.clone());
        // It goes on when nobody waits any more.
        let listing = tokio::spawn(async move {
            let listed = server.list(kind, &route).await;
            let mut listing = lock(&server.listing);
            listing.under_way.remove(&kind);
            // Credentials that cannot be opened take no time, and are worth an error.
            listing.is_late = listed
                .as_ref()
                .is_err_and(|it| !matches!(it, CallError::NoCredential { .. }));
            drop(listing);
            listed
        });
        if is_late {
            return self.missed(kind);
        }
        match timeout(patience, listing).await {
            Ok(Ok(Err(error))) => {
                lock(&self.listing).missed.insert(kind);
                Some(Err(error))
            }
            Ok(answer) => answer.ok(),
            Err(_) => {
                lock(&self.listing).is_late = true;
                self.missed(kind)
            }
        }
    }

    /// Remembers that a client was answered without a list, unless it has come meanwhile.
    fn missed(&self, kind: ListKind) -> Option<Result<Items, CallError>> {
        lock(&self.listing).missed.insert(kind);
        let items = self.listed(kind)?;
        let mut listing = lock(&self.listing);
        listing.missed.remove(&kind);
        listing.is_late = false;
        Some(Ok(items))
    }

    pub(super) async fn fetch(
        &self,
        kind: ListKind,
        instance: &Arc<Instance>,
    ) -> Result<Items, CallError> {
        let mut items: Vec<Item> = Vec::new();
        let hello = instance.hello().unwrap_or_default();
        if !has(&hello, &["capabilities", kind.capability()]) {
            return Ok(items.into());
        }
        let meta = match instance.era() {
            Era::Legacy => String::new(),
            Era::Modern => format!(r#""_meta":{{{}}}"#, bridge::meta_of(&Dialect::own(), None)),
        };
        let mut params = format!("{{{meta}}}");
        for _ in 0..MAX_PAGES {
            let answer = instance.ask(kind.method(), &params).await?;
            let Some(result) = answer.message.result() else {
                // A server may have resources and no templates.
                break;
            };
            match page(kind, result, &mut items) {
                Some(cursor) if meta.is_empty() => params = format!(r#"{{"cursor":{cursor}}}"#),
                Some(cursor) => params = format!(r#"{{"cursor":{cursor},{meta}}}"#),
                None => break,
            }
        }
        if kind == ListKind::Tools {
            instance.learn_tools(&mut items);
        }
        Ok(items.into())
    }

    /// Writes down what it offers.
    pub(super) fn save(self: &Arc<Self>) {
        let server = Arc::clone(self);
        tokio::task::spawn_blocking(move || server.offers.save());
    }

    /// Asks again what it offers, and tells clients if that is something else.
    pub(super) fn refresh(self: &Arc<Self>, kinds: Vec<ListKind>, from: &Arc<Instance>) {
        let (server, from) = (Arc::clone(self), Arc::clone(from));
        tokio::spawn(async move {
            for kind in kinds {
                let Ok(items) = server.fetch(kind, &from).await else {
                    return;
                };
                let is_other = server.offers.set_list(kind, &items);
                server.context.listed();
                if is_other {
                    server.context.changed(&server.name, kind);
                }
            }
            server.save();
        });
    }
}

#[cfg(test)]
mod tests {
    use mcplexer_files::config::{Config, SearchPath, Server as Definition, Stdio, Transport};
    use mcplexer_home::{Home, OpenHome};
    use mcplexer_secrets::keys::PassphraseRequest;
    use tokio::time::Instant;

    use super::*;
    use crate::hub::Hub;
    use crate::options::Options;
    use crate::session::{Endpoint, Peer};

    /// The clock goes on only while everything waits for it.
    #[tokio::test(start_paused = true)]
    async fn nobody_waits_twice_for_a_server_that_hangs() {
        let directory = tempfile::tempdir().unwrap();
        let nobody = |_: &PassphraseRequest<'_>| None;
        let home = OpenHome::open(Home::at(directory.path().join("home")), nobody).unwrap();
        // It reads and never answers, with nothing but what the shell has built in.
        let silent = ["sh", "-c", "while read -r line; do :; done"];
        let mut stdio = Stdio::new(silent.map(str::to_owned).to_vec());
        stdio.path = SearchPath::Inherit;
        let hangs = Definition::new(Transport::Stdio(stdio));
        let mut config = Config::default();
        let name: mcplexer_files::config::ServerName = "hangs".parse().unwrap();
        config.servers.insert(name.clone(), hangs);
        let hub = Hub::new(Arc::new(home), &config, &Options::default());
        let server = hub.server(&name).unwrap();
        let session = hub.open(Endpoint::All, Peer::default());
        let route = Route::of(session);
        let patience = Duration::from_secs(3);
        let begin = Instant::now();
        let first = server.list_soon(ListKind::Tools, &route, patience).await;
        assert!(first.is_none() && begin.elapsed() >= patience);
        // Neither for another list, nor after a change of the configuration.
        hub.configure(&config);
        let begin = Instant::now();
        for kind in [ListKind::Tools, ListKind::Prompts, ListKind::Tools] {
            let next = server.list_soon(kind, &route, patience).await;
            assert!(next.is_none());
        }
        assert_eq!(begin.elapsed(), Duration::ZERO);
        hub.stop().await;
    }
}
