//! The arguments of `mcplexer store`.

use std::ffi::OsString;

use clap::Subcommand;

use super::examples;

#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Move the store to a server, to another one, or back to the file of this home; run it again if it was interrupted
    #[command(after_help = examples::STORE_MOVE)]
    Move {
        /// Where to move it: postgres://…, etcd://…, or `file` for the file in ~/.mcplexer
        #[arg(long, value_name = "PLACE")]
        to: OsString,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give up a move from here that was not finished: the store takes changes here again
    #[command(after_help = examples::STORE_KEEP)]
    Keep {
        /// The new place is gone for good; what was changed there is lost
        #[arg(long)]
        lost: bool,
        /// Skip the question
        #[arg(long, requires = "lost")]
        force: bool,
    },
    /// Delete what a move has left: at the old place, which takes no changes any more, or at a new one if it was not finished
    #[command(after_help = examples::STORE_DELETE_MOVED)]
    DeleteMoved {
        /// The place: `file` for the file in ~/.mcplexer, postgres://… or etcd://…
        #[arg(value_name = "PLACE")]
        place: OsString,
        /// Skip the question, which is asked for a file only
        #[arg(long)]
        force: bool,
    },
}
