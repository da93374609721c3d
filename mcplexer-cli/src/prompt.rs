//! Asking on the terminal without showing what is typed.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{QueueSelector, tcflush};
use signal_hook::consts::SIGINT;
use signal_hook::{flag, low_level};

/// What was typed.
pub(crate) enum Answer {
    /// One line, without its end.
    Line(String),
    /// Bytes that are not UTF-8; the prompt cannot give them back unchanged.
    NotText,
    /// More than one line, as when a key in several lines is pasted. The rest is thrown away: the
    /// shell would take it for commands, and keep it in its history.
    SeveralLines,
}

/// Asks `question` on the terminal, wherever standard input and output go.
pub(crate) fn hidden(question: &str) -> io::Result<Answer> {
    // Ctrl-C must not end the process before the prompt has put the terminal back in order.
    let interrupted = Arc::new(AtomicBool::new(false));
    let handler = flag::register(SIGINT, Arc::clone(&interrupted))?;
    let answer = rpassword::prompt_password(question);
    low_level::unregister(handler);
    if interrupted.load(Ordering::Relaxed) {
        low_level::emulate_default_handler(SIGINT)?;
    }
    let line = answer?;
    if drop_pending_input()? {
        return Ok(Answer::SeveralLines);
    }
    // This character is what the prompt makes of bytes that are not UTF-8.
    if line.contains(char::REPLACEMENT_CHARACTER) {
        return Ok(Answer::NotText);
    }
    Ok(Answer::Line(line))
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
