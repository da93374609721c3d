//! Changes to the servers of a file. Everything else in it stays as it is, to the byte: comments, the order, the
//! notation.
//!
//! A change is made to the text, and the new text is read again: it must be the old configuration with the change, or
//! else the change is refused.

use std::ops::Range;

use super::server::{Server, ServerName};
use super::write::{Form, scalar};
use super::{Config, Problem, is_blank, parse};

mod tree;

use tree::{Map, Node};

/// Why the servers of a file cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The file has problems.
    #[error("the file has {} problems", .0.len())]
    Invalid(Vec<Problem>),
    /// The server has problems. Their lines are those of a file with this server alone.
    #[error("the server has {} problems", .0.len())]
    Refused(Vec<Problem>),
    /// Clients of the file name the server.
    #[error("clients of the file name the server")]
    Named(Vec<ServerName>),
    /// The file has no such server.
    #[error("no such server")]
    NotFound,
    /// The notation of the file is one that this module does not change.
    #[error("the notation of the file is too unusual to be changed by a program")]
    Unusual,
}

/// Returns a file with a server added, or replaced. A file with comments only counts as empty.
///
/// # Errors
/// [`EditError::Invalid`] if the file has problems; [`EditError::Refused`] if the server has; [`EditError::Unusual`].
pub fn with_server(file: &str, name: &ServerName, server: &Server) -> Result<String, EditError> {
    let mut expected = read(file)?;
    let alone = Config {
        servers: [(name.clone(), server.clone())].into(),
        ..Config::default()
    };
    parse(alone.to_string().as_bytes()).map_err(EditError::Refused)?;
    expected.servers.insert(name.clone(), server.clone());
    let edit = Edit::of(file);
    let texts = match tree::read(edit.text) {
        Some(root) if !is_blank(file.as_bytes()) => edit.adding(&root, name, &Form::of(server)),
        _ => vec![edit.appending("", name, &Form::of(server))],
    };
    checked(texts, &expected)
}

/// Returns a file without a server. Comments before and behind it stay.
///
/// # Errors
/// [`EditError::NotFound`]; [`EditError::Named`] if clients name the server; [`EditError::Invalid`] if the file has
/// problems; [`EditError::Unusual`].
pub fn without_server(file: &str, name: &ServerName) -> Result<String, EditError> {
    let mut expected = read(file)?;
    if expected.servers.remove(name).is_none() {
        return Err(EditError::NotFound);
    }
    let names = expected.clients.iter().filter(|(_, client)| {
        let servers = client.servers.as_deref();
        servers.is_some_and(|servers| servers.contains(name))
    });
    let names: Vec<_> = names.map(|(client, _)| client.clone()).collect();
    if !names.is_empty() {
        return Err(EditError::Named(names));
    }
    let edit = Edit::of(file);
    let root = tree::read(edit.text).ok_or(EditError::Unusual)?;
    checked(edit.removing(&root, name), &expected)
}

fn read(file: &str) -> Result<Config, EditError> {
    match is_blank(file.as_bytes()) {
        true => Ok(Config::default()),
        false => parse(file.as_bytes()).map_err(EditError::Invalid),
    }
}

/// Returns the first text that is the expected configuration.
fn checked(texts: Vec<String>, expected: &Config) -> Result<String, EditError> {
    let is_expected = |text: &String| parse(text.as_bytes()).as_ref() == Ok(expected);
    let text = texts.into_iter().find(is_expected);
    text.ok_or(EditError::Unusual)
}

/// A file that is changed.
struct Edit<'a> {
    mark: &'static str,
    /// The text behind the byte order mark.
    text: &'a str,
    line_end: &'static str,
}

const BYTE_ORDER_MARK: &str = "\u{feff}";

impl<'a> Edit<'a> {
    fn of(file: &'a str) -> Self {
        let (mark, text) = match file.strip_prefix(BYTE_ORDER_MARK) {
            Some(text) => (BYTE_ORDER_MARK, text),
            None => ("", file),
        };
        let line_end = match text.split_once('\n') {
            Some((line, _)) if line.ends_with('\r') => "\r\n",
            _ => "\n",
        };
        Self {
            mark,
            text,
            line_end,
        }
    }

    /// Returns the file with a range replaced by new text, which gets the file's line ends.
    fn with(&self, range: Range<usize>, new: &str) -> String {
        let before = self.text.get(..range.start).unwrap_or_default();
        let after = self.text.get(range.end..).unwrap_or_default();
        let new = new.replace('\n', self.line_end);
        [self.mark, before, &new, after].concat()
    }

    /// Returns the file with an entry, and maybe what else is needed, in new lines behind the line of an index.
    fn with_lines(&self, at: usize, lines: &str) -> String {
        let end = self.line_end_after(at);
        let is_open = !self.text.get(..end).unwrap_or_default().ends_with('\n');
        let before = if is_open && end > 0 { "\n" } else { "" };
        self.with(end..end, &format!("{before}{lines}\n"))
    }

    /// Returns where the line of an index ends, behind its line end.
    fn line_end_after(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        rest.find('\n').map_or(self.text.len(), |it| at + it + 1)
    }

