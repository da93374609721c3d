//! What is read from a file, and why a file cannot be read.

use std::fmt;

use mcplexer_secrets::{SecretName, SecretValue};
use zeroize::Zeroizing;

use crate::position::Position;

/// A name and a value from a file, neither of them checked yet.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The name.
    pub name: String,
    pub(super) value: Zeroizing<Vec<u8>>,
    /// The value with a `#` that not all readers take for the beginning of a comment.
    pub(super) with_hash: Option<Zeroizing<Vec<u8>>>,
    /// Why it is no secret, if that shows in the file already.
    pub(super) problem: Option<Problem>,
    /// The line, from 1.
    pub line: usize,
}

/// Why an entry is no secret. The words for it are made when somebody asks: a file can have millions of such entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    /// What is there is not a value.
    NoValue {
        what: &'static str,
        /// The character in the line of the value, from 1.
        column: Option<usize>,
    },
    /// Its name was there already, on this line.
    Duplicate { first: usize },
    /// Its value begins with this quote, and nothing closes that.
    Unclosed { quote: char },
}

impl Entry {
    /// Returns the value, which may be empty and may have any bytes. It is wiped when this is dropped.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    pub(super) fn new(name: String, value: Zeroizing<Vec<u8>>, line: usize) -> Self {
        Self {
            name,
            value,
            with_hash: None,
            problem: None,
            line,
        }
    }

    /// Creates an entry for a null value.
    pub(super) fn without_value(name: String, at: Position, what: &'static str) -> Self {
        let column = Some(at.column);
        Self {
            problem: Some(Problem::NoValue { what, column }),
            ..Self::new(name, Zeroizing::default(), at.line)
        }
    }

    /// Returns why it is no secret, if that shows in the file already.
    pub(super) fn mistake(&self) -> Option<ReadError> {
        let mistake = match self.problem? {
            Problem::NoValue { what, column } => ReadError {
                column,
                ..ReadError::new(self.line, what)
            },
            Problem::Duplicate { first } => {
                let text = format!("duplicate name; the first is on line {first}");
                ReadError::new(self.line, text)
            }
            Problem::Unclosed { quote } => {
                ReadError::new(self.line, format!("the quote {quote} is not closed"))
            }
        };
        Some(mistake.about(&self.name))
    }

    /// Whether there is nothing where the value should be: it is empty, or null.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self.problem {
            Some(Problem::NoValue { what, .. }) => what == NULL,
            Some(Problem::Duplicate { .. } | Problem::Unclosed { .. }) => false,
            None => self.value.is_empty(),
        }
    }

    /// Whether the value of a `.env` file ends at a `#` that python-dotenv, docker and shells take for a part of it.
    #[must_use]
    pub fn is_cut_at_hash(&self) -> bool {
        self.with_hash.is_some()
    }

    /// Takes such a `#`, and what follows it, for a part of the value.
    pub fn keep_hash(&mut self) {
        if let Some(whole) = self.with_hash.take() {
            self.value = whole;
        }
    }

    /// Returns the name and the value as a store takes them.
    ///
    /// # Errors
    /// [`ReadError`] if the name is not the name of a secret, the value is empty or too long, or the entry has no value.
    pub fn secret(&self) -> Result<(SecretName, SecretValue), ReadError> {
        if let Some(mistake) = self.mistake() {
            return Err(mistake);
        }
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

/// Why a file cannot be read, and where. It repeats nothing of the file but what is likely a name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadError {
    /// The line, from 1.
    pub line: usize,
    /// The character in that line, from 1, if the format tells.
    pub column: Option<usize>,
    /// The name of the secret, if it is known.
    pub name: Option<SecretName>,
    problem: String,
}

impl ReadError {
    pub(super) fn new(line: usize, problem: impl Into<String>) -> Self {
        Self {
            line,
            column: None,
            name: None,
            problem: problem.into(),
        }
    }

    pub(super) fn at(position: Position, problem: impl Into<String>) -> Self {
        Self {
            column: Some(position.column),
            ..Self::new(position.line, problem)
        }
    }

    /// Adds the name of the secret, unless it may be a part of a value.
    pub(super) fn about(mut self, name: &str) -> Self {
        let is_name = !may_be_of_a_value(name);
        self.name = name.parse().ok().filter(|_| is_name);
        self
    }
}

/// What is said of null, in each format that has it.
pub(super) const NULL: &str = "null is not a value";

/// Whether what should be a name looks like the rest of a value that was broken into lines: names of that
/// length are in capitals, in small letters or in words.
pub(super) fn may_be_of_a_value(name: &str) -> bool {
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
