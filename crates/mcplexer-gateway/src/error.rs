//! Why a request is not answered by its server. Each says which server it is, and what to do.

use std::time::Duration;

use mcplexer_files::config::ServerName;
use mcplexer_secrets::audit::AuditOutcome;

use crate::message;
use crate::scrub::Scrubber;

/// The code of an error that leaves the outcome unknown.
pub(crate) const LOST: i64 = 1004;

/// The code of an error about a value that the server is not given.
pub(crate) const FOREIGN: i64 = 1010;

/// A request that a server did not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum CallError {
    /// The server cannot be started, or not be reached.
    #[error("server {server} cannot be started: {problem}")]
    NotStarted { server: ServerName, problem: String },
    /// A credential of the server cannot be opened, so it is not started.
    #[error("server {server} was not started: {problem}")]
    NoCredential { server: ServerName, problem: String },
    /// It did not answer within the limit, as that is configured.
    #[error("server {server} did not answer within {} s{what}{log}", .after.as_secs_f32())]
    TimedOut {
        server: ServerName,
        after: Duration,
        what: &'static str,
        /// The last lines that it wrote to standard error.
        log: String,
    },
    /// It ended before it answered.
    #[error("server {server} ended before it answered, so the outcome is unknown{log}")]
    Lost { server: ServerName, log: String },
    /// Nothing of the request reached it.
    #[error("server {server} ended before the request reached it{log}")]
    Unsent { server: ServerName, log: String },
    /// Its answer is too long.
    #[error("the answer of server {server} is longer than {limit} bytes")]
    TooLong { server: ServerName, limit: usize },
    /// It asks for something again and again.
    #[error("server {server} has asked for something {rounds} times, and not answered")]
    NoEnd { server: ServerName, rounds: usize },
    /// Nothing can be sent to it.
    #[error("server {server} cannot be reached: {problem}")]
    Unreached { server: ServerName, problem: String },
    /// It wants another credential, or one at all.
    #[error("server {server} denies access: {problem}")]
    Denied { server: ServerName, problem: String },
    /// What it says is no answer.
    #[error("server {server} failed: {problem}")]
    Failed { server: ServerName, problem: String },
    /// The client does not want the answer any more.
    #[error("the request was cancelled")]
    Cancelled,
    /// It has the value of a secret in it that the server was not given.
    #[error(
        "the request was not passed on: it has the value of {secret} in it, which server {server} is not given"
    )]
    Foreign { server: ServerName, secret: String },
    /// The server describes the tool so that it must not be used.
    #[error("the tool {tool} of server {server} cannot be used: {problem}")]
    Unusable {
        server: ServerName,
        tool: String,
        problem: String,
    },
    /// The call cannot be recorded.
    #[error("the call cannot be recorded in the audit log: {problem}")]
    Unrecorded { problem: String },
}

impl CallError {
    /// Returns the code of the error, which is outside the ranges of JSON-RPC and of the protocol (-32768 to -32000).
    pub(crate) fn code(&self) -> i64 {
        match self {
            Self::NotStarted { .. } => 1001,
            Self::NoCredential { .. } => 1002,
            Self::TimedOut { .. } => 1003,
            Self::Lost { .. } => LOST,
            Self::Unsent { .. } => 1005,
            Self::TooLong { .. } => 1006,
            Self::Cancelled => 1007,
            Self::Unrecorded { .. } => 1008,
            Self::NoEnd { .. } => 1009,
            Self::Foreign { .. } => FOREIGN,
            Self::Unreached { .. } => 1011,
            Self::Denied { .. } => 1012,
            Self::Failed { .. } => 1013,
            Self::Unusable { .. } => 1014,
        }
    }

    /// Returns how the audit log says it.
    pub(crate) fn outcome(&self) -> AuditOutcome {
        match self {
            Self::NotStarted { .. } | Self::NoCredential { .. } => AuditOutcome::NotStarted,
            Self::TimedOut { .. } => AuditOutcome::TimedOut,
            Self::Lost { .. } => AuditOutcome::Lost,
            Self::Unsent { .. } => AuditOutcome::NotSent,
            Self::TooLong { .. } => AuditOutcome::TooLong,
            Self::Cancelled => AuditOutcome::Cancelled,
            Self::Foreign { .. } | Self::Unusable { .. } => AuditOutcome::Refused,
            Self::NoEnd { .. } | Self::Unrecorded { .. } => AuditOutcome::Failed,
            Self::Unreached { .. } => AuditOutcome::NotStarted,
            Self::Denied { .. } | Self::Failed { .. } => AuditOutcome::Failed,
        }
    }

    /// Returns the error without the values of secrets in its words. What a server says can be in any of them: a URL, a
    /// type, the reason why a connection was cut.
    #[must_use]
    pub(crate) fn scrubbed(mut self, scrubber: &Scrubber) -> Self {
        let words = match &mut self {
            Self::NotStarted { problem, .. }
            | Self::NoCredential { problem, .. }
            | Self::Unreached { problem, .. }
            | Self::Denied { problem, .. }
            | Self::Failed { problem, .. }
            | Self::Unusable { problem, .. }
            | Self::Unrecorded { problem } => problem,
            Self::TimedOut { log, .. } | Self::Lost { log, .. } | Self::Unsent { log, .. } => log,
            Self::TooLong { .. } | Self::NoEnd { .. } | Self::Cancelled | Self::Foreign { .. } => {
                return self;
            }
        };
        *words = scrubber.text(std::mem::take(words)).0;
        self
    }

    /// Returns the answer to a request that failed like this.
    pub(crate) fn answer(&self, id: &str) -> String {
        message::error(id, self.code(), &self.to_string())
    }
}
