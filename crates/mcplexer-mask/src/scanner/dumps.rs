//! Finds the parts of a text that may be hex with something between the bytes, as `xxd` and `od` print it.
//!
//! Such a text has no letter after `f`, which almost every other text has every few bytes.

use wide::u8x16;

use crate::alphabet::digit;

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
            && let Some((first, end)) = part_at(text, at)
        {
            each(first, end - 1);
            done = end;
        }
    };
    for (number, block) in blocks.iter().enumerate() {
        let mut letters = 0;
        for (at, bytes) in block.as_chunks::<LANES>().0.iter().enumerate() {
            let bytes = u8x16::new(*bytes);
            let after_f = bytes.max(u8x16::splat(b'g')).simd_eq(bytes);
            letters |= u64::from(after_f.to_bitmask()) << (LANES * at);
        }
        // Eight bytes without a letter: a byte of the word is zero.
        let lows = u64::MAX / 255;
        let mut zeros = letters.wrapping_sub(lows) & !letters & (lows << 7);
        while zeros != 0 {
            look(from + number * BLOCK + (zeros.trailing_zeros() as usize & !7));
            zeros &= zeros - 1;
        }
    }
    let start = until - rest.len();
    (start..until).step_by(8).for_each(look);
}

/// Returns where the part around a position begins and ends.
fn part_at(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let near = text.get(at..)?.first_chunk::<8>()?;
    if !near.iter().all(|it| belongs(*it)) || near.iter().all(|it| digit(*it).is_none()) {
        return None;
    }
    let (before, after) = text.split_at_checked(at)?;
    let back = before
        .iter()
        .rev()
        .take(BACK)
        .take_while(|it| belongs(**it))
        .count();
    let ahead = after
        .iter()
        .take(LONGEST)
        .take_while(|it| belongs(**it))
        .count();
    let (first, end) = (at - back, at + ahead);
    let part = text.get(first..end)?;
    is_dump(part).then_some((first, end))
}

/// Returns whether digits are in groups that the same byte separates: the groups of a time or of a UUID are
/// longer, or separated by different ones.
fn is_dump(part: &[u8]) -> bool {
    let groups = part.chunk_by(|a, b| digit(*a).is_some() == digit(*b).is_some());
    let (mut digits, mut separated, mut alike, mut last) = (0, 0, 0, 0);
    let mut most_alike = 0;
    for group in groups {
        let Some(&first) = group.first() else {
            continue;
        };
        if digit(first).is_some() {
            digits += group.len();
            continue;
        }
        separated += 1;
        alike = if first == last { alike + 1 } else { 1 };
        most_alike = most_alike.max(alike);
        last = first;
    }
    digits >= FEWEST_DIGITS && separated * LONGEST_GROUP >= digits && most_alike >= FEWEST_ALIKE
}

fn belongs(byte: u8) -> bool {
    digit(byte).is_some() || matches!(byte, b' ' | b':' | b'-' | b',')
}
