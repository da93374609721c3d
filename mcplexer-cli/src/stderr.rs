//! Writes to standard error, where everything goes that is not data.

use std::io::{self, IsTerminal, Write};

use crate::lines::broken;
use crate::style::{Look, Paint};
use crate::table::terminal_width;

/// Writes a line to standard error. If that fails, there is no place left to report it.
pub(crate) fn say(line: &str) {
    let _unheard = writeln!(io::stderr().lock(), "{line}");
}

pub(crate) fn say_error(message: &str) {
    say_labelled(Look::Error, "error:", message);
}

pub(crate) fn say_warning(message: &str) {
    say_labelled(Look::Warning, "warning:", message);
}

pub(crate) fn say_hint(hint: &str) {
    say_labelled(Look::Hint, "hint:", hint);
}

/// Writes the usage of a command, which is no hint.
pub(crate) fn say_usage(usage: &str) {
    match usage.split_once(' ') {
        Some((label, rest)) => {
            let label = Paint::stderr().text(Look::Heading, label);
            say(&format!("{label} {rest}"));
        }
        None => say(usage),
    }
}

fn say_labelled(look: Look, label: &str, text: &str) {
    let text = match width() {
        Some(width) => broken(&format!("mcplexer: {label}"), text, width),
        None => text.to_owned(),
    };
    let label = Paint::stderr().text(look, label);
    say(&format!("mcplexer: {label} {text}"));
}

/// Returns the width of the terminal of standard error. `None` for a file or a pipe.
fn width() -> Option<usize> {
    let stderr = io::stderr();
    stderr
        .is_terminal()
        .then(|| terminal_width(stderr))
        .flatten()
}