    /// Returns what is before an index on its line.
    fn before(&self, at: usize) -> &'a str {
        let before = self.text.get(..at).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |it| it + 1);
        before.get(start..).unwrap_or_default()
    }

    /// Returns the indentation of the lines of a map; `None` if its members have no lines of their own.
    fn indentation(&self, map: &Map) -> Option<&'a str> {
        let first = map.members.first().filter(|_| !map.is_flow)?;
        Some(self.before(first.key.start)).filter(|it| it.bytes().all(|byte| byte == b' '))
    }

    /// Returns the file with the first server, at its end.
    fn appending(&self, indent: &str, name: &ServerName, form: &Form) -> String {
        self.with_lines(self.text.len(), &first_server(indent, name, form))
    }

    /// Returns the texts that may be the file with a server, the best first.
    fn adding(&self, root: &Node, name: &ServerName, form: &Form) -> Vec<String> {
        let Some(map) = &root.map else {
            return Vec::new();
        };
        let Some(servers) = map.find("servers").and_then(|at| map.members.get(at)) else {
            return match self.indentation(map) {
                Some(indent) => vec![
                    self.appending(indent, name, form),
                    // The file may end with `...`.
                    self.with_lines(
                        root.range.end.saturating_sub(1),
                        &first_server(indent, name, form),
                    ),
                ],
                None => self.within(map, &format!("servers: {{ {} }}", flow(name, form))),
            };
        };
        let Some(inner) = &servers.value.map else {
            return Vec::new();
        };
        if let Some(member) = inner
            .find(name.as_str())
            .and_then(|at| inner.members.get(at))
        {
            let range = member.key.start..member.value.range.end;
            return match self.indentation(inner) {
                Some(indent) => vec![self.with(range, block(indent, name, form).trim_start())],
                None => vec![self.with(range, &flow(name, form))],
            };
        }
        if let Some(indent) = self.indentation(inner) {
            let last = servers.value.range.end.saturating_sub(1);
            return vec![self.with_lines(last, &block(indent, name, form))];
        }
        let mut texts = Vec::new();
        if inner.members.is_empty()
            && let Some(indent) = self.indentation(map)
        {
            // `servers: {}` gets lines of its own.
            let behind = self.text.get(servers.key.end..servers.value.range.start);
            let behind = behind.unwrap_or_default();
            let start = servers.key.end + behind.trim_end().len();
            let entry = block(&format!("{indent}  "), name, form);
            texts.push(self.with(start..servers.value.range.end, &format!("\n{entry}")));
        }
        texts.extend(self.within_or_empty(&servers.value, inner, &flow(name, form)));
        texts
    }

    /// Returns the file with another member in a map between braces.
    fn within(&self, map: &Map, member: &str) -> Vec<String> {
        let last = map.members.last().map(|it| it.value.range.end);
        let text = last.map(|last| self.with(last..last, &format!(", {member}")));
        text.into_iter().collect()
    }

    fn within_or_empty(&self, node: &Node, map: &Map, member: &str) -> Vec<String> {
        match map.members.is_empty() {
            true => vec![self.with(node.range.clone(), &format!("{{ {member} }}"))],
            false => self.within(map, member),
        }
    }

    /// Returns the texts that may be the file without a server.
    fn removing(&self, root: &Node, name: &ServerName) -> Vec<String> {
        let servers = root.map.as_ref().and_then(|map| {
            let at = map.find("servers")?;
            map.members.get(at)
        });
        let Some((servers, map)) = servers.and_then(|it| Some((it, it.value.map.as_ref()?))) else {
            return Vec::new();
        };
        let Some(at) = map.find(name.as_str()) else {
            return Vec::new();
        };
        let Some(member) = map.members.get(at) else {
            return Vec::new();
        };
        let is_only = map.members.len() == 1;
        if let Some(indent) = self.indentation(map) {
            let start = member.key.start - indent.len();
            let end = self.line_end_after(member.value.range.end.saturating_sub(1));
            if !is_only {
                return vec![self.with(start..end, "")];
            }
            // What remains is `servers: {}`, with the comments behind it.
            let behind = self.text.get(servers.key.end..start).unwrap_or_default();
            let Some(colon) = behind.find(':') else {
                return Vec::new();
            };
            let colon = servers.key.end + colon + 1;
            let (before, after) = (self.text.get(..colon), self.text.get(colon..start));
            let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
            let rest = self.text.get(end..).unwrap_or_default();
            return vec![[self.mark, before, " {}", after, rest].concat()];
        }
        let previous = at.checked_sub(1).and_then(|at| map.members.get(at));
        let range = match (map.members.get(at + 1), previous) {
            (Some(next), _) => member.key.start..next.key.start,
            (None, Some(previous)) => previous.value.range.end..member.value.range.end,
            (None, None) => return vec![self.with(servers.value.range.clone(), "{}")],
        };
        vec![self.with(range, "")]
    }
}

fn first_server(indent: &str, name: &ServerName, form: &Form) -> String {
    let entry = block(&format!("{indent}  "), name, form);
    format!("{indent}servers:\n{entry}")
}

/// Returns a server in lines of its own, without the last line end.
fn block(indent: &str, name: &ServerName, form: &Form) -> String {
    let mut text = format!("{indent}{}:", scalar(name.as_str()));
    // A text can always be written to.
    let _written = form.write(&mut text, Some(indent));
    text
}

/// Returns a server on one line.
fn flow(name: &ServerName, form: &Form) -> String {
    let mut text = format!("{}: ", scalar(name.as_str()));
    let _written = form.write(&mut text, None);
    text
}
