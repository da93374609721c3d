//! The forms in which a program may print a value, and how each is read back.

use super::control::{self, Control};
use super::json::{Unit, unit, unit_after};

/// A form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is.
    Plain,
    /// As a terminal gets it: CR LF for LF.
    Terminal,
    /// The same, and between two bytes what a terminal is told that is no text ([`Control`]).
    Controlled,
    /// The same, with the byte before the cursor moves written twice, as vim does at a line's end so
    /// that the terminal wraps it.
    Redrawn,
    /// In single quotes for a shell (POSIX.1-2024, XCU 2.2.2), and single quotes outside of them.
    Quoted,
    /// Quoted for a shell otherwise (XCU 2.2.1, 2.2.3 and 2.2.4): some characters have a backslash before
    /// them, or are an escape that begins with one.
    Escaped,
    /// Percent-encoded: RFC 3986, section 2.1. Which characters are, is the encoder's choice.
    Percent,
    /// The same with `+` for a space: `application/x-www-form-urlencoded`.
    Query,
    /// Within a JSON string: RFC 8259, section 7.
    Json,
    /// Within a JSON string within a JSON string, as tool servers answer.
    JsonInJson,
    /// Two hexadecimal digits a byte, of either case, in lines or not: RFC 4648, section 8.
    Hex,
    /// Base64 of either alphabet, in lines or not: RFC 4648, sections 4 and 5. The value follows
    /// this number of bits of its first character.
    Base64(u8),
}

impl Form {
    /// The forms that look like nothing of the value.
    pub(crate) const DENSE: [Self; 4] =
        [Self::Hex, Self::Base64(0), Self::Base64(2), Self::Base64(4)];

    /// Whether what was read in this form may have control sequences in it that are not of the value.
    pub(crate) fn has_controls(self) -> bool {
        matches!(self, Self::Controlled | Self::Redrawn) || Self::DENSE.contains(&self)
    }

    /// The first two bytes that a text has in one of these forms; `None` if the four characters that
    /// tell do not stand there as they are.
    pub(crate) fn first_two(self, text: &[u8]) -> Option<[u8; 2]> {
        let (width, skipped, value): (_, _, fn(u8) -> Option<u8>) = match self {
            Self::Hex => (4, 0, digit),
            Self::Base64(skipped) => (6, skipped, sextet),
            _ => return None,
        };
        let mut bits = 0;
        for &character in text.first_chunk::<4>()? {
            bits = bits << width | u32::from(value(character)?);
        }
        let [.., first, second] = (bits >> (4 * width - 16 - u32::from(skipped))).to_be_bytes();
        Some([first, second])
    }
}

/// What a form has next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// A byte of a value.
    Byte(u8),
    /// The buffer ends within it.
    End,
    /// Nothing that this form can have.
    Other,
}

/// Reads the bytes of a value in one form.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    buffer: &'a [u8],
    form: Form,
    start: usize,
    at: usize,
    /// Base64: bits that were read and not given out, and how many. JSON: bytes of a character. Quoted:
    /// whether within double quotes.
    bits: u32,
    waiting: u32,
    /// How much was stepped over that is no text.
    skipped: usize,
}

/// Most that is stepped over in a value that is no text, in bytes.
const MAX_SKIPPED: usize = 512;

impl<'a> Reader<'a> {
    pub(crate) fn new(buffer: &'a [u8], at: usize, form: Form) -> Self {
        Self {
            buffer,
            form,
            start: at,
            at,
            bits: 0,
            waiting: 0,
            skipped: 0,
        }
    }

    /// Up to where the bytes that were given out go.
    pub(crate) fn read_to(&self) -> usize {
        self.at
    }

    /// Whether the line ends here, rather than that an encoded line end may follow, maybe in the
    /// next line.
    pub(crate) fn is_at_line_end(&self) -> bool {
        let may_be_wrapped = Form::DENSE.contains(&self.form);
        !may_be_wrapped && matches!(self.peek(0), Some(b'\r' | b'\n'))
    }

    /// Where a value of this length, which was read to its last byte, ends: after the padding, if
    /// base64 ends with it (RFC 4648, section 3.2). `None` if the buffer ends before that is clear.
    pub(crate) fn end_of_value(&self, length: usize) -> Option<usize> {
        let Form::Base64(skipped) = self.form else {
            return Some(self.at);
        };
        // 2 bits are skipped after one byte, 4 after two.
        let bytes = length + usize::from(skipped) / 2;
        let padding = bytes.next_multiple_of(3) - bytes;
        let mut behind = self.clone();
        for _ in 0..padding {
            match escaped(behind.rest()) {
                Ok((b'=', length)) => behind.at += length,
                Err(Next::End) => return None,
                _ => return Some(self.at),
            }
        }
        Some(behind.at)
    }

    /// Up to where the buffer was looked at.
    pub(crate) fn looked_to(&self) -> usize {
        self.at.max(self.start + 1)
    }

