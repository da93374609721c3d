//! Calls as they happen.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use mcplexer_home::calls::{Ending, Wanted};
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{MissedTickBehavior, interval};
use utoipa::ToSchema;

use super::{Call, CallFilter};
use crate::access::{Reader, bearer, still_sees};
use crate::problem::Problem;
use crate::site::App;

/// How often to look whether the session lasts.
const LOOK: Duration = Duration::from_secs(1);

/// How many lines wait for a reader who is slow. Behind them, 1,000 calls wait before some are missed.
const WAITING: usize = 64;

/// A line of the stream: a call when it goes out, and again when it has ended.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Line {
    /// A call.
    Call(Box<Call>),
    /// The reader was too slow.
    Missed {
        /// How often a call went out or ended that is not in the stream.
        missed: u64,
    },
}

/// Returns the calls as they happen: one JSON object a line. A slow reader misses some, and gets their number. The
/// stream does not prolong the session, and ends with it. One token may have 8 streams open.
#[utoipa::path(
    get,
    path = "/api/v1/calls/stream",
    operation_id = "stream_calls",
    tag = "calls",
    params(CallFilter),
    responses(
        (status = 200, description = "A line for each call that goes out or ends", body = Line, content_type = "application/x-ndjson"),
        (status = 400, body = Problem),
        (status = 422, body = Problem),
        (status = 429, description = "As many streams are open as may be", body = Problem),
    )
)]
pub(in crate::api) async fn stream(
    State(app): State<App>,
    _: Reader,
    headers: HeaderMap,
    filter: Result<Query<CallFilter>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(filter) = filter?;
    let wanted = filter.wanted()?;
    let token = bearer(&headers).unwrap_or_default().to_owned();
    let place = app.streams.take(&token);
    let place = place.ok_or_else(Problem::too_many_streams)?;
    let (to, lines) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let last = async {
            let mut look = interval(LOOK);
            look.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while still_sees(&app, &token).is_some() {
                look.tick().await;
            }
        };
        let reader = to.clone();
        tokio::select! {
            () = send(&app, &token, &wanted, &to) => {}
            () = last => {}
            () = app.gateway.ending() => {}
            () = reader.closed() => {}
        }
        drop(place);
    });
    let media = [(CONTENT_TYPE, "application/x-ndjson")];
    Ok((media, Body::new(Lines(lines))).into_response())
}

/// Sends calls for as long as somebody reads, and may. What is sent to a reader who is slow was called before that ended.
async fn send(app: &App, token: &str, wanted: &Wanted, to: &Sender<Bytes>) {
    let mut calls = app.gateway.watch_calls();
    // The head of the answer goes out with the first bytes.
    let mut line = Bytes::from_static(b"\n");
    loop {
        if to.send(line).await.is_err() {
            return;
        }
        let next = loop {
            let heard = match calls.recv().await {
                Ok(call) if !is_shown(wanted, &call) => continue,
                heard => heard,
            };
            // The token is looked at now and then alone, and a call may come before.
            let Some(sight) = still_sees(app, token) else {
                return;
            };
            match heard {
                Ok(call) if sight.sees_named(&call.server) => {
                    let is_running = call.outcome.is_none();
                    let call = Call::new((*call).clone(), None, is_running);
                    break Line::Call(Box::new(call));
                }
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => break Line::Missed { missed },
                Err(RecvError::Closed) => return,
            }
        };
        let Ok(mut text) = serde_json::to_vec(&next) else {
            return;
        };
        text.push(b'\n');
        line = text.into();
    }
}

/// Whether a call is one of those that are wanted. While it goes on it may end like any of them, unless those without an end are
/// wanted; then its end takes it away again.
fn is_shown(wanted: &Wanted, call: &mcplexer_home::calls::Call) -> bool {
    match wanted.ending {
        Some(Ending::Open) => {
            let wanted = Wanted {
                ending: None,
                ..wanted.clone()
            };
            wanted.has(call)
        }
        _ => wanted.has(call),
    }
}

/// Lines as the body of an answer.
struct Lines(Receiver<Bytes>);

impl HttpBody for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let line = self.0.poll_recv(context);
        line.map(|it| it.map(|line| Ok(Frame::data(line))))
    }
}
