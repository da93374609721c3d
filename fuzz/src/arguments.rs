//! The arguments of the command line.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Parses arguments, one a line. They are valid, or there is a message that can be shown.
pub fn parse_arguments(bytes: &[u8]) {
    let lines = bytes.split(|&byte| byte == b'\n');
    let arguments = lines.map(|it| OsStr::from_bytes(it).to_owned());
    let command = OsString::from("mcplexer");
    if let Err(refusal) = mcplexer_cli::parse([command].into_iter().chain(arguments)) {
        assert!(!refusal.message.is_empty());
        assert!((0..=2).contains(&refusal.exit_code));
    }
}
