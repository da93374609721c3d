use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::actor::{Actor, bounded, bounded_tool, bounded_use};
use super::call::{CallMembers, CallRecord};
use super::{AuditError, AuditErrorKind};
use crate::{ErrorKind, ScopeId, SecretName, StoreId, Timestamp};

/// What is recorded: one operation of a store.
///
/// `Display` writes it as a JSON object on one line, without a chain.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AuditEvent<'a> {
    /// When it happened.
    pub time: Timestamp,
    /// What was done.
    pub operation: AuditOperation,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// Who did it.
    pub actor: &'a Actor,
    /// The scope, if it concerns one.
    pub scope: Option<&'a ScopeId>,
    /// The secret, if it concerns one.
    pub name: Option<&'a SecretName>,
    /// What the values were used for, such as the program that received them, without its
    /// arguments.
    pub used_for: Option<&'a str>,
    /// The state of the store that the operation read, or that it is about to commit.
    pub state: Option<AuditState<'a>>,
    /// The call that it is about, if it is one through a gateway.
    pub call: Option<&'a CallRecord>,
    /// The finished line and its place in a chain, if a [`Chained`](super::Chained) hands the event on.
    pub chain: Option<ChainLink<'a>>,
}

/// A state of a store.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct AuditState<'a> {
    /// The store.
    pub store: StoreId,
    /// Its generation.
    pub generation: u64,
    /// Its revision.
    pub revision: u64,
    /// The line of this log that the store had sealed before, or 0 if it had sealed none.
    pub sealed: u64,
    /// Whether this is the state that a change is about to commit.
    pub pending: bool,
    /// The label of the owner whose key opened the store, if a key did.
    pub owner: Option<&'a str>,
    /// Tells the private key that last claimed the store, as far as the log knows, from others.
    pub claimant: Option<&'a str>,
    /// The generation in which it did; `None` if it cannot.
    pub claimed: Option<u64>,
}

/// A finished line of a chain.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ChainLink<'a> {
    /// Its number, from 1.
    pub line: u64,
    /// The hash of the line before; in the first line the random id of the chain.
    pub prev: &'a [u8; 32],
    /// Its hash.
    pub hash: &'a [u8; 32],
    /// The line: a JSON object without a line feed, as `docs/format.md` describes it.
    pub text: &'a str,
}

impl<'a> AuditEvent<'a> {
    /// Creates an event that happens now and concerns the store as a whole.
    #[must_use]
    pub fn new(operation: AuditOperation, outcome: AuditOutcome, actor: &'a Actor) -> Self {
        Self {
            time: Timestamp::now(),
            operation,
            outcome,
            actor,
            scope: None,
            name: None,
            used_for: None,
            state: None,
            call: None,
            chain: None,
        }
    }

    /// Returns whether the line must be durable before the operation continues. Lines of changes
    /// must, because the store is about to vouch for them, and so must the line that follows a change
    /// of owners or keys.
    #[must_use]
    pub fn durable(&self) -> bool {
        let is_pending = self.state.is_some_and(|state| state.pending);
        let operations = [AuditOperation::Committed, AuditOperation::Checkpoint];
        is_pending || operations.contains(&self.operation)
    }

    /// Returns the event as a JSON object on one line.
    pub(super) fn to_json(&self) -> Result<String, AuditError> {
        let actor = self.actor;
        let tool = match self.call {
            Some(call) => call.tool(),
            None => actor.tool.as_deref(),
        };
        let members = Members {
            time: self.time.to_string(),
            op: self.operation,
            scope: self.scope,
            name: self.name,
            used_for: self.used_for.map(bounded_use),
            outcome: self.outcome,
            store: self.state.map(|state| state.store.to_string()),
            generation: self.state.map(|state| state.generation),
            revision: self.state.map(|state| state.revision),
            sealed: self.state.map(|state| state.sealed),
            pending: self.state.is_some_and(|state| state.pending),
            owner: self.state.and_then(|state| state.owner).map(bounded),
            claimant: self.state.and_then(|state| state.claimant),
            claimed: self.state.and_then(|state| state.claimed),
            uid: actor.uid,
            pid: actor.pid,
            program: bounded(&actor.program),
            client: actor.client.as_deref().map(bounded),
            session: actor.session.as_deref().map(bounded),
            tool: tool.map(bounded_tool),
            call: self.call.map(CallRecord::members),
        };
        serde_json::to_string(&members).map_err(|error| {
            AuditError::new(AuditErrorKind::Other, "cannot write an audit line").with_source(error)
        })
    }
}

