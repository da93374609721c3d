//! Writes lines about calls to the audit log: several together, and durably in the background.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mcplexer_home::OpenHome;
use mcplexer_secrets::audit::CallRecord;
use tokio::sync::oneshot;

use crate::server::lock;

/// How long the end of a call waits for other lines to be written with it.
const LINGER: Duration = Duration::from_millis(5);

/// How long lines may be in the file before they are durable.
const SYNC_AFTER: Duration = Duration::from_millis(100);

/// How many times in a row a call writes lines of others before it leaves them to the thread.
const TURNS: usize = 4;

/// The most ends of calls that wait for a log that cannot be written.
const MOST_ENDS: usize = 10_000;

/// Whether the line before a call is written: the line about its end is, if that one is.
#[derive(Debug)]
pub(super) struct Ticket(AtomicU8);

const WAITS: u8 = 0;
const WRITTEN: u8 = 1;
const FAILED: u8 = 2;

impl Ticket {
    pub(super) fn new() -> Self {
        Self(AtomicU8::new(WAITS))
    }

    fn is(&self, state: u8) -> bool {
        self.0.load(Ordering::Acquire) == state
    }

    fn becomes(&self, state: u8) {
        self.0.store(state, Ordering::Release);
    }
}

/// Told whether the line before a call is written.
type Done = oneshot::Sender<Result<(), String>>;

/// A line to write.
struct Entry {
    record: CallRecord,
    ticket: Arc<Ticket>,
    /// `None` for the line about the end of a call, for which nobody waits.
    done: Option<Done>,
}

/// Writes lines.
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    home: Arc<OpenHome>,
    queue: Mutex<Queue>,
    wake: Condvar,
    /// Held while lines are written, so that they are in the log in the order in which they came.
    writing: Mutex<()>,
    #[cfg(test)]
    writes: std::sync::atomic::AtomicUsize,
}

#[derive(Default)]
struct Queue {
    entries: Vec<Entry>,
    /// Since when the first of them waits.
    since: Option<Instant>,
    /// Whether the thread is to write now.
    is_due: bool,
    /// When the thread wakes by itself; `None` if it does not, or is awake.
    wakes: Option<Instant>,
    sleeps: bool,
    /// Since when lines are in the file that are not durable.
    unsynced: Option<Instant>,
    stops: bool,
}

impl Queue {
    fn push(&mut self, entry: Entry) {
        self.since.get_or_insert_with(Instant::now);
        self.entries.push(entry);
    }

    fn take(&mut self) -> Vec<Entry> {
        self.since = None;
        std::mem::take(&mut self.entries)
    }
}

impl Writer {
    pub(super) fn new(home: Arc<OpenHome>) -> Self {
        Self {
            shared: Arc::new(Shared {
                home,
                queue: Mutex::default(),
                wake: Condvar::new(),
                writing: Mutex::default(),
                #[cfg(test)]
                writes: Default::default(),
            }),
            thread: Mutex::default(),
        }
    }

    /// Adds the line before a call. Somebody has to write it: see [`write_here`](Self::write_here).
    pub(super) fn push_begin(&self, record: CallRecord, ticket: Arc<Ticket>, done: Done) {
        let entry = Entry {
            record,
            ticket,
            done: Some(done),
        };
        if let Err(problem) = self.start() {
            return entry.finish(Err(problem));
        }
        let mut queue = lock(&self.shared.queue);
        match queue.stops {
            true => entry.finish(Err("the gateway is being stopped".to_owned())),
            false => queue.push(entry),
        }
    }

    /// Adds the line about the end of a call. It is written with the next call's, or soon.
    pub(super) fn push_end(&self, record: CallRecord, ticket: Arc<Ticket>) {
        if ticket.is(FAILED) {
            return;
        }
        let mut queue = lock(&self.shared.queue);
        queue.push(Entry {
            record,
            ticket,
            done: None,
        });
        let soon = Instant::now() + LINGER;
        if queue.sleeps && queue.wakes.is_none_or(|it| it > soon) {
            queue.sleeps = false;
            self.shared.wake.notify_one();
        }
    }

    /// Writes what waits, if that takes no waiting. Otherwise somebody else does: who writes now, or the thread.
    pub(super) fn write_here(&self) {
        let shared = &self.shared;
        for _ in 0..TURNS {
            {
                let _writing = match shared.writing.try_lock() {
                    Ok(writing) => writing,
                    Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                    // Who holds it looks again when it is done.
                    Err(TryLockError::WouldBlock) => return,
                };
                if !shared.write(false) {
                    break;
                }
            }
            if !shared.has_calls_that_wait() {
                return;
            }
        }
        shared.wake_up();
    }

    /// Writes what waits, and waits for that.
    pub(super) fn write_all(&self) {
        let shared = &self.shared;
        let _writing = lock(&shared.writing);
        shared.write(true);
    }

