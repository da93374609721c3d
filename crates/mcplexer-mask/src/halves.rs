//! Finds the larger part of a value at the edge of a word, where the rest of it is in another text.
//!
//! A program that writes a value in two messages shows neither part in a form that is looked for. What ends a word and is
//! at least the first half of a value is that value, cut off; what begins one and is at least the second half is the
//! rest of it. Only the most usual forms are looked for like this: they are written out, so that each edge of a word
//! takes one look into a table.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::alphabet::base64_characters;
use crate::bits::Bits;
use crate::needles::Needles;

/// The fewest bytes that are taken for a part of a value.
const LEAST: usize = 8;

/// The longest value that is looked for in parts, in bytes: each of them has a place in a table.
const LONGEST: usize = 8 << 10;

/// Finds the larger parts of known values: see [`Masker::halves`](crate::Masker::halves).
pub struct Halves {
    written: Vec<Written>,
    ends: Table,
    beginnings: Table,
    /// Whether a value, as it is written, has an edge of a word in it.
    has_gaps: bool,
}

/// A value in one form.
struct Written {
    text: Zeroizing<Vec<u8>>,
    label: Arc<str>,
    /// Whether padding may follow a part of it, and before that a character of which only some bits are the value's.
    is_base64: bool,
}

/// The parts by the [`LEAST`] characters of them that are at the edge.
struct Table {
    may_have: Bits,
    /// Sorted.
    edges: Zeroizing<Vec<u64>>,
    /// For each edge, the text that it is in, and where the part ends or begins in that.
    places: Vec<(u32, u32)>,
}

/// A part of a value that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Half<'a> {
    /// Where it is in the text.
    pub range: Range<usize>,
    /// The label of the value.
    pub label: &'a str,
}

impl Halves {
    pub(crate) fn new(needles: &Needles) -> Self {
        let mut written = Vec::new();
        let (mut ends, mut beginnings) = (Vec::new(), Vec::new());
        for (value, label) in needles.labelled() {
            let least = value.len().div_ceil(2).max(LEAST);
            if least >= value.len() || value.len() > LONGEST {
                continue;
            }
            for form in forms(value) {
                let text = form.write(value);
                let of_first = |count| value.get(..count).map_or(0, |it| form.write(it).len());
                let first = of_first(least).max(LEAST);
                let rest = of_first(value.len() - least);
                // One character of base64 can have bits of both parts.
                let last = text.len() - rest - usize::from(form.is_base64());
                let number = short(written.len());
                for at in first..text.len() {
                    let edge = at.checked_sub(LEAST).and_then(|it| edge(&text, it));
                    ends.extend(edge.map(|edge| (edge, (number, short(at)))));
                }
                for at in 1..=text.len().saturating_sub(last.max(LEAST)) {
                    let edge = edge(&text, at);
                    beginnings.extend(edge.map(|edge| (edge, (number, short(at)))));
                }
                written.push(Written {
                    text,
                    label: Arc::clone(label),
                    is_base64: form.is_base64(),
                });
            }
        }
        let has_gaps = |it: &Written| it.text.iter().any(|it| ends_word(*it));
        Self {
            has_gaps: written.iter().any(has_gaps),
            ends: Table::of(ends),
            beginnings: Table::of(beginnings),
            written,
        }
    }

