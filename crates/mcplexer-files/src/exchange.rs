//! The secrets of a scope as a file that other programs read or write: `.env`, JSON, YAML, and
//! assignments for a shell.
//!
//! # What is read
//!
//! * [`Dotenv`](Format::Dotenv): what [`dotenv`](crate::dotenv) reads. A quote at the beginning of a value that nothing
//!   closes is an error.
//! * [`Json`](Format::Json): one object. A value is a string, or a number, `true` or `false`, which are
//!   taken as they are written. `null`, arrays and objects are errors.
//! * [`Yaml`](Format::Yaml): one document with one mapping. A value is a scalar, taken as it is written:
//!   `8080`, `yes` and `1e3` stay that. A plain `null`, `~` or nothing is an error, and so are sequences,
//!   mappings, anchors, aliases, and tags other than `!!str` and `!!binary`.
//!
//! A repeated name is an error in all of them.
//!
//! # What is written
//!
//! What [`write()`] writes, [`read`] reads as the same names and values, and so do the programs it is
//! meant for: any parser of JSON or YAML, any POSIX shell. Only [`Shell`](Format::Shell) is written and not
//! read: a script can do more than name values.
//!
//! The programs that read `.env` files share no quotes and no escapes. A file for one [`Reader`] is written as
//! that one reads it. A file for all of them has only values that need neither quotes nor escapes. What [`read`]
//! returns is the same for a file for all and for [`Reader::Node`].
//!
//! # Values that are not text
//!
//! A value that is not UTF-8 or has a NUL byte is written as `mcplexer+base64:` and its bytes in the standard
//! base64 of RFC 4648, section 4, with padding. So is a text that begins with `mcplexer+base64:` itself. In
//! every format [`read`] returns the bytes; other programs see the text. A `.env` file for one reader has what that
//! reader is to see, and no base64.
//!
//! ```
//! use mcplexer_files::exchange::{self, Format};
//!
//! let entries = exchange::read(b"PORT: 8080\nKEY: mcplexer+base64:/wA=\n", Format::Yaml)?;
//! assert_eq!(entries[0].name, "PORT");
//! assert_eq!(entries[0].value(), b"8080");
//! assert_eq!(entries[1].value(), [255, 0]);
//! # Ok::<(), exchange::ReadError>(())
//! ```

use std::collections::HashMap;
use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use mcplexer_secrets::Credentials;
use zeroize::Zeroizing;

use crate::position::Position;
use crate::quoted::{Language, write_quoted};

mod check;
mod dotenv;
mod entry;
mod format;
mod json;
mod notation;
mod reader;
mod shell;
mod yaml;

pub use check::WriteError;
use entry::Problem;
pub use entry::{Entry, ReadError};
pub use format::{Format, InvalidFormat};
pub use reader::{InvalidReader, Reader};

/// What precedes a value in base64.
const ENCODED: &[u8] = b"mcplexer+base64:";

/// The most entries of a file, and of a scope.
const MOST_ENTRIES: usize = mcplexer_secrets::MAX_SECRETS_PER_SCOPE;

/// What is wrong with the first one behind those.
const TOO_MANY: &str = "more than 100,000 entries, which no scope can hold";

/// Reads the entries of a file, in order.
///
/// # Errors
/// [`ReadError`] if the file is not of that format, an entry of it has no value, or the format is
/// [`Shell`](Format::Shell), which is not read.
pub fn read(file: &[u8], format: Format) -> Result<Vec<Entry>, ReadError> {
    let entries = read_each(file, format)?;
    match entries.iter().find_map(Entry::mistake) {
        Some(mistake) => Err(mistake),
        None => Ok(entries),
    }
}

/// Reads the entries of a file, in order. One without a value in its format, such as null, an array or a repeated
/// name, is returned as well, and [`Entry::secret`] says what is wrong with it.
///
/// # Errors
/// [`ReadError`] if the file is not of that format, or the format is [`Shell`](Format::Shell), which is not read.
pub fn read_each(file: &[u8], format: Format) -> Result<Vec<Entry>, ReadError> {
    let (entries, mistakes) = read_some(file, format, 1);
    match mistakes.into_iter().next() {
        Some(mistake) => Err(mistake),
        None => Ok(entries),
    }
}

