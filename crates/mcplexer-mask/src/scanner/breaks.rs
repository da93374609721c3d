//! Looks for pieces that escapes or line ends break.
//!
//! Where a piece is first broken, either a gram of it ends that contains no escape, or a gram begins
//! there, which is read in its form.

use super::grams::GRAM;
use super::kinds::{KINDS, STRIDES};
use super::marks::Marks;
use super::pieces::Pieces;
use super::triples::TRIPLE;
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
    pub(super) fn breaks(&self, text: &[u8], marks: &Marks, each: &mut impl FnMut(usize)) {
        for &at in &marks.breaks {
            if self.is_broken(text, at) {
                each(at);
            }
        }
    }

    /// Returns whether a piece may be broken at a mark.
    fn is_broken(&self, text: &[u8], at: usize) -> bool {
        match text.get(at..) {
            Some([b'\n', ..]) => self.is_broken_in_dense(text, at, 1),
            Some([b'\r', ..]) => self.is_broken_line(text, at, 1) || self.is_terminal(text, at),
            Some([b'%', rest @ ..]) => self.is_percent(text, at, rest),
            Some([b'&', rest @ ..]) => {
                may_begin_entity(rest) && self.is_raw(text, at, Form::Entity)
            }
            Some([_, rest @ ..]) => !self.is_ruled_out(text, at) && self.is_escape(text, at, rest),
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
        let has_break = |bytes: &[u8]| bytes.iter().any(|it| may_break(*it));
        if behind.get(..STRIDES[0].1).is_some_and(|it| !has_break(it)) && !self.may_begin(behind) {
            return self.has_dense_before(text, at);
        }
        match behind.first_chunk::<GRAM>() {
            Some(behind) if !has_break(behind) => {
                self.begins(behind) || self.has_dense_before(text, at)
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

    /// Returns whether a short escape is one of the many for a byte that no value has there. Quicker than
    /// [`Self::is_escape`].
    #[inline(always)]
    fn is_ruled_out(&self, text: &[u8], at: usize) -> bool {
        let around = at.checked_sub(2).and_then(|from| text.get(from..));
        let Some(&[first, second, _, escape, third, fourth]) = around.and_then(<[u8]>::first_chunk)
        else {
            return false;
        };
        let Some(byte) = short_escape(escape) else {
            return false;
        };
        // Looked up together: the processor cannot predict which one decides.
        let may_have = self.triples.may_have([first, second, byte])
            | self.triples.may_have([byte, third, fourth])
            | may_break(third)
            | may_break(fourth);
        let in_dense = is_line_end(byte) & is_dense(second) & is_dense(third);
        !may_have & !in_dense
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
        let is_json = text.get(at) == Some(&b'\\');
        let rest = text.get(at + length..).unwrap_or_default();
        if let Some(behind) = plain_run(byte, rest, is_json)
            && !self.may_have(text, at, byte, behind)
        {
            return false;
        }
        match plain_run::<GRAM>(byte, rest, is_json) {
            Some(gram) => self.begins(&gram) || self.has_before(text, at),
            None => (is_dense && self.is_dense(text, at)) || raw(self),
        }
    }

    /// Returns whether a piece may have an escaped byte, by the two bytes before the escape, and by those that
    /// it stands for with the two behind it. If the first break of a piece is near its beginning, the latter
    /// belong to it, otherwise the former.
    fn may_have(&self, text: &[u8], at: usize, byte: u8, behind: [u8; TRIPLE]) -> bool {
        let before = text.get(..at).and_then(<[u8]>::last_chunk);
        self.triples.may_have(behind)
            || before.is_some_and(|&[first, second]| self.triples.may_have([first, second, byte]))
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
                [first, ..] if length == 1 => first.is_ascii() || self.triples.beyond_ascii,
                [first, second, third, ..] if length == TRIPLE && first.is_ascii() => {
                    self.may_have(text, at, first, [first, second, third])
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
        length > 0 && (self.begins(read) || self.has_dense_before(text, at))
    }

    /// Returns whether a gram ends at a position.
    fn has_before(&self, text: &[u8], at: usize) -> bool {
        self.ends(text.get(..at).unwrap_or_default())
    }

    /// Returns whether a gram of hex or base64 ends at a position.
    fn has_dense_before(&self, text: &[u8], at: usize) -> bool {
        let before = text.get(..at).unwrap_or_default();
        let last = before.iter().rev().take(GRAM);
        let dense = last.take_while(|byte| is_dense(**byte)).count();
        self.ends(before.get(before.len() - dense..).unwrap_or_default())
    }

    /// Returns whether these bytes end with a gram. First asks the tables that are in a cache.
    fn ends(&self, bytes: &[u8]) -> bool {
        let last = |length: usize| bytes.get(bytes.len().checked_sub(length)?..);
        let may_be = |(length, _)| last(length).is_some_and(|it| self.may_begin(it));
        KINDS.into_iter().any(may_be) && self.grams.end(bytes)
    }

    /// Returns whether these bytes begin with a gram.
    fn begins(&self, bytes: &[u8]) -> bool {
        self.may_begin(bytes) && self.grams.begin(bytes)
    }

    fn may_begin(&self, bytes: &[u8]) -> bool {
        self.samplers.iter().any(|it| it.may_begin(bytes))
    }
}

/// Returns the byte that JSON's short escape with this character stands for.
#[inline(always)]
fn short_escape(character: u8) -> Option<u8> {
    const BYTES: [u8; 256] = bytes(b"nrtbf\"/", b"\n\r\t\x08\x0c\"/");
    let byte = BYTES.get(usize::from(character)).copied();
    byte.filter(|byte| *byte != 0)
}

/// Returns a table of bytes, by character.
const fn bytes(mut characters: &[u8], mut bytes: &[u8]) -> [u8; 256] {
    let mut table = [0; 256];
    while let ([character, characters_left @ ..], [byte, bytes_left @ ..]) = (characters, bytes) {
        if let Some((_, [place, ..])) = table.split_at_mut_checked(*character as usize) {
            *place = *byte;
        }
        (characters, bytes) = (characters_left, bytes_left);
    }
    table
}

pub(super) fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// Returns the first byte and what follows. `None` if escapes are in it, except JSON's short ones in JSON.
fn plain_run<const LENGTH: usize>(
    first: u8,
    mut rest: &[u8],
    is_json: bool,
) -> Option<[u8; LENGTH]> {
    let mut run = [first; LENGTH];
    for place in run.iter_mut().skip(1) {
        (*place, rest) = match rest {
            [b'\\', byte @ (b'"' | b'/'), rest @ ..] if is_json => (*byte, rest),
            [byte, rest @ ..] if !may_break(*byte) => (*byte, rest),
            _ => return None,
        };
    }
    Some(run)
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
#[inline(always)]
fn may_break(byte: u8) -> bool {
    const TABLE: [u8; 256] = bytes(&BREAKS, &[1; BREAKS.len()]);
    TABLE.get(usize::from(byte)).is_some_and(|&is| is == 1)
}

fn before(text: &[u8], at: usize) -> Option<u8> {
    at.checked_sub(1).and_then(|at| text.get(at)).copied()
}
