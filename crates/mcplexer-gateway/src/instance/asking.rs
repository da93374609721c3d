//! Requests to a server: they go out under ids of its own, and end with an answer, a cancellation or a time-out.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mcplexer_files::config::Timeouts;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use super::{Answer, Instance, LISTEN, Pending, Waiting};
use crate::error::CallError;
use crate::json::Splices;
use crate::message::{self, Kind, Message};
use crate::session::Route;

/// How long an answer may take that ends something.
const FOR_EVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

impl Instance {
    /// Passes a request on, and waits for the answer, whose id is still that of this instance. `splices` are what else
    /// changes in the request.
    pub(crate) async fn request(
        self: &Arc<Self>,
        message: &Message,
        mut splices: Splices,
        route: Option<Route>,
    ) -> Result<Answer, CallError> {
        self.check_tool(message, &splices)?;
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        message.splice_id(&mut splices, &id.to_string());
        let token = message.param(&["_meta", "progressToken"]);
        if let Some(token) = token {
            splices.replace(token, id.to_string());
        }
        let is_endless = *message.kind() == Kind::Request(LISTEN.to_owned());
        let pending = Pending {
            route,
            client_id: message.id().map(str::to_owned),
            progress_token: token.map(|it| it.text().to_owned()),
        };
        let text = splices.apply(message.text());
        let patience = match is_endless {
            true => None,
            false => Some(self.timeouts),
        };
        let answer = self.call(id, text, pending, patience).await?;
        Ok(self.without_unusable_tools(message, answer))
    }

    /// Sends a request of the gateway's own, and waits for the answer.
    pub(crate) async fn ask(
        self: &Arc<Self>,
        method: &str,
        params: &str,
    ) -> Result<Answer, CallError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let text = message::request(&id.to_string(), method, params);
        let patience = (method != LISTEN).then_some(self.timeouts);
        self.call(id, text, Pending::default(), patience).await
    }

    async fn call(
        self: &Arc<Self>,
        id: u64,
        text: String,
        pending: Pending,
        patience: Option<Timeouts>,
    ) -> Result<Answer, CallError> {
        let (answer, answered) = oneshot::channel();
        let progressed = Arc::new(Notify::new());
        let route = pending.route.clone();
        if route.as_ref().is_some_and(|it| it.cancel.is_cancelled()) {
            // What the server has not got, it need not be told to forget.
            return Err(CallError::Cancelled);
        }
        let waiting = Waiting {
            is_own_subscription: patience.is_none() && route.is_none(),
            of: pending,
            answer,
            progressed: Arc::clone(&progressed),
        };
        if !self.expect(id, waiting) {
            return Err(self.unsent().await);
        }
        let _unanswered = Unanswered { instance: self, id };
        let begin = Instant::now();
        let (call, total) = patience.map_or((FOR_EVER, FOR_EVER), |it| (it.call, it.total));
        let last = begin + total;
        let mut until = (begin + call).min(last);
        let (begun, mut has_begun) = oneshot::channel();
        let cancelled = async {
            match &route {
                Some(route) => route.cancel.cancelled().await,
                None => std::future::pending().await,
            }
        };
        let exchange = async {
            if self.link.send(id, text, Some(begun)).await.is_err() {
                return None;
            }
            answered.await.ok()
        };
        tokio::pin!(exchange, cancelled);
        loop {
            tokio::select! {
                biased;
                answer = &mut exchange => {
                    return match answer {
                        Some(answer) => answer,
                        None if has_begun.try_recv().is_err() => Err(self.unsent().await),
                        None => Err(self.lost().await),
                    };
                }
                () = &mut cancelled => return Err(CallError::Cancelled),
                () = progressed.notified() => {
                    until = (Instant::now() + call).min(last);
                }
                () = sleep_until(until) => {
                    let (after, what) = match until == last {
                        true => (total, " in all"),
                        false => (call, " without progress"),
                    };
                    return Err(CallError::TimedOut {
                        server: self.server.clone(),
                        after,
                        what,
                        log: self.end_of_log(),
                    });
                }
            }
        }
    }

    /// Expects an answer; `false` if it takes no more requests.
    fn expect(&self, id: u64, waiting: Waiting) -> bool {
        let mut state = self.state();
        state.last_used = Instant::now();
        if !state.is_gone {
            state.pending.insert(id, waiting);
        }
        !state.is_gone
    }

    /// Passes on an answer, or a notification.
    pub(crate) async fn pass(&self, text: String) {
        self.state().last_used = Instant::now();
        let _gone = self.link.send(0, text, None).await;
    }
}

/// A request. Dropped without an answer, it is cancelled at the server: the client is gone, or has waited enough.
struct Unanswered<'a> {
    instance: &'a Instance,
    id: u64,
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        let pending = self.instance.state().pending.remove(&self.id);
        if pending.is_some() {
            let params = format!(r#"{{"requestId":{}}}"#, self.id);
            let text = message::notification("notifications/cancelled", Some(&params));
            self.instance.link.cancel(self.id, text);
        }
    }
}
