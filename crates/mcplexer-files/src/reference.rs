//! References to secrets, `mcplexer://scope/KEY`, and texts that contain them.
//!
//! A reference ends where its characters end: a scope id has `a-z`, `0-9`, `.`, `_` and `-`, the key of
//! a reference `A-Z`, `a-z`, `0-9`, `_` and `-`. A header field with other characters in its name cannot
//! be referred to.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use crate::position::{Lines, Position};
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
}

impl Mark {
    /// Returns the mark behind the reference that `value` begins with.
    #[must_use]
    pub fn of_value(value: &str) -> Option<Self> {
        let mut marks = [Self::Adopted, Self::Moved].into_iter();
        marks.find(|mark| value.starts_with(SCHEME) && value.ends_with(mark.as_str()))
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Adopted => "?adopted",
            Self::Moved => "?moved",
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
    fn at_start_of(text: &[u8]) -> Result<(Self, usize), InvalidReference> {
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

/// A text of any bytes, and the references in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Template<'a> {
    text: &'a [u8],
    references: Vec<Place>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    reference: Reference,
    start: usize,
    end: usize,
}

impl<'a> Template<'a> {
    /// Finds the references in a text.
    ///
    /// # Errors
    /// The position of an [`InvalidReference`].
    pub fn parse(text: &'a [u8]) -> Result<Self, (Position, InvalidReference)> {
        let mut references = Vec::new();
        let mut from = 0;
        while let Some(start) = find(text, from) {
            let rest = text.get(start..).unwrap_or_default();
            let (reference, length) = Reference::at_start_of(rest)
                .map_err(|error| (Position::in_text(text, start), error))?;
            from = start + length;
            references.push(Place {
                reference,
                start,
                end: from,
            });
        }
        Ok(Self { text, references })
    }

    /// Returns every reference with its position, in order. A repeated reference is returned each time.
    pub fn references(&self) -> impl Iterator<Item = (&Reference, Position)> {
        let lines = Lines::of(self.text);
        let references = self.references.iter();
        references.map(move |place| (&place.reference, lines.position(place.start)))
    }

    /// Returns the text with each reference replaced by the value that `lookup` returns for it; `None` if
    /// a value is missing.
    pub fn fill<'v>(&self, lookup: impl Fn(&Reference) -> Option<&'v [u8]>) -> Option<Filled> {
        let places = self.references.iter();
        let values: Vec<&[u8]> = places
            .map(|it| lookup(&it.reference))
            .collect::<Option<_>>()?;
        // A buffer that grows could leave copies behind.
        let length: usize = values.iter().map(|value| value.len()).sum();
        let mut filled = Zeroizing::new(Vec::with_capacity(self.text.len() + length));
        let mut from = 0;
        for (place, value) in self.references.iter().zip(values) {
            filled.extend_from_slice(self.text.get(from..place.start).unwrap_or_default());
            filled.extend_from_slice(value);
            from = place.end;
        }
        filled.extend_from_slice(self.text.get(from..).unwrap_or_default());
        Some(Filled(filled))
    }
}

impl fmt::Debug for Template<'_> {
    /// Writes no text, which may have secrets in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template")
            .field("references", &self.references)
            .finish_non_exhaustive()
    }
}

/// A text with secret values in it; wiped when dropped.
pub struct Filled(Zeroizing<Vec<u8>>);

impl Filled {
    /// Returns the text.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Filled([REDACTED])")
    }
}

/// Returns where the next reference begins, from an index on.
fn find(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let found = rest
        .windows(SCHEME.len())
        .position(|it| it == SCHEME.as_bytes());
    found.map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<String> {
        let template = Template::parse(text.as_bytes()).unwrap();
        let places = template.references();
        places
            .map(|(reference, at)| format!("{reference} {}:{}", at.line, at.column))
            .collect()
    }

    #[test]
    fn references_are_found_with_line_and_column() {
        assert_eq!(
            places("a=mcplexer://s/K\nüü \"mcplexer://a.b/X-Y\", mcplexer://s/K.\n"),
            [
                "mcplexer://s/K 1:3",
                "mcplexer://a.b/X-Y 2:5",
                "mcplexer://s/K 2:26"
            ]
        );
        assert_eq!(places("mcplexer:/s/K mcplexer"), [""; 0]);
    }

    #[test]
    fn a_text_that_only_begins_like_a_reference_is_an_error_with_its_place() {
        for bad in [
            "mcplexer://",
            "mcplexer://s",
            "mcplexer://s/",
            "mcplexer:///K",
            "mcplexer://S/K",
        ] {
            let text = format!("x\n {bad}");
            let (at, _) = Template::parse(text.as_bytes()).unwrap_err();
            assert_eq!((at.line, at.column), (2, 2), "{bad}");
        }
    }

    #[test]
    fn a_value_is_a_reference_with_or_without_a_mark() {
        for (value, mark) in [
            ("mcplexer://s/K", None),
            ("mcplexer://s/K?adopted", Some(Mark::Adopted)),
            ("mcplexer://s/K?moved", Some(Mark::Moved)),
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

    #[test]
    fn values_take_the_place_of_references_and_nothing_else_changes() {
        let text = b"\xff mcplexer://s/A:mcplexer://s/B@$HOME\r\n";
        let template = Template::parse(text).unwrap();
        let lookup = |reference: &Reference| match reference.name.as_str() {
            "A" => Some(&b"mcplexer://s/B"[..]),
            _ => Some(&b"\0$"[..]),
        };
        let filled = template.fill(lookup).unwrap();
        assert_eq!(filled.expose(), b"\xff mcplexer://s/B:\0$@$HOME\r\n");
        assert_eq!(format!("{filled:?}"), "Filled([REDACTED])");
        assert!(template.fill(|_| None).is_none());
        let shown = format!("{template:?}");
        assert!(shown.starts_with("Template { references: [Place {") && !shown.contains("HOME"));
    }
}
