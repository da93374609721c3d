//! How a server's command starts: directly, or through `mcplexer run`.

mod list;

use std::iter;
use std::ops::Range;

use mcplexer_files::reference::SCHEME;

use crate::edit::Edit;
use crate::layout::Layout;
use crate::literal::{Notation, Style};
use crate::node::{Node, Object};
use crate::syntax::Syntax;
use list::List;

/// An option of `mcplexer run` (quiet) that marks where the list of arguments was empty, as opposed
/// to missing.
const WAS_EMPTY: &str = "-q";

/// The option of `mcplexer run` that lets it put secrets into arguments.
const ALLOW: &str = "--allow-arguments";

/// The command of a server, and where in the text it is.
pub(crate) enum Launch {
    /// A member that names the program, and often another one that has its arguments.
    Program(Program),
    /// One list of the program and its arguments.
    Line(List),
}

pub(crate) struct Program {
    /// Where the member that names the program begins.
    key_start: usize,
    /// Where the line of that member begins; `None` in the first line.
    line_start: Option<usize>,
    line_ending: &'static str,
    span: Range<usize>,
    text: String,
    /// Where the member with the arguments begins, and the arguments.
    arguments: Option<(usize, List)>,
    in_braces: bool,
    syntax: Syntax,
}

/// Where in the entry of a server its command is.
pub(crate) struct Keys {
    pub(crate) program: &'static str,
    pub(crate) arguments: &'static str,
}

impl Launch {
    /// Returns the launch of an entry; `None` if it has no command that `mcplexer run` could start.
    pub(crate) fn of(
        entry: &Object,
        keys: &Keys,
        text: &str,
        layout: &Layout,
        syntax: Syntax,
    ) -> Option<Self> {
        let member = entry.member(keys.program)?;
        let is_program = |text: &str| !text.is_empty() && !text.starts_with('-');
        if member.node.is_shared {
            return None;
        }
        if member.node.elements().is_some() {
            let list = List::of(&member.node, text, layout)?;
            return list
                .text(0)
                .is_some_and(is_program)
                .then_some(Self::Line(list));
        }
        let arguments = match entry.member(keys.arguments) {
            None => None,
            // Clients start nothing if this is not a list.
            Some(member) => Some((member.key_span.start, List::of(&member.node, text, layout)?)),
        };
        let program = member.node.text().filter(|it| is_program(it))?;
        let span = member.node.span.clone();
        // It must be able to stand among the arguments.
        let among = Notation {
            syntax,
            in_flow: arguments.as_ref().is_none_or(|(_, it)| it.is_flow()),
        };
        if syntax == Syntax::Yaml {
            Style::of(text.get(span.clone())?, program, among)?.write_text(program)?;
        }
        let key_start = member.key_span.start;
        Some(Self::Program(Program {
            key_start,
            line_start: layout.line_start(key_start),
            line_ending: layout.line_ending(key_start),
            span,
            text: program.to_owned(),
            arguments,
            in_braces: entry.in_braces,
            syntax,
        }))
    }

    /// Returns the command if it may be a line for a shell rather than the path of a program: if it
    /// has spaces and there are no arguments.
    pub(crate) fn possible_line(&self) -> Option<&str> {
        match self {
            Self::Program(it) if it.arguments.is_none() => {
                it.text.contains(char::is_whitespace).then_some(&it.text)
            }
            _ => None,
        }
    }

    /// Returns the program, unless it is the first of a list.
    pub(crate) fn program(&self) -> Option<&str> {
        match self {
            Self::Program(it) => Some(&it.text),
            Self::Line(_) => None,
        }
    }