    /// Returns the parts in a text, in order. `text` is what is between the quotes of a JSON string, or is in no
    /// language. Words end at white space and at escapes.
    #[must_use]
    pub fn find(&self, text: &str) -> Vec<Half<'_>> {
        let mut found: Vec<Half<'_>> = Vec::new();
        let bytes = text.as_bytes();
        if self.written.is_empty() || bytes.len() < LEAST {
            return found;
        }
        let least = if self.has_gaps { 0 } else { LEAST };
        let mut begin = 0;
        while let Some(word) = next_word(bytes, begin, least) {
            let halves = [self.begins(bytes, word.start), self.ends(bytes, word.end)];
            for half in halves.into_iter().flatten() {
                add(&mut found, half);
            }
            begin = word.end + gap(bytes, word.end);
        }
        found
    }

    /// Returns the part that begins at a position.
    fn begins(&self, text: &[u8], at: usize) -> Option<Half<'_>> {
        let rest = text.get(at..)?;
        let longest = self.beginnings.places(edge(rest, 0)?);
        let longest = longest.filter_map(|&(number, begin)| {
            let written = self.written.get(long(number))?;
            let part = written.text.get(long(begin)..)?;
            rest.starts_with(part).then_some((part.len(), written))
        });
        let (length, written) = longest.max_by_key(|(length, _)| *length)?;
        let mut end = at + length;
        if written.is_base64 {
            end += padding(text.get(end..)?);
        }
        Some(Half {
            range: at..end,
            label: &written.label,
        })
    }

    /// Returns the part that ends at a position.
    fn ends(&self, text: &[u8], at: usize) -> Option<Half<'_>> {
        let padded = text.get(..at)?;
        let bare = padded.strip_suffix(b"=").unwrap_or(padded);
        let bare = bare.strip_suffix(b"=").unwrap_or(bare);
        let as_it_is = self.ends_with(padded, false);
        let (start, written) = as_it_is
            .or_else(|| self.ends_with(bare, true))
            .or_else(|| self.ends_with(bare.get(..bare.len().checked_sub(1)?)?, true))?;
        Some(Half {
            range: start..at,
            label: &written.label,
        })
    }

    fn ends_with(&self, text: &[u8], is_base64: bool) -> Option<(usize, &Written)> {
        let edge = edge(text, text.len().checked_sub(LEAST)?)?;
        let longest = self.ends.places(edge).filter_map(|&(number, end)| {
            let written = self.written.get(long(number))?;
            let part = written.text.get(..long(end))?;
            let before = text.strip_suffix(part)?;
            let is_it = !ends_within_escape(before) && (written.is_base64 || !is_base64);
            is_it.then_some((before.len(), written))
        });
        longest.min_by_key(|(start, _)| *start)
    }
}

impl Table {
    fn of(mut entries: Vec<(u64, (u32, u32))>) -> Self {
        entries.sort_unstable();
        let edges: Vec<u64> = entries.iter().map(|(edge, _)| *edge).collect();
        Self {
            may_have: Bits::of(edges.iter().copied()),
            edges: Zeroizing::new(edges),
            places: entries.iter().map(|(_, place)| *place).collect(),
        }
    }

    fn places(&self, edge: u64) -> impl Iterator<Item = &(u32, u32)> {
        let from = match self.may_have.has(edge) {
            true => self.edges.partition_point(|it| *it < edge),
            false => self.edges.len(),
        };
        let edges = self.edges.get(from..).unwrap_or_default();
        let count = edges.iter().take_while(|it| **it == edge).count();
        self.places.iter().skip(from).take(count)
    }
}

/// A form in which parts are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Within a JSON string (RFC 8259, section 7): most values as they are.
    Json,
    /// Within a URL (RFC 3986, section 2).
    Url,
    /// In hex, with this letter for ten.
    Hex(u8),
    /// In base64 of the first or the second alphabet, with so many bytes before it (RFC 4648, sections 4 and 5).
    Base64(usize, usize),
}

impl Form {
    fn is_base64(self) -> bool {
        matches!(self, Self::Base64(..))
    }

    /// Writes a value; in base64, the characters that it fills alone.
    fn write(self, value: &[u8]) -> Zeroizing<Vec<u8>> {
        if let Self::Base64(alphabet, before) = self {
            return base64(value, before, alphabet);
        }
        // Six characters at most for a byte: nothing is left behind by growing.
        let mut text = Zeroizing::new(Vec::with_capacity(6 * value.len()));
        for byte in value {
            match self {
                Self::Json => escaped(*byte, &mut text),
                Self::Url => encoded(*byte, &mut text),
                Self::Hex(a) => text.extend(hex(*byte, a)),
                Self::Base64(..) => {}
            }
        }
        text
    }
}

/// Returns the forms in which a value differs.
fn forms(value: &[u8]) -> Vec<Form> {
    let text = [Form::Json, Form::Url].into_iter();
    let text = text.filter(|_| str::from_utf8(value).is_ok());
    let hex = [b'a', b'A'].map(Form::Hex);
    let base64 = (0..3).flat_map(|before| [0, 1].map(|alphabet| Form::Base64(alphabet, before)));
    let mut seen: Vec<Zeroizing<Vec<u8>>> = Vec::new();
    let mut forms: Vec<_> = text.chain(hex).chain(base64).collect();
    forms.retain(|form| {
        let text = form.write(value);
        let is_new = !seen.contains(&text);
        seen.push(text);
        is_new
    });
    forms
}

