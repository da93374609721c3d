//! The arguments of the commands about `config.yaml`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Look for everything that is wrong with the file; changes nothing
    Check {
        #[command(flatten)]
        from: ConfigFrom,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make and change scopes, to be as the file names them
    Apply {
        #[command(flatten)]
        from: ConfigFrom,
        /// Delete the scopes that the file does not name, with their secrets
        #[arg(long)]
        prune: bool,
        /// Do not ask
        #[arg(long)]
        force: bool,
        /// Only tell what would be done
        #[arg(long)]
        dry_run: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the scopes there are as such a file; never values
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the file, for editors
    Schema,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigFrom {
    /// The file; - is standard input [default: config.yaml beside the store]
    pub(crate) file: Option<PathBuf>,
}
