//! Restoring a configuration that was adopted.

use std::collections::HashSet;
use std::fmt;

use mcplexer_files::position::Position;
use mcplexer_files::reference::{Mark, Reference};
use zeroize::Zeroizing;

use crate::argument::adopted_in;
use crate::config::ClientConfig;
use crate::edit::{Edit, apply};
use crate::error::AdoptError;
use crate::header::variable;
use crate::launch::Launch;
use crate::literal::{Notation, Style};
use crate::server::{Place, Server, Text};

/// What undoing an adoption does.
pub struct Undone {
    pub(crate) text: Zeroizing<String>,
    bytes: Zeroizing<Vec<u8>>,
    /// How many values return to the file.
    pub values: usize,
    /// The servers that start without mcplexer again.
    pub servers: Vec<String>,
    /// The servers that still start through `mcplexer run`, because it has options that would be
    /// lost.
    pub kept: Vec<String>,
}

impl ClientConfig {
    /// Returns the references that adopting has put into the file, and where each is: those of
    /// these servers, or of all servers if the list is empty.
    ///
    /// # Errors
    /// Returns [`AdoptError::NotUndone`] if one has been edited and is no longer a reference.
    pub fn references(&self, servers: &[String]) -> Result<Vec<(Reference, Position)>, AdoptError> {
        let chosen = self.chosen(servers).flat_map(adopted);
        chosen
            .map(|text| Ok((reference(text)?, text.position)))
            .collect()
    }

    /// Puts the values back that adopting has moved, and removes `mcplexer run` where adopting has
    /// added it. Keeps references and commands that were written by hand.
    ///
    /// # Errors
    /// Returns [`AdoptError::NotUndone`] if `lookup` has no value for a reference, or one that is
    /// not UTF-8.
    pub fn undo<'v>(
        &self,
        servers: &[String],
        lookup: &dyn Fn(&Reference) -> Option<&'v [u8]>,
    ) -> Result<Undone, AdoptError> {
        let texts = |reference: &Reference| str::from_utf8(lookup(reference)?).ok();
        self.undone(servers, &texts)
    }

    pub(crate) fn undone<'v>(
        &self,
        servers: &[String],
        lookup: &dyn Fn(&Reference) -> Option<&'v str>,
    ) -> Result<Undone, AdoptError> {
        let (mut edits, mut values) = (Vec::new(), 0);
        let (mut started, mut kept) = (Vec::new(), Vec::new());
        for server in self.chosen(servers) {
            let headers = self.headers(server, lookup)?;
            let has_headers = headers.is_some();
            let put_back = self.values(server, lookup, has_headers)?;
            values += put_back.len();
            edits.extend(put_back);
            if let Some((count, restored)) = headers {
                values += count;
                edits.extend(restored);
            }
            let launch = server.launch.as_ref().filter(|_| server.may_be_resolved());
            let mut marks = adopted(server).filter_map(mark);
            let added_option = adopted(server)
                .filter(|it| it.is_argument())
                .any(|it| matches!(mark(it), Some(Mark::Adopted | Mark::Allowed)));
            if !server.may_be_resolved() || !marks.any(Mark::is_adopted) {
                let launch = launch.filter(|_| added_option);
                edits.extend(launch.and_then(Launch::forbid_arguments));
                continue;
            }
            match launch.and_then(|launch| launch.unwrap(&self.text, added_option)) {
                Some(unwrap) => {
                    edits.extend(unwrap);
                    started.push(server.name.clone());
                }
                None => kept.push(server.name.clone()),
            }
        }
        let text = apply(&self.text, edits);
        Ok(Undone {
            bytes: self.bytes(&text),
            text,
            values,
            servers: started,
            kept,
        })
    }

    /// Returns the edits that put values back; without those of header fields if these are back already.
    fn values<'v>(
        &self,
        server: &Server,
        lookup: &dyn Fn(&Reference) -> Option<&'v str>,
        has_headers: bool,
    ) -> Result<Vec<Edit>, AdoptError> {
        let edit = |text: &Text| {
            let value = lookup(&reference(text)?).ok_or(AdoptError::NotUndone)?;
            let value = with_value(text, value).ok_or(AdoptError::NotUndone)?;
            let literal = self.literal_like(text, &value);
            Ok(Edit {
                span: text.span.clone(),
                text: literal.ok_or(AdoptError::NotUndone)?,
            })
        };
        let is_left = |text: &&Text| !has_headers || added(text).is_none();
        adopted(server).filter(is_left).map(edit).collect()
    }

    /// Returns the number of header fields that a server has variables for, and the edits that put their values back
    /// and remove the variables. `None` if it has none, or if the fields are no longer as adopting has left them.
    fn headers<'v>(
        &self,
        server: &Server,
        lookup: &dyn Fn(&Reference) -> Option<&'v str>,
    ) -> Result<Option<(usize, Vec<Edit>)>, AdoptError> {
        let variables: Vec<_> = server.texts.iter().filter_map(added).collect();
        let pairs: Vec<_> = variables.iter().map(|it| (it.name, it.reference)).collect();
        let environment = server.environment.as_ref().filter(|_| !pairs.is_empty());
        let Some(mut edits) = environment.and_then(|it| it.remove(&self.text, &pairs)) else {
            return Ok(None);
        };
        for it in &variables {
            let reference = Reference::of_value(it.reference).map_err(|_| AdoptError::NotUndone)?;
            let value = lookup(&reference).ok_or(AdoptError::NotUndone)?;
            let end = variable(it.name);
            let mut arguments = server.texts.iter().filter(|it| it.is_argument());
            let field =
                arguments.find_map(|text| Some((text, text.value.as_deref()?.strip_suffix(&end)?)));
            let Some((text, start)) = field else {
                return Ok(None);
            };
            let space = if it.is_spaced { " " } else { "" };
            let field = Zeroizing::new([start, space, value].concat());
            edits.push(Edit {
                span: text.span.clone(),
                text: self
                    .literal_like(text, &field)
                    .ok_or(AdoptError::NotUndone)?,
            });
        }
        Ok(Some((variables.len(), edits)))
    }

    /// Returns the literal for a value in the style that a reference stands for. A value that has
    /// changed since may need a plainer style.
    fn literal_like(&self, reference: &Text, value: &str) -> Option<Zeroizing<String>> {
        let literal = self.text.get(reference.span.clone())?;
        let notation = Notation::of_text(self.syntax, reference);
        let style = Style::of_reference(literal, reference.value.as_deref()?, notation);
        let written = style.and_then(|style| style.write_text(value));
        written.or_else(|| Style::plain(notation).write_text(value))
    }

    fn chosen(&self, servers: &[String]) -> impl Iterator<Item = &Server> {
        let names: HashSet<_> = servers.iter().cloned().collect();
        let has = move |name: Option<&String>| name.is_some_and(|it| names.contains(it));
        let is_any = servers.is_empty();
        let is_chosen = move |server: &&Server| {
            is_any
                || has(Some(&server.name))
                || has(server.project.as_ref())
                || has(server.path().as_ref())
        };
        self.servers.iter().filter(is_chosen)
    }
}

