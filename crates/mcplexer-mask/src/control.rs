//! Control sequences, which tell a terminal how and where to show text: ECMA-48, sections 5.3 to 5.6.

use std::ops::Range;

/// Length of the longest sequence that is recognised, in bytes, more or less.
const MAX_LEN: usize = 256;

/// Shift in and shift out: some terminals get one of them after the sequence that resets colours.
const SHIFTS: std::ops::RangeInclusive<u8> = 0x0E..=0x0F;
const BELL: u8 = 0x07;
const BACKSPACE: u8 = 0x08;
const ESCAPE: u8 = 0x1B;

/// What a text begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    /// A control sequence of this length that moves the cursor.
    Moves(usize),
    /// Another control sequence of this length, such as a colour; or a space and a backspace, with which
    /// `less` makes the terminal wrap a line.
    Other(usize),
    /// The text ends within a control sequence.
    Unfinished,
    /// Something else.
    None,
}

/// Recognises a control sequence at the beginning of a text.
pub(crate) fn read(text: &[u8]) -> Control {
    match *text {
        [] | [b' '] | [ESCAPE] => Control::Unfinished,
        [b' ', BACKSPACE, ..] => Control::Other(2),
        [shift, ..] if SHIFTS.contains(&shift) => Control::Other(1),
        [ESCAPE, b'[', ref rest @ ..] => sequence(rest),
        [ESCAPE, b']' | b'P' | b'X' | b'^' | b'_', ref rest @ ..] => string(rest),
        [ESCAPE, ref rest @ ..] => escape(rest),
        _ => Control::None,
    }
}

/// Finds the control sequences in a text.
pub(crate) fn sequences(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
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

/// Reads parameters, intermediate bytes and a final byte.
fn sequence(rest: &[u8]) -> Control {
    let inner = rest.iter().take(MAX_LEN);
    let length = inner
        .take_while(|&&byte| matches!(byte, b' '..=b'?'))
        .count();
    match rest.get(length) {
        // CUU to CHT, HPA, HPR, VPA, VPR and HVP.
        Some(b'A'..=b'I' | b'`' | b'a' | b'd'..=b'f') => Control::Moves(length + 3),
        Some(b'@'..=b'~') => Control::Other(length + 3),
        None if length < MAX_LEN => Control::Unfinished,
        _ => Control::None,
    }
}

/// Reads a command string up to its terminator or, as is usual, a bell.
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

/// Reads intermediate bytes and a final byte.
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
