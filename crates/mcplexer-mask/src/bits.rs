//! A set of words that may report a word it does not contain, but never misses one it does.

use zeroize::Zeroizing;

/// A table with one bit for each hash.
pub(crate) struct Bits {
    words: Zeroizing<Vec<u64>>,
    shift: u32,
}

impl Bits {
    /// Creates the set of these words, with 64 or more bits for each.
    pub(crate) fn of(words: impl ExactSizeIterator<Item = u64>) -> Self {
        let log_bits = (words.len() * 64).next_power_of_two().ilog2().max(6);
        let mut bits = Self {
            words: Zeroizing::new(vec![0; 1 << (log_bits - 6)]),
            shift: u64::BITS - log_bits,
        };
        for word in words {
            let (at, bit) = bits.place(word);
            if let Some(at) = bits.words.get_mut(at) {
                *at |= 1 << bit;
            }
        }
        bits
    }

    /// Returns whether the set may contain a word.
    pub(crate) fn has(&self, word: u64) -> bool {
        let (at, bit) = self.place(word);
        self.words.get(at).is_some_and(|at| at >> bit & 1 == 1)
    }

    fn place(&self, word: u64) -> (usize, u64) {
        // Fibonacci hashing, as in the filter.
        let hash = word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift;
        (usize::try_from(hash >> 6).unwrap_or_default(), hash & 63)
    }
}
