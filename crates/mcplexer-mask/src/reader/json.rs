//! Reads JSON strings.

use super::pending::Pending;
use crate::cursor::Cursor;
use crate::json_unit::{Unit, unit, unit_after};
use crate::next::Next;

/// The inside of a JSON string, or of this many, one inside the other.
pub(super) fn string(cursor: &mut Cursor<'_>, pending: &mut Pending, levels: u8) -> Next {
    if let Some(byte) = pending.next_byte() {
        return Next::Byte(byte);
    }
    let rest = cursor.rest();
    let (unit, length) = match unit(rest, levels) {
        Ok(read) => read,
        Err(stop) => return stop,
    };
    let code = match unit {
        Unit::Byte(byte) => return cursor.take(length, byte),
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
        // A byte that is not text, as Python's `surrogateescape` (PEP 383) writes it.
        0xDC80..=0xDCFF => {
            let [.., byte] = code.to_be_bytes();
            return cursor.take(length, byte);
        }
        code => (code, length),
    };
    let Some(character) = char::from_u32(code) else {
        return Next::Other;
    };
    let first = pending.keep_rest(character);
    cursor.take(length, first)
}
