//! Pages of calls, newest first. A log is read backwards from where the page before ended, a limited number of lines at a time,
//! however long it is and however few calls are wanted.

use std::collections::HashMap;
use std::path::Path;

use mcplexer_secrets::Error;
use mcplexer_secrets::audit::{AuditLine, AuditOperation, AuditReader};

use super::{Call, Wanted};

/// How many lines behind a page are searched for the ends of its calls.
const MOST_BEHIND: usize = 2_000;

/// So many lines about anything but calls count as one about a call: who lists secrets again and again must not put calls
/// out of sight.
const OTHERS_FOR_ONE: usize = 10;

/// A call, and where it is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Placed {
    /// The call.
    pub call: Call,
    /// Where the line that begins it begins, in bytes.
    pub at: u64,
}

/// A page of calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// The calls, newest first.
    pub calls: Vec<Placed>,
    /// The cursor for older calls; `None` at the beginning of the log.
    pub older: Option<u64>,
    /// How many lines were read for it.
    pub lines: usize,
    /// Whether it ended because it read as many lines as it may, and not because it was full or the log ended.
    pub is_cut: bool,
    /// The time of the oldest line that was read, in RFC 3339.
    pub reached: Option<String>,
}

impl Page {
    /// Makes a page of calls that are not in a log, given in the order in which they began. `before` is how many of the newest
    /// ones come before it.
    #[must_use]
    pub fn of_recent(calls: Vec<Call>, wanted: &Wanted, before: Option<u64>, most: usize) -> Self {
        let skipped = usize::try_from(before.unwrap_or(0)).unwrap_or(usize::MAX);
        let mut page = Self::default();
        let mut calls = (0..).zip(calls.into_iter().rev()).skip(skipped);
        while page.calls.len() < most {
            let Some((at, call)) = calls.next() else {
                return page;
            };
            if wanted.is_over(&call) {
                return page;
            }
            page.reached = Some(call.time.clone());
            if wanted.has(&call) {
                page.calls.push(Placed { call, at });
            }
        }
        page.older = calls.next().map(|(at, _)| at);
        page
    }
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// The log is another one than that of the page before: it was moved or deleted.
    #[error("the audit log is another one than when the page before was read")]
    OtherLog,
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] Error),
}

/// Returns the newest calls of a log that are wanted: at most `most`, and at most those in `lines` lines, of which ten that are
/// not about calls count as one. `before` is
/// [`Page::older`] of the page before. A log that does not exist has none.
///
/// A call that ended more than 2,000 lines after the page is one without an end here; [`find`] looks further.
///
/// # Errors
/// - [`PageError::OtherLog`] if no line ends at `before`.
/// - [`PageError::Log`] if the log cannot be read, or has something else than lines.
pub fn page(
    log: &Path,
    wanted: &Wanted,
    before: Option<u64>,
    most: usize,
    lines: usize,
) -> Result<Page, PageError> {
    let Some(mut backwards) = Backwards::open(log, before)? else {
        return Ok(Page::default());
    };
    let mut page = Page::default();
    let mut others = 0;
    while page.calls.len() < most {
        let about_calls = page.lines - others;
        if about_calls + others / OTHERS_FOR_ONE >= lines {
            page.is_cut = true;
            break;
        }
        let Some(line) = backwards.previous()? else {
            return Ok(page);
        };
        page.lines += 1;
        others += usize::from(line.call.is_none());
        page.reached = Some(line.time.clone());
        let Some(placed) = backwards.take(line)? else {
            continue;
        };
        if wanted.is_over(&placed.call) {
            return Ok(page);
        }
        if wanted.has(&placed.call) {
            page.calls.push(placed);
        }
    }
    let position = backwards.log.position();
    page.older = (position > 0).then_some(position);
    page.is_cut &= page.older.is_some();
    Ok(page)
}

