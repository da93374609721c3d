//! Prints data on standard output.

use std::io::{self, ErrorKind, IsTerminal, Write};

use serde::Serialize;

use crate::failure::Failure;
use crate::text::steers;

/// Writes data to standard output. A reader that closes early, as `head` does, is not a failure.
///
/// # Errors
///
/// Fails if the data cannot be written, for example because the disk is full.
pub(crate) fn print(data: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(data.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::of_stdout(&error)),
        _ => Ok(()),
    }
}

/// Writes values to standard output, all of them: a reader that closes early has not got what it asked for.
///
/// # Errors
///
/// Fails if they cannot be written.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let printed = stdout.write_all(bytes).and_then(|()| stdout.flush());
    printed.map_err(|error| Failure::of_stdout(&error))
}

/// Writes one JSON document to standard output.
///
/// # Errors
///
/// Fails if it cannot be written.
pub(crate) fn print_json(document: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(document)
        .map_err(|error| Failure::new(format!("cannot make JSON: {error}")))?;
    // These characters occur only within strings, where JSON allows both forms.
    let mut escaped = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        if character != '\n' && steers(character) {
            escaped.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            escaped.push(character);
        }
    }
    escaped.push('\n');
    print(&escaped)
}

pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}
