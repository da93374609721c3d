//! Texts with references to secrets in them.
//!
//! * `mcplexer://scope/KEY` is a reference, and ends where its characters end. What [`Mark`] is behind it belongs
//!   to it.
//! * `{mcplexer://scope/KEY}` is one as well, which any text may follow.
//! * `{mcplexer://}` is the text `mcplexer://`, for texts about references.

use std::borrow::Cow;
use std::ops::Range;
use std::{fmt, iter};

use zeroize::Zeroizing;

use crate::position::{Lines, Position};
use crate::reference::{InvalidReference, Mark, Reference, SCHEME};

mod quotes;
mod syntax;
mod yaml;

pub use syntax::{InvalidSyntax, Syntax};

/// A text of any bytes, and the references in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Template<'a> {
    text: &'a [u8],
    places: Vec<Place>,
}

/// A part of a text that is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// `None` for the text `mcplexer://` itself.
    reference: Option<Reference>,
    /// The bytes that are replaced.
    range: Range<usize>,
    /// Where the reference itself begins.
    at: usize,
    mark: Option<Mark>,
}

/// Why a text cannot be filled in. It repeats no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FillError {
    /// A value is missing.
    #[error("{position}: no value for {reference}")]
    Missing {
        /// Where the reference is.
        position: Position,
        /// The reference.
        reference: Reference,
    },
    /// The text does not have the syntax that it is filled in by.
    #[error("{position}: not {syntax}")]
    NotThis {
        /// Where that shows.
        position: Position,
        /// The syntax.
        syntax: Syntax,
    },
    /// A value cannot be where its reference is.
    #[error("{position}: {reference} cannot be written here: {problem}")]
    Unfit {
        /// Where the reference is.
        position: Position,
        /// The reference.
        reference: Reference,
        /// Why not.
        problem: &'static str,
    },
}

/// A value that cannot be where its reference is.
struct Unfit {
    /// The index of the place.
    place: usize,
    problem: &'static str,
}

/// What takes the place of something.
type Piece = Zeroizing<Vec<u8>>;

impl<'a> Template<'a> {
    /// Finds the references in a text.
    ///
    /// # Errors
    /// The position of an [`InvalidReference`].
    pub fn parse(text: &'a [u8]) -> Result<Self, (Position, InvalidReference)> {
        let mut places = Vec::new();
        let mut from = 0;
        while let Some(at) = find(text, from) {
            let rest = text.get(at..).unwrap_or_default();
            let is_opened = at > from && text.get(at - 1) == Some(&b'{');
            let place = match rest.strip_prefix(SCHEME.as_bytes()) {
                Some([b'}', ..]) if is_opened => Place {
                    reference: None,
                    range: at - 1..at + SCHEME.len() + 1,
                    at,
                    mark: None,
                },
                _ => {
                    let (reference, length) = Reference::at_start_of(rest)
                        .map_err(|error| (Position::in_text(text, at), error))?;
                    let marked = rest.get(length..).unwrap_or_default();
                    let mark = Mark::at_start_of(marked);
                    let end = at + length + mark.map_or(0, |mark| mark.as_str().len());
                    let is_closed = is_opened && text.get(end) == Some(&b'}');
                    Place {
                        reference: Some(reference),
                        range: at - usize::from(is_closed)..end + usize::from(is_closed),
                        at,
                        mark,
                    }
                }
            };
            from = place.range.end;
            places.push(place);
        }
        Ok(Self { text, places })
    }

    /// Returns every reference with its position, in order. A repeated reference is returned each time.
    pub fn references(&self) -> impl Iterator<Item = (&Reference, Position)> {
        let lines = Lines::of(self.text);
        let places = self.places.iter();
        places.filter_map(move |place| Some((place.reference.as_ref()?, lines.position(place.at))))
    }

    /// Returns the references that have a [`Mark`], each with the bytes that it takes up.
    pub fn marked(&self) -> impl Iterator<Item = (Range<usize>, &Reference, Mark)> {
        let places = self.places.iter();
        places.filter_map(|it| Some((it.range.clone(), it.reference.as_ref()?, it.mark?)))
    }

    /// Returns the text with each reference replaced by the value that `lookup` returns for it, written as
    /// `syntax` has it there.
    ///
    /// # Errors
    /// [`FillError`] if a value is missing or cannot be there, or if the text does not have the syntax.
    pub fn fill<'v>(
        &self,
        syntax: Syntax,
        lookup: impl Fn(&Reference) -> Option<&'v [u8]>,
    ) -> Result<Filled, FillError> {
        let mut values = Vec::new();
        for place in &self.places {
            values.push(match &place.reference {
                None => SCHEME.as_bytes(),
                Some(reference) => lookup(reference).ok_or_else(|| FillError::Missing {
                    position: Position::in_text(self.text, place.at),
                    reference: reference.clone(),
                })?,
            });
        }
        let pieces = match syntax {
            Syntax::Text => return Ok(self.with(&values)),
            Syntax::Yaml => yaml::pieces(self, &values)?,
            _ => quotes::pieces(self, syntax, &values).map_err(|unfit| self.unfit(&unfit))?,
        };
        Ok(self.with(&pieces))
    }

    /// Returns the text with each place replaced.
    fn with(&self, pieces: &[impl AsRef<[u8]>]) -> Filled {
        // A buffer that grows could leave copies behind.
        let length: usize = pieces.iter().map(|piece| piece.as_ref().len()).sum();
        let mut filled = Zeroizing::new(Vec::with_capacity(self.text.len() + length));
        let mut from = 0;
        for (place, piece) in self.places.iter().zip(pieces) {
            filled.extend_from_slice(self.text.get(from..place.range.start).unwrap_or_default());
            filled.extend_from_slice(piece.as_ref());
            from = place.range.end;
        }
        filled.extend_from_slice(self.text.get(from..).unwrap_or_default());
        Filled(filled)
    }

    fn unfit(&self, unfit: &Unfit) -> FillError {
        let position = |at| Position::in_text(self.text, at);
        match self.places.get(unfit.place) {
            Some(Place {
                reference: Some(reference),
                at,
                ..
            }) => FillError::Unfit {
                position: position(*at),
                reference: reference.clone(),
                problem: unfit.problem,
            },
            place => FillError::NotThis {
                position: position(place.map_or(0, |place| place.at)),
                syntax: Syntax::Yaml,
            },
        }
    }
}

