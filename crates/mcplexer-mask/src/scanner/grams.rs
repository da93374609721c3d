//! Grams: short runs of bytes that belong to pieces of values.

use zeroize::Zeroizing;

use super::kinds::KINDS;
use super::table::{OTHER_FACTORS, Table, Words};

/// Length of a long gram, which fills a word, and of a short one, in bytes.
pub(super) const GRAM: usize = size_of::<u64>();
pub(super) const SHORT: usize = 4;
/// Makes upper and lower case ASCII letters equal, since hex digits are written both ways.
pub(super) const FOLD: u64 = 0x2020_2020_2020_2020;

/// Grams of all kinds, as words. Those of hex are in lower case.
pub(super) struct Grams {
    /// Has other factors than the samplers, so that their false matches are not false matches here.
    table: Table,
    /// Sorted.
    long: Words,
    short: Words,
}

impl Grams {
    /// Creates the set of these grams of each kind.
    pub(super) fn new(kinds: &[Words; KINDS.len()]) -> Self {
        let of_length = |wanted| {
            let kinds = KINDS.iter().zip(kinds);
            let kinds = kinds.filter(|((length, _), _)| *length == wanted);
            let grams = kinds.flat_map(|(_, grams)| grams.iter().copied());
            let mut grams = Zeroizing::new(grams.collect::<Vec<_>>());
            grams.sort_unstable();
            grams.dedup();
            grams
        };
        let (long, short) = (of_length(GRAM), of_length(SHORT));
        let folded_long = long.iter().map(|gram| folded(*gram, GRAM));
        let folded_short = short.iter().map(|gram| folded(*gram, SHORT));
        let all = Zeroizing::new(folded_long.chain(folded_short).collect());
        Self {
            table: Table::new(&all, OTHER_FACTORS),
            long,
            short,
        }
    }

    /// Returns whether these bytes begin with a gram.
    pub(super) fn begin(&self, bytes: &[u8]) -> bool {
        let long = bytes.first_chunk::<GRAM>().map(word);
        let short = || bytes.first_chunk::<SHORT>().map(word);
        long.is_some_and(|it| self.has_long(it)) || short().is_some_and(|it| self.has_short(it))
    }

    /// Returns whether these bytes end with a gram.
    pub(super) fn end(&self, bytes: &[u8]) -> bool {
        let long = bytes.last_chunk::<GRAM>().map(word);
        let short = || bytes.last_chunk::<SHORT>().map(word);
        long.is_some_and(|it| self.has_long(it)) || short().is_some_and(|it| self.has_short(it))
    }

    fn has_long(&self, word: u64) -> bool {
        self.has(&self.long, word, GRAM)
    }

    fn has_short(&self, word: u64) -> bool {
        !self.short.is_empty() && self.has(&self.short, word, SHORT)
    }

    fn has(&self, grams: &Words, word: u64, length: usize) -> bool {
        let folded = folded(word, length);
        let is = |gram| grams.binary_search(&gram).is_ok();
        self.table.may_have(folded) && (is(word) || is(folded))
    }
}

/// Returns the first bytes as a word. If there are fewer than a word has, zeros follow.
#[inline(always)]
pub(super) fn word<const LENGTH: usize>(bytes: &[u8; LENGTH]) -> u64 {
    let mut word = [0; GRAM];
    for (place, byte) in word.iter_mut().zip(bytes) {
        *place = *byte;
    }
    u64::from_le_bytes(word)
}

/// Returns the bytes of a word that belong to a gram of this length, of either case.
pub(super) fn folded(word: u64, length: usize) -> u64 {
    (word | FOLD) & mask(length)
}

/// Returns the bits of a word that belong to a gram of this length.
pub(super) fn mask(length: usize) -> u64 {
    u64::MAX >> (8 * GRAM.saturating_sub(length))
}
