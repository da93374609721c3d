//! Passing on what a command prints, masked.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::thread::{self, JoinHandle};

use mcplexer_secrets::Masker;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zeroize::Zeroizing;

/// What may begin a value is held back until the command was quiet for this long. What it has left
/// behind when it ends is waited for as long.
const QUIET: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};
/// What is read at once.
const CHUNK: usize = 64 * 1024;

/// Streams that are being passed on, each by a thread.
pub(super) struct Relay {
    threads: Vec<JoinHandle<()>>,
    /// Closed when the command has ended: then a stream that is quiet is over, even if something
    /// that the command started holds it open.
    over: (PipeReader, PipeWriter),
}

impl Relay {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            threads: Vec::new(),
            over: io::pipe()?,
        })
    }

    /// Passes on one stream until it ends, then closes both ends.
    pub(super) fn start(&mut self, source: OwnedFd, sink: File, masker: &Masker) {
        let masker = masker.for_another_stream();
        let Ok(over) = self.over.0.try_clone() else {
            return;
        };
        let copy = move || {
            // Whoever reads has gone, or whoever writes: the other one is told by the end of it.
            let _ended = relay(&mut File::from(source), sink, masker, &over);
        };
        self.threads.push(thread::spawn(copy));
    }

    /// Waits for what is left after the command has ended.
    pub(super) fn finish(self) {
        drop(self.over);
        for thread in self.threads {
            let _ended = thread.join();
        }
    }
}

fn relay(
    source: &mut File,
    mut sink: File,
    mut masker: Masker,
    over: &PipeReader,
) -> io::Result<()> {
    let mut chunk = Zeroizing::new(vec![0; CHUNK]);
    let mut shown = Vec::with_capacity(CHUNK);
    let mut is_over = false;
    loop {
        let quiet = (masker.holds() || is_over).then_some(&QUIET);
        let mut wait = [
            PollFd::new(&*source, PollFlags::IN),
            PollFd::new(over, PollFlags::IN),
        ];
        let watched = if is_over { 1 } else { 2 };
        let ready = poll(wait.get_mut(..watched).unwrap_or_default(), quiet);
        if matches!(ready, Err(rustix::io::Errno::INTR)) {
            continue;
        }
        shown.clear();
        let [from_source, from_over] = wait.map(|it| !it.revents().is_empty());
        if ready? == 0 {
            masker.flush(&mut shown);
        }
        let mut ended = is_over && !from_source;
        if from_source {
            // At the end of a pseudo-terminal there is an error.
            let read = source.read(&mut chunk).unwrap_or(0);
            ended = read == 0;
            masker.feed(chunk.get(..read).unwrap_or_default(), &mut shown);
        }
        if ended {
            masker.flush(&mut shown);
        }
        sink.write_all(&shown)?;
        if ended {
            return Ok(());
        }
        is_over |= from_over;
    }
}
