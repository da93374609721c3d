//! The arguments of `mcplexer scope`.

use clap::{Subcommand, ValueEnum};
use mcplexer_secrets::{DEFAULT_KEEP_VERSIONS, MAX_KEEP_VERSIONS, ScopeId};

use super::examples;

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// Environment variables
    Env,
    /// HTTP header fields
    Header,
    /// OAuth 2.0 tokens and client credentials; ACCESS_TOKEN is sent as a header field
    #[value(name = "oauth2")]
    OAuth2,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Scope {
    /// Create an empty scope
    #[command(after_help = examples::SCOPE_CREATE)]
    Create {
        /// Id of the scope
        scope: ScopeId,
        /// What its secrets are for the tool server
        #[arg(long, value_enum, default_value_t = Kind::Env)]
        kind: Kind,
        /// Display name
        #[arg(long)]
        name: Option<String>,
        /// How many earlier versions of each secret to keep, 0 to 100
        #[arg(long, value_name = "N", default_value_t = DEFAULT_KEEP_VERSIONS, value_parser = versions)]
        keep_versions: u8,
    },
    /// Change a scope
    #[command(after_help = examples::SCOPE_UPDATE)]
    Update {
        /// Id of the scope
        scope: ScopeId,
        /// How many earlier versions of each secret to keep, 0 to 100; a lower number than before applies to a
        /// secret when its next value is stored
        #[arg(long, value_name = "N", value_parser = versions)]
        keep_versions: u8,
    },
    /// List all scopes
    #[command(alias = "ls", after_help = examples::SCOPE_LIST)]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a scope and its secrets; never values
    #[command(after_help = examples::SCOPE_SHOW)]
    Show {
        /// Id of the scope
        scope: ScopeId,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Rename a scope; its secrets, their versions and everything else stay
    #[command(alias = "mv", after_help = examples::SCOPE_RENAME)]
    Rename {
        /// Id of the scope
        scope: ScopeId,
        /// Its new id
        #[arg(value_name = "NEW_SCOPE")]
        new: ScopeId,
        /// Do it although config.yaml refers to the old id
        #[arg(long)]
        leave_references: bool,
    },
    /// Delete a scope and all its secrets
    #[command(alias = "rm", after_help = examples::SCOPE_DELETE)]
    Delete {
        /// Id of the scope
        scope: ScopeId,
        /// Skip the question
        #[arg(long)]
        force: bool,
    },
}

/// Parses a number of versions to keep.
fn versions(text: &str) -> Result<u8, &'static str> {
    let number = text.parse().ok().filter(|it| *it <= MAX_KEEP_VERSIONS);
    number.ok_or("takes a number from 0 to 100")
}
