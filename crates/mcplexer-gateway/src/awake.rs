//! Keeps the thread awake for a moment when what it would sleep for is about to come.
//!
//! To wake a thread takes tens of microseconds where a hypervisor has to help, which is as long as all that the gateway does
//! for a call. The scheduler of Go looks for work before a thread sleeps for the same reason ("spinning threads" in
//! `runtime/proc.go`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::yield_now;

/// How long: a quick server answers within this, and a client that makes one call after the other makes the next.
const MOMENT: Duration = Duration::from_micros(100);

/// Keeps the thread of the runtime awake.
#[derive(Debug)]
pub(crate) struct Awake {
    /// `None` where there is one processor: those that are waited for need it.
    state: Option<Arc<State>>,
}

#[derive(Debug)]
struct State {
    start: Instant,
    /// The end of the moment, in nanoseconds since the start.
    until: AtomicU64,
    is_awake: AtomicBool,
}

impl Awake {
    pub(crate) fn new() -> Self {
        Self::with(available_parallelism().map_or(1, usize::from))
    }

    fn with(processors: usize) -> Self {
        let state = || {
            Arc::new(State {
                start: Instant::now(),
                until: AtomicU64::new(0),
                is_awake: AtomicBool::new(false),
            })
        };
        Self {
            state: (processors > 1).then(state),
        }
    }

    /// Looks for what has come until a moment has passed, instead of sleeping.
    pub(crate) fn stay(&self) {
        let (Some(state), Ok(runtime)) = (&self.state, Handle::try_current()) else {
            return;
        };
        let until = state.start.elapsed() + MOMENT;
        state.until.store(nanoseconds(until), Ordering::Relaxed);
        if !state.is_awake.swap(true, Ordering::Relaxed) {
            let state = Arc::clone(state);
            runtime.spawn(async move { state.pass().await });
        }
    }
}

impl State {
    /// Passes the moment. The runtime looks for what has come each time that its only task yields.
    async fn pass(&self) {
        while nanoseconds(self.start.elapsed()) < self.until.load(Ordering::Relaxed) {
            yield_now().await;
        }
        self.is_awake.store(false, Ordering::Relaxed);
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_task_stays_and_ends() {
        let (awake, runtime) = (Awake::with(2), Handle::current().metrics());
        for _ in 0..3 {
            awake.stay();
            assert_eq!(runtime.num_alive_tasks(), 1);
        }
        while runtime.num_alive_tasks() > 0 {
            yield_now().await;
        }
        awake.stay();
        assert_eq!(runtime.num_alive_tasks(), 1);
    }

    #[tokio::test]
    async fn the_only_processor_is_left_to_others() {
        Awake::with(1).stay();
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    }
}
