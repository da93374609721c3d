//! Under which keys of etcd everything is.
//!
//! | key | value |
//! | --- | --- |
//! | `PREFIX/head` | the [`Head`](crate::head::Head): every commit writes it |
//! | `PREFIX/data/EPOCH/TABLE/KEY` | a record, or where its pieces are |
//! | `PREFIX/long/EPOCH/TABLE/KEY′ID-PIECE` | a piece of a record |
//! | `PREFIX/lock/LEASE` | a writer that waits for its turn, or has it |
//! | `PREFIX/done/LEASE-SLOT` | the number of a commit |
//! | `PREFIX/next/EPOCH` | the [`Marker`](crate::marker::Marker) of a replacement that is not committed |
//!
//! KEY′ is KEY with each NUL doubled to NUL, 0xFF, and an end of NUL, 0x01: so a prefix of keys is a prefix of the keys
//! of their pieces.

use mcplexer_secrets::backend::Table;

/// A half-open range of keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) start: Vec<u8>,
    pub(crate) end: Vec<u8>,
}

impl Span {
    /// All keys that begin with a prefix.
    pub(crate) fn prefix(prefix: Vec<u8>) -> Self {
        let end = after_prefix(&prefix);
        Self { start: prefix, end }
    }

    /// One key.
    pub(crate) fn key(key: Vec<u8>) -> Self {
        let end = [&*key, b"\0"].concat();
        Self { start: key, end }
    }

    fn is_empty(&self) -> bool {
        self.start >= self.end
    }

    /// What is left of this range without others, which are in order and do not overlap.
    pub(crate) fn without(self, others: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut left = Vec::new();
        let mut start = self.start;
        for other in others {
            left.push(Self {
                start,
                end: other.start,
            });
            start = other.end;
        }
        left.push(Self {
            start,
            end: self.end,
        });
        left.retain(|span| !span.is_empty());
        left
    }
}

/// The first key after all keys that begin with a prefix, which has a byte that is not 0xFF.
fn after_prefix(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}

/// The keys of one store.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    prefix: String,
}

fn digit(table: Table) -> &'static str {
    match table {
        Table::Meta => "0",
        Table::Scopes => "1",
        Table::Secrets => "2",
        other => other.name(),
    }
}

impl Layout {
    /// The keys of a store, all of which begin with a prefix and a slash.
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
        }
    }

    fn under(&self, rest: &str) -> Vec<u8> {
        format!("{}/{rest}", self.prefix).into_bytes()
    }

    pub(crate) fn head(&self) -> Vec<u8> {
        self.under("head")
    }

    pub(crate) fn locks(&self) -> Vec<u8> {
        self.under("lock/")
    }

    pub(crate) fn lock(&self, lease: i64) -> Vec<u8> {
        self.under(&format!("lock/{lease:016x}"))
    }

    pub(crate) fn done(&self, lease: i64, slot: u32) -> Vec<u8> {
        self.under(&format!("done/{lease:016x}-{slot:x}"))
    }

    pub(crate) fn replacements(&self) -> Vec<u8> {
        self.under("next/")
    }

    pub(crate) fn replacement(&self, epoch: u64) -> Vec<u8> {
        self.under(&format!("next/{epoch:016x}"))
    }

    /// Returns the epoch of a replacement, whose key this is.
    pub(crate) fn epoch_of(&self, replacement: &[u8]) -> Option<u64> {
        let epoch = replacement.strip_prefix(&*self.replacements())?;
        u64::from_str_radix(std::str::from_utf8(epoch).ok()?, 16).ok()
    }

    /// Everything of an epoch.
    pub(crate) fn epoch(&self, epoch: u64) -> [Span; 2] {
        let of = |part: &str| Span::prefix(self.under(&format!("{part}/{epoch:016x}/")));
        [of("data"), of("long")]
    }

    pub(crate) fn record(&self, epoch: u64, table: Table, key: &[u8]) -> Vec<u8> {
        let mut full = self.under(&format!("data/{epoch:016x}/{}/", digit(table)));
        full.extend_from_slice(key);
        full
    }

    /// What the keys of the pieces begin with of all records whose keys begin with a prefix.
    pub(crate) fn pieces_of_prefix(&self, epoch: u64, table: Table, prefix: &[u8]) -> Vec<u8> {
        let mut full = self.under(&format!("long/{epoch:016x}/{}/", digit(table)));
        for &byte in prefix {
            full.push(byte);
            if byte == 0 {
                full.push(u8::MAX);
            }
        }
        full
    }

    /// What the keys of the pieces of a record begin with.
    pub(crate) fn pieces_of(&self, epoch: u64, table: Table, key: &[u8]) -> Vec<u8> {
        let mut full = self.pieces_of_prefix(epoch, table, key);
        full.extend_from_slice(&[0, 1]);
        full
    }

    /// What the keys of the pieces of one writing of a record begin with.
    pub(crate) fn pieces(&self, epoch: u64, table: Table, key: &[u8], id: u64) -> Vec<u8> {
        let mut full = self.pieces_of(epoch, table, key);
        full.extend_from_slice(format!("{id:016x}").as_bytes());
        full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(text: &[(&str, &str)]) -> Vec<Span> {
        let span = |(start, end): &(&str, &str)| Span {
            start: start.as_bytes().to_vec(),
            end: end.as_bytes().to_vec(),
        };
        text.iter().map(span).collect()
    }

    #[test]
    fn a_range_without_keys_is_what_lies_between_them() {
        let range = Span::prefix(b"a".to_vec());
        let keys = [b"a".to_vec(), b"a\0".to_vec(), b"ab".to_vec()];
        let left = range.without(keys.map(Span::key));
        assert_eq!(left, spans(&[("a\0\0", "ab"), ("ab\0", "b")]));
    }

    #[test]
    fn the_end_of_a_prefix_carries() {
        assert_eq!(after_prefix(b"a\xff\xff"), b"b");
    }

    #[test]
    fn pieces_are_in_the_range_of_the_prefixes_of_their_record_only() {
        let layout = Layout::new("p");
        let is_in = |key: &[u8], prefix: &[u8]| {
            let prefix = layout.pieces_of_prefix(1, Table::Secrets, prefix);
            let piece = layout.pieces(1, Table::Secrets, key, u64::MAX);
            piece.starts_with(&prefix)
        };
        let keys: [&[u8]; 6] = [b"", b"a", b"a\0", b"a\0\x01", b"a\0\xff", b"a\x01b"];
        for key in keys {
            for prefix in keys {
                assert_eq!(
                    is_in(key, prefix),
                    key.starts_with(prefix),
                    "{key:?} {prefix:?}"
                );
            }
        }
    }

    #[test]
    fn the_pieces_of_one_record_are_no_other_s() {
        let layout = Layout::new("p");
        let of = |key: &[u8]| layout.pieces_of(1, Table::Secrets, key);
        assert!(!of(b"a\0\x01").starts_with(&of(b"a")));
        assert!(!of(b"a\0").starts_with(&of(b"a")));
    }
}
