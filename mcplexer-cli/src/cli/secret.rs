//! The arguments of `mcplexer secret`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use mcplexer_home::generate::{LENGTHS, WORDS};
use mcplexer_secrets::{Note, RotateEvery, ScopeId, SecretName, Timestamp};

use super::moves::{Copy, Move, Rename};
use super::when::{future, moment};
use super::{examples, number};

#[derive(Subcommand)]
pub(crate) enum Secret {
    /// Store a value, or replace it
    #[command(aliases = ["set", "add"], after_help = examples::SECRET_PUT)]
    Put(Put),
    /// Store a random value, and print nothing of it
    #[command(after_help = examples::SECRET_GENERATE)]
    Generate(Generate),
    /// Print a value, byte for byte (plus a newline on a terminal), or values as JSON
    #[command(aliases = ["show", "read"], after_help = examples::SECRET_GET)]
    Get(Get),
    /// Change a value in an editor; or the note, the expiry or the rotation interval
    #[command(after_help = examples::SECRET_EDIT)]
    Edit(Edit),
    /// List the versions of a secret that are kept; never values
    #[command(after_help = examples::SECRET_HISTORY)]
    History {
        /// Scope of the secret
        scope: ScopeId,
        /// Name of the secret
        key: SecretName,
        /// Show times in UTC; otherwise they are local on a terminal
        #[arg(long)]
        utc: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Store the value of an earlier version again, as a new version
    #[command(after_help = examples::SECRET_RESTORE)]
    Restore {
        /// Scope of the secret
        scope: ScopeId,
        /// Name of the secret
        key: SecretName,
        /// Version whose value to store
        #[arg(long, value_name = "N", value_parser = number)]
        version: u64,
    },
    /// List the secrets of a scope, or all scopes; never values
    #[command(alias = "ls", after_help = examples::SECRET_LIST)]
    List(List),
    /// List the secrets whose name, scope or note has a text in it; never values
    #[command(alias = "search", after_help = examples::SECRET_FIND)]
    Find {
        /// Text, in upper or lower case; with * or ? it has to match as a whole
        pattern: String,
        /// Show when each value was stored, expires and is to be replaced, and its note
        #[arg(long)]
        long: bool,
        /// With --long, show the day in UTC when a value was stored; otherwise it is local on a terminal
        #[arg(long, requires = "long")]
        utc: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Copy a value and what is said about it; not its earlier versions
    #[command(alias = "cp", after_help = examples::SECRET_COPY)]
    Copy(Copy),
    /// Move a secret with its versions to another scope or name
    #[command(alias = "mv", after_help = examples::SECRET_MOVE)]
    Move(Move),
    /// Rename a secret within its scope; its versions stay
    #[command(after_help = examples::SECRET_RENAME)]
    Rename(Rename),
    /// Delete secrets of a scope, with all their versions: all of them or none
    #[command(aliases = ["rm", "remove"], after_help = examples::SECRET_DELETE)]
    Delete {
        /// Scope of the secrets
        scope: ScopeId,
        /// Names of the secrets
        #[arg(required = true)]
        key: Vec<SecretName>,
        /// Skip the question, which only a person at a terminal is asked
        #[arg(long)]
        force: bool,
    },
}

#[derive(Args)]
pub(crate) struct Get {
    /// Scope of the secrets
    pub(crate) scope: ScopeId,
    /// Name of the secret; several with --json
    #[arg(required = true)]
    pub(crate) key: Vec<SecretName>,
    /// Print an earlier version
    #[arg(long, value_name = "N", value_parser = number)]
    pub(crate) version: Option<u64>,
    /// Print it even if a coding agent is running the command
    #[arg(long)]
    pub(crate) reveal: bool,
    /// Print JSON: the value and what is said about it
    #[arg(long)]
    pub(crate) json: bool,
    /// Copy the value to the clipboard, and print nothing of it
    #[arg(
        long,
        value_name = "WHERE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "desktop",
        conflicts_with = "json"
    )]
    pub(crate) clip: Option<Clip>,
    /// Seconds after which the desktop's clipboard is cleared if it still holds the value; 0 is never [default: 45]
    #[arg(long, value_name = "SECONDS", requires = "clip")]
    pub(crate) clear_after: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Clip {
    /// Through wl-copy, xclip, xsel or pbcopy
    Desktop,
    /// Through the terminal (OSC 52), also over ssh; it is not cleared
    Terminal,
}

// The value comes from the argument, from --file, from standard input if that is not a terminal, or
// from a prompt that does not show it.
#[derive(Args)]
pub(crate) struct Put {
    /// Scope of the secret; created if needed, as config.yaml defines it or else of kind env
    pub(crate) scope: ScopeId,
    /// Name of the secret
    pub(crate) key: SecretName,
    /// Value; visible to others in the process list, so better leave it out, or give -: it is asked for,
    /// or read from standard input. Put -- before another value that begins with -
    pub(crate) value: Option<OsString>,
    /// Read the value from a file, or with - from standard input
    #[arg(long, value_name = "PATH", conflicts_with = "value")]
    pub(crate) file: Option<PathBuf>,
    /// Fail if the secret exists
    #[arg(long, conflicts_with = "if_version")]
    pub(crate) create: bool,
    /// Fail unless the secret is at this version
    #[arg(long, value_name = "N", value_parser = number)]
    pub(crate) if_version: Option<u64>,
    /// Keep or strip one trailing newline [default: strip from standard input, keep from a file]
    #[arg(long)]
    pub(crate) newline: Option<Newline>,
    #[command(flatten)]
    pub(crate) said: Said,
}

#[derive(Args)]
pub(crate) struct Generate {
    /// Scope of the secret; created if needed, as config.yaml defines it or else of kind env
    pub(crate) scope: ScopeId,
    /// Name of the secret
    pub(crate) key: SecretName,
    /// Number of characters, 8 to 512
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = length)]
    pub(crate) length: usize,
    /// Characters to take
    #[arg(long, value_enum, default_value_t = Characters::Alnum)]
    pub(crate) alphabet: Characters,
    /// Make a passphrase of this many words instead, 4 to 32: 6 have 77 bits, 10 have 129
    #[arg(long, value_name = "N", value_parser = words, conflicts_with_all = ["length", "alphabet"])]
    pub(crate) words: Option<usize>,
    /// What to put between words, up to 8 visible characters or spaces [default: -]
    #[arg(long, value_name = "TEXT", requires = "words", value_parser = separator, allow_hyphen_values = true)]
    pub(crate) separator: Option<String>,
    /// Store it as the next version of a secret that exists
    #[arg(long, conflicts_with = "if_version")]
    pub(crate) force: bool,
    /// Fail unless the secret is at this version
    #[arg(long, value_name = "N", value_parser = number)]
    pub(crate) if_version: Option<u64>,
    #[command(flatten)]
    pub(crate) said: Said,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Characters {
    /// Letters and digits
    Alnum,
    /// Digits
    Digits,
    /// Digits and the letters a to f
    Hex,
    /// Letters, digits, - and _
    #[value(name = "base64url")]
    Base64Url,
    /// All visible ASCII characters
    Ascii,
}