    /// Writes what waits, makes it durable, and ends the thread.
    pub(super) fn stop(&self) {
        lock(&self.shared.queue).stops = true;
        self.shared.wake_up();
        if let Some(thread) = lock(&self.thread).take() {
            let _panicked = thread.join();
        }
        // What has come since, such as the ends of calls that were cancelled.
        let shared = &self.shared;
        let _writing = lock(&shared.writing);
        shared.write(true);
        let queue = lock(&shared.queue);
        if queue.unsynced.is_some() {
            shared.sync(queue);
        }
    }

    /// How often lines were written together.
    #[cfg(test)]
    pub(super) fn writes(&self) -> usize {
        self.shared.writes.load(Ordering::Relaxed)
    }

    /// Starts the thread, which runs from the first call on.
    fn start(&self) -> Result<(), String> {
        let mut thread = lock(&self.thread);
        if thread.is_none() {
            let shared = Arc::clone(&self.shared);
            let named = thread::Builder::new().name("audit".to_owned());
            let spawned = named.spawn(move || shared.run());
            *thread = Some(spawned.map_err(|error| error.to_string())?);
        }
        Ok(())
    }
}

impl Shared {
    fn wake_up(&self) {
        let mut queue = lock(&self.queue);
        queue.is_due = true;
        queue.sleeps = false;
        self.wake.notify_one();
    }

    fn has_calls_that_wait(&self) -> bool {
        let queue = lock(&self.queue);
        queue.entries.iter().any(|it| it.done.is_some())
    }

    /// The work of the thread.
    fn run(&self) {
        loop {
            let stops = self.sleep();
            {
                let _writing = lock(&self.writing);
                self.write(true);
            }
            let queue = lock(&self.queue);
            let since = queue.unsynced;
            if since.is_some_and(|it| stops || it.elapsed() >= SYNC_AFTER) {
                self.sync(queue);
            }
            if stops {
                return;
            }
        }
    }

    /// Waits for something to do. Returns whether the thread is to end.
    fn sleep(&self) -> bool {
        let mut queue = lock(&self.queue);
        // They came while the thread wrote, and left it to the thread.
        if queue.entries.iter().any(|it| it.done.is_some()) {
            return queue.stops;
        }
        loop {
            if queue.stops || std::mem::take(&mut queue.is_due) {
                return queue.stops;
            }
            let now = Instant::now();
            // Mostly the next call has written them meanwhile, and others wait.
            let lingers = queue.since.map(|it| it + LINGER);
            let syncs = queue.unsynced.map(|it| it + SYNC_AFTER);
            let until = [lingers, syncs].into_iter().flatten().min();
            if until.is_some_and(|it| it <= now) {
                return false;
            }
            (queue.sleeps, queue.wakes) = (true, until);
            queue = match until {
                Some(until) => {
                    let waited = self.wake.wait_timeout(queue, until - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self
                    .wake
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner),
            };
            queue.sleeps = false;
        }
    }

    /// Writes everything that waits. Returns whether it could: without `waits`, it may take waiting. To be called while
    /// `writing` is held.
    fn write(&self, waits: bool) -> bool {
        let mut entries = lock(&self.queue).take();
        entries.retain(|it| !it.ticket.is(FAILED));
        if entries.is_empty() {
            return true;
        }
        let records: Vec<_> = entries.iter().map(|it| it.record.clone()).collect();
        #[cfg(test)]
        self.writes.fetch_add(1, Ordering::Relaxed);
        let store = self.home.store();
        let written = match waits {
            true => store.record_calls(&records).map(|()| true),
            false => store.record_calls_at_once(&records),
        };
        match written {
            Ok(true) => {
                let mut queue = lock(&self.queue);
                queue.unsynced.get_or_insert_with(Instant::now);
                drop(queue);
                for entry in entries.drain(..).filter(|it| it.done.is_some()) {
                    entry.finish(Ok(()));
                }
                true
            }
            Ok(false) => {
                self.put_back(entries);
                false
            }
            Err(error) => {
                let problem = error.to_string();
                let (calls, mut ends): (Vec<_>, Vec<_>) =
                    entries.into_iter().partition(|it| it.done.is_some());
                for entry in calls {
                    entry.finish(Err(problem.clone()));
                }
                // A call that was made has an end, which is written when that is possible again.
                ends.retain(|it| it.ticket.is(WRITTEN));
                ends.drain(..ends.len().saturating_sub(MOST_ENDS));
                self.put_back(ends);
                true
            }
        }
    }

    /// Puts lines back, before those that have come since.
    fn put_back(&self, mut entries: Vec<Entry>) {
        let mut queue = lock(&self.queue);
        entries.append(&mut queue.take());
        entries.into_iter().for_each(|it| queue.push(it));
    }

    /// Makes durable what is written. Lines are written meanwhile.
    fn sync(&self, mut queue: MutexGuard<'_, Queue>) {
        let since = queue.unsynced.take();
        drop(queue);
        if self.home.store().sync_audit().is_err() {
            let mut queue = lock(&self.queue);
            queue.unsynced = queue.unsynced.or(since.map(|_| Instant::now()));
        }
    }
}

impl Entry {
    fn finish(self, written: Result<(), String>) {
        self.ticket
            .becomes(if written.is_ok() { WRITTEN } else { FAILED });
        if let Some(done) = self.done {
            let _nobody_waits = done.send(written);
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}
