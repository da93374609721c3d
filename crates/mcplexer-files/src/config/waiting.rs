//! How long to wait, as text: `10m`, `500ms`, `1h 30m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

const LEAST: Duration = Duration::from_millis(1);
const MOST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A duration of at least a millisecond and at most a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Waiting(pub(super) Duration);

/// A text that is no such duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a duration such as 500ms, 10s, 5m or 1h 30m, at least 1ms and at most 168h")]
pub(super) struct NotWaiting;

impl FromStr for Waiting {
    type Err = NotWaiting;

    fn from_str(text: &str) -> Result<Self, NotWaiting> {
        let duration = text.parse::<SignedDuration>().map_err(|_| NotWaiting)?;
        let duration = Duration::try_from(duration).map_err(|_| NotWaiting)?;
        match (LEAST..=MOST).contains(&duration) {
            true => Ok(Self(duration)),
            false => Err(NotWaiting),
        }
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match SignedDuration::try_from(self.0) {
            Ok(duration) => write!(f, "{duration:#}"),
            Err(_) => Err(fmt::Error),
        }
    }
}

impl TryFrom<String> for Waiting {
    type Error = NotWaiting;

    fn try_from(text: String) -> Result<Self, NotWaiting> {
        text.parse()
    }
}

impl From<Waiting> for String {
    fn from(waiting: Waiting) -> Self {
        waiting.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_they_are_read() {
        for (text, written, milliseconds) in [
            ("10m", "10m", 600_000),
            ("500ms", "500ms", 500),
            ("90s", "1m 30s", 90_000),
            ("1h 30m", "1h 30m", 5_400_000),
            ("PT10M", "10m", 600_000),
            ("168h", "168h", 604_800_000),
        ] {
            let waiting: Waiting = text.parse().unwrap();
            assert_eq!(waiting.0, Duration::from_millis(milliseconds), "{text}");
            assert_eq!(waiting.to_string(), written);
        }
        for bad in [
            "", "10", "0s", "-5m", "5m ago", "169h", "100us", "never", "1d", "ten",
        ] {
            assert_eq!(bad.parse::<Waiting>(), Err(NotWaiting), "{bad}");
        }
    }
}
