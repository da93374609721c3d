//! Which credentials to move.

use std::collections::HashSet;

use crate::config::ClientConfig;
use crate::server::{Place, Server};

/// Which credentials to move. The default moves all that planning finds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choice<'a> {
    /// Move only credentials of these servers. Empty: of all servers.
    pub servers: &'a [String],
    /// Move only these, even if they do not look like credentials. Empty: all that do.
    pub only: &'a [ChosenKey],
    /// Never move these.
    pub skip: &'a [ChosenKey],
}

/// A variable, of one server or of any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenKey {
    /// The server's name; `None` for any server.
    pub server: Option<String>,
    /// The variable's name.
    pub name: String,
}

impl ClientConfig {
    /// Returns whether a server has such a variable.
    #[must_use]
    pub fn has_variable(&self, key: &ChosenKey) -> bool {
        let is_it = |server: &Server, name: &str| {
            key.name == name && key.server.as_ref().is_none_or(|it| *it == server.name)
        };
        self.servers.iter().any(|server| {
            let mut texts = server.texts.iter();
            texts.any(|it| matches!(&it.place, Place::Env(name) if is_it(server, name)))
        })
    }
}

/// A choice, indexed: asking it costs the same however many names it has.
pub(crate) struct Selection<'a> {
    servers: HashSet<&'a str>,
    only: HashSet<(Option<&'a str>, &'a str)>,
    skip: HashSet<(Option<&'a str>, &'a str)>,
}

impl<'a> Selection<'a> {
    pub(crate) fn of(choice: &Choice<'a>) -> Self {
        let keys = |keys: &'a [ChosenKey]| {
            let pair = |key: &'a ChosenKey| (key.server.as_deref(), key.name.as_str());
            keys.iter().map(pair).collect()
        };
        Self {
            servers: choice.servers.iter().map(String::as_str).collect(),
            only: keys(choice.only),
            skip: keys(choice.skip),
        }
    }

    pub(crate) fn has_server(&self, server: &str) -> bool {
        self.servers.is_empty() || self.servers.contains(server)
    }

    /// Returns whether a variable may be moved.
    pub(crate) fn has(&self, server: &str, name: &str) -> bool {
        self.has_server(server)
            && (self.only.is_empty() || self.names(server, name))
            && !is_in(&self.skip, server, name)
    }

    /// Returns whether the choice names this variable, so that it need not look like a credential.
    pub(crate) fn names(&self, server: &str, name: &str) -> bool {
        is_in(&self.only, server, name)
    }
}

fn is_in(keys: &HashSet<(Option<&str>, &str)>, server: &str, name: &str) -> bool {
    keys.contains(&(None, name)) || keys.contains(&(Some(server), name))
}
