//! A file whose server that connects to the gateway was removed since: gives it back, to put the others in its place.

use std::collections::HashSet;
use std::ops::Range;

use super::handed::HandedMap;
use super::{HandOverError, NAME, member};
use crate::config::ClientConfig;
use crate::edit::{Edit, apply};
use crate::node::{Node, Object};

/// Whether the servers that were taken out of a file are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Presence {
    /// All of them are.
    All,
    /// None of them is.
    None,
    /// Some of them are.
    Some,
    /// It is unknown which ones they were.
    Unknown,
}

impl ClientConfig {
    /// Returns whether the servers that [`hand_over`](Self::hand_over) has taken out are in the file, by their names.
    #[must_use]
    pub fn presence(&self, maps: &[HandedMap]) -> Presence {
        let wanted = maps
            .iter()
            .flat_map(|map| map.names.iter().map(move |name| (map, name)));
        let entries = self.entries();
        let servers = entries.iter().filter(|it| !it.is_gateway());
        let servers: HashSet<_> = servers
            .map(|it| (it.server.project.as_deref(), it.server.name.as_str()))
            .collect();
        let is_there = |(map, name): (&HandedMap, &String)| {
            servers.contains(&(map.project.as_deref(), name.as_str()))
        };
        let there: Vec<_> = wanted.map(is_there).collect();
        let is_known = maps.iter().all(HandedMap::has_names);
        match (there.contains(&true), there.contains(&false)) {
            _ if !is_known => Presence::Unknown,
            (_, false) => Presence::All,
            (false, true) => Presence::None,
            (true, true) => Presence::Some,
        }
    }

    /// Returns the text with a server that connects to the gateway, as the last one of the map that had this one.
    pub(super) fn reconnected(
        &self,
        document: &Node,
        client: &str,
        handed: &HandedMap,
    ) -> Result<String, HandOverError> {
        let mut maps = self.maps.iter().filter(|it| it.project == handed.project);
        let (Some(map), None) = (maps.next(), maps.next()) else {
            return Err(HandOverError::Changed);
        };
        let node = node_at(document, &map.span).ok_or(HandOverError::Changed)?;
        let object = node.object().ok_or(HandOverError::Changed)?;
        if object.member(NAME).is_some() {
            return Err(HandOverError::Changed);
        }
        let entry = member(object, NAME, client);
        let (at, inserted) = self.last_place(node, object, &entry);
        Ok(apply(&self.text, vec![Edit::insert(at, inserted)]).to_string())
    }

    /// Returns where the last member of a map goes, and the text that goes there.
    fn last_place(&self, node: &Node, object: &Object, entry: &str) -> (usize, String) {
        let between = |from, to| self.text.get(from..to).unwrap_or_default();
        let is_space = |text: &str| text.trim().is_empty();
        match (object.members.first(), object.members.last()) {
            (Some(first), Some(last)) => {
                let end = self.end(&last.node);
                let start = first.key_span.start;
                if object.in_braces {
                    let space = between(node.span.start + 1, start);
                    let space = if is_space(space) { space } else { "\n" };
                    let space = if space.is_empty() { " " } else { space };
                    return (end, format!(",{space}{entry}"));
                }
                let line = self.text.get(..start).unwrap_or_default();
                let indent = line.rsplit('\n').next().unwrap_or_default();
                (end, format!("\n{indent}{entry}"))
            }
            _ => {
                let begin = node.span.start + 1;
                let inner = between(begin, node.span.end.saturating_sub(1));
                let inserted = match inner.rsplit_once('\n') {
                    Some((_, indent)) if is_space(inner) => format!("\n{indent}  {entry}"),
                    _ if inner.is_empty() => entry.to_owned(),
                    _ => format!(" {entry}"),
                };
                (begin, inserted)
            }
        }
    }
}

/// Returns the node that takes up this range.
fn node_at<'n>(node: &'n Node, span: &Range<usize>) -> Option<&'n Node> {
    if node.span == *span && node.object().is_some() {
        return Some(node);
    }
    let members = node.object().map(|it| it.members.as_slice());
    let members = members.unwrap_or_default().iter().map(|it| &it.node);
    let elements = node.elements().unwrap_or_default().iter();
    members.chain(elements).find_map(|it| node_at(it, span))
}
