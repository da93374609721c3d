//! Finding the servers in a document, and the texts in their entries.

mod entry;
mod settings;
mod texts;

use std::ops::Range;

use mcplexer_files::position::{Lines, Position};

use crate::environment::Environment;
use crate::launch::Launch;
use crate::layout::Layout;
use crate::node::{Node, Object, Value};
use crate::server::{Server, Start};
use crate::syntax::Syntax;
use crate::variables::Variables;
use entry::Entry;

/// Members with the servers of a client by their names. A client's own prefix may be before it, as in
/// `amp.mcpServers`.
const SERVERS: [&str; 3] = ["mcpServers", "context_servers", "mcp_servers"];

/// What was found in a document.
pub(crate) struct Found {
    /// The servers, in the order of the file.
    pub(crate) servers: Vec<Server>,
    /// The maps that have the servers, in the order in which they were found. Those may be empty.
    pub(crate) maps: Vec<ServerMap>,
    /// The variables of the client that has such files.
    pub(crate) variables: Variables,
}

/// Where a map of servers is.
pub(crate) struct ServerMap {
    pub(crate) span: Range<usize>,
    /// The directory of its project, in a file that has several.
    pub(crate) project: Option<String>,
}

/// Returns the servers of a document; `None` if it has no member for them.
pub(crate) fn servers(document: &Node, text: &str, syntax: Syntax) -> Option<Found> {
    let mut search = Search {
        text,
        syntax,
        lines: &Lines::of(text.as_bytes()),
        layout: &Layout::of(text),
        servers: None,
        maps: Vec::new(),
        variables: Variables::default(),
    };
    search.look(document, None, None);
    if search.servers.is_none() {
        search.look_at_whole(document);
    }
    let mut servers = search.servers?;
    servers.sort_by_key(|server| (server.position.line, server.position.column));
    Some(Found {
        servers,
        maps: search.maps,
        variables: search.variables,
    })
}

struct Search<'a> {
    text: &'a str,
    syntax: Syntax,
    /// Counts columns from the position before: texts are visited in the order of the file, so
    /// that a long line is counted once.
    lines: &'a Lines<'a>,
    layout: &'a Layout,
    servers: Option<Vec<Server>>,
    maps: Vec<ServerMap>,
    variables: Variables,
}

impl Search<'_> {
    /// Looks for servers in a value, which is the member `key` of another.
    fn look(&mut self, node: &Node, key: Option<&str>, project: Option<&str>) {
        let Some(object) = node.object() else { return };
        for member in &object.members {
            let name = member.key.as_str();
            let is_found = match (&member.node.value, are_servers(name, key)) {
                (Value::Object(servers), Some(Are::Sure)) => {
                    self.add(&member.node, servers, project);
                    true
                }
                (Value::Object(servers), Some(Are::IfOneIs)) if servers.has_entry() => {
                    // Crush names the program alone; OpenCode and Kilo Code list it with its arguments.
                    if name == "mcp" && servers.has_program() {
                        self.variables = Variables::Shell;
                    }
                    self.add(&member.node, servers, project);
                    true
                }
                // Continue lists its servers, each with its name.
                (Value::Array(servers), Some(_)) => self.add_list(servers, project),
                _ => false,
            };
            if !is_found {
                let project = match key {
                    Some("projects") => Some(name),
                    _ => project,
                };
                self.look(&member.node, Some(name), project);
            }
        }
    }

    /// Takes a document for servers by their names if each of its members looks like one.
    fn look_at_whole(&mut self, document: &Node) {
        if let Some(object) = document.object().filter(|it| it.has_only_entries()) {
            self.add(document, object, None);
        }
    }

    fn add(&mut self, map: &Node, servers: &Object, project: Option<&str>) {
        self.maps.push(ServerMap {
            span: map.span.clone(),
            project: project.map(str::to_owned),
        });
        let found = servers.members.iter().filter_map(|member| {
            let object = member.node.object()?;
            let position = self.lines.position(member.key_span.start);
            Some(self.server(&member.key, project, position, object))
        });
        let found: Vec<_> = found.collect();
        self.servers.get_or_insert_default().extend(found);
    }

    /// Adds the servers of a list. Returns whether it can be such a list.
    fn add_list(&mut self, servers: &[Node], project: Option<&str>) -> bool {
        let found = servers.iter().zip(1..).filter_map(|(node, number)| {
            let object = node.object()?;
            let name = object.get("name").and_then(Node::text);
            let name = name.map_or_else(|| format!("{number}"), str::to_owned);
            let position = self.lines.position(node.span.start);
            Some(self.server(&name, project, position, object))
        });
        let found: Vec<_> = found.collect();
        let is_list = !found.is_empty() || servers.is_empty();
        if is_list {
            self.servers.get_or_insert_default().extend(found);
        }
        is_list
    }

    fn server(
        &self,
        name: &str,
        project: Option<&str>,
        position: Position,
        entry: &Object,
    ) -> Server {
        let (of_launch, keys) = entry.launch();
        let (text, layout, syntax) = (self.text, self.layout, self.syntax);
        let launch = Launch::of(of_launch, keys, text, layout, syntax);
        let environment = Environment::of((entry, of_launch), keys, text, layout, syntax);
        let start = match &launch {
            Some(launch) if launch.is_adopted() => Start::Adopted,
            Some(launch) if launch.possible_line().is_none() => Start::Command,
            _ if entry.has_url() => Start::Remote,
            _ => Start::Unknown,
        };
        Server {
            name: name.to_owned(),
            project: project.map(str::to_owned),
            position,
            start,
            launch,
            has_shared_command: [keys.program, keys.arguments]
                .iter()
                .any(|key| of_launch.get(key).is_some_and(|it| it.is_shared)),
            environment,
            texts: texts::of(entry, self.lines),
            settings: settings::of(entry, self.text),
        }
    }
}

/// How sure it is that a member has servers.
enum Are {
    Sure,
    /// Other programs use this name too, for other things.
    IfOneIs,
}

fn are_servers(name: &str, key: Option<&str>) -> Option<Are> {
    let last = name.rsplit('.').next().unwrap_or(name);
    match name {
        _ if SERVERS.contains(&last) => Some(Are::Sure),
        "mcp.servers" => Some(Are::Sure),
        "servers" if matches!(key, None | Some("mcp")) => Some(Are::Sure),
        // OpenCode, Kilo Code and Crush; Goose; Continue before it had `mcpServers`.
        "mcp" | "extensions" | "modelContextProtocolServers" => Some(Are::IfOneIs),
        _ => None,
    }
}
