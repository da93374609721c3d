//! The arguments of `mcplexer key`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::examples;

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Create a key and an empty store; the first secret put does so too
    #[command(after_help = examples::KEY_INIT)]
    Init,
    /// Show where your key is and which keys open the store; never a private key
    #[command(after_help = examples::KEY_SHOW)]
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the keys that open the store
    #[command(after_help = examples::KEY_LIST)]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Let another key, or a passphrase, open the store
    #[command(after_help = examples::KEY_ADD)]
    Add(AddKey),
    /// Accept a store that somebody else created or gave you, so that your key opens it
    #[command(after_help = examples::KEY_ACCEPT)]
    Accept {
        /// Also accept a copy that is older than the audit log says
        #[arg(long)]
        older: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a key and re-encrypt the store, so that the key cannot open it any more
    #[command(after_help = examples::KEY_REMOVE)]
    Remove {
        /// Label of the key, its public key, or the beginning of its public key
        key: String,
        /// Remove it even if you could not open the store any more
        #[arg(long)]
        force: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Replace your key and re-encrypt the store; run it again if it was interrupted
    #[command(after_help = examples::KEY_ROTATE)]
    Rotate {
        /// Keep the key file; only re-encrypt the store
        #[arg(long)]
        keep_identity: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a recovery code to keep on paper; it opens the store if all keys are lost
    #[command(after_help = examples::KEY_RECOVERY)]
    Recovery {
        /// Print it even if a coding agent is running the command
        #[arg(long)]
        reveal: bool,
    },
    /// Open the store with its recovery code, and replace the lost key with a new one
    #[command(after_help = examples::KEY_RECOVER)]
    Recover {
        /// Label or public key of the lost key, if there are several keys
        #[arg(long, value_name = "KEY")]
        lost: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddKey {
    /// Public keys to add: age1… or ssh-…
    #[arg(required_unless_present_any = ["file", "passphrase"], conflicts_with_all = ["file", "passphrase"])]
    pub(crate) recipient: Vec<String>,
    /// Read the public keys from a file, such as ~/.ssh/id_ed25519.pub, or with - from standard input
    #[arg(long, value_name = "PATH", conflicts_with = "passphrase")]
    pub(crate) file: Option<PathBuf>,
    /// Add a passphrase (prompted)
    #[arg(long)]
    pub(crate) passphrase: bool,
    /// Label for the key [default: the comment of an SSH key]
    #[arg(long)]
    pub(crate) label: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
