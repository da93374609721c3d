//! Relays what a command prints, masked.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use mcplexer_mask::Masker;
use mcplexer_secrets::wipe_stack;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use zeroize::Zeroizing;

/// How long the command must be quiet before text that may begin a value is passed on, and before its
/// output counts as complete after it has stopped or ended.
const QUIET: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};
/// The most that a pipe or a pseudo-terminal holds, in bytes (pipe(7), `pipe-max-size`). Output beyond
/// that comes from a process that is still running.
const MAX_LEFT: usize = 1 << 20;
/// How long a reader that takes nothing may delay a stop, or an end that a signal asked for.
const PATIENCE: Duration = Duration::from_secs(1);
/// The longest beginning of a line that waits for the rest, in bytes: what a pipe takes in one piece (PIPE_BUF).
const MAX_BEGUN: usize = 4096;
/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// Whose turn it is to write, among the relays whose sinks lead to one place. They write whole lines, and one after
/// the other: a pipe takes a long text in pieces.
#[derive(Clone)]
pub(super) enum Turn {
    Alone,
    Shared(Arc<Mutex<()>>),
}

impl Turn {
    fn is_shared(&self) -> bool {
        matches!(self, Self::Shared(_))
    }

    fn write_all(&self, sink: &File, bytes: &[u8]) -> io::Result<()> {
        let _turn = match self {
            Self::Alone => None,
            Self::Shared(turn) => Some(turn.lock().unwrap_or_else(PoisonError::into_inner)),
        };
        write_all(sink, bytes)
    }
}

/// A stream that a thread relays.
pub(super) struct Relay {
    /// A byte on it asks the thread to relay all output there is; the same byte answers that it has.
    /// This side is closed when the command has ended, the other when the stream has.
    control: UnixStream,
    asked: u8,
    /// Where the stream goes, until its end.
    sink: Weak<File>,
    /// Why some of the stream is lost.
    lost: Arc<OnceLock<io::Error>>,
}

/// Which stream a relay passes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Output,
    /// Standard error, which may be needed after its end for what happens to the output. A command that ends
    /// closes both at once.
    Error,
}

impl Relay {
    /// Relays a stream until it ends, then closes both sides.
    ///
    /// # Errors
    ///
    /// Fails if the system refuses the control socket.
    pub(super) fn start(
        stream: Stream,
        source: OwnedFd,
        sink: File,
        turn: Turn,
        masker: &Masker,
    ) -> io::Result<Self> {
        let (control, other) = UnixStream::pair()?;
        let masker = masker.for_another_stream();
        let (sink, lost) = (Arc::new(sink), Arc::new(OnceLock::new()));
        let relayed = Self {
            control,
            asked: 0,
            sink: Arc::downgrade(&sink),
            lost: Arc::clone(&lost),
        };
        thread::spawn(move || {
            let mut control = other;
            let mut source = source.into();
            let ended = relay(&mut control, &mut source, &sink, &turn, masker);
            // The command sees that nobody reads any more.
            drop(source);
            match ended {
                // A reader that goes away is not a failure.
                Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                    let _first = lost.set(error);
                }
                _ if stream == Stream::Error => linger(&mut control),
                _ => {}
            }
            drop(sink);
            // Before the other side sees the end.
            wipe_stack();
            drop(control);
        });
        Ok(relayed)
    }

    /// Waits until all output there is has been relayed, unless the reader takes nothing.
    pub(super) fn settle(&mut self) {
        self.asked = self.asked.wrapping_add(1);
        let mut answer = [self.asked];
        let mut settle = || {
            self.control.set_read_timeout(Some(PATIENCE))?;
            self.control.write_all(&answer)?;
            loop {
                // A stream that has ended closes instead of answering, which ends this loop too.
                self.control.read_exact(&mut answer)?;
                if answer == [self.asked] {
                    return Ok::<(), io::Error>(());
                }
            }
        };
        let _settled = settle();
    }

    /// Waits, after the end of the command, until all that it has left is relayed. If it `was_told_to`
    /// end, a reader that takes nothing is not waited for. Neither are processes it has left running.
    /// Returns why some of the stream is lost.
    pub(super) fn finish(&mut self, was_told_to: bool) -> Option<&io::Error> {
        let mut finish = || {
            self.control
                .set_read_timeout(was_told_to.then_some(PATIENCE))?;
            self.control.shutdown(Shutdown::Write)?;
            self.control.read_to_end(&mut Vec::new())
        };
        // The reader may be gone, which is not a failure of the command.
        let _finished = finish();
        self.lost.get()
    }

    /// Makes the place where the stream goes, unless it has ended, standard error of this process again.
    pub(super) fn give_back_stderr(&self) {
        if let Some(sink) = self.sink.upgrade() {
            let _refused = rustix::stdio::dup2_stderr(&*sink);
        }
    }
}

