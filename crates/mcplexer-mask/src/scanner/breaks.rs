//! Looks for pieces that escapes or line ends break.
//!
//! Where a piece is first broken, either a gram of it ends that contains no escape, or a gram begins
//! there, which is read in its form.

use fearless_simd::Level;

use super::grams::GRAM;
use super::marks::Marks;
use super::pieces::Pieces;
use super::table::LANES;
use crate::alphabet::{digit, sextet};
use crate::escape::escaped;
use crate::form::Form;
use crate::next::Next;
use crate::reader::{Reader, may_begin_entity};

/// Most bytes of a character in UTF-8. A piece may begin within a character.
const CHARACTER: usize = 4;
/// How far to read a gram of hex or base64 that contains line ends and escapes.
const REACH: usize = 64;

/// The bytes that end a line, or begin an escape of JSON, of a programming language, of a URL or of HTML.
pub(super) const BREAKS: [u8; 5] = *b"\n\r\\%&";

/// The length of an escape of a URL.
const PERCENT: usize = 3;

/// How far after a position the text is read: a gram and a character, each byte written as a JSON escape
/// of JSON escapes.
pub(super) const LOOK_AHEAD: usize = (GRAM + CHARACTER) * 36;

impl Pieces {
    /// Calls `each` with the positions of the marks at which a piece may be broken.
    pub(super) fn breaks(
        &self,
        level: Level,
        text: &[u8],
        marks: &Marks,
        each: &mut impl FnMut(usize),
    ) {
        let mut look = |at: usize| {
            if self.is_broken(text, at) {
                each(at);
            }
        };
        let (together, rest) = marks.breaks.as_chunks::<LANES>();
        for breaks in together {
            let mut left = self.may_be_broken(level, text, breaks);
            while left != 0 {
                let at = left.trailing_zeros() as usize;
                left &= left - 1;
                breaks.get(at).copied().map(&mut look);
            }
        }
        rest.iter().copied().for_each(look);
    }

    /// Returns whether a piece may be broken at a mark.
    pub(super) fn is_broken(&self, text: &[u8], at: usize) -> bool {
        match text.get(at..) {
            Some([b'\n', ..]) => self.is_broken_in_dense(text, at, 1),
            Some([b'\r', ..]) => self.is_broken_line(text, at, 1) || self.is_terminal(text, at),
            Some([b'%', rest @ ..]) => self.is_percent(text, at, rest),
            Some([b'&', rest @ ..]) => {
                may_begin_entity(rest) && self.is_raw(text, at, Form::Entity)
            }
            Some([_, rest @ ..]) => self.is_escape(text, at, rest),
            _ => false,
        }
    }

    /// Returns whether hex or base64 continues after a line end of this length.
    #[inline(always)]
    fn is_broken_line(&self, text: &[u8], at: usize, length: usize) -> bool {
        // Most lines begin with a space, or end with a mark.
        let next = text.get(at + length);
        next.is_some_and(|&next| is_dense(next) || may_break(next))
            && before(text, at).is_some_and(is_dense)
            && self.is_broken_in_dense(text, at, length)
    }

    fn is_broken_in_dense(&self, text: &[u8], at: usize, length: usize) -> bool {
        let behind = text.get(at + length..).unwrap_or_default();
        match behind.first_chunk::<GRAM>() {
            Some(behind) if !behind.iter().any(|&it| may_break(it)) => {
                self.begins(behind) || self.has_before(text, at)
            }
            _ => self.is_dense(text, at),
        }
    }

    /// Returns whether a value continues at CR LF, which stands for LF.
    fn is_terminal(&self, text: &[u8], at: usize) -> bool {
        let is_one = text.get(at + 1) == Some(&b'\n');
        is_one && self.is_one_byte(text, at, b'\n', 2, |it| it.is_raw(text, at, Form::Terminal))
    }

