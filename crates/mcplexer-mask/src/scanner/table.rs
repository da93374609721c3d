//! A set of words that rules out most words it does not contain.

use zeroize::Zeroizing;

/// Bits of a table for each word, unless the table has the largest size.
const BITS_PER_WORD: usize = 16;
/// The sizes of a table, as the logarithm of its bytes: one for a first-level cache, and two for a
/// second-level cache. There are few, so that the code is compiled for each.
const LOG_SIZES: [u32; 3] = [14, 18, 20];
/// Bytes with one or two bits set. Looking them up is faster than shifting by a variable number.
const TWO_BITS: [u8; 64] = {
    let mut two = [0; 64];
    let mut rest: &mut [u8] = &mut two;
    let mut at = 0;
    while let Some((first, more)) = rest.split_first_mut() {
        *first = 1 << (at & 7) | 1 << (at >> 3);
        rest = more;
        at += 1;
    }
    two
};

/// The usual factor, 2^64 by the golden ratio: Knuth, The Art of Computer Programming, volume 3,
/// section 6.4.
pub(super) const GOLDEN_RATIO: u64 = 0x9E37_79B9_7F4A_7C15;

/// How many words are looked up together.
pub(super) const TOGETHER: usize = 16;

/// The words of a table.
pub(super) type Words = Zeroizing<Vec<u64>>;

/// A filter of words (Bloom, 1970).
pub(super) struct Table {
    /// For each word, one or two bits of one byte are clear.
    clear: Zeroizing<Vec<u8>>,
    log_size: u32,
    /// Words are multiplied by this to hash them.
    factor: u64,
}

impl Table {
    pub(super) fn new(words: &Words, factor: u64) -> Self {
        let fits = |log: &&u32| words.len() * BITS_PER_WORD <= 8 << **log;
        let log_size = *LOG_SIZES.iter().find(fits).unwrap_or(&LOG_SIZES[2]);
        let mut clear = Zeroizing::new(vec![u8::MAX; 1 << log_size]);
        for &word in words.iter() {
            let (byte, bits) = place(word, factor, log_size);
            if let Some(byte) = clear.get_mut(byte) {
                *byte &= !bits;
            }
        }
        Self {
            clear,
            log_size,
            factor,
        }
    }

    /// Returns whether the set may contain a word.
    pub(super) fn may_have(&self, word: u64) -> bool {
        let (byte, bits) = place(word, self.factor, self.log_size);
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

    #[inline(always)]
    fn hits<const SIZE: usize>(&self, words: &[u64; TOGETHER]) -> u32 {
        let Some(clear) = self.clear.first_chunk::<SIZE>() else {
            return u32::MAX;
        };
        let mut hits = 0;
        for (at, word) in words.iter().enumerate() {
            let (byte, bits) = place(*word, self.factor, SIZE.ilog2());
            let hit = clear.get(byte).is_some_and(|byte| byte & bits == 0);
            hits |= u32::from(hit) << at;
        }
        hits
    }
}

/// Returns the byte and the bits of a table that stand for a word.
#[inline(always)]
fn place(word: u64, factor: u64, log_size: u32) -> (usize, u8) {
    let hash = word.wrapping_mul(factor);
    let [_, _, _, _, low, ..] = hash.to_le_bytes();
    let bits = TWO_BITS.get(usize::from(low & 63)).copied();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most 20 bits are left of it"
    )]
    let byte = (hash >> (u64::BITS - log_size)) as usize;
    (byte, bits.unwrap_or_default())
}
