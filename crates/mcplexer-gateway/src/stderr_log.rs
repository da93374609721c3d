//! What a server has written to standard error: its last lines.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::scrub::Scrubber;

/// The most bytes that are kept of a server's lines.
const MAX_BYTES: usize = 64 << 10;

/// The longest line that is kept, in bytes.
const MAX_LINE: usize = 4096;

/// The last lines of one server, without values of secrets.
#[derive(Debug, Default)]
pub(crate) struct StderrLog(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<String>,
    bytes: usize,
}

impl StderrLog {
    /// Adds a line.
    pub(crate) fn add(&self, line: &str, scrubber: Option<&Scrubber>) {
        let line = match scrubber {
            Some(scrubber) => scrubber.text(line.to_owned()).0,
            None => line.to_owned(),
        };
        let mut end = line.len().min(MAX_LINE);
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        let line = line.get(..end).unwrap_or_default().to_owned();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += line.len();
        kept.lines.push_back(line);
        while kept.bytes > MAX_BYTES
            && let Some(first) = kept.lines.pop_front()
        {
            kept.bytes -= first.len();
        }
    }

    /// Returns the last lines.
    pub(crate) fn last(&self, count: usize) -> Vec<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let skipped = kept.lines.len().saturating_sub(count);
        kept.lines.iter().skip(skipped).cloned().collect()
    }

    /// Returns the last 20 lines as the end of an error, or nothing if there are none.
    pub(crate) fn as_end_of_error(&self) -> String {
        match self.last(20) {
            lines if lines.is_empty() => String::new(),
            lines => format!("; its standard error ends:\n{}", lines.join("\n")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_leaves_its_end() {
        let log = StderrLog::default();
        assert_eq!(log.as_end_of_error(), "");
        for number in 0..100_000 {
            log.add(&format!("line {number}"), None);
        }
        log.add(&"ü".repeat(10_000), None);
        let last = log.last(2);
        assert_eq!(last[0], "line 99999");
        assert_eq!(last[1].len(), MAX_LINE);
        assert!(log.last(usize::MAX).iter().map(String::len).sum::<usize>() <= MAX_BYTES);
        assert!(log.as_end_of_error().contains("line 99990\nline 99991"));
    }
}
