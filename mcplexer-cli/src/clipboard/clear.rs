//! A process that clears the clipboard after a while, if it still holds the value.
//!
//! It knows the value by a hash with a random key, which come through a pipe: an argument could be seen, and the hash of
//! a short value guessed.

#[cfg(target_os = "linux")]
mod earlier;
#[cfg(not(target_os = "linux"))]
#[path = "clear/unknown.rs"]
mod earlier;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use mcplexer_home::harden;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

use super::Program;
use crate::process::without_own_variables;
use earlier::Earlier;

/// The word with which this program is started for it.
const WORD: &str = "clear-clipboard";
const KEY_LEN: usize = 32;
/// What the process says when a signal no longer just ends it.
const READY: &[u8] = b".";

/// What to clear, and when.
#[derive(Debug)]
pub(crate) struct Clearing {
    program: Program,
    seconds: u32,
}

impl Clearing {
    pub(crate) fn new(program: Program, seconds: u32) -> Self {
        Self { program, seconds }
    }

    /// Returns the arguments if this process was started to clear. Clap does not know of it.
    pub(crate) fn asked_for() -> Option<Self> {
        let mut words = std::env::args_os().skip(1);
        if words.next()? != WORD {
            return None;
        }
        let (name, seconds) = (words.next()?, words.next()?);
        let (copier, paster) = (words.next()?, words.next()?);
        let program = Program::found(name.to_str()?, copier.into(), paster.into())?;
        Some(Self::new(program, seconds.to_str()?.parse().ok()?))
    }

    /// Starts the process. `own` is the path of this program.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be started, or the system has no random numbers.
    pub(crate) fn start(self, own: &Path, value: &[u8]) -> io::Result<()> {
        let mut key = [0; KEY_LEN];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        let mut command = Command::new(own);
        command
            .args([WORD, self.program.name(), &self.seconds.to_string()])
            .args(self.program.paths())
            .arg(desktop())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        without_own_variables(&mut command);
        // It would clear what has just been copied, if that is the same value.
        let earlier = self.earlier();
        let child = command.spawn()?;
        let (Some(mut stdin), Some(mut stdout)) = (child.stdin, child.stdout) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        stdin.write_all(&[key, digest(&key, value)].concat())?;
        drop(stdin);
        earlier.iter().for_each(Earlier::end);
        // Once this process has ended, the terminal may close, and its signal must find the other one ready.
        stdout.read_exact(&mut [0; READY.len()])
    }

    /// Ends the processes that would clear this clipboard. What it holds now stays.
    pub(crate) fn end_earlier(&self) {
        self.earlier().iter().for_each(Earlier::end);
    }

    /// Finds the processes that are to clear this clipboard.
    fn earlier(&self) -> Vec<Earlier> {
        let paths = self.program.paths().map(|it| it.as_os_str().as_bytes());
        let desktop = desktop();
        Earlier::find(|words| match words {
            [_, word, name, _seconds, copier, paster, on, ..] => {
                *word == WORD.as_bytes()
                    && *name == self.program.name().as_bytes()
                    && [*copier, *paster] == paths
                    && *on == desktop.as_bytes()
            }
            _ => false,
        })
    }

    /// Waits, and clears the clipboard if it holds the value. A signal that asks this process to end, as at the end of
    /// the session, ends the wait.
    ///
    /// # Errors
    ///
    /// Fails if the clipboard cannot be read or cleared.
    pub(crate) fn run(self) -> io::Result<()> {
        let _limit = harden();
        // The terminal from which it was started may close.
        let _leader = rustix::process::setsid();
        let mut known = Vec::new();
        io::stdin().lock().read_to_end(&mut known)?;
        let invalid = || io::Error::from(io::ErrorKind::InvalidInput);
        let (key, expected) = known.split_at_checked(KEY_LEN).ok_or_else(invalid)?;
        let ended = EndAsked::watch()?;
        io::stdout().write_all(READY)?;
        io::stdout().flush()?;
        ended.wait(self.seconds)?;
        let Some(held) = self.program.paste()? else {
            return Ok(());
        };
        let is_value = |held: &[u8]| digest(key, held) == *expected;
        match is_value(&held) {
            true => self.program.clear(is_value).map_err(io::Error::other),
            false => Ok(()),
        }
    }
}

/// Names the desktop whose clipboard this is.
fn desktop() -> OsString {
    let variable = |name| std::env::var_os(name).unwrap_or_default();
    let mut name = variable("WAYLAND_DISPLAY");
    name.push(" ");
    name.push(variable("DISPLAY"));
    name
}

/// Has a byte once a signal has asked this process to end.
struct EndAsked(UnixStream);

impl EndAsked {
    fn watch() -> io::Result<Self> {
        let (asked, sender) = UnixStream::pair()?;
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            pipe::register(signal, sender.try_clone()?)?;
        }
        Ok(Self(asked))
    }

    /// Waits so many seconds, or for a signal.
    fn wait(&self, seconds: u32) -> io::Result<()> {
        let time = Timespec {
            tv_sec: seconds.into(),
            tv_nsec: 0,
        };
        match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&time)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn digest(key: &[u8], value: &[u8]) -> [u8; KEY_LEN] {
    Sha256::new()
        .chain_update(key)
        .chain_update(value)
        .finalize()
        .into()
}
