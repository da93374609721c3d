//! Asks on the terminal without showing what is typed.

mod keys;
mod quiet;

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering};

use keys::Keys;
use quiet::Quiet;
use rpassword::{ConfigBuilder, read_password_with_config};

use crate::progress::Asking;

/// Whether a prompt was left with Ctrl-D.
static LEFT: AtomicBool = AtomicBool::new(false);

/// The answer to a prompt.
pub(crate) enum Answer {
    /// One line, without its end.
    Line(String),
    /// Bytes that are not UTF-8, which the prompt cannot return unchanged.
    NotText,
    /// More than one line, such as a pasted key. The rest is discarded: the shell would run it as
    /// commands and keep it in its history.
    SeveralLines,
    /// No answer: the input has ended, for example by Ctrl-D.
    End,
}

/// Hidden questions on the terminal, even if standard input and output are redirected. From the first one on,
/// nothing that is typed is shown until this is dropped: the next answer may be typed before the last one
/// was checked.
#[derive(Default)]
pub(crate) struct Hidden(Option<Quiet>);

impl Hidden {
    /// Asks `question`.
    ///
    /// # Errors
    ///
    /// Fails if there is no terminal, or if it cannot be read.
    pub(crate) fn ask(&mut self, question: &str) -> io::Result<Answer> {
        let _asking = Asking::begin();
        let quiet = match self.0.take() {
            Some(quiet) => quiet,
            None => Quiet::begin()?,
        };
        let quiet = self.0.insert(quiet);
        let (line, more) = match quiet.ask(question, line) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                LEFT.store(true, Ordering::Relaxed);
                // The next message begins on a new line.
                quiet.end_line()?;
                return Ok(Answer::End);
            }
            answer => answer?,
        };
        if more {
            return Ok(Answer::SeveralLines);
        }
        // rpassword replaces bytes that are not UTF-8 with this character.
        if line.contains(char::REPLACEMENT_CHARACTER) {
            return Ok(Answer::NotText);
        }
        Ok(Answer::Line(line))
    }

    /// Ends the questions. Those that follow begin anew.
    pub(crate) fn end(&mut self) {
        self.0 = None;
    }
}

fn line(keys: Keys) -> io::Result<String> {
    let config = ConfigBuilder::new().input_reader(keys).output_discard();
    read_password_with_config(config.build())
}

/// Returns whether a prompt was left without an answer.
pub(crate) fn was_left() -> bool {
    LEFT.load(Ordering::Relaxed)
}
