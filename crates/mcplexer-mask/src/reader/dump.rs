//! Reads hex: in one line or several, with what separates the bytes, and as `od`, `xxd` and `hexdump` print it.

use super::pending::Pending;
use super::terminal::skip_controls;
use crate::alphabet::digit;
use crate::cursor::Cursor;
use crate::escape::escaped;
use crate::next::Next;

/// Most bytes of a line after a byte of the value: the rest of the hex, and the text.
const REST_OF_LINE: usize = 256;
/// Most spaces between two bytes: at the end of a short line there are more, and the text follows.
const MOST_SPACES: usize = 8;
/// The fewest and the most digits of an offset.
const OFFSET: std::ops::RangeInclusive<usize> = 6..=16;

/// What two spaces stand for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// A gap within the hex, as `hexdump` has one in the middle, unless `|` or `>` follows, or no byte.
    Within,
    /// The end of the hex. The line follows as text.
    BeforeText,
}

/// Two digits.
pub(super) fn hex(
    cursor: &mut Cursor<'_>,
    pending: &mut Pending,
    skipped: &mut usize,
    gap: Gap,
) -> Next {
    let is_digit = cursor.peek(0).is_some_and(|byte| digit(byte).is_some());
    if !is_digit
        && !cursor.is_at_start()
        && let Err(stop) = skip_between(cursor, pending, skipped, gap)
    {
        return stop;
    }
    match (cursor.peek(0).map(digit), cursor.peek(1).map(digit)) {
        (Some(Some(high)), Some(Some(low))) => {
            pending.count += 1;
            cursor.take(2, high << 4 | low)
        }
        (None, _) | (Some(Some(_)), None) => Next::End,
        _ => Next::Other,
    }
}

/// Skips what is between two bytes: a separator, or the end of a line and what is around it.
fn skip_between(
    cursor: &mut Cursor<'_>,
    pending: &mut Pending,
    skipped: &mut usize,
    gap: Gap,
) -> Result<(), Next> {
    skip_controls(cursor, skipped)?;
    if let Some(length) = rest_of_buffer(cursor.rest())? {
        cursor.skip(length);
        return Err(Next::Cut);
    }
    if let Some(b':' | b'-' | b',') = cursor.peek(0) {
        cursor.skip(1);
        pending.bits = 1;
    }
    let spaces = spaces(cursor.rest());
    let after = cursor.rest().get(spaces..).unwrap_or_default();
    if after.is_empty() {
        return Err(Next::End);
    }
    if spaces > 0 {
        pending.bits = 1;
    }
    let is_gap = gap == Gap::Within && begins_byte(after)?;
    if spaces >= 2 && !is_gap && !matches!(after, [b'\r' | b'\n', ..]) {
        let text = cursor.rest();
        let near = text.get(..REST_OF_LINE).unwrap_or(text);
        match (0..near.len()).find(|at| is_line_end(near, *at)) {
            Some(end) => cursor.skip(end),
            None if near.len() < REST_OF_LINE => return Err(Next::End),
            None => return Err(Next::Other),
        }
    } else if spaces <= MOST_SPACES {
        cursor.skip(spaces);
    }
    skip_controls(cursor, skipped)?;
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
        // Lines of nothing but digits have no offsets.
        if pending.bits > 0 || pending.count <= 2 {
            skip_offset(cursor, pending);
        }
        pending.count = 0;
    }
    if let Some(b'0') = cursor.peek(0) {
        match cursor.peek(1) {
            Some(b'x' | b'X') => cursor.skip(2),
            None => return Err(Next::End),
            _ => {}
        }
    }
    Ok(())
}

/// Returns how many spaces and tabs a text begins with.
fn spaces(text: &[u8]) -> usize {
    let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t');
    text.iter().take_while(is_space).count()
}

/// Returns whether a byte in hex stands at the beginning of a text, and nothing that belongs to it follows.
fn begins_byte(text: &[u8]) -> Result<bool, Next> {
    let text = text.strip_prefix(b"0x").unwrap_or(text);
    match *text {
        [] => Err(Next::End),
        [a] if digit(a).is_some() => Err(Next::End),
        [a, b] if digit(a).is_some() && digit(b).is_some() => Ok(true),
        [a, b, after, ..] => {
            let is_end = matches!(
                after,
                b' ' | b'\r' | b'\n' | b',' | b':' | b'>' | b'\\' | 0x1B
            );
            Ok(digit(a).is_some() && digit(b).is_some() && is_end)
        }
        _ => Ok(false),
    }
}

