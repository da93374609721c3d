//! Passing on what a command prints, masked.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use mcplexer_mask::Masker;
use mcplexer_secrets::wipe_stack;
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
/// How long a reader that takes nothing may keep a command from stopping, or from ending when it was
/// told to.
const PATIENCE: Duration = Duration::from_secs(1);
/// What is read at once.
const CHUNK: usize = 64 * 1024;

/// A stream that is passed on by a thread.
pub(super) struct Relay {
    /// A byte on it asks for all that is there to be passed on, and is answered by the same byte when
    /// that is done. Closed on this side it says that the command has ended, on the other that the
    /// stream has.
    control: UnixStream,
    asked: u8,
}

impl Relay {
    /// Passes on a stream until it ends, then closes both sides of it.
    pub(super) fn start(source: OwnedFd, sink: File, masker: &Masker) -> io::Result<Self> {
        let (control, other) = UnixStream::pair()?;
        let masker = masker.for_another_stream();
        thread::spawn(move || {
            let mut control = other;
            let _ended = relay(&mut control, &mut source.into(), sink, masker);
            // Before it is known to have ended.
            wipe_stack();
            drop(control);
        });
        Ok(Self { control, asked: 0 })
    }

    /// Waits until all that is there has been passed on, unless the reader takes nothing.
    pub(super) fn settle(&mut self) {
        self.asked = self.asked.wrapping_add(1);
        let mut answer = [self.asked];
        let mut settle = || {
            self.control.set_read_timeout(Some(PATIENCE))?;
            self.control.write_all(&answer)?;
            loop {
                // A stream that has ended does not answer, which is answer enough.
                self.control.read_exact(&mut answer)?;
                if answer == [self.asked] {
                    return Ok::<(), io::Error>(());
                }
            }
        };
        let _settled = settle();
    }

    /// The command has ended: waits until all that it left has been passed on; if it was told to end,
    /// not for a reader that takes nothing. What it has started and left running is not waited for.
    pub(super) fn finish(mut self, was_told_to: bool) {
        let mut finish = || {
            self.control
                .set_read_timeout(was_told_to.then_some(PATIENCE))?;
            self.control.shutdown(Shutdown::Write)?;
            self.control.read_to_end(&mut Vec::new())
        };
        // Whoever reads may be gone, which is no failure of the command.
        let _finished = finish();
    }
}

/// Writes all of it, also to a sink that somebody has made non-blocking.
fn write_all(sink: &mut File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match sink.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                match poll(&mut [PollFd::new(&*sink, PollFlags::OUT)], None) {
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

fn relay(
    control: &mut UnixStream,
    source: &mut File,
    mut sink: File,
    mut masker: Masker,
) -> io::Result<()> {
    let mut chunk = Zeroizing::new(vec![0; CHUNK]);
    let mut shown = Vec::with_capacity(CHUNK);
    let mut asked: Option<[u8; 1]> = None;
    let (mut is_over, mut left) = (false, MAX_LEFT);
    loop {
        let waits = masker.holds() || asked.is_some() || is_over;
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
        shown.clear();
        if source_is_ready {
            // A pseudo-terminal ends with an error.
            let length = source.read(&mut chunk).unwrap_or(0);
            ended |= length == 0;
            if asked.is_some() || is_over {
                left = left.saturating_sub(length);
            }
            masker.feed(chunk.get(..length).unwrap_or_default(), &mut shown);
        }
        if quiet || ended {
            masker.flush(&mut shown);
        }
        write_all(&mut sink, &shown)?;
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
