//! Reads what is quoted for a shell.

use super::pending::Pending;
use crate::cursor::Cursor;
use crate::next::Next;

/// A single quote is `'\''`; or `'"'"'`, with any number of single quotes between the double ones.
pub(super) fn quoted(cursor: &mut Cursor<'_>, pending: &mut Pending) -> Next {
    if pending.count > 0 {
        match cursor.rest() {
            [b'\'', ..] => return cursor.take(1, b'\''),
            [b'"', b'\'', ..] => {
                pending.count = 0;
                cursor.skip(2);
            }
            [b'"'] | [] => return Next::End,
            _ => return Next::Other,
        }
    }
    match cursor.rest() {
        [b'\'', b'\\', b'\'', b'\'', ..] => cursor.take(4, b'\''),
        [b'\'', b'"', b'\'', ..] => {
            pending.count = 1;
            cursor.take(3, b'\'')
        }
        [b'\''] | [b'\'', b'\\' | b'"'] | [b'\'', b'\\', b'\''] => Next::End,
        _ => cursor.plain(),
    }
}

/// A backslash before a character, or one of the escapes of `$'…'`.
pub(super) fn escaped(cursor: &mut Cursor<'_>) -> Next {
    let (b'\\', Some(escaped)) = (cursor.peek(0).unwrap_or_default(), cursor.peek(1)) else {
        return match cursor.rest() {
            b"\\" => Next::End,
            _ => cursor.plain(),
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
        b'0'..=b'3' => return octal(cursor, escaped),
        byte if byte.is_ascii_punctuation() || byte == b' ' => byte,
        _ => return cursor.plain(),
    };
    cursor.take(2, byte)
}

/// Three octal digits after a backslash.
fn octal(cursor: &mut Cursor<'_>, first: u8) -> Next {
    let digit = |at| cursor.peek(at).map(|it| (it, matches!(it, b'0'..=b'7')));
    match (digit(2), digit(3)) {
        (Some((second, true)), Some((third, true))) => {
            let byte = (first - b'0') << 6 | (second - b'0') << 3 | (third - b'0');
            cursor.take(4, byte)
        }
        (None, _) | (Some((_, true)), None) => Next::End,
        _ => cursor.plain(),
    }
}
