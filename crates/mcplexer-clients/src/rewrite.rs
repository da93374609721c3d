//! Rewriting a configuration so that it refers to the store.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use mcplexer_detect::Reason;
use mcplexer_files::reference::{Mark, Reference};
use zeroize::Zeroizing;

use crate::argument::with_reference;
use crate::config::ClientConfig;
use crate::edit::{Edit, apply};
use crate::error::AdoptError;
use crate::header::Header;
use crate::launch::Launch;
use crate::literal::{Notation, Style};
use crate::server::{Server, Start, Text};

/// A text that moves to the store.
pub(crate) struct Move<'a> {
    /// The index of its server.
    pub(crate) server: usize,
    pub(crate) text: &'a Text,
    /// The part of the text: all of a variable, or the credential in an argument.
    pub(crate) part: Range<usize>,
    /// The header field that the text is, if a variable takes the place of the part.
    pub(crate) header: Option<Header>,
    pub(crate) reference: Reference,
    pub(crate) reason: Option<Reason>,
}

impl Move<'_> {
    /// Returns whether `mcplexer run` puts it into an argument.
    fn is_filled(&self) -> bool {
        self.text.is_argument() && self.header.is_none()
    }

    fn mark(&self, server: &Server) -> Mark {
        let adopted = server.start == Start::Command;
        let allows = || server.launch.as_ref().is_some_and(Launch::allows_arguments);
        match &self.header {
            Some(header) => Mark::Header {
                adopted,
                spaced: header.is_spaced,
            },
            None if adopted => Mark::Adopted,
            None if self.is_filled() && !allows() => Mark::Allowed,
            None => Mark::Moved,
        }
    }
}

/// Returns the style of a text's literal; `None` if undoing could not write it.
pub(crate) fn style(config: &ClientConfig, text: &Text) -> Option<Style> {
    let literal = config.text.get(text.span.clone())?;
    let (value, notation) = (
        text.value.as_deref()?,
        Notation::of_text(config.syntax, text),
    );
    let style = Style::of(literal, value, notation)?;
    (*style.write_text(value)? == *literal).then_some(style)
}

/// Returns whether a text can be replaced by one with a reference in it, and that by the text again.
pub(crate) fn can_be_undone(config: &ClientConfig, text: &Text, with_reference: &str) -> bool {
    let Some(style) = style(config, text) else {
        return false;
    };
    let notation = Notation::of_text(config.syntax, text);
    let literal = style.write_reference(with_reference);
    let literal = literal.filter(|_| style.write_text(with_reference).is_some());
    literal.is_some_and(|it| Style::of_reference(&it, with_reference, notation) == Some(style))
}

/// Returns the file with references in place of the texts that move, and with their servers started
/// through `program`.
///
/// # Errors
/// Returns [`AdoptError::NotUndone`] if undoing would not restore the file.
pub(crate) fn rewrite(
    config: &ClientConfig,
    program: &str,
    moves: &[Move<'_>],
) -> Result<Zeroizing<Vec<u8>>, AdoptError> {
    let program = Style::plain(config.syntax.into()).write_text(program);
    let program = program.ok_or(AdoptError::NotUndone)?;
    let mut edits = Vec::new();
    let moving: HashSet<_> = moves.iter().map(|it| it.server).collect();
    let filling = moves.iter().filter(|it| it.is_filled());
    let filling: HashSet<_> = filling.map(|it| it.server).collect();
    for (at, server) in config.servers.iter().enumerate() {
        let Some(launch) = server.launch.as_ref().filter(|_| moving.contains(&at)) else {
            continue;
        };
        let fills = filling.contains(&at);
        match server.start {
            Start::Command => edits.extend(launch.wrap(&config.text, &program, fills)),
            _ if fills && !launch.allows_arguments() => {
                edits.extend(launch.allow_arguments(&config.text));
            }
            _ => {}
        }
    }
    let mut added: BTreeMap<usize, Vec<(&str, String)>> = BTreeMap::new();
    for it in moves {
        let server = config.servers.get(it.server).ok_or(AdoptError::NotUndone)?;
        let mark = it.mark(server);
        let literal = style(config, it.text).and_then(|style| {
            let (text, name) = (it.text.value.as_deref()?, it.reference.name.as_str());
            let text = match &it.header {
                Some(header) => Zeroizing::new(header.with_variable(text, name)?),
                None => with_reference(text, &it.part, &it.reference, mark)?,
            };
            style.write_reference(&text)
        });
        if it.header.is_some() {
            let variable = (
                it.reference.name.as_str(),
                format!("{}{mark}", it.reference),
            );
            added.entry(it.server).or_default().push(variable);
        }
        edits.push(Edit {
            span: it.text.span.clone(),
            text: literal.ok_or(AdoptError::NotUndone)?,
        });
    }
    for (server, variables) in &added {
        let server = config.servers.get(*server);
        let environment = server.and_then(|it| it.environment.as_ref());
        let variables = variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let variables: Vec<_> = variables.collect();
        let edit = environment.and_then(|it| it.add(&config.text, &variables));
        edits.push(edit.ok_or(AdoptError::NotUndone)?);
    }
    let adopted = apply(&config.text, edits);
    check(config, &adopted, moves)?;
    Ok(config.bytes(&adopted))
}

/// Checks that undoing the rewritten file gives the same as undoing the file: the file itself,
/// unless it has been adopted before.
fn check(config: &ClientConfig, adopted: &str, moves: &[Move<'_>]) -> Result<(), AdoptError> {
    let adopted = ClientConfig::parse(adopted.as_bytes(), config.syntax)
        .map_err(|_| AdoptError::NotUndone)?;
    let mut moved = HashMap::new();
    for it in moves {
        moved.entry(&it.reference).or_insert(it);
    }
    let lookup = |reference: &Reference| match moved.get(reference) {
        Some(it) => it.text.value.as_deref()?.get(it.part.clone()),
        // References from before are the same in both, whatever their values are.
        None => Some("?"),
    };
    let (now, before) = (adopted.undone(&[], &lookup), config.undone(&[], &lookup));
    match (now, before) {
        (Ok(now), Ok(before)) if now.text == before.text => Ok(()),
        _ => Err(AdoptError::NotUndone),
    }
}