/// A variable that was added for a header field.
struct Added<'a> {
    name: &'a str,
    reference: &'a str,
    is_spaced: bool,
}

/// Returns an argument without the variable at its end, if that was added for a header field.
pub(crate) fn without_added<'a>(server: &Server, argument: &'a str) -> &'a str {
    let mut variables = server.texts.iter().filter_map(added);
    let field = variables.find_map(|it| argument.strip_suffix(&variable(it.name)));
    field.unwrap_or(argument)
}

fn added(text: &Text) -> Option<Added<'_>> {
    match (&text.place, mark(text)?) {
        (Place::Env(name), Mark::Header { spaced, .. }) => Some(Added {
            name,
            reference: text.value.as_deref()?,
            is_spaced: spaced,
        }),
        _ => None,
    }
}

/// Returns the variables, arguments and header fields of a server that hold references which adopting has put there.
fn adopted(server: &Server) -> impl Iterator<Item = &Text> {
    server.texts.iter().filter(|text| mark(text).is_some())
}

fn mark(text: &Text) -> Option<Mark> {
    let value = text.value.as_deref()?;
    match text.place {
        Place::Env(_) => Mark::of_value(value),
        Place::Argument(_) | Place::Header(_) => adopted_in(value).map(|(_, _, mark)| mark),
        _ => None,
    }
}

fn reference(text: &Text) -> Result<Reference, AdoptError> {
    let value = text.value.as_deref().ok_or(AdoptError::NotUndone)?;
    match text.place {
        Place::Argument(_) | Place::Header(_) => {
            adopted_in(value).map(|(_, reference, _)| reference)
        }
        _ => Reference::of_value(value).ok(),
    }
    .ok_or(AdoptError::NotUndone)
}

/// Returns the text with a value in the place of its reference.
fn with_value(text: &Text, value: &str) -> Option<Zeroizing<String>> {
    let before = text.value.as_deref()?;
    let range = match text.place {
        Place::Argument(_) | Place::Header(_) => adopted_in(before)?.0,
        _ => 0..before.len(),
    };
    let parts = [before.get(..range.start)?, value, before.get(range.end..)?];
    Some(Zeroizing::new(parts.concat()))
}

impl Undone {
    /// Returns the bytes of the restored file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Undone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Undone")
            .field("values", &self.values)
            .field("servers", &self.servers)
            .field("kept", &self.kept)
            .finish_non_exhaustive()
    }
}
