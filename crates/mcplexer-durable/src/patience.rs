//! Waiting for other processes with a limit: one that was stopped while it held a lock must not stop
//! all the others too.

use std::fs::{File, TryLockError};
use std::io;
use std::thread;
use std::time::{Duration, Instant};

/// How long an operation waits for another process by default.
pub const PATIENCE: Duration = Duration::from_secs(30);

const SHORTEST_PAUSE: Duration = Duration::from_micros(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(4);

/// Calls `attempt` until it returns something. Returns `None` once `patience` is used up.
///
/// # Errors
/// The first error of `attempt`.
pub fn wait_for<T, E>(
    patience: Duration,
    mut attempt: impl FnMut() -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    let deadline = Instant::now() + patience;
    let mut pause = SHORTEST_PAUSE;
    loop {
        if let Some(got) = attempt()? {
            return Ok(Some(got));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Takes an exclusive lock on a file or directory. Returns `None` if another process still holds it
/// after `patience`.
///
/// # Errors
/// If the file cannot be locked.
pub fn wait_for_lock(file: &File, patience: Duration) -> io::Result<Option<()>> {
    wait_for(patience, || match file.try_lock() {
        Ok(()) => Ok(Some(())),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    })
}
