//! What etcd keeps of earlier states, and when it is discarded.
//!
//! A commit that deletes owes a compaction. The handle pays it at once if none of its own snapshots is older, but not
//! twice within a second: each put deletes the oldest version. A handle that ends before leaves the debt in the head,
//! and the next writer takes it over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use etcd_client::Client;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::failure::Failure;
use crate::link::Link;
use crate::shared::{Shared, lock};

/// The shortest time between two compactions.
const PAUSE: Duration = Duration::from_secs(1);

/// Which revisions are still read, and which should not be any more.
#[derive(Default)]
pub(crate) struct History {
    books: Mutex<Books>,
    wake: Notify,
}

#[derive(Default)]
struct Books {
    /// How many snapshots are at a revision.
    open: BTreeMap<i64, usize>,
    /// Everything before this is to be discarded.
    owed: i64,
    /// Everything before this was discarded.
    paid: i64,
    failed: Option<String>,
}

impl Books {
    /// The revision up to which something can be discarded now.
    fn due(&self) -> Option<i64> {
        let oldest = self.open.keys().next().copied();
        let due = oldest.map_or(self.owed, |oldest| oldest.min(self.owed));
        (due > self.paid).then_some(due)
    }
}

impl History {
    pub(crate) fn begin(&self, revision: i64) {
        *lock(&self.books).open.entry(revision).or_default() += 1;
    }

    pub(crate) fn end(&self, revision: i64) {
        let mut books = lock(&self.books);
        if let Some(count) = books.open.get_mut(&revision) {
            *count -= 1;
            if *count == 0 {
                books.open.remove(&revision);
            }
        }
        if books.due().is_some() {
            self.wake.notify_one();
        }
    }

    /// Everything before a revision is to be discarded.
    pub(crate) fn owe(&self, revision: i64) {
        let mut books = lock(&self.books);
        books.owed = books.owed.max(revision);
        self.wake.notify_one();
    }

    /// Whether everything before a revision was discarded.
    pub(crate) fn is_paid(&self, revision: i64) -> bool {
        lock(&self.books).paid >= revision
    }

    /// Why the last compaction failed.
    pub(crate) fn failed(&self) -> Option<String> {
        lock(&self.books).failed.clone()
    }

    /// Discards what is due.
    pub(crate) async fn pay(&self, link: &Link) {
        let due = lock(&self.books).due();
        let Some(due) = due else { return };
        let paid = compact(link, due).await;
        let mut books = lock(&self.books);
        match paid {
            Ok(()) => {
                books.paid = books.paid.max(due);
                books.failed = None;
            }
            Err(failure) => books.failed = Some(failure.to_string()),
        }
    }
}

async fn compact(link: &Link, revision: i64) -> Result<(), Failure> {
    let compacted = link
        .once(|mut client: Client| async move { client.compact(revision, None).await })
        .await;
    match compacted {
        // By somebody else.
        Err(failure) if failure.is_discarded() => Ok(()),
        compacted => compacted.map(drop),
    }
}

/// Discards what is owed, for as long as there is a handle.
pub(crate) async fn keep_paying(shared: Arc<Shared>) {
    loop {
        shared.history.wake.notified().await;
        shared.history.pay(&shared.link).await;
        sleep(PAUSE).await;
    }
}