impl fmt::Debug for Template<'_> {
    /// Writes no text, which may have secrets in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template")
            .field("places", &self.places)
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

/// Returns a text whose references have no [`Mark`] behind them. A text with an invalid reference stays as it is.
#[must_use]
pub fn without_marks(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut from = 0;
    for place in Template::parse(text.as_bytes()).map_or_else(|_| Vec::new(), |it| it.places) {
        let Some(reference) = &place.reference else {
            continue;
        };
        let end = place.at + reference.to_string().len();
        let rest = text.get(end..).unwrap_or_default();
        plain.push_str(text.get(from..end).unwrap_or_default());
        let mark = Mark::at_start_of(rest.as_bytes());
        from = end + mark.map_or(0, |it| it.as_str().len());
    }
    plain.push_str(text.get(from..).unwrap_or_default());
    plain
}

/// Returns a text of the same length with a variable, `${X…}`, in the place of each reference. A text with an invalid
/// reference stays as it is.
///
/// It is for judging the rest of the text: `postgres://me:mcplexer://scope/KEY@host` has no password.
pub(crate) fn without_references(text: &str) -> Cow<'_, str> {
    let places = match Template::parse(text.as_bytes()) {
        Ok(template) if !template.places.is_empty() => template.places,
        _ => return Cow::Borrowed(text),
    };
    let mut covered = String::with_capacity(text.len());
    let mut from = 0;
    for place in places {
        covered.push_str(text.get(from..place.range.start).unwrap_or_default());
        let inner = place.range.len().saturating_sub("${}".len());
        covered.push_str("${");
        covered.extend(iter::repeat_n('X', inner));
        covered.push('}');
        from = place.range.end;
    }
    covered.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(covered)
}

/// Returns a text with another text for each such character.
fn replaced(text: &str, from: char, to: &str) -> Piece {
    let count = text.matches(from).count();
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() + count * to.len()));
    for (at, piece) in text.split(from).enumerate() {
        if at > 0 {
            bytes.extend_from_slice(to.as_bytes());
        }
        bytes.extend_from_slice(piece.as_bytes());
    }
    bytes
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
    fn braces_end_a_reference_and_spell_the_scheme() {
        let lookup = |_: &Reference| Some(&b"v"[..]);
        for (text, filled) in [
            ("{mcplexer://s/K}_suffix", "v_suffix"),
            ("a{mcplexer://s/K}{mcplexer://s/K}b", "avvb"),
            ("{{mcplexer://s/K}}", "{v}"),
            ("${mcplexer://s/K}", "$v"),
            ("{mcplexer://s/K ", "{v "),
            ("mcplexer://s/K}", "v}"),
            ("{mcplexer://s/K?adopted}x", "vx"),
            ("mcplexer://s/K?adopted", "v"),
            ("mcplexer://s/K?moved, x", "v, x"),
            ("mcplexer://s/K?adopted=1", "v?adopted=1"),
            ("mcplexer://s/K?adoptedX", "v?adoptedX"),
            ("mcplexer://s/K?other", "v?other"),
            ("write {mcplexer://}s/K", "write mcplexer://s/K"),
            ("{{mcplexer://}}", "{mcplexer://}"),
        ] {
            let template = Template::parse(text.as_bytes()).unwrap();
            let found = template.fill(Syntax::Text, lookup).unwrap();
            assert_eq!(String::from_utf8_lossy(found.expose()), filled, "{text}");
        }
        assert!(Template::parse(b"mcplexer://}").is_err());
    }

    #[test]
    fn marks_go_and_references_stay() {
        for (text, plain) in [
            ("a?adopted", "a?adopted"),
            ("mcplexer://s/K?adopted", "mcplexer://s/K"),
            (
                "é {mcplexer://s/K?moved}x mcplexer://t/L?other {mcplexer://}",
                "é {mcplexer://s/K}x mcplexer://t/L?other {mcplexer://}",
            ),
            (
                "mcplexer://S mcplexer://s/K?moved",
                "mcplexer://S mcplexer://s/K?moved",
            ),
        ] {
            assert_eq!(without_marks(text), plain);
        }
    }

    #[test]
    fn what_is_beside_references_keeps_its_place() {
        for (text, rest) in [
            ("a", "a"),
            ("Bearer mcplexer://s/K", "Bearer ${XXXXXXXXXXX}"),
            ("ä {mcplexer://s/K}b", "ä ${XXXXXXXXXXXXX}b"),
            ("mcplexer://s/K mcplexer://S", "mcplexer://s/K mcplexer://S"),
        ] {
            assert_eq!(without_references(text), rest);
            assert_eq!(text.len(), rest.len());
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
        let filled = template.fill(Syntax::Text, lookup).unwrap();
        assert_eq!(filled.expose(), b"\xff mcplexer://s/B:\0$@$HOME\r\n");
        assert_eq!(format!("{filled:?}"), "Filled([REDACTED])");
        assert!(template.fill(Syntax::Text, |_| None).is_err());
        let shown = format!("{template:?}");
        assert!(shown.starts_with("Template { places: [Place {") && !shown.contains("HOME"));
    }
}
