//! The turn of a writer: writers queue in the order in which they came.
//!
//! Nothing depends on it. Each commit is applied only if the head is as it was when the transaction began.
//!
//! A handle has one key to queue with. A node that did not answer may carry out a request much later, when the turn is
//! over: the key that comes then is that of the handle's next turn, or ends with its lease.

use std::sync::Arc;
use std::time::Duration;

use etcd_client::{
    Client, Compare, CompareOp, EventType, GetOptions, KeyValue, PutOptions, ResponseHeader,
    SortOrder, SortTarget, Txn, TxnOp, TxnOpResponse, TxnResponse, WatchOptions,
};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout, timeout_at};

use crate::failure::Failure;
use crate::head::At;
use crate::leases::RENEWED;
use crate::link::Until;
use crate::marker::Marker;
use crate::shared::{Shared, read_at};

/// How long to wait for news of the writer before, until it is asked whether there is one. News can be lost.
const NEWS: Duration = Duration::from_secs(2);
/// More replacements than this do not fail at the same time.
const LEFTOVERS: i64 = 16;

/// The turn of a writer. It ends with the commit, or when this is dropped.
pub(crate) struct Turn {
    shared: Arc<Shared>,
    key: Vec<u8>,
    /// The revision at which the key came.
    since: i64,
    lease: i64,
    /// The epoch of a replacement that is to be discarded if it is not committed.
    staged: Option<u64>,
    /// What another replacement of the current state has kept.
    begun: Option<(u64, Marker)>,
    runtime: Handle,
    renewing: AbortHandle,
    /// `None` if the turn ended with a commit.
    permit: Option<OwnedSemaphorePermit>,
}

/// What a writer finds who looks for its turn.
struct Found {
    own_since: i64,
    is_first: bool,
    at: At,
    leftovers: Vec<(u64, Option<Marker>)>,
}

impl Turn {
    /// Waits for the turn. Returns it with the state that it begins at.
    pub(crate) async fn begin(shared: Arc<Shared>, until: Until) -> Result<(Self, At), Failure> {
        loop {
            match Self::try_to_begin(Arc::clone(&shared), until).await {
                Err(failure) if failure.is_lost_lease() && !until.is_over() => {}
                begun => return begun,
            }
        }
    }

    async fn try_to_begin(shared: Arc<Shared>, until: Until) -> Result<(Self, At), Failure> {
        let queue = Arc::clone(&shared.writer).acquire_owned();
        let permit = timeout_at(until.instant(), queue).await;
        let permit = permit
            .map_err(|_| Failure::Queue)?
            .map_err(|_| Failure::Closed)?;
        let (lease, ()) = tokio::try_join!(
            shared.leases.turn(&shared.link, until),
            // Before the commit, which is one way there and back then.
            shared.leases.prepare_done(&shared.link, until),
        )?;
        let renewing = tokio::spawn(keep_renewing(Arc::clone(&shared), lease));
        let mut turn = Self {
            key: shared.layout.lock(lease),
            shared,
            since: 0,
            staged: None,
            begun: None,
            lease,
            runtime: Handle::current(),
            renewing: renewing.abort_handle(),
            permit: Some(permit),
        };
        match turn.wait(until).await {
            Ok(at) => Ok((turn, at)),
            Err(failure) => {
                turn.shared.leases.leave_turn(turn.lease);
                Err(failure)
            }
        }
    }

    /// Ends this turn, but not a later one of this handle.
    pub(crate) fn end(&self) -> TxnOp {
        let end = TxnOp::delete(&*self.key, None);
        TxnOp::txn(Txn::new().when([self.is_now()]).and_then([end]))
    }

    /// It is this turn, and not a later one of this handle.
    pub(crate) fn is_now(&self) -> Compare {
        Compare::create_revision(&*self.key, CompareOp::Equal, self.since)
    }

    /// An epoch is to be discarded with the end of the turn, if it is not committed.
    pub(crate) fn discards(&mut self, epoch: u64) {
        self.staged = Some(epoch);
    }

    /// An epoch is not to be discarded with the end of the turn: what it has was kept.
    pub(crate) fn keeps(&mut self) {
        self.staged = None;
    }

    /// What another replacement of the current state has kept.
    pub(crate) fn begun(&self) -> Option<(u64, Marker)> {
        self.begun
    }

    /// The turn ended with a commit.
    pub(crate) fn has_ended(&mut self) {
        self.permit = None;
    }

    async fn wait(&mut self, until: Until) -> Result<At, Failure> {
        let mut found = self.queue(until).await?;
        loop {
            self.since = found.own_since;
            if found.is_first {
                for (epoch, marker) in &found.leftovers {
                    match marker {
                        Some(marker)
                            if self.begun.is_none() && marker.follows(found.at.head_revision) =>
                        {
                            self.begun = Some((*epoch, *marker));
                        }
                        _ => self.shared.discard_epoch(until, *epoch).await?,
                    }
                }
                return Ok(found.at);
            }
            if until.is_over() {
                return Err(Failure::Queue);
            }
            self.wait_for_one_before(until).await?;
            found = match self.look(until).await? {
                // The lease has ended.
                found if found.own_since == 0 => self.queue(until).await?,
                found => found,
            };
        }
    }

