//! The user's terminal, and the pseudo-terminal that a masked command sees instead.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::unistd::{getpgrp, tcgetpgrp};
use pty_process::blocking::{Pts, Pty};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

/// How often a process in the background looks whether it is in the foreground: nobody tells it.
const BACKGROUND: Duration = Duration::from_millis(200);

/// The user's terminal, while a command runs behind a pseudo-terminal.
pub(super) struct Terminal {
    own: OwnedFd,
    pty: Pty,
    /// How the user's terminal was set when it was first taken.
    found: Mutex<Option<Termios>>,
}

impl Terminal {
    /// The terminal on standard input; with something else there, the controlling one; without one,
    /// that on standard output. And a new pseudo-terminal that is like it.
    pub(super) fn open() -> io::Result<(Arc<Self>, Pts)> {
        let own = if io::stdin().is_terminal() {
            io::stdin().as_fd().try_clone_to_owned()?
        } else {
            match File::options().read(true).write(true).open("/dev/tty") {
                Ok(controlling) => controlling.into(),
                Err(_) => io::stdout().as_fd().try_clone_to_owned()?,
            }
        };
        let (pty, pts) = pty_process::blocking::open().map_err(io::Error::other)?;
        let terminal = Self {
            own,
            pty,
            found: Mutex::default(),
        };
        terminal.resize();
        terminal.take();
        Ok((Arc::new(terminal), pts))
    }

    /// What the command prints.
    pub(super) fn output(&self) -> io::Result<OwnedFd> {
        self.pty.as_fd().try_clone_to_owned()
    }

    /// Whether this process may read the terminal and change its settings: else it would be stopped.
    fn is_foreground(&self) -> bool {
        tcgetpgrp(&self.own).is_ok_and(|group| group == getpgrp())
    }

    /// Lets every key through to the pseudo-terminal, which does with them what terminals do.
    pub(super) fn take(&self) {
        if !self.is_foreground() {
            return;
        }
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.is_none() {
            *found = tcgetattr(&self.own).ok();
            if let Some(found) = &*found {
                let _refused = tcsetattr(&self.pty, OptionalActions::Now, found);
            }
        }
        if let Some(mut raw) = found.clone() {
            raw.make_raw();
            let _refused = tcsetattr(&self.own, OptionalActions::Drain, &raw);
        }
    }

    /// Makes the terminal as it was found.
    pub(super) fn give_back(&self) {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = found.as_ref().filter(|_| self.is_foreground()) {
            let _refused = tcsetattr(&self.own, OptionalActions::Drain, found);
        }
    }

    /// Makes the pseudo-terminal as large as the terminal is.
    pub(super) fn resize(&self) {
        if let Ok(size) = tcgetwinsize(&self.own) {
            let _refused = tcsetwinsize(&self.pty, size);
        }
    }

    /// Passes on what is typed, for as long as there are both terminals.
    pub(super) fn pass_keys_on(&self) -> io::Result<()> {
        let mut own = File::from(self.own.try_clone()?);
        let mut typed = [0; 4096];
        loop {
            if !self.is_foreground() {
                // What is typed is for somebody else.
                thread::sleep(BACKGROUND);
                self.take();
                continue;
            }
            match poll(&mut [PollFd::new(&self.own, PollFlags::IN)], None) {
                Err(rustix::io::Errno::INTR) => continue,
                ready => ready?,
            };
            if !self.is_foreground() {
                continue;
            }
            match own.read(&mut typed) {
                Ok(0) => return Ok(()),
                Ok(length) => {
                    let keys = typed.get(..length).unwrap_or_default();
                    (&self.pty).write_all(keys)?;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
