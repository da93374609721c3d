//! What tells a terminal how and where to show text, and is not text: ECMA-48, sections 5.3 to 5.6.

use std::ops::Range;

/// Longest sequence that is taken for one, in bytes, more or less.
const MAX_LEN: usize = 256;

/// Some terminals are told one of them behind the sequence that ends all colours.
const SHIFTS: std::ops::RangeInclusive<u8> = 0x0E..=0x0F;
const BELL: u8 = 0x07;
const BACKSPACE: u8 = 0x08;
const ESCAPE: u8 = 0x1B;

/// What a text begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Control {
    /// A control sequence of this length that moves the cursor.
    Moves(usize),
    /// Another one, such as a colour; or a space that is written over at once, with which less makes
    /// the terminal begin a line.
    Other(usize),
    /// The text ends within one.
    Unfinished,
    /// Nothing of the kind.
    None,
}

pub(super) fn read(text: &[u8]) -> Control {
    match *text {
        [] | [b' '] | [ESCAPE] => Control::Unfinished,
        [b' ', BACKSPACE, ..] => Control::Other(2),
        [shift, ..] if SHIFTS.contains(&shift) => Control::Other(1),
        [ESCAPE, b'[', ref rest @ ..] => sequence(rest),
        // A command string, up to its terminator or, as is usual, a bell.
        [ESCAPE, b']' | b'P' | b'X' | b'^' | b'_', ref rest @ ..] => string(rest),
        [ESCAPE, ref rest @ ..] => escape(rest),
        _ => Control::None,
    }
}

/// The control sequences in a text.
pub(super) fn sequences(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let length = match read(rest) {
                Control::Moves(length) | Control::Other(length) => length,
                Control::Unfinished | Control::None => 1,
            };
            let range = at..at + length;
            at += length;
            if rest
                .first()
                .is_some_and(|it| *it == ESCAPE || SHIFTS.contains(it))
            {
                return Some(range);
            }
        }
        None
    })
}

/// Parameters, intermediate bytes and a final one.
fn sequence(rest: &[u8]) -> Control {
    let inner = rest.iter().take(MAX_LEN);
    let length = inner
        .take_while(|&&byte| matches!(byte, b' '..=b'?'))
        .count();
    match rest.get(length) {
        // CUU to CHT, CUP, VPA and HVP.
        Some(b'A'..=b'I' | b'`' | b'a' | b'd'..=b'f') => Control::Moves(length + 3),
        Some(b'@'..=b'~') => Control::Other(length + 3),
        None if length < MAX_LEN => Control::Unfinished,
        _ => Control::None,
    }
}

fn string(rest: &[u8]) -> Control {
    let inner = rest.get(..MAX_LEN).unwrap_or(rest);
    let end = inner.iter().position(|byte| [BELL, ESCAPE].contains(byte));
    match end.map(|end| (end, rest.get(end..).unwrap_or_default())) {
        Some((end, [BELL, ..])) => Control::Other(end + 3),
        Some((end, [ESCAPE, b'\\', ..])) => Control::Other(end + 4),
        Some((_, [ESCAPE])) => Control::Unfinished,
        None if rest.len() < MAX_LEN => Control::Unfinished,
        _ => Control::None,
    }
}

/// Intermediate bytes and a final one.
fn escape(rest: &[u8]) -> Control {
    let inner = rest.iter().take(MAX_LEN);
    let length = inner
        .take_while(|&&byte| matches!(byte, b' '..=b'/'))
        .count();
    match rest.get(length) {
        Some(b'0'..=b'~') => Control::Other(length + 2),
        None if length < MAX_LEN => Control::Unfinished,
        _ => Control::None,
    }
}
