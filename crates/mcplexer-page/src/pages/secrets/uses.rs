//! Which servers use a secret, and which call used it last.

use std::collections::BTreeSet;

use maud::{Markup, html};
use mcplexer_files::config::ServerName;
use mcplexer_files::reference::Reference;
use mcplexer_home::calls::Call;
use mcplexer_home::{Home, servers};
use mcplexer_secrets::ScopeId;

use crate::pages::words::time;

/// What the servers in `config.yaml` get of one scope.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// A server and the key that it refers to; `None` for all keys.
    uses: BTreeSet<(ServerName, Option<String>)>,
}

impl Uses {
    /// Finds the uses of a scope. None if the configuration cannot be read: other pages say so.
    pub(super) fn of(home: &Home, scope: &ScopeId) -> Self {
        let servers = servers::list(home).map(|it| it.servers).unwrap_or_default();
        let mut uses = BTreeSet::new();
        for row in servers {
            let references = servers::references(&row.server);
            let references = references.iter().filter(|it| it.scope == *scope);
            let keys = references.map(|it: &Reference| Some(it.name.to_string()));
            uses.extend(keys.map(|key| (row.name.clone(), key)));
            if row.server.transport.scopes().any(|it| it == scope) {
                uses.insert((row.name, None));
            }
        }
        Self { uses }
    }

    /// Returns the servers that get a secret; `None` for any of the scope.
    fn servers(&self, key: Option<&str>) -> BTreeSet<&str> {
        let gets = |of: &Option<String>| match (key, of) {
            (Some(key), Some(of)) => key == of,
            _ => true,
        };
        let used = self.uses.iter().filter(|(_, of)| gets(of));
        used.map(|(server, _)| server.as_str()).collect()
    }

    /// Says which servers would miss a secret; `None` for any of the scope.
    pub(super) fn warning(&self, key: Option<&str>) -> Markup {
        let servers: Vec<_> = self.servers(key).into_iter().collect();
        html! {
            @if !servers.is_empty() { small { "Used by " (servers.join(", ")) ". Without it, that does not start." } }
        }
    }

    /// Shows the servers that get a secret.
    pub(super) fn of_key(&self, key: &str) -> Markup {
        let servers = self.servers(Some(key));
        html! {
            @if servers.is_empty() { span .none { "–" } }
            @for (at, server) in servers.into_iter().enumerate() {
                @if at > 0 { ", " }
                a href={ "/servers/" (server) } { (server) }
            }
        }
    }
}

/// Shows the last of these calls, the newest of which is last, whose server was given the secret.
pub(super) fn last_used(calls: &[Call], scope: &str, key: &str) -> Markup {
    let own = format!("{scope}/{key}");
    let is_own = |it: &String| it.rsplit_once('@').is_some_and(|(name, _)| name == own);
    let used = calls.iter().rfind(|it| it.secrets.iter().any(is_own));
    html! {
        @match used {
            Some(call) => { (time(&call.time)) ", by " a href={ "/servers/" (call.server) } { (call.server) } },
            None => span .none { "in none of the latest calls" },
        }
    }
}
