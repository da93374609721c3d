//! Everything that is wrong with a configuration.

mod arguments;
mod servers;

use std::collections::HashMap;

use mcplexer_detect::find_any;
use mcplexer_secrets::ScopeId;

use super::credentials::{self, Leaf};
use super::field::{Fields, Kind, Named, Shape, names_a_value, secret_name, value_field};
use super::problem::{Problem, SecretPlace};
use crate::position::Position;
use crate::yaml::{self, Content, Node};

/// Returns everything that is wrong with a file of this kind, in no order.
pub(super) fn check(file: &str, kind: &'static Kind) -> Vec<Problem> {
    let mut check = Check {
        file,
        kind,
        problems: Vec::new(),
        leaves: Vec::new(),
        values: Vec::new(),
        ids: HashMap::new(),
    };
    check.invisible();
    let root = yaml::read(file);
    match &root {
        Ok(root) if root.is_absent() => {
            check.found(Position::START, "", kind.absent);
        }
        Ok(root) => {
            check.node(root, Some(&kind.shape), &At::default());
            if kind.has_servers {
                let found = servers::check(root, file);
                check.problems.extend(found.problems);
                check.values.extend(found.values);
            }
            check.values.sort_unstable();
        }
        Err(invalid) => check.found(invalid.position, "", invalid.problem.as_str()),
    }
    let is_reported = |line| {
        let next = check.values.partition_point(|&(first, _)| first <= line);
        let value = next.checked_sub(1).and_then(|at| check.values.get(at));
        value.is_some_and(|&(_, last)| line <= last)
    };
    let mut credentials = credentials::find(file, check.leaves);
    credentials.retain(|problem| !is_reported(problem.line));
    check.problems.extend(credentials);
    check.problems
}

/// Whether a character cannot be seen, or reorders others (Unicode Standard Annex #9). Characters that
/// join letters do not count, since words of many languages have them.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

/// Where a node belongs.
#[derive(Clone, Default)]
struct At {
    /// The way to it, as far as its fields are known: `auth_scopes[0].name`.
    path: String,
    scope: Option<ScopeId>,
}

impl At {
    /// Returns where the value of a field belongs.
    fn field(&self, name: Option<&str>) -> Self {
        let path = match name {
            Some(name) if self.path.is_empty() => name.to_owned(),
            Some(name) => format!("{}.{name}", self.path),
            None => self.path.clone(),
        };
        let scope = self.scope.clone();
        Self { path, scope }
    }
}

struct Check<'a> {
    file: &'a str,
    kind: &'static Kind,
    problems: Vec<Problem>,
    /// Every scalar so far, to look for credentials in.
    leaves: Vec<Leaf<'a>>,
    /// The first and the last line of each value that is already reported, in order.
    values: Vec<(usize, usize)>,
    /// The line of each id.
    ids: HashMap<&'a str, usize>,
}

