//! The kinds of pieces.

/// The kinds of pieces: the length of their grams and the stride, the longest first. A stride is at least
/// the length, so that a broken piece has a whole gram on one side of the break.
pub(super) const KINDS: [(usize, usize); 3] = [(8, 8), (5, 8), (4, 4)];

/// The strides of all kinds, and how many bytes of a gram are looked up first: as many as the shortest has.
pub(super) const STRIDES: [(usize, usize); 2] = [(8, 5), (4, 4)];

/// The longest stride, in units.
pub(super) const STRIDE: usize = STRIDES[0].0;

/// The number of units in the shortest piece.
pub(super) const SHORTEST: usize = KINDS[2].0 + KINDS[2].1 - 1;
