//! Selects the positions of a stream that need a closer look.
//!
//! A table of bits, indexed by a hash of up to four bytes, tells whether these bytes may begin a form of
//! a value. Bytes that begin an escape or a control sequence or break a line (`%`, `\`, `&`, CR,
//! LF, backspace, ESC) end the run that is looked up, because only the form's reader knows what they stand
//! for. So the table contains only beginnings without any of them, and an escape is always looked at.

use zeroize::Zeroizing;

use crate::alphabet::digit;
use crate::form::Form;
use crate::next::Next;
use crate::reader::{Reader, short_escape};

mod beginnings;

/// How many bytes are looked up together.
const RUN: usize = 4;
/// How many backslashes an escape begins with at most: within JSON in JSON, `\\\"` is a quote.
const MOST_BACKSLASHES: usize = 3;
/// Bits of the table for each value, which has some 100 beginnings.
const BITS_PER_VALUE: usize = 4096;
/// At least 8 KiB, at most 1 MiB.
const LOG_BITS: std::ops::RangeInclusive<u32> = 16..=23;

/// The beginnings of all forms of the values.
pub(crate) struct Filter {
    bits: Zeroizing<Vec<u64>>,
    shift: u32,
    /// Whether a value begins with a byte.
    begins: [bool; 256],
    /// Whether a byte [ends a run](ends_run).
    ends_run: [bool; 256],
    /// Whether a value begins with a byte that ends a run.
    breaks: bool,
    /// Whether there is a quote or a backslash among the first [`RUN`] bytes of a value.
    has_quotes: bool,
    /// Whether a value may begin with backslashes before a byte.
    escaped: [bool; 256],
    /// The first bytes of forms that no line end and no escape interrupts within the first [`RUN`] bytes. Fewer of
    /// them are looked at only where the buffer ends.
    whole: [bool; 256],
}

