//! Values in YAML: how the scalar with the reference is written decides how the value is.
//!
//! The template is parsed with a word in the place of each reference, and the result is parsed again: its events
//! must be the same, and its scalars the same with the values in them. So no value changes anything else, and one
//! that cannot be written is found.

use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span};
use zeroize::Zeroizing;

use super::quotes::{escaped, is_literal, raw};
use super::{FillError, Piece, Syntax, Template, Unfit, replaced};
use crate::position::Position;
use crate::quoted::{Language, is_plain_yaml};

const QUOTES: &str = "the value would change the file; put the reference between \"…\"";

/// The event of a place that is in no scalar.
const COMMENT: usize = usize::MAX;

/// A template with a word in each place.
struct StandIn {
    text: String,
    /// The word of each place.
    words: Vec<String>,
    /// Where they are.
    ranges: Vec<Range<usize>>,
}

/// A scalar with places in it.
struct Scalar {
    style: ScalarStyle,
    range: Range<usize>,
    /// Its event.
    index: usize,
}

pub(super) fn pieces(template: &Template<'_>, values: &[&[u8]]) -> Result<Vec<Piece>, FillError> {
    let stand_in = StandIn::of(template)?;
    let events = events(&stand_in.text).map_err(|position| FillError::NotThis {
        position,
        syntax: Syntax::Yaml,
    })?;
    let scalars = events
        .iter()
        .enumerate()
        .filter_map(|(index, (event, span))| {
            let Event::Scalar(_, style, ..) = event else {
                return None;
            };
            let range = span.start.byte_offset()?..span.end.byte_offset()?;
            Some(Scalar {
                style: *style,
                range,
                index,
            })
        });
    let scalars: Vec<Scalar> = scalars.collect();
    let mut pieces = Vec::with_capacity(values.len());
    let mut within = Vec::with_capacity(values.len());
    for (place, (value, range)) in values.iter().zip(&stand_in.ranges).enumerate() {
        let next = scalars.partition_point(|scalar| scalar.range.start <= range.start);
        let scalar = next.checked_sub(1).and_then(|at| scalars.get(at));
        let scalar = scalar.filter(|scalar| range.start < scalar.range.end);
        let piece = stand_in.piece(value, range, scalar);
        pieces.push(piece.map_err(|problem| template.unfit(&Unfit { place, problem }))?);
        within.push(scalar.map_or(COMMENT, |scalar| scalar.index));
    }
    let filled = template.with(&pieces);
    // A value that is not text is an error already.
    let filled = String::from_utf8_lossy(filled.expose());
    match stand_in.first_difference(&events, &filled, values, &within) {
        None => Ok(pieces),
        Some(index) => {
            let is_at = |at: &&usize| **at <= index;
            let before = within.iter().filter(is_at).count();
            let place = within.iter().position(|at| *at == index);
            let place = place.unwrap_or(before.saturating_sub(1));
            Err(template.unfit(&Unfit {
                place,
                problem: QUOTES,
            }))
        }
    }
}

type Events<'a> = Vec<(Event<'a>, Span)>;

/// Returns the events of a text, or where it is not YAML.
fn events(text: &str) -> Result<Events<'_>, Position> {
    let mut parser = Parser::new_from_str(text);
    let mut events = Events::new();
    while let Some(event) = parser.next_event() {
        events.push(event.map_err(|error| Position {
            line: error.marker().line().max(1),
            column: error.marker().col() + 1,
        })?);
    }
    Ok(events)
}

impl StandIn {
    fn of(template: &Template<'_>) -> Result<Self, FillError> {
        let text = str::from_utf8(template.text).map_err(|error| FillError::NotThis {
            position: Position::in_text(template.text, error.valid_up_to()),
            syntax: Syntax::Yaml,
        })?;
        // Every word has one length, and the text has none of them.
        let mut letters = "place".to_owned();
        while text.contains(&letters) {
            letters.push('x');
        }
        let words = (0..template.places.len()).map(|at| format!("{letters}{at:08}z"));
        let words: Vec<_> = words.collect();
        let mut ranges = Vec::with_capacity(words.len());
        let (mut filled, mut from) = (String::new(), 0);
        for (place, word) in template.places.iter().zip(&words) {
            filled.push_str(text.get(from..place.range.start).unwrap_or_default());
            ranges.push(filled.len()..filled.len() + word.len());
            filled.push_str(word);
            from = place.range.end;
        }
        filled.push_str(text.get(from..).unwrap_or_default());
        Ok(Self {
            text: filled,
            words,
            ranges,
        })
    }