    pub(crate) fn next(&mut self) -> Next {
        match self.form {
            Form::Plain => self.plain(),
            Form::Terminal => self.terminal(),
            Form::Controlled => self.controlled(),
            Form::Redrawn => self.redrawn(),
            Form::Quoted => self.quoted(),
            Form::Escaped => self.escaped(),
            Form::Percent => self.percent(),
            Form::Query => match self.peek(0) {
                Some(b'+') => self.take(1, b' '),
                _ => self.percent(),
            },
            Form::Json => self.json(1),
            Form::JsonInJson => self.json(2),
            Form::Hex => self.hex(),
            Form::Base64(skipped) => self.base64(skipped.into()),
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.buffer.get(self.at + ahead).copied()
    }

    fn take(&mut self, length: usize, byte: u8) -> Next {
        self.at += length;
        Next::Byte(byte)
    }

    fn plain(&mut self) -> Next {
        match self.peek(0) {
            Some(byte) => self.take(1, byte),
            None => Next::End,
        }
    }

    fn terminal(&mut self) -> Next {
        match (self.peek(0), self.peek(1)) {
            (Some(b'\r'), Some(b'\n')) => self.take(2, b'\n'),
            (Some(b'\r'), None) => Next::End,
            _ => self.plain(),
        }
    }

    fn controlled(&mut self) -> Next {
        if self.at > self.start
            && let Err(stop) = self.skip_controls()
        {
            return stop;
        }
        self.terminal()
    }

    fn redrawn(&mut self) -> Next {
        let before = self.buffer.get(self.start..self.at).and_then(<[u8]>::last);
        if let [byte, rest @ ..] = self.rest()
            && before == Some(byte)
        {
            match control::read(rest) {
                Control::Moves(_) => self.at += 1,
                Control::Unfinished => return Next::End,
                Control::Other(_) | Control::None => {}
            }
        }
        self.controlled()
    }

    /// Steps over what only tells the terminal how and where to show what follows.
    fn skip_controls(&mut self) -> Result<(), Next> {
        while self.skipped < MAX_SKIPPED {
            let length = match control::read(self.rest()) {
                Control::Moves(length) | Control::Other(length) => length,
                Control::Unfinished => return Err(Next::End),
                Control::None => break,
            };
            self.at += length;
            self.skipped += length;
        }
        Ok(())
    }

    /// A single quote is `'\''`; or `'"'"'`, with as many between the double quotes as there are.
    fn quoted(&mut self) -> Next {
        if self.waiting > 0 {
            match self.rest() {
                [b'\'', ..] => return self.take(1, b'\''),
                [b'"', b'\'', ..] => {
                    self.waiting = 0;
                    self.at += 2;
                }
                [b'"'] | [] => return Next::End,
                _ => return Next::Other,
            }
        }
        match self.rest() {
            [b'\'', b'\\', b'\'', b'\'', ..] => self.take(4, b'\''),
            [b'\'', b'"', b'\'', ..] => {
                self.waiting = 1;
                self.take(3, b'\'')
            }
            [b'\''] | [b'\'', b'\\' | b'"'] | [b'\'', b'\\', b'\''] => Next::End,
            _ => self.plain(),
        }
    }

    fn escaped(&mut self) -> Next {
        let (b'\\', Some(escaped)) = (self.peek(0).unwrap_or_default(), self.peek(1)) else {
            return match self.rest() {
                b"\\" => Next::End,
                _ => self.plain(),
            };
        };
        let byte = match escaped {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'e' | b'E' => 0x1B,
            b'a' => 0x07,
            b'b' => 0x08,
            b'f' => 0x0C,
            b'v' => 0x0B,
            b'0'..=b'3' => return self.octal(escaped),
            byte if byte.is_ascii_punctuation() || byte == b' ' => byte,
            _ => return self.plain(),
        };
        self.take(2, byte)
    }

    /// Three octal digits behind a backslash.
    fn octal(&mut self, first: u8) -> Next {
        let digit = |at| self.peek(at).map(|it| (it, matches!(it, b'0'..=b'7')));
        match (digit(2), digit(3)) {
            (Some((second, true)), Some((third, true))) => {
                let byte = (first - b'0') << 6 | (second - b'0') << 3 | (third - b'0');
                self.take(4, byte)
            }
            (None, _) | (Some((_, true)), None) => Next::End,
            _ => self.plain(),
        }
    }

    fn percent(&mut self) -> Next {
        if self.peek(0) != Some(b'%') {
            return self.plain();
        }
        match (self.peek(1).map(digit), self.peek(2).map(digit)) {
            (Some(Some(high)), Some(Some(low))) => self.take(3, high << 4 | low),
            (None, _) | (Some(Some(_)), None) => Next::End,
            _ => self.plain(),
        }
    }

    fn hex(&mut self) -> Next {
        let is_digit = self.peek(0).is_some_and(|byte| digit(byte).is_some());
        if !is_digit
            && self.at > self.start
            && let Err(stop) = self.skip_break()
        {
            return stop;
        }
        match (self.peek(0).map(digit), self.peek(1).map(digit)) {
            (Some(Some(high)), Some(Some(low))) => self.take(2, high << 4 | low),
            (None, _) | (Some(Some(_)), None) => Next::End,
            _ => Next::Other,
        }
    }

    /// Steps over one line end, as it is or escaped, and what else only says where what follows is shown.
    fn skip_break(&mut self) -> Result<(), Next> {
        self.skip_controls()?;
        for end in [b'\r', b'\n'] {
            match escaped(self.rest()) {
                Ok((byte, length)) if byte == end => self.at += length,
                Err(Next::End) => return Err(Next::End),
                _ => {}
            }
        }
        Ok(())
    }

    fn base64(&mut self, skipped: u32) -> Next {
        while self.waiting < 8 {
            let is_first = self.at == self.start;
            let (value, length) = match self.peek(0).and_then(sextet) {
                Some(value) => (value, 1),
                None => match self.escaped_sextet(is_first) {
                    Ok(read) => read,
                    Err(stop) => return stop,
                },
            };
            self.at += length;
            self.bits = self.bits << 6 | u32::from(value);
            self.waiting += if is_first { 6 - skipped } else { 6 };
        }
        self.waiting -= 8;
        let [.., byte] = (self.bits >> self.waiting).to_be_bytes();
        Next::Byte(byte)
    }

    /// A base64 character that does not stand there as it is: behind a line end, or escaped.
    fn escaped_sextet(&mut self, is_first: bool) -> Result<(u8, usize), Next> {
        if !is_first {
            self.skip_break()?;
        }
        let (character, length) = escaped(self.rest())?;
        let value = sextet(character).ok_or(Next::Other)?;
        Ok((value, length))
    }

    fn json(&mut self, levels: u8) -> Next {
        if self.waiting > 0 {
            let [byte, rest @ ..] = self.bits.to_be_bytes();
            self.bits = u32::from_be_bytes([rest[0], rest[1], rest[2], 0]);
            self.waiting -= 1;
            return Next::Byte(byte);
        }
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let (unit, length) = match unit(rest, levels) {
            Ok(read) => read,
            Err(stop) => return stop,
        };
        let code = match unit {
            Unit::Byte(byte) => return self.take(length, byte),
            Unit::Code(code) => u32::from(code),
        };
        let (code, length) = match code {
            // The first half of a surrogate pair (RFC 8259, section 7).
            0xD800..=0xDBFF => match unit_after(rest, length, levels) {
                Ok((Unit::Code(low @ 0xDC00..=0xDFFF), more)) => {
                    let low = u32::from(low) - 0xDC00;
                    (0x1_0000 + ((code - 0xD800) << 10) + low, length + more)
                }
                Ok(_) => return Next::Other,
                Err(stop) => return stop,
            },
            // A byte that is no text, as Python's `surrogateescape` (PEP 383) has it.
            0xDC80..=0xDCFF => {
                let [.., byte] = code.to_be_bytes();
                return self.take(length, byte);
            }
            code => (code, length),
        };
        let Some(character) = char::from_u32(code) else {
            return Next::Other;
        };
        let mut bytes = [0; 4];
        let length_in_utf8 = character.encode_utf8(&mut bytes).len();
        self.at += length;
        let [first, rest @ ..] = bytes;
        self.bits = u32::from_be_bytes([rest[0], rest[1], rest[2], 0]);
        self.waiting = u32::try_from(length_in_utf8 - 1).unwrap_or_default();
        Next::Byte(first)
    }
}

/// The next character of a text that holds no others than an encoding has, and its length: as it is,
/// or escaped for a URL or for JSON, once or twice.
pub(crate) fn escaped(rest: &[u8]) -> Result<(u8, usize), Next> {
    match rest.first() {
        None => Err(Next::End),
        Some(b'\\') => match unit(rest, 2)? {
            (Unit::Byte(byte), length) => Ok((byte, length)),
            (Unit::Code(code), length) => {
                let byte = u8::try_from(code).map_err(|_| Next::Other)?;
                Ok((byte, length))
            }
        },
        Some(b'%') => {
            let mut at = 1;
            // `%` itself is escaped as `%25`.
            while rest.get(at..at + 2) == Some(b"25") {
                at += 2;
            }
            match (
                rest.get(at).map(|&it| digit(it)),
                rest.get(at + 1).map(|&it| digit(it)),
            ) {
                (Some(Some(high)), Some(Some(low))) => Ok((high << 4 | low, at + 2)),
                (None, _) | (Some(Some(_)), None) => Err(Next::End),
                _ => Err(Next::Other),
            }
        }
        Some(&byte) => Ok((byte, 1)),
    }
}

/// The value of a hexadecimal digit.
pub(crate) fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        b'A'..=b'F' => Some(character - b'A' + 10),
        _ => None,
    }
}

/// The value of a base64 character of either alphabet: RFC 4648, tables 1 and 2.
pub(crate) const fn sextet(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// The characters of a base64 value.
pub(crate) fn base64_characters(sextet: u8) -> &'static [u8] {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    match sextet {
        62 => b"+-",
        63 => b"/_",
        sextet => {
            let at = usize::from(sextet);
            LETTERS.get(at..=at).unwrap_or_default()
        }
    }
}
