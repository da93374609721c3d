//! Finds the parts of a text that may be hex with something between the bytes, as `xxd` and `od` print it.
//!
//! Such a text has no letter after `f`, which almost every other text has every few bytes.

use wide::u8x16;

/// How many bytes are searched together, a bit of a word for each, and how many at once.
const BLOCK: usize = u64::BITS as usize;
const LANES: usize = 16;
/// The digits of the shortest value that is looked for in this way, and the separators between groups of two
/// of its bytes.
const FEWEST_DIGITS: usize = 14;
const FEWEST_ALIKE: usize = 3;
/// Most digits of a group, on average; that of a UUID is longer.
const LONGEST_GROUP: usize = 6;
/// How far before a position a part may begin that contains it, and how long it is at most.
pub(super) const BACK: usize = 64;
const LONGEST: usize = 4096;

/// Calls `each` with the first and the last position of every part from `from` to before `until`.
pub(super) fn each(text: &[u8], from: usize, until: usize, mut each: impl FnMut(usize, usize)) {
    let part = text.get(from..until).unwrap_or_default();
    let (blocks, rest) = part.as_chunks::<BLOCK>();
    let mut done = from;
    let mut look = |at: usize| {
        if at >= done
            && let Some((first, end, is_dump)) = part_at(text, at)
        {
            if is_dump {
                each(first, end - 1);
            }
            done = end;
        }
    };
    for (number, block) in blocks.iter().enumerate() {
        let letters = marks(block, |bytes| at_least(bytes, b'g'));
        // Eight bytes without a letter: a byte of the word is zero.
        let lows = u64::MAX / 255;
        let mut zeros = letters.wrapping_sub(lows) & !letters & (lows << 7);
        if zeros == 0 {
            continue;
        }
        let digits = marks(block, is_digit);
        let separators = marks(block, is_separator);
        while zeros != 0 {
            let at = zeros.trailing_zeros() & !7;
            zeros &= zeros - 1;
            let [digits, separators] = [digits, separators].map(|marks| marks >> at & 0xFF);
            if digits | separators == 0xFF && digits.count_ones() >= 2 && separators != 0 {
                look(from + number * BLOCK + at as usize);
            }
        }
    }
    let start = until - rest.len();
    (start..until).step_by(8).for_each(look);
}

/// Returns a bit for each byte of a block.
fn marks(block: &[u8; BLOCK], is: impl Fn(u8x16) -> u8x16) -> u64 {
    let mut marks = 0;
    for (at, bytes) in block.as_chunks::<LANES>().0.iter().enumerate() {
        marks |= u64::from(is(u8x16::new(*bytes)).to_bitmask()) << (LANES * at);
    }
    marks
}

fn at_least(bytes: u8x16, least: u8) -> u8x16 {
    bytes.max(u8x16::splat(least)).simd_eq(bytes)
}

fn is_between(bytes: u8x16, least: u8, most: u8) -> u8x16 {
    at_least(bytes, least) & bytes.min(u8x16::splat(most)).simd_eq(bytes)
}

/// Finds [`Kind::Digit`].
fn is_digit(bytes: u8x16) -> u8x16 {
    let lower = bytes | u8x16::splat(b'a' ^ b'A');
    is_between(bytes, b'0', b'9') | is_between(lower, b'a', b'f')
}

/// Finds [`Kind::Separator`].
fn is_separator(bytes: u8x16) -> u8x16 {
    let [space, colon, dash, comma] =
        SEPARATORS.map(|separator| bytes.simd_eq(u8x16::splat(separator)));
    space | colon | dash | comma
}

/// What may be between the bytes of a dump.
const SEPARATORS: [u8; 4] = *b" :-,";

/// What a byte may be in a dump.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Digit,
    Separator,
    Other,
}

/// The kind of each byte: a table, since this is asked for most often.
const KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Other; 256];
    let mut rest: &mut [Kind] = &mut kinds;
    let mut byte = 0_u8;
    while let Some((first, more)) = rest.split_first_mut() {
        *first = match byte {
            b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' => Kind::Digit,
            b' ' | b':' | b'-' | b',' => Kind::Separator,
            _ => Kind::Other,
        };
        rest = more;
        byte = byte.wrapping_add(1);
    }
    kinds
};

fn kind(byte: u8) -> Kind {
    KINDS.get(usize::from(byte)).copied().unwrap_or(Kind::Other)
}

/// Returns whether eight bytes may be within a dump: there is a separator, and digits before and after it.
fn may_be_within(bytes: [u8; 8]) -> bool {
    let mut count = [0_u8; 2];
    for byte in bytes {
        match kind(byte) {
            Kind::Digit => count[0] += 1,
            Kind::Separator => count[1] += 1,
            Kind::Other => return false,
        }
    }
    count[0] >= 2 && count[1] >= 1
}

/// Returns the first position of the part around a position, the end of it, and whether it may be a dump.
fn part_at(text: &[u8], at: usize) -> Option<(usize, usize, bool)> {
    if !may_be_within(*text.get(at..)?.first_chunk::<8>()?) {
        return None;
    }
    let (before, after) = text.split_at_checked(at)?;
    let belongs = |byte: &&u8| kind(**byte) != Kind::Other;
    let back = before.iter().rev().take(BACK).take_while(belongs).count();
    let ahead = after.iter().take(LONGEST).take_while(belongs).count();
    let (first, end) = (at - back, at + ahead);
    Some((first, end, is_dump(text.get(first..end)?)))
}

/// Returns whether digits are in groups that the same byte separates: the groups of a time or of a UUID are
/// longer, or separated by different ones.
fn is_dump(part: &[u8]) -> bool {
    let (mut digits, mut separated, mut alike, mut most_alike) = (0, 0, 0, 0);
    let (mut last, mut separator) = (Kind::Other, 0);
    for &byte in part {
        let kind = kind(byte);
        if kind == Kind::Digit {
            digits += 1;
        } else if last != Kind::Separator {
            separated += 1;
            alike = if byte == separator { alike + 1 } else { 1 };
            most_alike = most_alike.max(alike);
            separator = byte;
        }
        last = kind;
    }
    digits >= FEWEST_DIGITS && separated * LONGEST_GROUP >= digits && most_alike >= FEWEST_ALIKE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_of_many_bytes_are_those_of_each() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        for block in all.as_chunks::<BLOCK>().0 {
            let (digits, separators) = (marks(block, is_digit), marks(block, is_separator));
            for (at, &byte) in block.iter().enumerate() {
                let found = (digits >> at & 1 == 1, separators >> at & 1 == 1);
                let expected = match kind(byte) {
                    Kind::Digit => (true, false),
                    Kind::Separator => (false, true),
                    Kind::Other => (false, false),
                };
                assert_eq!(found, expected, "{byte}");
            }
        }
    }
}
