//! Rewriting a configuration so that it refers to the store.

use std::collections::{HashMap, HashSet};

use mcplexer_detect::Reason;
use mcplexer_files::reference::{Mark, Reference};
use zeroize::Zeroizing;

use crate::config::ClientConfig;
use crate::edit::{Edit, apply};
use crate::error::AdoptError;
use crate::literal::{Notation, Style};
use crate::server::{Start, Text};

/// A text that moves to the store.
pub(crate) struct Move<'a> {
    /// The index of its server.
    pub(crate) server: usize,
    pub(crate) text: &'a Text,
    pub(crate) reference: Reference,
    pub(crate) reason: Option<Reason>,
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
    for (at, server) in config.servers.iter().enumerate() {
        if server.start == Start::Command && moving.contains(&at) {
            let launch = server.launch.iter();
            edits.extend(launch.flat_map(|it| it.wrap(&config.text, &program)));
        }
    }
    for it in moves {
        let starts = config.servers.get(it.server).map(|server| server.start);
        let mark = match starts {
            Some(Start::Command) => Mark::Adopted,
            _ => Mark::Moved,
        };
        let reference = format!("{}{mark}", it.reference);
        let literal = style(config, it.text).and_then(|style| style.write_reference(&reference));
        edits.push(Edit {
            span: it.text.span.clone(),
            text: literal.ok_or(AdoptError::NotUndone)?,
        });
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
        moved.entry(&it.reference).or_insert(it.text);
    }
    let lookup = |reference: &Reference| match moved.get(reference) {
        Some(text) => text.value.as_deref().map(String::as_str),
        // References from before are the same in both, whatever their values are.
        None => Some("?"),
    };
    let (now, before) = (adopted.undone(&[], &lookup), config.undone(&[], &lookup));
    match (now, before) {
        (Ok(now), Ok(before)) if now.text == before.text => Ok(()),
        _ => Err(AdoptError::NotUndone),
    }
}
