//! The arguments of `mcplexer audit`.

use clap::{Args, Subcommand};
use mcplexer_secrets::audit::AuditOperation;
use mcplexer_secrets::{ScopeId, SecretName, Timestamp};
use serde_json::Value;

use super::when::past;
use super::{examples, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Show the entries of the audit log
    #[command(after_help = examples::AUDIT_SHOW)]
    Show(ShowAudit),
    /// Print a line to keep elsewhere, against which store and log can be checked later
    #[command(after_help = examples::AUDIT_CHECKPOINT)]
    Checkpoint,
    /// Check that no entry was changed, removed or cut off, and that the store is not older than its log
    #[command(after_help = examples::AUDIT_VERIFY)]
    Verify {
        /// Also check against a line that `mcplexer audit checkpoint` printed, or a file with that line, or
        /// with - standard input
        #[arg(long, value_name = "LINE|FILE")]
        checkpoint: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ShowAudit {
    /// Show only the last N entries, of those that the other options leave
    #[arg(long, value_name = "N", value_parser = number)]
    pub(crate) last: Option<u64>,
    /// Show only entries from then on: a date, an RFC 3339 time, or 30d or 12h ago
    #[arg(long, value_name = "WHEN", value_parser = past)]
    pub(crate) since: Option<Timestamp>,
    /// Show only entries before then
    #[arg(long, value_name = "WHEN", value_parser = past)]
    pub(crate) until: Option<Timestamp>,
    /// Show only entries about this scope
    #[arg(long)]
    pub(crate) scope: Option<ScopeId>,
    /// Show only entries about a secret with this name
    #[arg(long)]
    pub(crate) key: Option<SecretName>,
    /// Show only this operation, such as put or get
    #[arg(long, value_name = "OPERATION", value_parser = operation)]
    pub(crate) op: Option<AuditOperation>,
    /// Show only what failed
    #[arg(long)]
    pub(crate) failed: bool,
    /// Show times in UTC; otherwise they are local on a terminal
    #[arg(long)]
    pub(crate) utc: bool,
    /// Print to the terminal rather than to $PAGER
    #[arg(long)]
    pub(crate) no_pager: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Parses the name of an operation, as the log has it.
fn operation(text: &str) -> Result<AuditOperation, &'static str> {
    serde_json::from_value(Value::from(text)).map_err(
        |_| "takes an operation as the log names it, such as put, get, inject or delete-scope",
    )
}
