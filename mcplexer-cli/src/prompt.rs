//! Asks on the terminal without echoing what is typed.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;
use rustix::termios::{QueueSelector, tcflush};

use crate::process::Blocked;

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

/// Asks `question` on the terminal, even if standard input and output are redirected.
///
/// # Errors
///
/// Fails if there is no terminal, or if it cannot be read.
pub(crate) fn hidden(question: &str) -> io::Result<Answer> {
    // Ctrl-C must not end the process before the prompt has restored the terminal. A handler would
    // outlive the prompt; a blocked signal is delivered right after it.
    let blocked = Blocked::new(Signal::INT)?;
    let answer = rpassword::prompt_password(question);
    drop(blocked);
    let line = match answer {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            LEFT.store(true, Ordering::Relaxed);
            // The next message begins on a new line.
            OpenOptions::new()
                .write(true)
                .open("/dev/tty")?
                .write_all(b"\n")?;
            return Ok(Answer::End);
        }
        answer => answer?,
    };
    if drop_pending_input()? {
        return Ok(Answer::SeveralLines);
    }
    // The prompt replaces bytes that are not UTF-8 with this character.
    if line.contains(char::REPLACEMENT_CHARACTER) {
        return Ok(Answer::NotText);
    }
    Ok(Answer::Line(line))
}

/// Returns whether a prompt was left without an answer.
pub(crate) fn was_left() -> bool {
    LEFT.load(Ordering::Relaxed)
}

/// Discards pending input. Returns whether there was any.
fn drop_pending_input() -> io::Result<bool> {
    let terminal = File::open("/dev/tty")?;
    let mut waiting = [PollFd::new(&terminal, PollFlags::IN)];
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let pending = poll(&mut waiting, Some(&now))? > 0;
    if pending {
        tcflush(&terminal, QueueSelector::IFlush)?;
    }
    Ok(pending)
}
