//! The bytes that are typed at a hidden question. Keys that signal do so in their place among them.

use std::fmt;
use std::fs::File;
use std::io::{self, Error, ErrorKind, PipeReader, Read};
use std::sync::Arc;

use nix::sys::signal::{SigSet, Signal, killpg};
use nix::unistd::getpgrp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{LocalModes, SpecialCodeIndex, Termios};

use super::quiet::Terminal;
use crate::process::is_orphaned;

const NOW: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// Reads the terminal byte by byte. The terminal itself would signal before the bytes ahead of the key are
/// read, and the process could take those behind it for an answer before it stops.
pub(super) struct Keys {
    terminal: Arc<Terminal>,
    /// Has a byte for each time the process was continued.
    continued: PipeReader,
    signals: Vec<(u8, Option<Signal>)>,
}

/// The process was stopped and continued: the question is to be asked again.
#[derive(Debug)]
struct Continued;

impl fmt::Display for Continued {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the process was stopped")
    }
}

impl std::error::Error for Continued {}

/// Returns whether reading failed because the process was stopped and continued.
pub(super) fn was_continued(error: &Error) -> bool {
    let inner = error.get_ref();
    inner
        .and_then(|it| it.downcast_ref::<Continued>())
        .is_some()
}

/// Forgets the times that the process was continued before.
pub(super) fn forget(mut continued: &PipeReader) -> io::Result<()> {
    while is_ready(continued)? {
        let _bytes = continued.read(&mut [0; 64])?;
    }
    Ok(())
}

fn is_ready(continued: &PipeReader) -> io::Result<bool> {
    Ok(poll(&mut [PollFd::new(continued, PollFlags::IN)], Some(&NOW))? > 0)
}

impl Keys {
    /// Reads a terminal, whose keys cause those of the signals that are `watched`.
    pub(super) fn new(terminal: Arc<Terminal>, continued: PipeReader, watched: SigSet) -> Self {
        let signals = signals(terminal.before(), watched);
        Self {
            terminal,
            continued,
            signals,
        }
    }

    /// Sends the signal of a key to the whole job, as the terminal does. Returns if it is ignored, and
    /// fails with `Continued` if the process has stopped.
    fn send(&mut self, signal: Signal) -> io::Result<()> {
        if signal == Signal::SIGTSTP {
            if is_orphaned() {
                return Ok(());
            }
        } else {
            // The shell's prompt begins on a new line.
            self.terminal.end_line()?;
        }
        killpg(getpgrp(), signal)?;
        // Nothing behind the key is read before the signal has had its effect.
        while self.continued.read(&mut [0; 64])? == 0 {}
        Err(Error::other(Continued))
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        let mut file: &File = self.terminal.file();
        loop {
            let mut waiting = [
                PollFd::new(&self.continued, PollFlags::IN),
                PollFd::new(file, PollFlags::IN),
            ];
            match poll(&mut waiting, None) {
                Err(Errno::INTR) => continue,
                ready => ready?,
            };
            if is_ready(&self.continued)? {
                return Err(Error::other(Continued));
            }
            let mut byte = [0];
            match file.read(&mut byte) {
                Ok(0) => return Ok(None),
                Ok(_) => return Ok(byte.first().copied()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Read for Keys {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(place) = buffer.first_mut() else {
            return Ok(0);
        };
        loop {
            let Some(byte) = self.byte()? else {
                return Ok(0);
            };
            match self.signals.iter().find(|(key, _)| *key == byte) {
                None => {
                    *place = byte;
                    return Ok(1);
                }
                Some(&(_, Some(signal))) => self.send(signal)?,
                Some((_, None)) => {}
            }
        }
    }
}

/// Returns the keys that signal, each with its signal unless the process ignores that.
fn signals(mode: &Termios, watched: SigSet) -> Vec<(u8, Option<Signal>)> {
    if !mode.local_modes.contains(LocalModes::ISIG) {
        return Vec::new();
    }
    let keys = [
        (SpecialCodeIndex::VINTR, Signal::SIGINT),
        (SpecialCodeIndex::VQUIT, Signal::SIGQUIT),
        (SpecialCodeIndex::VSUSP, Signal::SIGTSTP),
    ];
    keys.into_iter()
        .map(|(key, signal)| (mode.special_codes[key], signal))
        // 0 stands for no key (_POSIX_VDISABLE).
        .filter(|(key, _)| *key != 0)
        .map(|(key, signal)| (key, Some(signal).filter(|it| watched.contains(*it))))
        .collect()
}
