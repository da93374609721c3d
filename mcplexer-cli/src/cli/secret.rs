//! The arguments of `mcplexer secret`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use mcplexer_secrets::{ScopeId, SecretName};

use super::{examples, number};

#[derive(Subcommand)]
pub(crate) enum Secret {
    /// Store a value, or replace it
    #[command(after_help = examples::SECRET_PUT)]
    Put(Put),
    /// Print a value, byte for byte (plus a newline on a terminal)
    #[command(after_help = examples::SECRET_GET)]
    Get {
        /// Scope of the secret
        scope: ScopeId,
        /// Name of the secret
        key: SecretName,
        /// Print it even if a coding agent is running the command
        #[arg(long)]
        reveal: bool,
    },
    /// List the secrets of a scope, or all scopes; never values
    #[command(alias = "ls", after_help = examples::SECRET_LIST)]
    List {
        /// Scope whose secrets to list [default: list the scopes]
        scope: Option<ScopeId>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Delete a secret
    #[command(alias = "rm", after_help = examples::SECRET_DELETE)]
    Delete {
        /// Scope of the secret
        scope: ScopeId,
        /// Name of the secret
        key: SecretName,
    },
}

// The value comes from the argument, from --file, from standard input if that is not a terminal, or
// from a prompt that does not show it.
#[derive(Args)]
pub(crate) struct Put {
    /// Scope of the secret; created if needed, as config.yaml defines it or else of kind env
    pub(crate) scope: ScopeId,
    /// Name of the secret
    pub(crate) key: SecretName,
    /// Value; visible to others in the process list, so better leave it out: it is asked for, or read
    /// from standard input. Put -- before a value that begins with -
    pub(crate) value: Option<OsString>,
    /// Read the value from a file
    #[arg(long, value_name = "PATH", conflicts_with = "value")]
    pub(crate) file: Option<PathBuf>,
    /// Fail if the secret exists
    #[arg(long, conflicts_with = "if_version")]
    pub(crate) create: bool,
    /// Fail unless the secret is at this version
    #[arg(long, value_name = "N", value_parser = number)]
    pub(crate) if_version: Option<u64>,
    /// Keep or strip one trailing newline [default: strip from standard input, keep from a file]
    #[arg(long, conflicts_with = "value")]
    pub(crate) newline: Option<Newline>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Newline {
    Keep,
    Strip,
}
