//! Reading records at one revision of etcd.

use etcd_client::{KeyValue, Txn, TxnOp};
use mcplexer_secrets::backend::Table;

use crate::failure::Failure;
use crate::layout::Span;
use crate::link::Until;
use crate::long::Stored;
use crate::shared::{Shared, read_at};

/// etcd takes no more operations at once, unless it is set up otherwise.
const MOST_READS: usize = 128;
/// How many records a scan reads at once. One can be half a mebibyte long.
const PAGE: i64 = 200;
/// How many pieces are read at once.
const PIECES: i64 = 16;

/// A revision of etcd, and the epoch that the records of its state belong to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) revision: i64,
    pub(crate) epoch: u64,
}

/// A page of a scan.
pub(crate) struct Page {
    /// Keys of records, and the records, in order.
    pub(crate) records: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether there are more.
    pub(crate) more: bool,
}

/// Reads the records at these places, in this order.
pub(crate) async fn records(
    shared: &Shared,
    until: Until,
    moment: Moment,
    places: &[(Table, Vec<u8>)],
) -> Result<Vec<Option<Vec<u8>>>, Failure> {
    let mut records = Vec::with_capacity(places.len());
    for places in places.chunks(MOST_READS) {
        let keys = places
            .iter()
            .map(|(table, key)| shared.layout.record(moment.epoch, *table, key));
        let keys: Vec<_> = keys.collect();
        let answer = shared.link.at(moment.revision, |options| {
            let read = |key: &Vec<u8>| TxnOp::get(key.clone(), Some(options.clone()));
            let reads: Vec<_> = keys.iter().map(read).collect();
            let txn = Txn::new().and_then(reads);
            async move { shared.link.txn(until, &txn).await }
        });
        let answer = answer.await?.op_responses();
        for (index, (table, key)) in places.iter().enumerate() {
            let found = read_at(&answer, index)?.first();
            records.push(match found {
                Some(found) => Some(whole(shared, until, moment, *table, key, found).await?),
                None => None,
            });
        }
    }
    Ok(records)
}

/// Reads the first records of a range of etcd's keys, which are those of a table.
pub(crate) async fn page(
    shared: &Shared,
    until: Until,
    moment: Moment,
    table: Table,
    span: &Span,
) -> Result<Page, Failure> {
    let answer = shared.link.page(until, span, moment.revision, PAGE).await?;
    let before = shared.layout.record(moment.epoch, table, b"").len();
    let mut records = Vec::with_capacity(answer.kvs().len());
    for found in answer.kvs() {
        let key = found.key().get(before..).unwrap_or_default().to_vec();
        let record = whole(shared, until, moment, table, &key, found).await?;
        records.push((key, record));
    }
    Ok(Page {
        more: answer.more(),
        records,
    })
}

/// Returns the record under a key, with its pieces.
async fn whole(
    shared: &Shared,
    until: Until,
    moment: Moment,
    table: Table,
    key: &[u8],
    found: &KeyValue,
) -> Result<Vec<u8>, Failure> {
    let corrupt = || Failure::Corrupt("a record is not as a store writes it".into());
    let long = match Stored::decode(found.value()).ok_or_else(corrupt)? {
        Stored::Short(record) => return Ok(record.to_vec()),
        Stored::Long(long) => long,
    };
    let mut span = Span::prefix(shared.layout.pieces(moment.epoch, table, key, long.id));
    let mut record = Vec::new();
    loop {
        let answer = shared
            .link
            .page(until, &span, moment.revision, PIECES)
            .await?;
        for piece in answer.kvs() {
            record.extend_from_slice(piece.value());
        }
        match answer.kvs().last().filter(|_| answer.more()) {
            Some(last) => span.start = Span::key(last.key().to_vec()).end,
            None => break,
        }
    }
    if record.len() as u64 != long.len {
        return Err(corrupt());
    }
    Ok(record)
}
