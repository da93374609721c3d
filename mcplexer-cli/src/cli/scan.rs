//! The arguments of `mcplexer scan`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
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
    /// Look for credentials by their shape instead, such as ghp_…, without the store
    #[arg(long, conflicts_with = "scope")]
    pub(crate) shapes: bool,
    /// Accept the findings in this file
    #[arg(long, value_name = "FILE", requires = "shapes")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write what is found to the file of --baseline, which accepts it from then on
    #[arg(long, requires = "baseline", conflicts_with_all = ["format", "json"])]
    pub(crate) write_baseline: bool,
    /// Also search files that git ignores, and .git
    #[arg(long)]
    pub(crate) no_ignore: bool,
    /// Form of what is printed
    #[arg(long, value_enum, default_value_t = ScanFormat::Text)]
    pub(crate) format: ScanFormat,
    /// Print JSON: --format json
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
}

/// How `mcplexer scan` prints what it has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScanFormat {
    /// A line for each finding.
    Text,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, which code hosts and editors show.
    Sarif,
}

impl Scan {
    pub(crate) fn format(&self) -> ScanFormat {
        match self.json {
            true => ScanFormat::Json,
            false => self.format,
        }
    }
}
