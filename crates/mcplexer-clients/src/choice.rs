//! Which credentials to move.

use std::collections::HashSet;

use crate::config::ClientConfig;
use crate::server::{Place, Server};

/// Which credentials to move. The default moves all that planning finds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choice<'a> {
    /// Move only credentials of these servers. Empty: of all servers. Each may be named as
    /// [`Server::is_named`] says.
    pub servers: &'a [String],
    /// Move only these, even if they do not look like credentials. Empty: all that do.
    pub only: &'a [ChosenKey],
    /// Never move these.
    pub skip: &'a [ChosenKey],
    /// Move what is in arguments as well. Other programs can see it there while the server runs.
    pub allow_arguments: bool,
    /// Move what is in header fields of these servers as well, by their place in
    /// [`ClientConfig::servers`], sorted. Their client cannot fill it in: they must go [behind the
    /// gateway](ClientConfig::hand_over).
    pub headers_of: &'a [usize],
}

/// A variable, of one server or of any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenKey {
    /// The server, as [`Server::is_named`] says; `None` for any server.
    pub server: Option<String>,
    /// The variable's name.
    pub name: String,
}

impl ClientConfig {
    /// Returns whether a server has such a variable.
    #[must_use]
    pub fn has_variable(&self, key: &ChosenKey) -> bool {
        let is_it = |server: &Server, name: &str| {
            key.name == name && key.server.as_ref().is_none_or(|it| server.is_named(it))
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
    allow_arguments: bool,
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
            allow_arguments: choice.allow_arguments,
        }
    }

    /// Returns what the choice says about a server.
    pub(crate) fn server(&self, server: &'a Server) -> OfServer<'_, 'a> {
        OfServer {
            selection: self,
            name: &server.name,
            project: server.project.as_deref(),
            path: server.path(),
        }
    }
}

/// What a choice says about one server.
pub(crate) struct OfServer<'s, 'a> {
    selection: &'s Selection<'a>,
    name: &'a str,
    project: Option<&'a str>,
    path: Option<String>,
}

impl OfServer<'_, '_> {
    pub(crate) fn is_chosen(&self) -> bool {
        let servers = &self.selection.servers;
        servers.is_empty() || self.names().any(|it| servers.contains(it))
    }

    /// Returns whether what is in an argument, and is to have this name, may be moved.
    pub(crate) fn has_argument(&self, name: &str) -> bool {
        self.selection.allow_arguments && self.has(name)
    }

    /// Returns whether a variable may be moved.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.is_chosen()
            && (self.selection.only.is_empty() || self.asks_for(name))
            && !self.is_in(&self.selection.skip, name)
    }

    /// Returns whether the choice names this variable, so that it need not look like a credential.
    pub(crate) fn asks_for(&self, name: &str) -> bool {
        self.is_in(&self.selection.only, name)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let others = self.project.into_iter().chain(self.path.as_deref());
        std::iter::once(self.name).chain(others)
    }

    fn is_in(&self, keys: &HashSet<(Option<&str>, &str)>, name: &str) -> bool {
        keys.contains(&(None, name)) || self.names().any(|it| keys.contains(&(Some(it), name)))
    }
}
