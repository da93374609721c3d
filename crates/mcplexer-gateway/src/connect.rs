//! The bridge between a client's standard input and output and the daemon's socket.
//!
//! Messages pass as they are. The bridge notes what it takes to go on with another daemon, if that one ends: how the client
//! has greeted, what it has subscribed to, which requests are not answered, and which questions it was asked.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use mcplexer_files::config::ServerName;

mod conversation;
mod reach;

use conversation::{Conversation, FromClient, FromGateway};
pub use reach::{ConnectError, Start};

/// The longest message that is looked into, in bytes: the daemon takes no longer one.
const MAX_MESSAGE: usize = 16 << 20;

/// The buffer is given back when a message was longer than this, in bytes.
const SMALL: usize = 256 << 10;

/// How long to wait for another daemon, before the client says something.
const REJOIN_WAIT: Duration = Duration::from_secs(5);

/// How often to look for one.
const PAUSE: Duration = Duration::from_millis(50);

/// What a client connects to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Connect {
    /// The name of the client.
    pub client: Option<String>,
    /// The server; `None` for all.
    pub server: Option<ServerName>,
    /// How to reach the daemon.
    pub start: Start,
}

impl Connect {
    /// Connects a client to all servers.
    #[must_use]
    pub fn new(client: Option<String>, server: Option<ServerName>, start: Start) -> Self {
        Self {
            client,
            server,
            start,
        }
    }

    /// Passes messages between a client and the daemon, until the client's output ends.
    ///
    /// # Errors
    /// If the daemon cannot be reached.
    pub fn run(
        self,
        input: impl Read,
        output: impl Write + Send + 'static,
    ) -> Result<(), ConnectError> {
        let bridge = Arc::new(Bridge {
            connect: self,
            state: Mutex::default(),
            changed: Condvar::new(),
            output: Mutex::new(Box::new(output)),
        });
        {
            let mut state = bridge.state();
            bridge.join(&mut state, true)?;
        }
        let reading = Arc::clone(&bridge);
        let reader = thread::spawn(move || reading.pass_to_client());
        let failed = bridge.pass_to_gateway(input);
        bridge.leave(Shutdown::Write);
        // It ends when the daemon has written the last answer, or is gone.
        let _ended = reader.join();
        failed
    }
}

/// What both directions share.
struct Bridge {
    connect: Connect,
    state: Mutex<State>,
    /// Notified when a connection is made or lost, and when the client is gone.
    changed: Condvar,
    output: Mutex<Box<dyn Write + Send>>,
}

#[derive(Default)]
struct State {
    connection: Option<Arc<UnixStream>>,
    conversation: Conversation,
    /// The client is gone.
    is_over: bool,
}

impl Bridge {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connects to a daemon, and says to it what the client has said to the one before.
    fn join(&self, state: &mut State, starts: bool) -> Result<Arc<UnixStream>, ConnectError> {
        let hello = state.conversation.hello(&self.connect);
        let stream = self.connect.start.connect(&hello, starts)?;
        let again = state.conversation.again();
        // If it ends at once, the reading side finds out.
        let _gone = (&stream).write_all(again.as_bytes());
        let stream = Arc::new(stream);
        state.connection = Some(Arc::clone(&stream));
        self.changed.notify_all();
        Ok(stream)
    }

    /// Passes on what the client says.
    fn pass_to_gateway(&self, input: impl Read) -> Result<(), ConnectError> {
        let mut input = BufReader::with_capacity(64 << 10, input);
        let mut line = Vec::new();
        loop {
            line.clear();
            line.shrink_to(SMALL);
            let is_whole = match read_piece(&mut input, &mut line) {
                Ok(Some(is_whole)) => is_whole,
                Ok(None) | Err(_) => return Ok(()),
            };
            let mut state = self.state();
            let said = state.conversation.of_client(&line);
            if said == FromClient::Stale {
                continue;
            }
            loop {
                // A greeting is said when the connection is made.
                let is_told = state.connection.is_none() && said == FromClient::Greeting;
                let stream = self.stream(&mut state)?;
                drop(state);
                if is_told || (&*stream).write_all(&line).is_ok() {
                    if !is_whole {
                        pass_rest(&mut input, &stream);
                    }
                    break;
                }
                // What was not written whole is no message, so it may be said again: unless the client was told meanwhile
                // that the outcome is unknown.
                state = self.await_loss(&stream);
                if state.is_over {
                    return Ok(());
                }
                if !state.conversation.still_wants(&said) {
                    break;
                }
            }
        }
    }

