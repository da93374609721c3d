//! Reads escapes of programming languages and of shells, which begin with a backslash.

use super::pending::Pending;
use crate::alphabet::digit;
use crate::cursor::Cursor;
use crate::next::Next;

/// What `\xNN` stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hex {
    /// A byte, as in C, PHP, a shell and the bytes of Python.
    Byte,
    /// A character, as in JavaScript and the strings of Python.
    Character,
}

/// A backslash before a character, or an escape that begins with one: of `$'…'`, C, JavaScript, Python,
/// Rust; and zsh's for bytes that are not ASCII.
pub(super) fn escaped(cursor: &mut Cursor<'_>, pending: &mut Pending, hex: Hex) -> Next {
    if let Some(byte) = pending.next_byte() {
        return Next::Byte(byte);
    }
    let (b'\\', Some(escaped)) = (cursor.peek(0).unwrap_or_default(), cursor.peek(1)) else {
        return match cursor.rest() {
            b"\\" => Next::End,
            _ => cursor.plain(),
        };
    };
    let rest = cursor.rest().get(2..).unwrap_or_default();
    let read = match escaped {
        b'x' => hexadecimal(rest, 2).map(|(code, length)| match hex {
            Hex::Byte => (Code::Byte(code), length),
            Hex::Character => (Code::Character(code), length),
        }),
        b'u' => unicode(rest),
        b'U' => hexadecimal(rest, 8).map(|(code, length)| (Code::Character(code), length)),
        b'0'..=b'3' => octal(escaped, rest),
        b'C' | b'M' => {
            control(cursor.rest()).map(|(byte, length)| (Code::Byte(byte.into()), length - 2))
        }
        _ => Err(Next::Other),
    };
    match read {
        Ok((Code::Byte(code), length)) => match u8::try_from(code) {
            Ok(byte) => cursor.take(length + 2, byte),
            Err(_) => Next::Other,
        },
        Ok((Code::Character(code), length)) => match char::from_u32(code) {
            Some(character) => {
                let first = pending.keep_rest(character);
                cursor.take(length + 2, first)
            }
            None => Next::Other,
        },
        Err(Next::End) => Next::End,
        Err(_) => short(cursor, escaped),
    }
}

enum Code {
    Byte(u32),
    Character(u32),
}

fn short(cursor: &mut Cursor<'_>, escaped: u8) -> Next {
    match short_escape(escaped) {
        Some(byte) => cursor.take(2, byte),
        None => cursor.plain(),
    }
}

/// Returns what a backslash and this byte stand for; `None` if that is the backslash itself.
pub(crate) fn short_escape(escaped: u8) -> Option<u8> {
    Some(match escaped {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'e' | b'E' => 0x1B,
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0C,
        b'v' => 0x0B,
        b'0' => 0,
        byte if byte.is_ascii_punctuation() || byte == b' ' => byte,
        _ => return None,
    })
}

/// Exactly this many hexadecimal digits. Returns what they stand for, and how many bytes they are.
fn hexadecimal(rest: &[u8], count: usize) -> Result<(u32, usize), Next> {
    let mut code = 0;
    for at in 0..count {
        let byte = rest.get(at).ok_or(Next::End)?;
        code = code << 4 | u32::from(digit(*byte).ok_or(Next::Other)?);
    }
    Ok((code, count))
}

/// `XXXX`, twice as a surrogate pair; or `{…}`.
fn unicode(rest: &[u8]) -> Result<(Code, usize), Next> {
    /// Most digits between braces.
    const MOST: usize = 6;
    if let Some(digits) = rest.strip_prefix(b"{") {
        let mut code = 0;
        for (at, &byte) in digits.iter().take(MOST + 1).enumerate() {
            match digit(byte) {
                Some(digit) if at < MOST => code = code << 4 | u32::from(digit),
                None if byte == b'}' && at > 0 => return Ok((Code::Character(code), at + 2)),
                _ => return Err(Next::Other),
            }
        }
        return Err(Next::End);
    }
    let (high, length) = hexadecimal(rest, 4)?;
    if !matches!(high, 0xD800..=0xDBFF) {
        return Ok((Code::Character(high), length));
    }
    let behind = rest.get(length..).unwrap_or_default();
    match behind {
        [] | [b'\\'] => return Err(Next::End),
        [b'\\', b'u', ..] => {}
        _ => return Err(Next::Other),
    }
    match hexadecimal(behind.get(2..).unwrap_or_default(), 4)? {
        (low @ 0xDC00..=0xDFFF, _) => {
            let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
            Ok((Code::Character(code), 10))
        }
        _ => Err(Next::Other),
    }
}

/// Three octal digits, of which the first is given.
fn octal(first: u8, rest: &[u8]) -> Result<(Code, usize), Next> {
    let mut code = u32::from(first - b'0');
    for at in 0..2 {
        match rest.get(at) {
            Some(&byte @ b'0'..=b'7') => code = code << 3 | u32::from(byte - b'0'),
            Some(_) => return Err(Next::Other),
            None => return Err(Next::End),
        }
    }
    Ok((Code::Byte(code), 2))
}

/// `\C-X` for a control character, `\M-X` for a byte with its highest bit set, and both: zshmisc(1), "Shell
/// Builtin Commands", `print`. Returns the byte, and how many bytes it is written in.
fn control(text: &[u8]) -> Result<(u8, usize), Next> {
    match *text {
        [b'\\', b'C', b'-', b'?', ..] => Ok((0x7F, 4)),
        [b'\\', b'C', b'-', byte, ..] => Ok((byte & 0x9F, 4)),
        [b'\\', b'M', b'-', b'\\'] | [b'\\', b'M', b'-', b'\\', b'C'] => Err(Next::End),
        [b'\\', b'M', b'-', b'\\', b'C', b'-', ..] => {
            let (byte, length) = control(text.get(3..).unwrap_or_default())?;
            Ok((byte | 0x80, length + 3))
        }
        [b'\\', b'M', b'-', byte, ..] => Ok((byte | 0x80, 4)),
        [] | [b'\\'] | [b'\\', b'C' | b'M'] | [b'\\', b'C' | b'M', b'-'] => Err(Next::End),
        _ => Err(Next::Other),
    }
}
