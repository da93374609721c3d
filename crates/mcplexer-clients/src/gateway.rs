//! Replacing all servers of a file by one that connects to the gateway, and putting them back.

mod handed;
mod member;
mod reconnect;

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
pub use handed::HandedMap;
use handed::Kept;
use member::member;
pub use reconnect::Presence;

/// The name of the server that remains.
const NAME: &str = "mcplexer";

/// A file whose servers are behind the gateway.
#[derive(Clone, PartialEq, Eq)]
pub struct HandedOver {
    /// The bytes of the file.
    pub text: Zeroizing<Vec<u8>>,
    /// The servers as they were written, for [`ClientConfig::take_back`]: an element for each map of servers.
    pub servers: Vec<HandedMap>,
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
    /// A server that stays has the name of the one that connects to the gateway.
    #[error("a server that stays in it is called {NAME}")]
    Name,
    /// A value that goes to the store would be kept in plaintext, such as one in a comment.
    #[error("a credential of it is also elsewhere among the servers")]
    Credential,
    /// The file could not be put back to the byte.
    #[error("it could not be put back as it was")]
    NotUndone,
    /// A server that was handed over is in it again.
    #[error("it has a server again that is behind the gateway")]
    Again,
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
    /// Returns the file with one server in the place of those that `moves` chooses, in each map that has some: it runs
    /// `program connect --client CLIENT`. The rest of the file stays as it is.
    ///
    /// Adopt the file first: what [`HandedOver::servers`] keeps has no credentials then, but those that stay in it.
    ///
    /// # Errors
    /// [`HandOverError`].
    pub fn hand_over(
        &self,
        program: &str,
        client: &str,
        moves: &dyn Fn(&Server) -> bool,
    ) -> Result<HandedOver, HandOverError> {
        let chosen = self.servers.iter().filter(|it| moves(it));
        let chosen = Self::places(chosen);
        if chosen.is_empty() {
            return Err(HandOverError::NoServers);
        }
        let entries = self.entries();
        let gateways = entries.iter().filter(|it| it.is_gateway());
        let gateways = Self::places(gateways.map(|it| it.server));
        let document = self.document()?;
        let lines = Lines::of(self.text.as_bytes());
        let maps = self.maps(&document, &lines);
        let is_in = |places: &BTreeSet<_>, member: &Member| {
            let position = lines.position(member.key_span.start);
            places.contains(&(position, member.key.as_str()))
        };
        let members = || maps.iter().flat_map(|map| &map.members);
        if members().filter(|it| is_in(&chosen, it)).count() < chosen.len() {
            return Err(HandOverError::Notation);
        }
        let mut edits = Vec::new();
        let mut servers = Vec::new();
        for map in &maps {
            if !map.members.iter().any(|it| is_in(&chosen, it)) {
                continue;
            }
            // A second connection would have the name of the first.
            let goes = |it: &Member| is_in(&chosen, it) || is_in(&gateways, it);
            if map.members.iter().any(|it| !goes(it) && it.key == NAME) {
                return Err(HandOverError::Name);
            }
            let entry = member(map, program, client);
            let (span, mut handed, text) = self.hand_over_map(map, &goes, entry)?;
            let chosen = map.members.iter().filter(|it| is_in(&chosen, it));
            handed.names = chosen.map(|it| it.key.clone()).collect();
            handed.project = self.project_of(map);
            servers.push(handed);
            edits.push(Edit::replace(span, text));
        }
        let text = apply(&self.text, edits);
        self.check(&text, client, &servers)?;
        Ok(HandedOver {
            text: self.bytes(&text),
            servers,
        })
    }

    /// Returns the part of a map that is replaced, what is kept of it, and what replaces it.
    fn hand_over_map(
        &self,
        map: &Object,
        goes: &dyn Fn(&Member) -> bool,
        entry: String,
    ) -> Result<(Range<usize>, HandedMap, String), HandOverError> {
        let text = |span: Range<usize>| {
            let text = self.text.get(span).map(str::to_owned);
            text.ok_or(HandOverError::NotUndone)
        };
        let first = map.members.iter().position(goes).unwrap_or_default();
        let last = map.members.iter().rposition(goes).unwrap_or_default();
        let members = map.members.get(first..=last).unwrap_or_default();
        let (Some(begin), Some(end)) = (members.first(), members.last()) else {
            return Err(HandOverError::NoServers);
        };
        let mut handed = HandedMap {
            first: String::new(),
            kept: Vec::new(),
            names: Vec::new(),
            project: None,
        };
        let mut replacement = entry;
        // Where the text that is not kept yet begins, and where the member before ends.
        let (mut from, mut previous) = (begin.key_span.start, begin.key_span.start);
        for member in members {
            let (start, end) = (member.key_span.start, self.end(&member.node));
            if !goes(member) {
                *handed.tail() = text(from..previous)?;
                let gap = text(previous..start)?;
                replacement.push_str(&gap);
                replacement.push_str(&text(start..end)?);
                handed.kept.push(Kept {
                    gap,
                    name: member.key.clone(),
                    behind: String::new(),
                });
                from = end;
            }
            previous = end;
        }
        *handed.tail() = text(from..previous)?;
        let span = begin.key_span.start..self.end(&end.node);
        Ok((span, handed, replacement))
    }