    /// Returns the program and its arguments, as they are without `mcplexer run` before them. Numbers and the like are
    /// as they are written.
    pub(crate) fn line<'t>(&'t self, text: &'t str) -> Vec<&'t str> {
        let line: Vec<_> = match self {
            Self::Program(it) => {
                let arguments = it.arguments.as_ref();
                let arguments = arguments.into_iter().flat_map(|(_, it)| it.words(text));
                iter::once(it.text.as_str()).chain(arguments).collect()
            }
            Self::Line(list) => list.words(text).collect(),
        };
        let begin = match line.as_slice() {
            _ if !self.is_adopted() => 0,
            [_, _, WAS_EMPTY | ALLOW, program, ..] if !program.starts_with('-') => 3,
            [_, _, ALLOW, WAS_EMPTY, program, ..] if !program.starts_with('-') => 4,
            [_, _, program, ..] if !program.starts_with('-') => 2,
            _ => 0,
        };
        line.into_iter().skip(begin).collect()
    }

    /// Returns whether the command starts through `mcplexer run`.
    pub(crate) fn is_adopted(&self) -> bool {
        let (program, argument) = match self {
            Self::Program(it) => (Some(it.text.as_str()), it.argument(0)),
            Self::Line(list) => (list.text(0), list.text(1)),
        };
        let name = program.and_then(|it| it.rsplit(['/', '\\']).next());
        name == Some("mcplexer") && argument == Some("run")
    }

    /// Returns whether the program or one of its arguments has the word `mcplexer`, not as the scheme of a
    /// reference.
    pub(crate) fn mentions_mcplexer(&self) -> bool {
        let is_in = |text: &str| text.replace(SCHEME, "").contains("mcplexer");
        match self {
            Self::Program(it) => {
                let arguments = it.arguments.as_ref();
                is_in(&it.text) || arguments.is_some_and(|(_, it)| it.texts().any(is_in))
            }
            Self::Line(list) => list.texts().any(is_in),
        }
    }

    /// Returns the edits that start the command through `mcplexer run`. `mcplexer` is the literal of
    /// that program. If it `fills` arguments, it has the option for that.
    pub(crate) fn wrap(&self, text: &str, mcplexer: &str, fills: bool) -> Vec<Edit> {
        let option = format!("\"{ALLOW}\"");
        let options = if fills { &[option.as_str()][..] } else { &[] };
        match self {
            Self::Program(it) => it.wrap(text, mcplexer, options),
            Self::Line(list) => list
                .insert(0, text, &[&[mcplexer, "\"run\""], options].concat())
                .into_iter()
                .collect(),
        }
    }

    /// Returns whether `mcplexer run` has the option that lets it put secrets into arguments.
    pub(crate) fn allows_arguments(&self) -> bool {
        let mut texts = self.arguments().into_iter().flat_map(List::texts);
        texts.any(|it| it == ALLOW)
    }

    /// Returns the edit that gives `mcplexer run` that option.
    pub(crate) fn allow_arguments(&self, text: &str) -> Option<Edit> {
        let option = format!("\"{ALLOW}\"");
        self.arguments()?
            .insert(self.behind_run(), text, &[&option])
    }

    /// Returns the edit that removes the option behind `run`.
    pub(crate) fn forbid_arguments(&self) -> Option<Edit> {
        let (list, at) = (self.arguments()?, self.behind_run());
        let is_it = self.is_adopted() && list.text(at) == Some(ALLOW);
        let removed = list.span(at)?.start..list.span(at + 1)?.start;
        is_it.then(|| Edit::remove(removed))
    }

    /// Returns the edits that start the command directly again; `None` if it does already, or if
    /// `mcplexer run` has options that would be lost. [`ALLOW`] is not one of them if adopting has added it.
    pub(crate) fn unwrap(&self, text: &str, added_option: bool) -> Option<Vec<Edit>> {
        if !self.is_adopted() {
            return None;
        }
        let has_option = added_option && self.arguments()?.text(self.behind_run()) == Some(ALLOW);
        let at = self.behind_run() + usize::from(has_option);
        match self {
            Self::Program(it) => it.unwrap(text, at),
            Self::Line(list) => {
                let is_command = !list.text(at)?.starts_with('-');
                let begin = list.span(0)?.start;
                is_command.then_some(vec![Edit::remove(begin..list.span(at)?.start)])
            }
        }
    }

