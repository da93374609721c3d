//! Answers to HTTP requests.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

use super::body::Stream;
use crate::message;
use crate::site::SiteBody;

/// An answer to an HTTP request.
pub(super) type Answer = Response<SiteBody>;

fn body(text: impl Into<Bytes>) -> SiteBody {
    whole(Full::new(text.into()))
}

/// A body that never fails.
fn whole(body: impl Body<Data = Bytes, Error = Infallible> + Send + 'static) -> SiteBody {
    body.map_err(|never| match never {}).boxed_unsync()
}

fn with_type(status: StatusCode, media: &'static str, content: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(body(content));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    answer
}

/// Answers with text for a person.
pub(super) fn plain(status: StatusCode, text: &str) -> Answer {
    with_type(status, "text/plain; charset=utf-8", text.to_owned())
}

/// Answers with a message.
pub(super) fn json(status: StatusCode, text: String) -> Answer {
    with_type(status, "application/json", text)
}

pub(super) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(body(Bytes::new()));
    *answer.status_mut() = status;
    answer
}

pub(super) fn bad_request(error: String) -> Answer {
    json(StatusCode::BAD_REQUEST, error)
}

pub(super) fn not_json() -> String {
    message::error("null", -32700, "the message is not JSON")
}

pub(super) fn no_batches() -> String {
    let text = "this revision has no batches: send one message at a time";
    message::error("null", -32600, text)
}

/// The session has ended, or never was: a client begins a new one then.
pub(super) fn no_session(id: Option<&str>) -> Answer {
    let text = "the session has ended; begin a new one with initialize";
    let id = id.unwrap_or("null");
    json(StatusCode::NOT_FOUND, message::error(id, -32600, text))
}

pub(super) fn not_allowed(allowed: &'static str) -> Answer {
    let mut answer = plain(
        StatusCode::METHOD_NOT_ALLOWED,
        "this method is not allowed here\n",
    );
    let allowed = HeaderValue::from_static(allowed);
    answer.headers_mut().insert(ALLOW, allowed);
    answer
}

/// Answers with a message, and with those that follow.
pub(super) fn events(first: String, stream: Stream) -> Answer {
    stream.put_back(first);
    events_of(stream)
}

pub(super) fn events_of(stream: Stream) -> Answer {
    let mut answer = with_type(StatusCode::OK, "text/event-stream", Bytes::new());
    // Proxies must not collect events (MCP 2026-07-28, "Receiving Messages").
    let no = HeaderValue::from_static("no");
    answer.headers_mut().insert("x-accel-buffering", no);
    *answer.body_mut() = whole(stream);
    answer
}
