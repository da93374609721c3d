//! YAML, which Goose, Continue and LibreChat use.
//!
//! Aliases are not followed: what an anchor marks for them is one node in several places, which none
//! of these places can change for itself.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StructureStyle, Tag};
use zeroize::Zeroizing;

use crate::node::{Member, Node, Object, Value};

/// Where parsing failed, and what is wrong there.
type Problem = (usize, String);

pub(super) fn parse(text: &str) -> Result<Node, Problem> {
    let mut events = Vec::new();
    let mut documents = 0;
    for next in Parser::new_from_str(text) {
        let (event, span) = next.map_err(|error| problem(&error))?;
        if matches!(event, Event::DocumentStart(..)) {
            documents += 1;
            if documents > 1 {
                let at = place(&span).start;
                return Err((at, "only one document is allowed".to_owned()));
            }
        }
        events.push((event, span));
    }
    let aliases = events.iter().filter_map(|(event, _)| match event {
        Event::Alias(anchor) => Some(*anchor),
        _ => None,
    });
    let mut tree = Tree {
        aliased: aliases.collect(),
        text,
        events: events.into_iter(),
    };
    Ok(tree.document())
}

/// Describes an error. The parser repeats what it found only behind a colon.
fn problem(error: &ScanError) -> Problem {
    let at = error.marker().byte_offset().unwrap_or_default();
    let info = error.info();
    let safe = info.split(':').next().unwrap_or_default();
    (at, format!("this is not YAML, {safe}"))
}

fn place(span: &Span) -> Range<usize> {
    span.byte_range().unwrap_or_default()
}

/// Builds a tree from events.
struct Tree<'t, E> {
    text: &'t str,
    /// The anchors that an alias refers to.
    aliased: HashSet<usize>,
    events: E,
}

/// What holds for all nodes within a node.
#[derive(Clone, Copy, Default)]
struct Within {
    in_flow: bool,
    is_shared: bool,
}

impl<'t, E: Iterator<Item = (Event<'t>, Span)>> Tree<'t, E> {
    fn document(&mut self) -> Node {
        let root = self.events.find(|(event, _)| event.is_node());
        root.map_or_else(
            || Node::new(0..0, Value::Other),
            |(event, span)| self.node(event, &span, Within::default()),
        )
    }

    fn node(&mut self, event: Event<'t>, span: &Span, within: Within) -> Node {
        let anchor = event.anchor_id();
        let is_shared = within.is_shared
            || event.is_alias()
            || anchor.is_some_and(|it| self.aliased.contains(&it));
        let inner = |style| Within {
            in_flow: within.in_flow || style == StructureStyle::Flow,
            is_shared,
        };
        let mut range = place(span);
        let value = match event {
            Event::Scalar(text, style, _, tag) => {
                if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    range = block(self.text, range);
                }
                scalar(text, style, tag.as_deref())
            }
            Event::SequenceStart(style, ..) => {
                let mut elements = Vec::new();
                while let Some((event, span)) = self.next(&mut range) {
                    elements.push(self.node(event, &span, inner(style)));
                }
                Value::Array(elements)
            }
            Event::MappingStart(style, ..) => Value::Object(Object {
                members: self.members(&mut range, inner(style)),
                in_braces: style == StructureStyle::Flow,
            }),
            _ => Value::Other,
        };
        Node {
            in_flow: within.in_flow,
            is_shared,
            ..Node::new(range, value)
        }
    }

    fn members(&mut self, range: &mut Range<usize>, within: Within) -> Vec<Member> {
        let mut members = Vec::new();
        while let Some((event, span)) = self.next(range) {
            let key = self.node(event, &span, within);
            let Some((event, span)) = self.next(range) else {
                break;
            };
            members.push(Member {
                key: key.text().unwrap_or_default().to_owned(),
                key_span: key.span,
                node: self.node(event, &span, within),
            });
        }
        members
    }

    /// Returns the next node of a collection; `None` at its end, which then is the end of its range.
    fn next(&mut self, range: &mut Range<usize>) -> Option<(Event<'t>, Span)> {
        let (event, span) = self.events.next()?;
        if event.is_node() {
            return Some((event, span));
        }
        range.end = place(&span).end.max(range.end);
        None
    }
}

/// Returns the place of a block scalar from its header to the end of its last line, without the line end.
fn block(text: &str, content: Range<usize>) -> Range<usize> {
    let before = text.get(..content.start).unwrap_or_default().trim_end();
    let header = before.trim_end_matches(|c: char| c.is_ascii_digit() || "+-".contains(c));
    let start = match header.ends_with(['|', '>']) {
        true => header.len() - 1,
        // A comment is behind the header.
        false => content.start,
    };
    let length = text
        .get(content.clone())
        .map_or(0, |it| it.trim_end().len());
    start..content.start + length
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let is_string = match tag {
        Some(tag) => tag.is_yaml_core_schema_tag("str"),
        None => style != ScalarStyle::Plain || is_string(&text),
    };
    match is_string {
        true => Value::String(Zeroizing::new(text.into_owned())),
        false => Value::Other,
    }
}

/// Returns whether a plain scalar is a string in the core schema (YAML 1.2.2, section 10.3.2).
fn is_string(plain: &str) -> bool {
    let others = [
        "", "~", "null", "Null", "NULL", "true", "True", "TRUE", "false", "False", "FALSE", ".inf",
        ".Inf", ".INF", ".nan", ".NaN", ".NAN",
    ];
    let digits = plain.strip_prefix(['-', '+']).unwrap_or(plain);
    let is_based = |base: &str| {
        let digits = plain.strip_prefix(base);
        digits.is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && (digits.parse::<f64>().is_ok() || is_based("0x") || is_based("0o"));
    !others.contains(&plain) && !others.contains(&digits) && !is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalars<'t>(node: &Node, text: &'t str, found: &mut Vec<&'t str>) {
        match &node.value {
            Value::Array(elements) => elements.iter().for_each(|it| scalars(it, text, found)),
            Value::Object(object) => {
                for member in &object.members {
                    found.push(text.get(member.key_span.clone()).unwrap());
                    scalars(&member.node, text, found);
                }
            }
            _ => found.push(text.get(node.span.clone()).unwrap()),
        }
    }

    #[test]
    fn a_scalar_is_where_it_is_written() {
        let text = "a: &x ä  # c\n'b' : !!str \"c\\n\"\nd: |-\n  e\n  f\n\ng: [h , 'i''', *x]\nj:\n- k\n- {l: m,\n n: }\no: p q \n";
        let Ok(node) = parse(text) else {
            panic!("{text}")
        };
        let mut found = Vec::new();
        scalars(&node, text, &mut found);
        let expected = [
            "a",
            "ä",
            "'b'",
            "\"c\\n\"",
            "d",
            "|-\n  e\n  f",
            "g",
            "h",
            "'i'''",
            "*x",
            "j",
            "k",
            "l",
            "m",
            "n",
            "",
            "o",
            "p q",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_an_alias_refers_to_is_shared() {
        let Ok(node) = parse("a: &x {b: c}\nd: *x\ne: &y f\n") else {
            panic!()
        };
        let shared = |key: &str| {
            let object = node.object().unwrap();
            let it = object.get(key).unwrap();
            let inner = it.object().and_then(|it| it.get("b"));
            inner.unwrap_or(it).is_shared
        };
        assert_eq!(["a", "d", "e"].map(shared), [true, true, false]);
    }
}
