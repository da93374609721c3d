//! YAML 1.2 as a tree whose nodes know where they stand in the file.
//!
//! Anchors, aliases, a second document and deep nesting are errors, so nothing is expanded, whatever a
//! file refers to. Tags, merge keys and repeated keys are left for the caller to judge.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, Location, Options, Spanned, Tagged};
use zeroize::Zeroizing;

use crate::position::Position;

/// How deep a file may be nested; deeper than any that is right.
const MAX_DEPTH: usize = 16;

/// A node and its place. It has no `Debug`, since it may hold a secret.
pub(crate) struct Node {
    pub(crate) position: Position,
    /// The bytes in the file that a scalar stands in, with its quotes.
    bytes: Range<usize>,
    /// The tag, resolved: `tag:yaml.org,2002:str` for `!!str`.
    pub(crate) tag: Option<String>,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    Null,
    /// A plain boolean or number.
    Literal,
    /// Any other scalar, with its escapes resolved.
    Text(Zeroizing<String>),
    List(Vec<Node>),
    /// Keys and values, in the order of the file.
    Map(Vec<(Node, Node)>),
}

/// Why a file is not the YAML that this module reads. It repeats nothing of the file.
pub(crate) struct InvalidYaml {
    pub(crate) position: Position,
    pub(crate) problem: String,
}

impl Node {
    /// Returns a scalar as text, a number or a boolean as it is written; `None` for a list or a map.
    pub(crate) fn scalar<'a>(&'a self, file: &'a str) -> Option<&'a str> {
        match &self.content {
            Content::Null | Content::Literal => file.get(self.bytes.clone()),
            Content::Text(text) => Some(text),
            Content::List(_) | Content::Map(_) => None,
        }
    }

    /// Returns a scalar as it is written, with its quotes.
    pub(crate) fn written<'a>(&self, file: &'a str) -> &'a str {
        file.get(self.bytes.clone()).unwrap_or_default()
    }

    /// Returns the last line on which something of the node stands.
    pub(crate) fn last_line(&self, file: &str) -> usize {
        let last = |last: Option<&Self>| last.map_or(0, |node| node.last_line(file));
        let within = match &self.content {
            Content::List(members) => last(members.last()),
            Content::Map(members) => last(members.last().map(|(_, value)| value)),
            _ => {
                let text = file.get(self.bytes.clone()).unwrap_or_default();
                self.position.line + text.trim_end().matches('\n').count()
            }
        };
        within.max(self.position.line)
    }

    /// Whether nothing is written where the node should be, as in an empty file.
    pub(crate) fn is_absent(&self) -> bool {
        self.bytes.is_empty() && matches!(self.content, Content::Null)
    }
}

/// Reads a file of one document. An empty file is a null.
pub(crate) fn read(file: &str) -> Result<Node, InvalidYaml> {
    parse(file)
}

/// Reads a file of one document as any type.
pub(crate) fn parse<'de, T: Deserialize<'de>>(file: &'de str) -> Result<T, InvalidYaml> {
    serde_saphyr::from_str_with_options(file, options()).map_err(|error| InvalidYaml {
        position: error.location().map_or(Position::START, position),
        problem: explain(&error),
    })
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_anchors: 0,
            max_aliases: 0,
            max_documents: 1,
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            // Without aliases, a file's own length bounds these.
            max_events: usize::MAX,
            max_nodes: usize::MAX,
            max_total_scalar_bytes: usize::MAX,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        // `yes` and `1_000` are text in YAML 1.2.
        strict_booleans: true,
        underscored_numbers_as_strings: true,
        ignore_binary_tag_for_string: true,
        // A snippet would be a copy of secrets.
        with_snippet: false,
    }
}

fn position(location: Location) -> Position {
    let number = |number| usize::try_from(number).unwrap_or(usize::MAX);
    Position {
        line: number(location.line()).max(1),
        column: number(location.column()).max(1),
    }
}

