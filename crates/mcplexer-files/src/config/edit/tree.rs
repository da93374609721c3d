//! The maps of a file, and where their members begin and end.

use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle};

/// A node, and the bytes that it takes up: a map or a list in lines of its own ends with its last scalar.
pub(super) struct Node {
    pub(super) range: Range<usize>,
    /// Its text, if it is a scalar.
    text: Option<String>,
    /// Its members, if it is a map.
    pub(super) map: Option<Map>,
}

pub(super) struct Map {
    /// Whether it is between braces.
    pub(super) is_flow: bool,
    pub(super) members: Vec<Member>,
}

pub(super) struct Member {
    pub(super) name: String,
    pub(super) key: Range<usize>,
    pub(super) value: Node,
}

impl Map {
    /// Returns the index of the member with this name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|member| member.name == name)
    }
}

/// Reads a file; `None` if it is not one document of YAML.
pub(super) fn read(text: &str) -> Option<Node> {
    let events = Parser::new_from_str(text).collect::<Result<Vec<_>, _>>();
    let mut events = events.ok()?.into_iter();
    let (event, span) = events.find(|(event, _)| event.is_node())?;
    node(text, event, &span, &mut events)
}

fn node<'t>(
    text: &str,
    event: Event<'t>,
    span: &Span,
    events: &mut dyn Iterator<Item = (Event<'t>, Span)>,
) -> Option<Node> {
    let range = span.byte_range()?;
    let mut found = Node {
        range: range.clone(),
        text: None,
        map: None,
    };
    match event {
        Event::Scalar(value, style, ..) => {
            if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                let written = text.get(range.clone())?;
                found.range.end = range.start + written.trim_end().len();
            }
            found.text = Some(value.into_owned());
        }
        Event::SequenceStart(style, ..) => {
            let (nodes, end) = nodes(text, events)?;
            found.end(style, nodes.last(), &end)?;
        }
        Event::MappingStart(style, ..) => {
            let (nodes, end) = nodes(text, events)?;
            found.end(style, nodes.last(), &end)?;
            let mut members = Vec::new();
            let mut nodes = nodes.into_iter();
            while let (Some(key), Some(value)) = (nodes.next(), nodes.next()) {
                members.push(Member {
                    name: key.text.unwrap_or_default(),
                    key: key.range,
                    value,
                });
            }
            found.map = Some(Map {
                is_flow: style == StructureStyle::Flow,
                members,
            });
        }
        _ => {}
    }
    Some(found)
}

impl Node {
    /// Sets the end of a collection: its bracket, or else that of its last node.
    fn end(&mut self, style: StructureStyle, last: Option<&Self>, end: &Span) -> Option<()> {
        self.range.end = match (style, last) {
            (StructureStyle::Flow, _) => end.byte_range()?.end,
            (_, Some(last)) => last.range.end,
            (_, None) => self.range.end,
        };
        Some(())
    }
}

/// Returns the nodes of a collection, and where its end is.
fn nodes<'t>(
    text: &str,
    events: &mut dyn Iterator<Item = (Event<'t>, Span)>,
) -> Option<(Vec<Node>, Span)> {
    let mut nodes = Vec::new();
    loop {
        let (event, span) = events.next()?;
        if !event.is_node() {
            return Some((nodes, span));
        }
        nodes.push(node(text, event, &span, events)?);
    }
}
