//! The arguments of `mcplexer adopt`.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use mcplexer_clients::ChosenKey;

use super::{examples, file_not_stream};

#[derive(Debug, Args)]
#[command(after_help = examples::ADOPT)]
pub(crate) struct Adopt {
    /// Configuration file [default: look in the usual places]
    #[arg(value_parser = file_not_stream())]
    pub(crate) file: Option<PathBuf>,
    /// List the usual places, and look at none of them
    #[arg(long, conflicts_with_all = ["file", "write", "undo", "server", "only", "skip"])]
    pub(crate) places: bool,
    /// Store the credentials, check each of them, then replace the file
    #[arg(long, requires = "file")]
    pub(crate) write: bool,
    /// Move the servers to config.yaml, behind the gateway; the file keeps one server that connects to it
    #[arg(long, requires = "file", conflicts_with_all = ["only", "skip"])]
    pub(crate) gateway: bool,
    /// Put the values and the servers back into the file, so that they start without mcplexer
    #[arg(long, requires = "file", conflicts_with_all = ["write", "only", "skip"])]
    pub(crate) undo: bool,
    /// Adopt only this server, or PROJECT/SERVER in a file of several projects; may be repeated
    #[arg(long, value_name = "SERVER")]
    pub(crate) server: Vec<String>,
    /// Adopt only these variables (VARIABLE or SERVER/VARIABLE), even if they do not look like credentials
    #[arg(long, value_name = "VARIABLE,…", value_delimiter = ',')]
    pub(crate) only: Vec<Variable>,
    /// Keep these variables in the file
    #[arg(long, value_name = "VARIABLE,…", value_delimiter = ',')]
    pub(crate) skip: Vec<Variable>,
    /// Adopt arguments, too, although other users may see them while the server runs
    #[arg(long, conflicts_with_all = ["places", "undo"])]
    pub(crate) allow_arguments: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A variable of one server, or of any server.
#[derive(Debug, Clone)]
pub(crate) struct Variable(pub(crate) ChosenKey);

impl FromStr for Variable {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        // A server's name may have slashes.
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
