//! Connections to HTTP servers: TCP, and TLS 1.2 or 1.3 with the certificate authorities of the system.
//!
//! There is no proxy: whatever the environment says, a connection goes to the server itself.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tower_service::Service;

/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(60);

/// How long the other end's system may acknowledge nothing.
const SILENCE: Duration = Duration::from_secs(30);

/// How many connections to a server that nobody uses are kept.
const MAX_IDLE: usize = 32;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Sends requests to one server, over connections that it keeps.
pub(crate) type Pool = Client<Connector, Full<Bytes>>;

/// What all TLS connections share, read when the first one is made.
#[derive(Default)]
pub(crate) struct Tls(OnceCell<Arc<ClientConfig>>);

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Returns the settings of TLS connections. Without `is_needed`, no certificate authority is read, and no
    /// connection would be trusted.
    ///
    /// # Errors
    /// If the system has no certificate authorities.
    pub(crate) async fn settings(&self, is_needed: bool) -> Result<Arc<ClientConfig>, String> {
        if !is_needed {
            return settings(RootCertStore::empty()).map(Arc::new);
        }
        let read = || async {
            let read = tokio::task::spawn_blocking(read_settings).await;
            read.map_err(|error| error.to_string())?.map(Arc::new)
        };
        self.0.get_or_try_init(read).await.cloned()
    }
}

fn read_settings() -> Result<ClientConfig, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A system may have some that are not well-formed.
    let (added, _ignored) = roots.add_parsable_certificates(found.certs);
    match (added, found.errors.first()) {
        (0, Some(error)) => Err(format!(
            "the certificate authorities of the system cannot be read: {error}"
        )),
        (0, None) => Err(
            "the system has no certificate authorities; SSL_CERT_FILE names a file of them"
                .to_owned(),
        ),
        _ => settings(roots),
    }
}

fn settings(roots: RootCertStore) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Returns a pool of connections, each of which is there within `within`, TLS included, or not at all.
pub(crate) fn pool(tls: &Arc<ClientConfig>, within: Duration) -> Pool {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    // A message is one write, which should not wait for an acknowledgement of the last one.
    tcp.set_nodelay(true);
    // A connection can be dead without a word, as after a computer has slept.
    tcp.set_keepalive(Some(SILENCE));
    tcp.set_keepalive_interval(Some(SILENCE / 3));
    tcp.set_keepalive_retries(Some(3));
    #[cfg(target_os = "linux")]
    tcp.set_tcp_user_timeout(Some(SILENCE));
    let https = HttpsConnectorBuilder::new()
        .with_tls_config(ClientConfig::clone(tls))
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(MAX_IDLE)
        .build(Connector { https, within })
}

/// Makes a connection within a time.
#[derive(Clone)]
pub(crate) struct Connector {
    https: HttpsConnector<HttpConnector>,
    within: Duration,
}

impl Service<Uri> for Connector {
    type Response = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.https.call(uri);
        let within = self.within;
        Box::pin(async move {
            match timeout(within, connecting).await {
                Ok(connected) => connected,
                Err(_) => {
                    let problem = format!("no connection within {} s", within.as_secs_f32());
                    Err(io::Error::new(io::ErrorKind::TimedOut, problem).into())
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use hyper::Request;
    use tokio::net::TcpListener;

    use super::*;
    use crate::http_back::problem::cause;

    #[tokio::test]
    async fn a_handshake_that_nobody_answers_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let settings = Tls::default().settings(false).await.unwrap();
        let pool = pool(&settings, Duration::from_millis(20));
        let mut request = Request::new(Full::default());
        *request.uri_mut() = format!("https://{address}/").parse().unwrap();
        let error = pool.request(request).await.unwrap_err();
        assert!(error.is_connect());
        assert_eq!(cause(&error), "no connection within 0.02 s");
    }
}