    fn is_percent(&self, text: &[u8], at: usize, rest: &[u8]) -> bool {
        let [high, low, ..] = *rest else {
            return false;
        };
        let (Some(first), Some(second)) = (digit(high), digit(low)) else {
            return false;
        };
        let byte = first << 4 | second;
        let ends_line = is_line_end(byte) && self.is_broken_line(text, at, PERCENT);
        // In an escape of an escape, `%` itself is escaped.
        if ends_line || (byte == b'%' && self.is_dense(text, at)) {
            return true;
        }
        let twice = |it: &Self| it.is_raw(text, at, Form::PercentTwice);
        if byte == b'%' && twice(self) {
            return true;
        }
        self.is_one_byte(text, at, byte, PERCENT, |it| {
            it.is_raw(text, at, Form::Percent) || twice(it)
        })
    }

    fn is_escape(&self, text: &[u8], at: usize, rest: &[u8]) -> bool {
        let Some(&character) = rest.first() else {
            return false;
        };
        let Some(byte) = short_escape(character) else {
            // A `\` may begin a longer escape.
            return match character {
                b'\\' | b'u' => self.is_string(text, at) || self.is_dense(text, at),
                _ => begins_code(character) && self.is_code(text, at),
            };
        };
        let ends_line = is_line_end(byte) && self.is_broken_line(text, at, 2);
        ends_line || self.is_one_byte(text, at, byte, 2, |it| it.is_string(text, at))
    }

    /// Returns whether a value continues at an escape of JSON, or of a programming language.
    fn is_string(&self, text: &[u8], at: usize) -> bool {
        if self.is_raw(text, at, Form::Json) {
            return true;
        }
        // Within another string, an escape begins with `\\` or `\u`.
        let near = text.get(at..at + 2 * GRAM).or_else(|| text.get(at..));
        let (mut is_nested, mut is_code) = (false, false);
        for pair in near.unwrap_or_default().windows(2) {
            if let [b'\\', byte] = *pair {
                is_nested |= matches!(byte, b'\\' | b'u');
                is_code |= byte == b'u' || begins_code(byte);
            }
        }
        (is_nested && self.is_raw(text, at, Form::JsonInJson))
            || (is_code && self.is_code(text, at))
    }

    fn is_code(&self, text: &[u8], at: usize) -> bool {
        self.is_raw(text, at, Form::Escaped) || self.is_raw(text, at, Form::Code)
    }

    /// Returns whether a value continues at an escape of this length that stands for one byte: plain or,
    /// if the byte is a character of base64, in base64. Most escapes stand alone, for a byte that no value
    /// contains; if another escape is near, `raw` decides whether a plain value continues.
    fn is_one_byte(
        &self,
        text: &[u8],
        at: usize,
        byte: u8,
        length: usize,
        raw: impl Fn(&Self) -> bool,
    ) -> bool {
        // Of JSON's short escapes, one stands for a character of base64; an escape with `%` may stand for any.
        let is_dense = byte == b'/' || (length == PERCENT && is_dense(byte));
        let rest = text.get(at + length..).unwrap_or_default();
        if let Some(&next) = rest.first().filter(|&&next| !is_dense && !may_break(next))
            && !self.may_have(before(text, at), byte, next)
        {
            return false;
        }
        match plain_gram(byte, rest, text.get(at) == Some(&b'\\')) {
            Some(gram) => self.begins(&gram) || self.has_before(text, at),
            None => (is_dense && self.is_dense(text, at)) || raw(self),
        }
    }

    fn may_have(&self, before: Option<u8>, byte: u8, next: u8) -> bool {
        self.pairs.has(byte, next) || before.is_some_and(|before| self.pairs.has(before, byte))
    }

    /// Returns whether a plain value continues at an escape.
    fn is_raw(&self, text: &[u8], at: usize, form: Form) -> bool {
        let mut reader = Reader::new(text, at, form);
        let mut read = [0; GRAM + CHARACTER];
        let mut length = 0;
        while let Some(place) = read.get_mut(length) {
            let Next::Byte(byte) = reader.next() else {
                break;
            };
            *place = byte;
            length += 1;
            let goes_on = match read {
                [first, ..] if length == 1 => first.is_ascii() || self.pairs.beyond_ascii,
                [first, second, ..] if length == 2 && first.is_ascii() => {
                    self.may_have(before(text, at), first, second)
                }
                [first, ..] if length == GRAM && first.is_ascii() => break,
                _ => true,
            };
            if !goes_on {
                return false;
            }
        }
        let begins = if read[0].is_ascii() { 1 } else { CHARACTER };
        let mut after = (0..begins).filter_map(|skipped| read.get(skipped..length));
        after.any(|bytes| self.begins(bytes)) || self.has_before(text, at)
    }

