//! The arguments of `mcplexer calls`.

use clap::Args;
use mcplexer_secrets::Timestamp;

use super::when::past;
use super::{examples, number};

#[derive(Debug, Args)]
#[command(after_help = examples::CALLS)]
pub(crate) struct Calls {
    /// Show the last N calls, of those that the other options leave
    #[arg(short = 'n', long = "last", value_name = "N", value_parser = number, default_value = "20")]
    pub(crate) last: u64,
    /// Go on, and show each call when it has ended
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Show only calls from then on: a date, an RFC 3339 time, or 30d or 12h ago
    #[arg(long, value_name = "WHEN", value_parser = past)]
    pub(crate) since: Option<Timestamp>,
    /// Show only calls to this server
    #[arg(long, value_name = "NAME")]
    pub(crate) server: Option<String>,
    /// Show only calls of this client
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<String>,
    /// Show only calls that failed: their outcome is another one than ok
    #[arg(long)]
    pub(crate) failed: bool,
    /// Show times in UTC; otherwise they are local on a terminal
    #[arg(long)]
    pub(crate) utc: bool,
    /// Print JSON; with --follow, one object a line
    #[arg(long)]
    pub(crate) json: bool,
}
