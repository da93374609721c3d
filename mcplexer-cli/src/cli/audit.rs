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
    /// Check that no entry was changed, removed or cut off
    #[command(after_help = examples::AUDIT_VERIFY)]
    Verify {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}