impl fmt::Display for AuditEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json().map_err(|_| fmt::Error)?)
    }
}

/// The members of a line that say what happened, in their order.
#[derive(Serialize)]
struct Members<'a> {
    time: String,
    op: AuditOperation,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a ScopeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a SecretName>,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    used_for: Option<Cow<'a, str>>,
    outcome: AuditOutcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pending: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claimant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed: Option<u64>,
    uid: u32,
    pid: u32,
    program: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<Cow<'a, str>>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    call: Option<CallMembers<'a>>,
}

/// The operations that are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AuditOperation {
    /// A store was created.
    Init,
    /// A value was stored.
    Put,
    /// A value was opened.
    Get,
    /// An earlier version of a value was opened.
    GetVersion,
    /// Values of a scope were opened, to pass them to a program or to insert them in a text.
    Inject,
    /// Values of a scope were opened, to search files for them.
    Scan,
    /// The versions of a secret, the secrets of a scope, or all scopes, were listed.
    List,
    /// A secret was deleted, or several: the preceding lines list them.
    Delete,
    /// The value of another secret, which the preceding line names, was stored.
    Copy,
    /// A secret got another place. The preceding line has the old one.
    Move,
    /// What is said about a secret was changed.
    Edit,
    /// A version of a value was stored again.
    RestoreVersion,
    /// A scope was created.
    CreateScope,
    /// A scope was deleted.
    DeleteScope,
    /// A scope got another id. The preceding line has the old one.
    RenameScope,
    /// A scope was given another kind, display name, hints or number of versions to keep.
    UpdateScope,
    /// Scopes were created, changed and deleted together to match a file. The preceding lines list
    /// them.
    ApplyConfig,
    /// An incomplete line, left by a crash, was removed from the end of the log.
    Heal,
    /// The keys and everything encrypted with them were replaced.
    Rotate,
    /// A way to open the store was added.
    AddSlot,
    /// A change of owners or keys, which the line before records, was committed.
    Committed,
    /// A change, which a line before records, is made again: somebody else changed the store first.
    Retry,
    /// A checkpoint of the store and this log was made.
    Checkpoint,
    /// An owner accepted a store that somebody else created, extended or put back.
    Accept,
    /// A way to open the store was removed, and the store re-keyed.
    RemoveSlot,
    /// A lost key was replaced with the recovery code, and the store re-keyed.
    Recover,
    /// Every value was written to a backup.
    Backup,
    /// A backup was restored.
    Restore,
    /// Remains of deleted records were removed from the file.
    Compact,
    /// The store was moved to another place.
    MoveStore,
    /// A store that was moved stays where it was.
    KeepStore,
    /// A store was deleted at the place from which it was moved.
    DeleteMoved,
    /// Many values of a scope were stored at once.
    Import,
    /// Values of a scope were opened to write them to a file.
    Export,
    /// A client of a gateway calls a server.
    Call,
    /// A call has ended.
    CallResult,
}

/// How a recorded operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AuditOutcome {
    /// It succeeded. For a change, the line is written just before the commit.
    Ok,
    /// The scope or secret was not found.
    NotFound,
    /// It already exists, or was at another version.
    Conflict,
    /// The request was invalid.
    Invalid,
    /// No key opened the store.
    NoKey,
    /// The store was tampered with or is damaged.
    Tampered,
    /// Another program was using the store.
    Busy,
    /// Whether the change was made is not known: the storage did not answer.
    Unknown,
    /// Any other failure, such as a full disk.
    Failed,
    /// The server answered a call with an error.
    Error,
    /// The tool that was called says that it failed.
    ToolError,
    /// The server did not answer a call in time.
    TimedOut,
    /// The client withdrew a call, or is gone.
    Cancelled,
    /// The server ended before it answered a call, so that the outcome is unknown.
    Lost,
    /// The server ended before a call reached it.
    NotSent,
    /// The server of a call could not be started or reached, or its credentials could not be opened.
    NotStarted,
    /// The answer to a call was longer than a message may be.
    TooLong,
    /// The gateway did not let a call pass.
    Refused,
}

impl From<ErrorKind> for AuditOutcome {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Conflict => Self::Conflict,
            ErrorKind::Invalid => Self::Invalid,
            ErrorKind::Key => Self::NoKey,
            ErrorKind::Tampered => Self::Tampered,
            ErrorKind::Busy => Self::Busy,
            ErrorKind::OutcomeUnknown => Self::Unknown,
            ErrorKind::Other => Self::Failed,
        }
    }
}
