//! How a server's command is started: as it is, or through `mcplexer run`.

use std::ops::Range;

use super::Syntax;
use super::document::{Node, Object};
use super::edit::Edit;

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
    /// That of an entry whose program is the member `key`; `None` if it starts nothing.
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
    ///
    /// The command goes behind `run --`. If there were no arguments, it goes behind `run` alone: so
    /// [`unwrap`](Self::unwrap) can tell.
    pub(super) fn wrap(&self, text: &str, syntax: Syntax, mcplexer: &str) -> Vec<Edit> {
        let command = text.get(self.program.span.clone()).unwrap_or_default();
        let inserted = match &self.arguments {
            Some(arguments) => {
                let begin = arguments.span.start + 1;
                let first = arguments.elements.first();
                let before = first.and_then(|(first, _)| text.get(begin..first.start));
                // As the arguments stand: each in a line of its own, or behind one another.
                let separator = match before {
                    Some(before) if before.contains('\n') && before.trim().is_empty() => {
                        format!(",{before}")
                    }
                    _ => ", ".to_owned(),
                };
                let end = if first.is_some() { &separator } else { "" };
                let at = first.map_or(begin, |(first, _)| first.start);
                Edit::insert(
                    at,
                    format!("\"run\"{separator}\"--\"{separator}{command}{end}"),
                )
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

    /// Lets the command start by itself again; `None` if it does, or if `mcplexer run` has options
    /// that it would lose.
    pub(super) fn unwrap(&self, text: &str) -> Option<Vec<Edit>> {
        if !self.is_adopted() {
            return None;
        }
        let arguments = self.arguments.as_ref()?;
        let span = |at: usize| arguments.elements.get(at).map(|(span, _)| span.clone());
        let had_arguments = self.argument(1) == Some("--");
        let at = if had_arguments { 2 } else { 1 };
        let command = span(at)?;
        if !had_arguments && self.argument(at)?.starts_with('-') {
            return None;
        }
        let program = Edit::replace(
            self.program.span.clone(),
            text.get(command.clone()).unwrap_or_default(),
        );
        let removed = match (had_arguments, span(at + 1)) {
            (_, Some(next)) => arguments.first()?..next.start,
            (true, None) => arguments.first()?..command.end,
            (false, None) => {
                let between = text.get(self.program.span.end..arguments.key_start)?;
                let (separator, prefix) = self.before_member(text);
                if between != format!("{separator}{prefix}") {
                    // Somebody has moved it: then it stays, and is empty.
                    arguments.first()?..command.end
                } else {
                    self.program.span.end..arguments.span.end
                }
            }
        };
        Some(vec![program, Edit::remove(removed)])
    }
}

impl Arguments {
    fn first(&self) -> Option<usize> {
        self.elements.first().map(|(span, _)| span.start)
    }
}

fn element(node: &Node) -> (Range<usize>, Option<String>) {
    (node.span.clone(), node.text().map(str::to_owned))
}
