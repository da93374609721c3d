//! The arguments of `mcplexer server`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use mcplexer_files::config::ServerName;
use mcplexer_secrets::ScopeId;

use super::{examples, file_not_stream};

#[derive(Subcommand)]
pub(crate) enum Server {
    /// Add a tool server to config.yaml
    #[command(after_help = examples::SERVER_ADD)]
    Add(AddServer),
    /// List the tool servers
    #[command(alias = "ls", after_help = examples::SERVER_LIST)]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a tool server as it is in config.yaml
    #[command(after_help = examples::SERVER_SHOW)]
    Show {
        /// Name of the server
        name: ServerName,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a tool server from config.yaml
    #[command(alias = "rm", after_help = examples::SERVER_REMOVE)]
    Remove {
        /// Name of the server
        name: ServerName,
    },
    /// Start a tool server, ask for its tools, and end it
    #[cfg(feature = "serve")]
    #[command(after_help = examples::SERVER_TEST)]
    Test {
        /// Name of the server
        name: ServerName,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the last lines that a tool server of the gateway wrote to standard error
    #[cfg(feature = "serve")]
    #[command(after_help = examples::SERVER_LOGS)]
    Logs {
        /// Name of the server
        name: ServerName,
    },
    /// End a tool server of the gateway; the next call starts it
    #[cfg(feature = "serve")]
    #[command(after_help = examples::SERVER_RESTART)]
    Restart {
        /// Name of the server
        name: ServerName,
    },
}

/// Arguments that may hold a value by mistake, so they are checked behind clap, which would repeat them.
#[derive(Args)]
pub(crate) struct AddServer {
    /// Name of the server; with --from, add only the server with this name
    #[arg(required_unless_present = "from")]
    pub(crate) name: Option<String>,
    /// Set a variable of the command; may be repeated
    #[arg(long, value_name = "NAME=VALUE", conflicts_with_all = ["url", "from"])]
    pub(crate) env: Vec<String>,
    /// Pass the command every secret of this scope as a variable; may be repeated
    #[arg(long, value_name = "SCOPE", conflicts_with_all = ["url", "from"])]
    pub(crate) scope: Vec<ScopeId>,
    /// Start the command in this directory [default: the current one if an argument is in it, else the home]
    #[arg(long, value_name = "DIR", conflicts_with_all = ["url", "from"])]
    pub(crate) directory: Option<PathBuf>,
    /// Connect to this URL
    #[arg(long, value_name = "URL", conflicts_with = "command")]
    pub(crate) url: Option<String>,
    /// Send a header field with each request to the URL; may be repeated
    #[arg(long, value_name = "NAME: VALUE", requires = "url", conflicts_with_all = ["command", "from"])]
    pub(crate) header: Vec<String>,
    /// Add the servers of this configuration file of an AI client
    #[arg(long, value_name = "FILE", value_parser = file_not_stream(), conflicts_with_all = ["url", "command"])]
    pub(crate) from: Option<PathBuf>,
    /// Replace a server of the same name
    #[arg(long)]
    pub(crate) replace: bool,
    /// Start this command, with its arguments
    #[arg(last = true, value_name = "COMMAND", required_unless_present_any = ["url", "from"])]
    pub(crate) command: Vec<String>,
}
