//! The events of one response.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::problem::cause;
use super::sse::{Event, Parser};
use crate::instance::Instance;

/// How long to wait for the end of a response whose answer is known, so that its connection can be used again.
const PATIENCE: Duration = Duration::from_secs(2);

/// The events of a response. Dropped before its end, it closes the connection.
#[derive(Debug)]
pub(crate) struct Events {
    body: Incoming,
    pub(crate) parser: Parser,
}

impl Event {
    /// Passes the message in it on, if it is one that belongs to no request.
    pub(crate) async fn reach(self, instance: &Arc<Instance>) {
        if self.name == "message" {
            instance.take(self.data, None).await;
        }
    }
}

impl Events {
    pub(crate) fn new(body: Incoming, limit: usize) -> Self {
        Self {
            body,
            parser: Parser::new(limit),
        }
    }

    /// Returns the next event; `None` at the end.
    ///
    /// # Errors
    /// Why the stream was cut.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, String> {
        loop {
            if let Some(event) = self.parser.next() {
                return Ok(Some(event));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    if let Ok(piece) = frame.into_data() {
                        self.parser.feed(&piece);
                    }
                }
                Some(Err(error)) => return Err(cause(&error)),
            }
        }
    }

    /// Takes in the background what comes after the answer.
    pub(crate) async fn finish(mut self, instance: &Arc<Instance>) {
        let at_once = std::future::poll_fn(|context| {
            let next = std::pin::pin!(self.next()).poll(context);
            Poll::Ready(next)
        });
        match at_once.await {
            Poll::Ready(Ok(Some(event))) => event.reach(instance).await,
            Poll::Ready(_) => return,
            Poll::Pending => {}
        }
        let instance = Arc::downgrade(instance);
        tokio::spawn(timeout(PATIENCE, async move {
            while let Ok(Some(event)) = self.next().await {
                if let Some(instance) = instance.upgrade() {
                    event.reach(&instance).await;
                }
            }
        }));
    }
}
