//! The command line, as clap reads it. What may hold a value has no `Debug`.

mod adopt;
mod config;
mod exchange;
mod run;
mod scan;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use mcplexer_secrets::keys::Recipient;
use mcplexer_secrets::{ScopeId, SecretName};

pub(crate) use adopt::{Adopt, Variable};
pub(crate) use config::{Config, ConfigFrom};
pub(crate) use exchange::{Export, Import};
pub(crate) use run::{Inject, Key as ChosenKey, Run, RunInSession};
pub(crate) use scan::Scan;

use crate::exit_code;

pub(crate) const ABOUT: &str =
    "Keeps the credentials of tool servers encrypted at rest, grouped by auth scope";

pub(crate) const ENVIRONMENT: &str = "\
Environment:
  MCPLEXER_HOME          directory of the store (default: ~/.mcplexer)
  MCPLEXER_AGE_KEY       age key file (default: age.key in that directory)
  MCPLEXER_AGE_IDENTITY  age identity given inline, for CI
  MCPLEXER_AUDIT         its audit log: a file, `stderr` or `off` (default: audit.log there)

mcplexer help exit-codes tells what the exit codes mean.";

/// Keeps the credentials of tool servers encrypted at rest.
#[derive(Parser)]
#[command(name = "mcplexer", version, about = ABOUT, after_help = ENVIRONMENT)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Global {
    /// Say nothing but errors
    #[arg(short, long, global = true, display_order = 100)]
    pub(crate) quiet: bool,
    /// Fail instead of asking
    #[arg(long, global = true, display_order = 101)]
    pub(crate) no_input: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Store, read, list and delete secrets
    #[command(subcommand)]
    Secret(Secret),
    /// Make, list, show and delete scopes
    #[command(subcommand)]
    Scope(Scope),
    /// Name scopes in config.yaml, which never holds a value
    #[command(subcommand)]
    Config(Config),
    /// Run a command with secrets in its environment
    Run(Run),
    /// Replace each mcplexer://SCOPE/KEY in a text by the secret
    Inject(Inject),
    /// Move the credentials in an AI client's configuration into the store
    Adopt(Adopt),
    /// Store the secrets of a .env, JSON, YAML or shell file
    Import(Import),
    /// Write the secrets of a scope as a .env, JSON, YAML or shell file
    Export(Export),
    /// Look for the values of the store in files, and in what is about to be committed
    Scan(Scan),
    /// The keys that open the store: replace them, add owners, recover from a loss
    #[command(subcommand)]
    Key(Key),
    /// Keep a copy of everything in one age file
    #[command(subcommand)]
    Backup(Backup),
    /// Look for everything that could be wrong, and tell the mend
    Doctor {
        /// Mend what can be mended without a risk
        #[arg(long)]
        fix: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove what deleted and replaced secrets have left in the file of the store
    Compact,
    /// Who did what to which secret
    #[command(subcommand)]
    Audit(Audit),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print a manual page, for man to show: mcplexer man run | man -l -
    Man {
        /// The command it is about, such as `secret put`
        command: Vec<String>,
    },
    /// What the exit codes mean
    #[command(name = "exit-codes", hide = true, long_about = exit_code::HELP, help_template = "{about}\n")]
    ExitCodes,
}

