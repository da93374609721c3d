//! References to secrets: `mcplexer://scope/KEY`.
//!
//! A reference ends where its characters end: a scope id has `a-z`, `0-9`, `.`, `_` and `-`, the key of
//! a reference `A-Z`, `a-z`, `0-9`, `_` and `-`. A header field with other characters in its name cannot
//! be referred to.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use mcplexer_secrets::{ScopeId, SecretName};

/// The beginning of every reference.
pub const SCHEME: &str = "mcplexer://";

/// Names one secret: `mcplexer://scope/KEY`.
///
/// ```
/// use mcplexer_files::reference::Reference;
/// let reference: Reference = "mcplexer://github/TOKEN".parse()?;
/// assert_eq!(reference.scope.as_str(), "github");
/// assert_eq!(reference.to_string(), "mcplexer://github/TOKEN");
/// assert!("mcplexer://github".parse::<Reference>().is_err());
/// # Ok::<(), mcplexer_files::reference::InvalidReference>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Reference {
    /// The scope.
    pub scope: ScopeId,
    /// The secret's name.
    pub name: SecretName,
}

/// What follows a reference that adopting has put into a client's configuration, so that undoing knows
/// what to undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mark {
    /// `?adopted`: the server's command now starts through `mcplexer run`.
    Adopted,
    /// `?moved`: the server already started through `mcplexer run`, or has no command.
    Moved,
    /// `?allowed`: the same, and its `mcplexer run` now has the option `--allow-arguments`.
    Allowed,
    /// `?adopted-header`, `?moved-header` and so on: the variable was added for a header field, which an argument
    /// had.
    Header {
        /// As [`Adopted`](Self::Adopted); else as [`Moved`](Self::Moved).
        adopted: bool,
        /// Whether a space was before the value: `-spaced-header`.
        spaced: bool,
    },
}

impl Mark {
    const ALL: [Self; 7] = [
        Self::Adopted,
        Self::Moved,
        Self::Allowed,
        Self::header(false, false),
        Self::header(false, true),
        Self::header(true, false),
        Self::header(true, true),
    ];

    const fn header(adopted: bool, spaced: bool) -> Self {
        Self::Header { adopted, spaced }
    }

    /// Returns whether the server's command starts through `mcplexer run` since.
    #[must_use]
    pub fn is_adopted(self) -> bool {
        matches!(self, Self::Adopted | Self::Header { adopted: true, .. })
    }

    /// Returns the mark behind the reference that `value` begins with.
    #[must_use]
    pub fn of_value(value: &str) -> Option<Self> {
        let mut marks = Self::ALL.into_iter();
        marks.find(|mark| value.starts_with(SCHEME) && value.ends_with(mark.as_str()))
    }

    /// Returns the mark that `text` begins with. `?adopted=1` is a query of an address.
    pub(crate) fn at_start_of(text: &[u8]) -> Option<Self> {
        let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-=&%".contains(byte);
        let mut marks = Self::ALL.into_iter();
        marks.find(|mark| {
            let rest = text.strip_prefix(mark.as_str().as_bytes());
            rest.is_some_and(|rest| !rest.first().is_some_and(goes_on))
        })
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Adopted => "?adopted",
            Self::Moved => "?moved",
            Self::Allowed => "?allowed",
            Self::Header { adopted, spaced } => match (adopted, spaced) {
                (true, false) => "?adopted-header",
                (true, true) => "?adopted-spaced-header",
                (false, false) => "?moved-header",
                (false, true) => "?moved-spaced-header",
            },
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid reference; expected mcplexer://scope/KEY")]
pub struct InvalidReference;

impl Reference {
    /// Returns the reference that the whole value of a variable is, without a [`Mark`] behind it.
    ///
    /// # Errors
    /// [`InvalidReference`] if the value is something else.
    pub fn of_value(value: &str) -> Result<Self, InvalidReference> {
        let mark = Mark::of_value(value);
        let marked = mark.and_then(|mark| value.strip_suffix(mark.as_str()));
        marked.unwrap_or(value).parse()
    }

    /// Returns the reference that `text` begins with, and its length in bytes.
    pub(crate) fn at_start_of(text: &[u8]) -> Result<(Self, usize), InvalidReference> {
        let rest = text
            .strip_prefix(SCHEME.as_bytes())
            .ok_or(InvalidReference)?;
        let is_scope = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"._-".contains(&c);
        let is_key = |c: u8| c.is_ascii_alphanumeric() || b"_-".contains(&c);
        let (scope, rest) = split(rest, is_scope);
        let (key, _) = split(rest.strip_prefix(b"/").ok_or(InvalidReference)?, is_key);
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let reference = Self {
            scope: text(scope).parse().map_err(|_| InvalidReference)?,
            name: text(key).parse().map_err(|_| InvalidReference)?,
        };
        Ok((reference, SCHEME.len() + scope.len() + 1 + key.len()))
    }
}

/// Splits a text behind the last of the characters at its beginning that belong.
fn split(text: &[u8], belongs: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = text.iter().position(|&c| !belongs(c));
    text.split_at(end.unwrap_or(text.len()))
}

impl TryFrom<String> for Reference {
    type Error = InvalidReference;

    fn try_from(text: String) -> Result<Self, InvalidReference> {
        text.parse()
    }
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        match Self::at_start_of(text.as_bytes())? {
            (reference, length) if length == text.len() => Ok(reference),
            _ => Err(InvalidReference),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.scope, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_reference_with_or_without_a_mark() {
        for (value, mark) in [
            ("mcplexer://s/K", None),
            ("mcplexer://s/K?adopted", Some(Mark::Adopted)),
            ("mcplexer://s/K?moved", Some(Mark::Moved)),
            ("mcplexer://s/K?allowed", Some(Mark::Allowed)),
            (
                "mcplexer://s/K?moved-header",
                Some(Mark::header(false, false)),
            ),
            (
                "mcplexer://s/K?adopted-spaced-header",
                Some(Mark::header(true, true)),
            ),
        ] {
            assert_eq!(Mark::of_value(value), mark);
            let reference = Reference::of_value(value).unwrap();
            let mark = mark.map(|mark| mark.to_string()).unwrap_or_default();
            assert_eq!(format!("{reference}{mark}"), value);
        }
        assert_eq!(Mark::of_value("other?adopted"), None);
        for bad in [
            "mcplexer://s/K?other",
            "mcplexer://s/K?moved?moved",
            "K?moved",
        ] {
            assert_eq!(Reference::of_value(bad), Err(InvalidReference));
        }
    }
}