/// What is said about a secret besides its value.
#[derive(Args)]
pub(crate) struct Said {
    /// Note for people, one line of up to 200 characters; it is not encrypted
    #[arg(long, value_name = "TEXT", value_parser = note)]
    pub(crate) note: Option<Note>,
    /// When the value expires: a date, an RFC 3339 time, or 30d or 12h from now
    #[arg(long, value_name = "WHEN", value_parser = future)]
    pub(crate) expires: Option<Timestamp>,
    /// Interval at which to replace the value, in days or weeks: 90d, 12w
    #[arg(long, value_name = "INTERVAL", value_parser = interval)]
    pub(crate) rotate_every: Option<RotateEvery>,
}

#[derive(Args)]
pub(crate) struct Edit {
    /// Scope of the secret
    pub(crate) scope: ScopeId,
    /// Name of the secret
    pub(crate) key: SecretName,
    #[command(flatten)]
    pub(crate) said: Said,
    /// Remove the note
    #[arg(long, conflicts_with = "note")]
    pub(crate) no_note: bool,
    /// Remove the expiry
    #[arg(long, conflicts_with = "expires")]
    pub(crate) no_expires: bool,
    /// Remove the interval
    #[arg(long, conflicts_with = "rotate_every")]
    pub(crate) no_rotate_every: bool,
    /// Open the value in the editor even if a coding agent is running the command
    #[arg(long, conflicts_with_all = ["note", "expires", "rotate_every", "no_note", "no_expires", "no_rotate_every"])]
    pub(crate) reveal: bool,
}

#[derive(Args)]
pub(crate) struct List {
    /// Scope whose secrets to list [default: list the scopes]
    #[arg(group = "listed")]
    pub(crate) scope: Option<ScopeId>,
    /// List the secrets of all scopes, as SCOPE/KEY
    #[arg(long, group = "listed", conflicts_with = "expiring")]
    pub(crate) all: bool,
    /// Show when each value was stored, expires and is to be replaced, and its note
    #[arg(long, requires = "listed", conflicts_with = "expiring")]
    pub(crate) long: bool,
    /// With --long, show the day in UTC when a value was stored; otherwise it is local on a terminal
    #[arg(long, requires = "long")]
    pub(crate) utc: bool,
    /// List only secrets that expire or are to be rotated by then, of all scopes unless one is given
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    pub(crate) expiring: Option<Timestamp>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Newline {
    Keep,
    Strip,
}

/// Parses the length of a random value.
fn length(text: &str) -> Result<usize, &'static str> {
    let number = text.parse().ok().filter(|it| LENGTHS.contains(it));
    number.ok_or("takes a number from 8 to 512")
}

/// Parses the number of words of a passphrase.
fn words(text: &str) -> Result<usize, &'static str> {
    let number = text.parse().ok().filter(|it| WORDS.contains(it));
    number.ok_or("takes a number from 4 to 32")
}

/// Parses what stands between words.
fn separator(text: &str) -> Result<String, &'static str> {
    let is_fit = text.len() <= 8 && text.bytes().all(|it| it == b' ' || it.is_ascii_graphic());
    let separator = is_fit.then(|| text.to_owned());
    separator.ok_or("takes up to 8 characters of ASCII, none of them a control character")
}

/// Parses a note.
fn note(text: &str) -> Result<Note, &'static str> {
    text.parse()
        .map_err(|_| "takes one line of 1 to 200 characters, none of them a control character")
}

/// Parses an interval.
fn interval(text: &str) -> Result<RotateEvery, &'static str> {
    text.parse()
        .map_err(|_| "takes 1 to 36500 days, such as 90d or 12w")
}
