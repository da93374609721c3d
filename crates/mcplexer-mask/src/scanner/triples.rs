//! Rules out most breaks: mostly an escape stands for a byte such as `"` or `/`, which no value has between
//! these neighbours.

use super::grams::word;
use super::table::Words;
use crate::bits::Bits;

/// The length of a triple.
pub(super) const TRIPLE: usize = 3;

/// The runs of three bytes in the pieces.
pub(super) struct Triples {
    /// Those that begin or end with another byte than a letter or a digit. There are few of them, and they are
    /// what most escapes stand for.
    marked: Bits,
    /// Whether a byte is not ASCII.
    pub(super) beyond_ascii: bool,
}

impl Triples {
    pub(super) fn new(triples: &Words) -> Self {
        let bytes = |word: u64| {
            let [a, b, c, ..] = word.to_le_bytes();
            [a, b, c]
        };
        let mut marked = triples.clone();
        marked.retain(|word| is_marked(bytes(*word)));
        marked.sort_unstable();
        marked.dedup();
        Self {
            marked: Bits::of(marked.iter().copied()),
            beyond_ascii: !triples.iter().all(|word| bytes(*word).is_ascii()),
        }
    }

    /// Returns whether a piece may have a triple.
    pub(super) fn may_have(&self, triple: [u8; TRIPLE]) -> bool {
        !is_marked(triple) || self.marked.has(word(&triple))
    }
}

/// Returns whether a triple begins or ends with another byte than a letter or a digit.
fn is_marked([first, _, last]: [u8; TRIPLE]) -> bool {
    !(first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric())
}
