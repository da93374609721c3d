//! The arguments of the commands that put secrets to use.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use mcplexer_secrets::{ScopeId, ScopeKind, SecretName};

const KEEPS: &str = "\
A command keeps the values it was started with: when a secret was replaced or deleted, start it again.";

/// Runs a command with secrets in its environment. It takes the place of mcplexer, so its signals,
/// terminal and exit code are its own. A variable of the environment that is mcplexer://SCOPE/KEY is
/// replaced by the secret.
#[derive(Debug, Args)]
#[command(after_help = KEEPS)]
pub(crate) struct Run {
    /// Give it the secrets of this scope; may be repeated
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Vec<ScopeId>,
    /// Give it only these, KEY or SCOPE/KEY
    #[arg(long, value_name = "KEY,…", value_delimiter = ',', requires = "scope")]
    pub(crate) only: Vec<Key>,
    /// Give it this one under another name, KEY=NAME or SCOPE/KEY=NAME
    #[arg(long, value_name = "KEY=NAME", requires = "scope")]
    pub(crate) rename: Vec<Rename>,
    /// Give it the variables of a .env file, with mcplexer://SCOPE/KEY replaced by the secret
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Vec<PathBuf>,
    /// Of the environment, pass on only HOME, LANG, LC_*, LOGNAME, PATH, SHELL, TERM, TMPDIR, TZ
    /// and USER
    #[arg(long)]
    pub(crate) clean_env: bool,
    /// Stay, and replace what it prints of the scopes' values by [SCOPE/KEY]
    #[arg(long)]
    pub(crate) mask: bool,
    /// The command and its arguments
    #[arg(trailing_var_arg = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// What `run --mask` starts behind a pseudo-terminal.
#[derive(Debug)]
pub(crate) struct RunInSession {
    pub(crate) command: Vec<OsString>,
}

impl RunInSession {
    /// If this process was started as one. Clap does not know of it, so that no help, completion or
    /// manual page does.
    pub(crate) fn asked_for() -> Option<Self> {
        let mut words = std::env::args_os().skip(1);
        let is_asked_for = words.next()? == "run-in-session" && words.next()? == "--";
        let command: Vec<_> = words.collect();
        (is_asked_for && !command.is_empty()).then_some(Self { command })
    }
}

#[derive(Debug, Args)]
pub(crate) struct Inject {
    /// Read the text from this file [default: standard input]
    #[arg(short, long, value_name = "TEMPLATE")]
    pub(crate) input: Option<PathBuf>,
    /// Write to this file, readable by you alone [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Print it although a coding agent reads along
    #[arg(long)]
    pub(crate) reveal: bool,
}

/// A secret among those of the scopes at hand: `KEY`, or `SCOPE/KEY` if only one scope is meant.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) scope: Option<ScopeId>,
    pub(crate) name: SecretName,
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scope, name) = match text.split_once('/') {
            Some((scope, name)) => (Some(scope), name),
            None => (None, text),
        };
        let scope = scope.map(str::parse::<ScopeId>).transpose();
        Ok(Self {
            scope: scope.map_err(|error| error.to_string())?,
            name: name.parse().map_err(|error| format!("{error}"))?,
        })
    }
}

impl Key {
    pub(crate) fn is(&self, scope: &ScopeId, name: &SecretName) -> bool {
        self.name == *name && self.may_be_in(scope)
    }

    pub(crate) fn may_be_in(&self, scope: &ScopeId) -> bool {
        self.scope.as_ref().is_none_or(|it| it == scope)
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.scope {
            Some(scope) => write!(f, "{scope}/{}", self.name),
            None => self.name.fmt(f),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Rename {
    pub(crate) from: Key,
    pub(crate) to: SecretName,
}

impl FromStr for Rename {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once('=').ok_or("KEY=NAME is expected")?;
        let to: SecretName = to.parse().map_err(|error| format!("{error}"))?;
        ScopeKind::Env
            .check(&to)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            from: from.parse()?,
            to,
        })
    }
}
