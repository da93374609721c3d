//! Shows a long text in the user's pager.

use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use mcplexer_home::IDENTITY_VARIABLE;
use signal_hook::consts::SIGINT;

use crate::failure::Failure;
use crate::output;

/// What `less` gets if the user has not set `LESS`: it ends at once if the text fits the screen, shows colours, and leaves
/// the text on the terminal.
const LESS: &str = "FRX";

/// Prints a text on the terminal through `$PAGER`, or through `less`. Without one, prints it as it is.
///
/// # Errors
///
/// As [`output::print`].
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
    let pager = env::var_os("PAGER").unwrap_or_else(|| OsString::from("less"));
    if is_dumb || pager.is_empty() || pager == "cat" || !page(text, &pager) {
        return output::print(text);
    }
    Ok(())
}

/// Returns whether the pager could be started. A reader who leaves early has seen enough.
fn page(text: &str, pager: &OsString) -> bool {
    // Ctrl-C is for the pager: it may stop a search there. Its own handler is what the system gives it.
    let Ok(handler) = signal_hook::flag::register(SIGINT, Arc::new(AtomicBool::new(false))) else {
        return false;
    };
    // Of a variable, the shell makes words: `less -R`.
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(pager).stdin(Stdio::piped());
    // The text has no values, and the pager needs no key.
    command.env_remove(IDENTITY_VARIABLE);
    if env::var_os("LESS").is_none() {
        command.env("LESS", LESS);
    }
    let is_shown = command.spawn().is_ok_and(|mut child| {
        if let Some(mut stdin) = child.stdin.take() {
            let _unread = stdin.write_all(text.as_bytes());
        }
        // The shell did not find it.
        child
            .wait()
            .is_ok_and(|status| !matches!(status.code(), Some(126 | 127)))
    });
    signal_hook::low_level::unregister(handler);
    is_shown
}
