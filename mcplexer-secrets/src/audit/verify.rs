//! Reads and verifies a log.

use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::chain::{self, Content, Hash};
use super::end::{MAX_END_LEN, MAX_TORN_LEN, is_torn};
use super::{Actor, AuditCall, AuditMark, AuditOperation, AuditOutcome, AuditPosition, AuditView};
use crate::error::{Finding, RecordName};
use crate::{Error, ScopeId, SecretName, StoreId};

/// How many changes that were not committed are listed.
const MAX_NOT_COMMITTED: usize = 100;

/// A line of an audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditLine {
    /// Its number, from 1.
    pub line: u64,
    /// When it happened, in RFC 3339.
    pub time: String,
    /// What was done.
    pub operation: AuditOperation,
    /// The scope, if it concerns one.
    pub scope: Option<ScopeId>,
    /// The secret, if it concerns one.
    pub name: Option<SecretName>,
    /// What the values were used for.
    pub used_for: Option<String>,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// Who did it.
    pub actor: Actor,
    /// The call that it is about, if it is one through a gateway.
    pub call: Option<AuditCall>,
}

impl From<Content> for AuditLine {
    fn from(content: Content) -> Self {
        let call = content.call.zip(content.server);
        let call = call.map(|(id, server)| AuditCall {
            id,
            server,
            method: content.method,
            object: content.object,
            secrets: content.secrets,
            more_secrets: content.more_secrets,
            digest: content.digest,
            bytes: content.bytes,
            ms: content.ms,
            scrubbed: content.scrubbed,
        });
        Self {
            line: content.number,
            time: content.time,
            operation: content.op,
            scope: content.scope,
            name: content.name,
            used_for: content.used_for,
            outcome: content.outcome,
            actor: Actor {
                uid: content.uid,
                pid: content.pid,
                program: content.program,
                client: content.client,
                session: content.session,
                tool: content.tool,
            },
            call,
        }
    }
}

/// The result of verifying a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AuditReport {
    /// The number of its lines.
    pub lines: u64,
    /// The last line that the store vouches for, or 0.
    pub sealed: u64,
    /// The number of other logs of the same owner and file name that the store has sealed. They were moved or deleted,
    /// or are on another machine.
    pub earlier: u64,
    /// The number of logs of that file name that other owners write, on their machines.
    pub others: u64,
    /// The lines of changes that were not committed and did not fail, at most 100: each was interrupted by a crash, or
    /// the store was put back to the state before it.
    pub not_committed: Vec<u64>,
    /// How often incomplete lines were removed from its end after a crash.
    pub healed: u64,
    /// The length of the incomplete lines now at its end, in bytes. The next operation removes
    /// them.
    pub torn: u64,
}

impl AuditReport {
    /// Notes that the change in the line `last` was not committed, if what the store has sealed next shows it.
    fn note_uncommitted(&mut self, last: Option<&AuditMark>, sealed: u64, failed: bool) {
        let lost = last.filter(|last| last.pending && !failed && sealed < last.line);
        if let Some(last) = lost
            && self.not_committed.len() < MAX_NOT_COMMITTED
        {
            self.not_committed.push(last.line);
        }
    }
}

/// Reads all lines of the log at `path` without verifying their chain. A log that does not exist
/// yet has no lines.
///
/// # Errors
/// * [`Error::Io`] if the file cannot be read.
/// * [`Error::Tampered`] if a line is not valid; the error names it.
pub fn read_audit_log(path: &Path) -> Result<Vec<AuditLine>, Error> {
    let mut lines = Vec::new();
    each_line(path, |number, bytes| {
        let (content, _) = chain::parse(bytes)
            .ok_or_else(|| Error::tampered(RecordName::AuditLine(number), Finding::BrokenChain))?;
        lines.push(content.into());
        Ok(())
    })?;
    Ok(lines)
}

/// A log whose chain is unbroken.
pub(crate) struct Verified {
    pub(crate) report: AuditReport,
    pub(crate) view: AuditView,
    /// Whether it has the line of the checkpoint, if there is one.
    pub(crate) has_checkpoint: bool,
}

