//! From YAML to a configuration, or to everything that is wrong with it.

use std::collections::HashMap;

use super::credentials::{self, id_of};
use super::field::{FILE_FIELDS, Path, SCOPE_FIELDS, names_a_value, secret_name, value_field};
use super::problem::{Problem, SecretPlace};
use super::tree::{self, Content, Node, NotYaml, Place};
use super::{AuthScope, Config, MAX_CONFIG_LEN};
use mcplexer_secrets::{
    Error, InvalidName, MAX_REDACTION_HINTS, NewScope, ScopeId, ScopeKind, SecretName,
};

/// Most problems that are told of one file.
const MAX_PROBLEMS: usize = 100;

pub(super) fn parse(bytes: &[u8]) -> Result<Config, Vec<Problem>> {
    let mut reader = Reader::default();
    let beginning = Place { line: 1, column: 1 };
    if bytes.len() > MAX_CONFIG_LEN {
        reader.found(beginning, &Path::default(), "the file is longer than 1 MiB");
        return Err(reader.problems);
    }
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let place = end_of(&String::from_utf8_lossy(before));
            reader.found(place, &Path::default(), "not UTF-8 text");
            return Err(reader.problems);
        }
    };
    let root = tree::read(text).unwrap_or_else(|NotYaml(place, message)| {
        reader.found(place, &Path::default(), message);
        None
    });
    reader.invisible(text);
    let config = match (&root, reader.problems.is_empty()) {
        (Some(root), _) => reader.file(root),
        (None, true) => {
            let message = "the file names no scopes; `auth_scopes: []` says that there are none";
            reader.found(beginning, &Path::default(), message);
            None
        }
        (None, false) => None,
    };
    let credentials = credentials::find(text, root.as_ref());
    let mut values = std::mem::take(&mut reader.values);
    values.sort_unstable();
    let told = |line| {
        let after = values.partition_point(|&(first, _)| first <= line);
        let before = after.checked_sub(1).and_then(|at| values.get(at));
        before.is_some_and(|&(_, last)| line <= last)
    };
    let untold = credentials.into_iter().filter(|it| !told(it.line));
    reader.problems.extend(untold);
    match config {
        Some(config) if reader.problems.is_empty() => Ok(config),
        _ => {
            reader.problems.sort_by_key(|it| (it.line, it.column));
            reader.problems.truncate(MAX_PROBLEMS);
            Err(reader.problems)
        }
    }
}

/// The place after the end of a text.
fn end_of(text: &str) -> Place {
    let last = text.rsplit('\n').next().unwrap_or_default();
    Place {
        line: text.matches('\n').count() + 1,
        column: last.chars().count() + 1,
    }
}

/// Whether a character is not seen, or reorders what is (Unicode Standard Annex #9). Not those that join
/// letters, which words of many languages have.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

#[derive(Default)]
struct Reader {
    problems: Vec<Problem>,
    /// The first and the last line of each value that has no place, which is told of once.
    values: Vec<(usize, usize)>,
}

impl Reader {
    fn found(&mut self, place: Place, path: &Path, message: impl Into<String>) {
        self.problems.push(Problem {
            line: place.line,
            column: place.column,
            path: path.to_string(),
            message: message.into(),
            instead: None,
        });
    }

    /// Characters by which a file reads otherwise than it is, once a line. `config show` has them as
    /// escapes.
    fn invisible(&mut self, text: &str) {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (line, content) in (1..).zip(text.lines()) {
            if let Some(at) = content.chars().position(is_invisible) {
                let place = Place {
                    line,
                    column: at + 1,
                };
                let message = "a character that is not seen; write it as \\u and four digits, in double quotes";
                self.found(place, &Path::default(), message);
            }
        }
    }

    fn file(&mut self, root: &Node) -> Option<Config> {
        let path = Path::default();
        let fields = self.fields(root, &path, &FILE_FIELDS)?;
        let Some(scopes) = fields.get("auth_scopes") else {
            let message =
                "the field auth_scopes is missing; `auth_scopes: []` says that there are none";
            self.found(root.place, &path, message);
            return None;
        };
        let path = path.field("auth_scopes");
        let mut lines: HashMap<ScopeId, usize> = HashMap::new();
        let mut auth_scopes = Vec::new();
        for (at, node) in self.list(scopes, &path, "scopes")?.iter().enumerate() {
            let path = path.member(at);
            let Some((scope, place)) = self.scope(node, &path) else {
                continue;
            };
            match lines.insert(scope.id.clone(), place.line) {
                None => auth_scopes.push(scope),
                Some(line) => {
                    let message = format!("the same id as in line {line}");
                    self.found(place, &path.field("id"), message);
                }
            }
        }
        Some(Config { auth_scopes })
    }

    /// A scope, and where its id stands.
    fn scope(&mut self, node: &Node, path: &Path) -> Option<(AuthScope, Place)> {
        let fields = self.fields(node, path, &SCOPE_FIELDS)?;
        let id = fields.get("id");
        if id.is_none() {
            self.found(node.place, path, "the field id is missing");
        }
        let of = |name: &'static str| Some((*fields.get(name)?, path.field(name)));
        let (id, name, kind, hints) = (of("id"), of("name"), of("type"), of("redaction_hints"));
        let name = name.and_then(|(node, path)| self.display_name(node, &path));
        let kind = kind.and_then(|(node, path)| self.kind(node, &path));
        let hints = hints.and_then(|(node, path)| self.hints(node, &path));
        let (node, path) = id?;
        let text = self.text(node, &path)?;
        let id = self.parsed(text, node.place, &path)?;
        let scope = AuthScope {
            id,
            name,
            kind: kind.unwrap_or_default(),
            redaction_hints: hints.unwrap_or_default(),
        };
        Some((scope, node.place))
    }

