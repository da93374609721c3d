//! Rewriting a configuration so that it refers to the store.

use zeroize::Zeroizing;

use super::ClientConfig;
use super::edit::{Edit, apply};
use super::literal::Manner;
use super::server::{Start, Text};
use mcplexer_detect::Reason;
use mcplexer_files::reference::{Mark, Reference};
use mcplexer_secrets::Error;

/// A text that goes into the store.
pub(super) struct Move<'a> {
    /// Of which server.
    pub(super) server: usize,
    pub(super) text: &'a Text,
    pub(super) reference: Reference,
    pub(super) reason: Option<Reason>,
}

/// The manner in which a text is written, if it is one that can be put back.
pub(super) fn manner(config: &ClientConfig, text: &Text) -> Option<Manner> {
    let literal = config.text.get(text.span.clone())?;
    Manner::of(literal, text.value.as_deref()?, config.syntax)
}

/// The file with references in the place of the texts that move, and their servers started through
/// `mcplexer run`.
///
/// # Errors
/// [`Error::NotUndone`] if undoing that would not give the file as it is.
pub(super) fn rewrite(
    config: &ClientConfig,
    moves: &[Move<'_>],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let program = own_program();
    let mut edits = Vec::new();
    for (at, server) in config.servers.iter().enumerate() {
        if server.start == Start::Command && moves.iter().any(|it| it.server == at) {
            let program = Manner::plain(config.syntax).write_text(&program);
            let launch = server.launch.iter();
            edits.extend(launch.flat_map(|it| it.wrap(&config.text, config.syntax, &program)));
        }
    }
    for it in moves {
        let manner = manner(config, it.text).ok_or(Error::NotUndone)?;
        let starts = config.servers.get(it.server).map(|server| server.start);
        let mark = if starts == Some(Start::Command) {
            Mark::Adopted
        } else {
            Mark::Moved
        };
        let reference = manner.write_reference(&format!("{}{mark}", it.reference));
        edits.push(Edit {
            span: it.text.span.clone(),
            text: reference,
        });
    }
    let adopted = apply(&config.text, edits);
    check(config, &adopted, moves)?;
    Ok(config.bytes(&adopted))
}

/// Checks that undoing gives what undoing gives now: the file itself, if nothing was adopted before.
fn check(config: &ClientConfig, adopted: &str, moves: &[Move<'_>]) -> Result<(), Error> {
    let adopted =
        ClientConfig::parse(adopted.as_bytes(), config.syntax).map_err(|_| Error::NotUndone)?;
    let lookup = |reference: &Reference| {
        let moved = moves.iter().find(|it| it.reference == *reference);
        // What was a reference before is the same in both, whatever it stands for.
        moved.map_or(Some("?"), |it| it.text.value.as_deref().map(String::as_str))
    };
    let (now, before) = (adopted.undone(&[], &lookup), config.undone(&[], &lookup));
    match (now, before) {
        (Ok(now), Ok(before)) if now.text == before.text => Ok(()),
        _ => Err(Error::NotUndone),
    }
}

/// How a client is to start this program: as it was found, so that an update is found as well, and
/// with its whole path, since clients with a window have no `PATH` that knows it.
fn own_program() -> String {
    let own = std::env::current_exe().unwrap_or_default();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_own = |found: &std::path::PathBuf| {
        found
            .canonicalize()
            .is_ok_and(|it| own.canonicalize().is_ok_and(|own| own == it))
    };
    let in_path = std::env::split_paths(&path)
        .filter(|it| it.is_absolute())
        .map(|it| it.join("mcplexer"))
        .find(is_own);
    let program = in_path.or_else(|| (own.file_name()? == "mcplexer").then_some(own));
    program
        .and_then(|program| program.into_os_string().into_string().ok())
        .unwrap_or_else(|| "mcplexer".to_owned())
}
