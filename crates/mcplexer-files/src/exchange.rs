//! The secrets of a scope as a file that other programs write or read: `.env`, JSON, YAML, and
//! assignments of a shell.
//!
//! # What is read
//!
//! * [`Dotenv`](Format::Dotenv): what [`dotenv`](crate::dotenv) reads.
//! * [`Json`](Format::Json): one object. A value is a string, or a number, `true` or `false`, which
//!   are taken as they are written; `null`, arrays and objects are errors.
//! * [`Yaml`](Format::Yaml): one document with one mapping. A value is a scalar, taken as it is
//!   written: `8080`, `yes` and `1e3` stay that. A plain `null`, `~` or nothing is an error, and so are
//!   sequences, mappings, anchors, aliases, and tags other than `!!str` and `!!binary`.
//! * [`Shell`](Format::Shell): assignments, `NAME=word`, with `export`, `declare -x` or `typeset -x`
//!   before them or without, as `export -p` of bash, dash and zsh prints them; a name without a value
//!   sets nothing. Whatever a shell would expand or run is an error: nothing is executed or guessed.
//!
//! A name that is there twice is an error in all of them.
//!
//! # What is written
//!
//! What [`write()`] writes, [`read`] reads as the same names and values, and so do the programs it is
//! meant for: the npm package `dotenv`, any POSIX shell, any parser of JSON or YAML.
//!
//! # Values that are no text
//!
//! A value that is not UTF-8, has a NUL byte, or cannot be quoted in a `.env` file (it has a carriage
//! return, or all three quotes) is written as `mcplexer+base64:` and its bytes in the standard base64
//! of RFC 4648, section 4, with padding. So is a text that begins with `mcplexer+base64:` itself. In
//! every format [`read`] gives back the bytes; to other programs it is a text.
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
use std::path::Path;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use crate::position::Position;
use mcplexer_secrets::{Credentials, ScopeId, SecretName, SecretValue};

mod dotenv;
mod json;
mod shell;
mod yaml;

/// What a value begins with that is given in base64.
const ENCODED: &[u8] = b"mcplexer+base64:";

/// How secrets stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// A `.env` file.
    Dotenv,
    /// A JSON object.
    Json,
    /// A YAML mapping.
    Yaml,
    /// Assignments that a shell runs.
    Shell,
}

/// A text that names no format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a format is dotenv, json, yaml or shell")]
pub struct InvalidFormat;

impl Format {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Dotenv, Self::Json, Self::Yaml, Self::Shell];

    /// Its name: `dotenv`, `json`, `yaml` or `shell`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dotenv => "dotenv",
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Shell => "shell",
        }
    }

    /// What has the names in such a file, for messages.
    fn of_names(self) -> &'static str {
        match self {
            Self::Dotenv => ".env file",
            Self::Shell => "shell variable",
            Self::Json | Self::Yaml => "file",
        }
    }

    /// The format that a file of this name has: `.env`, `.env.local`, `prod.env`, `a.json`,
    /// `a.yaml`, `a.yml`, `a.sh`.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let extension = name.rsplit_once('.').map(|(_, extension)| extension);
        match extension? {
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            "sh" => Some(Self::Shell),
            "env" => Some(Self::Dotenv),
            _ if name.starts_with(".env.") => Some(Self::Dotenv),
            _ => None,
        }
    }
}

impl FromStr for Format {
    type Err = InvalidFormat;

    fn from_str(text: &str) -> Result<Self, InvalidFormat> {
        let mut all = Self::ALL.into_iter();
        all.find(|it| it.as_str() == text).ok_or(InvalidFormat)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name and a value in a file, neither of them checked yet.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The name.
    pub name: String,
    value: Zeroizing<Vec<u8>>,
    /// The line it is at, from 1.
    pub line: usize,
}

impl Entry {
    /// The value; any bytes, or none. Wiped when this is dropped.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// The same as what a store takes.
    ///
    /// # Errors
    /// If the name is none of a secret, or the value is empty or too long.
    pub fn secret(&self) -> Result<(SecretName, SecretValue), ReadError> {
        let name = self.name.parse::<SecretName>();
        let name = name.map_err(|error| ReadError::new(self.line, error.to_string()))?;
        let value = SecretValue::copy_of(&self.value);
        let value = value
            .map_err(|error| ReadError::new(self.line, error.to_string()).about(&self.name))?;
        Ok((name, value))
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("name", &self.name)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// Why a file cannot be read, and where. Nothing of the file is repeated but what may be a name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadError {
    /// The line, from 1.
    pub line: usize,
    /// The character in that line, from 1, if the format tells.
    pub column: Option<usize>,
    /// What has this name, if it is known.
    pub name: Option<SecretName>,
    problem: String,
}

impl ReadError {
    fn new(line: usize, problem: impl Into<String>) -> Self {
        Self {
            line,
            column: None,
            name: None,
            problem: problem.into(),
        }
    }

    fn at(position: Position, problem: impl Into<String>) -> Self {
        Self {
            column: Some(position.column),
            ..Self::new(position.line, problem)
        }
    }

