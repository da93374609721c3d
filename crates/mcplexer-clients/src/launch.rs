//! How a server's command is started: as it is, or through `mcplexer run`.

use std::ops::Range;
use std::path::Path;

use super::Syntax;
use super::document::{Node, Object};
use super::edit::Edit;

/// What `mcplexer run` is told where a list of arguments was there and empty, so that it can be told
/// from one that was not there. It says nothing but errors then.
const WAS_EMPTY: &str = "-q";

/// The command of a server, and where it stands.
pub(super) struct Launch {
    /// Where the name of the member begins that names the program.
    key_start: usize,
    program: Text,
    arguments: Option<Arguments>,
    in_braces: bool,
}

struct Text {
    span: Range<usize>,
    text: String,
}

struct Arguments {
    key_start: usize,
    span: Range<usize>,
    /// Each with its text, if it is one.
    elements: Vec<(Range<usize>, Option<String>)>,
}

impl Launch {
    /// That of an entry whose program is the member `key`; `None` if it starts nothing that
    /// `mcplexer run` could.
    pub(super) fn of(entry: &Object, key: &str) -> Option<Self> {
        let member = entry.member(key)?;
        let program = Text {
            text: member.node.text()?.to_owned(),
            span: member.node.span.clone(),
        };
        let arguments = match entry.member("args") {
            None => None,
            Some(member) => Some(Arguments {
                key_start: member.key_span.start,
                span: member.node.span.clone(),
                // What is no list is nothing that can be started.
                elements: member.node.elements()?.iter().map(element).collect(),
            }),
        };
        if !is_program(&program.text, arguments.is_none()) {
            return None;
        }
        Some(Self {
            key_start: member.key_span.start,
            program,
            arguments,
            in_braces: entry.in_braces,
        })
    }

    /// Whether the command starts through `mcplexer run`.
    pub(super) fn is_adopted(&self) -> bool {
        let name = self.program.text.rsplit(['/', '\\']).next();
        name == Some("mcplexer") && self.argument(0) == Some("run")
    }

    fn argument(&self, at: usize) -> Option<&str> {
        let (_, text) = self.arguments.as_ref()?.elements.get(at)?;
        text.as_deref()
    }

    /// Lets the command start through `mcplexer run`, where `mcplexer` is the literal for it.
    pub(super) fn wrap(&self, text: &str, syntax: Syntax, mcplexer: &str) -> Vec<Edit> {
        let command = text.get(self.program.span.clone()).unwrap_or_default();
        let inserted = match &self.arguments {
            Some(arguments) => {
                let begin = arguments.span.start + 1;
                match arguments.first() {
                    None => Edit::insert(begin, format!("\"run\", \"{WAS_EMPTY}\", {command}")),
                    Some(first) => {
                        // As the arguments stand: each in a line of its own, or behind one another.
                        let separator = match text.get(begin..first) {
                            Some(before) if before.contains('\n') && before.trim().is_empty() => {
                                format!(",{before}")
                            }
                            _ => ", ".to_owned(),
                        };
                        Edit::insert(first, format!("\"run\"{separator}{command}{separator}"))
                    }
                }
            }
            None => {
                let (separator, prefix) = self.before_member(text);
                let member = match syntax {
                    Syntax::Json => format!("\"args\": [\"run\", {command}]"),
                    Syntax::Toml => format!("args = [\"run\", {command}]"),
                };
                let at = self.program.span.end;
                Edit::insert(at, format!("{separator}{prefix}{member}"))
            }
        };
        let program = Edit::replace(self.program.span.clone(), mcplexer);
        vec![program, inserted]
    }

    /// What another member behind the command begins with: a comma where there are braces, and a line
    /// of its own if the command has one.
    fn before_member<'t>(&self, text: &'t str) -> (String, &'t str) {
        let before = text.get(..self.key_start).unwrap_or_default();
        let line = before.rfind('\n').map(|at| at + 1);
        let prefix = text
            .get(line.unwrap_or(0)..self.key_start)
            .unwrap_or_default();
        let end = if before.ends_with("\r\n") || before.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        match (self.in_braces, prefix.trim().is_empty() && line.is_some()) {
            (true, true) => (format!(",{end}"), prefix),
            (true, false) => (", ".to_owned(), ""),
            (false, _) => (end.to_owned(), prefix),
        }
    }

    /// Whether the arguments stand where [`wrap`](Self::wrap) puts them if there were none.
    fn is_behind_program(&self, text: &str, arguments: &Arguments) -> bool {
        let (separator, prefix) = self.before_member(text);
        let between = text.get(self.program.span.end..arguments.key_start);
        between == Some(&format!("{separator}{prefix}"))
    }

    /// Lets the command start by itself again; `None` if it does, or if `mcplexer run` has options
    /// that it would lose.
    pub(super) fn unwrap(&self, text: &str) -> Option<Vec<Edit>> {
        if !self.is_adopted() {
            return None;
        }
        let arguments = self.arguments.as_ref()?;
        let span = |at: usize| arguments.elements.get(at).map(|(span, _)| span.clone());
        let was_empty = self.argument(1) == Some(WAS_EMPTY);
        let at = if was_empty { 2 } else { 1 };
        let command = span(at)?;
        if self.argument(at)?.starts_with('-') {
            return None;
        }
        let program = Edit::replace(
            self.program.span.clone(),
            text.get(command.clone()).unwrap_or_default(),
        );
        let begin = arguments.first()?;
        let removed = match span(at + 1) {
            Some(next) => begin..next.start,
            None if was_empty || !self.is_behind_program(text, arguments) => begin..command.end,
            None => self.program.span.end..arguments.span.end,
        };
        Some(vec![program, Edit::remove(removed)])
    }
}

/// Whether a text names a program, rather than a line for a shell.
fn is_program(text: &str, is_alone: bool) -> bool {
    let is_line = is_alone && text.contains(char::is_whitespace) && !Path::new(text).exists();
    !text.is_empty() && !text.starts_with('-') && !is_line
}

impl Arguments {
    fn first(&self) -> Option<usize> {
        self.elements.first().map(|(span, _)| span.start)
    }
}

fn element(node: &Node) -> (Range<usize>, Option<String>) {
    (node.span.clone(), node.text().map(str::to_owned))
}
