//! What the tasks of one handle share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use etcd_client::{
    Compare, CompareOp, DeleteOptions, KeyValue, ResponseHeader, Txn, TxnOp, TxnOpResponse,
};
use tokio::sync::Semaphore;

use crate::failure::Failure;
use crate::head::{At, Head};
use crate::history::History;
use crate::layout::{Layout, Span};
use crate::leases::Leases;
use crate::link::{Link, Until};
use crate::marker::Marker;

/// What the tasks of one handle share.
pub(crate) struct Shared {
    pub(crate) link: Link,
    pub(crate) layout: Layout,
    pub(crate) history: History,
    pub(crate) leases: Leases,
    /// The writer of this handle that waits for its turn among those of other handles, or has it. Others queue.
    pub(crate) writer: Arc<Semaphore>,
    numbers: AtomicU64,
}

impl Shared {
    pub(crate) fn new(link: Link, layout: Layout) -> Self {
        Self {
            link,
            layout,
            history: History::default(),
            leases: Leases::default(),
            writer: Arc::new(Semaphore::new(1)),
            numbers: AtomicU64::new(1),
        }
    }

    /// A number that this handle has not used before.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Reads the current state's head.
    pub(crate) async fn now(&self, until: Until) -> Result<At, Failure> {
        let head = self.link.get(until, &self.layout.head(), None).await?;
        let revision = head.header().map(ResponseHeader::revision);
        let revision = revision.ok_or(Failure::Closed)?;
        At::of(revision, head.kvs().first())
    }

    /// Deletes the epoch of a replacement, unless it is the current one, or was. It cannot become it afterwards.
    pub(crate) async fn discard_epoch(&self, until: Until, epoch: u64) -> Result<(), Failure> {
        let marker = TxnOp::delete(self.layout.replacement(epoch), None);
        let data = self.layout.epoch(epoch).into_iter().map(delete);
        let ops: Vec<_> = std::iter::once(marker).chain(data).collect();
        let key = self.layout.replacement(epoch);
        let is_there = Compare::create_revision(key, CompareOp::Greater, 0);
        let head = self.layout.head();
        let is_other = |form| Compare::value(&*head, CompareOp::NotEqual, form);
        let is_not_current = Head::all_of(epoch).map(is_other);
        let when: Vec<_> = std::iter::once(is_there).chain(is_not_current).collect();
        let txn = Txn::new().when(when).and_then(ops);
        self.link.txn(until, &txn).await.map(drop)
    }

    /// The replacement with this epoch is neither committed nor discarded, and has come so far.
    pub(crate) fn is_staged(&self, epoch: u64, marker: Marker) -> Compare {
        let key = self.layout.replacement(epoch);
        Compare::value(key, CompareOp::Equal, marker.encode())
    }

    /// Says how far a replacement has come.
    pub(crate) fn stage(&self, epoch: u64, marker: Marker) -> TxnOp {
        TxnOp::put(self.layout.replacement(epoch), marker.encode(), None)
    }
}

/// Locks, also after a panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Deletes a range.
pub(crate) fn delete(span: Span) -> TxnOp {
    let options = DeleteOptions::new().with_range(span.end);
    TxnOp::delete(span.start, Some(options))
}

/// The key-values of the nth answer of a transaction, which was a read.
pub(crate) fn read_at(responses: &[TxnOpResponse], index: usize) -> Result<&[KeyValue], Failure> {
    match responses.get(index) {
        Some(TxnOpResponse::Get(get)) => Ok(get.kvs()),
        _ => Err(Failure::Corrupt("etcd gave another answer".into())),
    }
}

/// A random number.
pub(crate) fn random() -> Result<u64, Failure> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)?;
    Ok(u64::from_be_bytes(bytes))
}
