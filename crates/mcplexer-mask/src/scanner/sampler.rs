//! Looking for grams at few positions of a text.
//!
//! A piece has `length + stride - 1` units, where a unit is a character of a form. Its grams are the runs
//! of `length` units that begin at its first `stride` units. If a text contains the whole piece, one of
//! the grams begins at a position that is a multiple of the stride. So only these positions are looked
//! up, as in the search of Wu and Manber (1994). If the piece is broken, a gram ends or begins where it
//! is first broken; see `breaks`.

use zeroize::Zeroizing;

use super::grams::{Grams, mask, word};
use super::kinds::KINDS;
use super::table::{GOLDEN_RATIO, TOGETHER, Table, Words};

/// Looks for all pieces with one stride.
pub(super) struct Sampler {
    stride: usize,
    /// The bits of a word that are looked up: as many as the shortest gram has.
    mask: u64,
    table: Table,
}

impl Sampler {
    /// Creates the samplers of these grams of each kind.
    pub(super) fn all(kinds: &[Words; KINDS.len()]) -> Vec<Self> {
        let kinds = KINDS.iter().zip(kinds);
        let used: Vec<_> = kinds.filter(|(_, grams)| !grams.is_empty()).collect();
        let of_stride = used.chunk_by(|((_, one), _), ((_, other), _)| one == other);
        let sampler = |kinds: &[(&(usize, usize), &Words)]| {
            // The last kind has the shortest grams.
            let (&(length, stride), _) = *kinds.last()?;
            let mask = mask(length);
            let grams = kinds.iter().flat_map(|(_, grams)| grams.iter());
            let words = Zeroizing::new(grams.map(|gram| gram & mask).collect());
            let table = Table::new(&words, GOLDEN_RATIO);
            Some(Self {
                stride,
                mask,
                table,
            })
        };
        of_stride.filter_map(sampler).collect()
    }

    /// Calls `each` with the positions from `from` to before `until`, one in each stride, at which a gram
    /// begins. The text must continue for a stride after them.
    pub(super) fn sample(
        &self,
        grams: &Grams,
        text: &[u8],
        (from, until): (usize, usize),
        each: &mut impl FnMut(usize),
    ) {
        let text = text.get(from..).unwrap_or_default();
        let strides = (text, until.saturating_sub(from));
        let mut each = |at| each(from + at);
        match self.stride {
            16 => self.sample_every::<16>(grams, strides, &mut each),
            8 => self.sample_every::<8>(grams, strides, &mut each),
            _ => self.sample_every::<4>(grams, strides, &mut each),
        }
    }

    fn sample_every<const STRIDE: usize>(
        &self,
        grams: &Grams,
        (text, length): (&[u8], usize),
        each: &mut impl FnMut(usize),
    ) {
        let (strides, _) = text.as_chunks::<STRIDE>();
        let strides = strides.get(..length.div_ceil(STRIDE)).unwrap_or(strides);
        let (together, rest) = strides.as_chunks::<TOGETHER>();
        let mut look = |at: usize, bytes: Option<&[u8; STRIDE]>| {
            if bytes.is_some_and(|bytes| grams.begin(bytes)) {
                each(at * STRIDE);
            }
        };
        for (number, strides) in together.iter().enumerate() {
            let mut words = [0; TOGETHER];
            for (place, bytes) in words.iter_mut().zip(strides) {
                *place = word(bytes) & self.mask;
            }
            let mut hits = self.table.may_have_of(&words);
            while hits != 0 {
                let at = hits.trailing_zeros() as usize;
                hits &= hits - 1;
                look(number * TOGETHER + at, strides.get(at));
            }
        }
        for (at, bytes) in rest.iter().enumerate() {
            look(strides.len() - rest.len() + at, Some(bytes));
        }
    }
}
