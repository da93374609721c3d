//! Asking on the terminal without showing what is typed.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{QueueSelector, tcflush};

/// Whether somebody has left a prompt with Ctrl-D.
static LEFT: AtomicBool = AtomicBool::new(false);

/// What was typed.
pub(crate) enum Answer {
    /// One line, without its end.
    Line(String),
    /// Bytes that are not UTF-8; the prompt cannot give them back unchanged.
    NotText,
    /// More than one line, as when a key in several lines is pasted. The rest is thrown away: the
    /// shell would take it for commands, and keep it in its history.
    SeveralLines,
    /// Nothing: the input ended, as Ctrl-D ends it.
    End,
}

/// Asks `question` on the terminal, wherever standard input and output go.
pub(crate) fn hidden(question: &str) -> io::Result<Answer> {
    // Ctrl-C must not end the process before the prompt has put the terminal back in order. A handler
    // would stay for the rest of the process; what is blocked comes when it is no more.
    let before = SigSet::from(Signal::SIGINT).thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let answer = rpassword::prompt_password(question);
    before.thread_set_mask()?;
    let line = match answer {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            LEFT.store(true, Ordering::Relaxed);
            // What is told next begins a line of its own.
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
    // This character is what the prompt makes of bytes that are not UTF-8.
    if line.contains(char::REPLACEMENT_CHARACTER) {
        return Ok(Answer::NotText);
    }
    Ok(Answer::Line(line))
}

/// Whether somebody was asked and has left without an answer.
pub(crate) fn was_left() -> bool {
    LEFT.load(Ordering::Relaxed)
}

/// Throws away what was typed ahead; says whether there was anything.
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
