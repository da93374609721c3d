//! Asks the daemon of a home for something.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use mcplexer_files::config::ServerName;
use mcplexer_home::Home;

use crate::daemon::place::Place;
use crate::daemon::talk::{self, Ask, Hello, Reply};
use crate::status::Status;

/// How long the daemon may take to reply.
const REPLY_WAIT: Duration = Duration::from_secs(10);

/// The longest reply, in bytes: as many lines as a server's log has, each with escapes.
const MAX_REPLY: u64 = 4 << 20;

/// Asks the daemon of a home.
#[derive(Debug, Clone)]
pub struct Control {
    place: Place,
}

/// Why the daemon did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// There is no daemon.
    #[error("no gateway runs for this home")]
    NotRunning,
    /// It takes no more questions.
    #[error("the gateway of this home is ending (process {pid})")]
    Ending {
        /// Its process.
        pid: u32,
    },
    /// It has no such server.
    #[error("the gateway has no server {server}")]
    Unknown {
        /// The server.
        server: ServerName,
    },
    /// It refused.
    #[error("{0}")]
    Refused(String),
    /// It does not reply as it should.
    #[error("the gateway at {} does not reply: {source}", .socket.display())]
    Io {
        /// Its socket.
        socket: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Control {
    /// Asks the daemon of this home.
    #[must_use]
    pub fn of(home: &Home) -> Self {
        let place = Place::of(home);
        Self { place }
    }

    /// Returns what the daemon does.
    ///
    /// # Errors
    /// If there is no daemon, or it does not reply.
    pub fn status(&self) -> Result<Status, ControlError> {
        match self.ask(Ask::Status, None)? {
            Reply::Status(status) => Ok(*status),
            _ => Err(self.odd()),
        }
    }

    /// Ends what runs of a server, and forgets that it has failed. The next call starts it. Returns how many instances ran.
    ///
    /// # Errors
    /// If there is no daemon, or no such server.
    pub fn restart(&self, server: &ServerName) -> Result<usize, ControlError> {
        match self.ask(Ask::Restart, Some(server))? {
            Reply::Ended(instances) => Ok(instances),
            _ => Err(self.odd()),
        }
    }

    /// Returns the last lines that a server wrote to standard error, with its secrets replaced.
    ///
    /// # Errors
    /// If there is no daemon, or no such server.
    pub fn logs(&self, server: &ServerName) -> Result<Vec<String>, ControlError> {
        match self.ask(Ask::Logs, Some(server))? {
            Reply::Lines(lines) => Ok(lines),
            _ => Err(self.odd()),
        }
    }

    /// Returns the address of the page, with a ticket in its fragment, which begins one session within a minute.
    ///
    /// # Errors
    /// If there is no daemon, or it has no page.
    pub fn page(&self) -> Result<String, ControlError> {
        match self.ask(Ask::Page, None)? {
            Reply::Page { address, ticket } => Ok(format!("http://{address}/#t={ticket}")),
            _ => Err(self.odd()),
        }
    }

    /// Ends the sessions of the page; returns how many there were.
    ///
    /// # Errors
    /// If there is no daemon.
    pub fn end_sessions(&self) -> Result<usize, ControlError> {
        match self.ask(Ask::EndSessions, None)? {
            Reply::Ended(sessions) => Ok(sessions),
            _ => Err(self.odd()),
        }
    }

    /// Asks the daemon to end, and waits until it has: also if it had been asked before.
    ///
    /// # Errors
    /// If there is no daemon.
    pub fn stop(&self) -> Result<(), ControlError> {
        let pid = self.place.info().map(|it| it.pid);
        match self.ask(Ask::Stop, None) {
            Ok(_) | Err(ControlError::Ending { .. }) => {}
            Err(error) => return Err(error),
        }
        self.place.wait_until_ended(pid.unwrap_or_default());
        Ok(())
    }

    fn ask(&self, ask: Ask, server: Option<&ServerName>) -> Result<Reply, ControlError> {
        self.reply(ask, server).map_err(|error| match error {
            // It had the question when it began to end, or has never seen it.
            ControlError::NotRunning | ControlError::Io { .. } => match self.place.ending() {
                Some(pid) => ControlError::Ending { pid },
                None => error,
            },
            error => error,
        })
    }

    fn reply(&self, ask: Ask, server: Option<&ServerName>) -> Result<Reply, ControlError> {
        let info = self.place.info().ok_or(ControlError::NotRunning)?;
        let failed = |source| ControlError::Io {
            socket: info.socket.clone(),
            source,
        };
        let stream = UnixStream::connect(&info.socket).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ControlError::NotRunning,
            _ => failed(error),
        })?;
        let hello = Hello::asking(ask, server.cloned());
        let reply = exchange(&stream, &hello).map_err(failed)?;
        match reply {
            Reply::Unknown(server) => Err(ControlError::Unknown { server }),
            Reply::Error(error) => Err(ControlError::Refused(error)),
            reply => Ok(reply),
        }
    }

    fn odd(&self) -> ControlError {
        let socket = self.place.info().map(|it| it.socket);
        ControlError::Io {
            socket: socket.unwrap_or_default(),
            source: io::ErrorKind::InvalidData.into(),
        }
    }
}

/// Says what a connection is, and returns the reply. Nothing that comes behind it is read.
pub(crate) fn exchange(stream: &UnixStream, hello: &Hello) -> io::Result<Reply> {
    stream.set_read_timeout(Some(REPLY_WAIT))?;
    let mut writer = stream;
    writer.write_all(talk::line(hello)?.as_bytes())?;
    let mut line = Vec::new();
    match hello.ask {
        // Nothing comes behind it.
        Some(_) => {
            let mut reader = BufReader::new(stream.take(MAX_REPLY));
            reader.read_until(b'\n', &mut line)?;
        }
        None => {
            let mut byte = [0];
            let mut reader = stream;
            while reader.read(&mut byte)? == 1 && byte != *b"\n" && line.len() < talk::MAX_LINE {
                line.extend_from_slice(&byte);
            }
        }
    }
    stream.set_read_timeout(None)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&line)?)
}
