//! Calls through a gateway: a line before each goes out, and a line about how it ended.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::actor::{Actor, bounded, bounded_use};
use super::{AuditEvent, AuditOperation, AuditOutcome};
use crate::{ScopeId, SecretName, Timestamp};

/// How much of a line the names of secrets may take, in bytes.
const MAX_SECRETS_LEN: usize = 1024;

/// The method whose object is a tool.
const TOOL_CALL: &str = "tools/call";

/// Tells one call from others: the two lines about a call have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u64);

impl CallId {
    /// Creates an id from a number. Take a random one to begin with, and count from there.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self(number)
    }
}

/// 16 hexadecimal digits.
impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for CallId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A secret in one version. Displays as `scope/KEY@3`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct SecretVersion {
    /// The scope.
    pub scope: ScopeId,
    /// The name of the secret.
    pub name: SecretName,
    /// The version of its value.
    pub version: u64,
}

impl SecretVersion {
    /// Names a version of a secret.
    #[must_use]
    pub fn new(scope: ScopeId, name: SecretName, version: u64) -> Self {
        Self {
            scope,
            name,
            version,
        }
    }
}

impl fmt::Display for SecretVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{}", self.scope, self.name, self.version)
    }
}

impl Serialize for SecretVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A line about a call through a gateway, for [`Store::record_calls`](crate::Store::record_calls). Cheap to clone.
#[derive(Debug, Clone)]
pub struct CallRecord {
    /// When it happened.
    pub time: Timestamp,
    /// The call.
    pub id: CallId,
    /// The client that calls. Its `tool` is taken from [`CallStep::Begun`].
    pub actor: Arc<Actor>,
    /// The name of the server that is called; empty if no server has the name that the client gave.
    pub server: Arc<str>,
    /// What happened.
    pub step: CallStep,
}

/// What a line about a call says.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum CallStep {
    /// The call is about to go out.
    Begun {
        /// The method of the protocol, such as `tools/call`.
        method: Arc<str>,
        /// What is called: the name of a tool or a prompt, or the URI of a resource.
        object: Option<Arc<str>>,
        /// The secrets that the server was given.
        secrets: Arc<[SecretVersion]>,
        /// The arguments; `None` if the call has none, or if nothing should be said about them.
        arguments: Option<CallArguments>,
    },
    /// The call has ended.
    Ended {
        /// How.
        outcome: AuditOutcome,
        /// How long it took.
        took: Duration,
        /// The length of the answer in bytes; 0 if none came.
        bytes: u64,
        /// How many values of secrets were replaced in the answer.
        scrubbed: u64,
    },
}

/// The arguments of a call. They themselves are not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallArguments {
    /// The SHA-256 of the arguments, as the client wrote them.
    pub digest: [u8; 32],
    /// Their length in bytes.
    pub bytes: u64,
}

impl CallRecord {
    pub(crate) fn event(&self) -> AuditEvent<'_> {
        let (operation, outcome) = match &self.step {
            CallStep::Begun { .. } => (AuditOperation::Call, AuditOutcome::Ok),
            CallStep::Ended { outcome, .. } => (AuditOperation::CallResult, *outcome),
        };
        AuditEvent {
            time: self.time,
            call: Some(self),
            ..AuditEvent::new(operation, outcome, &self.actor)
        }
    }

    /// The name of the tool, if it is one that is called.
    pub(super) fn tool(&self) -> Option<&str> {
        match &self.step {
            CallStep::Begun { method, object, .. } if **method == *TOOL_CALL => object.as_deref(),
            _ => None,
        }
    }

    pub(super) fn members(&self) -> CallMembers<'_> {
        let mut members = CallMembers {
            call: self.id,
            server: bounded(&self.server),
            method: None,
            object: None,
            secrets: &[],
            more_secrets: 0,
            digest: None,
            bytes: 0,
            ms: None,
            scrubbed: None,
        };
        match &self.step {
            CallStep::Begun {
                method,
                object,
                secrets,
                arguments,
            } => {
                members.method = Some(bounded(method));
                if **method != *TOOL_CALL {
                    members.object = object.as_deref().map(bounded_use);
                }
                let fitting = secrets.split_at(how_many_fit(secrets)).0;
                members.secrets = fitting;
                members.more_secrets = secrets.len() - fitting.len();
                members.digest = arguments.map(|it| super::chain::to_hex(&it.digest));
                members.bytes = arguments.map_or(0, |it| it.bytes);
            }
            CallStep::Ended {
                took,
                bytes,
                scrubbed,
                ..
            } => {
                members.bytes = *bytes;
                members.ms = Some(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
                members.scrubbed = Some(*scrubbed);
            }
        }
        members
    }
}

/// Returns how many of these have room in a line.
fn how_many_fit(secrets: &[SecretVersion]) -> usize {
    let mut left = MAX_SECRETS_LEN;
    let lengths = secrets.iter().map(|it| {
        // With its slash, its version, quotation marks and a comma.
        it.scope.as_str().len() + it.name.as_str().len() + 25
    });
    let fitting = lengths.take_while(|len| {
        let fits = *len <= left;
        left = left.saturating_sub(*len);
        fits
    });
    fitting.count()
}

/// The members that only lines about calls have, in their order.
#[derive(Serialize)]
pub(super) struct CallMembers<'a> {
    call: CallId,
    server: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    secrets: &'a [SecretVersion],
    #[serde(skip_serializing_if = "is_zero")]
    more_secrets: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scrubbed: Option<u64>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What a line of a log says about a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditCall {
    /// The call: the two lines about it have the same.
    pub id: String,
    /// The name of the server; empty if the call was to none that there is.
    pub server: String,
    /// The method of the protocol.
    pub method: Option<String>,
    /// The prompt or the resource that was asked for. A tool is in the line's actor.
    pub object: Option<String>,
    /// The secrets that the server was given, as `scope/KEY@3`.
    pub secrets: Vec<String>,
    /// How many more had no room in the line.
    pub more_secrets: u64,
    /// The SHA-256 of the arguments, in hexadecimal digits.
    pub digest: Option<String>,
    /// The length of the arguments, or of the answer, in bytes.
    pub bytes: u64,
    /// How long it took, in milliseconds.
    pub ms: Option<u64>,
    /// How many values of secrets were replaced in the answer.
    pub scrubbed: Option<u64>,
}
