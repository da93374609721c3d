//! How lines are bound to each other.

use std::fmt::Write;

use memchr::memmem;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{
    AuditError, AuditErrorKind, AuditEvent, AuditMark, AuditOperation, AuditOutcome, AuditPosition,
};
use crate::{ScopeId, SecretName, StoreId};

pub(super) type Hash = [u8; 32];

/// The beginning of every line.
pub(super) const LINE_BEGINNING: &[u8] = b"{\"line\":";

/// The text between a line's content and its hash.
const HASH_MEMBER: &str = ",\"hash\":\"";

/// A member that only lines with the state of a store have.
const STORE_MEMBER: &[u8] = b",\"store\":";

/// The content of a line, without its hash.
#[derive(Debug, Deserialize)]
pub(super) struct Content {
    #[serde(rename = "line")]
    pub(super) number: u64,
    pub(super) time: String,
    pub(super) op: AuditOperation,
    pub(super) scope: Option<ScopeId>,
    pub(super) name: Option<SecretName>,
    #[serde(rename = "for")]
    pub(super) used_for: Option<String>,
    pub(super) outcome: AuditOutcome,
    pub(super) store: Option<String>,
    pub(super) generation: Option<u64>,
    pub(super) revision: Option<u64>,
    pub(super) sealed: Option<u64>,
    #[serde(default)]
    pub(super) pending: bool,
    pub(super) owner: Option<String>,
    pub(super) claimant: Option<String>,
    pub(super) claimed: Option<u64>,
    pub(super) uid: u32,
    pub(super) pid: u32,
    pub(super) program: String,
    pub(super) client: Option<String>,
    pub(super) session: Option<String>,
    pub(super) tool: Option<String>,
    pub(super) call: Option<String>,
    pub(super) server: Option<String>,
    pub(super) method: Option<String>,
    pub(super) object: Option<String>,
    #[serde(default)]
    pub(super) secrets: Vec<String>,
    #[serde(default)]
    pub(super) more_secrets: u64,
    pub(super) digest: Option<String>,
    #[serde(default)]
    pub(super) bytes: u64,
    pub(super) ms: Option<u64>,
    pub(super) scrubbed: Option<u64>,
    pub(super) prev: String,
}

impl Content {
    /// Returns the state that the line records; `None` if it records none, or the creation of another store
    /// than `store`, which may not have been committed.
    pub(super) fn mark(&self, store: Option<StoreId>) -> Option<AuditMark> {
        let mark = AuditMark {
            line: self.number,
            store: StoreId::parse(self.store.as_deref()?)?,
            generation: self.generation?,
            revision: self.revision?,
            sealed: self.sealed?,
            pending: self.pending,
            owner: self.owner.clone(),
            claimant: self.claimant.clone(),
            claimed: self.claimed,
        };
        let is_creation = mark.pending && mark.revision == 1;
        (!is_creation || store == Some(mark.store)).then_some(mark)
    }

    /// Whether the line was made durable, and with it all lines before it.
    pub(super) fn is_durable(&self) -> bool {
        let operations = [AuditOperation::Committed, AuditOperation::Checkpoint];
        self.pending || operations.contains(&self.op)
    }
}

impl AuditPosition {
    /// Before the first line of a new log.
    pub(super) fn genesis() -> Result<Self, AuditError> {
        let mut log = [0; 32];
        getrandom::fill(&mut log).map_err(|error| {
            let message = "the operating system gave no random bytes for an audit log";
            AuditError::new(AuditErrorKind::Other, message).with_source(error)
        })?;
        Ok(Self {
            log,
            line: 0,
            offset: 0,
            hash: log,
        })
    }

    /// Returns the line for `event`, with its line feed, and its position if it is appended at
    /// `offset`.
    pub(super) fn next(
        &self,
        event: &AuditEvent<'_>,
        offset: u64,
    ) -> Result<(String, Self), AuditError> {
        let number = self.line + 1;
        let event = event.to_json()?;
        let members = event.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
        let members = members.unwrap_or(&event);
        let prev = to_hex(&self.hash);
        // With the number and both hashes.
        let mut line = String::with_capacity(members.len() + 192);
        let _always_ok = write!(line, "{{\"line\":{number},{members},\"prev\":\"{prev}\"");
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

/// Reads a line without its line feed, checks its hash, and returns both.
pub(super) fn parse(line: &[u8]) -> Option<(Content, Hash)> {
    let line = str::from_utf8(line).ok()?;
    let (content, rest) = line.rsplit_once(HASH_MEMBER)?;
    let hash = from_hex(rest.strip_suffix("\"}")?)?;
    let computed: Hash = Sha256::digest(content.as_bytes()).into();
    if computed != hash {
        return None;
    }
    let content: Content = serde_json::from_str(&format!("{content}}}")).ok()?;
    // No line could follow the one with the greatest number.
    (content.number < u64::MAX).then_some((content, hash))
}

/// Returns the last state that these lines record, as [`Content::mark`] does. Anything that is not a line is
/// skipped.
pub(super) fn last_mark<'a>(
    lines: impl DoubleEndedIterator<Item = &'a [u8]>,
    store: Option<StoreId>,
) -> Option<AuditMark> {
    let mut marks = lines.rev().filter_map(|line| {
        // A line without a state need not be parsed to see that.
        memmem::find(line, STORE_MEMBER)?;
        parse(line)?.0.mark(store)
    });
    marks.next()
}

/// Whether some of these lines may record a state. Most of a busy gateway's do not.
pub(super) fn may_have_mark(lines: &[u8]) -> bool {
    memmem::find(lines, STORE_MEMBER).is_some()
}

/// Returns the hash of a line without its line feed; `None` if it is not a line.
#[cfg(test)]
pub(crate) fn hash_of(line: &[u8]) -> Option<Hash> {
    parse(line).map(|(_, hash)| hash)
}

pub(super) fn to_hex(bytes: &Hash) -> String {
    base16ct::lower::encode_string(bytes)
}

/// Parses only the form that [`to_hex`] writes, so that each line has exactly one form.
pub(super) fn from_hex(text: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    let decoded = base16ct::lower::decode(text, &mut hash).ok()?;
    (decoded.len() == 32).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::audit::end::MAX_LINE_LEN;
    use crate::audit::{Actor, AuditState};

    fn actor() -> Actor {
        let mut actor = Actor::this_process();
        (actor.uid, actor.pid, actor.program) = (1, 2, "test".into());
        actor
    }

    fn start() -> AuditPosition {
        AuditPosition {
            log: [0; 32],
            line: 0,
            offset: 0,
            hash: [0; 32],
        }
    }

    fn state(owner: &str) -> AuditState<'_> {
        AuditState {
            store: StoreId([7; 16]),
            generation: u64::MAX,
            revision: u64::MAX,
            sealed: u64::MAX,
            pending: true,
            owner: Some(owner),
            claimant: Some("0123456789abcdef"),
            claimed: Some(u64::MAX),
        }
    }

