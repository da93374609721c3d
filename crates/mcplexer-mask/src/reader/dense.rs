//! Reads base64 and base32, in one line or several.

use super::pending::Pending;
use super::terminal::skip_controls;
use crate::alphabet::{quintet, sextet};
use crate::cursor::Cursor;
use crate::escape::escaped;
use crate::next::Next;

/// One or two characters. The first `lost` bits of the first character are not part of the value.
pub(super) fn base64(
    cursor: &mut Cursor<'_>,
    pending: &mut Pending,
    skipped: &mut usize,
    lost: u32,
) -> Next {
    while pending.count < 8 {
        let is_first = cursor.is_at_start();
        let (value, length) = match cursor.peek(0).and_then(sextet) {
            Some(value) => (value, 1),
            None => match escaped_sextet(cursor, skipped, is_first) {
                Ok(read) => read,
                Err(stop) => return stop,
            },
        };
        cursor.skip(length);
        pending.bits = pending.bits << 6 | u32::from(value);
        pending.count += if is_first { 6 - lost } else { 6 };
    }
    pending.count -= 8;
    let [.., byte] = (pending.bits >> pending.count).to_be_bytes();
    Next::Byte(byte)
}

/// One or two characters of base32.
pub(super) fn base32(cursor: &mut Cursor<'_>, pending: &mut Pending, skipped: &mut usize) -> Next {
    while pending.count < 8 {
        let value = cursor.peek(0).and_then(quintet);
        if value.is_none()
            && !cursor.is_at_start()
            && let Err(stop) = skip_break(cursor, skipped)
        {
            return stop;
        }
        let Some(value) = cursor.peek(0).map(quintet) else {
            return Next::End;
        };
        let Some(value) = value else {
            return Next::Other;
        };
        cursor.skip(1);
        pending.bits = pending.bits << 5 | u32::from(value);
        pending.count += 5;
    }
    pending.count -= 8;
    let [.., byte] = (pending.bits >> pending.count).to_be_bytes();
    Next::Byte(byte)
}

/// Returns where the padding of base32 ends after a value of this length, as [`end_of_padding`] does.
pub(super) fn end_of_padding32(cursor: &Cursor<'_>, length: usize) -> Option<usize> {
    let padding = match length % 5 {
        1 => 6,
        2 => 4,
        3 => 3,
        4 => 1,
        _ => 0,
    };
    padding_of(cursor, padding)
}

/// Returns where the padding ends after a value of this length, or where the value ends if the padding is
/// not there. `None` if the buffer ends before that is clear.
pub(super) fn end_of_padding(cursor: &Cursor<'_>, length: usize, lost: usize) -> Option<usize> {
    // 2 bits are lost after one byte, 4 after two.
    let bytes = length + lost / 2;
    let padding = bytes.next_multiple_of(3) - bytes;
    padding_of(cursor, padding)
}

fn padding_of(cursor: &Cursor<'_>, padding: usize) -> Option<usize> {
    let mut behind = cursor.clone();
    for _ in 0..padding {
        match escaped(behind.rest()) {
            Ok((b'=', length)) => behind.skip(length),
            Err(Next::End) => return None,
            _ => return Some(cursor.at()),
        }
    }
    Some(behind.at())
}

/// Reads a base64 character that follows a line end, or is escaped.
fn escaped_sextet(
    cursor: &mut Cursor<'_>,
    skipped: &mut usize,
    is_first: bool,
) -> Result<(u8, usize), Next> {
    if !is_first {
        skip_break(cursor, skipped)?;
    }
    let (character, length) = escaped(cursor.rest())?;
    let value = sextet(character).ok_or(Next::Other)?;
    Ok((value, length))
}

/// Skips control sequences and one line end, which may be escaped.
fn skip_break(cursor: &mut Cursor<'_>, skipped: &mut usize) -> Result<(), Next> {
    skip_controls(cursor, skipped)?;
    for end in [b'\r', b'\n'] {
        match escaped(cursor.rest()) {
            Ok((byte, length)) if byte == end => cursor.skip(length),
            Err(Next::End) => return Err(Next::End),
            _ => {}
        }
    }
    Ok(())
}
