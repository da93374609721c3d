//! The move of a store to another place, as both places record it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::StoreId;
use crate::Error;
use crate::random::fill_random;

/// 16 random bytes that identify a move, or one attempt at it. Displayed as hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MoveId([u8; 16]);

impl MoveId {
    pub(crate) fn generate() -> Result<Self, Error> {
        let mut id = [0; 16];
        fill_random(&mut id)?;
        Ok(Self(id))
    }
}

impl fmt::Display for MoveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// In the place of a header: a store is being moved here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moving {
    /// The store.
    pub(crate) store: StoreId,
    /// The move.
    pub(crate) id: MoveId,
    /// The last one who began it or went on with it. Nobody else puts records.
    pub(crate) mover: MoveId,
    /// The revision with which the old place says that the store was moved; 0 if it is not known yet, or the move was given
    /// up.
    pub(crate) revision: u64,
}

/// What the old place says about a store that was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MovedTo {
    /// The move. Many places can have the same name, and no other place has this.
    pub(crate) id: MoveId,
    /// What people call the new place.
    pub(crate) place: String,
}

impl MovedTo {
    /// Parses what `Display` writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (digits, place) = text.split_once(' ')?;
        let id = MoveId(u128::from_str_radix(digits, 16).ok()?.to_be_bytes());
        let place = place.to_owned();
        (id.to_string() == digits).then_some(Self { id, place })
    }
}

impl fmt::Display for MovedTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_store_was_moved_to_is_read_back() {
        let moved = MovedTo {
            id: MoveId([1; 16]),
            place: "/home/ann/a file".to_owned(),
        };
        let text = format!("{} /home/ann/a file", "01".repeat(16));
        assert_eq!(moved.to_string(), text);
        assert_eq!(MovedTo::parse(&text), Some(moved));
        for wrong in ["", "/home/ann", "1 /home/ann", &"01".repeat(16)] {
            assert_eq!(MovedTo::parse(wrong), None, "{wrong}");
        }
    }
}