    /// Returns whether hex or base64 continues at a line end or an escape.
    fn is_dense(&self, text: &[u8], at: usize) -> bool {
        let reach = text.get(at..at + REACH).or_else(|| text.get(at..));
        let mut rest = reach.unwrap_or_default();
        let mut read = [0; GRAM];
        let mut length = 0;
        while let Some(place) = read.get_mut(length) {
            match escaped(rest) {
                Ok((b'\r' | b'\n', skipped)) => rest = rest.get(skipped..).unwrap_or_default(),
                Ok((character, taken)) if sextet(character).is_some() => {
                    *place = character;
                    length += 1;
                    rest = rest.get(taken..).unwrap_or_default();
                }
                _ => break,
            }
        }
        let read = read.get(..length).unwrap_or_default();
        length > 0 && (self.begins(read) || self.has_before(text, at))
    }

    /// Returns whether a gram ends at a position.
    fn has_before(&self, text: &[u8], at: usize) -> bool {
        self.ends(text.get(..at).unwrap_or_default())
    }
}

/// Returns the byte that an escape of JSON or of a URL stands for, and the length of the escape. `None` if that needs a
/// look at what follows.
#[inline(always)]
pub(super) fn one_byte(first: u8, second: u8, third: u8) -> Option<(u8, usize)> {
    if first == b'%' {
        let byte = digit(second)? << 4 | digit(third)?;
        return (byte != b'%').then_some((byte, PERCENT));
    }
    let byte = short_escape(second)?;
    (first == b'\\').then_some((byte, 2))
}

/// Returns the byte that JSON's short escape with this character stands for.
fn short_escape(character: u8) -> Option<u8> {
    match character {
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        b'b' => Some(8),
        b'f' => Some(12),
        b'"' | b'/' => Some(character),
        _ => None,
    }
}

pub(super) fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// Returns the gram of a first byte and what follows. `None` if escapes are in it, except JSON's short ones
/// in JSON.
fn plain_gram(first: u8, mut rest: &[u8], is_json: bool) -> Option<[u8; GRAM]> {
    let mut gram = [first; GRAM];
    for place in gram.iter_mut().skip(1) {
        (*place, rest) = match rest {
            [b'\\', byte @ (b'"' | b'/'), rest @ ..] if is_json => (*byte, rest),
            [byte, rest @ ..] if !may_break(*byte) => (*byte, rest),
            _ => return None,
        };
    }
    Some(gram)
}

/// Returns whether an escape that JSON does not have begins with this byte after a backslash.
fn begins_code(byte: u8) -> bool {
    matches!(
        byte,
        b'x' | b'U' | b'C' | b'M' | b'0'..=b'3' | b'\'' | b'a' | b'e' | b'E' | b'v'
    )
}

/// Returns whether a byte is a character of base64, and so perhaps of hex.
#[inline(always)]
pub(super) fn is_dense(byte: u8) -> bool {
    const DENSE: [bool; 256] = {
        let mut dense = [false; 256];
        let mut rest: &mut [bool] = &mut dense;
        let mut byte = 0;
        while let Some((first, more)) = rest.split_first_mut() {
            *first = sextet(byte).is_some();
            rest = more;
            byte = byte.wrapping_add(1);
        }
        dense
    };
    DENSE.get(usize::from(byte)).is_some_and(|&is| is)
}

/// Returns whether a byte ends a line, or begins an escape.
fn may_break(byte: u8) -> bool {
    BREAKS.contains(&byte)
}

fn before(text: &[u8], at: usize) -> Option<u8> {
    at.checked_sub(1).and_then(|at| text.get(at)).copied()
}
