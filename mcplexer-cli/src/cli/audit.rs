//! The arguments of `mcplexer audit`.

use clap::Subcommand;
use mcplexer_secrets::ScopeId;

use super::{examples, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Show the entries of the audit log
    #[command(after_help = examples::AUDIT_SHOW)]
    Show {
        /// Show only the last N entries
        #[arg(long, value_name = "N", value_parser = number)]
        last: Option<u64>,
        /// Show only entries about this scope
        #[arg(long)]
        scope: Option<ScopeId>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
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
