//! Dying at a chosen moment, for tests of what is left behind.
//!
//! With the feature `crash-points`, a process whose environment has `MCPLEXER_CRASH_AT=N` kills
//! itself with SIGKILL right after the N-th operation on a file or on the backend that it does, counted
//! from 1.
//! Without the feature there is nothing of this in the program.

/// An operation on a file or on the backend has just been done.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub(crate) fn crash_point() {}

/// An operation on a file or on the backend has just been done.
#[cfg(feature = "crash-points")]
pub(crate) fn crash_point() {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    static CRASH_AT: LazyLock<Option<u64>> = LazyLock::new(|| {
        std::env::var("MCPLEXER_CRASH_AT")
            .ok()
            .and_then(|number| number.parse().ok())
    });
    static DONE: AtomicU64 = AtomicU64::new(0);

    if let Some(at) = *CRASH_AT
        && DONE.fetch_add(1, Ordering::Relaxed) + 1 == at
    {
        let _dead = kill_process(getpid(), Signal::KILL);
        // The signal is sent; nothing may be done before it arrives.
        loop {
            std::thread::park();
        }
    }
}
