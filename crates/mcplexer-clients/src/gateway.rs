//! Replacing all servers of a file by one that connects to the gateway, and putting them back.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use mcplexer_files::position::{Lines, Position};
use zeroize::Zeroizing;

use crate::config::ClientConfig;
use crate::document;
use crate::edit::{Edit, apply};
use crate::entry::{Entry, Reach};
use crate::node::{Member, Node, Object, Value};
use crate::server::Server;
use crate::syntax::Syntax;

/// The name of the server that remains.
const NAME: &str = "mcplexer";

/// A file whose servers are behind the gateway.
#[derive(Clone, PartialEq, Eq)]
pub struct HandedOver {
    /// The bytes of the file.
    pub text: Zeroizing<Vec<u8>>,
    /// The servers as they were written, for [`ClientConfig::take_back`]: one text for each map of servers.
    pub servers: Vec<String>,
}

/// Why a file cannot be handed over to the gateway, or be taken back from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandOverError {
    /// It has no servers, or only the one that connects to the gateway.
    #[error("it has no servers to hand over")]
    NoServers,
    /// The servers are in TOML or in a list.
    #[error("its servers are not in a map of JSON or YAML")]
    Notation,
    /// The file could not be put back to the byte.
    #[error("it could not be put back as it was")]
    NotUndone,
    /// It has no server that connects to the gateway for this client, or another number of them.
    #[error("it does not connect to the gateway for this client as it did when it was handed over")]
    Changed,
}

impl Entry<'_> {
    /// Returns whether it connects to the gateway, for whichever client.
    #[must_use]
    pub fn is_gateway(&self) -> bool {
        self.client().is_some()
    }

    /// Returns the client for which it connects to the gateway.
    fn client(&self) -> Option<&str> {
        let Reach::Command { line, .. } = &self.reach else {
            return None;
        };
        match line.as_slice() {
            [program, connect, option, client] if connect == "connect" && option == "--client" => {
                let name = program.rsplit(['/', '\\']).next();
                (name == Some("mcplexer")).then_some(client)
            }
            _ => None,
        }
    }
}

impl ClientConfig {
    /// Returns the file with one server in the place of each map of servers: it runs `program connect --client CLIENT`.
    /// The rest of the file stays as it is.
    ///
    /// Adopt the file first: what [`HandedOver::servers`] keeps has no credentials then, but those that stay in it.
    ///
    /// # Errors
    /// [`HandOverError`].
    pub fn hand_over(&self, program: &str, client: &str) -> Result<HandedOver, HandOverError> {
        if self.entries().iter().all(Entry::is_gateway) {
            return Err(HandOverError::NoServers);
        }
        let document = self.document()?;
        let lines = Lines::of(self.text.as_bytes());
        let maps = self.maps(&document, &lines);
        let count: usize = maps.iter().map(|map| map.members.len()).sum();
        if count < self.servers.len() {
            return Err(HandOverError::Notation);
        }
        let mut edits = Vec::new();
        let mut servers = Vec::new();
        for map in maps {
            let (Some(first), Some(last)) = (map.members.first(), map.members.last()) else {
                continue;
            };
            let span = first.key_span.start..self.end(&last.node);
            servers.push(self.text.get(span.clone()).unwrap_or_default().to_owned());
            edits.push(Edit::replace(span, member(map, program, client)));
        }
        let text = apply(&self.text, edits);
        self.check(&text, client, &servers)?;
        Ok(HandedOver {
            text: self.bytes(&text),
            servers,
        })
    }

    /// Returns the file with the servers back that [`hand_over`](Self::hand_over) has taken out. What else has changed
    /// in the file since stays changed.
    ///
    /// # Errors
    /// [`HandOverError::Changed`] if the file no longer has what `hand_over` has put into it.
    pub fn take_back(
        &self,
        client: &str,
        servers: &[String],
    ) -> Result<Zeroizing<Vec<u8>>, HandOverError> {
        let text = self.taken_back(client, servers)?;
        Ok(self.bytes(&text))
    }

    fn taken_back(
        &self,
        client: &str,
        servers: &[String],
    ) -> Result<Zeroizing<String>, HandOverError> {
        let document = self.document()?;
        let lines = Lines::of(self.text.as_bytes());
        let maps = self.maps(&document, &lines);
        let entries = self.entries();
        let of_client = entries.iter().filter(|it| it.client() == Some(client));
        let of_client = Self::places(of_client.map(|it| it.server));
        let connects = |member: &&Member| {
            let position = lines.position(member.key_span.start);
            member.key == NAME && of_client.contains(&(position, NAME))
        };
        let members = maps.iter().flat_map(|map| &map.members).filter(connects);
        let spans = members.map(|it| it.key_span.start..self.end(&it.node));
        let spans: Vec<Range<usize>> = spans.collect();
        if spans.is_empty() || spans.len() != servers.len() {
            return Err(HandOverError::Changed);
        }
        let edits = spans.into_iter().zip(servers);
        let edits = edits.map(|(span, text)| Edit::replace(span, text.as_str()));
        Ok(apply(&self.text, edits.collect()))
    }

