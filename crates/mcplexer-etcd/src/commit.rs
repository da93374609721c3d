//! One transaction of etcd that makes a change, and finding out later whether it was made.

use etcd_client::{Compare, CompareOp, KeyValue, PutOptions, ResponseHeader, Txn, TxnOp};
use mcplexer_secrets::backend::CommitId;

use crate::failure::Failure;
use crate::head::{At, Head};
use crate::leases::{self, Slot};
use crate::link::Until;
use crate::long::{self, Piece};
use crate::shared::{Shared, read_at};

/// A change, and what it was made of.
pub(crate) struct Change {
    /// The state that the transaction began at.
    pub(crate) at: At,
    pub(crate) next: Head,
    /// What else must be true.
    pub(crate) compares: Vec<Compare>,
    /// What is stored before.
    pub(crate) pieces: Vec<Piece>,
    pub(crate) ops: Vec<TxnOp>,
    /// Ends the writer's turn.
    pub(crate) end_turn: TxnOp,
}

/// How a change ended.
pub(crate) enum End {
    /// At this revision.
    Applied(i64),
    Conflict,
    Unknown(CommitId, Failure),
}

/// Makes a change. With an error, nothing was changed, and never will be.
pub(crate) async fn commit(
    shared: &Shared,
    until: Until,
    mut change: Change,
) -> Result<End, Failure> {
    let pieces = std::mem::take(&mut change.pieces);
    if pieces.is_empty() {
        return apply(shared, until, change).await;
    }
    let lease = leases::grant(&shared.link, until, long::PIECES_TTL).await?;
    let end = match long::store(shared, until, lease, pieces).await {
        Ok(()) => apply(shared, until, change).await,
        Err(failure) => Err(failure),
    };
    if matches!(end, Ok(End::Conflict) | Err(_)) {
        leases::revoke(&shared.link, lease).await;
    }
    end
}

async fn apply(shared: &Shared, until: Until, change: Change) -> Result<End, Failure> {
    let Change {
        at,
        next,
        mut compares,
        pieces: _,
        ops,
        end_turn,
    } = change;
    let head = shared.layout.head();
    compares.push(Compare::mod_revision(
        &*head,
        CompareOp::Equal,
        at.head_revision,
    ));
    let number = shared.number();
    loop {
        let slot = shared.leases.slot(&shared.link, until).await?;
        let own = [
            TxnOp::put(&*head, next.encode(), None),
            slot.put(shared, number),
            end_turn.clone(),
        ];
        let txn = Txn::new()
            .when(&*compares)
            .and_then(own.into_iter().chain(ops.clone()).collect::<Vec<_>>())
            .or_else([end_turn.clone()]);
        let failure = match shared.link.txn_once(txn).await {
            Ok(answer) => {
                shared.leases.give_back(slot);
                let revision = answer.header().map_or(0, ResponseHeader::revision);
                return Ok(match answer.succeeded() {
                    true => End::Applied(revision),
                    false => End::Conflict,
                });
            }
            Err(failure) => failure,
        };
        if failure.is_silence() {
            return Ok(End::Unknown(slot.id(number), failure));
        }
        if failure.is_full() {
            // It was carried out or refused, and is not on its way: nothing has to be written to find out.
            match done_at(shared, until, slot, number).await {
                Ok(Some(revision)) => return Ok(End::Applied(revision)),
                Ok(None) => {}
                Err(_) => return Ok(End::Unknown(slot.id(number), failure)),
            }
        }
        shared.leases.give_back(slot);
        if failure.is_lost_lease() && !until.is_over() {
            shared.leases.leave_done(slot.lease);
        } else if failure.is_lost_key() {
            // The lease of the pieces has ended: this took too long.
            return Ok(End::Conflict);
        } else {
            return Err(failure);
        }
    }
}

/// The revision at which a commit put its number, if it is there.
async fn done_at(
    shared: &Shared,
    until: Until,
    slot: Slot,
    number: u64,
) -> Result<Option<i64>, Failure> {
    let key = shared.layout.done(slot.lease, slot.slot);
    let found = shared.link.get(until, &key, None).await?;
    let own = found.kvs().first();
    let own = own.filter(|it| it.value() == number.to_be_bytes());
    Ok(own.map(KeyValue::mod_revision))
}

impl Slot {
    fn put(self, shared: &Shared, number: u64) -> TxnOp {
        let options = PutOptions::new().with_lease(self.lease);
        let key = shared.layout.done(self.lease, self.slot);
        TxnOp::put(key, number.to_be_bytes(), Some(options))
    }

    fn id(self, number: u64) -> CommitId {
        let parts = [
            &self.lease.to_be_bytes()[..],
            &self.slot.to_be_bytes(),
            &number.to_be_bytes(),
        ];
        CommitId::new(parts.concat())
    }

    fn of_id(id: &CommitId) -> Option<(Self, u64)> {
        let (lease, rest) = id.as_bytes().split_first_chunk()?;
        let (slot, number) = rest.split_first_chunk()?;
        let slot = Self {
            lease: i64::from_be_bytes(*lease),
            slot: u32::from_be_bytes(*slot),
        };
        Some((slot, u64::from_be_bytes(number.try_into().ok()?)))
    }
}

/// Finds out whether a commit was applied.
///
/// Its number is there if it was. If it is not, it may still come: the head is written, so that it can no more.
pub(crate) async fn settle(shared: &Shared, until: Until, id: &CommitId) -> Result<bool, Failure> {
    let foreign = || Failure::Corrupt("this is no commit of this backend".into());
    let (slot, number) = Slot::of_id(id).ok_or_else(foreign)?;
    let (head, done) = (
        shared.layout.head(),
        shared.layout.done(slot.lease, slot.slot),
    );
    let void = Head {
        epoch: 0,
        is_void: true,
        has_long: false,
        owes: false,
    };
    let read = TxnOp::get(&*done, None);
    let unchanged = PutOptions::new().with_ignore_value();
    let fence = Txn::new()
        .when([Compare::mod_revision(&*head, CompareOp::Equal, 0)])
        .and_then([read.clone(), TxnOp::put(&*head, void.encode(), None)])
        .or_else([read.clone(), TxnOp::put(&*head, "", Some(unchanged))]);
    let is_done = |txn: Txn| async move {
        let answer = shared.link.txn(until, &txn).await?.op_responses();
        let found = read_at(&answer, 0)?.first();
        Ok::<_, Failure>(found.map(|it| it.value() == number.to_be_bytes()))
    };
    if is_done(Txn::new().and_then([read])).await? == Some(true) {
        shared.leases.give_back(slot);
        return Ok(true);
    }
    let found = is_done(fence).await?;
    if found.is_none() && leases::has_ended(&shared.link, until, slot.lease).await? {
        return Err(Failure::Forgotten);
    }
    shared.leases.give_back(slot);
    Ok(found == Some(true))
}