/// Verifies the chain of the log at `path`, and compares it with the positions that `store` has sealed, and with that
/// of a checkpoint.
pub(crate) fn verify(
    path: &Path,
    store: Option<StoreId>,
    sealed: &[AuditPosition],
    checkpoint: Option<&AuditPosition>,
) -> Result<Verified, Error> {
    let mut report = AuditReport::default();
    let mut log = None;
    let mut previous: Hash = [0; 32];
    let mut seal = None;
    let mut has_checkpoint = checkpoint.is_none();
    let mut last = None;
    let end = each_line(path, |number, bytes| {
        let broken = || Error::tampered(RecordName::AuditLine(number), Finding::BrokenChain);
        let (content, hash) = chain::parse(bytes).ok_or_else(broken)?;
        let prev = chain::from_hex(&content.prev).ok_or_else(broken)?;
        if log.is_none() {
            log = Some(prev);
            seal = sealed.iter().find(|seal| seal.log == prev);
        } else if prev != previous {
            return Err(broken());
        }
        if content.number != number {
            return Err(broken());
        }
        if seal.is_some_and(|seal| seal.line == number && seal.hash != hash) {
            return Err(broken());
        }
        has_checkpoint |=
            checkpoint.is_some_and(|it| (Some(it.log), it.line, it.hash) == (log, number, hash));
        report.lines = number;
        report.healed += u64::from(content.op == AuditOperation::Heal);
        if let Some(mark) = content.mark(store) {
            let failed = content.outcome != AuditOutcome::Ok;
            report.note_uncommitted(last.as_ref(), mark.sealed, failed);
            last = Some(mark);
        }
        previous = hash;
        Ok(())
    })?;
    if !end.is_torn {
        let log = RecordName::AuditLog(path.to_owned());
        return Err(Error::tampered(log, Finding::NoEnd));
    }
    report.torn = end.length;
    let sealed_now = seal.map_or(0, |seal| seal.line);
    report.note_uncommitted(last.as_ref(), sealed_now, false);
    report.sealed = seal.map_or(0, |seal| seal.line);
    let tip = log.map(|log| AuditPosition {
        log,
        line: report.lines,
        offset: 0,
        hash: previous,
    });
    let view = AuditView {
        tip,
        is_whole: report.sealed <= report.lines,
        last,
    };
    Ok(Verified {
        report,
        view,
        has_checkpoint,
    })
}

/// The bytes after the last complete line of a log.
struct UnfinishedEnd {
    /// Its length in bytes.
    length: u64,
    /// Whether a crash can have left them.
    is_torn: bool,
}

/// Calls `each` with the number and the bytes of every complete line, and returns the rest.
fn each_line(
    path: &Path,
    mut each: impl FnMut(u64, &[u8]) -> Result<(), Error>,
) -> Result<UnfinishedEnd, Error> {
    let failed = |source: io::Error| Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    let opened = mcplexer_durable::open_regular(path, OpenOptions::new().read(true));
    let Some(file) = opened.map_err(failed)? else {
        return Ok(UnfinishedEnd {
            length: 0,
            is_torn: true,
        });
    };
    let mut reader = BufReader::new(file);
    let (mut bytes, mut offset) = (Vec::new(), 0);
    for number in 1.. {
        bytes.clear();
        // No line is longer, so a file without line feeds is not read whole.
        let mut bounded = reader.by_ref().take(MAX_END_LEN + 1);
        bounded.read_until(b'\n', &mut bytes).map_err(failed)?;
        let Some((b'\n', line)) = bytes.split_last() else {
            break;
        };
        if line.contains(&0) {
            // A power cut may have torn this line and what follows.
            let mut rest = bytes.clone();
            reader
                .by_ref()
                .take(MAX_TORN_LEN)
                .read_to_end(&mut rest)
                .map_err(failed)?;
            if rest.len() as u64 <= MAX_TORN_LEN && is_torn(&rest, offset) {
                return Ok(UnfinishedEnd {
                    length: rest.len() as u64,
                    is_torn: true,
                });
            }
        }
        each(number, line)?;
        offset += bytes.len() as u64;
    }
    let mut most = MAX_END_LEN;
    if bytes.contains(&0) {
        most = MAX_TORN_LEN;
        let mut rest = reader.by_ref().take(most);
        rest.read_to_end(&mut bytes).map_err(failed)?;
    }
    Ok(UnfinishedEnd {
        length: bytes.len() as u64,
        is_torn: bytes.len() as u64 <= most && is_torn(&bytes, offset),
    })
}
