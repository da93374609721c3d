//! The pieces of values by their length, and which few bytes of a text may be part of one.
//!
//! A class has pieces of `length + stride - 1` units, where a unit is a character of a form, and
//! knows the runs of `length` units, *grams*, that begin at their first `stride` units. If a piece
//! stands in a text as a whole, then one of them stands at a position that is a multiple of the
//! stride, so only those positions are looked up, as in the search of Wu and Manber (1994). If it is
//! broken, then a gram ends where it is first broken, or begins there; see `breaks`.

use zeroize::Zeroizing;

/// Bytes of the longest gram.
pub(super) const GRAM: usize = size_of::<u64>();
/// Bits of the table for each gram, if it is not of the largest size.
const BITS_PER_GRAM: usize = 32;
/// The sizes of a table, as the logarithm of its bytes: one for a first-level cache, and two for one of
/// the second level. They are few so that each can be known when this is compiled.
const LOG_SIZES: [u32; 3] = [13, 18, 20];
/// ASCII letters of either case become one: hex digits are written both ways.
const FOLD: u64 = 0x2020_2020_2020_2020;

/// Two of eight bits, or one: looked up, since shifting by a number that varies is slow.
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

/// Positions that are looked up before the first of them is looked at.
const TOGETHER: usize = 16;

/// The classes, each as the length of its grams and its stride. A stride is at least the length, so
/// that a broken piece has a whole gram on one side.
pub(super) const CLASSES: [(usize, usize); 3] = [(8, 8), (6, 6), (4, 4)];

/// The longest stride.
pub(super) const STRIDE: usize = CLASSES[0].1;

/// Fewest units of a piece.
pub(super) const SHORTEST: usize = 7;

pub(super) struct Class {
    /// Bytes in a gram.
    pub(super) length: usize,
    stride: usize,
    mask: u64,
    /// Two bits of one byte for each gram (Bloom, 1970).
    bits: Zeroizing<Vec<u8>>,
    log_size: u32,
    /// The grams, sorted.
    grams: Zeroizing<Vec<u64>>,
}

impl Class {
    /// Of these grams, which are more than none.
    pub(super) fn new((length, stride): (usize, usize), mut grams: Zeroizing<Vec<u64>>) -> Self {
        grams.sort_unstable();
        grams.dedup();
        let fits = |log: &&u32| grams.len() * BITS_PER_GRAM <= 8 << **log;
        let log_size = LOG_SIZES.iter().find(fits).unwrap_or(&LOG_SIZES[2]);
        let mut class = Self {
            length,
            stride,
            mask: mask(length),
            bits: Zeroizing::new(vec![0; 1 << log_size]),
            log_size: *log_size,
            grams: Zeroizing::default(),
        };
        for &gram in grams.iter() {
            let (byte, bits) = place(gram, *log_size);
            if let Some(byte) = class.bits.get_mut(byte) {
                *byte |= bits;
            }
        }
        class.grams = grams;
        class
    }

    /// The positions of the text from `from` to before `until`, one in each stride, at which a gram
    /// stands. The text must go on for a stride behind them.
    pub(super) fn sample(
        &self,
        text: &[u8],
        from: usize,
        until: usize,
        each: &mut impl FnMut(usize),
    ) {
        let text = text.get(from..).unwrap_or_default();
        let length = until.saturating_sub(from);
        let strides = (text, length);
        let mut each = |at| each(from + at);
        match self.stride {
            8 => self.sample_every::<8>(strides, &mut each),
            6 => self.sample_every::<6>(strides, &mut each),
            _ => self.sample_every::<4>(strides, &mut each),
        }
    }

    fn sample_every<const STRIDE: usize>(
        &self,
        (text, length): (&[u8], usize),
        each: &mut impl FnMut(usize),
    ) {
        let (strides, _) = text.as_chunks::<STRIDE>();
        let strides = strides.get(..length.div_ceil(STRIDE)).unwrap_or(strides);
        for (at, together) in strides.chunks(TOGETHER).enumerate() {
            let may_have = match self.log_size {
                13 => self.may_have_one::<{ 1 << 13 }, STRIDE>(together),
                18 => self.may_have_one::<{ 1 << 18 }, STRIDE>(together),
                _ => self.may_have_one::<{ 1 << 20 }, STRIDE>(together),
            };
            if may_have {
                for (more, bytes) in together.iter().enumerate() {
                    if self.has(word(bytes)) {
                        each((at * TOGETHER + more) * STRIDE);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn may_have_one<const SIZE: usize, const STRIDE: usize>(
        &self,
        strides: &[[u8; STRIDE]],
    ) -> bool {
        let Some(table) = self.bits.first_chunk::<SIZE>() else {
            return true;
        };
        let mut one = false;
        for bytes in strides {
            let (byte, bits) = place(word(bytes) & self.mask, SIZE.ilog2());
            one |= table.get(byte).is_some_and(|byte| byte & bits == bits);
        }
        one
    }

    /// Whether a word begins with a gram.
    pub(super) fn has(&self, word: u64) -> bool {
        let gram = word & self.mask;
        let (byte, bits) = place(gram, self.log_size);
        let may_have = self.bits.get(byte).is_some_and(|byte| byte & bits == bits);
        may_have && self.grams.binary_search(&gram).is_ok()
    }
}

/// Where the table has a gram.
#[inline(always)]
fn place(gram: u64, log_size: u32) -> (usize, u8) {
    // Fibonacci hashing, Knuth, The Art of Computer Programming, volume 3, section 6.4.
    let hash = gram.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let [_, _, _, _, low, ..] = hash.to_le_bytes();
    let bits = TWO_BITS.get(usize::from(low & 63)).copied();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most 20 bits are left of it"
    )]
    let byte = (hash >> (u64::BITS - log_size)) as usize;
    (byte, bits.unwrap_or_default())
}

/// The first bytes, folded; a word of fewer ends with what zeros are folded to.
#[inline(always)]
pub(super) fn word<const LENGTH: usize>(bytes: &[u8; LENGTH]) -> u64 {
    let mut word = [0; GRAM];
    for (place, byte) in word.iter_mut().zip(bytes) {
        *place = *byte;
    }
    u64::from_le_bytes(word) | FOLD
}

/// What of a word belongs to a gram of this length.
pub(super) fn mask(length: usize) -> u64 {
    u64::MAX >> (8 * GRAM.saturating_sub(length))
}
