//! A change that is not committed yet.

use std::future::Future;
use std::sync::Arc;

use etcd_client::{Txn, TxnOp};
use mcplexer_secrets::backend::{
    BackendError, Commit, EachRecord, Range, Snapshot, Successor, Table, Transaction,
};

use crate::backend::EtcdBackend;
use crate::changes::{Changes, Known};
use crate::commit::{self, Change, End};
use crate::failure::Failure;
use crate::head::{At, Head};
use crate::leases;
use crate::link::Until;
use crate::long;
use crate::marker::Marker;
use crate::plan::{Plan, nested, plan};
use crate::reading::{self, Moment};
use crate::shared::{Shared, delete, read_at};
use crate::state::{next, owned, span};
use crate::turn::Turn;

/// A replacement writes what it has so far when it is that large.
const FLUSH_OPERATIONS: usize = 500;
const FLUSH_BYTES: usize = 512 << 10;

/// A change that is not committed yet.
pub(crate) struct Pending<'a> {
    backend: &'a EtcdBackend,
    turn: Turn,
    at: At,
    /// What is read: the state that this began at, or what a replacement has written so far.
    moment: Option<Moment>,
    changes: Changes,
    replacement: Option<Staged>,
}

/// A state in another epoch, which takes the place of the current one with the commit.
struct Staged {
    epoch: u64,
    marker: Marker,
    /// Another writer has discarded it, since this one has lost its turn.
    is_lost: bool,
}

impl<'a> Pending<'a> {
    /// Begins to change a state.
    pub(crate) fn new(backend: &'a EtcdBackend, turn: Turn, at: At) -> Self {
        let moment = at.head.map(|head| Moment {
            revision: at.revision,
            epoch: head.epoch,
        });
        Self {
            backend,
            turn,
            at,
            moment,
            changes: Changes::default(),
            replacement: None,
        }
    }

    /// Begins to replace a state with one in another epoch, or goes on with what was kept of one.
    pub(crate) fn replacement(
        backend: &'a EtcdBackend,
        mut turn: Turn,
        at: At,
        epoch: u64,
        marker: Marker,
    ) -> Self {
        if !marker.is_kept {
            turn.discards(epoch);
        }
        // Nobody else writes there, so the latest revision will do.
        let moment = Moment { revision: 0, epoch };
        Self {
            backend,
            turn,
            at,
            moment: Some(moment),
            changes: Changes::default(),
            replacement: Some(Staged {
                epoch,
                marker,
                is_lost: false,
            }),
        }
    }

    fn run<T: Send + 'static, F>(
        &self,
        what: &str,
        work: impl FnOnce(Arc<Shared>, Until) -> F,
    ) -> Result<T, BackendError>
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let work = work(Arc::clone(self.backend.shared()), self.backend.until());
        let done = self.backend.run(work);
        done.map_err(|failure| self.backend.error(what, failure))
    }

    /// Writes what a replacement has so far, if it is much.
    fn flush_if_large(&mut self) -> Result<(), BackendError> {
        let (operations, bytes) = self.changes.size();
        if self.replacement.is_some() && (operations >= FLUSH_OPERATIONS || bytes >= FLUSH_BYTES) {
            return self.flush(false);
        }
        Ok(())
    }

    /// Writes what a replacement has so far, in one request, which says whether it is to be kept.
    fn flush(&mut self, is_kept: bool) -> Result<(), BackendError> {
        let Some(staged) = &self.replacement else {
            return Ok(());
        };
        let changes = std::mem::take(&mut self.changes);
        let is_done = changes.is_empty() && is_kept <= staged.marker.is_kept;
        if is_done || staged.is_lost {
            return Ok(());
        }
        let (epoch, before) = (staged.epoch, staged.marker);
        let (is_there, after) = self.run("write to", |shared, until| async move {
            let Plan { pieces, ops } = plan(&shared.layout, epoch, before.has_long, &changes)?;
            let has_long = before.has_long || !pieces.is_empty();
            let after = before.after_write(is_kept, has_long);
            if !pieces.is_empty() {
                let lease = leases::grant(&shared.link, until, long::PIECES_TTL).await?;
                long::store(&shared, until, lease, pieces).await?;
            }
            let marker = shared.layout.replacement(epoch);
            let stage = shared.stage(epoch, after);
            let txn = Txn::new()
                .when([shared.is_staged(epoch, before)])
                .and_then(nested(std::iter::once(stage).chain(ops).collect()))
                .or_else([TxnOp::get(marker, None)]);
            let answer = shared.link.txn(until, &txn).await?;
            // Or it was written, and the answer was lost.
            let is_written = answer.succeeded() || {
                let answer = answer.op_responses();
                let found = read_at(&answer, 0)?.first();
                found.is_some_and(|it| it.value() == after.encode())
            };
            Ok((is_written, after))
        })?;
        if let Some(staged) = &mut self.replacement {
            staged.marker = after;
            staged.is_lost = !is_there;
        }
        match is_kept {
            true => self.turn.keeps(),
            false => self.turn.discards(epoch),
        }
        Ok(())
    }

    /// What the commit is to do.
    fn change(&self) -> Result<Change, Failure> {
        let shared = self.backend.shared();
        let (at, end_turn) = (self.at, self.turn.end());
        if let Some(staged) = &self.replacement {
            let marker = TxnOp::delete(shared.layout.replacement(staged.epoch), None);
            let old = at.head.map(|head| shared.layout.epoch(head.epoch));
            let old = old.into_iter().flatten().map(delete);
            return Ok(Change {
                at,
                next: Head {
                    epoch: staged.epoch,
                    is_void: false,
                    has_long: staged.marker.has_long,
                    owes: true,
                },
                compares: vec![shared.is_staged(staged.epoch, staged.marker)],
                pieces: Vec::new(),
                ops: std::iter::once(marker).chain(old).collect(),
                end_turn,
            });
        }
        let head = match at.head {
            Some(head) => head,
            None => Head {
                epoch: crate::shared::random()?,
                is_void: false,
                has_long: false,
                owes: false,
            },
        };
        let Plan { pieces, ops } = plan(&shared.layout, head.epoch, head.has_long, &self.changes)?;
        let owed = head.owes && !shared.history.is_paid(at.head_revision);
        Ok(Change {
            at,
            next: Head {
                has_long: head.has_long || !pieces.is_empty(),
                owes: owed || self.changes.deletes(),
                ..head
            },
            compares: Vec::new(),
            pieces,
            ops: nested(ops),
            end_turn,
        })
    }
}

