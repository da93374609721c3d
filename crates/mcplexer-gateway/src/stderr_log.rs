//! What a server has written to standard error: its last lines.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mcplexer_files::config::ServerName;
use tokio::io::AsyncBufRead;
use tokio::time::{Instant, timeout_at};

use crate::frame::{Ends, Line, Lines};
use crate::log::Log;
use crate::scrub::Scrubber;

/// The most bytes that are kept of a server's lines.
const MAX_BYTES: usize = 64 << 10;

/// The longest line that is kept, in bytes.
const MAX_LINE: usize = 4096;

/// The most lines within [`WINDOW`] that are taken one by one.
const MAX_LINES: usize = 500;

/// How many lines of a flood are kept at its end.
const END_OF_FLOOD: usize = 20;

/// The time within which lines count.
const WINDOW: Duration = Duration::from_secs(1);

/// The last lines of one server, without values of secrets.
#[derive(Debug)]
pub(crate) struct StderrLog {
    server: ServerName,
    log: Arc<Log>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<String>,
    bytes: usize,
    /// How many lines there were before these.
    gone: usize,
}

/// How many lines a server had written when a process of it was started.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mark(usize);

impl StderrLog {
    pub(crate) fn new(server: ServerName, log: Arc<Log>) -> Self {
        Self {
            server,
            log,
            kept: Mutex::default(),
        }
    }

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
        self.log.stderr_of(&self.server, &line);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += line.len();
        kept.lines.push_back(line);
        while kept.bytes > MAX_BYTES
            && let Some(first) = kept.lines.pop_front()
        {
            kept.bytes -= first.len();
            kept.gone += 1;
        }
    }

    /// Returns where the lines of a process begin that is started now.
    pub(crate) fn mark(&self) -> Mark {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        Mark(kept.gone + kept.lines.len())
    }

    /// Returns the last lines.
    pub(crate) fn last(&self, count: usize) -> Vec<String> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let skipped = kept.lines.len().saturating_sub(count);
        kept.lines.iter().skip(skipped).cloned().collect()
    }

    /// Returns the last 20 lines since `since` as the end of an error; an empty text without such lines. Lines of earlier
    /// processes would be taken for the reason.
    pub(crate) fn as_end_of_error(&self, since: Mark) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let count = (kept.gone + kept.lines.len()).saturating_sub(since.0);
        drop(kept);
        match self.last(count.min(20)) {
            lines if lines.is_empty() => String::new(),
            lines => format!("; its standard error ends:\n{}", lines.join("\n")),
        }
    }
}

/// Reads what a server writes to standard error, always, so that it never waits. Of a flood, only the end is kept.
pub(crate) async fn drain(
    mut lines: Lines<impl AsyncBufRead + Unpin>,
    log: Arc<StderrLog>,
    scrubber: Arc<Scrubber>,
) {
    let mut flood = Flood::begin();
    loop {
        let next = match flood.is_empty() {
            true => lines.next().await,
            false => match timeout_at(flood.until, lines.next()).await {
                Ok(next) => next,
                Err(_) => {
                    flood.end(&log, &scrubber);
                    continue;
                }
            },
        };
        if flood.until <= Instant::now() {
            flood.end(&log, &scrubber);
        }
        let line = match next {
            Ok(Some(Line::Text(line))) => line,
            Ok(Some(Line::TooLong(Ends { head, .. }))) => head,
            Ok(Some(Line::NotText(_))) => "(a line that is not UTF-8)".to_owned(),
            Ok(None) | Err(_) => break flood.end(&log, &scrubber),
        };
        if let Some(line) = flood.take(line) {
            log.add(&line, Some(&scrubber));
        }
    }
}

/// Lines that come faster than anybody reads.
struct Flood {
    until: Instant,
    count: usize,
    /// The last of those that were too many.
    last: VecDeque<String>,
}

impl Flood {
    fn begin() -> Self {
        Self {
            until: Instant::now() + WINDOW,
            count: 0,
            last: VecDeque::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.last.is_empty()
    }

    /// Takes a line; returns it unless it is one too many.
    fn take(&mut self, line: String) -> Option<String> {
        self.count += 1;
        if self.count <= MAX_LINES {
            return Some(line);
        }
        if self.last.len() == END_OF_FLOOD {
            self.last.pop_front();
        }
        self.last.push_back(line);
        None
    }

    /// Adds the end of what was too much, and begins to count anew.
    fn end(&mut self, log: &StderrLog, scrubber: &Scrubber) {
        let flood = std::mem::replace(self, Self::begin());
        let left_out = flood.count.saturating_sub(MAX_LINES + flood.last.len());
        if left_out > 0 {
            log.add(&format!("({left_out} lines left out)"), None);
        }
        let lines = flood.last.iter();
        lines.for_each(|line| log.add(line, Some(scrubber)));
    }
}

#[cfg(test)]
mod tests {
    use mcplexer_mask::Masker;

    use super::*;

    fn new_log() -> StderrLog {
        StderrLog::new("a".parse().unwrap(), Arc::new(Log::off()))
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_flood_is_kept() {
        let log = Arc::new(new_log());
        let scrubber = Arc::new(Scrubber::new(Masker::new([])));
        let text: String = (0..10_000)
            .map(|number| format!("line {number}\n"))
            .collect();
        let lines = Lines::new(text.as_bytes(), 1000);
        drain(lines, Arc::clone(&log), scrubber).await;
        let kept = log.last(usize::MAX);
        assert_eq!(kept.len(), MAX_LINES + 1 + END_OF_FLOOD);
        assert_eq!(kept[MAX_LINES - 1], "line 499");
        assert_eq!(kept[MAX_LINES], "(9480 lines left out)");
        assert_eq!(kept.last().unwrap(), "line 9999");
    }

    #[test]
    fn a_flood_leaves_its_end() {
        let log = new_log();
        assert_eq!(log.as_end_of_error(Mark::default()), "");
        for number in 0..100_000 {
            log.add(&format!("line {number}"), None);
        }
        log.add(&"ü".repeat(10_000), None);
        let last = log.last(2);
        assert_eq!(last[0], "line 99999");
        assert_eq!(last[1].len(), MAX_LINE);
        assert!(log.last(usize::MAX).iter().map(String::len).sum::<usize>() <= MAX_BYTES);
        let end = log.as_end_of_error(Mark::default());
        assert!(end.contains("line 99990\nline 99991"));
    }

    #[test]
    fn an_error_ends_with_lines_of_its_own_process() {
        let log = new_log();
        log.add("of the first", None);
        let second = log.mark();
        assert_eq!(log.as_end_of_error(second), "");
        log.add("of the second", None);
        let expected = "; its standard error ends:\nof the second";
        assert_eq!(log.as_end_of_error(second), expected);
        (0..100_000).for_each(|_| log.add("of the second", None));
        let third = log.mark();
        log.add("of the third", None);
        let expected = "; its standard error ends:\nof the third";
        assert_eq!(log.as_end_of_error(third), expected);
    }
}
