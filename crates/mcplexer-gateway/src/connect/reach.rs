//! Finds the daemon of a home, and starts it if it does not run.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use mcplexer_durable::{create_parent, open_regular};
use mcplexer_home::Home;

use crate::ask::exchange;
use crate::daemon::place::Place;
use crate::daemon::talk::{Ask, Hello, Reply};
use crate::log::open_log;

/// How long a daemon may take to start.
const START_WAIT: Duration = Duration::from_secs(20);

/// How long to wait for the daemon of another process, after the own one has ended.
const OTHER_WAIT: Duration = Duration::from_secs(2);

/// How often to look whether it answers.
const PAUSE: Duration = Duration::from_millis(5);

/// A longer log is put aside before a daemon starts, in bytes.
const MAX_LOG: u64 = 1 << 20;

/// The most bytes of the log that an error repeats.
const MAX_SAID: u64 = 4096;

/// How to reach the daemon of a home.
#[derive(Debug, Clone)]
pub struct Start {
    place: Place,
    program: PathBuf,
    arguments: Vec<OsString>,
}

/// Why the daemon cannot be reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No daemon runs, and none was to be started.
    #[error("no gateway runs for this home")]
    NotRunning,
    /// It does not start.
    #[error("the gateway does not start: {problem}")]
    NotStarted {
        /// What it has said, or what the system says.
        problem: String,
        /// Its log.
        log: PathBuf,
    },
    /// It refuses.
    #[error("{0}")]
    Refused(String),
}

impl Start {
    /// Reaches the daemon of a home, or starts it by a program with these arguments.
    #[must_use]
    pub fn new(home: &Home, program: PathBuf, arguments: Vec<OsString>) -> Self {
        Self {
            place: Place::of(home),
            program,
            arguments,
        }
    }

    /// Starts the daemon, unless it runs.
    ///
    /// # Errors
    /// If it does not start, or is of another version.
    pub fn begin(&self) -> Result<(), ConnectError> {
        self.connect(&Hello::asking(Ask::Status, None), true)
            .map(drop)
    }

    /// Connects. If the daemon does not run and `starts` is set, starts it first.
    pub(super) fn connect(&self, hello: &Hello, starts: bool) -> Result<UnixStream, ConnectError> {
        if let Some(stream) = self.attempt(hello)? {
            return Ok(stream);
        }
        if !starts {
            return Err(ConnectError::NotRunning);
        }
        // Another client may start one just now.
        let _starting = self.place.lock_starts(START_WAIT);
        if let Some(stream) = self.attempt(hello)? {
            return Ok(stream);
        }
        // The client has a session, which goes on when that one has ended.
        self.place.wait_while_ending();
        let (mut child, from) = self
            .start()
            .map_err(|it| self.not_started(it.to_string()))?;
        let mut until = Instant::now() + START_WAIT;
        let mut has_ended = false;
        loop {
            if let Some(stream) = self.attempt(hello)? {
                // Somebody has to ask how it has ended, once it has.
                thread::spawn(move || child.wait());
                return Ok(stream);
            }
            if !has_ended && matches!(child.try_wait(), Ok(Some(_))) {
                // Another daemon may have been quicker.
                has_ended = true;
                until = until.min(Instant::now() + OTHER_WAIT);
            }
            let other_is_there = has_ended && self.place.is_free();
            if other_is_there || Instant::now() >= until {
                return Err(self.not_started(self.said(from)));
            }
            thread::sleep(PAUSE);
        }
    }

    /// Connects, if a daemon is there that takes clients.
    fn attempt(&self, hello: &Hello) -> Result<Option<UnixStream>, ConnectError> {
        let Some(info) = self.place.info().filter(|it| !it.is_ending) else {
            return Ok(None);
        };
        let connected = UnixStream::connect(info.socket);
        let reply = connected.and_then(|stream| Ok((exchange(&stream, hello)?, stream)));
        match reply {
            Ok((Reply::Ok | Reply::Status(_), stream)) => Ok(Some(stream)),
            Ok((Reply::Error(error), _)) => Err(ConnectError::Refused(error)),
            Ok(_) => Err(ConnectError::Refused(
                "the gateway answers oddly".to_owned(),
            )),
            // It ends just now, or has been killed.
            Err(_) => Ok(None),
        }
    }

    /// Starts a daemon; returns where its log begins.
    fn start(&self) -> io::Result<(Child, u64)> {
        let path = self.place.log();
        create_parent(&path)?;
        let mut log = open_log(&path)?;
        if log.metadata()?.len() > MAX_LOG {
            fs::rename(&path, path.with_extension("log.old"))?;
            log = open_log(&path)?;
        }
        let from = log.metadata()?.len();
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        Ok((child, from))
    }

    fn not_started(&self, problem: String) -> ConnectError {
        ConnectError::NotStarted {
            problem,
            log: self.place.log(),
        }
    }

    /// Returns what the daemon has said since.
    fn said(&self, from: u64) -> String {
        let read = || {
            let log = open_regular(&self.place.log(), OpenOptions::new().read(true))?;
            let mut log = log.ok_or(ErrorKind::NotFound)?;
            let end = log.seek(SeekFrom::End(0))?;
            log.seek(SeekFrom::Start(from.max(end.saturating_sub(MAX_SAID))))?;
            let mut said = String::new();
            log.read_to_string(&mut said)?;
            Ok::<_, io::Error>(said)
        };
        let said = read().unwrap_or_default();
        match said.trim() {
            "" => io::Error::from(ErrorKind::TimedOut).to_string(),
            said => said.trim_start_matches("mcplexer: error: ").to_owned(),
        }
    }

    #[cfg(test)]
    pub(super) fn never(directory: PathBuf) -> Self {
        Self {
            place: Place::in_directory(directory),
            program: PathBuf::new(),
            arguments: Vec::new(),
        }
    }
}
