//! The arguments of `mcplexer backup`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use mcplexer_secrets::keys::Recipient;

use super::{examples, file_not_stream};

#[derive(Debug, Subcommand)]
pub(crate) enum Backup {
    /// Write every secret to a new age file, encrypted for the keys that open the store
    #[command(after_help = examples::BACKUP_CREATE)]
    Create {
        /// File to write
        #[arg(value_parser = file_not_stream())]
        file: PathBuf,
        /// Encrypt it for this public key instead: age1… or ssh-…
        #[arg(long, value_name = "RECIPIENT", conflicts_with = "passphrase")]
        recipient: Vec<Recipient>,
        /// Encrypt it with a passphrase instead (prompted)
        #[arg(long)]
        passphrase: bool,
        /// Overwrite the file if it exists
        #[arg(long)]
        force: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Check that a backup is intact, and show what it holds; changes nothing
    #[command(after_help = examples::BACKUP_VERIFY)]
    Verify {
        #[command(flatten)]
        from: BackupFile,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Restore a backup (creates the store if needed)
    #[command(after_help = examples::BACKUP_RESTORE)]
    Restore {
        #[command(flatten)]
        from: BackupFile,
        /// Add what is missing; of a secret in both, keep the newer one
        #[arg(long)]
        merge: bool,
        /// Delete what the backup does not have, and re-encrypt the store
        #[arg(long, conflicts_with = "merge")]
        replace: bool,
        /// Restore it although somebody else may have made it
        #[arg(long)]
        unknown_maker: bool,
        /// Show what would be done, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Skip the question
        #[arg(long)]
        force: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct BackupFile {
    /// Backup file
    #[arg(value_parser = file_not_stream())]
    pub(crate) file: PathBuf,
    /// Key file that opens it [default: your key]
    #[arg(long, value_name = "PATH", value_parser = file_not_stream(), conflicts_with = "recovery_code")]
    pub(crate) identity: Option<PathBuf>,
    /// Open it with the recovery code (prompted)
    #[arg(long)]
    pub(crate) recovery_code: bool,
}
