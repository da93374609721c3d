//! Finds tokens of known kinds.

use std::ops::Range;
use std::ptr;
use std::sync::LazyLock;

mod clouds;
mod code;
mod general;
mod models;
mod table;
mod work;

use table::{AFTER_SCHEMES, TABLE};

use crate::credential::is_named_id;
use crate::named::name_before;
use crate::reason::Reason;
use crate::shape::{Set, Shape};

/// The shapes of the table that a text may have which begins with a byte, in the order of the table.
static BY_FIRST_BYTE: LazyLock<Vec<Vec<&Shape>>> = LazyLock::new(|| {
    let mut by_byte = vec![Vec::new(); 1 << u8::BITS];
    for shape in TABLE.iter().copied().flatten() {
        for prefix in shape.prefixes {
            let first = prefix.as_bytes().first();
            let first = first.map_or(0..=u8::MAX, |&byte| byte..=byte);
            for byte in first {
                let shapes: Option<&mut Vec<&Shape>> = by_byte.get_mut(usize::from(byte));
                if let Some(shapes) =
                    shapes.filter(|it| !it.last().is_some_and(|it| ptr::eq(*it, shape)))
                {
                    shapes.push(shape);
                }
            }
        }
    }
    by_byte
});

/// Finds the first token in a text.
pub(crate) fn find(text: &str) -> Option<(Range<usize>, Reason)> {
    let bytes = text.as_bytes();
    let mut starts = (0..bytes.len()).filter(|&at| begins_word(bytes, at));
    starts.find_map(|at| {
        let (before, rest) = bytes.split_at_checked(at)?;
        let known = BY_FIRST_BYTE.get(usize::from(*rest.first()?))?;
        let found = known.iter().find_map(|shape| shape.matches(rest));
        let (reason, length) = found.or_else(|| after_scheme(before, rest))?;
        let place = at..at + length;
        let is_id = is_id(text.get(..at)?, text.get(place.clone())?);
        (!is_id).then_some((place, reason))
    })
}

/// Returns whether a token is the id of a key, and the name before it says so: `api_key_sid=SK…`.
fn is_id(before: &str, token: &str) -> bool {
    let before = before.trim_end_matches([' ', '"', '\'', '\\']);
    let before = before.strip_suffix([':', '=']);
    before.is_some_and(|it| is_named_id(name_before(it), token))
}

/// Returns the length of a token that is recognised only by the scheme of authentication before it.
fn after_scheme(before: &[u8], rest: &[u8]) -> Option<(Reason, usize)> {
    let is_before = |scheme: &str| {
        let start = before.len().checked_sub(scheme.len());
        let last = start.and_then(|start| before.get(start..));
        last.is_some_and(|it| it.eq_ignore_ascii_case(scheme.as_bytes()))
    };
    let mut shapes = AFTER_SCHEMES.iter().filter(|(scheme, _)| is_before(scheme));
    shapes.find_map(|(_, shape)| shape.matches(rest))
}

/// Returns whether a token may begin at an index: no letter, digit or `_` is before it, except at the end of
/// an escape such as `%3D` or `\n`.
fn begins_word(bytes: &[u8], at: usize) -> bool {
    let back = |by: usize| at.checked_sub(by).and_then(|at| bytes.get(at)).copied();
    if !back(1).is_some_and(|byte| Set::Word.has(byte)) {
        return true;
    }
    let hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
    let percent = back(3) == Some(b'%') && hex(back(2)) && hex(back(1));
    percent || (back(2) == Some(b'\\') && matches!(back(1), Some(b'n' | b'r' | b't')))
}
