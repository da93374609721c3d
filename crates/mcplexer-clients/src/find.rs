//! Finding the servers in a document, and the texts in their entries.

use std::ptr;

use mcplexer_files::position::{Lines, Position};
use zeroize::Zeroizing;

use crate::launch::Launch;
use crate::layout::Layout;
use crate::node::{Node, Object, Value};
use crate::server::{Place, Server, Start, Text};

/// Members with the URL of a server.
const URLS: [&str; 3] = ["url", "serverUrl", "httpUrl"];
/// Members with the header fields of requests to a server.
const HEADERS: [&str; 2] = ["headers", "http_headers"];
/// Members that have a meaning of their own or never hold a secret.
const KNOWN: [&str; 8] = [
    "args",
    "env",
    "type",
    "cwd",
    "envFile",
    "bearer_token_env_var",
    "description",
    "name",
];

/// Returns the servers of a document, in the order of the file; `None` if it has no member for them.
pub(crate) fn servers(document: &Node, text: &str) -> Option<Vec<Server>> {
    let mut search = Search {
        lines: &Lines::of(text.as_bytes()),
        layout: &Layout::of(text),
        servers: None,
    };
    search.look(document, None);
    let mut servers = search.servers?;
    servers.sort_by_key(|server| (server.position.line, server.position.column));
    Some(servers)
}

struct Search<'a> {
    /// Counts columns from the position before: texts are visited in the order of the file, so
    /// that a long line is counted once.
    lines: &'a Lines<'a>,
    layout: &'a Layout,
    servers: Option<Vec<Server>>,
}

impl Search<'_> {
    /// Looks for servers in a value, which is the member `key` of another.
    fn look(&mut self, node: &Node, key: Option<&str>) {
        let Some(object) = node.object() else { return };
        for member in &object.members {
            let are_servers = match member.key.as_str() {
                "mcpServers" | "context_servers" | "mcp_servers" => true,
                // Other programs use this name too, for other things.
                "servers" => matches!(key, None | Some("mcp")),
                _ => false,
            };
            match member.node.object().filter(|_| are_servers) {
                Some(servers) => self.add(servers),
                None => self.look(&member.node, Some(&member.key)),
            }
        }
    }

    fn add(&mut self, servers: &Object) {
        let found = servers.members.iter().filter_map(|member| {
            let object = member.node.object()?;
            let position = self.lines.position(member.key_span.start);
            Some(self.server(&member.key, position, object))
        });
        let found: Vec<_> = found.collect();
        self.servers.get_or_insert_default().extend(found);
    }

    fn server(&self, name: &str, position: Position, entry: &Object) -> Server {
        // In older settings of Zed, the command is an object of its own.
        let inner = entry.get("command").and_then(Node::object);
        let launch = match inner {
            Some(inner) => Launch::of(inner, "path", self.layout),
            None => Launch::of(entry, "command", self.layout),
        };
        let start = match &launch {
            Some(launch) if launch.is_adopted() => Start::Adopted,
            Some(launch) if launch.possible_line().is_none() => Start::Command,
            _ if URLS.iter().any(|key| entry.get(key).is_some()) => Start::Remote,
            _ => Start::Unknown,
        };
        let mut texts = Vec::new();
        self.collect(entry, inner, &mut texts);
        Server {
            name: name.to_owned(),
            position,
            start,
            launch,
            texts,
        }
    }

    /// Collects the texts of a server's entry, and of the object in it that is its command.
    fn collect(&self, entry: &Object, inner: Option<&Object>, texts: &mut Vec<Text>) {
        for member in &entry.members {
            let (key, node) = (member.key.as_str(), &member.node);
            match &node.value {
                Value::Object(env) if key == "env" => self.members(env, Place::Env, texts),
                Value::Object(fields) if HEADERS.contains(&key) => {
                    self.members(fields, Place::Header, texts);
                }
                Value::Array(arguments) if key == "args" => {
                    let arguments = arguments.iter().enumerate();
                    texts.extend(
                        arguments.map(|(at, node)| self.text(Place::Argument(at + 1), node)),
                    );
                }
                Value::String(_) if URLS.contains(&key) => texts.push(self.text(Place::Url, node)),
                _ if KNOWN.contains(&key) => {}
                Value::Object(object) if key == "command" => {
                    if inner.is_some_and(|inner| ptr::eq(inner, object)) {
                        self.collect(object, None, texts);
                    }
                }
                _ => self.others(key, node, texts),
            }
        }
    }

    /// Collects every string in a member of unknown meaning.
    fn others(&self, name: &str, node: &Node, texts: &mut Vec<Text>) {
        match &node.value {
            Value::String(_) => texts.push(self.text(Place::Member(name.to_owned()), node)),
            Value::Array(elements) => {
                for element in elements {
                    self.others(name, element, texts);
                }
            }
            Value::Object(object) => {
                for member in &object.members {
                    self.others(&format!("{name}.{}", member.key), &member.node, texts);
                }
            }
            Value::Other => {}
        }
    }

    fn members(&self, object: &Object, place: fn(String) -> Place, texts: &mut Vec<Text>) {
        let members = object.members.iter();
        texts.extend(members.map(|member| self.text(place(member.key.clone()), &member.node)));
    }

    fn text(&self, place: Place, node: &Node) -> Text {
        Text {
            place,
            span: node.span.clone(),
            position: self.lines.position(node.span.start),
            value: node.text().map(|text| Zeroizing::new(text.to_owned())),
        }
    }
}
