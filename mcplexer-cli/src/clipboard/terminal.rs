//! The clipboard of the terminal, also of one at the other end of ssh: the control sequence OSC 52 of xterm.

use std::fs::OpenOptions;
use std::io::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::NotCopied;

/// The longest value that terminals take: its base64 and the sequence around it have 100,000 bytes.
const MAX_LEN: usize = 74_994;

/// Asks the terminal to copy a value. Terminals do not answer.
///
/// # Errors
///
/// `TooLong`, or `NoTerminal` if this process has none.
pub(crate) fn copy(value: &[u8]) -> Result<(), NotCopied> {
    if value.len() > MAX_LEN {
        return Err(NotCopied::TooLong);
    }
    let encoded = Zeroizing::new(BASE64_STANDARD.encode(value));
    let sequence = Zeroizing::new(format!("\x1b]52;c;{}\x07", *encoded));
    let terminal = OpenOptions::new().write(true).open("/dev/tty");
    let written = terminal.and_then(|mut it| it.write_all(sequence.as_bytes()));
    written.map_err(NotCopied::NoTerminal)
}
