//! The kinds of pieces.

/// The kinds of pieces: the length of their grams and the stride, the longest first. A stride is at least
/// the length, so that a broken piece has a whole gram on one side of the break.
pub(super) const KINDS: [(usize, usize); 4] = [(8, 16), (8, 8), (4, 8), (4, 4)];

/// The longest stride, in units.
pub(super) const STRIDE: usize = KINDS[0].1;

/// The number of units in the shortest piece.
pub(super) const SHORTEST: usize = KINDS[3].0 + KINDS[3].1 - 1;
