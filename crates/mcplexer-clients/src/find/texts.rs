//! The texts in the entry of a server.

use std::ptr;

use mcplexer_files::position::Lines;
use zeroize::Zeroizing;

use super::entry::{Entry, INNER, URLS, is_line};
use crate::environment::ENVIRONMENTS;
use crate::node::{Node, Object, Value};
use crate::server::{Place, Text};

/// Members with the header fields of requests to a server.
pub(super) const HEADERS: [&str; 2] = ["headers", "http_headers"];
/// Members that never hold a secret.
const PLAIN: [&str; 5] = ["type", "cwd", "bearer_token_env_var", "description", "name"];

/// Returns the texts of an entry.
pub(super) fn of(entry: &Object, lines: &Lines<'_>) -> Vec<Text> {
    let mut found = Found {
        lines,
        texts: Vec::new(),
    };
    found.collect(entry, entry.inner());
    found.texts
}

struct Found<'a> {
    lines: &'a Lines<'a>,
    texts: Vec<Text>,
}

impl Found<'_> {
    /// Collects the texts of an entry, and of the object in it that has its command.
    fn collect(&mut self, entry: &Object, inner: Option<&Object>) {
        for member in &entry.members {
            let (key, node) = (member.key.as_str(), &member.node);
            match &node.value {
                Value::Object(env) if ENVIRONMENTS.contains(&key) => self.members(env, Place::Env),
                Value::Object(fields) if HEADERS.contains(&key) => {
                    self.members(fields, Place::Header);
                }
                Value::Array(arguments) if key == "args" => self.arguments(arguments, 1),
                Value::String(_) if key == "args" => self.add(Place::Argument(1), node),
                Value::Array(line) if is_line(key, node) => self.arguments(line, 0),
                Value::String(_) if URLS.contains(&key) => self.add(Place::Url, node),
                Value::String(_) if key == "envFile" => self.add(Place::EnvFile, node),
                _ if PLAIN.contains(&key) => {}
                Value::Object(object) if INNER.contains(&key) => match inner {
                    Some(inner) if ptr::eq(inner, object) => self.collect(object, None),
                    _ => self.others(key, node),
                },
                _ => self.others(key, node),
            }
        }
    }

    /// Collects arguments, of which the first has this number.
    fn arguments(&mut self, arguments: &[Node], first: usize) {
        for (node, number) in arguments.iter().zip(first..) {
            self.add(Place::Argument(number), node);
        }
    }

    /// Collects every string in a member of unknown meaning.
    fn others(&mut self, name: &str, node: &Node) {
        match &node.value {
            Value::String(_) => self.add(Place::Member(name.to_owned()), node),
            Value::Array(elements) => {
                for element in elements {
                    self.others(name, element);
                }
            }
            Value::Object(object) => {
                for member in &object.members {
                    self.others(&format!("{name}.{}", member.key), &member.node);
                }
            }
            Value::Other => {}
        }
    }

    fn members(&mut self, object: &Object, place: fn(String) -> Place) {
        for member in &object.members {
            self.add(place(member.key.clone()), &member.node);
        }
    }

    fn add(&mut self, place: Place, node: &Node) {
        self.texts.push(Text {
            place,
            span: node.span.clone(),
            position: self.lines.position(node.span.start),
            value: node.text().map(|text| Zeroizing::new(text.to_owned())),
            in_flow: node.in_flow,
            is_shared: node.is_shared,
        });
    }
}
