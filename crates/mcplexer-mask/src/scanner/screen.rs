//! Rules out most breaks, several at once and without a branch for each.
//!
//! At most of them, an escape of one byte or a line end stands between plain bytes. No piece is broken there if
//! none of its grams ends before it, and none begins at it.

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, u64x8};

use super::breaks::{is_line_end, one_byte};
use super::grams::{GRAM, SHORT, word};
use super::pieces::Pieces;
use super::table::LANES;

/// The length of the longest escape that is read here.
const ESCAPE: usize = 3;
/// What is looked at around a break.
const AROUND: usize = GRAM + ESCAPE + GRAM;

/// The words around each of several breaks, in which a gram would be.
struct Around {
    /// The bytes before the break: as many as a long gram has, and as a short one has.
    before: [u64; LANES],
    shortly_before: [u64; LANES],
    behind: [u64; LANES],
    /// A bit for each break that these words do not tell about.
    unclear: u64,
}

impl Pieces {
    /// Returns a bit for each of these breaks at which a piece may be broken.
    pub(super) fn may_be_broken(&self, level: Level, text: &[u8], breaks: &[usize; LANES]) -> u64 {
        let around = self.around(text, breaks);
        around.unclear | dispatch!(level, simd => self.may_have_around(simd, &around))
    }

    /// Returns a bit for each break that may have a gram around it.
    #[inline(always)]
    fn may_have_around<S: Simd>(&self, simd: S, around: &Around) -> u64 {
        let mut found = 0;
        for sampler in &self.samplers {
            found |= sampler.may_have_of(simd, u64x8::from_slice(simd, &around.before));
            found |= sampler.may_have_of(simd, u64x8::from_slice(simd, &around.behind));
            if sampler.has_short() {
                let before = u64x8::from_slice(simd, &around.shortly_before);
                found |= sampler.may_have_of(simd, before);
            }
        }
        found
    }

    /// Returns whether these bytes begin with a gram. First asks the tables that are in a cache.
    pub(super) fn begins(&self, bytes: &[u8]) -> bool {
        self.samplers.iter().any(|it| it.may_begin(bytes)) && self.grams.begin(bytes)
    }

    /// Returns whether these bytes end with a gram.
    pub(super) fn ends(&self, bytes: &[u8]) -> bool {
        self.samplers.iter().any(|it| it.may_end(bytes)) && self.grams.end(bytes)
    }

    fn around(&self, text: &[u8], breaks: &[usize; LANES]) -> Around {
        let mut around = Around {
            before: [0; LANES],
            shortly_before: [0; LANES],
            behind: [0; LANES],
            unclear: 0,
        };
        let words = around.before.iter_mut().zip(&mut around.shortly_before);
        let words = words.zip(&mut around.behind);
        for (number, (((before, shortly), behind), &at)) in words.zip(breaks).enumerate() {
            let bytes = at.checked_sub(GRAM).and_then(|from| text.get(from..));
            let Some(bytes) = bytes.and_then(<[u8]>::first_chunk::<AROUND>) else {
                around.unclear |= 1 << number;
                continue;
            };
            let [first @ .., _, _, _, _, _, _, _, _, _, _, _] = bytes;
            let [_, _, _, _, last @ .., _, _, _, _, _, _, _, _, _, _, _] = bytes;
            *before = word::<GRAM>(first);
            *shortly = word::<SHORT>(last);
            let (gram, is_clear) = self.behind(bytes);
            *behind = word(&gram);
            around.unclear |= u64::from(!is_clear) << number;
        }
        around
    }

    /// Returns the gram that would begin at a break, and whether it tells that there is none: it contains no other
    /// break.
    #[inline(always)]
    fn behind(&self, around: &[u8; AROUND]) -> ([u8; GRAM], bool) {
        let [_, _, _, _, _, _, _, _, first, second, third, ..] = *around;
        let from = |length: usize| {
            let bytes = around.get(GRAM + length..).and_then(<[u8]>::first_chunk);
            bytes.copied().unwrap_or_default()
        };
        if is_line_end(first) {
            let gram = from(1);
            return (gram, !has_break(gram));
        }
        let Some((byte, length)) = one_byte(first, second, third) else {
            return ([0; GRAM], false);
        };
        // A line end belongs to a value, or breaks base64 and hex. It may do both if a value has one.
        if is_line_end(byte) {
            let gram = from(length);
            return (gram, !has_break(gram) && !self.pairs.line_end);
        }
        let mut gram: [u8; GRAM] = from(length - 1);
        gram[0] = byte;
        (gram, !has_break(gram))
    }
}

