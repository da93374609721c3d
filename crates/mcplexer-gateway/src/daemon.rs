//! The daemon: one gateway for all clients of a home, on a unix socket, and over HTTP if it is asked to.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mcplexer_files::config::Config;
use mcplexer_home::{Home, OpenHome};
use mcplexer_secrets::Timestamp;
use rustix::process::getuid;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedReadHalf;
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::frame::{Line, Lines};
use crate::gateway::Gateway;
use crate::http::Access;
use crate::options::Options;
use crate::session::{Endpoint, Peer};
use crate::status::Status;
use crate::stdio;
use crate::watch::Watch;

pub(crate) mod place;
pub(crate) mod talk;

use place::{Info, Place};
use talk::{Ask, Hello, Reply};

/// How long requests may take that are not answered when the gateway is to end.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// How long a connection may take to say what it is.
const HELLO_WAIT: Duration = Duration::from_secs(10);

/// The daemon of a home, which listens and does not answer yet.
#[derive(Debug)]
pub struct Daemon {
    place: Place,
    /// Held as long as this is the daemon.
    _lock: File,
    listener: StdUnixListener,
    socket: PathBuf,
    http: Option<StdTcpListener>,
    since: Timestamp,
}

/// Why there is no daemon.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DaemonError {
    /// Another process is the daemon of this home.
    #[error("a gateway runs for this home already{}", .pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Runs {
        /// That process, if it has said so.
        pid: Option<u32>,
    },
    /// The daemon of this home has begun to end.
    #[error("the gateway of this home is ending (process {pid})")]
    Ending {
        /// That process.
        pid: u32,
    },
    /// Other machines could reach the address.
    #[error("{address} is not an address of this machine alone")]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// It cannot listen on the address.
    #[error("cannot listen on {address}: {source}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A file cannot be used.
    #[error("cannot use {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The path of the home is too long for a socket in it.
    #[error("the path {} is too long for a socket", .path.display())]
    TooLong {
        /// Where the socket would be.
        path: PathBuf,
    },
}

impl Daemon {
    /// Makes this process the daemon of a home, and listens: on a socket in the home, and on an address of this machine.
    ///
    /// # Errors
    /// - [`DaemonError::Runs`] if another process is the daemon.
    /// - [`DaemonError::Ending`] if that one is ending. Without an address, it is waited for: a client waits behind this.
    /// - [`DaemonError::NotLoopback`] if other machines could reach the address.
    /// - [`DaemonError::Address`], [`DaemonError::TooLong`] and [`DaemonError::Io`] if it cannot listen.
    pub fn listen(home: &Home, http: Option<SocketAddr>) -> Result<Self, DaemonError> {
        if let Some(address) = http.filter(|it| !it.ip().is_loopback()) {
            return Err(DaemonError::NotLoopback { address });
        }
        let place = Place::of(home);
        let lock = place.lock(http.is_none())?;
        let http = http.map(|address| {
            let listen = || {
                let listener = StdTcpListener::bind(address)?;
                listener.set_nonblocking(true)?;
                Ok(listener)
            };
            listen().map_err(|source| DaemonError::Address { address, source })
        });
        let http = http.transpose()?;
        let (listener, socket) = place.listen()?;
        Ok(Self {
            place,
            _lock: lock,
            listener,
            socket,
            http,
            since: Timestamp::now(),
        })
    }

    /// Returns the address on which it serves HTTP, if it does.
    #[must_use]
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http.as_ref()?.local_addr().ok()
    }

    /// Serves clients until the process is asked to end: by SIGTERM, by SIGINT, or on the socket. Then requests that are not
    /// answered have 5 s, and every child ends.
    ///
    /// # Errors
    /// What the system says if nothing can be served.
    pub async fn serve(
        self,
        home: Arc<OpenHome>,
        config: Config,
        access: Access,
        options: Options,
    ) -> io::Result<()> {
        let log = Arc::clone(&options.log);
        let address = self.http_address();
        let gateway = Gateway::new(Arc::clone(&home), &config, options);
        gateway.start_eager();
        let stop = CancellationToken::new();
        let on_signal = stop.clone();
        let (mut asked, mut interrupted) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        );
        tokio::spawn(async move {
            tokio::select! {
                _ = asked.recv() => {}
                _ = interrupted.recv() => {}
            }
            on_signal.cancel();
        });
        let watch = Watch::begin(&gateway, home.home().clone(), config, Arc::clone(&log));
        let serving = Arc::new(Serving {
            gateway,
            watch,
            stop: stop.clone(),
            since: self.since,
            http: address.map(|it| it.to_string()),
        });
        let http = match self.http {
            None => None,
            Some(listener) => {
                let listener = TcpListener::from_std(listener)?;
                let (serving, stop) = (Arc::clone(&serving), stop.clone());
                Some(tokio::spawn(async move {
                    serving.gateway.serve_http(listener, access, stop).await
                }))
            }
        };
        let listener = UnixListener::from_std(self.listener)?;
        let mut info = Info {
            pid: std::process::id(),
            socket: self.socket.clone(),
            http: serving.http.clone(),
            is_ending: false,
        };
        let told = self.place.tell(&info);
        told.map_err(|error| io::Error::other(error.to_string()))?;
        log.say(&match &serving.http {
            Some(address) => format!("serving clients here, and on http://{address}/mcp"),
            None => "serving clients here".to_owned(),
        });
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        let serving = Arc::clone(&serving);
                        connections.spawn(async move { serving.connection(stream).await });
                    }
                    // Too many descriptors are open: it may be better soon.
                    Err(_) => sleep(Duration::from_millis(100)).await,
                },
                Some(_) = connections.join_next() => {}
                () = stop.cancelled() => break,
            }
        }
        // A process that looks for the gateway from now on waits for the lock, and starts another one.
        info.is_ending = true;
        let _gone = match self.place.tell(&info) {
            Ok(()) => std::fs::remove_file(&self.socket),
            Err(_) => {
                self.place.clear(&self.socket);
                Ok(())
            }
        };
        drop(listener);
        log.say("ending");
        let last = async {
            while connections.join_next().await.is_some() {}
            while serving.gateway.is_busy() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let _late = timeout(LAST_ANSWERS, last).await;
        connections.shutdown().await;
        serving.gateway.end().await;
        if let Some(http) = http {
            http.abort();
        }
        // While the lock is held: from then on these may be those of another one.
        self.place.clear(&self.socket);
        Ok(())
    }
}

