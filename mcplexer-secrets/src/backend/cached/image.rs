//! Records of one state.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::seen::Seen;
use super::wanted::Wanted;
use crate::backend::{EachRecord, Range, Table};
use crate::record::{self, HEADER_KEY, Header};
use crate::{RecordName, StoreId};

/// A table, and a key in it.
pub(super) type Place = (Table, Vec<u8>);

/// How many records are kept, and how many bytes of them. All of them are read again when the state has changed.
pub(super) const MAX_RECORDS: usize = 4096;
pub(super) const MAX_BYTES: usize = 4 << 20;

const HEADER_PLACE: (Table, &[u8]) = (Table::Meta, HEADER_KEY);

/// What is known of one state: some of its records, of which some are known not to exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Image {
    /// The record of the header, which differs between any two states.
    header: Vec<u8>,
    records: BTreeMap<Place, Kept>,
    /// Prefixes of keys of which every record is here.
    ranges: BTreeSet<Place>,
    /// What was used before, and could not be read again of this state.
    wanted: Wanted,
    /// Counts the uses.
    clock: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    record: Option<Bytes>,
    /// The clock when it was last read from the store itself.
    used: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Bytes(#[serde(with = "serde_bytes")] Vec<u8>);

/// A change of the state.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Put(Place, Vec<u8>),
    Delete(Place),
    DeletePrefix(Place),
}

/// An image in its file. Tables are numbered as in [`Table::ALL`].
#[derive(Serialize, Deserialize)]
struct Written {
    header: Bytes,
    records: Vec<(u8, Bytes, Kept)>,
    ranges: Vec<(u8, Bytes)>,
    wanted: Vec<(u8, Bytes, u64)>,
    wanted_ranges: Vec<(u8, Bytes)>,
    clock: u64,
}

impl Image {
    pub(super) fn of(header: Vec<u8>) -> Self {
        Self {
            header,
            records: BTreeMap::new(),
            ranges: BTreeSet::new(),
            wanted: Wanted::default(),
            clock: 0,
        }
    }

    /// What was read of a state; `None` if its header was not.
    pub(super) fn of_seen(seen: Seen) -> Option<Self> {
        let mut image = Self::of(seen.header()?.to_vec());
        image.add(seen);
        Some(image)
    }

    pub(super) fn header(&self) -> &[u8] {
        &self.header
    }

    pub(super) fn count(&self) -> u64 {
        let records = self.records.values();
        records.filter(|it| it.record.is_some()).count() as u64
    }

    /// Returns the record at a place, or `None` in its place if there is no record; `None` if that is not known.
    pub(super) fn get(&self, table: Table, key: &[u8]) -> Option<Option<&[u8]>> {
        match self.records.get(&(table, key.to_vec())) {
            Some(kept) => Some(kept.record.as_ref().map(|it| &*it.0)),
            None if self.covers(table, key) => Some(None),
            None => None,
        }
    }

    /// Returns the records at these places; `None` unless all of them are known.
    pub(super) fn get_many(&self, places: &[(Table, &[u8])]) -> Option<Vec<Option<Vec<u8>>>> {
        let known = places.iter().map(|(table, key)| self.get(*table, key));
        known
            .map(|it| it.map(|it| it.map(<[u8]>::to_vec)))
            .collect()
    }

    /// Whether every record with this prefix is known.
    pub(super) fn covers(&self, table: Table, prefix: &[u8]) -> bool {
        let mut ranges = self.ranges.iter();
        ranges.any(|(of, all)| *of == table && prefix.starts_with(all))
    }

