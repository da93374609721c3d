//! How long to go on: pauses that grow, of random length, so that those who wait do not meet again.

use std::thread;
use std::time::{Duration, Instant};

use crate::Error;
use crate::random::fill_random;

const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Patience that is used up after a while.
pub(super) struct Patience {
    until: Instant,
    pause: Duration,
}

impl Patience {
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            until: Instant::now() + patience,
            pause: FIRST_PAUSE,
        }
    }

    /// Pauses, and returns whether to go on.
    pub(super) fn pause(&mut self) -> Result<bool, Error> {
        if Instant::now() >= self.until {
            return Ok(false);
        }
        let mut part = [0];
        fill_random(&mut part)?;
        thread::sleep(self.pause * u32::from(part[0]) / 255);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(true)
    }
}
