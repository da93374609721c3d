//! The arguments of `mcplexer secret copy`, `move` and `rename`.

use clap::Args;
use mcplexer_files::reference::{Reference, SCHEME};
use mcplexer_secrets::{ScopeId, SecretName};

#[derive(Debug, Args)]
pub(crate) struct Copy {
    /// Secret to copy, as SCOPE/KEY
    #[arg(value_name = "SCOPE/KEY", value_parser = secret)]
    pub(crate) from: Reference,
    /// Where to copy it, as SCOPE/KEY; the scope is created if needed
    #[arg(value_name = "NEW_SCOPE/KEY", value_parser = secret)]
    pub(crate) to: Reference,
    /// Store it as the next version of a secret that exists
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Move {
    /// Secret to move, as SCOPE/KEY
    #[arg(value_name = "SCOPE/KEY", value_parser = secret)]
    pub(crate) from: Reference,
    /// Where to move it, as SCOPE/KEY; the scope is created if needed
    #[arg(value_name = "NEW_SCOPE/KEY", value_parser = secret)]
    pub(crate) to: Reference,
    #[command(flatten)]
    pub(crate) over: Over,
}

#[derive(Debug, Args)]
pub(crate) struct Rename {
    /// Scope of the secret
    pub(crate) scope: ScopeId,
    /// Name of the secret
    pub(crate) key: SecretName,
    /// Its new name
    #[arg(value_name = "NEW_KEY")]
    pub(crate) new: SecretName,
    #[command(flatten)]
    pub(crate) over: Over,
}

/// What may be lost by a move.
#[derive(Debug, Args)]
pub(crate) struct Over {
    /// Delete a secret that exists there, with all its versions
    #[arg(long)]
    pub(crate) force: bool,
    /// Do it although config.yaml refers to the old name
    #[arg(long)]
    pub(crate) leave_references: bool,
}

/// Parses a secret in one word.
fn secret(text: &str) -> Result<Reference, &'static str> {
    let text = text.strip_prefix(SCHEME).unwrap_or(text);
    format!("{SCHEME}{text}")
        .parse()
        .map_err(|_| "takes SCOPE/KEY, such as github/TOKEN")
}
