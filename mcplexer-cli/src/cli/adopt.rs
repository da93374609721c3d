//! The arguments of `mcplexer adopt`.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use mcplexer_clients::ChosenKey;

/// Finds the credentials in the configuration of an AI client and tells what would become of each.
/// With --write they go into scopes named after their servers, which then start through mcplexer run;
/// all else in the file stays as it is. Without a file it looks where clients keep theirs.
#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// The configuration file
    pub(crate) file: Option<PathBuf>,
    /// Do it: store the credentials, read each back, then replace the file
    #[arg(long, requires = "file")]
    pub(crate) write: bool,
    /// Put the values back into the file, and let its servers start by themselves
    #[arg(long, requires = "file", conflicts_with_all = ["write", "only", "skip"])]
    pub(crate) undo: bool,
    /// Only this server; may be repeated
    #[arg(long, value_name = "SERVER")]
    pub(crate) server: Vec<String>,
    /// Only these variables, VARIABLE or SERVER/VARIABLE; also if they do not look like credentials
    #[arg(long, value_name = "VARIABLE,…", value_delimiter = ',')]
    pub(crate) only: Vec<Variable>,
    /// Not these variables
    #[arg(long, value_name = "VARIABLE,…", value_delimiter = ',')]
    pub(crate) skip: Vec<Variable>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A variable of some server, or of any.
#[derive(Debug, Clone)]
pub(crate) struct Variable(pub(crate) ChosenKey);

impl FromStr for Variable {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        // The name of a server may have slashes.
        let (server, name) = match text.rsplit_once('/') {
            Some((server, name)) => (Some(server.to_owned()), name),
            None => (None, text),
        };
        Ok(Self(ChosenKey {
            server,
            name: name.to_owned(),
        }))
    }
}