fn escaped(byte: u8, text: &mut Vec<u8>) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        8 => b'b',
        12 => b'f',
        0..b' ' => {
            text.extend(b"\\u00");
            return text.extend(hex(byte, b'a'));
        }
        byte => return text.push(byte),
    };
    text.extend([b'\\', short]);
}

fn encoded(byte: u8, text: &mut Vec<u8>) {
    match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        true => text.push(byte),
        false => {
            text.push(b'%');
            text.extend(hex(byte, b'A'));
        }
    }
}

fn hex(byte: u8, a: u8) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|digit| match digit {
        0..10 => b'0' + digit,
        digit => a + digit - 10,
    })
}

fn base64(value: &[u8], before: usize, alphabet: usize) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(value.len() * 2));
    let (mut bits, mut count) = (0_u32, 0_u32);
    // The first character that begins with the value, or within it.
    let mut skipped = (before * 8).div_ceil(6) * 6 - before * 8;
    for byte in value {
        bits = bits << 8 | u32::from(*byte);
        count += 8;
        if skipped > 0 {
            count -= u32::try_from(std::mem::take(&mut skipped)).unwrap_or_default();
        }
        while count >= 6 {
            count -= 6;
            let [.., sextet] = (bits >> count & 63).to_be_bytes();
            let characters = base64_characters(sextet);
            text.extend(characters.get(alphabet).or(characters.first()));
        }
        bits &= (1 << count) - 1;
    }
    text
}

/// Returns the length of the last character of base64 and of the padding after it.
fn padding(text: &[u8]) -> usize {
    let is_character = |it: &u8| crate::alphabet::sextet(*it).is_some();
    let characters = text.iter().take_while(|it| is_character(it)).count();
    let padding = text
        .iter()
        .skip(characters)
        .take_while(|it| **it == b'=')
        .count();
    match characters {
        0 | 1 => characters + padding.min(2),
        _ => 0,
    }
}

/// Returns the characters at an edge.
fn edge(text: &[u8], at: usize) -> Option<u64> {
    let edge = text.get(at..)?.first_chunk::<LEAST>()?;
    Some(u64::from_be_bytes(*edge))
}

/// Returns whether a text ends within an escape of JSON: behind its backslash, or before the last digit of `\uXXXX`.
fn ends_within_escape(text: &[u8]) -> bool {
    let ends_with_escape = |text: &[u8]| {
        let backslashes = text.iter().rev().take_while(|it| **it == b'\\').count();
        backslashes % 2 == 1
    };
    let digits = text.iter().rev().take(3);
    let digits = digits.take_while(|it| it.is_ascii_hexdigit()).count();
    let mut of_unit =
        (0..=digits).filter_map(|count| text.get(..text.len() - count)?.strip_suffix(b"u"));
    ends_with_escape(text) || of_unit.any(ends_with_escape)
}

/// Adds a part behind others. It takes in those that it overlaps with: a value can have an edge of a word in it.
fn add<'a>(found: &mut Vec<Half<'a>>, mut half: Half<'a>) {
    while let Some(last) = found.pop_if(|last| half.range.start < last.range.end) {
        let start = last.range.start.min(half.range.start);
        let end = last.range.end.max(half.range.end);
        half = Half {
            range: start..end,
            label: last.label,
        };
    }
    found.push(half);
}