    /// The same, about what has this name.
    fn about(mut self, name: &str) -> Self {
        let is_name = !may_be_of_a_value(name);
        self.name = name.parse().ok().filter(|_| is_name);
        self
    }
}

/// Whether what stands where a name should looks like the rest of a value that was broken into lines:
/// names that long are in capitals, in small letters or in words.
fn may_be_of_a_value(name: &str) -> bool {
    let has = |fits: fn(&char) -> bool| name.chars().any(|c| fits(&c));
    name.len() > 20
        && !name.contains(['_', '-', '.'])
        && has(char::is_ascii_uppercase)
        && has(char::is_ascii_lowercase)
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        if let Some(name) = &self.name {
            write!(f, " ({name})")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for ReadError {}

/// What a file has, in order.
///
/// # Errors
/// [`ReadError`] if it is not of that format.
pub fn read(file: &[u8], format: Format) -> Result<Vec<Entry>, ReadError> {
    let mut entries = match format {
        Format::Dotenv => dotenv::read(file),
        Format::Json => json::read(text(file)?),
        Format::Yaml => yaml::read(text(file)?),
        Format::Shell => shell::read(file),
    }?;
    let mut lines = HashMap::new();
    for entry in &mut entries {
        if let Some(first) = lines.insert(entry.name.clone(), entry.line) {
            let problem = format!("this name is there already, at line {first}");
            return Err(ReadError::new(entry.line, problem).about(&entry.name));
        }
        if let Some(encoded) = entry.value.strip_prefix(ENCODED) {
            let problem = "no base64 follows mcplexer+base64:";
            let decoded = decode(encoded);
            entry.value =
                decoded.ok_or_else(|| ReadError::new(entry.line, problem).about(&entry.name))?;
        }
    }
    Ok(entries)
}

fn text(file: &[u8]) -> Result<&str, ReadError> {
    str::from_utf8(file).map_err(|error| {
        let at = Position::in_text(file, error.valid_up_to());
        ReadError::at(at, "not text in UTF-8")
    })
}

fn decode(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
    let length = BASE64_STANDARD.decode_slice(text, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

/// A secret whose name is not valid in the format of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{scope}/{name} has a name that a {} cannot have", .format.of_names())]
#[non_exhaustive]
pub struct InvalidExportName {
    /// The scope of the secret.
    pub scope: ScopeId,
    /// Its name.
    pub name: SecretName,
    /// The format of the file.
    pub format: Format,
}

/// A file with secrets in it; wiped when dropped.
pub struct Written {
    text: Zeroizing<Vec<u8>>,
    /// How many of them are in base64.
    pub encoded: usize,
}

impl Written {
    /// The file.
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

/// Writes secrets as a file.
///
/// # Errors
/// [`InvalidExportName`] if a name is not valid in the format: `.env` files and shells cannot have some names of
/// header fields.
pub fn write(credentials: &Credentials, format: Format) -> Result<Written, InvalidExportName> {
    for it in credentials.iter() {
        let is_valid = match format {
            Format::Dotenv => dotenv::is_name(&it),
            Format::Shell => shell::is_name(&it),
            Format::Json | Format::Yaml => true,
        };
        if !is_valid {
            return Err(InvalidExportName {
                scope: it.scope.clone(),
                name: it.name.clone(),
                format,
            });
        }
    }
    let items: Vec<_> = credentials
        .iter()
        .map(|it| (it.name.as_str(), Form::of(it.value.expose(), format)))
        .collect();
    let render = |out: Out<'_>| match format {
        Format::Dotenv => dotenv::write(&items, out),
        Format::Json => json::write(&items, out),
        Format::Yaml => yaml::write(&items, out),
        Format::Shell => shell::write(&items, out),
    };
    // Growing could leave copies behind, so it is written twice, and only counted at first.
    let mut length = 0;
    render(&mut |bytes| length += bytes.len());
    let mut text = Zeroizing::new(Vec::with_capacity(length));
    render(&mut |bytes| text.extend_from_slice(bytes));
    let encoded = items.iter().filter(|(_, it)| matches!(it, Form::Bytes(_)));
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
    /// As it is.
    Text(&'a str),
    /// In base64.
    Bytes(&'a [u8]),
}

impl<'a> Form<'a> {
    fn of(value: &'a [u8], format: Format) -> Self {
        match str::from_utf8(value) {
            Ok(text)
                if !value.contains(&0)
                    && !value.starts_with(ENCODED)
                    && (format != Format::Dotenv || dotenv::quote(text).is_some()) =>
            {
                Self::Text(text)
            }
            _ => Self::Bytes(value),
        }
    }
}

/// Writes bytes in base64, with what says so before them.
fn encode(bytes: &[u8], out: Out<'_>) {
    out(ENCODED);
    // Three bytes are four characters, so that only the last piece is padded.
    for piece in bytes.chunks(768) {
        let mut text = Zeroizing::new([0; 1024]);
        if let Ok(length) = BASE64_STANDARD.encode_slice(piece, &mut *text) {
            out(text.get(..length).unwrap_or_default());
        }
    }
}

/// Writes a form between double quotes as both JSON and YAML read it: whatever a reader of either
/// might refuse, or take for a line end, is escaped.
fn double_quoted(form: Form<'_>, out: Out<'_>) {
    out(b"\"");
    match form {
        Form::Bytes(bytes) => encode(bytes, out),
        Form::Text(text) => {
            let special = |c: char| {
                matches!(
                    c,
                    '"' | '\\' | '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}'
                ) || c.is_control()
            };
            let mut rest = text;
            while let Some((before, from)) =
                rest.find(special).and_then(|at| rest.split_at_checked(at))
            {
                out(before.as_bytes());
                let mut after = from.chars();
                match after.next() {
                    Some('"') => out(b"\\\""),
                    Some('\\') => out(b"\\\\"),
                    Some('\n') => out(b"\\n"),
                    Some('\r') => out(b"\\r"),
                    Some('\t') => out(b"\\t"),
                    Some(c) => {
                        let escape = Zeroizing::new(format!("\\u{:04x}", u32::from(c)));
                        out(escape.as_bytes());
                    }
                    None => {}
                }
                rest = after.as_str();
            }
            out(rest.as_bytes());
        }
    }
    out(b"\"");
}
