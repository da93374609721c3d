//! A terminal that does not show what is typed.

use std::fs::{File, OpenOptions};
use std::io::{self, PipeReader, PipeWriter, Write};
use std::os::unix::thread::JoinHandleExt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use nix::sys::pthread::{Pthread, pthread_kill};
use nix::sys::signal::{SigSet, Signal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr,
    tcsetattr,
};
use signal_hook::low_level::emulate_default_handler;

use super::keys::{Keys, forget, was_continued};
use crate::process::{Blocked, Ignored, is_in_foreground, is_orphaned};

/// The signals by which the terminal, the shell or another program ends or stops a command.
const SIGNALS: [Signal; 5] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGTSTP,
];
/// Follows every stop, also one that nothing could announce.
const CONTINUES: Signal = Signal::SIGCONT;
/// Tells the watching thread that it is over.
const OVER: Signal = Signal::SIGALRM;
const STACK_SIZE: usize = 64 << 10;

/// Keeps the terminal from showing what is typed, until dropped. A signal that ends or stops the process
/// meanwhile restores the terminal first.
pub(super) struct Quiet {
    terminal: Arc<Terminal>,
    watch: Option<Watch>,
    /// Has a byte for each time the process was continued.
    continued: PipeReader,
}

pub(super) struct Terminal {
    file: File,
    before: Termios,
    /// The mode that it is to be in.
    now: Mutex<Termios>,
}

/// A thread that waits for signals, which are blocked everywhere else. A handler would outlive the prompt.
struct Watch {
    thread: JoinHandle<()>,
    blocked: Blocked,
}

impl Quiet {
    pub(super) fn begin() -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        let before = tcgetattr(&file)?;
        let terminal = Arc::new(Terminal {
            file,
            now: Mutex::new(before.clone()),
            before,
        });
        // Before the first change, so that no signal finds a terminal that nobody restores.
        let (continued, tell) = io::pipe()?;
        let watch = Some(Watch::begin(&terminal, tell)?);
        let quiet = Self {
            terminal,
            watch,
            continued,
        };
        quiet.terminal.set(quiet.terminal.quiet())?;
        Ok(quiet)
    }

    /// Asks a question, and calls `read` with what is typed for the answer. Asks again after the process was
    /// stopped and continued. Returns whether more was typed than the answer, which is discarded.
    pub(super) fn ask<T>(
        &self,
        question: &str,
        read: impl Fn(Keys) -> io::Result<T>,
    ) -> io::Result<(T, bool)> {
        let answer = loop {
            forget(&self.continued)?;
            // Nothing is lost or shown of an answer that comes as soon as the question is seen.
            self.terminal.set(self.terminal.raw())?;
            let asked = self.terminal.file().write_all(question.as_bytes());
            match asked.and_then(|()| read(self.keys()?)) {
                Err(error) if was_continued(&error) => {}
                answer => break answer,
            }
        };
        let more = answer.is_ok() && self.drop_pending_input()?;
        self.terminal.set(self.terminal.quiet())?;
        let answer = answer?;
        self.end_line()?;
        Ok((answer, more))
    }

    fn keys(&self) -> io::Result<Keys> {
        let watched = self.watch.as_ref().map(|watch| watch.blocked.signals());
        let terminal = Arc::clone(&self.terminal);
        Ok(Keys::new(
            terminal,
            self.continued.try_clone()?,
            watched.unwrap_or_else(SigSet::empty),
        ))
    }

    /// Begins a new line.
    pub(super) fn end_line(&self) -> io::Result<()> {
        self.terminal.end_line()
    }

    fn drop_pending_input(&self) -> io::Result<bool> {
        let terminal = &self.terminal.file;
        let mut waiting = [PollFd::new(terminal, PollFlags::IN)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let pending = poll(&mut waiting, Some(&now))? > 0;
        if pending {
            tcflush(terminal, QueueSelector::IFlush)?;
        }
        Ok(pending)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let blocked = self.watch.take().map(Watch::end);
        let _unheard = self.terminal.set(self.terminal.before.clone());
        // A signal that came too late for the thread is delivered now.
        drop(blocked);
    }
}

impl Terminal {
    /// The mode in which nothing is shown, and keys still interrupt.
    fn quiet(&self) -> Termios {
        let mut mode = self.before.clone();
        mode.local_modes -= LocalModes::ECHO | LocalModes::ECHONL;
        mode
    }

    /// The mode in which rpassword reads a line of any length.
    fn raw(&self) -> Termios {
        let mut mode = self.quiet();
        mode.local_modes -= LocalModes::ICANON | LocalModes::ISIG;
        mode.special_codes[SpecialCodeIndex::VMIN] = 1;
        mode.special_codes[SpecialCodeIndex::VTIME] = 0;
        mode
    }

    fn set(&self, mode: Termios) -> io::Result<()> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        tcsetattr(&self.file, OptionalActions::Now, &mode)?;
        *now = mode;
        Ok(())
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// The mode that it was in.
    pub(super) fn before(&self) -> &Termios {
        &self.before
    }

    pub(super) fn end_line(&self) -> io::Result<()> {
        self.file().write_all(b"\n")
    }

    /// Restores the terminal, and does what the signal does. In the background the terminal is another's.
    fn give_way(&self, signal: Signal) {
        let _now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if is_in_foreground(&self.file) {
            let _unheard = tcsetattr(&self.file, OptionalActions::Now, &self.before);
        }
        let _unheard = emulate_default_handler(signal as i32);
    }

    /// Takes the terminal again, if the process is continued in the foreground.
    fn come_back(&self) {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if is_in_foreground(&self.file) {
            let _unheard = tcsetattr(&self.file, OptionalActions::Now, &now);
        }
    }
}

impl Watch {
    fn begin(terminal: &Arc<Terminal>, mut tell: PipeWriter) -> io::Result<Self> {
        let ignored = Ignored::now();
        let signals = SIGNALS.into_iter();
        let signals = signals.filter(|&signal| !ignored.contains(signal as i32));
        let blocked = Blocked::new(signals.chain([CONTINUES, OVER]))?;
        let (terminal, signals) = (Arc::clone(terminal), blocked.signals());
        let thread = Builder::new().stack_size(STACK_SIZE).spawn(move || {
            while let Ok(signal) = signals.wait()
                && signal != OVER
            {
                match signal {
                    CONTINUES => terminal.come_back(),
                    // Nothing could continue it.
                    Signal::SIGTSTP if is_orphaned() => {}
                    _ => {
                        terminal.give_way(signal);
                        continue;
                    }
                }
                let _unheard = tell.write_all(b"c");
            }
        })?;
        Ok(Self { thread, blocked })
    }

    fn end(self) -> Blocked {
        let _ended = pthread_kill(self.thread.as_pthread_t() as Pthread, OVER);
        let _ended = self.thread.join();
        self.blocked
    }
}
