//! Calls as they happen.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use mcplexer_home::calls::{self, Ending, Wanted};
use serde::Serialize;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{MissedTickBehavior, interval};
use utoipa::ToSchema;

use super::{Call, CallFilter};
use crate::access::{Watcher, still_sees};
use crate::asked::Asked;
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
        /// How often a call went out or ended that is not in the stream. `null` for a client that may see some servers only:
        /// calls to others are among them.
        missed: Option<u64>,
    },
}

/// Returns the calls as they happen: one JSON object a line. With `limit`, it begins with as many of the newest calls, oldest
/// first; an empty line is before those that happen from then on. A slow reader misses some, and gets their number. The
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
    Watcher { token, sight }: Watcher,
    Asked(filter): Asked<CallFilter>,
) -> Result<Response, Problem> {
    let wanted = filter.wanted()?;
    if filter.before.is_some() {
        return Err(Problem::invalid("a stream has no before"));
    }
    let place = app.streams.take(&token);
    let place = place.ok_or_else(Problem::too_many_streams)?;
    // Before the log is read, so that no call is between them.
    let calls = app.gateway.watch_calls().await;
    let newest = match filter.limit {
        Some(_) => super::page(&app, &filter, &sight).await?.calls,
        None => Vec::new(),
    };
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
            () = send(&app, &token, &wanted, newest, calls, &to) => {}
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
async fn send(
    app: &App,
    token: &str,
    wanted: &Wanted,
    newest: Vec<Call>,
    mut calls: broadcast::Receiver<Arc<calls::Call>>,
    to: &Sender<Bytes>,
) {
    let newest = newest.into_iter().rev();
    let mut newest = newest.map(|it| text(&Line::Call(Box::new(it))));
    // The head of the answer goes out with the first bytes.
    let mut is_empty_sent = false;
    loop {
        let line = match newest.next() {
            Some(line) => line,
            None if !is_empty_sent => {
                is_empty_sent = true;
                Some(Bytes::from_static(b"\n"))
            }
            None => next(app, token, wanted, &mut calls)
                .await
                .and_then(|it| text(&it)),
        };
        let Some(line) = line else { return };
        if to.send(line).await.is_err() {
            return;
        }
    }
}

/// Returns what comes next; `None` at the end.
async fn next(
    app: &App,
    token: &str,
    wanted: &Wanted,
    calls: &mut broadcast::Receiver<Arc<calls::Call>>,
) -> Option<Line> {
    loop {
        let heard = match calls.recv().await {
            Ok(call) if !is_shown(wanted, &call) => continue,
            heard => heard,
        };
        // The token is looked at now and then alone, and a call may come before.
        let sight = still_sees(app, token)?;
        match heard {
            Ok(call) if sight.sees_named(&call.server) => {
                let call = Call::recent((*call).clone(), app, &sight);
                return Some(Line::Call(Box::new(call)));
            }
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => {
                let missed = (!sight.is_limited()).then_some(missed);
                return Some(Line::Missed { missed });
            }
            Err(RecvError::Closed) => return None,
        }
    }
}

fn text(line: &Line) -> Option<Bytes> {
    let mut text = serde_json::to_vec(line).ok()?;
    text.push(b'\n');
    Some(text.into())
}

/// Whether a call is one of those that are wanted. While it goes on it may end like any of them, unless those without an end are
/// wanted; then its end takes it away again.
fn is_shown(wanted: &Wanted, call: &calls::Call) -> bool {
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
