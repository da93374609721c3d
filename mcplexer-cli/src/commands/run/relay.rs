//! Passing on what a command prints, masked.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};

use mcplexer_secrets::Masker;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use zeroize::Zeroizing;

/// What may begin a value is held back until the command was quiet for this long. What it has left
/// behind when it stops or ends is waited for as long.
const QUIET: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};
/// Most that a pipe or a pseudo-terminal may hold, in bytes (pipe(7), `pipe-max-size`): more than that
/// was not left behind, but is printed by something that goes on.
const MAX_LEFT: usize = 1 << 20;
/// What is read at once.
const CHUNK: usize = 64 * 1024;

/// A stream that is passed on by a thread.
pub(super) struct Relay {
    /// A byte on it asks for all that is there to be passed on, and is answered when that is done.
    /// Its end says that the command has ended.
    control: UnixStream,
    thread: JoinHandle<io::Result<()>>,
}

impl Relay {
    /// Passes on a stream until it ends, then closes both sides of it.
    pub(super) fn start(source: OwnedFd, sink: File, masker: &Masker) -> io::Result<Self> {
        let (control, other) = UnixStream::pair()?;
        let masker = masker.for_another_stream();
        let thread = thread::spawn(move || relay(&mut source.into(), sink, masker, other));
        Ok(Self { control, thread })
    }

    /// Waits until all that is there has been passed on.
    pub(super) fn settle(&mut self) {
        let asked = self.control.write_all(b"?");
        // A stream that has ended does not answer, which is answer enough.
        let _answered = asked.and_then(|()| self.control.read_exact(&mut [0]));
    }

    /// The command has ended: waits until all that it left has been passed on. What it has started
    /// and left running is not waited for.
    pub(super) fn finish(self) {
        drop(self.control);
        // Whoever reads may be gone, which is no failure of the command.
        let _ended = self.thread.join();
    }
}

fn relay(
    source: &mut File,
    mut sink: File,
    mut masker: Masker,
    mut control: UnixStream,
) -> io::Result<()> {
    let mut chunk = Zeroizing::new(vec![0; CHUNK]);
    let mut shown = Vec::with_capacity(CHUNK);
    let (mut is_asked, mut is_over, mut left) = (false, false, MAX_LEFT);
    loop {
        let waits = masker.holds() || is_asked || is_over;
        let mut wait = [
            PollFd::new(&*source, PollFlags::IN),
            PollFd::new(&control, PollFlags::IN),
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
        shown.clear();
        if source_is_ready {
            // A pseudo-terminal ends with an error.
            let length = source.read(&mut chunk).unwrap_or(0);
            ended |= length == 0;
            if is_asked || is_over {
                left = left.saturating_sub(length);
            }
            masker.feed(chunk.get(..length).unwrap_or_default(), &mut shown);
        }
        if quiet || ended {
            masker.flush(&mut shown);
        }
        sink.write_all(&shown)?;
        if ended {
            return Ok(());
        }
        if settled && is_asked {
            is_asked = false;
            control.write_all(b"!")?;
        }
        if control_is_ready {
            left = MAX_LEFT;
            match control.read(&mut [0])? {
                0 => is_over = true,
                _ => is_asked = true,
            }
        }
    }
}