/// Returns the call with this id. It begins at `at`, if that is known ([`Placed::at`]); else it is looked for from the end of
/// the log. At most `lines` lines are read. `None` if it is not there.
///
/// # Errors
/// If the log cannot be read, or has something else than lines.
pub fn find(log: &Path, id: &str, at: Option<u64>, lines: usize) -> Result<Option<Placed>, Error> {
    let is_it = |line: &AuditLine| line.call.as_ref().is_some_and(|it| it.id == id);
    if let Some(at) = at {
        let Some(mut behind) = Behind::open(log, at, lines)? else {
            return Ok(None);
        };
        let Some(first) = behind.first()? else {
            return Ok(None);
        };
        if !is_it(&first) {
            return Ok(None);
        }
        let Some(mut call) = Call::begun(first) else {
            return Ok(None);
        };
        if let Some(end) = behind.end_of(id)? {
            call.end(end);
        }
        return Ok(Some(Placed { call, at }));
    }
    let Ok(Some(mut backwards)) = Backwards::open(log, None) else {
        return Ok(None);
    };
    for _ in 0..lines {
        let Some(line) = backwards.previous()? else {
            break;
        };
        let is_it = is_it(&line);
        if let Some(placed) = backwards.take(line)?.filter(|_| is_it) {
            return Ok(Some(placed));
        }
    }
    Ok(None)
}

/// Reads calls backwards.
struct Backwards {
    log: AuditReader,
    /// The ends whose calls are further back.
    ends: HashMap<String, AuditLine>,
    /// What is behind the place from which it is read, if that is not the end of the log.
    behind: Option<Behind>,
}

impl Backwards {
    /// `None` if there is no log.
    fn open(path: &Path, before: Option<u64>) -> Result<Option<Self>, PageError> {
        let (log, behind) = match before {
            None => (AuditReader::open(path)?, None),
            Some(at) => {
                let log = AuditReader::open_at(path, at)?;
                let behind = Behind::open(path, at, MOST_BEHIND)?;
                (Some(log.ok_or(PageError::OtherLog)?), behind)
            }
        };
        Ok(log.map(|log| Self {
            log,
            ends: HashMap::new(),
            behind,
        }))
    }

    fn previous(&mut self) -> Result<Option<AuditLine>, Error> {
        self.log.previous()
    }

    /// Takes the line that was read last; returns the call that it begins, if so.
    fn take(&mut self, line: AuditLine) -> Result<Option<Placed>, Error> {
        let Some(id) = line.call.as_ref().map(|it| it.id.clone()) else {
            return Ok(None);
        };
        if line.operation == AuditOperation::CallResult {
            self.ends.insert(id, line);
            return Ok(None);
        }
        let Some(mut call) = Call::begun(line) else {
            return Ok(None);
        };
        let end = match (self.ends.remove(&id), &mut self.behind) {
            (None, Some(behind)) => behind.end_of(&id)?,
            (end, _) => end,
        };
        if let Some(end) = end {
            call.end(end);
        }
        let at = self.log.position();
        Ok(Some(Placed { call, at }))
    }
}

/// Looks for the ends of calls in the lines that follow a place in the log.
struct Behind {
    log: AuditReader,
    ends: HashMap<String, AuditLine>,
    /// How many more lines it may read.
    left: usize,
}

impl Behind {
    fn open(path: &Path, at: u64, lines: usize) -> Result<Option<Self>, Error> {
        let log = AuditReader::open_at(path, at)?;
        Ok(log.map(|log| Self {
            log,
            ends: HashMap::new(),
            left: lines,
        }))
    }

    /// Returns the first line.
    fn first(&mut self) -> Result<Option<AuditLine>, Error> {
        let mut lines = self.log.appended()?.into_iter();
        let first = lines.next();
        lines.for_each(|it| self.keep(it));
        Ok(first)
    }

    fn end_of(&mut self, id: &str) -> Result<Option<AuditLine>, Error> {
        loop {
            if let Some(end) = self.ends.remove(id) {
                return Ok(Some(end));
            }
            if self.left == 0 {
                return Ok(None);
            }
            let lines = self.log.appended()?;
            self.left = match lines.len() {
                0 => 0,
                read => self.left.saturating_sub(read),
            };
            lines.into_iter().for_each(|it| self.keep(it));
        }
    }

    fn keep(&mut self, line: AuditLine) {
        let id = line.call.as_ref().map(|it| it.id.clone());
        if let (AuditOperation::CallResult, Some(id)) = (line.operation, id) {
            self.ends.insert(id, line);
        }
    }
}

#[cfg(test)]
mod tests;
