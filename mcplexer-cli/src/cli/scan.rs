//! The arguments of `mcplexer scan`.

use std::path::PathBuf;

use clap::Args;
use mcplexer_secrets::ScopeId;

/// Looks for the values of the store in files: as they are, in base64, in hex, percent-encoded, or
/// within JSON. Each is told as PATH:LINE: SCOPE/KEY, never the value, and the exit code is 6 then.
///
/// Hidden files are searched. What git ignores, .git itself and what is behind symbolic links is not.
/// Git ignores nothing that it tracks, and nothing outside of a repository.
#[derive(Debug, Args)]
pub(crate) struct Scan {
    /// Files and directories; one that is named here is searched even if git ignores it, and - is
    /// standard input
    #[arg(default_value = ".", value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Search what is about to be committed, as it is in git's index: for a pre-commit hook
    #[arg(long, conflicts_with_all = ["paths", "no_ignore"])]
    pub(crate) staged: bool,
    /// Look for the secrets of this scope only; may be repeated
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Vec<ScopeId>,
    /// Search also what git ignores, and .git
    #[arg(long)]
    pub(crate) no_ignore: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
