//! Messages on a byte stream, one a line: the stdio transport (MCP 2026-07-28, "stdio").

use std::io;

use memchr::{memchr, memchr2};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroize;

/// How much of each end of a line that was skipped is kept, in bytes: enough to find the id of its message.
const KEPT: usize = 4096;

/// Reads lines up to a limit.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    from: R,
    limit: usize,
    line: Vec<u8>,
}

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Text, without the line end.
    Text(String),
    /// It is not UTF-8, and was skipped.
    NotText(Ends),
    /// It is longer than the limit, and was skipped.
    TooLong(Ends),
}

/// What is kept of a line that was skipped: enough to find out which message it was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    /// Its beginning.
    pub(crate) head: String,
    /// Its end.
    pub(crate) tail: String,
}

impl Ends {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let head = bytes.get(..KEPT).unwrap_or(bytes);
        let tail = bytes.len().saturating_sub(KEPT);
        let tail = bytes.get(tail..).unwrap_or_default();
        Self {
            head: String::from_utf8_lossy(head).into_owned(),
            tail: String::from_utf8_lossy(tail).into_owned(),
        }
    }
}

/// Forgets the middle of something that comes in pieces, once it is too long. Its length stays over the limit.
pub(crate) fn forget_middle(bytes: &mut Vec<u8>, limit: usize) {
    if bytes.len() > limit + KEPT * 2 {
        let end = bytes.len() - KEPT;
        bytes.copy_within(end.., limit);
        bytes.truncate(limit + KEPT);
    }
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// Reads lines of at most so many bytes.
    pub(crate) fn new(from: R, limit: usize) -> Self {
        Self {
            from,
            limit,
            line: Vec::new(),
        }
    }

    /// Returns the next line, or `None` at the end. Empty lines are skipped. A line without an end, after which the
    /// stream ends, is returned as well.
    ///
    /// It may be dropped while it waits: nothing is lost then.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let available = self.from.fill_buf().await?;
            let is_end = available.is_empty();
            let (taken, is_whole) = match memchr(b'\n', available) {
                Some(at) => (at + 1, true),
                None => (available.len(), is_end),
            };
            let piece = available.get(..taken).unwrap_or_default();
            self.line.extend_from_slice(piece);
            forget_middle(&mut self.line, self.limit);
            self.from.consume(taken);
            if !is_whole {
                continue;
            }
            let line = self.take();
            if line.is_some() || is_end {
                return Ok(line);
            }
        }
    }

    fn take(&mut self) -> Option<Line> {
        // The message is what was read, and no copy of it: it may have a secret in it.
        let mut line = std::mem::take(&mut self.line);
        let is_long = line.len() > self.limit + 2;
        line.truncate(line.trim_ascii_end().len());
        if line.is_empty() {
            self.line = line;
            return None;
        }
        if is_long {
            let kept = Ends::of(&line);
            line.zeroize();
            return Some(Line::TooLong(kept));
        }
        Some(match String::from_utf8(line) {
            Ok(text) => Line::Text(text),
            Err(error) => {
                let mut line = error.into_bytes();
                let kept = Ends::of(&line);
                line.zeroize();
                Line::NotText(kept)
            }
        })
    }
}

/// Writes a message as a line.
pub(crate) async fn write_line(
    to: &mut (impl AsyncWrite + Unpin),
    mut text: String,
) -> io::Result<()> {
    // A line end may be between the members of a message, where it means nothing.
    if memchr2(b'\n', b'\r', text.as_bytes()).is_some() {
        text = text.replace(['\n', '\r'], " ");
    }
    text.push('\n');
    to.write_all(text.as_bytes()).await?;
    to.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(bytes: &[u8], limit: usize) -> Vec<Line> {
        let mut lines = Lines::new(bytes, limit);
        let mut read = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            read.push(line);
        }
        read
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_ends_nothing() {
        let text = |text: &str| Line::Text(text.to_owned());
        let long = "x".repeat(100_000);
        let bytes = format!("a\r\n\n  \nü\n{{\"id\":7,{long},\"id\":8}}\nb");
        let mut read = lines(bytes.as_bytes(), 1000).await;
        assert_eq!(read.pop(), Some(text("b")));
        let Some(Line::TooLong(Ends { head, tail })) = read.pop() else {
            panic!("not too long");
        };
        assert!(head.starts_with("{\"id\":7,xxx") && tail.ends_with("xx,\"id\":8}"));
        assert_eq!(read, [text("a"), text("ü")]);
        let kept = Ends::of(b"{\"id\":7,\xff}");
        let read = lines(b"{\"id\":7,\xff}\nb\n", 100).await;
        assert_eq!(read, [Line::NotText(kept), text("b")]);
        assert_eq!(lines(b"1234567890\n", 10).await, [text("1234567890")]);
        let eleven = lines(b"1234567890123\n", 10).await;
        assert!(matches!(eleven[..], [Line::TooLong(_)]));
    }

    #[tokio::test]
    async fn a_message_is_one_line() {
        let mut written = Vec::new();
        let text = "{\"a\":\r\n 1}".to_owned();
        write_line(&mut written, text).await.unwrap();
        assert_eq!(written, b"{\"a\":   1}\n");
    }
}