#[derive(Subcommand)]
pub(crate) enum Secret {
    /// Store a value; an existing one is replaced
    Put(Put),
    /// Print a value: exactly its bytes, and a line feed on a terminal
    Get {
        /// The scope
        scope: ScopeId,
        /// The secret's name
        key: SecretName,
        /// Print it although a coding agent reads along
        #[arg(long)]
        reveal: bool,
    },
    /// List the secrets of a scope, or all scopes; never values
    #[command(alias = "ls")]
    List {
        /// The scope
        scope: Option<ScopeId>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Delete a secret
    #[command(alias = "rm")]
    Delete {
        /// The scope
        scope: ScopeId,
        /// The secret's name
        key: SecretName,
    },
}

/// The value comes from the argument, from --file, from standard input when that is not a terminal,
/// or is asked for without showing it.
#[derive(Args)]
pub(crate) struct Put {
    /// The scope; made if it does not exist, as config.yaml names it or else of kind env
    pub(crate) scope: ScopeId,
    /// The secret's name
    pub(crate) key: SecretName,
    /// The value; others can see it in the process list, so better leave it out and be asked.
    /// A value that begins with - goes after --
    pub(crate) value: Option<OsString>,
    /// Read the value from a file
    #[arg(long, value_name = "PATH", conflicts_with = "value")]
    pub(crate) file: Option<PathBuf>,
    /// Fail if the secret exists
    #[arg(long, conflicts_with = "if_version")]
    pub(crate) create: bool,
    /// Fail unless the secret is at this version
    #[arg(long, value_name = "N", value_parser = number)]
    pub(crate) if_version: Option<u64>,
    /// What to do with one line end at the end [default: strip from standard input, keep from a
    /// file]
    #[arg(long, conflicts_with = "value")]
    pub(crate) newline: Option<Newline>,
}

fn number(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "a number is wanted, such as 3")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Newline {
    Keep,
    Strip,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// Secrets become environment variables
    Env,
    /// Secrets become HTTP header fields
    Header,
    /// Secrets are tokens and client credentials of OAuth 2.0; ACCESS_TOKEN becomes a header field
    #[value(name = "oauth2")]
    OAuth2,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Scope {
    /// Make an empty scope
    Create {
        /// The scope's id
        scope: ScopeId,
        /// How its secrets reach a tool server
        #[arg(long, value_enum, default_value_t = Kind::Env)]
        kind: Kind,
        /// A name for people
        #[arg(long)]
        name: Option<String>,
    },
    /// List all scopes
    #[command(alias = "ls")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one scope and its secrets; never values
    Show {
        /// The scope
        scope: ScopeId,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Delete a scope and all its secrets
    #[command(alias = "rm")]
    Delete {
        /// The scope
        scope: ScopeId,
        /// Do not ask
        #[arg(long)]
        force: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a key and an empty store; the first put does so as well
    Init,
    /// Show where the key is and whose keys open the store; never a private key
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List whose keys open the store
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Let another key, or a passphrase, open the store
    Add(AddKey),
    /// Take a key away, and re-key the store: whoever had it cannot read it any more
    Remove {
        /// The key's label, its recipient, or how only its recipient begins
        key: String,
        /// Also if you could not open the store any more
        #[arg(long)]
        force: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Replace the key, and everything that was encrypted with it; run it again if it was cut short
    Rotate {
        /// Keep the key file; re-key the store only
        #[arg(long)]
        keep_identity: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a code to keep on paper, which opens the store if every key is lost
    Recovery {
        /// Print it although a coding agent reads along
        #[arg(long)]
        reveal: bool,
    },
    /// Open the store with its recovery code, and replace the lost key by a new one
    Recover {
        /// The lost key's label or recipient, if there are several
        #[arg(long, value_name = "KEY")]
        lost: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddKey {
    /// Whose: age1…, or an SSH public key, ssh-ed25519 … or ssh-rsa …
    #[arg(required_unless_present_any = ["file", "passphrase"], conflicts_with_all = ["file", "passphrase"])]
    pub(crate) recipient: Vec<String>,
    /// Read the recipient from a file, such as ~/.ssh/id_ed25519.pub
    #[arg(long, value_name = "PATH", conflicts_with = "passphrase")]
    pub(crate) file: Option<PathBuf>,
    /// Whoever knows a passphrase, which is asked for
    #[arg(long)]
    pub(crate) passphrase: bool,
    /// What to call it
    #[arg(long)]
    pub(crate) label: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Backup {
    /// Write every secret to a new age file, for the keys that open the store
    Create {
        /// The file
        file: PathBuf,
        /// For whoever has this recipient's key instead: age1…, or an SSH public key
        #[arg(long, value_name = "RECIPIENT", conflicts_with = "passphrase")]
        recipient: Vec<Recipient>,
        /// For whoever knows a passphrase instead, which is asked for
        #[arg(long)]
        passphrase: bool,
        /// Overwrite a file that is there
        #[arg(long)]
        force: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Read a backup to its end, and tell what is in it; writes nothing
    Verify {
        #[command(flatten)]
        from: BackupFile,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Take in a backup; a store is made if there is none
    Restore {
        #[command(flatten)]
        from: BackupFile,
        /// Add what is missing; of secrets that are in both, the one stored later stays
        #[arg(long)]
        merge: bool,
        /// Remove what the backup does not have; re-keys the store
        #[arg(long, conflicts_with = "merge")]
        replace: bool,
        /// Only tell what would be done
        #[arg(long)]
        dry_run: bool,
        /// Do not ask
        #[arg(long)]
        force: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct BackupFile {
    /// The file
    pub(crate) file: PathBuf,
    /// The key file that opens it, if it is not the key in use here
    #[arg(long, value_name = "PATH", conflicts_with = "recovery_code")]
    pub(crate) identity: Option<PathBuf>,
    /// Open it with the recovery code, which is asked for
    #[arg(long)]
    pub(crate) recovery_code: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Show the lines of the audit log
    Show {
        /// Only the last N lines
        #[arg(long, value_name = "N", value_parser = number)]
        last: Option<u64>,
        /// Only lines about this scope
        #[arg(long)]
        scope: Option<ScopeId>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Check that no line was changed, removed or cut off
    Verify {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}
