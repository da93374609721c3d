//! What the entry of a server is like.

use crate::launch::Keys;
use crate::node::{Node, Object};

/// Members with the URL of a server.
pub(super) const URLS: [&str; 4] = ["url", "serverUrl", "httpUrl", "uri"];
/// Members with the command of a server.
pub(super) const COMMANDS: [&str; 2] = ["command", "cmd"];
/// Members in which the command, its arguments and its environment are in some files.
pub(super) const INNER: [&str; 2] = ["command", "transport"];

const COMMAND: Keys = Keys {
    program: "command",
    arguments: "args",
};
/// Goose.
const CMD: Keys = Keys {
    program: "cmd",
    arguments: "args",
};
/// Zed, in older settings.
const PATH: Keys = Keys {
    program: "path",
    arguments: "args",
};

pub(super) trait Entry {
    /// Returns the object that has the command, which may be one in the entry, and where in it.
    fn launch(&self) -> (&Object, &Keys);

    /// Returns the object in the entry that has its command.
    fn inner(&self) -> Option<&Object>;

    fn has_url(&self) -> bool;

    /// Returns whether the object looks like the entry of a server.
    fn is_entry(&self) -> bool;

    /// Returns whether a member looks like the entry of a server.
    fn has_entry(&self) -> bool;

    /// Returns whether a member names a program alone.
    fn has_program(&self) -> bool;

    /// Returns whether there are such members and nothing else.
    fn has_only_entries(&self) -> bool;
}

impl Entry for Object {
    fn launch(&self) -> (&Object, &Keys) {
        match self.inner() {
            Some(inner) if inner.get("path").is_some() => (inner, &PATH),
            Some(inner) => (inner, &COMMAND),
            None if self.get("command").is_none() => (self, &CMD),
            None => (self, &COMMAND),
        }
    }

    fn inner(&self) -> Option<&Object> {
        INNER.iter().find_map(|key| self.get(key)?.object())
    }

    fn has_url(&self) -> bool {
        URLS.iter().any(|key| self.get(key).is_some())
    }

    fn is_entry(&self) -> bool {
        let is_text = |key: &&str| self.get(key).is_some_and(|it| it.text().is_some());
        let is_list = |key: &&str| self.get(key).is_some_and(|it| it.elements().is_some());
        COMMANDS.iter().any(|key| is_text(key) || is_list(key))
            || self.inner().is_some()
            || URLS.iter().any(is_text)
    }

    fn has_entry(&self) -> bool {
        let mut objects = self.members.iter().filter_map(|it| it.node.object());
        objects.any(Entry::is_entry)
    }

    fn has_program(&self) -> bool {
        let mut objects = self.members.iter().filter_map(|it| it.node.object());
        objects.any(|it| it.get("command").is_some_and(|it| it.text().is_some()))
    }

    fn has_only_entries(&self) -> bool {
        let is_schema = |key: &str| key.starts_with('$');
        let mut members = self
            .members
            .iter()
            .filter(|it| !is_schema(&it.key))
            .peekable();
        members.peek().is_some() && members.all(|it| it.node.object().is_some_and(Entry::is_entry))
    }
}

/// Returns whether a member of an entry is its command, as a list with its arguments.
pub(super) fn is_line(key: &str, node: &Node) -> bool {
    COMMANDS.contains(&key) && node.elements().is_some()
}