impl Filter {
    /// Creates the filter for these values.
    pub(crate) fn new<'a>(values: impl Iterator<Item = &'a [u8]> + Clone) -> Self {
        let wanted = (values.clone().count() * BITS_PER_VALUE)
            .next_power_of_two()
            .ilog2();
        let log_bits = wanted.clamp(*LOG_BITS.start(), *LOG_BITS.end());
        let mut filter = Self {
            bits: Zeroizing::new(vec![0; 1 << (log_bits - 6)]),
            shift: u32::BITS - log_bits,
            begins: [false; 256],
            ends_run: std::array::from_fn(|byte| u8::try_from(byte).is_ok_and(ends_run)),
            breaks: false,
            has_quotes: false,
            escaped: [false; 256],
            whole: [false; 256],
        };
        for value in values {
            if let Some(&first) = value.first() {
                mark(&mut filter.begins, first);
                filter.breaks |= ends_run(first);
            }
            let mut first = value.iter().take(RUN);
            filter.has_quotes |= first.any(|byte| matches!(byte, b'"' | b'\\'));
            filter.add_forms(value);
        }
        filter.escaped = std::array::from_fn(|byte| filter.may_be_escaped(byte));
        filter
    }

    /// Returns the first position from `from` on at which a value may begin.
    pub(crate) fn candidate(&self, buffer: &[u8], from: usize) -> Option<usize> {
        let mut at = from;
        while let Some(rest) = buffer.get(at..).filter(|rest| !rest.is_empty()) {
            let run = match self.in_run(rest) {
                Ok(found) => return Some(at + found),
                Err(length) => rest.get(..length).unwrap_or_default(),
            };
            let found = match rest.get(run.len()..) {
                Some([]) | None => self.at_end_of_buffer(run),
                Some(behind) if self.may_go_on_with(behind) => self.at_end(run),
                Some(_) => None,
            };
            if let Some(found) = found {
                return Some(at + found);
            }
            at += run.len();
            match buffer.get(at) {
                Some(b'%') => return Some(at),
                Some(b'\\') => match self.behind_backslashes(buffer, at) {
                    Ok(after) => at = after,
                    Err(found) => return Some(found),
                },
                Some(b'&') if self.may_be_reference(buffer, at) => return Some(at),
                Some(_) if self.breaks => return Some(at),
                _ => at += 1,
            }
        }
        None
    }

    /// Returns whether a value may begin with a backslash before a byte, or with several.
    fn may_be_escaped(&self, byte: usize) -> bool {
        let of_escape = u8::try_from(byte).is_ok_and(|byte| match byte {
            // What follows them counts; and base64 has slashes.
            b'u' | b'U' | b'x' | b'0'..=b'3' | b'C' | b'M' | b'/' => true,
            byte => short_escape(byte).is_some_and(|byte| self.begins(byte)),
        });
        self.begins(b'\\') || of_escape
    }

    /// Returns where backslashes end with which no value begins in any form, nor with the escape that the last of them
    /// begins, which is quicker than to read each form; or else, as an error, where a value may begin.
    fn behind_backslashes(&self, buffer: &[u8], at: usize) -> Result<usize, usize> {
        if self.begins(b'\\') {
            return Err(at);
        }
        let rest = buffer.get(at..).unwrap_or_default();
        let count = rest.iter().take_while(|it| **it == b'\\').count();
        let may_begin = match rest.get(count..).and_then(<[u8]>::split_first) {
            Some((b'u', digits)) => utf8_of_unit(digits).is_none_or(|it| self.begins(it)),
            Some((byte, _)) => self.escaped.get(usize::from(*byte)) == Some(&true),
            None => true,
        };
        match may_begin {
            // The backslashes before these stand for themselves.
            true => Err(at + count.saturating_sub(MOST_BACKSLASHES)),
            false => Ok(at + count),
        }
    }

    fn begins(&self, byte: u8) -> bool {
        self.begins.get(usize::from(byte)) == Some(&true)
    }

    /// Returns whether a character reference may stand for the first byte of a value.
    fn may_be_reference(&self, buffer: &[u8], at: usize) -> bool {
        match Reader::new(buffer, at, Form::Entity).next() {
            Next::Byte(byte) => self.begins(byte),
            Next::End => true,
            Next::Cut | Next::Other => false,
        }
    }

    /// Looks up the positions of a run that are followed by [`RUN`] bytes. Returns the first one where a value may begin,
    /// or else the length of the run.
    fn in_run(&self, rest: &[u8]) -> Result<usize, usize> {
        let mut word = 0;
        for (at, &byte) in rest.iter().enumerate() {
            if self.ends_run.get(usize::from(byte)) == Some(&true) {
                return Err(at);
            }
            word = word >> 8 | u32::from(byte) << 24;
            if let Some(first) = (at + 1).checked_sub(RUN)
                && self.has_hash_of(word)
            {
                return Ok(first);
            }
        }
        Err(rest.len())
    }

    /// Returns whether a value that begins less than [`RUN`] bytes before the end of a run may go on with what ends the run.
    /// It does not with an escaped quote, which ends most runs of JSON within JSON, unless it has one itself.
    fn may_go_on_with(&self, behind: &[u8]) -> bool {
        let backslashes = behind.iter().take_while(|it| **it == b'\\').count();
        backslashes == 0 || self.has_quotes || behind.get(backslashes) != Some(&b'"')
    }

    /// Looks up the positions at the end of a run, where fewer than [`RUN`] bytes are left.
    fn at_end(&self, run: &[u8]) -> Option<usize> {
        let looked_at = (run.len() + 1).saturating_sub(RUN);
        let mut tails = (looked_at..run.len()).filter_map(|at| Some((at, run.get(at..)?)));
        tails.find(|(_, tail)| self.has(tail)).map(|(at, _)| at)
    }

    /// Looks up the positions at the end of the buffer.
    #[cold]
    fn at_end_of_buffer(&self, run: &[u8]) -> Option<usize> {
        let looked_at = (run.len() + 1).saturating_sub(RUN);
        let begins = |at: usize| {
            let first = run.get(at).map_or(0, |first| usize::from(*first));
            self.whole.get(first) == Some(&true)
        };
        (looked_at..run.len())
            .find(|&at| begins(at) || run.get(at..).is_some_and(|tail| self.has(tail)))
    }

    fn has(&self, beginning: &[u8]) -> bool {
        self.has_hash_of(word_of(beginning))
    }

    fn has_hash_of(&self, word: u32) -> bool {
        let (word, bit) = self.place(word);
        self.bits.get(word).is_some_and(|word| word >> bit & 1 == 1)
    }

    fn place(&self, word: u32) -> (usize, u32) {
        // Fibonacci hashing, Knuth, The Art of Computer Programming, volume 3, section 6.4.
        let hash = word.wrapping_mul(0x9E37_79B1) >> self.shift;
        (hash as usize >> 6, hash & 63)
    }
}

fn mark(bytes: &mut [bool; 256], byte: u8) {
    if let Some(place) = bytes.get_mut(usize::from(byte)) {
        *place = true;
    }
}

/// Returns the first byte in UTF-8 (RFC 3629) of the character with this hexadecimal code point. `None` for ASCII characters
/// and surrogates.
fn utf8_of_unit(digits: &[u8]) -> Option<u8> {
    let digits = digits.first_chunk::<4>()?;
    let mut code = 0;
    for it in digits {
        code = code << 4 | u32::from(digit(*it)?);
    }
    let character = char::from_u32(code).filter(|it| !it.is_ascii())?;
    character.encode_utf8(&mut [0; 4]).bytes().next()
}

/// Returns up to [`RUN`] bytes as one number.
fn word_of(beginning: &[u8]) -> u32 {
    match *beginning {
        [a, b, c, d] => u32::from_le_bytes([a, b, c, d]),
        [a, b, c] => u32::from_le_bytes([a, b, c, 0]) ^ 0x3333_3333,
        [a, b] => u32::from_le_bytes([a, b, 0, 0]) ^ 0x5555_5555,
        [a] => u32::from_le_bytes([a, 0, 0, 0]) ^ 0x9999_9999,
        _ => 0,
    }
}

/// Returns whether a byte begins an escape or a control sequence, or breaks a line.
fn ends_run(byte: u8) -> bool {
    matches!(
        byte,
        b'%' | b'\\' | b'&' | b'\r' | b'\n' | b'\x08' | b'\x1b'
    )
}