/// Reads entries as [`read_each`] does, and returns what is wrong with the file as well. In a [`Dotenv`](Format::Dotenv) file that is
/// each line that cannot be read, up to `most` of them; a file of another format is read whole or not at all. No more entries are
/// read than a scope can hold, and one more is a mistake.
#[must_use]
pub fn read_some(file: &[u8], format: Format, most: usize) -> (Vec<Entry>, Vec<ReadError>) {
    let whole = |read: Result<Vec<Entry>, ReadError>| match read {
        Ok(entries) => (entries, Vec::new()),
        Err(mistake) => (Vec::new(), vec![mistake]),
    };
    let (mut entries, mut mistakes) = match format {
        Format::Dotenv => dotenv::read(file, most, MOST_ENTRIES + 1),
        Format::Json => whole(text(file).and_then(json::read)),
        Format::Yaml => whole(text(file).and_then(yaml::read)),
        Format::Shell => whole(Err(ReadError::new(1, "shell scripts are not read"))),
    };
    if let Some(more) = entries.get(MOST_ENTRIES) {
        mistakes.push(ReadError::new(more.line, TOO_MANY));
        entries.truncate(MOST_ENTRIES);
    }
    let mut lines = HashMap::new();
    for entry in &mut entries {
        if let Some(first) = lines.insert(entry.name.clone(), entry.line) {
            entry.problem = Some(Problem::Duplicate { first });
        } else if entry.problem.is_none()
            && let Some(encoded) = entry.value.strip_prefix(ENCODED)
        {
            match decode(encoded) {
                Some(decoded) => entry.value = decoded,
                None => {
                    let what = "invalid base64 after mcplexer+base64:";
                    entry.problem = Some(Problem::NoValue { what, column: None });
                }
            }
        }
    }
    (entries, mistakes)
}

fn text(file: &[u8]) -> Result<&str, ReadError> {
    str::from_utf8(file).map_err(|error| {
        let at = Position::in_text(file, error.valid_up_to());
        ReadError::at(at, "not UTF-8 text")
    })
}

fn decode(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
    let length = BASE64_STANDARD.decode_slice(text, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

/// Whether all programs that read `.env` files read a value alike as it is, without quotes.
pub(crate) fn is_read_alike(value: &[u8]) -> bool {
    str::from_utf8(value).is_ok_and(notation::is_plain)
}

/// A file with secrets in it; wiped when dropped.
pub struct Written {
    text: Zeroizing<Vec<u8>>,
    /// How many of the secrets are in base64.
    pub encoded: usize,
}

impl Written {
    /// Returns the file.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.text
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Written([REDACTED])")
    }
}

/// Writes secrets as a file. A `.env` file is for one reader, or for all of them to read alike.
///
/// # Errors
/// [`WriteError`] if the format or the reader cannot hold a name or a value.
pub fn write(
    credentials: &Credentials,
    format: Format,
    reader: Option<Reader>,
) -> Result<Written, WriteError> {
    let items: Vec<_> = credentials
        .iter()
        .map(|it| (it.name, Form::of(it.value.expose(), format, reader)))
        .collect();
    check::check(credentials, &items, format, reader)?;
    let items: Vec<_> = items
        .into_iter()
        .map(|(name, form)| (name.as_str(), form))
        .collect();
    let render = |out: Out<'_>| match format {
        Format::Dotenv => dotenv::write(&items, reader, out),
        Format::Json => json::write(&items, out),
        Format::Yaml => yaml::write(&items, out),
        Format::Shell => shell::write(&items, out),
    };
    // A buffer that grows could leave copies behind, so the file is rendered twice, first to count its
    // bytes.
    let mut length = 0;
    render(&mut |bytes| length += bytes.len());
    let mut text = Zeroizing::new(Vec::with_capacity(length));
    render(&mut |bytes| text.extend_from_slice(bytes));
    let encoded = items
        .iter()
        .filter(|(_, it)| matches!(it, Form::Encoded(_)));
    Ok(Written {
        encoded: encoded.count(),
        text,
    })
}

/// Takes a piece of a file.
type Out<'a> = &'a mut dyn FnMut(&[u8]);

/// How a value is written.
#[derive(Clone, Copy)]
enum Form<'a> {
    /// As what it is: text, except for shells, which take any bytes.
    Plain(&'a [u8]),
    /// In base64.
    Encoded(&'a [u8]),
}

impl<'a> Form<'a> {
    fn of(value: &'a [u8], format: Format, reader: Option<Reader>) -> Self {
        let is_for_one = format == Format::Dotenv && reader.is_some();
        let is_text = !value.contains(&0) && str::from_utf8(value).is_ok();
        match is_for_one || (is_text && !value.starts_with(ENCODED)) {
            true => Self::Plain(value),
            false => Self::Encoded(value),
        }
    }
}

/// Writes bytes in base64, behind the prefix.
fn encode(bytes: &[u8], out: Out<'_>) {
    out(ENCODED);
    // Three bytes are four characters, so only the last piece is padded.
    for piece in bytes.chunks(768) {
        let mut text = Zeroizing::new([0; 1024]);
        if let Ok(length) = BASE64_STANDARD.encode_slice(piece, &mut *text) {
            out(text.get(..length).unwrap_or_default());
        }
    }
}

/// Writes a value between double quotes.
fn write_form(form: Form<'_>, language: Language, out: Out<'_>) {
    match form {
        Form::Plain(bytes) => write_quoted(&String::from_utf8_lossy(bytes), language, out),
        Form::Encoded(bytes) => {
            out(b"\"");
            encode(bytes, out);
            out(b"\"");
        }
    }
}
