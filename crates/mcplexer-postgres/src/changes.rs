//! The changes of a transaction that are not on the server yet.

use std::collections::BTreeMap;
use std::ops::Bound;

use mcplexer_secrets::backend::{Range, Table};

/// The key before which every key with this prefix comes; `None` if there is no such key.
pub(crate) fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix.get(..=last)?.to_vec();
    if let Some(byte) = end.last_mut() {
        *byte += 1;
    }
    Some(end)
}

/// Deletions of prefixes, and what was put and deleted after them.
#[derive(Default)]
pub(crate) struct Changes {
    pub(crate) prefixes: Vec<(Table, Vec<u8>)>,
    pub(crate) records: BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>,
    bytes: usize,
}

impl Changes {
    pub(crate) fn put(&mut self, table: Table, key: &[u8], record: &[u8]) {
        self.bytes += key.len() + record.len();
        let record = Some(record.to_vec());
        self.records.insert((table, key.to_vec()), record);
    }

    pub(crate) fn delete(&mut self, table: Table, key: &[u8]) {
        self.bytes += key.len();
        self.records.insert((table, key.to_vec()), None);
    }

    pub(crate) fn delete_prefix(&mut self, table: Table, prefix: &[u8]) {
        self.records
            .retain(|(of, key), _| *of != table || !key.starts_with(prefix));
        self.prefixes.push((table, prefix.to_vec()));
    }

    /// About how much memory they take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// `None` if nothing was changed in this place; `Some(None)` if the record is deleted.
    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Option<Option<&[u8]>> {
        match self.records.get(&(table, key.to_vec())) {
            Some(record) => Some(record.as_deref()),
            None => self.deletes(table, key).then_some(None),
        }
    }

    /// Whether what the server has in this place is deleted, by its prefix.
    pub(crate) fn deletes(&self, table: Table, key: &[u8]) -> bool {
        let mut prefixes = self.prefixes.iter();
        prefixes.any(|(of, prefix)| *of == table && key.starts_with(prefix))
    }

    /// What was put and deleted in a range, after a key, up to and with the key `to` if there is one.
    pub(crate) fn within(
        &self,
        range: Range<'_>,
        after: Option<&[u8]>,
        to: Option<&[u8]>,
    ) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let from = match after {
            Some(after) if after >= range.prefix => Bound::Excluded((range.table, after.to_vec())),
            _ => Bound::Included((range.table, range.prefix.to_vec())),
        };
        let found = self.records.range((from, Bound::Unbounded));
        let found = found.take_while(|((table, key), _)| {
            *table == range.table
                && key.starts_with(range.prefix)
                && to.is_none_or(|to| key.as_slice() <= to)
        });
        found
            .map(|((_, key), record)| (key.clone(), record.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_key_that_does_not_have_it() {
        assert_eq!(end_of(b"a\0").as_deref(), Some(b"a\x01".as_slice()));
        assert_eq!(end_of(b"a\xff\xff").as_deref(), Some(b"b".as_slice()));
        assert_eq!(end_of(b"\xff"), None);
        assert_eq!(end_of(b""), None);
    }

    #[test]
    fn a_deleted_prefix_takes_what_was_put_before_and_not_what_is_put_later() {
        let mut changes = Changes::default();
        changes.put(Table::Secrets, b"a/1", b"before");
        changes.delete_prefix(Table::Secrets, b"a/");
        changes.put(Table::Secrets, b"a/2", b"later");
        assert_eq!(changes.get(Table::Secrets, b"a/1"), Some(None));
        assert_eq!(
            changes.get(Table::Secrets, b"a/2"),
            Some(Some(b"later".as_slice()))
        );
        assert_eq!(changes.get(Table::Secrets, b"b"), None);
        assert_eq!(changes.get(Table::Meta, b"a/1"), None);
    }
}