    /// Checks that a file has its one server, and that taking back gives this file.
    fn check(&self, text: &str, client: &str, servers: &[String]) -> Result<(), HandOverError> {
        let after = Self::parse(text.as_bytes(), self.syntax);
        let after = after.map_err(|_| HandOverError::NotUndone)?;
        let has_others = after.entries().iter().any(|it| it.client() != Some(client));
        let back = after.taken_back(client, servers)?;
        match !has_others && *back == *self.text {
            true => Ok(()),
            false => Err(HandOverError::NotUndone),
        }
    }

    fn document(&self) -> Result<Node, HandOverError> {
        match self.syntax {
            Syntax::Toml => Err(HandOverError::Notation),
            syntax => document::parse(&self.text, syntax).map_err(|_| HandOverError::NotUndone),
        }
    }

    /// Returns the places and names of these servers.
    fn places<'s>(servers: impl Iterator<Item = &'s Server>) -> BTreeSet<(Position, &'s str)> {
        let places = servers.map(|it| (it.position, it.name.as_str()));
        places.collect()
    }

    /// Returns the maps in which the servers are, in the order of the file.
    fn maps<'n>(&self, document: &'n Node, lines: &Lines<'_>) -> Vec<&'n Object> {
        let servers = Self::places(self.servers.iter());
        let mut maps = Vec::new();
        find(document, &mut maps, &|member| {
            // The first member of an element of a list begins where the element does.
            let position = lines.position(member.key_span.start);
            servers.contains(&(position, member.key.as_str()))
        });
        maps
    }

    /// Returns where a node ends: what has lines of its own in YAML ends with its last scalar.
    fn end(&self, node: &Node) -> usize {
        let written = self.text.get(node.span.clone()).unwrap_or_default();
        match &node.value {
            Value::Object(object) if !object.in_braces => {
                let last = object.members.last();
                last.map_or(node.span.start, |it| self.end(&it.node))
            }
            Value::Array(elements) if !written.starts_with('[') => {
                elements.last().map_or(node.span.start, |it| self.end(it))
            }
            _ => node.span.end,
        }
    }
}

/// Adds the maps that have such a member.
fn find<'n>(node: &'n Node, found: &mut Vec<&'n Object>, is_server: &dyn Fn(&Member) -> bool) {
    match &node.value {
        Value::Object(object) if object.members.iter().any(is_server) => found.push(object),
        Value::Object(object) => {
            let members = object.members.iter();
            members.for_each(|it| find(&it.node, found, is_server));
        }
        Value::Array(elements) => elements.iter().for_each(|it| find(it, found, is_server)),
        Value::String(_) | Value::Other => {}
    }
}

/// Returns the member that connects to the gateway, in the notation of the others of a map.
fn member(map: &Object, program: &str, client: &str) -> String {
    let entries = map.members.iter().filter_map(|it| it.node.object());
    let entries: Vec<_> = entries.collect();
    let starts = |entry: &&&Object| ["command", "cmd"].iter().any(|it| entry.get(it).is_some());
    let model = entries.iter().find(starts);
    let arguments = ["connect", "--client", client];
    let list = |words: &[&str]| {
        let words: Vec<_> = words.iter().map(|it| quoted(it)).collect();
        format!("[{}]", words.join(", "))
    };
    let mut members: Vec<(&str, String)> = Vec::new();
    let command = model.and_then(|it| it.get("command"));
    // An HTTP server of this client says what it is, so the others may have to as well.
    let kinds = ["type", "source", "transport"];
    match model {
        Some(model) => {
            let texts = kinds
                .iter()
                .filter_map(|key| Some((*key, model.get(key)?.text()?)));
            members.extend(texts.map(|(key, text)| (key, quoted(text))));
        }
        None if entries.iter().any(|it| it.get("type").is_some()) => {
            members.push(("type", quoted("stdio")));
        }
        None => {}
    }
    match command.map(|it| &it.value) {
        Some(Value::Array(_)) => {
            members.push(("command", list(&[&[program], &arguments[..]].concat())));
        }
        Some(Value::Object(_)) => {
            let (path, arguments) = (quoted(program), list(&arguments));
            let inner = format!("{{ \"path\": {path}, \"args\": {arguments} }}");
            members.push(("command", inner));
        }
        None if model.is_some() => {
            members.push(("cmd", quoted(program)));
            members.push(("args", list(&arguments)));
        }
        _ => {
            members.push(("command", quoted(program)));
            members.push(("args", list(&arguments)));
        }
    }
    let has = |key: &str| model.is_some_and(|it| it.get(key).is_some());
    if has("enabled") {
        members.push(("enabled", "true".to_owned()));
    }
    if has("name") {
        members.push(("name", quoted(NAME)));
    }
    let members = members
        .iter()
        .map(|(key, text)| format!("\"{key}\": {text}"));
    let members: Vec<_> = members.collect();
    format!("\"{NAME}\": {{ {} }}", members.join(", "))
}

/// Returns a text as JSON and YAML read it between quotes.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl fmt::Debug for HandedOver {
    /// Writes no text, which may have secrets in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HandedOver({})", self.servers.len())
    }
}