/// Returns the next word of this length or longer, from `begin` on, where a word begins. Control characters, spaces and
/// escapes are between words.
fn next_word(text: &[u8], mut begin: usize, least: usize) -> Option<Range<usize>> {
    let mut at = begin;
    while let Some(chunk) = text.get(at..).and_then(|it| it.first_chunk::<CHUNK>()) {
        let (backslashes, blanks) = ends_of_words(u64::from_le_bytes(*chunk));
        let ends = backslashes | blanks;
        let first = at + ends.trailing_zeros() as usize / 8;
        if ends == 0 {
            at += CHUNK;
        } else if first - begin >= least {
            return Some(begin..first);
        } else if backslashes == 0 && least >= CHUNK {
            // What is between the others is too short.
            at += CHUNK - ends.leading_zeros() as usize / 8;
            begin = at;
        } else {
            at = first + gap(text, first);
            begin = at;
        }
    }
    loop {
        let rest = text.get(at..)?;
        at += rest.iter().take_while(|it| !ends_word(**it)).count();
        if at - begin >= least {
            return Some(begin..at);
        }
        at += gap(text, at);
        begin = at;
    }
}

/// How many bytes are looked at together: words are short, and to look at one byte after the other would mean one wrong
/// guess of the processor for each.
const CHUNK: usize = 8;

/// Returns two numbers that have the highest bit of each byte that is a backslash, and of each that is a space or a
/// control character (Warren, Hacker's Delight, section 6-1).
fn ends_of_words(bytes: u64) -> (u64, u64) {
    const ONES: u64 = u64::MAX / 0xFF;
    const LOW: u64 = ONES * 0x7F;
    let other = bytes ^ (ONES * u64::from(b'\\'));
    let backslashes = !(((other & LOW) + LOW) | other | LOW);
    let blanks = !(((bytes & LOW) + ONES * u64::from(0x7F - b' ')) | bytes | LOW);
    (backslashes, blanks)
}

fn ends_word(byte: u8) -> bool {
    matches!(byte, 0..=b' ' | b'\\')
}

/// Returns the length of what separates words at a position; at the end of the text one, as if something followed.
fn gap(text: &[u8], at: usize) -> usize {
    match text.get(at..) {
        Some([b'\\', b'u', ..]) => 6,
        Some([b'\\', ..]) => 2,
        _ => 1,
    }
}