    /// Passes the records of a range that is covered.
    pub(super) fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) {
        for ((table, key), kept) in self.from(range.table, range.prefix) {
            if *table != range.table || !key.starts_with(range.prefix) {
                return;
            }
            let is_later = range.after.is_none_or(|after| **key > *after);
            if let Some(Bytes(record)) = &kept.record
                && is_later
                && each(key, record) == ControlFlow::Break(())
            {
                return;
            }
        }
    }

    fn from(&self, table: Table, key: &[u8]) -> impl Iterator<Item = (&Place, &Kept)> {
        self.records.range((table, key.to_vec())..)
    }

    /// Whether everything that was read of the same state is here.
    pub(super) fn has(&self, seen: &Seen) -> bool {
        seen.records()
            .all(|(table, key)| self.get(table, key).is_some())
            && seen.ranges().all(|(table, key)| self.covers(*table, key))
    }

    /// Adds what was read of the same state.
    pub(super) fn add(&mut self, seen: Seen) {
        self.clock += 1;
        let used = self.clock;
        self.insert(seen, |_| used);
        self.shrink();
    }

    fn insert(&mut self, seen: Seen, used: impl Fn(Option<u64>) -> u64) {
        for range in seen.ranges() {
            self.wanted.found_range(range);
            self.ranges.insert(range.clone());
        }
        for (place, record) in seen.into_records() {
            let used = used(self.wanted.places.remove(&place));
            let record = record.map(Bytes);
            self.records.insert(place, Kept { record, used });
        }
    }

    /// Returns what has to be read to know as much of the state of which `seen` was read already.
    pub(super) fn unseen(&self, seen: &Seen) -> (Vec<Place>, Vec<Place>) {
        let wanted = match seen.header() == Some(self.header()) {
            true => self.wanted.clone(),
            false => self.all_wanted(),
        };
        let is_seen = |(table, key): &&Place| seen.has(*table, key);
        let places = wanted.places.keys();
        let places = places.filter(|it| !wanted.covers(it) && !is_seen(it));
        let ranges = wanted.ranges.iter().filter(|it| !seen.has_range(it));
        (places.cloned().collect(), ranges.cloned().collect())
    }

    /// Everything that was used.
    fn all_wanted(&self) -> Wanted {
        let mut wanted = self.wanted.clone();
        wanted.ranges.extend(self.ranges.iter().cloned());
        let records = self.records.iter();
        let records = records.filter(|((table, key), _)| (*table, &**key) != HEADER_PLACE);
        let used = records.map(|(place, kept)| (place.clone(), kept.used));
        wanted.places.extend(used);
        wanted
    }

    /// Returns what is known of another state, which has this header: nothing yet, and what to read.
    pub(super) fn outdated(&self, header: Vec<u8>) -> Self {
        let mut image = Self::of(header);
        image.clock = self.clock;
        image.wanted = self.all_wanted();
        image
    }

    /// Returns what is known of the state of which `seen` was read, and `again` of what was [unseen](Self::unseen). The
    /// rest of that stays wanted.
    pub(super) fn renewed(&self, again: Seen, seen: Seen) -> Option<Self> {
        let header = seen.header()?;
        let mut image = match header == self.header {
            true => self.clone(),
            false => self.outdated(header.to_vec()),
        };
        // It would be too much the next time as well.
        if again.is_bulk() {
            image.wanted = Wanted::default();
        }
        let clock = image.clock;
        image.insert(again, |used| used.unwrap_or(clock));
        image.add(seen);
        Some(image)
    }

    /// Follows a commit to the next state, which has this header.
    pub(super) fn follow(&mut self, header: Vec<u8>, changes: Vec<Change>) {
        self.header = header;
        self.clock += 1;
        let used = self.clock;
        for change in changes {
            match change {
                Change::Put(place, record) => {
                    self.wanted.places.remove(&place);
                    let record = Some(Bytes(record));
                    self.records.insert(place, Kept { record, used });
                }
                Change::Delete(place) => {
                    self.wanted.places.remove(&place);
                    self.records.insert(place, Kept { record: None, used });
                }
                Change::DeletePrefix((table, prefix)) => {
                    for ((of, key), kept) in &mut self.records {
                        if *of == table && key.starts_with(&prefix) {
                            kept.record = None;
                        }
                    }
                }
            }
        }
        self.shrink();
    }

    /// Drops what was used longest ago, as far as there is too much.
    fn shrink(&mut self) {
        self.shrink_records();
        let room = MAX_RECORDS.saturating_sub(self.records.len());
        self.wanted.shrink(room);
    }

    fn shrink_records(&mut self) {
        let size = |(place, kept): (&Place, &Kept)| {
            place.1.len() + kept.record.as_ref().map_or(0, |it| it.0.len())
        };
        let bytes: usize = self.records.iter().map(size).sum();
        if self.records.len() <= MAX_RECORDS && bytes <= MAX_BYTES {
            return;
        }
        let mut by_use: Vec<_> = self.records.iter().collect();
        by_use.sort_by_key(|(_, kept)| std::cmp::Reverse(kept.used));
        let (mut count, mut bytes) = (0, 0);
        let dropped: Vec<Place> = by_use
            .into_iter()
            .filter(|(place, kept)| {
                count += 1;
                bytes += size((place, kept));
                count > MAX_RECORDS || bytes > MAX_BYTES
            })
            .map(|(place, _)| place.clone())
            .collect();
        for place in dropped {
            self.ranges
                .retain(|(table, prefix)| *table != place.0 || !place.1.starts_with(prefix));
            self.records.remove(&place);
        }
    }

    /// Which store this is of, and how far that was; `None` if that cannot be read. Nobody has verified it.
    pub(super) fn revision(header: &[u8]) -> Option<(StoreId, u64, u64)> {
        let header: Header = record::decode(header, || RecordName::Header).ok()?;
        Some((header.store, header.generation, header.revision))
    }

    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let mut records = Vec::with_capacity(self.records.len());
        for ((table, key), kept) in &self.records {
            records.push((number(*table)?, Bytes(key.clone()), kept.clone()));
        }
        let mut ranges = Vec::with_capacity(self.ranges.len());
        for (table, prefix) in &self.ranges {
            ranges.push((number(*table)?, Bytes(prefix.clone())));
        }
        let mut wanted = Vec::with_capacity(self.wanted.places.len());
        for ((table, key), used) in &self.wanted.places {
            wanted.push((number(*table)?, Bytes(key.clone()), *used));
        }
        let mut wanted_ranges = Vec::with_capacity(self.wanted.ranges.len());
        for (table, prefix) in &self.wanted.ranges {
            wanted_ranges.push((number(*table)?, Bytes(prefix.clone())));
        }
        let written = Written {
            header: Bytes(self.header.clone()),
            records,
            ranges,
            wanted,
            wanted_ranges,
            clock: self.clock,
        };
        postcard::to_allocvec(&written).ok()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (written, rest) = postcard::take_from_bytes::<Written>(bytes).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let mut image = Self::of(written.header.0);
        image.clock = written.clock;
        for (table, Bytes(key), kept) in written.records {
            image.records.insert((numbered(table)?, key), kept);
        }
        for (table, Bytes(prefix)) in written.ranges {
            image.ranges.insert((numbered(table)?, prefix));
        }
        for (table, Bytes(key), used) in written.wanted {
            image.wanted.places.insert((numbered(table)?, key), used);
        }
        for (table, Bytes(prefix)) in written.wanted_ranges {
            let place = (numbered(table)?, prefix);
            image.wanted.ranges.insert(place);
        }
        Some(image)
    }
}

