//! A set of words that rules out most words it does not contain.

use fearless_simd::prelude::*;
use fearless_simd::{Simd, u32x16, u64x8};
use zeroize::Zeroizing;

/// Bits of a table for each word, unless the table has the largest size.
const BITS_PER_WORD: usize = 16;
/// The sizes of a table, as the logarithm of its bytes: one for a first-level cache, and two for a
/// second-level cache. There are few, so that the code is compiled for each.
const LOG_SIZES: [u32; 3] = [14, 18, 20];
/// How many bits of a hash tell the bits of a byte.
const BITS: u32 = 6;
/// Bytes with one or two bits set. Looking them up is faster than shifting by a variable number.
const TWO_BITS: [u8; 1 << BITS] = {
    let mut two = [0; 1 << BITS];
    let mut rest: &mut [u8] = &mut two;
    let mut at = 0;
    while let Some((first, more)) = rest.split_first_mut() {
        *first = 1 << (at & 7) | 1 << (at >> 3);
        rest = more;
        at += 1;
    }
    two
};

/// What the halves of a word are multiplied by to hash it. From Yann Collet's xxHash.
pub(super) type Factors = [u32; 2];
pub(super) const FACTORS: Factors = [0x9E37_79B1, 0x85EB_CA77];
pub(super) const OTHER_FACTORS: Factors = [0xC2B2_AE3D, 0x27D4_EB2F];

/// How many words are looked up together.
pub(super) const TOGETHER: usize = 16;
pub(super) const LANES: usize = 8;

/// The words of a table.
pub(super) type Words = Zeroizing<Vec<u64>>;

/// A filter of words (Bloom, 1970).
pub(super) struct Table {
    /// For each word, one or two bits of one byte are clear.
    clear: Zeroizing<Vec<u8>>,
    log_size: u32,
    factors: Factors,
}

impl Table {
    pub(super) fn new(words: &Words, factors: Factors) -> Self {
        let fits = |log: &&u32| words.len() * BITS_PER_WORD <= 8 << **log;
        let log_size = *LOG_SIZES.iter().find(fits).unwrap_or(&LOG_SIZES[2]);
        let mut clear = Zeroizing::new(vec![u8::MAX; 1 << log_size]);
        for &word in words.iter() {
            let (byte, bits) = place(word, factors, log_size);
            if let Some(byte) = clear.get_mut(byte) {
                *byte &= !bits;
            }
        }
        Self {
            clear,
            log_size,
            factors,
        }
    }

    /// Returns whether the set may contain a word.
    pub(super) fn may_have(&self, word: u64) -> bool {
        let (byte, bits) = place(word, self.factors, self.log_size);
        self.clear.get(byte).is_some_and(|byte| byte & bits == 0)
    }

    /// Returns a bit for each of these words that the set may contain.
    #[inline(always)]
    pub(super) fn may_have_of(&self, words: &[u64; TOGETHER]) -> u32 {
        match self.log_size {
            14 => self.hits::<{ 1 << 14 }>(words),
            18 => self.hits::<{ 1 << 18 }>(words),
            _ => self.hits::<{ 1 << 20 }>(words),
        }
    }

    /// As [`Self::may_have_of`], with vectors.
    #[inline(always)]
    pub(super) fn may_have_lanes<S: Simd>(&self, simd: S, words: u64x8<S>) -> u64 {
        let [one, other] = self.factors.map(u64::from);
        let factors = u64x8::splat(simd, other << 32 | one).bitcast::<u32x16<S>>();
        let products = (words.bitcast::<u32x16<S>>() * factors).bitcast::<u64x8<S>>();
        let hashes = products ^ (products << u32::BITS);
        let places = hashes >> (u64::BITS - BITS - self.log_size);
        let (seven, one) = (u64x8::splat(simd, 7), u64x8::splat(simd, 1));
        let bits = (one << (places & seven)) | (one << ((places >> 3) & seven));
        let bytes = <[u64; LANES]>::from(places >> BITS);
        let bytes = bytes.map(|at| self.clear.get(at as usize).copied().unwrap_or_default());
        let bytes = u64x8::from_slice(simd, &bytes.map(u64::from));
        (bytes & bits).simd_eq(u64x8::splat(simd, 0)).to_bitmask()
    }

    #[inline(always)]
    fn hits<const SIZE: usize>(&self, words: &[u64; TOGETHER]) -> u32 {
        let Some(clear) = self.clear.first_chunk::<SIZE>() else {
            return u32::MAX;
        };
        let mut hits = 0;
        for (at, word) in words.iter().enumerate() {
            let (byte, bits) = place(*word, self.factors, SIZE.ilog2());
            let hit = clear.get(byte).is_some_and(|byte| byte & bits == 0);
            hits |= u32::from(hit) << at;
        }
        hits
    }
}

/// Returns the byte and the bits of a table that stand for a word: the upper bits of a hash tell the byte, and those
/// below them the bits.
#[inline(always)]
fn place(word: u64, [one, other]: Factors, log_size: u32) -> (usize, u8) {
    let [a, b, c, d, e, f, g, h] = word.to_le_bytes();
    let low = u32::from_le_bytes([a, b, c, d]).wrapping_mul(one);
    let high = u32::from_le_bytes([e, f, g, h]).wrapping_mul(other);
    let place = ((low ^ high) >> (u32::BITS - BITS - log_size)) as usize;
    let bits = TWO_BITS.get(place & ((1 << BITS) - 1)).copied();
    (place >> BITS, bits.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn all_ways_to_look_up_agree(
            words in vec(any::<u64>(), 8..40),
            others in vec(any::<u64>(), TOGETHER),
            size in prop::sample::select(vec![1, 2000, 20_000]),
            taken in vec(any::<prop::sample::Index>(), LANES),
        ) {
            // Many words, so that a table of each size is made.
            let set = Zeroizing::new(words.iter().copied().cycle().take(words.len() * size).collect());
            let table = Table::new(&set, FACTORS);
            let taken = taken.iter().map(|it| words[it.index(words.len())]);
            let looked_up: Vec<_> = taken.chain(others).take(TOGETHER).collect();
            let expected = looked_up.iter().enumerate();
            let expected = expected.fold(0, |bits, (at, it)| bits | u32::from(table.may_have(*it)) << at);
            prop_assert_eq!(expected & 0xFF, 0xFF);
            prop_assert_eq!(table.may_have_of(looked_up.first_chunk().unwrap()), expected);
            for level in [Level::new(), Level::baseline()] {
                for (at, words) in looked_up.as_chunks::<LANES>().0.iter().enumerate() {
                    let bits = dispatch!(level, simd => table.may_have_lanes(simd, u64x8::from_slice(simd, words)));
                    prop_assert_eq!(bits, u64::from(expected) >> (at * LANES) & 0xFF);
                }
            }
        }
    }
}
