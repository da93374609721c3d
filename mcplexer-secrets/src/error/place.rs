//! Why a store cannot be moved to a place, as errors say it.

use std::fmt;

/// What is at a place, so that a store cannot be moved to there, or not be deleted there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlaceHas {
    /// Another store.
    OtherStore,
    /// The same store, which takes changes there.
    SameStore,
    /// The same store in a later state.
    LaterState,
    /// Records without a header.
    NoHeader,
    /// Another store, whose move to there is not finished.
    OtherMove,
    /// What is left of a move that was given up.
    MoveGivenUp,
    /// An unfinished move of this store that somebody else has gone on with.
    OtherMover,
    /// Records that still differ after they were put.
    OtherRecords,
    /// No store.
    Nothing,
    /// Not the store that was moved to there, nor an unfinished move of it.
    Gone,
}

impl fmt::Display for PlaceHas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherStore => "has another store",
            Self::SameStore => "has this store already, and it takes changes there",
            Self::LaterState => "has a later state of this store",
            Self::NoHeader => "has records that belong to no store",
            Self::OtherMove => "is where another store is being moved to",
            Self::OtherMover => "is where somebody else goes on with the move of this store",
            Self::MoveGivenUp => "is where the move to was given up",
            Self::OtherRecords => "does not give back what was put there",
            Self::Nothing => "has no store",
            Self::Gone => "does not have this store any more",
        })
    }
}
