//! What is wrong with servers and clients beyond the fields themselves: fields that exclude each other, names that
//! no server has, invalid references, and credentials.

use std::collections::{HashMap, HashSet};

use mcplexer_detect::{Reason, credential, find, find_any, find_in_address};
use mcplexer_secrets::{ScopeId, SecretName};

use super::super::credentials::refusal;
use super::arguments;
use crate::config::field::names_a_value;
use crate::config::problem::{Problem, SecretPlace};
use crate::config::server::ServerName;
use crate::config::server_fields::{OF_COMMAND, OF_URL};
use crate::position::Position;
use crate::template::{Template, without_references};
use crate::yaml::{Content, Node};

/// Length of the shortest word beside a reference that its name makes a credential, in bytes.
const LEAST_WORD: usize = 8;

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) problems: Vec<Problem>,
    /// The first and the last line of each value that was found.
    pub(super) values: Vec<(usize, usize)>,
}

/// Returns the end of the path to a member: `.github`, or `[0]` if its name is no name to show.
pub(super) fn shown(name: &str, index: usize) -> String {
    match scope(name) {
        Some(_) => format!(".{name}"),
        None => format!("[{index}]"),
    }
}

/// Returns the scope that is named as a server is, if that is its name and not a credential.
pub(super) fn scope(name: &str) -> Option<ScopeId> {
    let is_name = name.parse::<ServerName>().is_ok() && find_any(name).is_none();
    name.parse().ok().filter(|_| is_name)
}

/// Checks the servers and clients of a file.
pub(super) fn check(root: &Node, file: &str) -> Found {
    let mut check = Check {
        file,
        found: Found::default(),
    };
    let servers = check.members(root, "servers");
    for (index, (name, server)) in servers.iter().enumerate() {
        let name = name.scalar(file).unwrap_or_default();
        let path = format!("servers{}", shown(name, index));
        check.server(server, &path, scope(name).as_ref());
    }
    let named = servers.iter().filter_map(|(name, _)| name.scalar(file));
    let named: HashSet<_> = named.collect();
    for (index, (name, client)) in check.members(root, "clients").iter().enumerate() {
        let name = name.scalar(file).unwrap_or_default();
        let path = format!("clients{}.servers", shown(name, index));
        check.client(client, &path, &named);
    }
    check.found
}

struct Check<'a> {
    file: &'a str,
    found: Found,
}

