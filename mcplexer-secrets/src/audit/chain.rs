//! How lines hang together.

use memchr::memmem;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{AuditChange, AuditEvent, AuditOperation, AuditOutcome, AuditPosition};
use crate::seal::fill_random;
use crate::{Error, ScopeId, SecretName, StoreId};

pub(super) type Hash = [u8; 32];

/// What every line begins with.
pub(super) const LINE_BEGINNING: &[u8] = b"{\"line\":";

/// What stands between a line's content and its hash.
const HASH_MEMBER: &str = ",\"hash\":\"";

/// What only lines of changes have.
const SEALED_MEMBER: &[u8] = b",\"sealed\":";

/// A line without its hash, in the order of its members.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Content {
    #[serde(rename = "line")]
    pub(super) number: u64,
    pub(super) time: String,
    pub(super) op: AuditOperation,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<ScopeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<SecretName>,
    pub(super) outcome: AuditOutcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sealed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) store: Option<String>,
    pub(super) uid: u32,
    pub(super) pid: u32,
    pub(super) program: String,
    pub(super) prev: String,
}

impl Content {
    /// The change to this store, or to any, that the line records.
    pub(super) fn change(&self, store: Option<StoreId>) -> Option<AuditChange> {
        let sealed = self.sealed?;
        let is_of = |store: StoreId| self.store == Some(store.to_string());
        store.is_none_or(is_of).then_some(AuditChange {
            line: self.number,
            sealed,
        })
    }
}

/// Who writes: this process.
#[derive(Debug)]
pub(super) struct Actor {
    uid: u32,
    pid: u32,
    program: String,
}

impl Actor {
    pub(super) fn this_process() -> Self {
        let program = std::env::current_exe().ok();
        let program = program.as_deref().and_then(|path| path.file_name());
        let program = program.map_or_else(String::new, |name| name.to_string_lossy().into());
        Self {
            uid: rustix::process::getuid().as_raw(),
            pid: std::process::id(),
            program: program.chars().take(64).collect(),
        }
    }
}

impl AuditPosition {
    /// Before the first line of a new log.
    pub(super) fn genesis() -> Result<Self, Error> {
        let mut log = [0; 32];
        fill_random(&mut log)?;
        Ok(Self {
            log,
            line: 0,
            offset: 0,
            hash: log,
        })
    }

    /// The line for `event`, with its line feed, and its position when it is appended at `offset`.
    pub(super) fn next(
        &self,
        event: &AuditEvent<'_>,
        actor: &Actor,
        offset: u64,
    ) -> Result<(String, Self), Error> {
        let number = self.line + 1;
        let content = Content {
            number,
            time: event.time.to_string(),
            op: event.operation,
            scope: event.scope.cloned(),
            name: event.name.cloned(),
            outcome: event.outcome,
            sealed: event.sealed,
            store: event.store.map(|store| store.to_string()),
            uid: actor.uid,
            pid: actor.pid,
            program: actor.program.clone(),
            prev: to_hex(&self.hash),
        };
        let mut line =
            serde_json::to_string(&content).map_err(|error| Error::Seal(error.into()))?;
        line.pop();
        let hash: Hash = Sha256::digest(line.as_bytes()).into();
        line.push_str(HASH_MEMBER);
        line.push_str(&to_hex(&hash));
        line.push_str("\"}\n");
        let position = Self {
            log: self.log,
            line: number,
            offset,
            hash,
        };
        Ok((line, position))
    }
}

/// Reads a line (without its line feed): its content and its hash, which is checked.
pub(super) fn parse(line: &[u8]) -> Option<(Content, Hash)> {
    let line = str::from_utf8(line).ok()?;
    let (content, rest) = line.rsplit_once(HASH_MEMBER)?;
    let hash = from_hex(rest.strip_suffix("\"}")?)?;
    let computed: Hash = Sha256::digest(content.as_bytes()).into();
    if computed != hash {
        return None;
    }
    let content: Content = serde_json::from_str(&format!("{content}}}")).ok()?;
    // Nothing could follow the last of all numbers.
    (content.number < u64::MAX).then_some((content, hash))
}

/// The change to this store, or to any, that the last of these lines records that records one. A line
/// that is none does not count.
pub(super) fn last_change<'a>(
    lines: impl DoubleEndedIterator<Item = &'a [u8]>,
    store: Option<StoreId>,
) -> Option<AuditChange> {
    let mut changes = lines.rev().filter_map(|line| {
        // Most lines are no changes, and need not be read for that.
        memmem::find(line, SEALED_MEMBER)?;
        parse(line)?.0.change(store)
    });
    changes.next()
}

fn to_hex(bytes: &Hash) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads what [`to_hex`] writes, and nothing else: a line has one form.
pub(super) fn from_hex(text: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 64 || !text.bytes().all(is_digit) {
        return None;
    }
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn a_line_names_what_was_done_and_parses_back() {
        let (scope, name) = ("github-token".parse().unwrap(), "KEY".parse().unwrap());
        let event = AuditEvent {
            time: Timestamp::from_micros(0),
            operation: AuditOperation::Put,
            scope: Some(&scope),
            name: Some(&name),
            outcome: AuditOutcome::Ok,
            sealed: Some(0),
            store: None,
        };
        let actor = Actor {
            uid: 1,
            pid: 2,
            program: "test".into(),
        };
        let start = AuditPosition {
            log: [0; 32],
            line: 0,
            offset: 0,
            hash: [0; 32],
        };
        let (line, next) = start.next(&event, &actor, 0).unwrap();
        insta::assert_snapshot!(line, @r#"{"line":1,"time":"1970-01-01T00:00:00.000000Z","op":"put","scope":"github-token","name":"KEY","outcome":"ok","sealed":0,"uid":1,"pid":2,"program":"test","prev":"0000000000000000000000000000000000000000000000000000000000000000","hash":"752c9a1895e44690572d4c904abf88132819cc59a60fd08ef48dc264be3e75f5"}"#);
        let (content, hash) = parse(line.trim_end().as_bytes()).unwrap();
        assert_eq!((content.number, hash), (1, next.hash));
        assert!(parse(line.replace("put", "get").trim_end().as_bytes()).is_none());
    }

    #[test]
    fn a_line_that_no_line_could_follow_is_none() {
        let event = AuditEvent {
            time: Timestamp::from_micros(0),
            operation: AuditOperation::List,
            scope: None,
            name: None,
            outcome: AuditOutcome::Ok,
            sealed: None,
            store: None,
        };
        let parsed_after = |line| {
            let genesis = AuditPosition::genesis().unwrap();
            let before = AuditPosition { line, ..genesis };
            let (line, _) = before.next(&event, &Actor::this_process(), 0).unwrap();
            parse(line.trim_end().as_bytes()).map(|(content, _)| content.number)
        };
        assert_eq!(parsed_after(u64::MAX - 2), Some(u64::MAX - 1));
        assert_eq!(parsed_after(u64::MAX - 1), None);
    }
}
