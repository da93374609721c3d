//! The gateway as programs use it.

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use mcplexer_files::config::Config;
use mcplexer_home::OpenHome;
use mcplexer_home::calls::Call;
use tokio::io::{AsyncBufRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::http::{Access, Front, Places};
use crate::hub::Hub;
use crate::options::Options;
use crate::session::{Endpoint, Peer, Session};
use crate::stdio;

/// A gateway: clients on one side, tool servers on the other. Made and used within a tokio runtime.
pub struct Gateway {
    hub: Arc<Hub>,
    sweep: tokio::task::JoinHandle<()>,
}

impl Gateway {
    /// Creates a gateway for the servers of a configuration. It starts none before a client comes.
    #[must_use]
    pub fn new(home: Arc<OpenHome>, config: &Config, options: impl Into<Options>) -> Self {
        let hub = Hub::new(home, config, &options.into());
        let weak = Arc::downgrade(&hub);
        let sweep = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                match weak.upgrade() {
                    Some(hub) => hub.stop_idle(),
                    None => return,
                }
            }
        });
        Self { hub, sweep }
    }

    /// Serves one client on a byte stream, one message a line, until the client is gone.
    pub async fn serve_stream(
        &self,
        endpoint: Endpoint,
        peer: Peer,
        input: impl AsyncBufRead + Unpin,
        output: impl AsyncWrite + Unpin + Send + 'static,
    ) {
        let session = self.open(endpoint, peer);
        let never = CancellationToken::new();
        stdio::serve(&self.hub, session, input, output, &never).await;
    }

    /// Serves clients over HTTP, on a socket of this machine, until `stop` is cancelled.
    ///
    /// # Errors
    /// If no more connections can be accepted.
    pub async fn serve_http(
        &self,
        listener: TcpListener,
        access: Access,
        stop: CancellationToken,
    ) -> io::Result<()> {
        let address = listener.local_addr()?;
        let front = Front::new(Arc::clone(&self.hub), access, None, address);
        front.serve(listener, Places::default(), stop).await
    }

    /// Starts the servers whose configuration says `start: eager`, now and when a configuration adds one. Without this they
    /// start with their first client.
    pub fn start_eager(&self) {
        self.hub.start_eager();
    }

    /// Takes another configuration. Servers that are in it as they were go on.
    pub fn configure(&self, config: &Config) {
        self.hub.configure(config);
    }

    /// Returns the last calls, at most 1,000, in the order in which they went out.
    #[must_use]
    pub fn recent_calls(&self) -> Vec<Call> {
        self.hub.calls().recent()
    }

    /// Returns the calls that follow: each when it goes out, and again when it has ended. Who does not keep up misses some.
    /// What came before is in the audit log then.
    pub async fn watch_calls(&self) -> broadcast::Receiver<Arc<Call>> {
        self.hub.calls().watch().await
    }

    /// Ends every server, and waits until they have ended.
    pub async fn stop(self) {
        self.end().await;
    }

    /// Ends every server, and waits until they have ended.
    pub(crate) async fn end(&self) {
        self.sweep.abort();
        self.hub.stop().await;
        // What has ended by now is in the audit log, durably.
        self.hub.calls().stop();
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Begins a session.
    pub(crate) fn open(&self, endpoint: Endpoint, peer: Peer) -> Arc<Session> {
        self.hub.open(endpoint, peer)
    }

    /// Whether a request is not answered.
    pub(crate) fn is_busy(&self) -> bool {
        self.hub.is_busy()
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").finish_non_exhaustive()
    }
}
