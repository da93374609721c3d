//! Answers that come piece by piece: server-sent events (WHATWG HTML, section 9.2).

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::DropGuard;

use crate::hub::Hub;
use crate::outbox::Outbox;
use crate::server::lock;
use crate::session::Session;

/// A stream says something at least this often, so that nobody between takes it for dead.
const SILENCE: Duration = Duration::from_secs(25);

/// The messages of an outbox as events. It never fails.
pub(crate) struct Stream {
    outbox: Arc<Outbox>,
    first: Mutex<Option<String>>,
    /// Waits for the next message.
    next: Mutex<Option<Next>>,
    silence: Pin<Box<Sleep>>,
    /// Cancels the request if the client goes away.
    _cancel: Option<DropGuard>,
    /// Ends the session with the stream.
    _end: Option<Ending>,
}

/// Ends a session when it is dropped.
#[derive(Debug)]
pub(crate) struct Ending {
    hub: Arc<Hub>,
    session: Arc<Session>,
}

impl Ending {
    pub(crate) fn new(hub: &Arc<Hub>, session: &Arc<Session>) -> Self {
        Self {
            hub: Arc::clone(hub),
            session: Arc::clone(session),
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.hub.close(&self.session);
    }
}

type Next = Pin<Box<dyn Future<Output = Option<String>> + Send>>;

impl Stream {
    pub(crate) fn new(outbox: Arc<Outbox>, cancel: Option<DropGuard>) -> Self {
        Self {
            outbox,
            first: Mutex::default(),
            next: Mutex::default(),
            silence: Box::pin(sleep(SILENCE)),
            _cancel: cancel,
            _end: None,
        }
    }

    /// The messages of a session that belong to no request.
    pub(crate) fn listening(session: &Arc<Session>) -> Self {
        Self::new(Arc::clone(&session.outbox), None)
    }

    /// Ends a session with the stream.
    pub(crate) fn with_end(self, ending: Ending) -> Self {
        Self {
            _end: Some(ending),
            ..self
        }
    }

    /// Puts a message before the others.
    pub(crate) fn put_back(&self, first: String) {
        *lock(&self.first) = Some(first);
    }

    /// Whether everything has come.
    pub(crate) fn is_done(&self) -> bool {
        self.outbox.is_done()
    }

    fn poll_message(&self, cx: &mut Context<'_>) -> Poll<Option<String>> {
        if let Some(first) = lock(&self.first).take() {
            return Poll::Ready(Some(first));
        }
        let mut next = lock(&self.next);
        let waiting = next.get_or_insert_with(|| {
            let outbox = Arc::clone(&self.outbox);
            Box::pin(async move { outbox.next().await })
        });
        let polled = waiting.as_mut().poll(cx);
        if polled.is_ready() {
            *next = None;
        }
        polled
    }
}

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let text = match self.poll_message(cx) {
            Poll::Ready(Some(message)) => event(&message),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending if self.silence.as_mut().poll(cx).is_ready() => ":\n\n".to_owned(),
            Poll::Pending => return Poll::Pending,
        };
        self.silence.as_mut().reset(Instant::now() + SILENCE);
        Poll::Ready(Some(Ok(Frame::data(text.into()))))
    }

    fn is_end_stream(&self) -> bool {
        lock(&self.first).is_none() && lock(&self.next).is_none() && self.outbox.is_done()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

/// Returns a message as an event.
fn event(message: &str) -> String {
    // A line end between the members of a message means nothing, and would end the field.
    let data = match message.contains(['\r', '\n']) {
        true => message.replace(['\r', '\n'], " "),
        false => message.to_owned(),
    };
    format!("event: message\ndata: {data}\n\n")
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn messages_are_events_until_the_end() {
        let outbox = Arc::new(Outbox::default());
        outbox.push("{\"a\":\n1}".to_owned());
        outbox.answer(Some("2".to_owned()));
        let stream = Stream::new(outbox, None);
        stream.put_back("0".to_owned());
        let body = stream.collect().await.unwrap().to_bytes();
        let expected = "event: message\ndata: 0\n\nevent: message\ndata: {\"a\": 1}\n\nevent: message\ndata: 2\n\n";
        assert_eq!(body, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_is_kept_alive() {
        let outbox = Arc::new(Outbox::default());
        let mut stream = Stream::new(Arc::clone(&outbox), None);
        let frame = stream.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), ":\n\n");
    }
}