impl Check<'_> {
    fn found(&mut self, at: Position, path: &str, message: impl Into<String>) {
        self.found.problems.push(Problem::new(at, path, message));
    }

    fn member<'n>(&self, node: &'n Node, field: &str) -> Option<&'n (Node, Node)> {
        let Content::Map(members) = &node.content else {
            return None;
        };
        let mut members = members.iter();
        members.find(|(key, _)| key.scalar(self.file) == Some(field))
    }

    /// Returns the members of the map that a field is.
    fn members<'n>(&self, node: &'n Node, field: &str) -> &'n [(Node, Node)] {
        match self.member(node, field).map(|(_, value)| &value.content) {
            Some(Content::Map(members)) => members,
            _ => &[],
        }
    }

    fn client(&mut self, client: &Node, path: &str, servers: &HashSet<&str>) {
        let names = self.member(client, "servers");
        let Some(Content::List(names)) = names.map(|(_, value)| &value.content) else {
            return;
        };
        for (index, node) in names.iter().enumerate() {
            let Content::Text(name) = &node.content else {
                continue;
            };
            if name.parse::<ServerName>().is_ok() && !servers.contains(name.as_str()) {
                let path = format!("{path}[{index}]");
                self.found(node.position, &path, "no server has this name");
            }
        }
    }

    fn server(&mut self, server: &Node, path: &str, scope: Option<&ScopeId>) {
        let (command, url) = (self.member(server, "command"), self.member(server, "url"));
        if let (Some(command), Some(url)) = (command, url) {
            let later = command.0.position.max(url.0.position);
            self.found(later, path, "a server has either a command or a url");
        }
        let (foreign, needed) = match (command, url) {
            (Some(_), None) => (&OF_URL[..], "a url"),
            (None, Some(_)) => (&OF_COMMAND[..], "a command"),
            _ => (&[][..], ""),
        };
        for field in foreign {
            if let Some((key, _)) = self.member(server, field) {
                let message = format!("this field is for a server with {needed}");
                self.found(key.position, &format!("{path}.{field}"), message);
            }
        }
        self.values(server, "env", path, scope);
        self.values(server, "headers", path, scope);
        self.same_headers(server, path);
        if let Some((_, command)) = command {
            self.command(command, path, scope);
        }
        if let Some((_, url)) = url
            && let Content::Text(text) = &url.content
            && let Some((_, reason)) = find(text).or_else(|| find_in_address(text))
        {
            self.credential(url, &format!("{path}.url"), &reason, place(scope, ""));
        }
    }

    /// Checks the values of variables or header fields.
    fn values(&mut self, server: &Node, field: &str, path: &str, scope: Option<&ScopeId>) {
        let path = format!("{path}.{field}");
        for (name, value) in self.members(server, field) {
            let Content::Text(text) = &value.content else {
                continue;
            };
            let template = match Template::parse(text.as_bytes()) {
                Ok(template) => template,
                Err((at, invalid)) => {
                    let at = self.place_in(value, text, at);
                    self.found(at, &path, invalid.to_string());
                    continue;
                }
            };
            let name = name.scalar(self.file).unwrap_or_default();
            let reason = match template.references().next() {
                Some(_) => beside_references(name, &without_references(text)),
                None => credential(name, text, &[]),
            };
            if let Some(reason) = reason {
                let place = SecretPlace {
                    takes_reference: true,
                    ..place(scope, name)
                };
                self.credential(value, &path, &reason, place);
            }
        }
    }

    /// Returns where something in a scalar is in the file; the beginning of the scalar if that is not plain to see.
    fn place_in(&self, node: &Node, text: &str, at: Position) -> Position {
        let written = node.written(self.file);
        let before = written.find(text).and_then(|it| written.get(..it));
        match before {
            Some(before) if at.line == 1 => Position {
                line: node.position.line,
                column: node.position.column + before.chars().count() + at.column - 1,
            },
            _ => node.position,
        }
    }

    /// Finds header fields that differ only in case: to a server they are the same.
    fn same_headers(&mut self, server: &Node, path: &str) {
        let mut lines = HashMap::new();
        for (name, _) in self.members(server, "headers") {
            let text = name.scalar(self.file).unwrap_or_default();
            let this = (text, name.position.line);
            let other = lines.insert(text.to_ascii_lowercase(), this);
            if let Some((_, line)) = other.filter(|(other, _)| *other != text) {
                let message = format!("duplicate name; it is on line {line} too, in another case");
                self.found(name.position, &format!("{path}.headers"), message);
            }
        }
    }

    fn command(&mut self, command: &Node, path: &str, scope: Option<&ScopeId>) {
        let Content::List(arguments) = &command.content else {
            return;
        };
        let mut before = "";
        for (index, argument) in arguments.iter().enumerate() {
            let text = match &argument.content {
                Content::Text(text) => text.as_str(),
                _ => "",
            };
            let path = format!("{path}.command[{index}]");
            if index == 0 && text.is_empty() {
                self.found(argument.position, &path, "the program has no name");
            }
            if let Some(reason) = arguments::reason(before, text) {
                self.credential(argument, &path, &reason, place(scope, ""));
            }
            before = text;
        }
    }

    fn credential(&mut self, node: &Node, path: &str, reason: &Reason, place: SecretPlace) {
        let lines = (node.position.line, node.last_line(self.file));
        self.found.values.push(lines);
        let message = refusal(reason);
        let mut problem = Problem::new(node.position, path, message);
        problem.instead = Some(place);
        self.found.problems.push(problem);
    }
}

/// Returns the place of a value in the store. The name of a variable is in it only if it says that it is of a secret,
/// since something else may be there by mistake.
fn place(scope: Option<&ScopeId>, name: &str) -> SecretPlace {
    let is_shown = names_a_value(name) && find_any(name).is_none();
    let name = name.parse::<SecretName>().ok().filter(|_| is_shown);
    SecretPlace {
        scope: scope.cloned(),
        name,
        takes_reference: false,
    }
}

/// Returns why a text beside references looks like a credential. The name says nothing about `Bearer` and the like.
fn beside_references(name: &str, text: &str) -> Option<Reason> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let mut words = words.filter(|word| word.len() >= LEAST_WORD);
    let may_be = |word: &&str| word.contains(|c: char| c.is_ascii_digit());
    let is_named = names_a_value(name) && words.any(|word| may_be(&word));
    credential("", text, &[]).or_else(|| is_named.then_some(Reason::Name))
}
