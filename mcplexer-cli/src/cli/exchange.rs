//! The arguments of `mcplexer import` and `mcplexer export`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use mcplexer_files::exchange::{Format, Reader};
use mcplexer_home::import::{Blank, Hash};
use mcplexer_secrets::{ScopeId, SecretName};

use super::examples;

#[derive(Debug, Args)]
#[command(after_help = examples::IMPORT)]
pub(crate) struct Import {
    /// Scope to store them in; created if needed, as config.yaml defines it or else of kind env
    pub(crate) scope: ScopeId,
    /// File to read; - is standard input [default: -]
    pub(crate) file: Option<PathBuf>,
    /// Format of the file [default: by its name]
    #[arg(long, value_parser = readable_format())]
    pub(crate) format: Option<Format>,
    /// Store only these secrets of the file
    #[arg(long, value_name = "KEY,…", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Leave out these secrets of the file
    #[arg(long, value_name = "KEY,…", value_delimiter = ',')]
    pub(crate) skip: Vec<String>,
    /// Leave out blank values, or store nothing if there are any
    #[arg(long, value_name = "WHAT", default_value = "error", value_parser = blank())]
    pub(crate) blank: Blank,
    /// Keep a # right behind a value in a .env file as a part of it, or cut it off as a comment [default: ask on
    /// a terminal, else keep it with a warning]
    #[arg(long, value_name = "WHAT", value_parser = hash())]
    pub(crate) hash: Option<Hash>,
    /// Replace secrets that have another value in the scope
    #[arg(long, conflicts_with = "skip_existing")]
    pub(crate) overwrite: bool,
    /// Keep secrets that have another value in the scope
    #[arg(long)]
    pub(crate) skip_existing: bool,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = examples::EXPORT)]
pub(crate) struct Export {
    /// Scope to export
    pub(crate) scope: ScopeId,
    /// Write only these secrets
    #[arg(long, value_name = "KEY,…", value_delimiter = ',')]
    pub(crate) only: Vec<SecretName>,
    /// Format to write [default: by the file's name, else dotenv]
    #[arg(long, value_parser = format())]
    pub(crate) format: Option<Format>,
    /// Program that reads the .env file [default: written so that all of these read it alike]
    #[arg(long = "for", value_name = "READER", value_parser = reader())]
    pub(crate) reader: Option<Reader>,
    /// Write to this file, with mode 0600; - is standard output [default: -]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Print it even on a terminal, or if a coding agent is running the command
    #[arg(long)]
    pub(crate) reveal: bool,
}

fn blank() -> impl TypedValueParser<Value = Blank> {
    PossibleValuesParser::new(["skip", "error"]).map(|text| match text.as_str() {
        "skip" => Blank::Skip,
        _ => Blank::Error,
    })
}

fn hash() -> impl TypedValueParser<Value = Hash> {
    PossibleValuesParser::new(["keep", "cut"]).map(|text| match text.as_str() {
        "cut" => Hash::Cut,
        _ => Hash::Keep,
    })
}

fn reader() -> impl TypedValueParser<Value = Reader> {
    PossibleValuesParser::new(Reader::ALL.map(Reader::as_str))
        .try_map(|text| text.parse::<Reader>())
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
