//! The user's terminal, and the pseudo-terminal that a masked command sees instead.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use pty_process::blocking::{Pts, Pty};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::getpgrp;
use rustix::termios::{
    OptionalActions, Termios, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr, tcsetwinsize,
};

use super::supervise::Watch;

/// The user's terminal, as it was found.
pub(super) struct Terminal {
    own: OwnedFd,
    found: Termios,
}

/// The user's terminal while a command runs behind a pseudo-terminal.
pub(super) struct Taken {
    terminal: Terminal,
    pty: Pty,
    resumed: Arc<Resumed>,
}

/// The keys that are typed, on their way to the pseudo-terminal.
pub(super) struct Keys {
    own: File,
    pty: File,
    resumed: Arc<Resumed>,
}

/// Tells that this process was continued, maybe in the foreground.
#[derive(Default)]
struct Resumed {
    times: Mutex<u64>,
    changed: Condvar,
}

impl Terminal {
    /// The terminal on standard input; with something else there, the one that standard output is.
    pub(super) fn open() -> io::Result<Self> {
        let own = if io::stdin().is_terminal() {
            io::stdin().as_fd().try_clone_to_owned()?
        } else {
            File::options()
                .read(true)
                .write(true)
                .open("/dev/tty")?
                .into()
        };
        let found = tcgetattr(&own)?;
        Ok(Self { own, found })
    }

    /// Makes a pseudo-terminal one like this.
    pub(super) fn copy_settings_to(&self, pts: &Pts, pty: &Pty) -> io::Result<()> {
        tcsetattr(pts, OptionalActions::Now, &self.found)?;
        tcsetwinsize(pty, tcgetwinsize(&self.own)?)?;
        Ok(())
    }

    pub(super) fn of(self, pty: Pty) -> Taken {
        Taken {
            terminal: self,
            pty,
            resumed: Arc::default(),
        }
    }
}

/// Whether this process may read the terminal and change its settings: else it would be stopped.
fn is_foreground(terminal: impl AsFd) -> bool {
    tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp())
}

impl Taken {
    /// Lets every key through to the pseudo-terminal, which does what terminals do with them.
    pub(super) fn take(&self) {
        let mut raw = self.terminal.found.clone();
        raw.make_raw();
        self.set(&raw);
    }

    /// Makes the terminal as it was found.
    pub(super) fn give_back(&self) {
        self.set(&self.terminal.found);
    }

    fn set(&self, settings: &Termios) {
        let own = &self.terminal.own;
        if is_foreground(own) {
            let _refused = tcsetattr(own, OptionalActions::Drain, settings);
        }
    }

    /// What the user types, for a thread to pass on.
    pub(super) fn keys(&self) -> io::Result<Keys> {
        Ok(Keys {
            own: self.terminal.own.try_clone()?.into(),
            pty: self.pty.as_fd().try_clone_to_owned()?.into(),
            resumed: Arc::clone(&self.resumed),
        })
    }
}

impl Watch for Taken {
    fn stops(&mut self) {
        self.give_back();
    }

    fn goes_on(&mut self) {
        self.take();
        self.is_resized();
        self.resumed.tell();
    }

    fn is_resized(&mut self) {
        if let Ok(size) = tcgetwinsize(&self.terminal.own) {
            let _refused = tcsetwinsize(&self.pty, size);
        }
    }
}

impl Keys {
    /// Passes keys on until one of the terminals is gone.
    pub(super) fn pass_on(mut self) {
        let mut typed = [0; 4096];
        loop {
            let seen = self.resumed.times();
            let mut wait = [PollFd::new(&self.own, PollFlags::IN)];
            match poll(&mut wait, None) {
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => return,
                Ok(_) => {}
            }
            if !is_foreground(&self.own) {
                // They are for somebody else.
                self.resumed.wait_after(seen);
                continue;
            }
            match self.own.read(&mut typed) {
                Ok(0) => return,
                Ok(length) => {
                    let keys = typed.get(..length).unwrap_or_default();
                    if self.pty.write_all(keys).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }
}

impl Resumed {
    fn times(&self) -> u64 {
        *self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        *self.times.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    fn wait_after(&self, seen: u64) {
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let _resumed = self.changed.wait_while(times, |times| *times == seen);
    }
}