/// Returns whether a line ends at a place. If its end is escaped, as within JSON, an offset follows: the text of the line
/// may contain the same characters.
fn is_line_end(text: &[u8], at: usize) -> bool {
    match text.get(at..).unwrap_or_default() {
        [b'\n', ..] | [b'\r', b'\n', ..] => true,
        [b'\\', b'n', rest @ ..] => {
            let length = digits(rest);
            let behind = rest.get(length).copied();
            OFFSET.contains(&length) && matches!(behind, Some(b':' | b' '))
        }
        _ => false,
    }
}

/// Returns how many hexadecimal digits a text begins with.
fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|it| digit(**it).is_some()).count()
}

/// Skips the offset at the beginning of a line, with the spaces around it.
fn skip_offset(cursor: &mut Cursor<'_>, pending: &mut Pending) {
    cursor.skip(spaces(cursor.rest()));
    let text = cursor.rest();
    let length = digits(text);
    let behind = text.get(length..).unwrap_or_default();
    let colon = usize::from(behind.starts_with(b":"));
    let behind = behind.get(colon..).unwrap_or_default();
    let spaces = spaces(behind);
    let group = behind.get(spaces..).unwrap_or_default();
    let in_group = digits(group);
    pending.is_unclear |= in_group == group.len() && length <= *OFFSET.end();
    let is_group = if colon > 0 {
        in_group >= 2
    } else {
        matches!(in_group, 2 | 4)
    };
    if OFFSET.contains(&length) && spaces > 0 && is_group {
        cursor.skip(length + colon + spaces);
    }
}

/// Returns where a value ends: at the end of the line, if the line shows its bytes once more as text, as `xxd` and
/// `hexdump -C` do; or else where its hex ends. `None` if the buffer ends before that is clear.
pub(super) fn end_of_line(
    cursor: &Cursor<'_>,
    pending: &Pending,
    value: &[&[u8]],
) -> Option<usize> {
    let rest = cursor.rest();
    match rest.first() {
        Some(byte) if *byte != b' ' && digit(*byte).is_none() => return Some(cursor.at()),
        _ => {}
    }
    let near = rest.get(..REST_OF_LINE).unwrap_or(rest);
    let on_line = usize::try_from(pending.count).unwrap_or_default();
    let length: usize = value.iter().map(|part| part.len()).sum();
    let bytes = value.iter().copied().flatten();
    let shown = bytes
        .skip(length.saturating_sub(on_line))
        .map(|byte| match byte {
            b' '..=b'~' => *byte,
            _ => b'.',
        });
    let shows = |line: &[u8], at: usize| {
        let (hex, text) = line.split_at_checked(at).unwrap_or_default();
        let digits = hex.iter().filter(|byte| digit(**byte).is_some()).count();
        let is_hex = hex
            .iter()
            .all(|byte| *byte == b' ' || digit(*byte).is_some());
        let text = text
            .strip_suffix(b"|")
            .or(text.strip_suffix(b"<"))
            .unwrap_or(text);
        let before = text.len().checked_sub(on_line + digits / 2);
        let text = before.and_then(|before| text.get(before..before + on_line));
        is_hex && text.is_some_and(|text| text.iter().copied().eq(shown.clone()))
    };
    let is_shown = |end: usize| {
        let line = near.get(..end).unwrap_or_default();
        let mut pairs = line.windows(2).enumerate();
        pairs.any(|(at, pair)| pair == b"  " && shows(line, at))
    };
    for at in 0..near.len() {
        let is_end = is_line_end(near, at);
        // The last line of a text within JSON ends with the string, or its text has these characters.
        let is_possible = is_end || near.get(at..).is_some_and(|it| it.starts_with(b"\\n\""));
        if is_possible && is_shown(at) {
            return Some(cursor.at() + at);
        }
        if is_end {
            return Some(cursor.at());
        }
    }
    (near.len() == REST_OF_LINE).then_some(cursor.at())
}

/// Returns the length of ` ... 14 more bytes`, with which Node ends a `Buffer` of more than 50 bytes.
fn rest_of_buffer(text: &[u8]) -> Result<Option<usize>, Next> {
    const BEFORE: &[u8] = b" ... ";
    const AFTER: &[u8] = b" more byte";
    let Some(rest) = text.strip_prefix(BEFORE) else {
        let is_begun = text.len() > 1 && BEFORE.starts_with(text);
        return if is_begun { Err(Next::End) } else { Ok(None) };
    };
    let digits = rest.iter().take_while(|it| it.is_ascii_digit()).count();
    let behind = rest.get(digits..).unwrap_or_default();
    match behind.strip_prefix(AFTER) {
        Some([]) => Err(Next::End),
        Some([next, ..]) => {
            let plural = usize::from(*next == b's');
            Ok(Some(BEFORE.len() + digits + AFTER.len() + plural))
        }
        None if AFTER.starts_with(behind) => Err(Next::End),
        None => Ok(None),
    }
}
