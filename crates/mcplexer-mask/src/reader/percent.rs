//! Reads percent-encoding.

use crate::alphabet::digit;
use crate::cursor::Cursor;
use crate::next::Next;

/// As in a URI: RFC 3986, section 2.1.
pub(super) fn uri(cursor: &mut Cursor<'_>) -> Next {
    if cursor.peek(0) != Some(b'%') {
        return cursor.plain();
    }
    match (cursor.peek(1).map(digit), cursor.peek(2).map(digit)) {
        (Some(Some(high)), Some(Some(low))) => cursor.take(3, high << 4 | low),
        (None, _) | (Some(Some(_)), None) => Next::End,
        _ => cursor.plain(),
    }
}

/// As in an HTML form: `+` stands for a space.
pub(super) fn query(cursor: &mut Cursor<'_>) -> Next {
    match cursor.peek(0) {
        Some(b'+') => cursor.take(1, b' '),
        _ => uri(cursor),
    }
}
