//! The leases of one handle: what is under them goes when the handle is gone.

use std::sync::Mutex;
use std::time::Duration;

use etcd_client::{Client, Error};
use tokio::time::Instant;

use crate::failure::Failure;
use crate::link::{Link, Until};
use crate::shared::lock;

/// For how long others wait for a writer that is gone, in seconds. Twice as long as an election takes, or longer.
pub(crate) const TURN_TTL: i64 = 8;
/// For how long it can be found out whether a commit was applied, in seconds: much longer than anybody tries.
const DONE_TTL: i64 = 1800;
/// When the next lease for commits is granted.
const DONE_RENEWED: Duration = Duration::from_secs(600);

/// How often the lease of a writer is renewed.
pub(crate) const RENEWED: Duration = Duration::from_secs(2);

/// The leases of one handle.
#[derive(Default)]
pub(crate) struct Leases {
    turn: Mutex<Option<Confirmed>>,
    done: Mutex<Option<Done>>,
}

#[derive(Clone, Copy)]
struct Confirmed {
    lease: i64,
    at: Instant,
}

/// Where the numbers of commits are kept until their outcome is known.
struct Done {
    lease: i64,
    granted: Instant,
    free: Vec<u32>,
    slots: u32,
}

/// Where the number of one commit is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) lease: i64,
    pub(crate) slot: u32,
}

/// Grants a lease of so many seconds.
pub(crate) async fn grant(link: &Link, until: Until, seconds: i64) -> Result<i64, Failure> {
    let granted = link
        .ask(until, |mut client: Client| async move {
            client.lease_grant(seconds, None).await
        })
        .await?;
    Ok(granted.id())
}

/// Ends a lease, and what is under it. It ends by itself if this fails.
pub(crate) async fn revoke(link: &Link, lease: i64) {
    let _later = link
        .once(|mut client: Client| async move { client.lease_revoke(lease).await })
        .await;
}

/// Renews a lease. Returns whether it is there still.
async fn renew(link: &Link, until: Until, lease: i64) -> Result<bool, Failure> {
    link.ask(until, |mut client: Client| async move {
        match client.lease_keep_alive(lease).await {
            Ok(_) => Ok(true),
            // It has ended.
            Err(Error::LeaseKeepAliveError(_)) => Ok(false),
            Err(error) => Err(error),
        }
    })
    .await
}

impl Leases {
    /// The lease of this handle's writers, which lasts for a while.
    pub(crate) async fn turn(&self, link: &Link, until: Until) -> Result<i64, Failure> {
        let known = *lock(&self.turn);
        let asked = Instant::now();
        let lease = match known {
            Some(known) if known.at.elapsed() < RENEWED => return Ok(known.lease),
            Some(known) if renew(link, until, known.lease).await? => known.lease,
            _ => grant(link, until, TURN_TTL).await?,
        };
        *lock(&self.turn) = Some(Confirmed { lease, at: asked });
        Ok(lease)
    }

    /// Renews the lease of a writer who waits or works.
    pub(crate) async fn renew_turn(
        &self,
        link: &Link,
        until: Until,
        lease: i64,
    ) -> Result<bool, Failure> {
        let asked = Instant::now();
        let is_there = renew(link, until, lease).await?;
        let mut known = lock(&self.turn);
        if let Some(known) = known.as_mut().filter(|it| it.lease == lease && is_there) {
            known.at = asked;
        }
        Ok(is_there)
    }

    /// Leaves a lease, so that what is under it goes.
    pub(crate) fn leave_turn(&self, lease: i64) {
        let mut known = lock(&self.turn);
        if known.is_some_and(|it| it.lease == lease) {
            *known = None;
        }
    }

    /// Grants the lease for commits, unless the last one still lasts.
    pub(crate) async fn prepare_done(&self, link: &Link, until: Until) -> Result<(), Failure> {
        let lasts = |it: &Done| it.granted.elapsed() < DONE_RENEWED;
        if lock(&self.done).as_ref().is_some_and(lasts) {
            return Ok(());
        }
        let granted = Instant::now();
        let lease = grant(link, until, DONE_TTL).await?;
        *lock(&self.done) = Some(Done {
            lease,
            granted,
            free: Vec::new(),
            slots: 0,
        });
        Ok(())
    }

    /// A place for the number of a commit.
    pub(crate) async fn slot(&self, link: &Link, until: Until) -> Result<Slot, Failure> {
        loop {
            if let Some(slot) = self.known_slot() {
                return Ok(slot);
            }
            self.prepare_done(link, until).await?;
        }
    }

    fn known_slot(&self) -> Option<Slot> {
        let mut done = lock(&self.done);
        let done = done
            .as_mut()
            .filter(|it| it.granted.elapsed() < DONE_RENEWED)?;
        let slot = done.free.pop().unwrap_or_else(|| {
            done.slots += 1;
            done.slots - 1
        });
        Some(Slot {
            lease: done.lease,
            slot,
        })
    }

    /// Gives back the place of a commit whose outcome is known.
    pub(crate) fn give_back(&self, slot: Slot) {
        if let Some(done) = lock(&self.done)
            .as_mut()
            .filter(|it| it.lease == slot.lease)
        {
            done.free.push(slot.slot);
        }
    }

    /// Leaves the lease for commits, which has ended.
    pub(crate) fn leave_done(&self, lease: i64) {
        let mut done = lock(&self.done);
        if done.as_ref().is_some_and(|it| it.lease == lease) {
            *done = None;
        }
    }
}

/// Whether a lease has ended.
pub(crate) async fn has_ended(link: &Link, until: Until, lease: i64) -> Result<bool, Failure> {
    let asked = link
        .ask(until, |mut client: Client| async move {
            client.lease_time_to_live(lease, None).await
        })
        .await?;
    Ok(asked.ttl() <= 0)
}
