//! Grams: short runs of bytes that belong to pieces of values.

use zeroize::Zeroizing;

use super::kinds::KINDS;
use super::table::{OTHER_FACTORS, Table, Words};

/// Length of the longest gram, which fills a word, in bytes.
pub(super) const GRAM: usize = size_of::<u64>();
/// Makes upper and lower case ASCII letters equal, since hex digits are written both ways.
pub(super) const FOLD: u64 = 0x2020_2020_2020_2020;

/// Grams of all kinds, as words. Those of hex are in lower case.
pub(super) struct Grams {
    /// Has other factors than the samplers, so that their false matches are not false matches here.
    table: Table,
    /// Sorted, with their length. Only lengths of which there are grams.
    of_lengths: Vec<(usize, Words)>,
}

impl Grams {
    /// Creates the set of these grams of each kind.
    pub(super) fn new(kinds: &[Words; KINDS.len()]) -> Self {
        let kinds = KINDS.iter().zip(kinds);
        let used = kinds.filter(|(_, grams)| !grams.is_empty());
        let of_lengths: Vec<_> = used
            .map(|((length, _), grams)| {
                let mut grams = grams.clone();
                grams.sort_unstable();
                grams.dedup();
                (*length, grams)
            })
            .collect();
        let all = of_lengths.iter().flat_map(|(length, grams)| {
            let folded = |gram: &u64| folded(*gram, *length);
            grams.iter().map(folded)
        });
        let all = Zeroizing::new(all.collect());
        Self {
            table: Table::new(&all, OTHER_FACTORS),
            of_lengths,
        }
    }

    /// Returns whether these bytes begin with a gram.
    pub(super) fn begin(&self, bytes: &[u8]) -> bool {
        self.has(|length| bytes.get(..length))
    }

    /// Returns whether these bytes end with a gram.
    pub(super) fn end(&self, bytes: &[u8]) -> bool {
        self.has(|length| bytes.get(bytes.len().checked_sub(length)?..))
    }

    fn has<'a>(&self, of_length: impl Fn(usize) -> Option<&'a [u8]>) -> bool {
        self.of_lengths.iter().any(|(length, grams)| {
            of_length(*length).is_some_and(|bytes| {
                let word = word(bytes);
                let folded = folded(word, *length);
                let is = |gram| grams.binary_search(&gram).is_ok();
                self.table.may_have(folded) && (is(word) || is(folded))
            })
        })
    }
}

/// Returns the first bytes as a word. If there are fewer than a word has, zeros follow.
#[inline(always)]
pub(super) fn word(bytes: &[u8]) -> u64 {
    if let Some(bytes) = bytes.first_chunk() {
        return u64::from_le_bytes(*bytes);
    }
    let bytes = bytes.iter().rev();
    bytes.fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// Returns the bytes of a word that belong to a gram of this length, of either case.
pub(super) fn folded(word: u64, length: usize) -> u64 {
    (word | FOLD) & mask(length)
}

/// Returns the bits of a word that belong to a gram of this length.
pub(super) fn mask(length: usize) -> u64 {
    u64::MAX >> (8 * GRAM.saturating_sub(length))
}
