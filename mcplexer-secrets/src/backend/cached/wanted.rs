//! What was used of an earlier state, and has yet to be read of this one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::image::Place;

/// Places of which the records are not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// With the clock when each was last read.
    pub(super) places: BTreeMap<Place, u64>,
    /// Prefixes of keys of which every record was known.
    pub(super) ranges: BTreeSet<Place>,
}

impl Wanted {
    /// Whether every key with this prefix is in a range.
    pub(super) fn covers(&self, place: &Place) -> bool {
        self.ranges.iter().any(|all| is_within(place, all))
    }

    /// Drops a range that is known now, and the places in it.
    pub(super) fn found_range(&mut self, range: &Place) {
        self.ranges.retain(|it| !is_within(it, range));
        self.places.retain(|it, _| !is_within(it, range));
    }

    /// Keeps so many places, of those that were used last.
    pub(super) fn shrink(&mut self, room: usize) {
        if self.places.len() <= room {
            return;
        }
        let mut by_use: Vec<_> = std::mem::take(&mut self.places).into_iter().collect();
        by_use.sort_by_key(|(_, used)| Reverse(*used));
        self.places.extend(by_use.into_iter().take(room));
    }
}

/// Whether every key with the first prefix has the second one.
fn is_within(one: &Place, other: &Place) -> bool {
    one.0 == other.0 && one.1.starts_with(&other.1)
}
