//! The arguments of `mcplexer scan`.

use std::path::PathBuf;

use clap::Args;
use mcplexer_secrets::ScopeId;

use super::examples;

#[derive(Debug, Args)]
#[command(after_help = examples::SCAN)]
pub(crate) struct Scan {
    /// Files and directories to search, even if git ignores them; - is standard input
    #[arg(default_value = ".", value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Search the staged content of files, for a pre-commit hook
    #[arg(long, conflicts_with_all = ["paths", "no_ignore"])]
    pub(crate) staged: bool,
    /// Look only for the secrets of this scope; may be repeated
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Vec<ScopeId>,
    /// Also search files that git ignores, and .git
    #[arg(long)]
    pub(crate) no_ignore: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
