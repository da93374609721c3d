//! The user's terminal, and the pseudo-terminal that a masked command sees instead.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pty_process::blocking::{Pts, Pty};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

use super::job::is_in_foreground;

/// How often a process in the background checks whether it is in the foreground: no signal reports it.
const BACKGROUND: Duration = Duration::from_millis(200);

/// Returns the user's terminal: standard input if that is one, else the controlling terminal, else standard output.
fn users_terminal() -> io::Result<OwnedFd> {
    if io::stdin().is_terminal() {
        return io::stdin().as_fd().try_clone_to_owned();
    }
    match File::options().read(true).write(true).open("/dev/tty") {
        Ok(controlling) => Ok(controlling.into()),
        Err(_) => io::stdout().as_fd().try_clone_to_owned(),
    }
}

/// The settings of the user's terminal at some time.
pub(super) struct Settings(OwnedFd, Termios);

impl Settings {
    /// Reads them. `None` without a terminal.
    pub(super) fn now() -> Option<Self> {
        let own = users_terminal().ok()?;
        let found = tcgetattr(&own).ok()?;
        Some(Self(own, found))
    }

    /// Restores them. Does nothing in the background, where the kernel would stop this process.
    pub(super) fn restore(&self) {
        if is_in_foreground(&self.0) {
            let _refused = tcsetattr(&self.0, OptionalActions::Drain, &self.1);
        }
    }
}

/// The user's terminal, while a command runs behind a pseudo-terminal.
pub(super) struct Terminal {
    own: OwnedFd,
    pty: Pty,
    /// The settings of the user's terminal before they were changed.
    found: Mutex<Option<Termios>>,
}

impl Terminal {
    /// Opens the user's terminal and a new pseudo-terminal with the same size and settings.
    ///
    pub(super) fn open() -> io::Result<(Arc<Self>, Pts)> {
        let own = users_terminal()?;
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

    /// Returns the stream that has what the command prints.
    pub(super) fn output(&self) -> io::Result<OwnedFd> {
        self.pty.as_fd().try_clone_to_owned()
    }

    /// Switches the user's terminal to raw mode: every key goes to the pseudo-terminal, which handles
    /// it as terminals do. Does nothing in the background, where the kernel would stop this process.
    pub(super) fn take(&self) {
        if !is_in_foreground(&self.own) {
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

    /// Restores the settings of the user's terminal.
    pub(super) fn give_back(&self) {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = found.as_ref().filter(|_| is_in_foreground(&self.own)) {
            let _refused = tcsetattr(&self.own, OptionalActions::Drain, found);
        }
    }

    /// Gives the pseudo-terminal the size of the user's terminal.
    pub(super) fn resize(&self) {
        if let Ok(size) = tcgetwinsize(&self.own) {
            let _refused = tcsetwinsize(&self.pty, size);
        }
    }

    /// Passes on what the user types until one of the terminals is gone.
    pub(super) fn pass_keys_on(&self) -> io::Result<()> {
        let mut own = File::from(self.own.try_clone()?);
        let mut typed = [0; 4096];
        loop {
            if !is_in_foreground(&self.own) {
                // Another process reads what is typed now.
                thread::sleep(BACKGROUND);
                self.take();
                continue;
            }
            match poll(&mut [PollFd::new(&self.own, PollFlags::IN)], None) {
                Err(Errno::INTR) => continue,
                ready => ready?,
            };
            if !is_in_foreground(&self.own) {
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