fn explain(error: &Error) -> String {
    let problem = match error {
        // The parser repeats what it found only behind a colon.
        Error::ExternalMessage { msg, .. } => {
            let safe = msg.split(':').next().unwrap_or_default();
            return format!("not YAML: {safe}");
        }
        Error::Budget { breach, .. } => match breach {
            BudgetBreach::Documents { .. } => "only one document is allowed",
            BudgetBreach::Anchors { .. } | BudgetBreach::Aliases { .. } => ANCHORS,
            _ => "nested too deeply",
        },
        Error::UnknownAnchor { .. } => ANCHORS,
        _ => "a value does not match its tag",
    };
    problem.to_owned()
}

const ANCHORS: &str = "anchors and aliases are not allowed";

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Tagged(node, tag) = Tagged::<Spanned<Content>>::deserialize(deserializer)?;
        let span = node.referenced.span();
        let (Some(start), Some(length)) = (span.byte_offset(), span.byte_len()) else {
            return Err(D::Error::custom("a node without a place"));
        };
        let index = |at| usize::try_from(at).map_err(D::Error::custom);
        Ok(Self {
            position: position(node.referenced),
            bytes: index(start)?..index(start + length)?,
            tag,
            content: node.value,
        })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Contents)
    }
}

struct Contents;

impl<'de> Visitor<'de> for Contents {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML node")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Content, E> {
        Ok(Content::Literal)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Content, E> {
        Ok(Content::Literal)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Content, E> {
        Ok(Content::Literal)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Content, E> {
        Ok(Content::Literal)
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content::Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Content, E> {
        Ok(Content::Text(Zeroizing::new(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = list.next_element()? {
            members.push(member);
        }
        Ok(Content::List(members))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Content::Map(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(text: &str) -> (String, Node) {
        let file = format!("- {text}\n");
        match read(&file).map(|root| root.content) {
            Ok(Content::List(mut members)) => (file, members.remove(0)),
            _ => panic!("{file}"),
        }
    }

    #[test]
    fn plain_scalars_are_what_the_core_schema_says() {
        for null in ["", "~", "null", "NULL"] {
            assert!(matches!(node(null).1.content, Content::Null), "{null}");
        }
        for literal in [
            "true",
            "False",
            "0",
            "-1",
            "+12",
            "0x1f",
            "0o17",
            "1.",
            ".5",
            "1e3",
            "-1.5E-3",
            ".inf",
            "-.INF",
            ".NaN",
            "007",
            "1e999",
            "99999999999999999999",
        ] {
            let (file, node) = node(literal);
            assert!(matches!(node.content, Content::Literal), "{literal}");
            assert_eq!(node.scalar(&file), Some(literal));
        }
        for text in [
            "a", "yes", "nil", "inf", "nan", "1a", "0x", "0o8", "1_0", "1.2.3",
        ] {
            let (file, node) = node(text);
            assert!(matches!(node.content, Content::Text(_)), "{text}");
            assert_eq!(node.scalar(&file), Some(text));
        }
        for (quoted, text) in [("'1'", "1"), ("\"null\"", "null"), ("''", "")] {
            let (file, node) = node(quoted);
            assert!(matches!(node.content, Content::Text(_)), "{quoted}");
            assert_eq!(node.scalar(&file), Some(text));
        }
    }

    #[test]
    fn a_node_knows_its_first_and_its_last_line() {
        let file = "\u{feff}a: |\n  ä\n\n  y\n\nb: [1,\n  \"2\n 3\"]\nc: {}\n";
        let Ok(root) = read(file) else {
            panic!("{file}")
        };
        let Content::Map(members) = root.content else {
            panic!("{file}")
        };
        let lines = members.iter().map(|(key, value)| {
            let key = key.scalar(file).unwrap();
            (key, value.position.line, value.last_line(file))
        });
        let expected = [("a", 2, 4), ("b", 6, 8), ("c", 9, 9)];
        assert_eq!(lines.collect::<Vec<_>>(), expected);
    }
}
