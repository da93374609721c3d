//! The arguments of `mcplexer calls`.

use clap::Args;

use super::{examples, number};

#[derive(Debug, Args)]
#[command(after_help = examples::CALLS)]
pub(crate) struct Calls {
    /// Show the last N calls
    #[arg(short = 'n', long = "last", value_name = "N", value_parser = number, default_value = "20")]
    pub(crate) last: u64,
    /// Go on, and show each call when it has ended
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Show times in UTC; otherwise they are local on a terminal
    #[arg(long)]
    pub(crate) utc: bool,
    /// Print JSON; with --follow, one object a line
    #[arg(long)]
    pub(crate) json: bool,
}
