//! Whether a server may be started again: failures make the next attempt wait.

use std::time::Duration;

use tokio::time::Instant;

/// The wait after the first failure. Each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// After so many failures within [`WINDOW`], one attempt a minute is made.
const FAILURES: usize = 5;

/// The time within which failures count.
const WINDOW: Duration = Duration::from_secs(5 * 60);

/// The failures of a server.
#[derive(Debug, Default)]
pub(crate) struct Health {
    failures: Vec<Instant>,
    last: Option<String>,
}

impl Health {
    /// Remembers a failure.
    pub(crate) fn failed(&mut self, problem: &str) {
        let now = Instant::now();
        self.failures.retain(|it| now.duration_since(*it) < WINDOW);
        self.failures.push(now);
        self.last = Some(problem.to_owned());
    }

    /// Forgets failures: the server runs.
    pub(crate) fn works(&mut self) {
        *self = Self::default();
    }

    /// Returns how long to wait before the next attempt, and why.
    pub(crate) fn wait(&self) -> Option<(Duration, &str)> {
        let since = self.failures.last()?.elapsed();
        let count = u32::try_from(self.failures.len()).unwrap_or(u32::MAX);
        let wait = match self.failures.len() >= FAILURES {
            true => LONGEST_WAIT,
            false => (FIRST_WAIT * 2_u32.saturating_pow(count - 1)).min(LONGEST_WAIT),
        };
        let left = wait.checked_sub(since).filter(|it| !it.is_zero())?;
        Some((left, self.last.as_deref().unwrap_or_default()))
    }

    /// Returns the problem, if one was after this time.
    pub(crate) fn failed_since(&self, time: Instant) -> Option<&str> {
        self.failures.last().filter(|it| **it >= time)?;
        self.last.as_deref()
    }

    /// Returns the last problem, if the server has not worked since.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.last.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_failure_makes_the_next_attempt_wait_longer() {
        let mut health = Health::default();
        assert!(health.wait().is_none());
        for wait in [500, 1000, 2000, 4000, 60_000] {
            let before = Instant::now();
            health.failed("no such file");
            let (left, why) = health.wait().unwrap();
            assert_eq!((left.as_millis(), why), (wait, "no such file"));
            assert_eq!(health.failed_since(before), Some("no such file"));
            tokio::time::advance(left).await;
            assert!(health.wait().is_none());
        }
        health.works();
        assert!(health.wait().is_none() && health.problem().is_none());
    }
}
