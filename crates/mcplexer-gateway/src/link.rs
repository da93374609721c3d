//! The way to a running server, whatever its transport.

use tokio::sync::oneshot;

use crate::child::Running;
use crate::http_back::Http;

/// The way to a server.
#[derive(Debug)]
pub(crate) enum Link {
    /// A child's standard input.
    Child(Running),
    /// A session over HTTP.
    Http(Http),
}

impl Link {
    /// Sends a message; waits while the server takes none. `begun` is called when it begins to be sent.
    ///
    /// # Errors
    /// If the server has ended.
    pub(crate) async fn send(
        &self,
        id: u64,
        text: String,
        begun: Option<oneshot::Sender<()>>,
    ) -> Result<(), ()> {
        match self {
            Self::Child(running) => running.send(text, begun).await,
            // It is long, and would take room in each call to a child.
            Self::Http(http) => Box::pin(http.send(id, text, begun)).await,
        }
    }

    /// Sends a message that may be lost if the server takes none.
    pub(crate) fn send_later(&self, text: String) {
        match self {
            Self::Child(running) => running.try_send(text),
            Self::Http(http) => http.send_later(text),
        }
    }

    /// Cancels a request; `text` is the notification that says so.
    pub(crate) fn cancel(&self, _id: u64, text: String) {
        match self {
            Self::Child(running) => running.try_send(text),
            Self::Http(http) => http.cancel(text),
        }
    }

    /// Returns the process, if it is one of this machine.
    pub(crate) fn pid(&self) -> Option<u32> {
        match self {
            Self::Child(running) => Some(running.pid),
            Self::Http(_) => None,
        }
    }

    /// Begins to end it.
    pub(crate) fn stop(&self) {
        match self {
            Self::Child(running) => running.stop(),
            Self::Http(http) => http.stop(),
        }
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&self) {
        match self {
            Self::Child(running) => running.ended().await,
            Self::Http(http) => http.ended().await,
        }
    }
}
