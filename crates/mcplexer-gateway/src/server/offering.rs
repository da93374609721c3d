//! What a server offers: asking for it, keeping it, and asking again.

use std::sync::Arc;

use super::Server;
use crate::bridge;
use crate::dialect::{Dialect, Era};
use crate::error::CallError;
use crate::instance::{Instance, has};
use crate::lists::{Item, Items, ListKind, page};
use crate::session::Route;

/// The most pages of one list that are read, so that a server cannot go on for ever.
const MAX_PAGES: usize = 1000;

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
        Ok(items)
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