    fn arguments(&self) -> Option<&List> {
        match self {
            Self::Program(it) => it.arguments.as_ref().map(|(_, list)| list),
            Self::Line(list) => Some(list),
        }
    }

    /// Returns which element of the list is behind `run`.
    fn behind_run(&self) -> usize {
        match self {
            Self::Program(_) => 1,
            Self::Line(_) => 2,
        }
    }
}

impl Program {
    fn argument(&self, at: usize) -> Option<&str> {
        self.arguments.as_ref()?.1.text(at)
    }

    fn wrap(&self, text: &str, mcplexer: &str, options: &[&str]) -> Vec<Edit> {
        let command = text.get(self.span.clone()).unwrap_or_default();
        let literals = [&["\"run\""], options, &[command]].concat();
        let inserted = match &self.arguments {
            Some((_, arguments)) => match arguments.insert(0, text, &literals) {
                Some(inserted) => inserted,
                None => Edit::insert(
                    arguments.begin(),
                    format!("\"run\", \"{WAS_EMPTY}\", {command}"),
                ),
            },
            None => {
                let (separator, prefix) = self.before_member(text);
                let member = match self.syntax {
                    Syntax::Json => format!("\"args\": [\"run\", {command}]"),
                    Syntax::Toml => format!("args = [\"run\", {command}]"),
                    Syntax::Yaml => format!("args: [\"run\", {command}]"),
                };
                Edit::insert(self.span.end, format!("{separator}{prefix}{member}"))
            }
        };
        let program = Edit::replace(self.span.clone(), mcplexer);
        vec![program, inserted]
    }

    /// Returns what separates another member from the command, and what that member's line begins
    /// with: a comma in braces, and a new line if the command has its own.
    fn before_member(&self, text: &str) -> (String, String) {
        let prefix = text
            .get(self.line_start.unwrap_or(0)..self.key_start)
            .unwrap_or_default();
        let end = self.line_ending;
        let is_first = self.line_start.is_some() && prefix.trim_start().is_empty();
        match (self.in_braces, is_first) {
            (true, true) => (format!(",{end}"), prefix.to_owned()),
            (true, false) => (", ".to_owned(), String::new()),
            // The dash of a list is before its first member only.
            (false, _) if self.syntax == Syntax::Yaml => {
                let indent = prefix.chars().map(|c| if c == '\t' { c } else { ' ' });
                (end.to_owned(), indent.collect())
            }
            (false, _) => (end.to_owned(), prefix.to_owned()),
        }
    }

    /// Returns whether the arguments directly follow the program, where [`wrap`](Self::wrap) adds missing ones.
    fn is_behind_program(&self, text: &str, arguments: usize) -> bool {
        let (separator, prefix) = self.before_member(text);
        let between = text.get(self.span.end..arguments);
        between == Some(&format!("{separator}{prefix}"))
    }

    /// As [`Launch::unwrap`]. The command, or [`WAS_EMPTY`], is the argument `at`.
    fn unwrap(&self, text: &str, at: usize) -> Option<Vec<Edit>> {
        let (key_start, arguments) = self.arguments.as_ref()?;
        let was_empty = self.argument(at) == Some(WAS_EMPTY);
        let at = at + usize::from(was_empty);
        let command = arguments.span(at)?;
        if self.argument(at)?.starts_with('-') {
            return None;
        }
        let literal = text.get(command.clone()).unwrap_or_default();
        let program = Edit::replace(self.span.clone(), literal);
        let begin = arguments.span(0)?.start;
        let removed = match arguments.span(at + 1) {
            Some(next) => begin..next.start,
            None if was_empty || !self.is_behind_program(text, *key_start) => begin..command.end,
            None => self.span.end..arguments.end(),
        };
        Some(vec![program, Edit::remove(removed)])
    }
}

/// Returns the text of a node that is a string.
fn text_of(node: &Node) -> Option<String> {
    node.text().map(str::to_owned)
}
