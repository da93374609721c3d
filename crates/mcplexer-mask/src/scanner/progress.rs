//! The state of a scan.

use std::sync::Arc;

use memchr::{memchr_iter, memrchr};

use crate::needles::Found;

/// A value that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Occurrence {
    /// The line in which it begins, from 1.
    pub line: u64,
    /// The byte of the line at which it begins, from 1.
    pub column: u64,
    /// The label of the value.
    pub label: Arc<str>,
}

/// How far a stream has been searched, and what was found.
#[derive(Default)]
pub(super) struct Progress {
    /// The position in the buffer from which to look for pieces next.
    pub(super) searched: usize,
    /// The first position that may still be looked at closely.
    pub(super) next: usize,
    /// The end of the last value that was found.
    pub(super) done: usize,
    pub(super) last: Option<Found>,
    /// The number of line ends before the buffer, and of bytes after the last of them.
    lines: u64,
    columns: u64,
    pub(super) found: Vec<Occurrence>,
}

impl Progress {
    /// Returns the line and the column of a position in the buffer.
    pub(super) fn place(&self, text: &[u8], at: usize) -> (u64, u64) {
        let before = text.get(..at).unwrap_or_default();
        let lines = memchr_iter(b'\n', before).count() as u64;
        let column = match memrchr(b'\n', before) {
            Some(end) => (at - end) as u64,
            None => self.columns + at as u64 + 1,
        };
        (self.lines + lines + 1, column)
    }

    /// Adjusts to a buffer whose first bytes were dropped.
    pub(super) fn advance(&mut self, dropped: &[u8]) {
        let (line, column) = self.place(dropped, dropped.len());
        (self.lines, self.columns) = (line - 1, column - 1);
        let drop = dropped.len();
        self.searched -= drop;
        self.next = self.next.saturating_sub(drop);
        self.done = self.done.saturating_sub(drop);
        self.last = self.last.and_then(|last| {
            let end = last.end.checked_sub(drop)?;
            Some(Found { end, ..last })
        });
    }
}
