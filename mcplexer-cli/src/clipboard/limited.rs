//! Runs the programs of the clipboard, which may hang, within a time limit.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};
use zeroize::Zeroizing;

/// How long a program may take.
const LIMIT: Duration = Duration::from_secs(10);
/// How long to wait before looking again at what nothing reports.
const PAUSE: Duration = Duration::from_millis(10);

/// The time until which something must have happened.
pub(super) struct Deadline(Instant);

impl Deadline {
    pub(super) fn start() -> Self {
        Self(Instant::now() + LIMIT)
    }

    /// Pauses.
    ///
    /// # Errors
    ///
    /// `TimedOut` after the deadline.
    pub(super) fn pause(&self) -> io::Result<()> {
        let left = self.left()?;
        thread::sleep(PAUSE.min(left));
        Ok(())
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.0.saturating_duration_since(Instant::now());
        let late = || io::Error::new(ErrorKind::TimedOut, "did not end within 10 s");
        (!left.is_zero()).then_some(left).ok_or_else(late)
    }

    /// Waits until a stream is ready.
    fn wait(&self, stream: impl AsFd, flags: PollFlags) -> io::Result<()> {
        loop {
            let left = Timespec::try_from(self.left()?).map_err(io::Error::other)?;
            match poll(&mut [PollFd::new(&stream, flags)], Some(&left)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// A program that runs. Dropping it kills it and its children, unless it has ended.
struct Limited {
    child: Child,
    deadline: Deadline,
}

impl Limited {
    /// Starts a program in a process group of its own.
    fn start(command: &mut Command) -> io::Result<Self> {
        let deadline = Deadline::start();
        let child = command.process_group(0).spawn()?;
        Ok(Self { child, deadline })
    }

    fn write(&mut self, input: &[u8]) -> io::Result<()> {
        let Some(mut stdin) = self.child.stdin.take() else {
            return Err(ErrorKind::BrokenPipe.into());
        };
        fcntl_setfl(&stdin, fcntl_getfl(&stdin)? | OFlags::NONBLOCK)?;
        let mut left = input;
        while !left.is_empty() {
            self.deadline.wait(&stdin, PollFlags::OUT)?;
            match stdin.write(left) {
                Ok(written) => left = left.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn wait(&mut self) -> io::Result<ExitStatus> {
        loop {
            match self.child.try_wait()? {
                Some(ended) => return Ok(ended),
                None => self.deadline.pause()?,
            }
        }
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _gone = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            let _ended = self.child.wait();
        }
    }
}

/// Runs a command to its end with these bytes on standard input. Fails with how it ended.
pub(super) fn feed(command: &mut Command, input: &[u8]) -> Result<(), String> {
    let started = Limited::start(command.stdin(Stdio::piped()));
    let mut program = started.map_err(|error| format!("cannot be started: {error}"))?;
    let written = program.write(input);
    let is_late = |error: &io::Error| error.kind() == ErrorKind::TimedOut;
    if let Some(late) = written.as_ref().err().filter(|it| is_late(it)) {
        return Err(late.to_string());
    }
    let ended = program.wait().map_err(|error| error.to_string())?;
    match (ended.success(), written) {
        (true, Ok(())) => Ok(()),
        (true, Err(_)) => Err("did not read the value".to_owned()),
        (false, _) => Err(format!("failed ({ended})")),
    }
}

/// Returns what a command prints, up to a limit, after which it is killed.
///
/// # Errors
///
/// Fails if it cannot be started, or `TimedOut`.
pub(super) fn read(command: &mut Command, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut program = Limited::start(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    let mut held = Zeroizing::new(vec![0; limit]);
    let mut length = 0;
    if let Some(mut out) = program.child.stdout.take() {
        while let Some(room) = held.get_mut(length..).filter(|it| !it.is_empty()) {
            program.deadline.wait(&out, PollFlags::IN)?;
            match out.read(room)? {
                0 => break,
                read => length += read,
            }
        }
    }
    held.truncate(length);
    Ok(held)
}
