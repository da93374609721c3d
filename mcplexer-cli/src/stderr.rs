//! Writes to standard error, where everything goes that is not data.

use std::io::{self, Write};

/// Writes a line to standard error. If that fails, there is no place left to report it.
pub(crate) fn say(line: &str) {
    let _unheard = writeln!(io::stderr().lock(), "{line}");
}

pub(crate) fn say_hint(hint: &str) {
    say(&format!("mcplexer: hint: {hint}"));
}
