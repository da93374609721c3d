//! The arguments of `mcplexer scope`.

use clap::{Subcommand, ValueEnum};
use mcplexer_secrets::ScopeId;

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
