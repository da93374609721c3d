//! Finds the bytes of a text that need a closer look, in one pass.
//!
//! Sorts 64 bytes at once into classes, with a table for each half of a byte (Langdale and Lemire, "Parsing
//! Gigabytes of JSON per Second", 2019, section 3.1.2), and compares the classes of neighbours.

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, u8x64};

use super::breaks::is_dense;

/// How many bytes are sorted at once: a bit of a word for each.
const BLOCK: usize = u64::BITS as usize;
/// How many bytes after a position tell whether it is marked.
const BEHIND: usize = 2;
/// How many blocks are sorted before they are looked at.
const TOGETHER: usize = 32;
/// How many bytes of a dump are looked at together.
pub(super) const GROUP: usize = 8;

/// Bytes that have one of some upper halves and one of some lower halves, as sets of bits.
struct Class {
    bit: u8,
    high: u16,
    low: u16,
}

const DIGIT: u8 = 1 | 1 << 1;
const SEPARATOR: u8 = 1 << 2 | 1 << 3;
const NEIGHBOUR: u8 = 1 << 4 | 1 << 5 | 1 << 6;

const CLASSES: [Class; 7] = [
    // 0 to 9
    class(1, &[0x3], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    // A to F, a to f
    class(1 << 1, &[0x4, 0x6], &[1, 2, 3, 4, 5, 6]),
    // space , -
    class(1 << 2, &[0x2], &[0x0, 0xC, 0xD]),
    // :
    class(1 << 3, &[0x3], &[0xA]),
    // Characters of base64, and what may follow `&` and `\`. A few others count as such.
    // 0 to 9, A to J, P to Z, a to j, p to z
    class(
        1 << 4,
        &[0x3, 0x4, 0x5, 0x6, 0x7],
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    ),
    // K to O, k to o
    class(1 << 5, &[0x4, 0x6], &[11, 12, 13, 14, 15]),
    // " # ' + - / _
    class(1 << 6, &[0x2, 0x5], &[2, 3, 7, 11, 13, 15]),
];

const fn class(bit: u8, high: &[u8], low: &[u8]) -> Class {
    Class {
        bit,
        high: set(high),
        low: set(low),
    }
}

const fn set(mut halves: &[u8]) -> u16 {
    let mut set = 0;
    while let [first, rest @ ..] = halves {
        set |= 1 << *first;
        halves = rest;
    }
    set
}

/// The classes that each half of a byte is in: a byte is in those of both halves.
struct Halves {
    high: [u8; 16],
    low: [u8; 16],
}

impl Halves {
    const fn of(mut classes: &[Class]) -> Self {
        let mut halves = Self {
            high: [0; 16],
            low: [0; 16],
        };
        while let [Class { bit, high, low }, rest @ ..] = classes {
            add(&mut halves.high, *bit, *high);
            add(&mut halves.low, *bit, *low);
            classes = rest;
        }
        halves
    }
}

impl Halves {
    /// Returns the classes of bytes with these halves.
    #[inline(always)]
    fn classes<S: Simd>(&self, simd: S, high: u8x64<S>, low: u8x64<S>) -> u8x64<S> {
        let of_high = table(simd, self.high).swizzle_dyn_within_blocks(high);
        of_high & table(simd, self.low).swizzle_dyn_within_blocks(low)
    }
}

// No closures: they would not be compiled for the same processor.
#[inline(always)]
fn table<S: Simd>(simd: S, half: [u8; 16]) -> u8x64<S> {
    u8x64::block_splat(half.simd_into(simd))
}

/// Returns a bit for each byte that is in one of these classes.
#[inline(always)]
fn are<S: Simd>(simd: S, classes: u8x64<S>, bits: u8) -> u64 {
    let none = u8x64::splat(simd, 0);
    let within = classes & u8x64::splat(simd, bits);
    !within.simd_eq(none).to_bitmask()
}

const fn add(mut classes: &mut [u8], bit: u8, set: u16) {
    let mut left = set;
    while let Some((first, rest)) = classes.split_first_mut() {
        if left & 1 == 1 {
            *first |= bit;
        }
        left >>= 1;
        classes = rest;
    }
}

const HALVES: Halves = Halves::of(&CLASSES);

/// A bit for each byte of a block.
struct Block {
    line_feeds: u64,
    carriage_returns: u64,
    ampersands: u64,
    backslashes: u64,
    percents: u64,
    /// Hexadecimal digits.
    digits: u64,
    separators: u64,
    neighbours: u64,
}

impl Block {
    #[inline(always)]
    fn of<S: Simd>(simd: S, bytes: &[u8; BLOCK]) -> Self {
        let bytes = u8x64::from_slice(simd, bytes);
        let (high, low) = (bytes >> 4, bytes & u8x64::splat(simd, 15));
        let classes = HALVES.classes(simd, high, low);
        Self {
            line_feeds: is(simd, bytes, b'\n'),
            carriage_returns: is(simd, bytes, b'\r'),
            ampersands: is(simd, bytes, b'&'),
            backslashes: is(simd, bytes, b'\\'),
            percents: is(simd, bytes, b'%'),
            digits: are(simd, classes, DIGIT),
            separators: are(simd, classes, SEPARATOR),
            neighbours: are(simd, classes, NEIGHBOUR),
        }
    }
}

/// Returns a bit for each byte that is this one.
#[inline(always)]
fn is<S: Simd>(simd: S, bytes: u8x64<S>, byte: u8) -> u64 {
    bytes.simd_eq(u8x64::splat(simd, byte)).to_bitmask()
}

/// The positions to look at in a part of a text.
#[derive(Default)]
pub(super) struct Marks {
    /// Where a line ends between two characters of base64, or an escape may begin.
    pub(super) breaks: Vec<usize>,
    /// Groups of [`GROUP`] bytes that may be in a dump: hexadecimal digits with separators.
    pub(super) groups: Vec<usize>,
}

/// The last bit of each word for the block before, which the next one begins with.
#[derive(Default)]
struct Before {
    neighbour: u64,
    line_end: u64,
    carriage_return: u64,
    escape: u64,
    percent: u64,
    percent_digit: u64,
    breaks: u64,
}

impl Marks {
    /// Marks the positions from `from` to before `until`.
    pub(super) fn find(&mut self, level: Level, text: &[u8], from: usize, until: usize) {
        self.breaks.clear();
        self.groups.clear();
        let part = text.get(from..until).unwrap_or_default();
        let (blocks, _) = part.as_chunks::<BLOCK>();
        let last = from.checked_sub(1).and_then(|at| text.get(at));
        let mut before = Before {
            neighbour: u64::from(last.is_some_and(|it| is_dense(*it))),
            ..Before::default()
        };
        let mut at = from;
        let mut marks = [(0, 0); TOGETHER];
        for blocks in blocks.chunks(TOGETHER) {
            dispatch!(level, simd => before.all(simd, blocks, &mut marks));
            // Those that have marks, without a branch for each: the processor cannot predict which these are.
            let mut marked = [(0, 0, 0); TOGETHER];
            let mut count = 0;
            for ((breaks, groups), _) in marks.iter().zip(blocks) {
                if let Some(place) = marked.get_mut(count) {
                    *place = (at, *breaks, *groups);
                }
                count += usize::from(breaks | groups != 0);
                at += BLOCK;
            }
            for (at, breaks, groups) in marked.get(..count).unwrap_or_default() {
                self.add(*at, *breaks, *groups);
            }
        }
        // The last blocks also have bytes after the part, in which no position is marked.
        while at < until + BEHIND {
            let mut last = [0; BLOCK];
            for (place, byte) in last.iter_mut().zip(text.get(at..).unwrap_or_default()) {
                *place = *byte;
            }
            dispatch!(level, simd => before.all(simd, &[last], &mut marks));
            let [(breaks, groups), ..] = marks;
            let within = |known: usize| first((until + known).saturating_sub(at));
            self.add(at, breaks & within(BEHIND), groups & within(0));
            at += BLOCK;
        }
    }

    #[inline(always)]
    fn add(&mut self, at: usize, mut breaks: u64, groups: u64) {
        while breaks != 0 {
            // Mostly there are few. Adding four of them and removing those that are not there is faster
            // than a branch for each, since the processor cannot predict their number.
            let mut four = [0; 4];
            let count = breaks.count_ones() as usize;
            for place in &mut four {
                *place = (at + breaks.trailing_zeros() as usize).wrapping_sub(BEHIND);
                breaks &= breaks.wrapping_sub(1);
            }
            self.breaks.extend_from_slice(&four);
            let extra = four.len().saturating_sub(count);
            self.breaks.truncate(self.breaks.len() - extra);
        }
        each(groups, |bit| self.groups.push(at + bit));
    }
}

impl Before {
    /// Returns the marks of these blocks: see [`Self::marks`].
    #[inline(always)]
    fn all<S: Simd>(&mut self, simd: S, blocks: &[[u8; BLOCK]], marks: &mut [(u64, u64)]) {
        for (marks, block) in marks.iter_mut().zip(blocks) {
            *marks = self.marks(&Block::of(simd, block));
        }
    }

    /// Returns the breaks, each with the bit of the second byte after it, and the first bytes of groups.
    #[inline(always)]
    fn marks(&mut self, block: &Block) -> (u64, u64) {
        let line_ends = block.line_feeds | block.carriage_returns;
        let escapes = block.ampersands | block.backslashes;
        let breaks = line_ends | escapes | block.percents;
        let ends = line_ends & after(block.neighbours, &mut self.neighbour);
        let broken = after(ends, &mut self.line_end) & (block.neighbours | breaks);
        let terminal = after(block.carriage_returns, &mut self.carriage_return) & block.line_feeds;
        let escapes = after(escapes, &mut self.escape) & (block.neighbours | block.backslashes);
        let percents = after(block.percents, &mut self.percent) & block.digits;
        let percents = after(percents, &mut self.percent_digit) & block.digits;
        let breaks = broken | terminal | escapes;
        let breaks = after(breaks, &mut self.breaks) | percents;

        let others = !(block.digits | block.separators);
        let groups = !some(others) & some(block.digits) & some(block.separators);
        (breaks, groups >> (GROUP - 1))
    }
}

/// Returns a word whose bits are those of the bytes before, and remembers the last bit for the next block.
#[inline(always)]
fn after(bits: u64, before: &mut u64) -> u64 {
    let after = bits << 1 | *before;
    *before = bits >> 63;
    after
}

/// Returns the upper bit of each byte that is not zero.
#[inline(always)]
fn some(bits: u64) -> u64 {
    const UPPER: u64 = (u64::MAX / 255) << 7;
    (((bits & !UPPER) + !UPPER) | bits) & UPPER
}

/// Returns this many of the first bits.
fn first(count: usize) -> u64 {
    match count {
        0..BLOCK => (1 << count) - 1,
        _ => u64::MAX,
    }
}

/// Calls `each` with the number of every bit that is set.
#[inline(always)]
fn each(mut bits: u64, mut each: impl FnMut(usize)) {
    while bits != 0 {
        each(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Returns whether what follows tells that a break must be marked.
    fn is_break(text: &[u8], at: usize) -> bool {
        let next = text.get(at + 1);
        let is_broken = || {
            let before = at.checked_sub(1).is_some_and(|at| is_dense(text[at]));
            before && next.is_some_and(|next| is_dense(*next) || b"\n\r\\%&".contains(next))
        };
        let is_digit = |after: usize| text.get(at + after).is_some_and(u8::is_ascii_hexdigit);
        match text[at] {
            b'\n' => is_broken(),
            b'\r' => is_broken() || next == Some(&b'\n'),
            b'%' => is_digit(1) && is_digit(2),
            b'&' => next.is_some_and(|next| b"#alqg".contains(next)),
            b'\\' => next.is_some_and(|next| b"nrtbf\"/\\uxUCM0123'aeEv".contains(next)),
            _ => false,
        }
    }

    /// Returns whether eight bytes are of a dump.
    fn is_group(group: &[u8]) -> bool {
        let digits = group.iter().filter(|it| it.is_ascii_hexdigit()).count();
        let separators = group.iter().filter(|it| b" :-,".contains(it)).count();
        group.len() == GROUP && digits >= 2 && separators >= 1 && digits + separators == GROUP
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![
            6 => prop::sample::select(b"\n\r\\%&".to_vec()),
            6 => prop::sample::select(b" :-,09afAF".to_vec()),
            3 => prop::sample::select(b"#alqgnrtbu\"/xUCMeEv'gGzZ_+".to_vec()),
            1 => any::<u8>(),
        ];
        let dump = "([0-9a-fA-F]{1,6}[ :,-]){1,30}".prop_map(String::into_bytes);
        let piece = prop_oneof![3 => vec(byte, 1..60), 1 => dump, 1 => vec(Just(b'z'), 1..70)];
        let pieces = prop_oneof![3 => 0..8_usize, 1 => 30..50_usize];
        pieces.prop_flat_map(move |count| vec(piece.clone(), count).prop_map(|it| it.concat()))
    }

    proptest! {
        #[test]
        fn every_break_and_group_is_marked(
            text in text(),
            (one, other) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        ) {
            let ends = [one, other].map(|it| it.index(text.len() + 1));
            let (from, until) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
            let mut marks = Marks::default();
            for level in [Level::new(), Level::baseline()] {
                marks.find(level, &text, from, until);
                let breaks = &marks.breaks;
                prop_assert!(breaks.is_sorted_by(|a, b| a < b), "{breaks:?}");
                prop_assert!(breaks.iter().all(|at| (from..until).contains(at)), "{breaks:?}");
                prop_assert!(breaks.iter().all(|&at| b"\n\r\\%&".contains(&text[at])));
                for at in from..until {
                    prop_assert!(!is_break(&text, at) || breaks.binary_search(&at).is_ok(), "{at} of {text:?}");
                }
                prop_assert!(marks.groups.is_sorted_by(|a, b| a < b));
                for at in (from..until).step_by(GROUP) {
                    let group = text.get(at..at + GROUP).unwrap_or_default();
                    prop_assert!(!is_group(group) || marks.groups.binary_search(&at).is_ok(), "{at} of {text:?}");
                }
            }
        }
    }

    #[test]
    fn each_byte_is_in_its_classes() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        for level in [Level::new(), Level::baseline()] {
            for bytes in all.as_chunks::<BLOCK>().0 {
                let block = dispatch!(level, simd => Block::of(simd, bytes));
                for (at, byte) in bytes.iter().enumerate() {
                    let is = |bits: u64| bits >> at & 1 == 1;
                    let one_of = |bytes: &[u8]| bytes.contains(byte);
                    assert_eq!(is(block.line_feeds), one_of(b"\n"), "{byte}");
                    assert_eq!(is(block.carriage_returns), one_of(b"\r"), "{byte}");
                    assert_eq!(is(block.ampersands), one_of(b"&"), "{byte}");
                    assert_eq!(is(block.backslashes), one_of(b"\\"), "{byte}");
                    assert_eq!(is(block.percents), one_of(b"%"), "{byte}");
                    assert_eq!(is(block.digits), byte.is_ascii_hexdigit(), "{byte}");
                    assert_eq!(is(block.separators), one_of(b" :-,"), "{byte}");
                    let may_follow = is_dense(*byte) || one_of(b"#\"'");
                    assert!(is(block.neighbours) || !may_follow, "{byte}");
                }
            }
        }
    }
}
