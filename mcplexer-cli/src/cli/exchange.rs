//! The arguments of the commands that take secrets from files and write them to files.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use mcplexer_files::exchange::Format;
use mcplexer_secrets::{ScopeId, SecretName};

const READ: &str = "\
Formats, by the file's name:
  dotenv  .env .env.* *.env  what the npm package dotenv reads
  json    *.json             one object of names and texts
  yaml    *.yaml *.yml       one mapping of names and texts
A name appears once. A value has 1 byte to 1 MiB; after mcplexer+base64: it is in base64.";

const WRITTEN: &str = "\
A value that the format cannot have as a text is written as mcplexer+base64: and its bytes in
base64, which mcplexer import reads.";

/// Stores every secret of a file under one scope: all of them, or none.
#[derive(Debug, Args)]
#[command(after_help = READ)]
pub(crate) struct Import {
    /// The scope; made, of kind env, if it does not exist
    pub(crate) scope: ScopeId,
    /// The file [default: standard input]
    pub(crate) file: Option<PathBuf>,
    /// The format of the file, if its name does not tell
    #[arg(long, value_parser = readable_format())]
    pub(crate) format: Option<Format>,
    /// Replace secrets that the scope has with other values
    #[arg(long, conflicts_with = "skip_existing")]
    pub(crate) overwrite: bool,
    /// Leave secrets that the scope has with other values as they are
    #[arg(long)]
    pub(crate) skip_existing: bool,
    /// Only tell what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Writes the secrets of a scope as a file that other programs read.
#[derive(Debug, Args)]
#[command(after_help = WRITTEN)]
pub(crate) struct Export {
    /// The scope
    pub(crate) scope: ScopeId,
    /// Only these
    #[arg(long, value_name = "KEY,…", value_delimiter = ',')]
    pub(crate) only: Vec<SecretName>,
    /// The format [default: what the file's name says, else dotenv]
    #[arg(long, value_parser = format())]
    pub(crate) format: Option<Format>,
    /// Write to this file, readable by you alone [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Print it although a terminal shows it, or a coding agent reads along
    #[arg(long)]
    pub(crate) reveal: bool,
}

fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::as_str))
        .try_map(|text| text.parse::<Format>())
}

/// Accepts the formats that are read, and says what to do instead about the others.
fn readable_format() -> impl TypedValueParser<Value = Format> {
    let is_read = |format: Format| Format::READ.contains(&format);
    let names = Format::ALL.map(|it| PossibleValue::new(it.as_str()).hide(!is_read(it)));
    PossibleValuesParser::new(names).try_map(move |text| match text.parse::<Format>() {
        Ok(format) if is_read(format) => Ok(format),
        _ => Err("import reads dotenv, json and yaml: save NAME=value lines as a .env file"),
    })
}
