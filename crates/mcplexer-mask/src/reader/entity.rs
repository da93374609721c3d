//! Reads character references of HTML and XML: HTML Standard, section 13.5; XML 1.0, section 4.1.

use super::pending::Pending;
use crate::alphabet::digit;
use crate::cursor::Cursor;
use crate::next::Next;

/// The names that XML has, and HTML for all that an encoder must not leave as it is.
const NAMED: [(&[u8], u8); 5] = [
    (b"&amp;", b'&'),
    (b"&lt;", b'<'),
    (b"&gt;", b'>'),
    (b"&quot;", b'"'),
    (b"&apos;", b'\''),
];
/// Most digits of a number, with leading zeros.
const MOST: usize = 8;

/// `&amp;` and its like, `&#103;`, `&#x67;`.
pub(super) fn entity(cursor: &mut Cursor<'_>, pending: &mut Pending) -> Next {
    if let Some(byte) = pending.next_byte() {
        return Next::Byte(byte);
    }
    let rest = cursor.rest();
    match rest {
        [b'&', b'#', ..] => match number(rest.get(2..).unwrap_or_default()) {
            Ok((code, length)) => match char::from_u32(code) {
                Some(character) => {
                    let first = pending.keep_rest(character);
                    cursor.take(length + 2, first)
                }
                None => cursor.plain(),
            },
            Err(Next::End) => Next::End,
            Err(_) => cursor.plain(),
        },
        [b'&', ..] => {
            let named = NAMED.iter().find(|(name, _)| rest.starts_with(name));
            let begun = || NAMED.iter().any(|(name, _)| name.starts_with(rest));
            match named {
                Some((name, byte)) => cursor.take(name.len(), *byte),
                None if begun() => Next::End,
                None => cursor.plain(),
            }
        }
        _ => cursor.plain(),
    }
}

/// Returns whether a character reference may begin with these bytes, which follow `&`.
pub(crate) fn may_begin(rest: &[u8]) -> bool {
    matches!(rest, [] | [b'#' | b'a' | b'l' | b'g' | b'q', ..])
}

fn number(rest: &[u8]) -> Result<(u32, usize), Next> {
    let (digits, base) = match rest {
        [] => return Err(Next::End),
        [b'x' | b'X', digits @ ..] => (digits, 16),
        digits => (digits, 10),
    };
    let mut code = 0;
    for (at, &byte) in digits.iter().take(MOST + 1).enumerate() {
        match digit(byte).map(u32::from) {
            Some(digit) if digit < base && at < MOST => code = code * base + digit,
            None if byte == b';' && at > 0 => {
                return Ok((code, rest.len() - digits.len() + at + 1));
            }
            _ => return Err(Next::Other),
        }
    }
    Err(Next::End)
}
