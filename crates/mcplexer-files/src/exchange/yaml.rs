//! YAML 1.2.

use std::borrow::Cow;

use granit_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use zeroize::Zeroizing;

use super::{Entry, Form, Out, ReadError, decode, double_quoted};
use crate::position::Position;

const EXPECTED: &str = "one mapping is expected, of names and values";

pub(super) fn read(file: &str) -> Result<Vec<Entry>, ReadError> {
    let mut nodes = Nodes(Parser::new_from_str(file));
    loop {
        match nodes.next()? {
            (Event::StreamStart | Event::DocumentStart(..), _) => {}
            (Event::MappingStart(_, 0, None), _) => break,
            (_, at) => return Err(ReadError::at(at, EXPECTED)),
        }
    }
    let mut entries = Vec::new();
    while let Some((name, at)) = nodes.name()? {
        let value = nodes.value().map_err(|error| error.about(&name))?;
        let line = at.line;
        entries.push(Entry { name, value, line });
    }
    loop {
        match nodes.next()? {
            (Event::DocumentEnd, _) => {}
            (Event::StreamEnd, _) => return Ok(entries),
            (_, at) => return Err(ReadError::at(at, "a second document is one too many")),
        }
    }
}

/// What the parser finds, one by one; so nothing is expanded, whatever a file refers to.
struct Nodes<'a>(Parser<'a, granit_parser::StrInput<'a>>);

impl<'a> Nodes<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Position), ReadError> {
        match self.0.next_event() {
            // Messages of this parser may repeat what they found.
            Some(Err(error)) => Err(ReadError::at(place(error.marker()), "not YAML")),
            Some(Ok((event, span))) => Ok((event, place(&span.start))),
            None => Ok((Event::StreamEnd, Position { line: 1, column: 1 })),
        }
    }

    /// The next name; `None` at the end of the mapping.
    fn name(&mut self) -> Result<Option<(String, Position)>, ReadError> {
        match self.next()? {
            (Event::MappingEnd, _) => Ok(None),
            (Event::Scalar(name, _, 0, tag), at) if tag.as_deref().is_none_or(is_str) => {
                Ok(Some((name.into_owned(), at)))
            }
            (_, at) => Err(ReadError::at(
                at,
                "a name is a scalar without anchor or tag",
            )),
        }
    }

    fn value(&mut self) -> Result<Zeroizing<Vec<u8>>, ReadError> {
        let (event, at) = self.next()?;
        let error = |problem| Err(ReadError::at(at, problem));
        let (text, style, tag) = match event {
            Event::Scalar(text, style, 0, tag) => (text, style, tag),
            Event::Alias(_) => return error("aliases are not followed"),
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                return error("a value is a scalar, and no sequence or mapping");
            }
            _ => return error("anchors are not read"),
        };
        let bytes = match text {
            Cow::Borrowed(text) => Zeroizing::new(text.as_bytes().to_vec()),
            Cow::Owned(text) => Zeroizing::new(text.into_bytes()),
        };
        match tag.as_deref() {
            None if style == ScalarStyle::Plain && is_null(&bytes) => error("null is no value"),
            None => Ok(bytes),
            Some(tag) if is_str(tag) => Ok(bytes),
            Some(tag) if is_core(tag, "binary") => {
                let mut text = Zeroizing::new(Vec::with_capacity(bytes.len()));
                text.extend(bytes.iter().filter(|byte| !byte.is_ascii_whitespace()));
                decode(&text).map_or_else(|| error("no base64 follows !!binary"), Ok)
            }
            Some(_) => error("a tag is !!str or !!binary"),
        }
    }
}

fn place(marker: &Marker) -> Position {
    Position {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

fn is_str(tag: &Tag) -> bool {
    is_core(tag, "str")
}

fn is_core(tag: &Tag, name: &str) -> bool {
    tag.suffix_in_namespace("tag:yaml.org,2002:").as_deref() == Some(name)
}

/// YAML 1.2.2, section 10.3.2.
fn is_null(text: &[u8]) -> bool {
    matches!(text, b"" | b"~" | b"null" | b"Null" | b"NULL")
}

pub(super) fn write(items: &[(&str, Form<'_>)], out: Out<'_>) {
    if items.is_empty() {
        out(b"{}\n");
    }
    for (name, form) in items {
        // Without quotes a name might be a number, a truth value or an alias.
        double_quoted(Form::Text(name), out);
        out(b": ");
        double_quoted(*form, out);
        out(b"\n");
    }
}