    /// What to look for.
    fn questions(&self) -> [TxnOp; 4] {
        let layout = &self.shared.layout;
        let first = GetOptions::new()
            .with_prefix()
            .with_sort(SortTarget::Create, SortOrder::Ascend)
            .with_limit(1);
        let leftovers = GetOptions::new().with_prefix().with_limit(LEFTOVERS);
        [
            TxnOp::get(&*self.key, None),
            TxnOp::get(layout.locks(), Some(first)),
            TxnOp::get(layout.head(), None),
            TxnOp::get(layout.replacements(), Some(leftovers)),
        ]
    }

    /// Looks who is the first. Unlike [`queue`](Self::queue), this writes nothing, so no disk makes others wait.
    async fn look(&self, until: Until) -> Result<Found, Failure> {
        let txn = Txn::new().and_then(self.questions());
        let answer = self.shared.link.txn(until, &txn).await?;
        self.found(&answer, &answer.op_responses())
    }

    /// Queues, if that is not done yet, and looks who is the first.
    async fn queue(&self, until: Until) -> Result<Found, Failure> {
        let reads = self.questions();
        let put = TxnOp::put(
            &*self.key,
            "",
            Some(PutOptions::new().with_lease(self.lease)),
        );
        let and_read: Vec<_> = std::iter::once(put).chain(reads.clone()).collect();
        let txn = Txn::new()
            .when([Compare::create_revision(&*self.key, CompareOp::Equal, 0)])
            .and_then(and_read)
            .or_else(reads);
        let answer = self.shared.link.txn(until, &txn).await?;
        let all = answer.op_responses();
        let read = all.get(usize::from(answer.succeeded())..);
        self.found(&answer, read.unwrap_or_default())
    }

    fn found(&self, answer: &TxnResponse, read: &[TxnOpResponse]) -> Result<Found, Failure> {
        let layout = &self.shared.layout;
        let revision = answer.header().map_or(0, ResponseHeader::revision);
        let own = read_at(read, 0)?.first();
        Ok(Found {
            own_since: own.map_or(0, KeyValue::create_revision),
            is_first: read_at(read, 1)?
                .first()
                .is_some_and(|it| it.key() == self.key),
            at: At::of(revision, read_at(read, 2)?.first())?,
            leftovers: read_at(read, 3)?
                .iter()
                .filter_map(|it| Some((layout.epoch_of(it.key())?, Marker::decode(it.value()))))
                .collect(),
        })
    }

    /// Waits until the writer that came before this one is done, or for a while.
    async fn wait_for_one_before(&self, until: Until) -> Result<(), Failure> {
        let link = &self.shared.link;
        let before = GetOptions::new()
            .with_prefix()
            .with_max_create_revision(self.since - 1)
            .with_sort(SortTarget::Create, SortOrder::Descend)
            .with_limit(1);
        let locks = self.shared.layout.locks();
        let found = link.get(until, &locks, Some(before)).await?;
        let Some(before) = found.kvs().first() else {
            return Ok(());
        };
        let since = found.header().map_or(0, ResponseHeader::revision) + 1;
        let key = before.key().to_vec();
        let news = link.once(|client| is_deleted(client, key, since));
        // Late, or lost: look again.
        let _news = timeout(NEWS, news).await;
        Ok(())
    }
}

/// Waits until a key is deleted.
async fn is_deleted(
    mut client: Client,
    key: Vec<u8>,
    since: i64,
) -> Result<(), etcd_client::Error> {
    let options = WatchOptions::new().with_start_revision(since);
    let mut news = client.watch(key, Some(options)).await?;
    while let Some(news) = news.message().await? {
        let deleted = |it: &etcd_client::Event| it.event_type() == EventType::Delete;
        if news.canceled() || news.events().iter().any(deleted) {
            break;
        }
    }
    Ok(())
}

async fn keep_renewing(shared: Arc<Shared>, lease: i64) {
    loop {
        sleep(RENEWED).await;
        let until = Until::patience(RENEWED);
        // Not renewed now: the next time it may be.
        if let Ok(false) = shared.leases.renew_turn(&shared.link, until, lease).await {
            shared.leases.leave_turn(lease);
            return;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.renewing.abort();
        let Some(permit) = self.permit.take() else {
            return;
        };
        let (shared, lease) = (Arc::clone(&self.shared), self.lease);
        let end = Txn::new().and_then([self.end()]);
        let staged = self.staged;
        self.runtime.spawn(async move {
            if let Some(epoch) = staged {
                let until = Until::patience(Duration::ZERO);
                // Where this fails, the next writer does it.
                let _later = shared.discard_epoch(until, epoch).await;
            }
            // Where this fails, the turn ends with its lease, which nobody renews.
            if shared.link.txn_once(end).await.is_err() {
                shared.leases.leave_turn(lease);
            }
            drop(permit);
        });
    }
}