    #[test]
    fn a_line_names_what_was_done_and_parses_back() {
        let (scope, name) = ("github-token".parse().unwrap(), "KEY".parse().unwrap());
        let actor = actor();
        let mut event = AuditEvent::new(AuditOperation::Put, AuditOutcome::Ok, &actor);
        event.time = Timestamp::from_micros(0);
        (event.scope, event.name, event.state) = (Some(&scope), Some(&name), Some(state("laptop")));
        let (line, next) = start().next(&event, 0).unwrap();
        insta::assert_snapshot!(line, @r#"{"line":1,"time":"1970-01-01T00:00:00.000000Z","op":"put","scope":"github-token","name":"KEY","outcome":"ok","store":"07070707070707070707070707070707","generation":18446744073709551615,"revision":18446744073709551615,"sealed":18446744073709551615,"pending":true,"owner":"laptop","claimant":"0123456789abcdef","claimed":18446744073709551615,"uid":1,"pid":2,"program":"test","prev":"0000000000000000000000000000000000000000000000000000000000000000","hash":"0fac6f4b330552b147b0b0b0159e0f0fd20e4e2da80b9dcf4bcfff914f59e049"}"#);
        let (content, hash) = parse(line.trim_end().as_bytes()).unwrap();
        assert_eq!((content.number, hash), (1, next.hash));
        assert!(parse(line.replace("put", "get").trim_end().as_bytes()).is_none());
    }

    #[test]
    fn a_line_names_the_client_and_what_a_value_was_used_for() {
        let scope = "github-token".parse().unwrap();
        let actor = actor()
            .with_client("ide")
            .with_session("7")
            .with_tool("issues");
        let mut event = AuditEvent::new(AuditOperation::Inject, AuditOutcome::Ok, &actor);
        event.time = Timestamp::from_micros(0);
        (event.scope, event.used_for) = (Some(&scope), Some("npx"));
        insta::assert_snapshot!(event, @r#"{"time":"1970-01-01T00:00:00.000000Z","op":"inject","scope":"github-token","for":"npx","outcome":"ok","uid":1,"pid":2,"program":"test","client":"ide","session":"7","tool":"issues"}"#);
        let (line, _) = start().next(&event, 0).unwrap();
        let (content, _) = parse(line.trim_end().as_bytes()).unwrap();
        assert_eq!(content.used_for.as_deref(), Some("npx"));
        let actor = [content.client, content.session, content.tool];
        assert_eq!(actor.map(Option::unwrap), ["ide", "7", "issues"]);
    }

    #[test]
    fn no_line_is_longer_than_a_line_can_be_and_none_steers_a_terminal() {
        let scope = "s".repeat(crate::MAX_SCOPE_ID_LEN).parse().unwrap();
        let name = "N".repeat(crate::MAX_SECRET_NAME_LEN).parse().unwrap();
        for character in ["\u{10FFFD}", "\u{1b}", "\\", "\"", "\0", "}", "\u{7f}"] {
            let long = character.repeat(5000);
            let mut actor = Actor::this_process();
            (actor.uid, actor.pid) = (u32::MAX, u32::MAX);
            actor.program.clone_from(&long);
            let actor = actor
                .with_client(&*long)
                .with_session(&*long)
                .with_tool(&*long);
            let mut event =
                AuditEvent::new(AuditOperation::ApplyConfig, AuditOutcome::NotFound, &actor);
            (event.scope, event.name, event.used_for) = (Some(&scope), Some(&name), Some(&*long));
            event.state = Some(state(&long));
            let before = AuditPosition {
                line: u64::MAX - 2,
                ..start()
            };
            let (line, _) = before.next(&event, 0).unwrap();
            assert!(line.len() as u64 <= MAX_LINE_LEN, "{} bytes", line.len());
            assert!(!line.trim_end().contains(char::is_control));
            assert!(parse(line.trim_end().as_bytes()).is_some());
        }
    }

    #[test]
    fn a_line_that_no_line_could_follow_is_refused() {
        let actor = actor();
        let event = AuditEvent::new(AuditOperation::List, AuditOutcome::Ok, &actor);
        let parsed_after = |line| {
            let before = AuditPosition { line, ..start() };
            let (line, _) = before.next(&event, 0).unwrap();
            parse(line.trim_end().as_bytes()).map(|(content, _)| content.number)
        };
        assert_eq!(parsed_after(u64::MAX - 2), Some(u64::MAX - 1));
        assert_eq!(parsed_after(u64::MAX - 1), None);
    }
}