    /// Returns what takes a place, in a scalar or in a comment.
    fn piece(
        &self,
        value: &[u8],
        range: &Range<usize>,
        scalar: Option<&Scalar>,
    ) -> Result<Piece, &'static str> {
        let text = str::from_utf8(value).map_err(|_| "the value is not UTF-8 text")?;
        let style = scalar.map(|scalar| scalar.style);
        match style {
            None if value.iter().any(|byte| b"\n\r".contains(byte)) => {
                Err("the value would end the comment")
            }
            Some(ScalarStyle::DoubleQuoted) => escaped(value, Language::Yaml),
            Some(ScalarStyle::SingleQuoted) => Ok(replaced(text, '\'', "''")),
            Some(ScalarStyle::Literal) => Ok(self.in_lines(text, range)),
            Some(ScalarStyle::Plain) => {
                let is_whole = scalar.is_some_and(|it| it.range.clone().eq(range.clone()));
                if !is_whole || is_literal(value) || is_plain_yaml(text) {
                    return Ok(raw(value));
                }
                let inner = escaped(value, Language::Yaml)?;
                let mut quoted = Zeroizing::new(Vec::with_capacity(inner.len() + 2));
                quoted.push(b'"');
                quoted.extend_from_slice(&inner);
                quoted.push(b'"');
                Ok(quoted)
            }
            _ => Ok(raw(value)),
        }
    }

    /// Returns text for a literal block: each line with the indentation of the first. The line end of the template
    /// is that of the last line.
    fn in_lines(&self, text: &str, range: &Range<usize>) -> Piece {
        let before = self.text.get(..range.start).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        let spaces = line.len() - line.trim_start_matches(' ').len();
        let after = self.text.get(range.end..).unwrap_or_default();
        let is_last = after.is_empty() || after.starts_with(['\n', '\r']);
        let text = text.strip_suffix('\n').filter(|_| is_last).unwrap_or(text);
        replaced(text, '\n', &format!("\n{}", " ".repeat(spaces)))
    }

    /// Returns the first event of a filled text that is another one than with the values. `within` has the event
    /// of each place.
    fn first_difference(
        &self,
        events: &Events<'_>,
        filled: &str,
        values: &[&[u8]],
        within: &[usize],
    ) -> Option<usize> {
        let mut parser = Parser::new_from_str(filled);
        let places = self.words.iter().zip(values).zip(within);
        let mut places = places
            .filter(|(_, event)| **event != COMMENT)
            .map(|((word, value), event)| (word.as_str(), *value, *event))
            .peekable();
        for (index, (expected, _)) in events.iter().enumerate() {
            let of_event = std::iter::from_fn(|| places.next_if(|(.., event)| *event == index));
            let is_same = match (parser.next_event(), expected) {
                (
                    Some(Ok((Event::Scalar(found, style, anchor, tag), _))),
                    Event::Scalar(text, expected, expected_anchor, expected_tag),
                ) => {
                    let is_quoted =
                        style == ScalarStyle::DoubleQuoted && *expected == ScalarStyle::Plain;
                    (style == *expected || is_quoted)
                        && (anchor, &tag) == (*expected_anchor, expected_tag)
                        && is_filled(text, &found, style, of_event)
                }
                (Some(Ok((event, _))), expected) => event == *expected,
                _ => false,
            };
            if !is_same {
                return Some(index);
            }
        }
        None
    }
}

/// Whether a scalar is another one with the values in the place of the words.
fn is_filled<'a>(
    mut text: &str,
    mut found: &str,
    style: ScalarStyle,
    places: impl Iterator<Item = (&'a str, &'a [u8], usize)>,
) -> bool {
    for (word, value, _) in places {
        let Some((before, after)) = text.split_once(word) else {
            return false;
        };
        let Ok(mut value) = str::from_utf8(value) else {
            return false;
        };
        if style == ScalarStyle::Literal && (after.is_empty() || after.starts_with('\n')) {
            value = value.strip_suffix('\n').unwrap_or(value);
        }
        let rest = found.strip_prefix(before);
        let Some(rest) = rest.and_then(|rest| rest.strip_prefix(value)) else {
            return false;
        };
        (text, found) = (after, rest);
    }
    text == found
}
