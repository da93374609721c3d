//! Looking for grams at few positions of a text.
//!
//! A piece has `length + stride - 1` units, where a unit is a character of a form. Its grams are the runs
//! of `length` units that begin at its first `stride` units. If a text contains the whole piece, one of
//! the grams begins at a position that is a multiple of the stride. So only these positions are looked
//! up, as in the search of Wu and Manber (1994). If the piece is broken, a gram ends or begins where it
//! is first broken; see `breaks`.

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, u8x64, u64x8};
use zeroize::Zeroizing;

use super::grams::{FOLD, GRAM, Grams, folded, mask, word};
use super::kinds::{KINDS, STRIDES};
use super::table::{FACTORS, LANES, Table, Words};

/// How many times several words are looked up before the results are looked at.
const TOGETHER: usize = 16;

/// Looks for all pieces with one stride.
pub(super) struct Sampler {
    stride: usize,
    /// How many bytes are looked up: as many as the shortest gram has.
    length: usize,
    table: Table,
}

impl Sampler {
    /// Creates the samplers of these grams of each kind.
    pub(super) fn all(kinds: &[Words; KINDS.len()]) -> Vec<Self> {
        let sampler = |(stride, length)| {
            let kinds = KINDS.iter().zip(kinds).filter(|((_, it), _)| *it == stride);
            let grams = kinds.flat_map(|(_, grams)| grams.iter());
            let words: Words = Zeroizing::new(grams.map(|gram| folded(*gram, length)).collect());
            (!words.is_empty()).then(|| Self {
                stride,
                length,
                table: Table::new(&words, FACTORS),
            })
        };
        STRIDES.into_iter().filter_map(sampler).collect()
    }

    /// Returns whether these bytes may begin with a gram.
    pub(super) fn may_begin(&self, bytes: &[u8]) -> bool {
        let bytes = bytes.get(..self.length);
        bytes.is_some_and(|bytes| self.table.may_have(folded(word(bytes), self.length)))
    }

    /// Returns a bit for each of these words that may begin with a gram.
    #[inline(always)]
    pub(super) fn may_begin_of<S: Simd>(&self, simd: S, words: u64x8<S>) -> u64 {
        let words = words | u64x8::splat(simd, FOLD);
        let words = words & u64x8::splat(simd, mask(self.length));
        self.table.may_have_of(simd, words)
    }

    /// Calls `each` with the positions from `from` to before `until`, one in each stride, at which a gram
    /// begins. The text must continue for a stride after them.
    pub(super) fn sample(
        &self,
        level: Level,
        grams: &Grams,
        text: &[u8],
        (from, until): (usize, usize),
        each: &mut impl FnMut(usize),
    ) {
        let text = text.get(from..).unwrap_or_default();
        let strides = (text, until.saturating_sub(from));
        let mut each = |at| each(from + at);
        match self.stride {
            8 => self.sample_every::<8>(level, grams, strides, &mut each),
            _ => self.sample_every::<4>(level, grams, strides, &mut each),
        }
    }

    fn sample_every<const STRIDE: usize>(
        &self,
        level: Level,
        grams: &Grams,
        (text, length): (&[u8], usize),
        each: &mut impl FnMut(usize),
    ) {
        let (strides, _) = text.as_chunks::<STRIDE>();
        let strides = strides.get(..length.div_ceil(STRIDE)).unwrap_or(strides);
        let (together, rest) = strides.as_chunks::<LANES>();
        let mut look = |at: usize, bytes: Option<&[u8; STRIDE]>| {
            if bytes.is_some_and(|bytes| grams.begin(bytes)) {
                each(at * STRIDE);
            }
        };
        let mut hits = [0; TOGETHER];
        for (number, blocks) in together.chunks(TOGETHER).enumerate() {
            dispatch!(level, simd => self.hits(simd, blocks, &mut hits));
            for ((block, strides), &hits) in blocks.iter().enumerate().zip(&hits) {
                let mut hits = hits;
                while hits != 0 {
                    let at = hits.trailing_zeros() as usize;
                    hits &= hits - 1;
                    look((number * TOGETHER + block) * LANES + at, strides.get(at));
                }
            }
        }
        for (at, bytes) in rest.iter().enumerate() {
            look(strides.len() - rest.len() + at, Some(bytes));
        }
    }

    /// Returns a bit for each stride that may begin with a gram.
    #[inline(always)]
    fn hits<S: Simd, const STRIDE: usize>(
        &self,
        simd: S,
        blocks: &[[[u8; STRIDE]; LANES]],
        hits: &mut [u64; TOGETHER],
    ) {
        for (hits, strides) in hits.iter_mut().zip(blocks) {
            *hits = self.may_begin_of(simd, first_words(simd, strides));
        }
    }
}

/// Returns the first bytes of each stride as a word.
#[inline(always)]
fn first_words<S: Simd, const STRIDE: usize>(simd: S, strides: &[[u8; STRIDE]; LANES]) -> u64x8<S> {
    match strides.as_flattened().first_chunk::<{ GRAM * LANES }>() {
        Some(bytes) => u8x64::from_slice(simd, bytes).bitcast::<u64x8<S>>(),
        None => {
            let words = strides.map(|bytes| word(&bytes));
            u64x8::from_slice(simd, &words)
        }
    }
}
