//! The tool servers of a configuration, and the texts in them that may be credentials.

use std::fmt;
use std::ops::Range;

use zeroize::Zeroizing;

use super::document::{Node, Object, Value};
use super::launch::Launch;
use mcplexer_files::position::{Lines, Position};

/// Members of a server that name its address.
const URLS: [&str; 3] = ["url", "serverUrl", "httpUrl"];
/// Members of a server that hold the header fields of requests to it.
const HEADERS: [&str; 2] = ["headers", "http_headers"];
/// Members of a server that are looked at otherwise, or that say nothing secret.
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

/// A tool server of a configuration.
pub struct Server {
    /// Its name.
    pub name: String,
    /// Where the file has it.
    pub position: Position,
    /// How the client reaches it.
    pub start: Start,
    pub(super) launch: Option<Launch>,
    pub(super) texts: Vec<Text>,
}

/// How a client reaches a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Start {
    /// It starts a command.
    Command,
    /// It starts a command through `mcplexer run`.
    Adopted,
    /// The server is elsewhere, at a URL.
    Remote,
    /// In no way that is known.
    Unknown,
}

/// What of a server a text is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The value of this variable of its environment.
    Env(String),
    /// The value of this header field of requests to it.
    Header(String),
    /// An argument of its command, counted from 1.
    Argument(usize),
    /// Its address.
    Url,
    /// The value of some other member; of one within another as `auth.clientSecret`.
    Member(String),
    /// Elsewhere in the file, such as in a comment.
    Elsewhere,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env {name}"),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Argument(number) => write!(f, "argument {number}"),
            Self::Url => f.write_str("url"),
            Self::Member(name) => f.write_str(name),
            Self::Elsewhere => f.write_str("elsewhere"),
        }
    }
}

/// A value in a server's entry.
pub(super) struct Text {
    pub(super) place: Place,
    pub(super) span: Range<usize>,
    pub(super) position: Position,
    /// `None` if it is no string.
    pub(super) value: Option<Zeroizing<String>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("name", &self.name)
            .field("position", &self.position)
            .field("start", &self.start)
            .finish_non_exhaustive()
    }
}

/// The servers of a document; `None` if it has no place for them.
pub(super) fn find(document: &Node, text: &str) -> Option<Vec<Server>> {
    let mut found = Found {
        lines: &Lines::of(text.as_bytes()),
        servers: None,
    };
    found.look(document, None);
    let mut servers = found.servers?;
    servers.sort_by_key(|server| (server.position.line, server.position.column));
    Some(servers)
}

struct Found<'a> {
    lines: &'a Lines<'a>,
    servers: Option<Vec<Server>>,
}

impl Found<'_> {
    /// Looks for servers in a value, which is the member `key` of another.
    fn look(&mut self, node: &Node, key: Option<&str>) {
        let Some(object) = node.object() else { return };
        for member in &object.members {
            let are_servers = match member.key.as_str() {
                "mcpServers" | "context_servers" | "mcp_servers" => true,
                // So many things are called that.
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
        // Zed had the command as an object of its own.
        let inner = entry.get("command").and_then(Node::object);
        let (place, program) = match inner {
            Some(inner) => (inner, "path"),
            None => (entry, "command"),
        };
        let launch = Launch::of(place, program);
        let start = match &launch {
            Some(launch) if launch.is_adopted() => Start::Adopted,
            Some(_) => Start::Command,
            None if URLS.iter().any(|key| entry.get(key).is_some()) => Start::Remote,
            None => Start::Unknown,
        };
        let mut texts = Vec::new();
        self.collect(place, &mut texts);
        if inner.is_some() {
            self.collect(entry, &mut texts);
        }
        Server {
            name: name.to_owned(),
            position,
            start,
            launch,
            texts,
        }
    }

    /// Collects the texts of a server's entry.
    fn collect(&self, entry: &Object, texts: &mut Vec<Text>) {
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
                // Zed's command as an object of its own is looked at by itself.
                Value::Object(_) if key == "command" => {}
                _ => self.others(key, node, texts),
            }
        }
    }

    /// Collects every string in a member that means nothing here.
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