    fn display_name(&mut self, node: &Node, path: &Path) -> Option<String> {
        let name = self.text(node, path)?.to_owned();
        // A scope of any id, to have its rule.
        let scope = NewScope {
            display_name: Some(name.clone()),
            ..NewScope::env("x".parse().ok()?)
        };
        match scope.check() {
            Ok(()) => Some(name),
            Err(error) => {
                self.found(node.place, path, error.to_string());
                None
            }
        }
    }

    fn kind(&mut self, node: &Node, path: &Path) -> Option<ScopeKind> {
        let text = self.text(node, path)?;
        let found = ScopeKind::ALL.into_iter().find(|it| it.as_str() == text);
        if found.is_none() {
            let kinds = ScopeKind::ALL.map(ScopeKind::as_str).join(", ");
            self.found(
                node.place,
                path,
                format!("not a type; it is one of {kinds}"),
            );
        }
        found
    }

    fn hints(&mut self, node: &Node, path: &Path) -> Option<Vec<SecretName>> {
        let members = self.list(node, path, "names")?;
        if members.len() > MAX_REDACTION_HINTS {
            self.found(node.place, path, Error::TooManyHints.to_string());
        }
        let mut hints = Vec::new();
        for (at, node) in members.iter().enumerate() {
            let path = path.member(at);
            let text = self.text(node, &path);
            hints.extend(text.and_then(|text| self.parsed(text, node.place, &path)));
        }
        Some(hints)
    }

    /// A name, or the rule that it breaks.
    fn parsed<T>(&mut self, text: &str, place: Place, path: &Path) -> Option<T>
    where
        T: std::str::FromStr<Err = InvalidName>,
    {
        match text.parse() {
            Ok(name) => Some(name),
            Err(error) => {
                let (what, rule) = (error.what(), error.rule());
                self.found(place, path, format!("not a {what}; it is {rule}"));
                None
            }
        }
    }

    fn text<'a>(&mut self, node: &'a Node, path: &Path) -> Option<&'a str> {
        self.plain(node, path)?;
        match node.text() {
            Some(_) if node.is_no_text() => {
                let message = "text is expected, and this is null, a boolean or a number; quote it";
                self.found(node.place, path, message);
                None
            }
            Some(text) => Some(text),
            None => {
                self.found(node.place, path, "text is expected");
                None
            }
        }
    }

    fn list<'a>(&mut self, node: &'a Node, path: &Path, of: &str) -> Option<&'a [Node]> {
        self.plain(node, path)?;
        let Content::List(members) = &node.content else {
            let message = format!("a list of {of} is expected; [] is an empty one");
            self.found(node.place, path, message);
            return None;
        };
        Some(members)
    }

    /// Anchors, aliases and tags make one thing look like another.
    fn plain(&mut self, node: &Node, path: &Path) -> Option<()> {
        if node.decorated || matches!(node.content, Content::Alias) {
            let message = "anchors, aliases and tags have no place here";
            self.found(node.place, path, message);
            return None;
        }
        Some(())
    }

    /// The fields of a map, each of which must be one of these, and there once.
    fn fields<'a>(
        &mut self,
        node: &'a Node,
        path: &Path,
        names: &[&'static str],
    ) -> Option<HashMap<&'static str, &'a Node>> {
        self.plain(node, path)?;
        let fields = names.join(", ");
        let Content::Map(members) = &node.content else {
            let message = format!("a map is expected, with the fields {fields}");
            self.found(node.place, path, message);
            return None;
        };
        let mut found = HashMap::new();
        let mut lines = HashMap::new();
        for (key, value) in members {
            self.plain(key, path);
            let text = key.text();
            if let Some(line) = text.and_then(|text| lines.insert(text, key.place.line)) {
                let message = format!("the same field as in line {line}");
                self.found(key.place, path, message);
                continue;
            }
            match names.iter().find(|name| Some(**name) == text) {
                Some(name) => {
                    found.insert(*name, value);
                }
                None => self.stray(key, value, path, members, &fields),
            }
        }
        Some(found)
    }

    /// A field that has no place here.
    fn stray(
        &mut self,
        key: &Node,
        value: &Node,
        path: &Path,
        members: &[(Node, Node)],
        fields: &str,
    ) {
        let Some(field) = key.text().and_then(value_field) else {
            if value.text().is_some() && key.text().is_some_and(names_a_value) {
                self.values.push((key.place.line, value.last_line));
                return self.problems.push(Problem {
                    line: value.place.line,
                    column: value.place.column,
                    path: path.to_string(),
                    message: "a value has no place here".to_owned(),
                    instead: Some(SecretPlace {
                        scope: id_of(members),
                        name: None,
                    }),
                });
            }
            let message = match key.text() {
                Some("<<") => "merge keys have no place here".to_owned(),
                _ => format!("unknown field; known are {fields}"),
            };
            return self.found(key.place, path, message);
        };
        // Of `env: {…}` the names are the file's.
        let name = value.text().and_then(|_| secret_name(field));
        self.values.push((key.place.line, value.last_line));
        self.problems.push(Problem {
            line: value.place.line,
            column: value.place.column,
            path: path.field(field).to_string(),
            message: "a value has no place here".to_owned(),
            instead: Some(SecretPlace {
                scope: id_of(members),
                name,
            }),
        });
    }
}
