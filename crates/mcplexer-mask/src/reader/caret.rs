//! Reads what `cat -v` and `cat -A` print of bytes that a terminal would not show.

use super::pending::Pending;
use crate::cursor::Cursor;
use crate::next::Next;

/// `^X` for a control character, `M-X` for a byte with its highest bit set, `M-^X` for both; `$` before a line end.
pub(super) fn caret(cursor: &mut Cursor<'_>, pending: &mut Pending) -> Next {
    match *cursor.rest() {
        [b'M', b'-', b'^', byte, ..] if is_control(byte) => cursor.take(4, (byte ^ 0x40) | 0x80),
        [b'M', b'-', byte @ b' '..=b'~', after, ..] if byte != b'^' || !is_control(after) => {
            cursor.take(3, byte | 0x80)
        }
        [b'^', byte, ..] if is_control(byte) => cursor.take(2, byte ^ 0x40),
        [b'$', b'\n', ..] => cursor.take(2, b'\n'),
        [b'M', b'-', byte @ b' '..=b'~'] => {
            pending.is_unclear = byte == b'^';
            cursor.take(3, byte | 0x80)
        }
        [b'M'] | [b'M', b'-'] | [b'^'] | [b'$'] => {
            pending.is_unclear = true;
            cursor.plain()
        }
        _ => cursor.plain(),
    }
}

fn is_control(byte: u8) -> bool {
    matches!(byte, b'?'..=b'_')
}

/// Returns a text as `cat -v` prints it.
pub(crate) fn printed(text: &[u8], printed: &mut Vec<u8>) {
    for &byte in text {
        let low = byte & 0x7F;
        if !byte.is_ascii() {
            printed.extend_from_slice(b"M-");
        }
        match low {
            b'\t' | b'\n' if byte.is_ascii() => printed.push(byte),
            b' '..=b'~' => printed.push(low),
            _ => printed.extend([b'^', low ^ 0x40]),
        }
    }
}
