//! Reads a text in which quotes are written twice.

use crate::cursor::Cursor;
use crate::next::Next;

/// Two quotes stand for one: `''` in YAML and SQL, `""` in CSV.
pub(super) fn doubled(cursor: &mut Cursor<'_>, quote: u8) -> Next {
    match cursor.rest() {
        [first, second, ..] if *first == quote && *second == quote => cursor.take(2, quote),
        [first] if *first == quote => Next::End,
        _ => cursor.plain(),
    }
}
