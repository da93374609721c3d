//! What a transaction has changed so far.

use std::collections::BTreeMap;
use std::ops::Bound;

use mcplexer_secrets::backend::{Range, Table};

/// What a transaction has changed so far.
#[derive(Default)]
pub(crate) struct Changes {
    /// Prefixes that are deleted before the records are put.
    prefixes: Vec<(Table, Vec<u8>)>,
    /// Records that are put, and those that are deleted.
    records: BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>,
    /// How many bytes were put, also those that were put again.
    bytes: usize,
}

/// What a transaction knows about a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Known<'a> {
    Put(&'a [u8]),
    Deleted,
    Unchanged,
}

impl Changes {
    pub(crate) fn put(&mut self, table: Table, key: &[u8], record: &[u8]) {
        self.bytes += key.len() + record.len();
        let place = (table, key.to_vec());
        self.records.insert(place, Some(record.to_vec()));
    }

    pub(crate) fn delete(&mut self, table: Table, key: &[u8]) {
        self.records.insert((table, key.to_vec()), None);
    }

    pub(crate) fn delete_prefix(&mut self, table: Table, prefix: &[u8]) {
        let goes = |of: Table, key: &[u8]| of == table && key.starts_with(prefix);
        self.records.retain(|(of, key), _| !goes(*of, key));
        self.prefixes.retain(|(of, key)| !goes(*of, key));
        self.prefixes.push((table, prefix.to_vec()));
    }

    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Known<'_> {
        match self.records.get(&(table, key.to_vec())) {
            Some(Some(record)) => Known::Put(record),
            Some(None) => Known::Deleted,
            None if self.is_deleted(table, key) => Known::Deleted,
            None => Known::Unchanged,
        }
    }

    /// Whether a record is deleted with a prefix, before it may be put again.
    pub(crate) fn is_deleted(&self, table: Table, key: &[u8]) -> bool {
        let mut prefixes = self.prefixes.iter();
        prefixes.any(|(of, prefix)| *of == table && key.starts_with(prefix))
    }

    /// The records that are put within a range, in order.
    pub(crate) fn puts_in(&self, range: Range<'_>) -> impl Iterator<Item = (&[u8], &[u8])> {
        let prefix = (range.table, range.prefix.to_vec());
        let from = match range.after.filter(|after| *after >= range.prefix) {
            Some(after) => Bound::Excluded((range.table, after.to_vec())),
            None => Bound::Included(prefix.clone()),
        };
        self.records
            .range((from, Bound::Unbounded))
            .take_while(move |((table, key), _)| *table == prefix.0 && key.starts_with(&prefix.1))
            .filter_map(|((_, key), record)| Some((&**key, &**record.as_ref()?)))
    }

    /// The prefixes that are deleted before the records are put.
    pub(crate) fn prefixes(&self) -> &[(Table, Vec<u8>)] {
        &self.prefixes
    }

    /// The records that are put, and those that are deleted, in order.
    pub(crate) fn records(&self) -> impl Iterator<Item = (Table, &[u8], Option<&[u8]>)> {
        let records = self.records.iter();
        records.map(|((table, key), record)| (*table, &**key, record.as_deref()))
    }

    /// Whether something that may be there is deleted.
    pub(crate) fn deletes(&self) -> bool {
        !self.prefixes.is_empty() || self.records.values().any(Option::is_none)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.prefixes.is_empty() && self.records.is_empty()
    }

    /// How many operations these are, and at most how many bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.prefixes.len() + self.records.len(), self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Table = Table::Secrets;

    #[test]
    fn the_last_change_of_a_record_counts() {
        let mut changes = Changes::default();
        changes.put(TABLE, b"pa", b"1");
        assert_eq!(changes.get(TABLE, b"pa"), Known::Put(b"1"));
        changes.delete_prefix(TABLE, b"p");
        assert_eq!(changes.get(TABLE, b"pa"), Known::Deleted);
        assert_eq!(changes.get(Table::Meta, b"pa"), Known::Unchanged);
        changes.put(TABLE, b"pb", b"2");
        assert_eq!(changes.get(TABLE, b"pb"), Known::Put(b"2"));
        changes.delete(TABLE, b"pb");
        assert_eq!(changes.get(TABLE, b"pb"), Known::Deleted);
        assert_eq!(changes.get(TABLE, b"q"), Known::Unchanged);
    }

    #[test]
    fn puts_within_a_range_are_in_order() {
        let mut changes = Changes::default();
        for key in [b"pc", b"pa", b"q0", b"pb", b"a0"] {
            changes.put(TABLE, key, b"");
        }
        changes.delete(TABLE, b"pab");
        let range = Range::prefix(TABLE, b"p");
        let keys = |range| changes.puts_in(range).map(|it| it.0).collect::<Vec<_>>();
        assert_eq!(keys(range), [b"pa", b"pb", b"pc"]);
        assert_eq!(keys(range.after(b"pa")), [b"pb", b"pc"]);
        assert_eq!(keys(range.after(b"a")).len(), 3);
        assert!(keys(range.after(b"z")).is_empty());
    }
}
