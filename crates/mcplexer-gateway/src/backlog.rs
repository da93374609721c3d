//! How much clients have said that is not answered yet.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::length::is_long;

/// The bytes of long messages that may wait for their answers. Short ones are not counted.
#[derive(Debug, Clone)]
pub(crate) struct Backlog {
    free: Arc<Semaphore>,
    bytes: usize,
}

/// The place of a message in a backlog. Dropped, it is free.
#[derive(Debug)]
pub(crate) struct Place(OwnedSemaphorePermit);

impl Backlog {
    /// A backlog of so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(bytes)),
            bytes,
        }
    }

    /// Waits for the place of a message; `None` if it needs none, because it is short.
    pub(crate) async fn place(&self, bytes: usize) -> Option<Place> {
        if !is_long(bytes) {
            return None;
        }
        // What is longer than all of it has all of it.
        let bytes = u32::try_from(bytes.min(self.bytes)).unwrap_or(u32::MAX);
        let free = Arc::clone(&self.free);
        free.acquire_many_owned(bytes).await.ok().map(Place)
    }
}

impl Place {
    /// Keeps only what a message needs that has turned out to be of so many bytes; `None` if it needs none.
    pub(crate) fn of(self, bytes: usize) -> Option<Self> {
        let Self(mut place) = self;
        let surplus = place.num_permits().saturating_sub(bytes);
        drop(place.split(surplus));
        is_long(bytes).then_some(Self(place))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const MIB: usize = 1 << 20;

    fn now<T>(work: impl Future<Output = T>) -> Option<T> {
        let mut context = Context::from_waker(Waker::noop());
        match pin!(work).poll(&mut context) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    #[test]
    fn long_messages_wait_for_a_place_and_short_ones_need_none() {
        let backlog = Backlog::new(3 * MIB);
        let place = |bytes| now(backlog.place(bytes));
        let first = place(2 * MIB).unwrap();
        assert!(place(2 * MIB).is_none() && place(1000).unwrap().is_none());
        let shrunk = first.unwrap().of(MIB);
        let second = place(2 * MIB).unwrap();
        assert!(second.is_some() && place(MIB).is_none());
        assert!(shrunk.unwrap().of(10).is_none());
        assert!(place(MIB).is_some());
        drop(second);
        assert!(place(100 * MIB).is_some(), "alone");
    }
}
