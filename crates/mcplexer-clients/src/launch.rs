//! How a server's command starts: directly, or through `mcplexer run`.

use std::ops::Range;

use crate::edit::Edit;
use crate::layout::Layout;
use crate::node::{Node, Object};
use crate::syntax::Syntax;

/// An option of `mcplexer run` (quiet) that marks where the list of arguments was empty, as opposed
/// to missing.
const WAS_EMPTY: &str = "-q";

/// The command of a server, and where in the text it is.
pub(crate) struct Launch {
    /// Where the member that names the program begins.
    key_start: usize,
    /// Where the line of that member begins; `None` in the first line.
    line_start: Option<usize>,
    line_ending: &'static str,
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
    /// Each with its text, if it is a string.
    elements: Vec<(Range<usize>, Option<String>)>,
}

impl Launch {
    /// Returns the launch of an entry that names its program in the member `key`; `None` if it has
    /// no command that `mcplexer run` could start.
    pub(crate) fn of(entry: &Object, key: &str, layout: &Layout) -> Option<Self> {
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
                // Clients start nothing if this is not a list.
                elements: member.node.elements()?.iter().map(element).collect(),
            }),
        };
        if program.text.is_empty() || program.text.starts_with('-') {
            return None;
        }
        let key_start = member.key_span.start;
        Some(Self {
            key_start,
            line_start: layout.line_start(key_start),
            line_ending: layout.line_ending(key_start),
            program,
            arguments,
            in_braces: entry.in_braces,
        })
    }

    /// Returns the command if it may be a line for a shell rather than the path of a program: if it
    /// has spaces and there are no arguments.
    pub(crate) fn possible_line(&self) -> Option<&str> {
        let is_line = self.arguments.is_none() && self.program.text.contains(char::is_whitespace);
        is_line.then_some(&self.program.text)
    }

    /// Returns whether the command starts through `mcplexer run`.
    pub(crate) fn is_adopted(&self) -> bool {
        let name = self.program.text.rsplit(['/', '\\']).next();
        name == Some("mcplexer") && self.argument(0) == Some("run")
    }

    fn argument(&self, at: usize) -> Option<&str> {
        let (_, text) = self.arguments.as_ref()?.elements.get(at)?;
        text.as_deref()
    }

    /// Returns the edits that start the command through `mcplexer run`. `mcplexer` is the literal of
    /// that program.
    pub(crate) fn wrap(&self, text: &str, syntax: Syntax, mcplexer: &str) -> Vec<Edit> {
        let command = text.get(self.program.span.clone()).unwrap_or_default();
        let inserted = match &self.arguments {
            Some(arguments) => {
                let begin = arguments.span.start + 1;
                match arguments.first() {
                    None => Edit::insert(begin, format!("\"run\", \"{WAS_EMPTY}\", {command}")),
                    Some(first) => {
                        // As the other arguments are: on lines of their own, or side by side.
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

    /// Returns what separates another member from the command, and what that member's line begins
    /// with: a comma in braces, and a new line if the command has its own.
    fn before_member<'t>(&self, text: &'t str) -> (String, &'t str) {
        let prefix = text
            .get(self.line_start.unwrap_or(0)..self.key_start)
            .unwrap_or_default();
        let end = self.line_ending;
        let is_first = self.line_start.is_some() && prefix.trim_start().is_empty();
        match (self.in_braces, is_first) {
            (true, true) => (format!(",{end}"), prefix),
            (true, false) => (", ".to_owned(), ""),
            (false, _) => (end.to_owned(), prefix),
        }
    }

    /// Returns whether the arguments directly follow the program, where [`wrap`](Self::wrap) adds missing ones.
    fn is_behind_program(&self, text: &str, arguments: &Arguments) -> bool {
        let (separator, prefix) = self.before_member(text);
        let between = text.get(self.program.span.end..arguments.key_start);
        between == Some(&format!("{separator}{prefix}"))
    }

    /// Returns the edits that start the command directly again; `None` if it does already, or if
    /// `mcplexer run` has options that would be lost.
    pub(crate) fn unwrap(&self, text: &str) -> Option<Vec<Edit>> {
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

impl Arguments {
    fn first(&self) -> Option<usize> {
        self.elements.first().map(|(span, _)| span.start)
    }
}

fn element(node: &Node) -> (Range<usize>, Option<String>) {
    (node.span.clone(), node.text().map(str::to_owned))
}
