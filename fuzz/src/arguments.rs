//! The arguments of the command line.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use clap::Parser;

use command::cli::Cli;

/// The parser of the command line, included because it is not in a library.
#[path = "../../mcplexer-cli/src"]
mod command {
    #[expect(
        dead_code,
        unused_imports,
        reason = "the command line is taken in for its arguments only"
    )]
    pub(crate) mod cli;
}

/// Parses arguments, one a line. They are valid, or the error is a message that can be shown.
pub fn parse_arguments(bytes: &[u8]) {
    let arguments = bytes.split(|&byte| byte == b'\n').map(OsStr::from_bytes);
    if let Err(error) = Cli::try_parse_from([OsStr::new("mcplexer")].into_iter().chain(arguments)) {
        assert!(!error.render().to_string().is_empty());
        assert!((0..=2).contains(&error.exit_code()));
    }
}