/// Writes all bytes, also to a sink that another process has made non-blocking.
fn write_all(mut sink: &File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match sink.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                match poll(&mut [PollFd::new(sink, PollFlags::OUT)], None) {
                    Err(Errno::INTR) => {}
                    ready => {
                        ready?;
                    }
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits after the end of a stream until the end of the command too, but not for long.
fn linger(control: &mut UnixStream) {
    let _late = control.set_read_timeout(Some(PATIENCE));
    let _told = control.read(&mut [0]);
}

/// Returns the length of the line at the end of a text that has not ended yet; 0 if it is too long.
fn begun(text: &[u8]) -> usize {
    let tail = text.iter().rev().take(MAX_BEGUN);
    let mut lengths = tail.zip(0..).filter(|(byte, _)| b"\n\r".contains(byte));
    match lengths.next() {
        Some((_, length)) => length,
        None if text.len() < MAX_BEGUN => text.len(),
        None => 0,
    }
}

fn relay(
    control: &mut UnixStream,
    source: &mut File,
    sink: &File,
    turn: &Turn,
    mut masker: Masker,
) -> io::Result<()> {
    let mut chunk = Zeroizing::new(vec![0; CHUNK]);
    let mut shown = Vec::with_capacity(CHUNK);
    let mut asked: Option<[u8; 1]> = None;
    let (mut is_over, mut left) = (false, MAX_LEFT);
    loop {
        let waits = masker.holds() || !shown.is_empty() || asked.is_some() || is_over;
        let mut wait = [
            PollFd::new(&*source, PollFlags::IN),
            PollFd::new(&*control, PollFlags::IN),
        ];
        let watched = if is_over { 1 } else { 2 };
        let quiet = match poll(
            wait.get_mut(..watched).unwrap_or_default(),
            waits.then_some(&QUIET),
        ) {
            Err(Errno::INTR) => continue,
            ready => ready? == 0,
        };
        let [source_is_ready, control_is_ready] = wait.map(|it| !it.revents().is_empty());
        let settled = quiet || left == 0;
        let mut ended = settled && is_over;
        let (old, mut is_full) = (shown.len(), false);
        if source_is_ready {
            // Reading from a pseudo-terminal fails at its end.
            let length = source.read(&mut chunk).unwrap_or(0);
            ended |= length == 0;
            is_full = length == CHUNK;
            if asked.is_some() || is_over {
                left = left.saturating_sub(length);
            }
            masker.feed(chunk.get(..length).unwrap_or_default(), &mut shown);
        }
        if quiet || ended {
            masker.flush(&mut shown);
        }
        // While the end of a line is held back, or is still to be read, so is its beginning, if it came in this
        // chunk: other output cannot come between. One that came before is not delayed any longer.
        let is_to_come = masker.holds() || is_full || (source_is_ready && turn.is_shared());
        let waiting = match begun(&shown) {
            length if is_to_come && !ended && length <= shown.len() - old => length,
            _ => 0,
        };
        let ready = shown.len() - waiting;
        turn.write_all(sink, shown.get(..ready).unwrap_or_default())?;
        shown.drain(..ready);
        if ended {
            return Ok(());
        }
        if settled && let Some(number) = asked.take() {
            control.write_all(&number)?;
        }
        if control_is_ready {
            left = MAX_LEFT;
            let mut number = [0];
            match control.read(&mut number)? {
                0 => is_over = true,
                _ => asked = Some(number),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_has_begun_waits_unless_it_is_long() {
        let long = vec![b'x'; MAX_BEGUN];
        let ended = [&long[..], b"\nyy"].concat();
        for (text, length) in [
            (&b""[..], 0),
            (b"ab", 2),
            (b"a\nbc", 2),
            (b"a\r\x1b[31m7", 6),
            (b"a\n", 0),
            (&long, 0),
            (&long[1..], MAX_BEGUN - 1),
            (&ended, 2),
        ] {
            assert_eq!(begun(text), length, "{text:?}");
        }
    }
}
