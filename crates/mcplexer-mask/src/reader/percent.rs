//! Reads percent-encoding.

use crate::alphabet::digit;
use crate::cursor::Cursor;
use crate::next::Next;

/// What stands for a space besides `%20`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    /// Nothing, as in a URI: RFC 3986, section 2.1.
    Encoded,
    /// `+`, as in an HTML form.
    Plus,
}

/// A text that was encoded once.
pub(super) fn once(cursor: &mut Cursor<'_>, space: Space) -> Next {
    match read(cursor.rest()) {
        Ok((b'+', 1)) if space == Space::Plus => cursor.take(1, b' '),
        Ok((byte, length)) => cursor.take(length, byte),
        Err(stop) => stop,
    }
}

/// A text that was encoded, and then encoded as a part of another URL.
pub(super) fn twice(cursor: &mut Cursor<'_>, space: Space) -> Next {
    let rest = cursor.rest();
    let (byte, length) = match read(rest) {
        Ok(read) => read,
        Err(stop) => return stop,
    };
    if byte == b'+' && space == Space::Plus {
        return cursor.take(length, b' ');
    }
    if byte != b'%' {
        return cursor.take(length, byte);
    }
    let mut at = length;
    let mut value = 0;
    for _ in 0..2 {
        match read(rest.get(at..).unwrap_or_default()) {
            Ok((byte, more)) => {
                let Some(digit) = digit(byte) else {
                    return cursor.take(length, b'%');
                };
                value = value << 4 | digit;
                at += more;
            }
            Err(stop) => return stop,
        }
    }
    cursor.take(at, value)
}

/// Reads the first byte of an encoded text. Returns it with the length of what stands for it.
fn read(rest: &[u8]) -> Result<(u8, usize), Next> {
    match *rest {
        [] => Err(Next::End),
        [b'%'] => Err(Next::End),
        [b'%', high] if digit(high).is_some() => Err(Next::End),
        [b'%', high, low, ..] => match (digit(high), digit(low)) {
            (Some(high), Some(low)) => Ok((high << 4 | low, 3)),
            _ => Ok((b'%', 1)),
        },
        [byte, ..] => Ok((byte, 1)),
    }
}