impl<'a> Check<'a> {
    fn found(&mut self, at: Position, path: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(at, path, message));
    }

    /// Finds characters that make a file read differently from what it says, one a line.
    fn invisible(&mut self) {
        let file = self.file.strip_prefix('\u{feff}').unwrap_or(self.file);
        for (line, content) in (1..).zip(file.lines()) {
            if let Some(at) = content.chars().position(is_invisible) {
                let message =
                    "an invisible character; write it as \\u and four digits, in double quotes";
                let column = at + 1;
                self.found(Position { line, column }, "", message);
            }
        }
    }

    /// Checks a node against its shape; without one, only looks for scalars.
    fn node(&mut self, node: &'a Node, shape: Option<&'static Shape>, at: &At) {
        if let Some(text) = node.scalar(self.file) {
            self.leaves.push(Leaf {
                position: node.position,
                last_line: node.last_line(self.file),
                text,
                path: at.path.clone(),
                scope: at.scope.clone(),
            });
        }
        let problem = shape.and_then(|shape| wrong(node, shape, self.file));
        let shape = shape.filter(|_| problem.is_none());
        if let Some(message) = problem {
            self.found(node.position, &at.path, message);
        }
        match &node.content {
            Content::List(members) => {
                for (index, member) in members.iter().enumerate() {
                    let path = format!("{}[{index}]", at.path);
                    let at = At { path, ..at.clone() };
                    self.node(member, shape.and_then(Shape::member), &at);
                }
            }
            Content::Map(members) => {
                let scope = at.scope.clone().or_else(|| self.id(members));
                let at = At {
                    scope,
                    ..at.clone()
                };
                match shape.and_then(Shape::named) {
                    Some(named) => self.named(members, named, &at),
                    None => self.map(node, members, shape.and_then(Shape::fields), &at),
                }
            }
            Content::Null | Content::Literal | Content::Text(_) => {}
        }
    }

    /// Returns the id that a scope says it has, if it is an id and not a credential.
    fn id(&self, members: &[(Node, Node)]) -> Option<ScopeId> {
        let is_id = |(key, _): &&(Node, Node)| key.scalar(self.file) == Some("id");
        let (_, id) = members.iter().find(is_id)?;
        let text = id.scalar(self.file)?;
        text.parse().ok().filter(|_| find_any(text).is_none())
    }

    fn map(
        &mut self,
        node: &Node,
        members: &'a [(Node, Node)],
        fields: Option<&'static Fields>,
        at: &At,
    ) {
        let mut lines = HashMap::new();
        for (key, value) in members {
            self.node(key, None, at);
            let name = key.scalar(self.file);
            let all = fields.map_or(&[][..], |fields| fields.all);
            let known = all.iter().find(|(field, _)| Some(*field) == name);
            let field = known.map(|(field, _)| *field);
            let inner = at.field(field.or_else(|| name.and_then(value_field)));
            let mut shape = known.map(|(_, shape)| shape);
            if let Some(fields) = fields {
                if key.tag.is_some() {
                    self.found(key.position, &at.path, TAG);
                }
                let other = name.and_then(|name| lines.insert(name, key.position.line));
                if let Some(other) = other {
                    let message = format!("duplicate field; it is on line {other} too");
                    self.found(key.position, &at.path, message);
                    shape = None;
                } else if shape.is_none() {
                    self.unknown(key, value, fields, &inner);
                } else if field == Some("id") {
                    self.unique(value, &inner.path);
                }
            }
            self.node(value, shape, &inner);
        }
        let missing =
            fields.and_then(|fields| fields.required.missing(|field| lines.contains_key(field)));
        if let Some(missing) = missing {
            let hint = match at.path.as_str() {
                "" => self.kind.hint,
                _ => "",
            };
            let message = format!("missing field {missing}{hint}");
            self.found(node.position, &at.path, message);
        }
    }

    /// Checks a map with names of the file's own.
    fn named(&mut self, members: &'a [(Node, Node)], named: &'static Named, at: &At) {
        let mut lines = HashMap::new();
        for (index, (key, value)) in members.iter().enumerate() {
            self.node(key, None, at);
            let name = key.scalar(self.file).unwrap_or_default();
            let mut shape = Some(&named.value);
            let mut problem = match &key.content {
                _ if key.tag.is_some() => Some(TAG.to_owned()),
                Content::Text(name) => (named.name)(name).err(),
                _ => Some(QUOTE.to_owned()),
            };
            if let Some(other) = lines.insert(name, key.position.line) {
                problem = Some(format!("duplicate name; it is on line {other} too"));
                shape = None;
            }
            let inner = match named.is_shown {
                true => At {
                    path: format!("{}{}", at.path, servers::shown(name, index)),
                    scope: servers::scope(name),
                },
                false => at.clone(),
            };
            if let Some(message) = problem {
                self.found(key.position, &inner.path, message);
            }
            self.node(value, shape, &inner);
        }
    }

    fn unique(&mut self, id: &'a Node, path: &str) {
        let Some(text) = id.scalar(self.file) else {
            return;
        };
        if let Some(other) = self.ids.insert(text, id.position.line) {
            let message = format!("duplicate id; it is on line {other} too");
            self.found(id.position, path, message);
        }
    }

    /// Reports a field that does not belong here, and with it a value, if it is one.
    fn unknown(&mut self, key: &Node, value: &Node, fields: &Fields, at: &At) {
        let name = key.scalar(self.file).unwrap_or_default();
        let is_scalar = value.scalar(self.file).is_some();
        let field = value_field(name);
        if field.is_some() || is_scalar && names_a_value(name) {
            let lines = (key.position.line, value.last_line(self.file));
            self.values.push(lines);
            let message = "values are not allowed in this file";
            let mut problem = Problem::new(value.position, &at.path, message);
            problem.instead = Some(SecretPlace {
                scope: at.scope.clone(),
                // Of `env: {…}` the names are those in it.
                name: field.filter(|_| is_scalar).and_then(secret_name),
                ..SecretPlace::default()
            });
            return self.problems.push(problem);
        }
        let message = if name == "<<" {
            "merge keys are not allowed".to_owned()
        } else {
            let meant = fields.closest(name);
            let meant = meant.map_or_else(String::new, |it| format!("; did you mean {it}?"));
            format!("unknown field; the fields are {}{meant}", fields.names())
        };
        self.found(key.position, &at.path, message);
    }
}

const TAG: &str = "tags are not allowed";

const QUOTE: &str = "expected text, found null, a boolean or a number; quote it";

/// Returns what is wrong with a node itself, if something is.
fn wrong(node: &Node, shape: &Shape, file: &str) -> Option<String> {
    if node.tag.is_some() {
        return Some(TAG.to_owned());
    }
    match (shape, &node.content) {
        (Shape::Map(_) | Shape::Named(_), Content::Map(_)) => None,
        (Shape::Map(fields), _) => Some(format!("expected a map of {}", fields.names())),
        (Shape::Named(named), _) => {
            let of = named.of;
            Some(format!(
                "expected a map of {of} by name; {{}} is an empty map"
            ))
        }
        (Shape::List(list), Content::List(members)) if members.len() > list.most => {
            Some(format!("expected at most {} {}", list.most, list.of))
        }
        (Shape::List(list), Content::List(members)) if members.len() >= list.least => None,
        (Shape::List(list), _) => Some(format!("expected a list of {}{}", list.of, list.hint)),
        (Shape::Text(check), Content::Text(text)) => check(text).err(),
        (Shape::Text(_), Content::Null | Content::Literal) => Some(QUOTE.to_owned()),
        (Shape::Text(_), _) => Some("expected text".to_owned()),
        (Shape::Bool, Content::Literal) if matches!(node.scalar(file), Some("true" | "false")) => {
            None
        }
        (Shape::Bool, _) => Some("expected true or false".to_owned()),
        (Shape::Number(least, most), content) => {
            let number = node.scalar(file).unwrap_or_default();
            let is_number = number
                .parse::<u8>()
                .is_ok_and(|it| (*least..=*most).contains(&it) && it.to_string() == number);
            let is_good = is_number && matches!(content, Content::Literal);
            (!is_good).then(|| format!("expected a number from {least} to {most}"))
        }
    }
}
