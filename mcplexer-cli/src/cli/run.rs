//! The arguments of `mcplexer run` and `mcplexer inject`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use mcplexer_files::template::Syntax;
use mcplexer_home::environment::{ChosenKey, Rename};
use mcplexer_secrets::ScopeId;

use super::examples;

#[derive(Debug, Args)]
#[command(after_help = examples::RUN)]
pub(crate) struct Run {
    /// Pass the secrets of this scope; may be repeated
    #[arg(short, long, value_name = "SCOPE")]
    pub(crate) scope: Vec<ScopeId>,
    /// Pass only these secrets (KEY or SCOPE/KEY)
    #[arg(long, value_name = "KEY,…", value_delimiter = ',', requires = "scope")]
    pub(crate) only: Vec<ChosenKey>,
    /// Pass a secret under another name (KEY=NAME or SCOPE/KEY=NAME)
    #[arg(long, value_name = "KEY=NAME", requires = "scope")]
    pub(crate) rename: Vec<Rename>,
    /// Pass the variables of a .env file, each mcplexer://SCOPE/KEY replaced with its secret; - is
    /// standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Vec<PathBuf>,
    /// Pass what this profile of the project's mcplexer.yaml names [default: MCPLEXER_PROFILE, if it is set]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["scope", "env_file"])]
    pub(crate) profile: Option<String>,
    /// Start with an empty environment except HOME, LANG, LC_*, LOGNAME, PATH, SHELL, TERM, TMPDIR, TZ
    /// and USER
    #[arg(long)]
    pub(crate) clean_env: bool,
    /// Replace secret values in the command's output with [SCOPE/KEY] [default: if a coding agent is
    /// running mcplexer]
    #[arg(long)]
    pub(crate) mask: bool,
    /// Do not mask the output, even if a coding agent is running mcplexer
    #[arg(long, conflicts_with = "mask")]
    pub(crate) no_mask: bool,
    /// Pass a secret under this name although it takes over the command, as PATH and NODE_OPTIONS do
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(crate) allow_env: Vec<String>,
    /// Fill mcplexer://SCOPE/KEY in the command's arguments even if other users of this machine can see them
    #[arg(long)]
    pub(crate) allow_arguments: bool,
    /// Command to run, and its arguments
    #[arg(trailing_var_arg = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
#[command(after_help = examples::INJECT)]
pub(crate) struct Inject {
    /// Read the template from this file; - is standard input [default: -]
    #[arg(short, long, value_name = "TEMPLATE")]
    pub(crate) input: Option<PathBuf>,
    /// Write to this file, with mode 0600; - is standard output [default: -]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Format whose quotes and escapes values are written in [default: by the name of the output or the
    /// template, else text]
    #[arg(long, value_parser = syntax())]
    pub(crate) format: Option<Syntax>,
    /// Print it even if a coding agent is running the command
    #[arg(long)]
    pub(crate) reveal: bool,
}

fn syntax() -> impl TypedValueParser<Value = Syntax> {
    PossibleValuesParser::new(Syntax::ALL.map(Syntax::as_str))
        .try_map(|text| text.parse::<Syntax>())
}