    /// Returns the file with the servers back that [`hand_over`](Self::hand_over) has taken out. What else has changed
    /// in the file since stays changed. If the server that connects to the gateway was removed from the only map, they
    /// become the last ones there.
    ///
    /// # Errors
    /// [`HandOverError::Changed`] if the file no longer has what `hand_over` has put into it.
    pub fn take_back(
        &self,
        client: &str,
        servers: &[HandedMap],
    ) -> Result<Zeroizing<Vec<u8>>, HandOverError> {
        let is_known = servers.iter().all(HandedMap::has_names);
        let text = match (self.connects(client), servers) {
            (false, [map]) if self.presence(servers) == Presence::None => {
                let text = self.reconnected(&self.document()?, client, map)?;
                let connected = Self::parse(text.as_bytes(), self.syntax);
                let connected = connected.map_err(|_| HandOverError::Changed)?;
                connected.taken_back(client, servers)?
            }
            _ => self.taken_back(client, servers)?,
        };
        // The caller forgets these servers, so they must be in the file for certain.
        let after = Self::parse(text.as_bytes(), self.syntax);
        let after = after.map_err(|_| HandOverError::Changed)?;
        if is_known && after.presence(servers) != Presence::All {
            return Err(HandOverError::Changed);
        }
        Ok(self.bytes(&text))
    }

    /// Returns whether it connects to the gateway for a client.
    #[must_use]
    pub fn connects(&self, client: &str) -> bool {
        let entries = self.entries();
        entries.iter().any(|it| it.client() == Some(client))
    }

    /// Returns the program that connects to the gateway for a client.
    pub(crate) fn connects_by(&self, client: &str) -> Option<String> {
        let entries = self.entries();
        let mut entries = entries.iter();
        let entry = entries.find(|it| it.client() == Some(client))?;
        match &entry.reach {
            Reach::Command { line, .. } => line.first().cloned(),
            _ => None,
        }
    }

    /// Returns those of these positions that are between the first and the last server of a map.
    #[must_use]
    pub fn among_servers(&self, positions: &[Position]) -> Vec<Position> {
        let Ok(document) = self.document() else {
            return positions.to_vec();
        };
        let lines = Lines::of(self.text.as_bytes());
        let maps = self.maps(&document, &lines);
        let ranges = maps.iter().filter_map(|map| {
            let (first, last) = (map.members.first()?, map.members.last()?);
            let end = lines.position(self.end(&last.node));
            Some(lines.position(first.key_span.start)..=end)
        });
        let ranges: Vec<_> = ranges.collect();
        let is_among = |it: &&Position| ranges.iter().any(|range| range.contains(it));
        positions.iter().filter(is_among).copied().collect()
    }

    fn taken_back(
        &self,
        client: &str,
        servers: &[HandedMap],
    ) -> Result<Zeroizing<String>, HandOverError> {
        let document = self.document()?;
        let lines = Lines::of(self.text.as_bytes());
        let maps = self.maps(&document, &lines);
        let entries = self.entries();
        let of_client = entries.iter().filter(|it| it.client() == Some(client));
        let of_client = Self::places(of_client.map(|it| it.server));
        let connects = |member: &Member| {
            let position = lines.position(member.key_span.start);
            member.key == NAME && of_client.contains(&(position, NAME))
        };
        let places = maps.iter().filter_map(|map| {
            let at = map.members.iter().position(connects)?;
            map.members.get(at..)?.split_first()
        });
        let places: Vec<_> = places.collect();
        if places.is_empty() || places.len() != servers.len() {
            return Err(HandOverError::Changed);
        }
        let edits = places.into_iter().zip(servers);
        let edits = edits.map(|((gateway, others), handed)| {
            let begin = gateway.key_span.start;
            let (end, text) = self
                .between_kept(gateway, others, handed)
                .unwrap_or_else(|| (self.end(&gateway.node), handed.without_kept()));
            Edit::replace(begin..end, text)
        });
        Ok(apply(&self.text, edits.collect()))
    }

    /// Returns the text of servers with those that have stayed between them, and where that ends. `None` if these are
    /// no longer where they were: a client has written the file anew.
    fn between_kept(
        &self,
        gateway: &Member,
        others: &[Member],
        handed: &HandedMap,
    ) -> Option<(usize, String)> {
        let mut text = handed.first.clone();
        let mut end = self.end(&gateway.node);
        let mut others = others.iter();
        for kept in &handed.kept {
            let member = others.next().filter(|it| it.key == kept.name)?;
            let start = member.key_span.start;
            if self.text.get(end..start)? != kept.gap {
                return None;
            }
            end = self.end(&member.node);
            text.push_str(&kept.gap);
            text.push_str(self.text.get(start..end)?);
            text.push_str(&kept.behind);
        }
        Some((end, text))
    }

    /// Checks that taking a file back gives this one.
    fn check(&self, text: &str, client: &str, servers: &[HandedMap]) -> Result<(), HandOverError> {
        let after = Self::parse(text.as_bytes(), self.syntax);
        let after = after.map_err(|_| HandOverError::NotUndone)?;
        let back = after.taken_back(client, servers)?;
        match *back == *self.text {
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

    /// Returns the directory of the project whose servers a map has.
    fn project_of(&self, map: &Object) -> Option<String> {
        let first = map.members.first()?.key_span.start;
        let mut maps = self.maps.iter();
        maps.find(|it| it.span.contains(&first))?.project.clone()
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

impl fmt::Debug for HandedOver {
    /// Writes no text, which may have secrets in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HandedOver({})", self.servers.len())
    }
}
