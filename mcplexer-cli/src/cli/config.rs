//! The arguments of `mcplexer config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::examples;

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// List every problem in the file; changes nothing
    #[command(after_help = examples::CONFIG_CHECK)]
    Check {
        #[command(flatten)]
        from: ConfigFrom,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Create and update scopes as the file defines them
    #[command(after_help = examples::CONFIG_APPLY)]
    Apply {
        #[command(flatten)]
        from: ConfigFrom,
        /// Delete scopes that are not in the file, with their secrets
        #[arg(long)]
        prune: bool,
        /// Skip the question
        #[arg(long)]
        force: bool,
        /// Show what would be done, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the scopes of the store as such a file, with the servers and clients of config.yaml; never values
    #[command(after_help = examples::CONFIG_SHOW)]
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the file, for editors
    #[command(after_help = examples::CONFIG_SCHEMA)]
    Schema {
        /// Print that of mcplexer.yaml, the file of a project
        #[arg(long)]
        project: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ConfigFrom {
    /// File to read, or - for standard input [default: config.yaml beside the store]
    pub(crate) file: Option<PathBuf>,
}
