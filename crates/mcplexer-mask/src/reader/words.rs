//! Reads words of 16 bits, the lower byte first: `hexdump`, `od` and `od -x` without other options.

use super::pending::Pending;
use crate::alphabet::digit;
use crate::cursor::Cursor;
use crate::escape::escaped;
use crate::next::Next;

/// The fewest and the most digits of an offset at the beginning of a line.
const OFFSET: std::ops::RangeInclusive<usize> = 7..=16;

/// The base in which a word is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    Hexadecimal,
    Octal,
}

impl Base {
    /// Returns how many bits a digit has.
    pub(crate) fn bits(self) -> u32 {
        match self {
            Self::Hexadecimal => 4,
            Self::Octal => 3,
        }
    }

    /// Returns how many digits a word has.
    pub(crate) fn digits(self) -> usize {
        match self {
            Self::Hexadecimal => 4,
            Self::Octal => 6,
        }
    }
}

/// One byte of a word. The last word of an odd number of bytes has a zero.
pub(super) fn word(cursor: &mut Cursor<'_>, pending: &mut Pending, base: Base) -> Next {
    if let Some(byte) = pending.next_byte() {
        return Next::Byte(byte);
    }
    if !cursor.is_at_start()
        && let Err(stop) = skip_between(cursor)
    {
        return stop;
    }
    let rest = cursor.rest();
    let mut word = 0_u32;
    for at in 0..base.digits() {
        let Some(&byte) = rest.get(at) else {
            return Next::End;
        };
        match digit(byte).map(u32::from) {
            Some(digit) if digit < 1 << base.bits() => word = word << base.bits() | digit,
            _ => return Next::Other,
        }
    }
    if rest.get(base.digits()).is_some_and(u8::is_ascii_hexdigit) {
        return Next::Other;
    }
    let [0, 0, second, first] = word.to_be_bytes() else {
        return Next::Other;
    };
    pending.bits = u32::from_be_bytes([second, 0, 0, 0]);
    pending.count = 1;
    cursor.take(base.digits(), first)
}

/// Skips spaces, or the end of a line and the offset of the next one.
fn skip_between(cursor: &mut Cursor<'_>) -> Result<(), Next> {
    let start = cursor.at();
    skip_spaces(cursor);
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
        let is_digit = |byte: &&u8| digit(**byte).is_some();
        let length = cursor.rest().iter().take_while(is_digit).count();
        if length == cursor.rest().len() {
            return Err(Next::End);
        }
        if OFFSET.contains(&length) {
            cursor.skip(length);
        }
        skip_spaces(cursor);
    }
    match cursor.rest() {
        [] => Err(Next::End),
        _ if cursor.at() == start => Err(Next::Other),
        _ => Ok(()),
    }
}

fn skip_spaces(cursor: &mut Cursor<'_>) {
    cursor.skip(cursor.rest().iter().take_while(|it| **it == b' ').count());
}