/// Returns whether a byte is one of [`BREAKS`]. A few others may count as such.
#[inline(always)]
fn has_break(bytes: [u8; GRAM]) -> bool {
    const EACH: u64 = u64::MAX / 255;
    const UPPER: u64 = EACH << 7;
    // See Sean Anderson, "Bit Twiddling Hacks": which bytes are less than a number of at most 128.
    let below = |bytes: u64, least: u8| bytes.wrapping_sub(EACH * u64::from(least)) & !bytes;
    let bytes = u64::from_le_bytes(bytes);
    let line_ends = below(bytes, b'\r' + 1);
    let percents = below(bytes ^ (EACH * u64::from(b'$')), 4);
    let backslashes = below(bytes ^ (EACH * u64::from(b'\\')), 1);
    (line_ends | percents | backslashes) & UPPER != 0
}

#[cfg(test)]
mod tests {
    use fearless_simd::Level;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::scanner::breaks::BREAKS;
    use crate::scanner::marks::Marks;

    const VALUES: [&[u8]; 6] = [
        b"kR7+wQ2\n9yxV5tB",
        b"gh+p_abcd/fgh\nj \"123\n56'89zklmn",
        b"aB3/dE6\"gH9+jK2 mN5&pQ8?sT1%vW4/yZ7",
        b"kR7\"wQ2/9&xV5%tB8",
        b"q&7L/x0%Zr\\2w",
        b"J\"8k/Vq3%T",
    ];

    /// A part of a value, as a program may write it.
    fn part() -> impl Strategy<Value = Vec<u8>> {
        let way = 0..7_usize;
        (0..VALUES.len(), 0..40_usize, 1..40_usize, way).prop_map(|(value, from, length, way)| {
            let value = VALUES[value];
            let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
            let write = |byte: u8| match (way, byte) {
                (0 | 1, b'"' | b'/' | b'\\') => vec![b'\\', byte],
                (0 | 1, b'\n') => b"\\n".to_vec(),
                (2, byte) if !byte.is_ascii_alphanumeric() => format!("%{byte:02X}").into_bytes(),
                (3, byte) => format!("{byte:02x}\n").into_bytes(),
                (4, byte) => format!("{byte:02x}\\r").into_bytes(),
                (5, byte) => format!("{byte:02x}%0A").into_bytes(),
                (_, byte) => vec![byte],
            };
            let written = value.iter().flat_map(|byte| write(*byte));
            let written: Vec<_> = match way {
                6 => [&hex.as_bytes()[..13], b"\n", &hex.as_bytes()[13..]].concat(),
                _ => written.collect(),
            };
            written.into_iter().skip(from).take(length).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn no_break_is_ruled_out_at_which_a_piece_is_broken(
            parts in vec(part(), 1..20),
            values in 1..64_usize,
        ) {
            let known = VALUES.into_iter().enumerate();
            let known = known.filter_map(|(at, value)| (values >> at & 1 == 1).then_some(value));
            let pieces = Pieces::new(known);
            let text = [&parts.concat()[..], &[b'.'; AROUND]].concat();
            let level = Level::new();
            let mut marks = Marks::default();
            marks.find(level, &text, 0, text.len());
            for breaks in marks.breaks.as_chunks::<LANES>().0 {
                let left = pieces.may_be_broken(level, &text, breaks);
                for (number, &at) in breaks.iter().enumerate() {
                    let is_left = left >> number & 1 == 1;
                    let shown = String::from_utf8_lossy(&text);
                    prop_assert!(is_left || !pieces.is_broken(&text, at), "{at} of {shown:?}");
                }
            }
        }
    }

    #[test]
    fn every_break_is_seen_at_every_place() {
        for at in 0..GRAM {
            for byte in BREAKS {
                let mut bytes = *b"az09AZ _";
                assert!(!has_break(bytes));
                bytes[at] = byte;
                assert!(has_break(bytes), "{byte} at {at}");
            }
        }
    }
}