    /// Waits until the other direction has seen that a connection is lost.
    fn await_loss(&self, stream: &Arc<UnixStream>) -> MutexGuard<'_, State> {
        let is_there = |state: &mut State| {
            let connection = state.connection.as_ref();
            !state.is_over && connection.is_some_and(|it| Arc::ptr_eq(it, stream))
        };
        let waited = self.changed.wait_while(self.state(), is_there);
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the connection, and makes one first if needed.
    fn stream(&self, state: &mut State) -> Result<Arc<UnixStream>, ConnectError> {
        match &state.connection {
            Some(stream) => Ok(Arc::clone(stream)),
            None => self.join(state, true),
        }
    }

    /// Passes on what the daemon says, and that of the next one when it ends.
    fn pass_to_client(&self) {
        while let Some(stream) = self.next_connection() {
            let mut from = BufReader::with_capacity(64 << 10, &*stream);
            let mut line = Vec::new();
            loop {
                line.clear();
                match from.read_until(b'\n', &mut line) {
                    // A line without an end is what is left of a message.
                    Ok(_) if !line.ends_with(b"\n") => break,
                    Ok(_) => {}
                    Err(_) => break,
                }
                let said = self.state().conversation.of_gateway(&line);
                if said == FromGateway::Own {
                    continue;
                }
                if self.write(&line).is_err() {
                    // Nobody reads any more.
                    return self.leave(Shutdown::Both);
                }
            }
            let mut state = self.state();
            state.connection = None;
            let lost = match state.is_over {
                true => String::new(),
                false => state.conversation.lost(),
            };
            self.changed.notify_all();
            drop(state);
            if self.write(lost.as_bytes()).is_err() {
                return self.leave(Shutdown::Both);
            }
        }
    }

    /// Waits for a connection; looks for a daemon for a while, and then waits until the client says something. `None` when
    /// the client is gone.
    fn next_connection(&self) -> Option<Arc<UnixStream>> {
        let since = Instant::now();
        let mut state = self.state();
        loop {
            if let Some(stream) = &state.connection {
                return Some(Arc::clone(stream));
            }
            if state.is_over {
                return None;
            }
            if since.elapsed() > REJOIN_WAIT {
                let woken = self.changed.wait(state);
                state = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            if let Ok(stream) = self.join(&mut state, false) {
                return Some(stream);
            }
            let woken = self.changed.wait_timeout(state, PAUSE);
            (state, _) = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Tells the daemon that the client is gone.
    fn leave(&self, how: Shutdown) {
        let mut state = self.state();
        state.is_over = true;
        if let Some(stream) = &state.connection {
            let _gone = stream.shutdown(how);
        }
        self.changed.notify_all();
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        output.write_all(bytes)?;
        output.flush()
    }
}

/// Passes on the rest of a line that is too long for the daemon, which says so.
fn pass_rest(input: &mut impl BufRead, mut stream: &UnixStream) {
    loop {
        let Ok(available) = input.fill_buf() else {
            return;
        };
        let end = available.iter().position(|&byte| byte == b'\n');
        let taken = end.map_or(available.len(), |at| at + 1);
        let piece = available.get(..taken).unwrap_or_default();
        let is_last = end.is_some() || taken == 0;
        let written = stream.write_all(piece);
        input.consume(taken);
        if is_last || written.is_err() {
            return;
        }
    }
}

/// Reads a line; of one that is too long, the beginning. Returns whether it is whole, or `None` at the end.
fn read_piece(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    let limit = u64::try_from(MAX_MESSAGE).unwrap_or(u64::MAX);
    let read = input.take(limit + 2).read_until(b'\n', line)?;
    match (read, line.last()) {
        (0, _) => Ok(None),
        (_, Some(b'\n')) => Ok(Some(true)),
        _ if read > MAX_MESSAGE => Ok(Some(false)),
        _ => {
            line.push(b'\n');
            Ok(Some(true))
        }
    }
}
