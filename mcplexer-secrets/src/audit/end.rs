//! The end of a log in a file, which a crash can have torn.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

use super::{AuditPosition, chain};

/// The maximum length of a line: names, and texts about an actor, are bounded.
pub(super) const MAX_LINE_LEN: u64 = 4096;
/// How much of a log's end is read. A line and the beginning of another one have room there.
pub(super) const MAX_END_LEN: u64 = 2 * MAX_LINE_LEN;
/// The most of a log's end that a power cut can have torn: what a busy gateway writes before it is made durable.
pub(super) const MAX_TORN_LEN: u64 = 16 << 20;
/// The smallest unit that a disk writes at once.
const SECTOR: u64 = 512;

/// The end of the file.
pub(super) struct End {
    pub(super) tip: AuditPosition,
    /// The length of the incomplete lines after it, in bytes.
    pub(super) torn: u64,
}

/// Reads the last complete line of a file of `len` bytes, and the first one for the log's id.
/// Returns `None`, and leaves the file unchanged, if it is not an audit log.
pub(super) fn read_end(file: &File, len: u64) -> io::Result<Option<End>> {
    let mut reach = MAX_END_LEN;
    loop {
        let end = read_end_within(reach, file, len)?;
        if end.is_some() || reach >= len.min(MAX_TORN_LEN) {
            return Ok(end);
        }
        reach = (8 * reach).min(MAX_TORN_LEN);
    }
}

/// As [`read_end`], within the last `reach` bytes.
fn read_end_within(reach: u64, file: &File, len: u64) -> io::Result<Option<End>> {
    let from = len.saturating_sub(reach);
    let tail = read_range(file, from, len)?;
    let intact = tail.split(|&byte| byte == 0).next().unwrap_or(&tail);
    let begun = intact.rsplit(|&byte| byte == b'\n').next();
    let (whole, torn) = tail.split_at(intact.len() - begun.map_or(0, <[u8]>::len));
    if !is_torn(torn, from + whole.len() as u64) {
        return Ok(None);
    }
    let torn = torn.len() as u64;
    if whole.is_empty() && from == 0 {
        let tip = AuditPosition::genesis().ok();
        return Ok(tip.map(|tip| End { tip, torn }));
    }
    let last = whole.strip_suffix(b"\n").unwrap_or(whole);
    let last = last.rsplit(|&byte| byte == b'\n').next().unwrap_or(last);
    let offset = len - torn - last.len() as u64 - 1;
    let head = read_range(file, 0, len.min(MAX_LINE_LEN))?;
    let first = head.split(|&byte| byte == b'\n').next().unwrap_or(&head);
    Ok((|| {
        let (content, hash) = chain::parse(last)?;
        let (first, _) = chain::parse(first)?;
        let tip = AuditPosition {
            log: chain::from_hex(&first.prev)?,
            line: content.number,
            offset,
            hash,
        };
        Some(End { tip, torn })
    })())
}

/// Returns whether a crash can have left these bytes at the end of the file: the beginning of a
/// line, and zeros up to the end of each sector that had not reached the disk when the file grew.
pub(super) fn is_torn(torn: &[u8], at: u64) -> bool {
    let mut beginning = torn.iter().zip(chain::LINE_BEGINNING);
    let is_text = |byte: u8| byte == 0 || byte == b'\n' || byte >= b' ';
    let mut steps = torn.windows(2).zip(at + 1..);
    beginning.all(|(a, b)| a == b || *a == 0)
        && torn.iter().all(|&byte| is_text(byte))
        && steps.all(|(step, at)| !matches!(step, [0, 1..=u8::MAX]) || at % SECTOR == 0)
        && !has_synced_line(torn)
}

/// Returns whether a line before the last one records a change, which makes its own line and all
/// lines before it durable.
fn has_synced_line(torn: &[u8]) -> bool {
    let lines: Vec<_> = torn.split_inclusive(|&byte| byte == b'\n').collect();
    let before = lines.split_last().map_or(&[][..], |(_, before)| before);
    before.iter().any(|line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        chain::parse(line).is_some_and(|(content, _)| content.is_durable())
    })
}

pub(super) fn read_range(file: &File, from: u64, to: u64) -> io::Result<Vec<u8>> {
    let len = usize::try_from(to - from).map_err(|_| ErrorKind::OutOfMemory)?;
    let mut bytes = vec![0; len];
    file.read_exact_at(&mut bytes, from)?;
    Ok(bytes)
}
