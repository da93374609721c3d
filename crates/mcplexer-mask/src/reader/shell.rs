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
