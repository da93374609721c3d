//! How changes become operations of etcd.
//!
//! etcd takes 128 operations in a list, and lists in lists. It takes 1.5 MiB in a request. It refuses to put a key and to
//! delete it in one request, also by a range: what is deleted are the ranges between the records that are put.

use std::collections::BTreeMap;

use etcd_client::{Txn, TxnOp};
use mcplexer_secrets::backend::{Range, Table};

use crate::changes::Changes;
use crate::failure::Failure;
use crate::layout::{Layout, Span};
use crate::long::{self, Long, PIECE, Piece, Stored};
use crate::shared::{delete, random};

/// How many bytes of records are in the request itself. The rest of 1.5 MiB is for keys: those of a record in pieces can be
/// in it seven times.
const INLINE: usize = 512 << 10;
/// How many operations are in one list. Three lists in each other have no more than 128 together.
const LIST: usize = 40;

/// How changes become operations of etcd.
pub(crate) struct Plan {
    /// What is stored before.
    pub(crate) pieces: Vec<Piece>,
    /// What the commit does.
    pub(crate) ops: Vec<TxnOp>,
}

/// Plans changes of an epoch. `has_long`: some records there may be in pieces.
pub(crate) fn plan(
    layout: &Layout,
    epoch: u64,
    has_long: bool,
    changes: &Changes,
) -> Result<Plan, Failure> {
    let long = too_long(changes)?;
    let has_long = has_long || !long.is_empty();
    let mut pieces = Vec::new();
    let mut ops = Vec::new();
    let written =
        |table: Table, key: &[u8], id: u64| Span::prefix(layout.pieces(epoch, table, key, id));
    for (table, prefix) in changes.prefixes() {
        let range = Range::prefix(*table, prefix);
        let puts = || changes.puts_in(range).map(|(key, _)| key);
        let kept = puts().map(|key| Span::key(layout.record(epoch, *table, key)));
        let span = Span::prefix(layout.record(epoch, *table, prefix));
        ops.extend(span.without(kept).into_iter().map(delete));
        if has_long {
            let id = |key: &[u8]| long.get(&(*table, key.to_vec()));
            let mut kept: Vec<_> = puts()
                .filter_map(|key| Some(written(*table, key, *id(key)?)))
                .collect();
            // Their order is not always that of the records.
            kept.sort();
            let span = Span::prefix(layout.pieces_of_prefix(epoch, *table, prefix));
            ops.extend(span.without(kept).into_iter().map(delete));
        }
    }
    for (table, key, record) in changes.records() {
        let id = long.get(&(table, key.to_vec())).copied();
        let place = layout.record(epoch, table, key);
        match (record, id) {
            (None, _) => ops.push(TxnOp::delete(place, None)),
            (Some(record), None) => {
                ops.push(TxnOp::put(place, Stored::Short(record).encode(), None));
            }
            (Some(record), Some(id)) => {
                let len = record.len() as u64;
                let stored = Stored::Long(Long { id, len });
                ops.push(TxnOp::put(place, stored.encode(), None));
                let cut = long::pieces(&layout.pieces(epoch, table, key, id), record);
                ops.extend(cut.iter().map(|piece| long::keep(piece.key.clone())));
                pieces.extend(cut);
            }
        }
        if has_long && !changes.is_deleted(table, key) {
            let span = Span::prefix(layout.pieces_of(epoch, table, key));
            let kept = id.map(|id| written(table, key, id));
            ops.extend(span.without(kept).into_iter().map(delete));
        }
    }
    Ok(Plan { pieces, ops })
}

/// The records that are stored in pieces: the longest ones, so that the others fit into the request. Each with a number
/// of its own.
fn too_long(changes: &Changes) -> Result<BTreeMap<(Table, Vec<u8>), u64>, Failure> {
    let puts = changes.records();
    let mut puts: Vec<_> = puts
        .filter_map(|(table, key, record)| Some((record?.len(), table, key)))
        .collect();
    puts.sort_unstable();
    let mut total: usize = puts.iter().map(|(len, ..)| len).sum();
    let mut long = BTreeMap::new();
    while let Some((len, table, key)) = puts.pop() {
        if len <= PIECE && total <= INLINE {
            break;
        }
        total -= len;
        long.insert((table, key.to_vec()), random()?);
    }
    Ok(long)
}

/// Puts operations into lists of lists, if they are too many for one.
pub(crate) fn nested(mut ops: Vec<TxnOp>) -> Vec<TxnOp> {
    while ops.len() > LIST {
        let mut lists = Vec::with_capacity(ops.len().div_ceil(LIST));
        let mut rest = ops.into_iter();
        loop {
            let list: Vec<_> = rest.by_ref().take(LIST).collect();
            if list.is_empty() {
                break;
            }
            lists.push(TxnOp::txn(Txn::new().and_then(list)));
        }
        ops = lists;
    }
    ops
}
