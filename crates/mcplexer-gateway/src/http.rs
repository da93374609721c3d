//! Clients over HTTP: the Streamable HTTP transport, with sessions (MCP 2025-03-26 to 2025-11-25) and without
//! (2026-07-28), on the same paths.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode};
use mcplexer_files::config::ServerName;

use crate::backlog::Backlog;
use crate::dialect::MODERN;
use crate::figures;
use crate::hub::Hub;
use crate::session::{Endpoint, Peer};
use crate::site::{Entrance, Site};

mod body;
mod door;
mod guard;
mod headers;
mod owner;
mod post;
mod response;
mod sessions;

use body::Stream;
pub(crate) use door::Places;
pub use guard::Access;
pub(crate) use owner::may_be_own;
use response::{Answer, empty, events_of, no_session, not_allowed, plain};
use sessions::Sessions;

/// The id of a session (MCP 2025-11-25, "Session Management").
const SESSION_ID: &str = "mcp-session-id";

/// The revision that a client speaks (MCP 2025-06-18, "Protocol Version Header").
const VERSION: &str = "mcp-protocol-version";

/// The bytes of long messages of all clients together that are read, or wait for the first thing that comes back.
const BACKLOG: usize = 256 << 20;

/// What serves HTTP.
pub(crate) struct Front {
    hub: Arc<Hub>,
    access: Access,
    site: Option<Arc<dyn Site>>,
    sessions: Sessions,
    backlog: Backlog,
    /// The address that clients connect to.
    address: SocketAddr,
    entrance: Entrance,
}

impl Front {
    pub(crate) fn new(
        hub: Arc<Hub>,
        access: Access,
        site: Option<Arc<dyn Site>>,
        address: SocketAddr,
    ) -> Arc<Self> {
        let sessions = Sessions::new(&hub);
        Arc::new(Self {
            hub,
            access,
            site,
            sessions,
            backlog: Backlog::new(BACKLOG),
            address,
            entrance: Entrance::Clients,
        })
    }

    /// What serves the page alone.
    pub(crate) fn of_page(hub: Arc<Hub>, site: Arc<dyn Site>, address: SocketAddr) -> Arc<Self> {
        let sessions = Sessions::new(&hub);
        Arc::new(Self {
            hub,
            // Nothing there asks for it.
            access: Access::with_tokens(|_| None),
            site: Some(site),
            sessions,
            backlog: Backlog::new(BACKLOG),
            address,
            entrance: Entrance::Page,
        })
    }

    async fn answer(self: &Arc<Self>, request: Request<Incoming>) -> Answer {
        let origin = guard::Origin::of(self.entrance, self.address);
        if let Err(refusal) = origin.check(request.headers(), request.uri()) {
            return plain(StatusCode::FORBIDDEN, refusal);
        }
        if self.entrance == Entrance::Page
            && let Some(site) = &self.site
        {
            return site.answer(request).await;
        }
        let path = request.uri().path();
        if path == "/healthz" {
            return plain(StatusCode::OK, "ok\n");
        }
        let endpoint = endpoint(path);
        if endpoint.is_none() && path != "/metrics" {
            if let Some(site) = &self.site {
                return site.answer(request).await;
            }
            let text = "there is /mcp, /mcp/SERVER, /metrics and /healthz\n";
            return plain(StatusCode::NOT_FOUND, text);
        }
        let peer = match self.access.peer(request.headers()) {
            Ok(peer) => peer,
            Err(refusal) => {
                let mut answer = plain(StatusCode::UNAUTHORIZED, refusal);
                let scheme = HeaderValue::from_static("Bearer realm=\"mcplexer\"");
                answer.headers_mut().insert("www-authenticate", scheme);
                return answer;
            }
        };
        let Some(endpoint) = endpoint else {
            return self.metrics(request.method(), &peer);
        };
        match *request.method() {
            Method::POST => self.post(request, endpoint, peer).await,
            Method::GET => self.listen(request.headers(), &endpoint, &peer),
            Method::DELETE => self.delete(request.headers(), &endpoint, &peer),
            _ => not_allowed("GET, POST, DELETE"),
        }
    }

    /// Answers a monitoring system. The figures are about every server.
    fn metrics(&self, method: &Method, peer: &Peer) -> Answer {
        if *method != Method::GET {
            return not_allowed("GET");
        }
        if self.hub.client(peer).servers.is_some() {
            let text = "the figures are about every server, and this client may see some only\n";
            return plain(StatusCode::FORBIDDEN, text);
        }
        let Ok(text) = figures::text(&self.hub) else {
            return empty(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let mut answer = plain(StatusCode::OK, &text);
        let kind = HeaderValue::from_static(figures::CONTENT_TYPE);
        answer.headers_mut().insert(CONTENT_TYPE, kind);
        answer
    }

    /// Answers with what belongs to no request.
    fn listen(&self, headers: &HeaderMap, endpoint: &Endpoint, peer: &Peer) -> Answer {
        let version = headers.get(VERSION).and_then(|it| it.to_str().ok());
        if version.is_some_and(|it| MODERN.contains(&it)) {
            return not_allowed("POST");
        }
        if !accepts(headers, &["text/event-stream"]) {
            let text = "the client has to accept text/event-stream\n";
            return plain(StatusCode::NOT_ACCEPTABLE, text);
        }
        let Some(id) = headers.get(SESSION_ID) else {
            return not_allowed("POST");
        };
        let Some(session) = self.sessions.get(&self.hub, id, endpoint, peer) else {
            return no_session(None);
        };
        events_of(Stream::listening(&session))
    }

    /// Ends a session.
    fn delete(&self, headers: &HeaderMap, endpoint: &Endpoint, peer: &Peer) -> Answer {
        let Some(id) = headers.get(SESSION_ID) else {
            return not_allowed("POST");
        };
        match self.sessions.remove(&self.hub, id, endpoint, peer) {
            true => empty(StatusCode::NO_CONTENT),
            false => no_session(None),
        }
    }
}

/// Returns what a path leads to.
fn endpoint(path: &str) -> Option<Endpoint> {
    let rest = path.strip_prefix("/mcp")?;
    match rest.strip_prefix('/') {
        None if rest.is_empty() => Some(Endpoint::All),
        None => None,
        Some("") => Some(Endpoint::All),
        Some(name) => Some(Endpoint::One(name.parse::<ServerName>().ok()?)),
    }
}

/// Whether a client accepts one of these media types (RFC 9110, section 12.5.1); weights do not matter here.
fn accepts(headers: &HeaderMap, types: &[&str]) -> bool {
    let mut accepted = headers.get_all(ACCEPT).iter().peekable();
    if accepted.peek().is_none() {
        return true;
    }
    accepted.filter_map(|it| it.to_str().ok()).any(|list| {
        list.split(',').any(|range| {
            let range = range.split(';').next().unwrap_or_default().trim();
            range == "*/*"
                || types.iter().any(|it| {
                    let (kind, _) = it.split_once('/').unwrap_or_default();
                    range.eq_ignore_ascii_case(it) || range == format!("{kind}/*")
                })
        })
    })
}
