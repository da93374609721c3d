//! A configuration file as a tree that knows where in the text each value is.

use std::ops::Range;

use zeroize::Zeroizing;

/// A value, and the range of the text that it takes up.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) value: Value,
    /// Whether it is within brackets or braces of YAML, where fewer plain scalars can stand.
    pub(crate) in_flow: bool,
    /// Whether other parts of the file are the same node, by an alias of YAML.
    pub(crate) is_shared: bool,
}

#[derive(Clone)]
pub(crate) enum Value {
    String(Zeroizing<String>),
    Array(Vec<Node>),
    Object(Object),
    /// A number, a date, `true`, `false` or `null`.
    Other,
}

#[derive(Clone)]
pub(crate) struct Object {
    pub(crate) members: Vec<Member>,
    /// Whether braces enclose the members and commas separate them; else each has its own line.
    pub(crate) in_braces: bool,
}

#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) key_span: Range<usize>,
    pub(crate) node: Node,
}

impl Node {
    pub(crate) fn new(span: Range<usize>, value: Value) -> Self {
        Self {
            span,
            value,
            in_flow: false,
            is_shared: false,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn elements(&self) -> Option<&[Self]> {
        match &self.value {
            Value::Array(elements) => Some(elements),
            _ => None,
        }
    }

    pub(crate) fn object(&self) -> Option<&Object> {
        match &self.value {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }
}

impl Object {
    /// Returns the member with this name. If there are several it is the last, as in other parsers.
    pub(crate) fn member(&self, key: &str) -> Option<&Member> {
        self.members.iter().rfind(|member| member.key == key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.member(key).map(|member| &member.node)
    }
}
