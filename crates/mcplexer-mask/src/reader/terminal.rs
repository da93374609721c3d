//! Reads what programs write to a terminal.

use crate::control::{self, Control};
use crate::cursor::Cursor;
use crate::next::Next;

/// How many bytes of control sequences a value may contain.
const MAX_SKIPPED: usize = 512;

/// CR LF stands for LF.
pub(super) fn line_end(cursor: &mut Cursor<'_>) -> Next {
    match (cursor.peek(0), cursor.peek(1)) {
        (Some(b'\r'), Some(b'\n')) => cursor.take(2, b'\n'),
        (Some(b'\r'), None) => Next::End,
        _ => cursor.plain(),
    }
}

/// The same, with control sequences between the bytes.
pub(super) fn controlled(cursor: &mut Cursor<'_>, skipped: &mut usize) -> Next {
    if !cursor.is_at_start()
        && let Err(stop) = skip_controls(cursor, skipped)
    {
        return stop;
    }
    line_end(cursor)
}

/// The same, with a byte repeated where the cursor moves after it.
pub(super) fn redrawn(cursor: &mut Cursor<'_>, skipped: &mut usize) -> Next {
    if let [byte, rest @ ..] = cursor.rest()
        && cursor.last() == Some(byte)
    {
        match control::read(rest) {
            Control::Moves(_) => cursor.skip(1),
            Control::Unfinished => return Next::End,
            Control::Other(_) | Control::None => {}
        }
    }
    controlled(cursor, skipped)
}

/// Skips control sequences, which tell the terminal how and where to show what follows.
pub(super) fn skip_controls(cursor: &mut Cursor<'_>, skipped: &mut usize) -> Result<(), Next> {
    while *skipped < MAX_SKIPPED {
        let length = match control::read(cursor.rest()) {
            Control::Moves(length) | Control::Other(length) => length,
            Control::Unfinished => return Err(Next::End),
            Control::None => break,
        };
        cursor.skip(length);
        *skipped += length;
    }
    Ok(())
}
