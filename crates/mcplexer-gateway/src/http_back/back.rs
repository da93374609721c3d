//! Requests to one HTTP server, with its credentials and nothing of a client's in their header fields.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, USER_AGENT,
};
use hyper::{Method, Request, Response, StatusCode, Uri};
use mcplexer_files::config::{self, ServerName};

use super::connector::{self, Pool};
use super::fields::Fields;
use super::problem::{answered, cause};
use super::target::{Target, shown};
use crate::context::Context;
use crate::credentials::Needs;
use crate::error::CallError;

/// The most redirects that are followed for one request.
const MAX_REDIRECTS: usize = 5;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

const ITSELF: HeaderValue =
    HeaderValue::from_static(concat!("mcplexer/", env!("CARGO_PKG_VERSION")));

/// The way to an HTTP server: shared by all sessions with it.
pub(crate) struct Back {
    pub(crate) server: ServerName,
    pub(crate) target: Target,
    pub(crate) fields: Arc<Fields>,
    pub(crate) limit: usize,
    pool: Pool,
}

impl fmt::Debug for Back {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Back")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// A request to send.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) accept: &'static str,
    /// The protocol's own fields.
    pub(crate) fields: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Option<Bytes>,
}

/// The beginning of an answer, and where it came from.
pub(crate) struct Answered {
    pub(crate) uri: Uri,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Incoming,
}

/// A body, or why it is missing.
pub(crate) enum Body {
    Whole(Bytes),
    TooLong,
    Cut(String),
}

impl Back {
    /// Prepares the way to a server. Nothing is sent yet.
    ///
    /// # Errors
    /// If its URL is not one that credentials may go to, or there are no certificate authorities.
    pub(crate) async fn new(
        server: ServerName,
        http: &config::Http,
        needs: Needs,
        timeouts: config::Timeouts,
        context: &Arc<Context>,
    ) -> Result<Self, String> {
        let target = Target::parse(&http.url)?;
        let is_tls = target.uri.scheme_str() == Some("https");
        let tls = context.tls.settings(is_tls).await?;
        Ok(Self {
            fields: Arc::new(Fields::new(server.clone(), needs, Arc::clone(context))),
            server,
            target,
            limit: context.limits.message,
            pool: connector::pool(&tls, timeouts.connect),
        })
    }

    /// Sends a request, and waits for the beginning of the answer. Follows redirects that keep the method, to the same
    /// origin.
    pub(crate) async fn request(&self, mut outgoing: Outgoing) -> Result<Answered, CallError> {
        let opened = self.fields.open().await;
        let opened = opened.map_err(|refused| CallError::NoCredential {
            server: self.server.clone(),
            problem: refused.to_string(),
        })?;
        for _ in 0..=MAX_REDIRECTS {
            let mut request = Request::new(Full::new(outgoing.body.clone().unwrap_or_default()));
            *request.method_mut() = outgoing.method.clone();
            *request.uri_mut() = outgoing.uri.clone();
            let fields = request.headers_mut();
            fields.insert(USER_AGENT, ITSELF);
            for (name, value) in &opened.fields {
                fields.insert(name, value.clone());
            }
            fields.insert(ACCEPT, HeaderValue::from_static(outgoing.accept));
            if outgoing.body.is_some() {
                fields.insert(CONTENT_TYPE, JSON);
            }
            fields.extend(outgoing.fields.iter().cloned());
            let answer = self.pool.request(request).await;
            let answer = answer.map_err(|error| self.unanswered(&outgoing.uri, &error))?;
            match self.redirect(&outgoing.uri, &answer)? {
                Some(uri) => outgoing.uri = uri,
                None => {
                    let (parts, body) = answer.into_parts();
                    return Ok(Answered {
                        uri: outgoing.uri,
                        status: parts.status,
                        headers: parts.headers,
                        body,
                    });
                }
            }
        }
        Err(self.failed(format!(
            "{} redirects more than {MAX_REDIRECTS} times",
            shown(&self.target.uri)
        )))
    }

    /// Returns where a redirect leads, if the answer is one.
    fn redirect(&self, from: &Uri, answer: &Response<Incoming>) -> Result<Option<Uri>, CallError> {
        let status = answer.status();
        if !status.is_redirection() || status == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        let location = answer
            .headers()
            .get(LOCATION)
            .and_then(|it| it.to_str().ok());
        let to = location.and_then(|it| self.target.same_origin(from, it));
        let keeps_method = matches!(
            status,
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
        );
        match to {
            Some(to) if keeps_method => Ok(Some(to)),
            Some(to) => Err(self.failed(format!(
                "{}, which would lose the message; set the server's url to {}",
                answered(from, status),
                shown(&to)
            ))),
            None => Err(self.failed(format!(
                "{}, which leads to another origin, and its credentials are for {} only",
                answered(from, status),
                shown(&self.target.uri)
            ))),
        }
    }

    fn unanswered(&self, uri: &Uri, error: &hyper_util::client::legacy::Error) -> CallError {
        let problem = format!("{}: {}", shown(uri), cause(error));
        match error.is_connect() {
            true => CallError::Unreached {
                server: self.server.clone(),
                problem,
            },
            false => self.lost(&problem),
        }
    }

    /// Returns that the outcome is unknown.
    pub(crate) fn lost(&self, problem: &str) -> CallError {
        CallError::Lost {
            server: self.server.clone(),
            log: format!("; {problem}"),
        }
    }

    pub(crate) fn failed(&self, problem: String) -> CallError {
        CallError::Failed {
            server: self.server.clone(),
            problem,
        }
    }

    /// Reads a body up to the limit.
    pub(crate) async fn body(&self, headers: &HeaderMap, mut body: Incoming) -> Body {
        let length = headers.get(hyper::header::CONTENT_LENGTH);
        let length = length.and_then(|it| it.to_str().ok()?.parse::<usize>().ok());
        if length.is_some_and(|it| it > self.limit) {
            return Body::TooLong;
        }
        let mut first = Bytes::new();
        let mut whole: Vec<u8> = Vec::new();
        while let Some(frame) = body.frame().await {
            let piece = match frame {
                Ok(frame) => frame.into_data().unwrap_or_default(),
                Err(error) => return Body::Cut(cause(&error)),
            };
            if first.len().max(whole.len()) + piece.len() > self.limit {
                return Body::TooLong;
            }
            if first.is_empty() {
                // Short bodies come in one piece.
                first = piece;
                continue;
            }
            if whole.is_empty() {
                whole.reserve(length.unwrap_or_default());
                whole.extend_from_slice(&first);
            }
            whole.extend_from_slice(&piece);
        }
        match whole.is_empty() {
            true => Body::Whole(first),
            false => Body::Whole(whole.into()),
        }
    }
}