fn number(table: Table) -> Option<u8> {
    let at = Table::ALL.iter().position(|it| *it == table)?;
    u8::try_from(at).ok()
}

fn numbered(number: u8) -> Option<Table> {
    Table::ALL.get(usize::from(number)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(header: &[u8], records: impl IntoIterator<Item = (String, usize)>) -> Seen {
        let mut seen = Seen::default();
        seen.add(Table::Meta, HEADER_KEY, Some(header));
        for (key, len) in records {
            seen.add(Table::Secrets, key.as_bytes(), Some(&vec![7; len]));
        }
        seen
    }

    fn has(image: &Image, key: &str) -> bool {
        image.get(Table::Secrets, key.as_bytes()).is_some()
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let mut image = Image::of_seen(seen(b"h", [("a/1".to_owned(), 1)])).unwrap();
        let mut range = seen(b"h", [("b/1".to_owned(), 1)]);
        range.add_range(Range::prefix(Table::Secrets, b"b/"));
        image.add(range);
        image.add(seen(b"h", [("a/1".to_owned(), 1)]));
        assert!(image.covers(Table::Secrets, b"b/"));
        let many = MAX_RECORDS - 2;
        image.add(seen(b"h", (0..many).map(|it| (format!("c/{it}"), 1))));
        assert!(!has(&image, "b/1") && has(&image, "a/1"));
        assert!(!image.covers(Table::Secrets, b"b/"), "it is not whole");
        assert_eq!(image.get(Table::Secrets, b"b/2"), None);
        let header = HEADER_KEY.len() + 1;
        let large = MAX_BYTES - header - "large".len();
        image.add(seen(b"h", [("large".to_owned(), large)]));
        assert_eq!(image.count(), 2, "the header, and the large one");
        assert_eq!(Image::decode(&image.encode().unwrap()), Some(image));
    }

    #[test]
    fn what_reads_everything_displaces_nothing() {
        let mut image = Image::of_seen(seen(b"h", [("a".to_owned(), 1)])).unwrap();
        let mut all = seen(b"h", [("b".to_owned(), 1)]);
        all.add_range(Range::all(Table::Secrets));
        all.add(Table::Secrets, b"c", Some(b"c"));
        image.add(all);
        image.add(seen(
            b"h",
            (0..=MAX_RECORDS).map(|it| (format!("c/{it}"), 1)),
        ));
        image.add(seen(b"h", [("large".to_owned(), MAX_BYTES)]));
        assert!(has(&image, "a"));
        assert_eq!(image.count(), 2);
    }

    #[test]
    fn an_image_follows_changes_in_their_order() {
        let mut before = seen(b"1", [("s/a".to_owned(), 1), ("s/b".to_owned(), 1)]);
        before.add_range(Range::prefix(Table::Secrets, b"s/"));
        let mut image = Image::of_seen(before).unwrap();
        let place = |key: &[u8]| (Table::Secrets, key.to_vec());
        let changes = vec![
            Change::Put(place(b"s/c"), b"c".to_vec()),
            Change::DeletePrefix(place(b"s/")),
            Change::Put(place(b"s/d"), b"d".to_vec()),
            Change::Put(place(b"t/a"), b"a".to_vec()),
            Change::Delete(place(b"t/b")),
        ];
        image.follow(b"2".to_vec(), changes);
        assert_eq!(image.header(), b"2");
        let mut found = Vec::new();
        image.scan(Range::prefix(Table::Secrets, b"s/"), &mut |key, _| {
            found.push(key.to_vec());
            ControlFlow::Continue(())
        });
        assert_eq!(found, [b"s/d"]);
        assert_eq!(image.get(Table::Secrets, b"s/a"), Some(None));
        assert_eq!(image.get(Table::Secrets, b"t/a"), Some(Some(&b"a"[..])));
        assert_eq!(image.get(Table::Secrets, b"t/b"), Some(None));
        assert_eq!(image.get(Table::Secrets, b"t/c"), None);
    }

    #[test]
    fn bytes_that_are_no_image_are_none() {
        let bytes = Image::of_seen(seen(b"h", [("a".to_owned(), 9)])).unwrap();
        let bytes = bytes.encode().unwrap();
        for len in 0..bytes.len() {
            assert_eq!(Image::decode(&bytes[..len]), None, "{len}");
        }
        assert_eq!(Image::decode(&[&*bytes, b"x"].concat()), None);
    }
}
