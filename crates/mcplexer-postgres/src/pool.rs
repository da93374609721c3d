//! Connections that wait for their next use.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::address::Address;
use crate::cause::Cause;
use crate::link::Link;
use crate::tls::Tls;
use crate::turns::{Turn, Turns};

/// How many connections are kept open.
const KEPT: usize = 8;
/// How many operations read at a time.
const READERS: usize = 12;
/// How many writers wait on the server at a time. More than one, so that a writer that is done leaves no gap.
const WRITERS: usize = 4;

/// Opens connections, and keeps them for later.
#[derive(Debug)]
pub(crate) struct Pool {
    address: Address,
    tls: Tls,
    /// How long an answer may take.
    patience: Duration,
    readers: Turns,
    writers: Turns,
    idle: Mutex<Vec<Link>>,
    round_trips: Arc<AtomicU64>,
}

impl Pool {
    pub(crate) fn new(address: Address, tls: Tls, patience: Duration) -> Self {
        Self {
            address,
            tls,
            patience,
            readers: Turns::new(READERS),
            writers: Turns::new(WRITERS),
            idle: Mutex::default(),
            round_trips: Arc::default(),
        }
    }

    /// How often an answer was waited for.
    pub(crate) fn round_trips(&self) -> u64 {
        self.round_trips.load(Ordering::Relaxed)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Link>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until few enough others read.
    pub(crate) fn reader(&self) -> Result<Turn<'_>, Cause> {
        self.readers.take(self.patience).ok_or(Cause::Crowded)
    }

    /// Waits until few enough others write.
    pub(crate) fn writer(&self) -> Result<Turn<'_>, Cause> {
        self.writers.take(self.patience).ok_or(Cause::Crowded)
    }

    /// Opens a connection.
    pub(crate) fn connect(&self) -> Result<Link, Cause> {
        let round_trips = Arc::clone(&self.round_trips);
        Link::connect(&self.address, &self.tls, self.patience, round_trips)
    }

    /// Begins something on a connection that was used before, or on a new one: on a new one also if the other one
    /// turns out to be closed, since nothing has happened by then.
    pub(crate) fn begin<T>(
        &self,
        mut begin: impl FnMut(Link) -> Result<T, Cause>,
    ) -> Result<T, Cause> {
        loop {
            // The lock is not held while the connection is used.
            let idle = self.idle().pop();
            let Some(link) = idle else {
                return begin(self.connect()?);
            };
            match begin(link) {
                Err(cause) if cause.is_gone() => self.idle().clear(),
                begun => return begun,
            }
        }
    }

    /// Keeps a connection, on which nothing goes on any more.
    pub(crate) fn keep(&self, mut link: Link) {
        link.flush();
        if link.is_alive() {
            let mut idle = self.idle();
            if idle.len() < KEPT {
                idle.push(link);
            }
        }
    }
}
