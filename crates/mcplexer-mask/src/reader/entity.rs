//! Reads character references of HTML and XML: HTML Standard, section 13.5; XML 1.0, section 4.1.

use std::sync::LazyLock;

use super::pending::Pending;
use crate::alphabet::digit;
use crate::cursor::Cursor;
use crate::next::Next;

/// The names of HTML 4 (section 24), and of HTML for the punctuation of ASCII, each with its code point: sorted by
/// [`packed`].
static NAMES: LazyLock<Vec<(u64, char)>> = LazyLock::new(|| {
    let lines = include_str!("entities.txt").lines();
    let name = |line: &str| {
        let (name, code) = line.split_once(' ')?;
        Some((packed(name.as_bytes()), char::from_u32(code.parse().ok()?)?))
    };
    let mut names: Vec<_> = lines.filter_map(name).collect();
    names.sort_unstable();
    names
});
/// Length of the longest name.
const MAX_NAME: usize = 8;
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
        [b'&', name @ ..] => match named(name) {
            Ok((character, length)) => {
                let first = pending.keep_rest(character);
                cursor.take(length + 1, first)
            }
            Err(Next::End) => Next::End,
            Err(_) => cursor.plain(),
        },
        _ => cursor.plain(),
    }
}

/// Returns whether a character reference may begin with these bytes, which follow `&`.
pub(crate) fn may_begin(rest: &[u8]) -> bool {
    matches!(rest, [] | [b'#', ..]) || !matches!(named(rest), Err(Next::Other))
}

/// Returns the character that a name stands for, and the length of the name with the semicolon.
fn named(rest: &[u8]) -> Result<(char, usize), Next> {
    let near = rest.get(..=MAX_NAME).unwrap_or(rest);
    let length = near
        .iter()
        .take_while(|it| it.is_ascii_alphanumeric())
        .count();
    let name = near.get(..length).unwrap_or_default();
    match near.get(length) {
        Some(b';') => match NAMES.binary_search_by_key(&packed(name), |(name, _)| *name) {
            Ok(at) => {
                let (_, character) = NAMES.get(at).ok_or(Next::Other)?;
                Ok((*character, length + 1))
            }
            Err(_) => Err(Next::Other),
        },
        None if length == rest.len() && length <= MAX_NAME => {
            let unread = 8 * (MAX_NAME - length);
            let is_begun = |name: &u64| length == 0 || (name ^ packed(rest)) >> unread == 0;
            match NAMES.iter().any(|(name, _)| is_begun(name)) {
                true => Err(Next::End),
                false => Err(Next::Other),
            }
        }
        _ => Err(Next::Other),
    }
}

/// Returns a name of at most [`MAX_NAME`] bytes as a number, in which its first byte is the highest.
fn packed(name: &[u8]) -> u64 {
    let mut bytes = [0; MAX_NAME];
    for (byte, character) in bytes.iter_mut().zip(name) {
        *byte = *character;
    }
    u64::from_be_bytes(bytes)
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