impl Snapshot for Pending<'_> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        let known = |(table, key): &(Table, &[u8])| self.changes.get(*table, key);
        let unchanged = places.iter().filter(|it| known(it) == Known::Unchanged);
        let asked: Vec<_> = unchanged.copied().collect();
        let mut found = match self.moment {
            Some(moment) if !asked.is_empty() => {
                let asked = owned(&asked);
                self.run("read from", |shared, until| async move {
                    reading::records(&shared, until, moment, &asked).await
                })?
            }
            _ => vec![None; asked.len()],
        }
        .into_iter();
        let record = |place| match known(place) {
            Known::Put(record) => Some(record.to_vec()),
            Known::Deleted => None,
            Known::Unchanged => found.next().flatten(),
        };
        Ok(places.iter().map(record).collect())
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        let mut own = self.changes.puts_in(range).peekable();
        let mut after = range.after.map(<[u8]>::to_vec);
        while let Some(moment) = self.moment {
            let (table, prefix, from) = (range.table, range.prefix.to_vec(), after.take());
            let page = self.run("read from", |shared, until| async move {
                let span = span(&shared, moment.epoch, table, &prefix, from.as_deref());
                reading::page(&shared, until, moment, table, &span).await
            })?;
            for (key, record) in &page.records {
                while let Some((key, record)) = own.next_if(|(own, _)| *own < &**key) {
                    if each(key, record).is_break() {
                        return Ok(());
                    }
                }
                let is_unchanged = self.changes.get(table, key) == Known::Unchanged;
                if is_unchanged && each(key, record).is_break() {
                    return Ok(());
                }
            }
            after = next(page);
            if after.is_none() {
                break;
            }
        }
        for (key, record) in own {
            if each(key, record).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Transaction for Pending<'_> {
    fn is_first(&self) -> bool {
        self.at.head.is_none()
    }

    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Result<(), BackendError> {
        self.changes.put(table, key, record);
        self.flush_if_large()
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), BackendError> {
        self.changes.delete(table, key);
        self.flush_if_large()
    }

    fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Result<(), BackendError> {
        self.changes.delete_prefix(table, prefix);
        self.flush_if_large()
    }

    fn commit(mut self: Box<Self>) -> Result<Commit, BackendError> {
        self.flush(false)?;
        if self.replacement.as_ref().is_some_and(|it| it.is_lost) {
            return Ok(Commit::Conflict);
        }
        let change = self
            .change()
            .map_err(|failure| self.backend.error("write to", failure))?;
        let (owes, replaces) = (change.next.owes, self.replacement.is_some());
        let end = self.run("write to", |shared, until| async move {
            let end = commit::commit(&shared, until, change).await?;
            if let End::Applied(revision) = end
                && owes
            {
                shared.history.owe(revision);
                if replaces {
                    shared.history.pay(&shared.link).await;
                }
            }
            Ok(end)
        })?;
        Ok(match end {
            End::Applied(_) => {
                self.turn.has_ended();
                Commit::Applied
            }
            End::Conflict => Commit::Conflict,
            End::Unknown(id, failure) => {
                Commit::Unknown(id, self.backend.error("write to", failure))
            }
        })
    }
}

impl Successor for Pending<'_> {
    /// What is written later, and not kept, cannot be told from it any more: until it is kept again, the next writer
    /// discards all of it.
    fn keep(&mut self) -> Result<(), BackendError> {
        if self.at.head.is_none() {
            // There is nothing to replace.
            return Ok(());
        }
        self.flush(true)?;
        match self.replacement.as_ref().is_some_and(|it| it.is_lost) {
            true => Err(self.backend.error("write to", Failure::Queue)),
            false => Ok(()),
        }
    }
}
