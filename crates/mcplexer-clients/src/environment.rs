//! Where the variables of a server are, and adding some before them.

use std::ops::Range;

use crate::edit::Edit;
use crate::launch::Keys;
use crate::layout::Layout;
use crate::literal::{Notation, Style};
use crate::node::{Member, Object};
use crate::syntax::Syntax;

/// Members with the environment of a command.
pub(crate) const ENVIRONMENTS: [&str; 3] = ["env", "envs", "environment"];

/// The variables of a server, and the place for some if it has none.
pub(crate) struct Environment {
    syntax: Syntax,
    /// What its client calls them.
    key: &'static str,
    /// The member with the arguments, before which they are added.
    arguments: Place,
    present: Option<Present>,
}

/// The variables that there are.
struct Present {
    key_start: usize,
    span: Range<usize>,
    in_braces: bool,
    /// Each with the range of its member.
    members: Vec<(String, Range<usize>)>,
    first: Option<Place>,
}

/// Where a member begins, and what separates another one before it from it.
struct Place {
    at: usize,
    separator: String,
}

impl Place {
    fn of(member: &Member, in_braces: bool, text: &str, layout: &Layout) -> Option<Self> {
        let at = member.key_span.start;
        let start = layout.line_start(at);
        let prefix = text.get(start.unwrap_or(0)..at)?;
        let end = layout.line_ending(at);
        let is_first = start.is_some() && prefix.trim().is_empty();
        let separator = match (in_braces, is_first) {
            (true, true) => format!(",{end}{prefix}"),
            (true, false) => ", ".to_owned(),
            // The dash of a list is before its first member only.
            (false, _) if prefix.trim() == "-" => format!("{end}{}", prefix.replace('-', " ")),
            (false, _) => format!("{end}{prefix}"),
        };
        Some(Self { at, separator })
    }
}

impl Environment {
    /// Returns that of the command in an entry; `None` if nothing can be added to it.
    pub(crate) fn of(
        (entry, of_launch): (&Object, &Object),
        keys: &Keys,
        text: &str,
        layout: &Layout,
        syntax: Syntax,
    ) -> Option<Self> {
        let member = |key: &&str| of_launch.member(key).or_else(|| entry.member(key));
        let present = match ENVIRONMENTS.iter().find_map(member) {
            Some(member) => Some(Present::of(member, text, layout)?),
            None => None,
        };
        let command = of_launch.member(keys.program)?;
        let is_line = command.node.elements().is_some();
        let arguments = if is_line {
            command
        } else {
            of_launch.member(keys.arguments)?
        };
        let key = match keys.program {
            // OpenCode and Kilo Code; Goose.
            _ if is_line => "environment",
            "cmd" => "envs",
            _ => "env",
        };
        Some(Self {
            syntax,
            key,
            arguments: Place::of(arguments, of_launch.in_braces, text, layout)?,
            present,
        })
    }

    /// Returns the edit that adds variables before all others.
    pub(crate) fn add(&self, text: &str, variables: &[(&str, &str)]) -> Option<Edit> {
        let Some(present) = &self.present else {
            return Some(Edit::insert(self.arguments.at, self.member(variables)?));
        };
        let members = self.members(variables)?;
        match &present.first {
            Some(first) => {
                let members = members.iter().map(|it| format!("{it}{}", first.separator));
                Some(Edit::insert(first.at, members.collect::<String>()))
            }
            None if text.get(present.span.clone())?.starts_with('{') => {
                let members = format!(" {} ", members.join(", "));
                Some(Edit::insert(present.span.start + 1, members))
            }
            None => None,
        }
    }

    /// Returns the edits that remove variables that were added like this. `None` if that cannot be told.
    pub(crate) fn remove(&self, text: &str, variables: &[(&str, &str)]) -> Option<Vec<Edit>> {
        let present = self.present.as_ref()?;
        let is_added = |name: &str| variables.iter().any(|(it, _)| *it == name);
        if present.members.iter().all(|(name, _)| is_added(name)) {
            let end = present.members.last()?.1.end;
            let whole = present.key_start..self.arguments.at;
            let inner = present.span.start + 1..end + 1;
            let is_padded = |inner: &str| inner.starts_with(' ') && inner.ends_with(' ');
            return if text.get(whole.clone()) == self.member(variables).as_deref() {
                Some(vec![Edit::remove(whole)])
            } else {
                let is_inner = present.in_braces && text.get(inner.clone()).is_some_and(is_padded);
                is_inner.then(|| vec![Edit::remove(inner)])
            };
        }
        let next = present.members.iter().skip(1).map(|(_, range)| range.start);
        let next = next.map(Some).chain([None]);
        let members = present.members.iter().zip(next);
        members
            .filter(|((name, _), _)| is_added(name))
            .map(|((_, range), next)| Some(Edit::remove(range.start..next?)))
            .collect()
    }

    /// Returns the member with all variables, and what separates it from the arguments.
    fn member(&self, variables: &[(&str, &str)]) -> Option<String> {
        let members = self.members(variables)?.join(", ");
        let (key, separator) = (self.named(self.key), &self.arguments.separator);
        Some(format!("{key}{{{members}}}{separator}"))
    }

    fn members(&self, variables: &[(&str, &str)]) -> Option<Vec<String>> {
        let style = Style::plain(Notation::from(self.syntax));
        let members = variables.iter().map(|(name, value)| {
            let value = style.write_text(value)?;
            Some(format!("{}{}", self.named(name), *value))
        });
        members.collect()
    }

    fn named(&self, name: &str) -> String {
        match self.syntax {
            Syntax::Json => format!("\"{name}\": "),
            Syntax::Toml => format!("{name} = "),
            Syntax::Yaml => format!("{name}: "),
        }
    }
}

impl Present {
    fn of(member: &Member, text: &str, layout: &Layout) -> Option<Self> {
        let object = member.node.object().filter(|_| !member.node.is_shared)?;
        let members = object.members.iter().map(|it| {
            let range = it.key_span.start..it.node.span.end;
            (it.key.clone(), range)
        });
        let first = match object.members.first() {
            Some(first) => Some(Place::of(first, object.in_braces, text, layout)?),
            None => None,
        };
        Some(Self {
            key_start: member.key_span.start,
            span: member.node.span.clone(),
            in_braces: object.in_braces,
            members: members.collect(),
            first,
        })
    }
}
