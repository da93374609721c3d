//! Reads UTF-16, of which the first character is one of ASCII.
//!
//! Its lower byte is where a text may begin; so a text of the other order begins a byte late. The zero before it is
//! the same before and after masking.

use super::pending::Pending;
use crate::cursor::Cursor;
use crate::next::Next;

/// Which byte of a unit comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    LittleEndian,
    BigEndian,
}

/// One character.
pub(super) fn character(cursor: &mut Cursor<'_>, pending: &mut Pending, order: Order) -> Next {
    if let Some(byte) = pending.next_byte() {
        return Next::Byte(byte);
    }
    if cursor.is_at_start() && order == Order::BigEndian {
        return cursor.plain();
    }
    let rest = cursor.rest();
    let unit = |at: usize| {
        let (&first, &second) = (rest.get(at)?, rest.get(at + 1)?);
        Some(match order {
            Order::LittleEndian => u16::from_le_bytes([first, second]),
            Order::BigEndian => u16::from_be_bytes([first, second]),
        })
    };
    let Some(first) = unit(0) else {
        return Next::End;
    };
    let mut units = [first]
        .into_iter()
        .chain(unit(2).filter(|_| first & 0xFC00 == 0xD800));
    let mut length = 2;
    let character = match char::decode_utf16(&mut units).next() {
        Some(Ok(character)) => character,
        _ if first & 0xFC00 == 0xD800 && rest.len() < 4 => return Next::End,
        _ => return Next::Other,
    };
    if character > '\u{FFFF}' {
        length = 4;
    }
    let first = pending.keep_rest(character);
    cursor.take(length, first)
}
