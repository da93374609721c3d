//! What was read of one state.

use std::collections::{BTreeMap, BTreeSet};

use super::image::{MAX_BYTES, MAX_RECORDS, Place};
use crate::backend::{Range, Table};
use crate::record::HEADER_KEY;

/// Records that were read of one state. Of a state of which more is read than can be kept, as by a check or a backup, only
/// the header: it would displace what servers need.
#[derive(Debug, Default)]
pub(super) struct Seen {
    header: Option<Vec<u8>>,
    records: BTreeMap<Place, Option<Vec<u8>>>,
    ranges: BTreeSet<Place>,
    bytes: usize,
    is_bulk: bool,
}

impl Seen {
    /// The record of the header, if it was read and is there.
    pub(super) fn header(&self) -> Option<&[u8]> {
        self.header.as_deref()
    }

    pub(super) fn add(&mut self, table: Table, key: &[u8], record: Option<&[u8]>) {
        if (table, key) == (Table::Meta, HEADER_KEY) {
            self.header = record.map(<[u8]>::to_vec);
        }
        if self.is_bulk {
            return;
        }
        self.bytes += key.len() + record.map_or(0, <[u8]>::len);
        let record = record.map(<[u8]>::to_vec);
        self.records.insert((table, key.to_vec()), record);
        if self.records.len() > MAX_RECORDS || self.bytes > MAX_BYTES {
            self.drop_all();
        }
    }

    /// Adds that every record of a range was read. Whole tables are read by what reads everything.
    pub(super) fn add_range(&mut self, range: Range<'_>) {
        if range.prefix.is_empty() {
            self.drop_all();
        } else if !self.is_bulk && range.after.is_none() {
            self.ranges.insert((range.table, range.prefix.to_vec()));
        }
    }

    fn drop_all(&mut self) {
        self.is_bulk = true;
        self.records.clear();
        self.ranges.clear();
        if let Some(header) = &self.header {
            let place = (Table::Meta, HEADER_KEY.to_vec());
            self.records.insert(place, Some(header.clone()));
        }
    }

    /// Whether nothing was read.
    pub(super) fn is_empty(&self) -> bool {
        !self.is_bulk && self.records.is_empty() && self.ranges.is_empty()
    }

    /// Whether more was read than can be kept.
    pub(super) fn is_bulk(&self) -> bool {
        self.is_bulk
    }

    pub(super) fn has(&self, table: Table, key: &[u8]) -> bool {
        self.records.contains_key(&(table, key.to_vec()))
    }

    pub(super) fn has_range(&self, place: &Place) -> bool {
        self.ranges.contains(place)
    }

    pub(super) fn records(&self) -> impl Iterator<Item = (Table, &[u8])> {
        self.records.keys().map(|(table, key)| (*table, &**key))
    }

    pub(super) fn ranges(&self) -> impl Iterator<Item = &Place> {
        self.ranges.iter()
    }

    pub(super) fn into_records(self) -> impl Iterator<Item = (Place, Option<Vec<u8>>)> {
        self.records.into_iter()
    }
}
