//! A configuration file as a tree that knows where in the text each piece stands.

use std::ops::Range;

use zeroize::Zeroizing;

use super::{InvalidConfig, Syntax};
use mcplexer_files::position::Position;

mod json;
mod toml;

/// A value, and the bytes of the text that it stands in.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) value: Value,
}

#[derive(Clone)]
pub(super) enum Value {
    String(Zeroizing<String>),
    Array(Vec<Node>),
    Object(Object),
    /// A number, a date, `true`, `null`.
    Other,
}

#[derive(Clone)]
pub(super) struct Object {
    pub(super) members: Vec<Member>,
    /// Whether its members stand in braces, between commas, rather than in lines of their own.
    pub(super) in_braces: bool,
}

#[derive(Clone)]
pub(super) struct Member {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) node: Node,
}

/// Reads a text into a tree. An empty one has nothing in it.
pub(super) fn parse(text: &str, syntax: Syntax) -> Result<Node, InvalidConfig> {
    let parsed = match syntax {
        Syntax::Json => json::parse(text),
        Syntax::Toml => toml::parse(text),
    };
    parsed.map_err(|(at, problem)| InvalidConfig::Syntax {
        position: Position::in_text(text.as_bytes(), at),
        problem,
    })
}

impl Node {
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn elements(&self) -> Option<&[Self]> {
        match &self.value {
            Value::Array(elements) => Some(elements),
            _ => None,
        }
    }

    pub(super) fn object(&self) -> Option<&Object> {
        match &self.value {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }
}

impl Object {
    /// The member of this name; of several the last, as other programs have it.
    pub(super) fn member(&self, key: &str) -> Option<&Member> {
        self.members.iter().rfind(|member| member.key == key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.member(key).map(|member| &member.node)
    }
}
