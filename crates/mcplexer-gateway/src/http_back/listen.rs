//! Streams of messages that belong to no request.

use std::sync::{Arc, Weak};
use std::time::Duration;

use hyper::StatusCode;
use tokio::time::sleep;

use super::Shared;
use super::answer::is_stream;
use super::stream::Events;
use crate::instance::Instance;

/// The wait before a stream is opened again that had something on it, unless the server asks for a longer one.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);

/// The first wait before a stream is opened again that had nothing on it. Each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Listens for as long as the session lasts, if the server offers a stream.
pub(super) async fn listen(shared: Arc<Shared>) {
    let stop = shared.stop.clone();
    tokio::select! {
        () = stop.cancelled() => {}
        () = listen_on(&shared) => {}
    }
}

async fn listen_on(shared: &Shared) {
    let mut wait = FIRST_WAIT;
    let mut last: Option<String> = None;
    loop {
        let mut asked = Duration::ZERO;
        let mut has_said_something = false;
        match shared.get(last.as_deref()).await {
            Ok(answer) if answer.status.is_success() && is_stream(&answer) => {
                let mut events = Events::new(answer.body, shared.back.limit);
                while let Ok(Some(event)) = events.next().await {
                    has_said_something = true;
                    let Some(instance) = shared.instance() else {
                        return;
                    };
                    event.reach(&instance).await;
                }
                asked = events.parser.retry().unwrap_or_default();
                let reached = events.parser.last_id().map(str::to_owned);
                // A server may close each connection, and go on with the next one.
                has_said_something |= reached.is_some() && reached != last;
                last = reached.or(last);
            }
            Ok(answer) if may_pass(answer.status) => {}
            // It offers no stream. If that is because it has forgotten the session, the next message shows it.
            Ok(_) => return,
            // It may come back. The next call says what is wrong.
            Err(_) => {}
        }
        // A server can ask for a short pause only while it has something to say.
        match has_said_something {
            true => {
                sleep(asked.max(SHORTEST_WAIT)).await;
                wait = FIRST_WAIT;
            }
            false => {
                sleep(asked.max(wait)).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }
}

/// Whether what a server answers may be different later.
fn may_pass(status: StatusCode) -> bool {
    status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED
        || matches!(
            status,
            StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::CONFLICT
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_MANY_REQUESTS
        )
}

impl Shared {
    /// Takes the events of HTTP+SSE, on which every message comes, until the stream or the session ends.
    pub(super) async fn take_all(self: Arc<Self>, instance: Weak<Instance>, mut events: Events) {
        let taking = async {
            while let Ok(Some(event)) = events.next().await {
                let Some(instance) = instance.upgrade() else {
                    return;
                };
                event.reach(&instance).await;
            }
        };
        tokio::select! {
            () = self.stop.cancelled() => return,
            () = taking => {}
        }
        // Without the stream nothing is answered.
        if let Some(instance) = instance.upgrade() {
            instance.stop();
        }
    }
}
