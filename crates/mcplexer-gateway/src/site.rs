//! Where the page meets the gateway: what the gateway serves of it, and what it may see of the gateway.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::{Request, Response};
use mcplexer_files::config::{Server as Definition, ServerName};
use mcplexer_home::OpenHome;
use mcplexer_home::calls::Call;
use tokio::sync::broadcast;

use crate::daemon::Inside;
use crate::http::may_be_own;
use crate::json::Value;
use crate::lists::{Item, ListKind};
use crate::server::Server;
use crate::session::Peer;
use crate::status::Status;

/// The body of an answer over HTTP.
pub type SiteBody = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;

/// An answer that is on its way.
pub type SiteAnswer<'a> = Pin<Box<dyn Future<Output = Response<SiteBody>> + Send + 'a>>;

/// How a request comes in, and from where: an extension of each that a [`Site`] answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remote {
    pub(crate) entrance: Entrance,
    pub(crate) remote: SocketAddr,
    pub(crate) own: SocketAddr,
}

/// The address at which a request comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entrance {
    /// That of the page, which no other program can have had.
    Page,
    /// That of clients and scripts, which another program can have had before.
    Clients,
}

impl Remote {
    /// Returns the address at which it comes in.
    #[must_use]
    pub fn entrance(&self) -> Entrance {
        self.entrance
    }

    /// Whether it may be of the user of this process, or of root.
    pub async fn is_own(&self) -> bool {
        may_be_own(self.remote, self.own).await
    }
}

/// What is served over HTTP beside the protocol.
pub trait Site: Send + Sync {
    /// Answers a request whose host and origin are those of its entrance.
    fn answer(&self, request: Request<Incoming>) -> SiteAnswer<'_>;

    /// Makes a ticket, with which one browser can begin one session.
    fn ticket(&self) -> String;

    /// Ends every session; returns how many there were.
    fn end_sessions(&self) -> usize;
}

/// Makes the site of a gateway.
#[derive(Clone)]
pub struct MakeSite(Arc<dyn Fn(Handle) -> Arc<dyn Site> + Send + Sync>);

impl MakeSite {
    /// Makes it with this function.
    pub fn new(make: impl Fn(Handle) -> Arc<dyn Site> + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    pub(crate) fn make(&self, handle: Handle) -> Arc<dyn Site> {
        (self.0)(handle)
    }
}

impl fmt::Debug for MakeSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MakeSite").finish_non_exhaustive()
    }
}

/// A running gateway, seen from the same process.
#[derive(Clone)]
pub struct Handle(Arc<Inside>);

/// A tool of a server, as the server describes it: the texts are foreign.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolInfo {
    /// Its name.
    pub name: String,
    /// What it does, if the server says so.
    pub description: Option<String>,
    /// The length of its definition in bytes.
    pub bytes: usize,
}

/// A server was not started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotStarted {
    /// There is no such server.
    #[error(transparent)]
    NoServer(#[from] NoServer),
    /// It does not start, or does not answer.
    #[error("{problem}")]
    Failed {
        /// Why.
        problem: String,
    },
}

/// There is no such server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no server named {0}")]
pub struct NoServer(pub ServerName);

impl Handle {
    pub(crate) fn new(inside: Arc<Inside>) -> Self {
        Self(inside)
    }

    /// Returns the home whose servers it starts.
    #[must_use]
    pub fn home(&self) -> &Arc<OpenHome> {
        &self.0.home
    }

    /// Returns what it does.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.status()
    }

    /// Returns the address on which it serves HTTP, if it does.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.address()
    }

    /// Ends what runs of a server, and forgets that it has failed. The next call starts it.
    ///
    /// # Errors
    /// If there is no such server.
    pub fn restart(&self, server: &ServerName) -> Result<(), NoServer> {
        self.server(server)?.restart();
        Ok(())
    }

    /// Ends what runs of a server, and what is starting. The next call starts it.
    ///
    /// # Errors
    /// If there is no such server.
    pub fn stop(&self, server: &ServerName) -> Result<(), NoServer> {
        let server = self.server(server)?;
        server.stop_starting();
        server.stop();
        Ok(())
    }

    /// Starts a server if it does not run, and asks for its tools if they are not known. The start goes on when the future is
    /// dropped.
    ///
    /// # Errors
    /// If there is no such server, or if it does not start.
    pub async fn start(&self, server: &ServerName) -> Result<(), NotStarted> {
        let started = self.server(server)?.start_now().await;
        started.map_err(|error| NotStarted::Failed {
            problem: error.to_string(),
        })
    }

    /// Returns how a server is configured. It has references to secrets, and no values.
    ///
    /// # Errors
    /// If there is no such server.
    pub fn definition(&self, server: &ServerName) -> Result<Definition, NoServer> {
        Ok(self.server(server)?.definition.clone())
    }

    /// Returns the servers that a client sees; `None` for all.
    #[must_use]
    pub fn servers_of(&self, client: &ServerName) -> Option<Vec<ServerName>> {
        let peer = Peer::named(Some(client.to_string()));
        self.0.gateway.hub().client(&peer).servers
    }

    /// Returns the tools of a server, if it was asked for them.
    ///
    /// # Errors
    /// If there is no such server.
    pub fn tools(&self, server: &ServerName) -> Result<Option<Vec<ToolInfo>>, NoServer> {
        let items = self.server(server)?.listed(ListKind::Tools);
        let info = |item: &Item| ToolInfo {
            name: item.key.clone(),
            description: Value::new(&item.text)
                .get("description")
                .and_then(Value::as_str)
                .map(Into::into),
            bytes: item.text.len(),
        };
        Ok(items.map(|items| items.iter().map(info).collect()))
    }

    /// Waits until the gateway begins to end.
    pub async fn ending(&self) {
        self.0.stop.cancelled().await;
    }

    /// Returns the last lines that a server wrote to standard error, with its secrets replaced.
    ///
    /// # Errors
    /// If there is no such server.
    pub fn log(&self, server: &ServerName) -> Result<Vec<String>, NoServer> {
        Ok(self.server(server)?.log.last(usize::MAX))
    }

    /// Returns the last calls, at most 1,000, in the order in which they went out.
    #[must_use]
    pub fn recent_calls(&self) -> Vec<Call> {
        self.0.gateway.recent_calls()
    }

    /// Returns the calls that follow: each when it goes out, and again when it has ended. Who does not keep up misses some.
    /// What came before is in the audit log then.
    pub async fn watch_calls(&self) -> broadcast::Receiver<Arc<Call>> {
        self.0.gateway.watch_calls().await
    }

    fn server(&self, name: &ServerName) -> Result<Arc<Server>, NoServer> {
        let server = self.0.gateway.hub().server(name);
        server.ok_or_else(|| NoServer(name.clone()))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}
