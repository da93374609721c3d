//! The arguments of `mcplexer serve`, `connect`, `ui`, `status` and `client`.

use std::net::SocketAddr;

use clap::{Args, Subcommand};
use mcplexer_files::config::ServerName;
use mcplexer_gateway::ApiAccess;

use super::examples;

/// Where the gateway serves HTTP, unless an address is given.
pub(crate) const HTTP_ADDRESS: &str = "127.0.0.1:3333";

#[derive(Debug, Args)]
#[command(after_help = examples::SERVE)]
pub(crate) struct Serve {
    /// Serve every client of this user: over HTTP on this address, and those that connect with `mcplexer connect`
    /// [default: 127.0.0.1:3333]
    #[arg(
        long,
        value_name = "ADDR",
        num_args = 0..=1,
        default_missing_value = HTTP_ADDRESS,
        conflicts_with_all = ["server", "client"]
    )]
    pub(crate) http: Option<SocketAddr>,
    /// Serve this server alone, with its tools under their own names
    #[arg(long, value_name = "NAME")]
    pub(crate) server: Option<ServerName>,
    /// Name of the client, as config.yaml has it
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<ServerName>,
    /// End the gateway that serves every client
    #[arg(long, conflicts_with_all = ["http", "server", "client"])]
    pub(crate) stop: bool,
    /// Serve every client that connects with `mcplexer connect`, without a terminal
    #[arg(long, hide = true, conflicts_with_all = ["http", "server", "client", "stop"])]
    pub(crate) background: bool,
}

#[derive(Debug, Args)]
#[command(after_help = examples::CONNECT)]
pub(crate) struct Connect {
    /// Name of the client, as config.yaml has it
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<ServerName>,
    /// Connect to this server alone, with its tools under their own names
    #[arg(long, value_name = "NAME")]
    pub(crate) server: Option<ServerName>,
}

#[derive(Debug, Args)]
#[command(after_help = examples::UI)]
pub(crate) struct Ui {
    /// Print the address, and open no browser
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// End every session of the page
    #[arg(long, conflicts_with = "no_browser")]
    pub(crate) stop: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Client {
    /// Add the server that connects to the gateway to a client's own file
    #[command(after_help = examples::CLIENT_INSTALL)]
    Install(InstallClient),
    /// Let a client connect over HTTP, and print its token
    #[command(after_help = examples::CLIENT_ADD)]
    Add {
        /// Name of the client, as config.yaml has it
        name: ServerName,
        /// What it may do over /api/v1 beside it, for scripts: none, read or write
        #[arg(long, value_name = "ACCESS", default_value = "none")]
        api: ApiAccess,
    },
    /// List the clients that may connect over HTTP
    #[command(alias = "ls", after_help = examples::CLIENT_LIST)]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make the token of a client invalid
    #[command(alias = "rm", after_help = examples::CLIENT_REMOVE)]
    Remove {
        /// Name of the client
        name: ServerName,
    },
}

#[derive(Debug, Args)]
pub(crate) struct InstallClient {
    /// Name of the client, such as claude-code
    pub(crate) name: String,
    /// Write the file
    #[arg(long)]
    pub(crate) write: bool,
    /// Remove the server from the file
    #[arg(long, conflicts_with = "write")]
    pub(crate) undo: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
