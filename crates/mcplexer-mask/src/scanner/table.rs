//! A set of words that rules out most words it does not contain.

use fearless_simd::prelude::*;
use fearless_simd::{Simd, u32x16, u64x8};
use zeroize::Zeroizing;

/// Bits of a table for each word, unless the table has the smallest or the largest size.
const BITS_PER_WORD: usize = 16;
/// The sizes of a table, as the logarithm of its number of blocks: the smallest fits in a first-level cache, the
/// largest in a second-level cache.
const LOG_SIZES: std::ops::RangeInclusive<u32> = 11..=17;
/// How many bits of a block stand for a word, and how many bits of a hash tell one of them.
const MARKS: u32 = 3;
const LOG_BLOCK: u32 = u64::BITS.ilog2();

/// What the halves of a word are multiplied by to hash it. From Yann Collet's xxHash.
pub(super) type Factors = [u32; 2];
pub(super) const FACTORS: Factors = [0x9E37_79B1, 0x85EB_CA77];
pub(super) const OTHER_FACTORS: Factors = [0xC2B2_AE3D, 0x27D4_EB2F];

/// How many words are looked up together.
pub(super) const LANES: usize = 8;

/// The words of a table.
pub(super) type Words = Zeroizing<Vec<u64>>;

/// A filter of words (Bloom, 1970), with all bits of a word in one block (Putze, Sanders and Singler, "Cache-, Hash- and
/// Space-Efficient Bloom Filters", 2007).
pub(super) struct Table {
    /// For each word, some bits of one block are clear.
    clear: Zeroizing<Vec<u64>>,
    log_size: u32,
    factors: Factors,
}

impl Table {
    pub(super) fn new(words: &Words, factors: Factors) -> Self {
        let blocks = (words.len() * BITS_PER_WORD).div_ceil(u64::BITS as usize);
        let log_size = blocks.next_power_of_two().ilog2();
        let log_size = log_size.clamp(*LOG_SIZES.start(), *LOG_SIZES.end());
        let mut table = Self {
            clear: Zeroizing::new(vec![u64::MAX; 1 << log_size]),
            log_size,
            factors,
        };
        for &word in words.iter() {
            let (block, bits) = table.place(word);
            if let Some(block) = table.clear.get_mut(block) {
                *block &= !bits;
            }
        }
        table
    }

    /// Returns whether the set may contain a word.
    pub(super) fn may_have(&self, word: u64) -> bool {
        let (block, bits) = self.place(word);
        self.clear.get(block).is_some_and(|block| block & bits == 0)
    }

    /// Returns the block and the bits of it that stand for a word: the upper bits of a hash tell the block, and those
    /// below them the bits.
    fn place(&self, word: u64) -> (usize, u64) {
        let [a, b, c, d, e, f, g, h] = word.to_le_bytes();
        let [one, other] = self.factors;
        let low = u32::from_le_bytes([a, b, c, d]).wrapping_mul(one);
        let high = u32::from_le_bytes([e, f, g, h]).wrapping_mul(other);
        let hash = u64::from(low ^ high) << u32::BITS | u64::from(low);
        let place = hash >> self.unused();
        let bit = |which| 1_u64 << (place >> (which * LOG_BLOCK) & u64::from(u64::BITS - 1));
        let bits = (0..MARKS).fold(0, |bits, which| bits | bit(which));
        (index(place >> (MARKS * LOG_BLOCK)), bits)
    }

    /// Returns how many bits of a hash are not used.
    fn unused(&self) -> u32 {
        u64::BITS - MARKS * LOG_BLOCK - self.log_size
    }

    /// Returns a bit for each of these words that the set may contain.
    #[inline(always)]
    pub(super) fn may_have_of<S: Simd>(&self, simd: S, words: u64x8<S>) -> u64 {
        let [one, other] = self.factors.map(u64::from);
        let factors = u64x8::splat(simd, other << u32::BITS | one).bitcast::<u32x16<S>>();
        let products = (words.bitcast::<u32x16<S>>() * factors).bitcast::<u64x8<S>>();
        let places = (products ^ (products << u32::BITS)) >> self.unused();
        let (last, one) = (
            u64x8::splat(simd, u64::from(u64::BITS - 1)),
            u64x8::splat(simd, 1),
        );
        let mut bits = u64x8::splat(simd, 0);
        for which in 0..MARKS {
            bits |= one << ((places >> (which * LOG_BLOCK)) & last);
        }
        let blocks = <[u64; LANES]>::from(places >> (MARKS * LOG_BLOCK));
        let blocks = blocks.map(|at| self.clear.get(index(at)).copied().unwrap_or_default());
        let unset = u64x8::from_slice(simd, &blocks) & bits;
        unset.simd_eq(u64x8::splat(simd, 0)).to_bitmask()
    }
}

/// Returns the number of a block as an index.
#[inline(always)]
fn index(block: u64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a table has at most 2^17 blocks"
    )]
    let index = block as usize;
    index
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(30))]

        #[test]
        fn all_ways_to_look_up_agree(
            words in vec(any::<u64>(), 8..40),
            others in vec(any::<u64>(), LANES),
            size in prop::sample::select(vec![1, 2000, 20_000]),
            taken in vec(any::<prop::sample::Index>(), LANES),
        ) {
            // Many words, so that a table of each size is made.
            let set = Zeroizing::new(words.iter().copied().cycle().take(words.len() * size).collect());
            let table = Table::new(&set, FACTORS);
            let taken: Vec<_> = taken.iter().map(|it| words[it.index(words.len())]).collect();
            for looked_up in [taken, others] {
                let expected = looked_up.iter().enumerate();
                let expected = expected.fold(0, |bits, (at, it)| bits | u64::from(table.may_have(*it)) << at);
                for level in [Level::new(), Level::baseline()] {
                    let bits = dispatch!(level, simd => table.may_have_of(simd, u64x8::from_slice(simd, &looked_up)));
                    prop_assert_eq!(bits, expected);
                }
            }
            for word in words {
                prop_assert!(table.may_have(word));
            }
        }
    }
}
