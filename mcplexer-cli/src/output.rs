//! Prints data on standard output.

use std::fs::{self, File};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::{Errno, fcntl_getfd};
use serde::Serialize;

use crate::failure::Failure;
use crate::text::steers;

/// Whether this process was started without a standard output, as by `>&-`.
static IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Looks at standard output before main: Rust's runtime opens `/dev/null` in the place of a closed one, and
/// what is printed would vanish.
#[ctor::ctor]
fn look_at_stdout() {
    let is_closed = fcntl_getfd(rustix::stdio::stdout()) == Err(Errno::BADF);
    IS_CLOSED.store(is_closed, Ordering::Relaxed);
}

/// Writes data to standard output. A reader that closes early, as `head` does, is not a failure.
///
/// # Errors
///
/// Fails if the data cannot be written, for example because the disk is full.
pub(crate) fn print(data: &str) -> Result<(), Failure> {
    print_on(data).map(drop)
}

/// Writes data to standard output. Returns whether there is still a reader.
///
/// # Errors
///
/// Fails if the data cannot be written.
pub(crate) fn print_on(data: &str) -> Result<bool, Failure> {
    match try_write(data.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::of_stdout(&error)),
        Ok(_) => Ok(true),
    }
}

/// Writes values to standard output, of which none may be lost.
///
/// # Errors
///
/// Fails if they cannot be written, or if the reader has gone.
pub(crate) fn write(values: &[u8]) -> Result<(), Failure> {
    let written = try_write(values).map(drop);
    written.map_err(|error| Failure::of_stdout(&error))
}

/// Writes to standard output what must not be lost, and makes it durable if that is a file.
///
/// # Errors
///
/// Fails if it cannot be written, or if the reader has gone.
pub(crate) fn write_durably(bytes: &[u8]) -> io::Result<()> {
    let stdout = try_write(bytes)?;
    match stdout.metadata()?.is_file() {
        true => stdout.sync_all(),
        false => Ok(()),
    }
}

/// Writes past [`io::stdout`], which takes a stream that is open for reading only for one that swallows
/// everything. Returns the stream.
fn try_write(bytes: &[u8]) -> io::Result<File> {
    if IS_CLOSED.load(Ordering::Relaxed) {
        return Err(io::Error::other("it is closed"));
    }
    let mut stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    stdout.write_all(bytes)?;
    Ok(stdout)
}

/// Writes one JSON document to standard output.
///
/// # Errors
///
/// Fails if it cannot be written.
pub(crate) fn print_json(document: &impl Serialize) -> Result<(), Failure> {
    print(&terminal_safe(serde_json::to_string_pretty(document))?)
}

/// Writes one JSON document that has values to standard output.
///
/// # Errors
///
/// As [`write`].
pub(crate) fn write_json(document: &impl Serialize) -> Result<(), Failure> {
    write(terminal_safe(serde_json::to_string_pretty(document))?.as_bytes())
}

/// Returns a JSON document on one line.
///
/// # Errors
///
/// Fails if it cannot be made.
pub(crate) fn json_line(document: &impl Serialize) -> Result<String, Failure> {
    terminal_safe(serde_json::to_string(document))
}

/// Returns a JSON document with a line feed, and without characters that could steer a terminal.
fn terminal_safe(text: serde_json::Result<String>) -> Result<String, Failure> {
    let text = text.map_err(|error| Failure::new(format!("cannot make JSON: {error}")))?;
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
    Ok(escaped)
}

/// Returns whether standard output is this file.
pub(crate) fn stdout_is(file: &Path) -> bool {
    let stdout = io::stdout().as_fd().try_clone_to_owned().map(File::from);
    match (stdout.and_then(|it| it.metadata()), fs::metadata(file)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}