/// The gateway, as the connections on the socket see it.
#[derive(Debug)]
struct Serving {
    gateway: Gateway,
    watch: Watch,
    stop: CancellationToken,
    since: Timestamp,
    http: Option<String>,
}

impl Serving {
    async fn connection(&self, stream: UnixStream) {
        // The directory is closed to others; root is let in nowhere either.
        let Ok(credentials) = stream.peer_cred() else {
            return;
        };
        if credentials.uid() != getuid().as_raw() {
            return;
        }
        let (read, mut write) = stream.into_split();
        let mut input = BufReader::with_capacity(64 << 10, read);
        let Ok(Some(hello)) = timeout(HELLO_WAIT, hello(&mut input)).await else {
            return;
        };
        let reply = match (&hello, hello.ask) {
            (Hello { mcplexer, .. }, _) if *mcplexer != talk::VERSION => Reply::Error(format!(
                "the gateway is of version {}; mcplexer serve --stop ends it, and the next client starts the other one",
                env!("CARGO_PKG_VERSION")
            )),
            (_, None) => Reply::Ok,
            (_, Some(ask)) => self.reply(ask, &hello),
        };
        let is_ok = matches!(reply, Reply::Ok);
        let Ok(line) = talk::line(&reply) else { return };
        if write.write_all(line.as_bytes()).await.is_err() || hello.ask.is_some() || !is_ok {
            if hello.ask == Some(Ask::Stop) {
                self.stop.cancel();
            }
            return;
        }
        let pid = credentials.pid().and_then(|it| u32::try_from(it).ok());
        let peer = Peer::process(hello.client, credentials.uid(), pid);
        let endpoint = hello.server.map_or(Endpoint::All, Endpoint::One);
        let session = self.gateway.open(endpoint, peer);
        if let Some(first) = hello.first_question {
            session.number_questions_from(first);
        }
        stdio::serve(self.gateway.hub(), session, input, write, &self.stop).await;
    }

    fn reply(&self, ask: Ask, hello: &Hello) -> Reply {
        let server = || {
            let name = hello.server.as_ref();
            let name = name.ok_or_else(|| Reply::Error("no server is named".to_owned()))?;
            let server = self.gateway.hub().server(name);
            server.ok_or_else(|| Reply::Unknown(name.clone()))
        };
        match ask {
            Ask::Status => Reply::Status(Box::new(self.status())),
            Ask::Stop => Reply::Ok,
            Ask::Restart => server().map_or_else(
                |refused| refused,
                |server| {
                    server.restart();
                    server.start_if_eager(None);
                    Reply::Ok
                },
            ),
            Ask::Logs => server().map_or_else(
                |refused| refused,
                |server| Reply::Lines(server.log.last(usize::MAX)),
            ),
        }
    }

    fn status(&self) -> Status {
        let hub = self.gateway.hub();
        Status {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            since: self.since,
            http: self.http.clone(),
            config_problem: self.watch.problem(),
            servers: hub.server_status(),
            clients: hub.client_status(),
        }
    }
}

/// Reads what a connection says first; nothing that comes behind it.
async fn hello(input: &mut BufReader<OwnedReadHalf>) -> Option<Hello> {
    let mut lines = Lines::new(input, talk::MAX_LINE);
    match lines.next().await {
        Ok(Some(Line::Text(text))) => serde_json::from_str(&text).ok(),
        _ => None,
    }
}

/// Returns the log of the daemon of a home, if it runs in the background.
#[must_use]
pub fn log_file(home: &Home) -> PathBuf {
    Place::of(home).log()
}
