//! Reads lists of bytes in decimal: `[103, 104]` of Python, `[103 104]` of Go, a `Buffer` of Node as JSON, `od -tu1`.

use super::pending::Pending;
use super::terminal::skip_controls;
use crate::cursor::Cursor;
use crate::escape::escaped;
use crate::next::Next;

/// The fewest and the most digits of an offset at the beginning of a line.
const OFFSET: std::ops::RangeInclusive<usize> = 6..=11;
/// What stands for the rest of a long list.
const ELLIPSIS: &[u8] = b"...";

/// One number.
pub(super) fn decimal(cursor: &mut Cursor<'_>, pending: &mut Pending, skipped: &mut usize) -> Next {
    if !cursor.is_at_start()
        && let Err(stop) = skip_between(cursor, skipped)
    {
        return stop;
    }
    let rest = cursor.rest();
    let length = digits(rest);
    if rest.is_empty() {
        return Next::End;
    }
    let number = rest.get(..length).and_then(|it| str::from_utf8(it).ok());
    let Some(byte) = number
        .filter(|it| it.len() <= 3)
        .and_then(|it| it.parse().ok())
    else {
        return Next::Other;
    };
    pending.is_unclear = length == rest.len() && length < 3;
    cursor.take(length, byte)
}

/// Skips a comma, spaces and the end of a line.
fn skip_between(cursor: &mut Cursor<'_>, skipped: &mut usize) -> Result<(), Next> {
    let start = cursor.at();
    skip_controls(cursor, skipped)?;
    skip_spaces(cursor);
    if cursor.peek(0) == Some(b',') {
        cursor.skip(1);
    }
    skip_controls(cursor, skipped)?;
    skip_spaces(cursor);
    let mut is_new_line = false;
    for end in [b'\r', b'\n'] {
        match escaped(cursor.rest()) {
            Ok((byte, length)) if byte == end => {
                cursor.skip(length);
                is_new_line = true;
            }
            Err(Next::End) => return Err(Next::End),
            _ => {}
        }
    }
    if is_new_line {
        skip_spaces(cursor);
        let length = digits(cursor.rest());
        if length == cursor.rest().len() {
            return Err(Next::End);
        }
        if OFFSET.contains(&length) {
            cursor.skip(length);
            skip_spaces(cursor);
        }
        // A list of YAML.
        if cursor.rest().starts_with(b"- ") {
            cursor.skip(2);
        }
    }
    match cursor.rest() {
        [] | [b'-'] => Err(Next::End),
        rest if rest.starts_with(ELLIPSIS) => Err(Next::Cut),
        rest if ELLIPSIS.starts_with(rest) => Err(Next::End),
        _ if cursor.at() == start => Err(Next::Other),
        _ => Ok(()),
    }
}

fn skip_spaces(cursor: &mut Cursor<'_>) {
    let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t');
    cursor.skip(cursor.rest().iter().take_while(is_space).count());
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|it| it.is_ascii_digit()).count()
}
