//! Finds the parts of a text that may be hex with something between the bytes, as `xxd` and `od` print it.
//!
//! Such a text has no letter after `f`, which almost every other text has every few bytes.

use super::marks::GROUP;

/// The digits of the shortest value that is looked for in this way, and the separators between groups of two
/// of its bytes.
const FEWEST_DIGITS: usize = 14;
const FEWEST_ALIKE: usize = 3;
/// Most digits of a group, on average; that of a UUID is longer.
const LONGEST_GROUP: usize = 6;
/// How far before a position a part may begin that contains it, and how long it is at most.
pub(super) const BACK: usize = 64;
const LONGEST: usize = 4096;

/// Calls `each` with the first and the last position of every part in which one of the groups is.
pub(super) fn each(text: &[u8], groups: &[usize], mut each: impl FnMut(usize, usize)) {
    let mut done = 0;
    for &at in groups {
        if at >= done
            && let Some((first, end, is_dump)) = part_at(text, at)
        {
            if is_dump {
                each(first, end - 1);
            }
            done = end;
        }
    }
}

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

/// Returns whether a group may be within a dump: there is a separator, and digits before and after it.
fn may_be_within(bytes: [u8; GROUP]) -> bool {
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
    if !may_be_within(*text.get(at..)?.first_chunk::<GROUP>()?) {
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