/// A position in a value that is not too long.
fn short(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn long(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// Shows the number of values.
impl fmt::Debug for Halves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Halves")
            .field("written", &self.written.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::{ends_word, gap, next_word};
    use crate::{Known, Masker};

    proptest! {
        #[test]
        fn words_are_those_that_a_look_at_each_byte_finds(
            text in "([ \t\n]{0,3}|\\PC{0,20}|!{0,9}|[\\\\]{1,3}(u00e9|n|\"))(  [a-z]{0,12}|\\\\n){0,4}",
            least in prop::sample::select(vec![0, 1, 8, 9]),
        ) {
            let text = text.as_bytes();
            let (mut expected, mut begin) = (Vec::new(), 0);
            while let Some(rest) = text.get(begin..) {
                let length = rest.iter().take_while(|it| !ends_word(**it)).count();
                if length >= least {
                    expected.push(begin..begin + length);
                }
                begin += length + gap(text, begin + length);
            }
            let mut words = Vec::new();
            let mut begin = 0;
            while let Some(word) = next_word(text, begin, least) {
                begin = word.end + gap(text, word.end);
                words.push(word);
            }
            prop_assert_eq!(words, expected);
        }
    }

    fn masker(value: &str) -> Masker {
        let label = "s/K".to_owned();
        let value = value.as_bytes();
        Masker::new([Known { label, value }])
    }

    /// Returns the text with each part replaced.
    fn shown(masker: &Masker, text: &str) -> String {
        let mut shown = text.to_owned();
        for half in masker.halves().find(text).into_iter().rev() {
            shown.replace_range(half.range, &format!("[{}]", half.label));
        }
        shown
    }

    /// 34 bytes.
    const VALUE: &str = "ghx_5e1f2d3c4b5a69788796a5b4c3d2e1";

    #[test]
    fn the_larger_part_at_the_edge_of_a_word_is_found() {
        let masker = masker(VALUE);
        for cut in 0..=VALUE.len() {
            let (first, second) = VALUE.split_at(cut);
            let is_first = (17..34).contains(&cut);
            let is_second = (1..=17).contains(&cut);
            for (before, after) in [("", ""), ("it is ", ""), ("", " it is"), ("ü\\n", "\\tx")] {
                let text = |it: &str| format!("{before}{it}{after}");
                let first_is = if is_first { "[s/K]" } else { first };
                assert_eq!(shown(&masker, &text(first)), text(first_is), "{cut}");
                let second_is = if is_second { "[s/K]" } else { second };
                assert_eq!(shown(&masker, &text(second)), text(second_is), "{cut}");
            }
        }
        let (first, second) = VALUE.split_at(17);
        assert_eq!(shown(&masker, &format!("{second} {first}")), "[s/K] [s/K]");
        assert_eq!(
            shown(&masker, &format!("x{first} {second}")),
            "x[s/K] [s/K]"
        );
        // The edge of the value is not that of a word.
        for text in [
            format!("{first}x"),
            format!("x{second}"),
            format!("\\{first}x {VALUE}x"),
        ] {
            assert_eq!(shown(&masker, &text), text);
        }
    }

    #[test]
    fn a_part_does_not_begin_within_an_escape() {
        let digits = masker("0a1b2c3d4e5f6789");
        for (text, expected) in [
            ("\\u0000a1b2c3d4", "\\u0000a1b2c3d4"),
            ("\\u000\\\\0a1b2c3d4", "\\u000\\\\[s/K]"),
            ("\\\\u0000a1b2c3d4", "\\\\u000[s/K]"),
            ("\\u00e90a1b2c3d4", "\\u00e9[s/K]"),
            ("u0000a1b2c3d4", "u000[s/K]"),
        ] {
            assert_eq!(shown(&digits, text), expected);
        }
    }

    #[test]
    fn parts_that_overlap_are_replaced_together() {
        let values = [
            "first-part second-part third-part-xyz",
            "0123456789second-part",
        ];
        let known = values.map(|value| Known {
            label: "s/K".to_owned(),
            value: value.as_bytes(),
        });
        let masker = Masker::new(known);
        assert_eq!(shown(&masker, "it: first-part second-part"), "it: [s/K]");
    }

    #[test]
    fn a_part_is_never_shorter_than_eight_bytes() {
        for (value, parts) in [
            ("hunter2h", &[][..]),
            ("hunter2hu", &["hunter2h", "unter2hu"]),
            ("hunter2hunter", &["hunter2h", "hunter2hunte", "r2hunter"]),
        ] {
            let masker = masker(value);
            for part in parts {
                assert_eq!(shown(&masker, part), "[s/K]", "{part} of {value}");
            }
            for part in ["hunter2", "2hunter"] {
                assert_eq!(shown(&masker, part), part, "of {value}");
            }
        }
    }

    #[test]
    fn parts_are_found_in_the_usual_encodings() {
        for value in [
            VALUE,
            "pä$$/?>>~~ \"\n\u{1}ÿÿÿ+++quoted\\and long",
            "0123456789abcdefghij",
        ] {
            let masker = masker(value);
            for cut in (1..value.len()).filter(|it| value.is_char_boundary(*it)) {
                let (first, second) = value.split_at(cut);
                let part = if first.len() >= second.len() {
                    first
                } else {
                    second
                };
                let json = serde_json::to_string(part).unwrap();
                let hex: String = part.bytes().map(|it| format!("{it:02x}")).collect();
                for text in [
                    json.trim_matches('"').to_owned(),
                    hex.to_uppercase(),
                    hex,
                    BASE64_STANDARD.encode(part),
                    BASE64_STANDARD_NO_PAD.encode(part),
                    BASE64_URL_SAFE_NO_PAD.encode(part),
                ] {
                    assert_eq!(shown(&masker, &text), "[s/K]", "{text} of {part}");
                    assert_eq!(
                        shown(&masker, &format!("it: {text}")),
                        "it: [s/K]",
                        "{part}"
                    );
                }
                if part == first {
                    let text = BASE64_STANDARD.encode(format!("token={part}"));
                    let shown = shown(&masker, &text);
                    assert!(shown.ends_with("[s/K]") && shown.len() < 14, "{shown}");
                }
            }
        }
    }

    #[test]
    fn nothing_else_is_found() {
        let masker = masker("correct-horse-battery-staple");
        for text in [
            "",
            "correct-horse",
            "attery-staple is",
            "staple",
            "the correct-horse-x",
            "==",
        ] {
            assert_eq!(shown(&masker, text), text);
        }
        let none = Masker::new([]);
        assert!(none.halves().find("correct-horse-battery").is_empty());
    }
}
