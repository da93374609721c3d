//! The daemon: one gateway for all clients of a home, on a unix socket, and over HTTP if it is asked to.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdTcpListener};
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mcplexer_files::config::Config;
use mcplexer_home::{Home, OpenHome};
use mcplexer_secrets::Timestamp;
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::gateway::Gateway;
use crate::http::{Access, Front, Places};
use crate::options::Options;
use crate::site::{Handle, Site};
use crate::status::Status;
use crate::watch::Watch;

mod connection;
mod error;
mod origin;
pub(crate) mod place;
pub(crate) mod talk;

pub use error::DaemonError;

use place::{Info, Place};
use talk::Reply;

/// How long requests may take that are not answered when the gateway is to end.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

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
        let make_site = options.site.clone();
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
        let inside = Arc::new(Inside {
            gateway,
            watch,
            home,
            since: self.since,
            http: OnceLock::new(),
            page: OnceLock::new(),
            stop: stop.clone(),
        });
        let site = make_site.map(|it| it.make(Handle::new(Arc::clone(&inside))));
        let serving = Arc::new(Serving {
            inside,
            site,
            access,
            places: Places::default(),
            stop: stop.clone(),
            place: self.place.clone(),
            socket: self.socket.clone(),
        });
        if let Some(listener) = self.http {
            serving.serve_http(listener)?;
        }
        let listener = UnixListener::from_std(self.listener)?;
        serving.tell(false)?;
        log.say(&match serving.inside.address() {
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
        let _gone = match serving.tell(true) {
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
            while serving.inside.gateway.is_busy() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let _late = timeout(LAST_ANSWERS, last).await;
        connections.shutdown().await;
        serving.inside.gateway.end().await;
        // While the lock is held: from then on these may be those of another one.
        self.place.clear(&self.socket);
        Ok(())
    }
}

/// The gateway of this process, and what is known of it.
pub(crate) struct Inside {
    pub(crate) gateway: Gateway,
    watch: Watch,
    pub(crate) home: Arc<OpenHome>,
    since: Timestamp,
    http: OnceLock<SocketAddr>,
    /// The address of the page, once it was opened.
    page: OnceLock<SocketAddr>,
    /// Cancelled when it begins to end.
    pub(crate) stop: CancellationToken,
}

impl Inside {
    /// Returns the address on which it serves HTTP, if it does.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.http.get().copied()
    }

    pub(crate) fn status(&self) -> Status {
        let hub = self.gateway.hub();
        Status {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            since: self.since,
            http: self.address().map(|it| it.to_string()),
            config_problem: self.watch.problem(),
            store_problem: hub.store_problem(),
            servers: hub.server_status(),
            clients: hub.client_status(),
        }
    }
}

/// The gateway, as the connections on the socket see it.
struct Serving {
    inside: Arc<Inside>,
    site: Option<Arc<dyn Site>>,
    access: Access,
    places: Places,
    stop: CancellationToken,
    place: Place,
    socket: PathBuf,
}

impl Serving {
    /// Says where the daemon is, or that it is ending.
    fn tell(&self, is_ending: bool) -> io::Result<()> {
        let told = self.place.tell(&Info {
            pid: std::process::id(),
            socket: self.socket.clone(),
            http: self.inside.address().map(|it| it.to_string()),
            is_ending,
        });
        told.map_err(|error| io::Error::other(error.to_string()))
    }

    /// Serves clients over HTTP from now on.
    fn serve_http(&self, listener: StdTcpListener) -> io::Result<SocketAddr> {
        let address = listener.local_addr()?;
        let listener = TcpListener::from_std(listener)?;
        let _once = self.inside.http.set(address);
        let (site, access) = (self.site.clone(), self.access.clone());
        let front = Front::new(Arc::clone(self.inside.gateway.hub()), access, site, address);
        tokio::spawn(front.serve(listener, self.places.clone(), self.stop.clone()));
        Ok(address)
    }

    /// Serves the page from now on, at an address of its own.
    fn serve_page(&self, site: &Arc<dyn Site>) -> io::Result<SocketAddr> {
        let listener = origin::listen()?;
        let address = listener.local_addr()?;
        let listener = TcpListener::from_std(listener)?;
        let _once = self.inside.page.set(address);
        let hub = Arc::clone(self.inside.gateway.hub());
        let front = Front::of_page(hub, Arc::clone(site), address);
        tokio::spawn(front.serve(listener, self.places.clone(), self.stop.clone()));
        Ok(address)
    }

    /// Returns where the page is, with a ticket for it. It is served from the first time on. If there is no HTTP for clients
    /// yet, that is served from now on, too, at a free port of this machine.
    fn page(&self) -> Result<Reply, String> {
        let no_page = || "this gateway has no page".to_owned();
        let site = self.site.as_ref().ok_or_else(no_page)?;
        let listen = || {
            if self.inside.address().is_none() {
                let listener = StdTcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
                listener.set_nonblocking(true)?;
                self.serve_http(listener)?;
                self.tell(false)?;
            }
            match self.inside.page.get() {
                Some(address) => Ok(*address),
                None => self.serve_page(site),
            }
        };
        let address =
            listen().map_err(|error: io::Error| format!("cannot serve the page: {error}"))?;
        Ok(Reply::Page {
            address,
            ticket: site.ticket(),
        })
    }
}

/// Returns the log of the daemon of a home, if it runs in the background.
#[must_use]
pub fn log_file(home: &Home) -> PathBuf {
    Place::of(home).log()
}
