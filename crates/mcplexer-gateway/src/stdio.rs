//! A client on a byte stream, such as standard input and output.

use std::sync::Arc;

use tokio::io::{AsyncBufRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use crate::frame::{Line, Lines, write_line};
use crate::hub::Hub;
use crate::message;
use crate::session::Session;

/// Serves a client until it is gone, or until `stop`: then what it has asked for is answered, and nothing more is read.
pub(crate) async fn serve(
    hub: &Arc<Hub>,
    session: Arc<Session>,
    input: impl AsyncBufRead + Unpin,
    mut output: impl AsyncWrite + Unpin + Send + 'static,
    stop: &CancellationToken,
) {
    let limit = hub.limits().message;
    let _closed = Closing(hub, &session);
    let outbox = Arc::clone(&session.outbox);
    let writing = tokio::spawn(async move {
        while let Some(text) = outbox.next().await {
            if write_line(&mut output, text).await.is_err() {
                outbox.close();
                return;
            }
        }
    });
    let mut lines = Lines::new(input, limit);
    loop {
        let next = tokio::select! {
            next = lines.next() => next,
            () = stop.cancelled() => break session.answered_all().await,
        };
        let Ok(Some(line)) = next else { break };
        match line {
            Line::Text(text) => hub.receive(&session, text),
            Line::NotText(_) => {
                let text = "the message is not UTF-8 text";
                session.outbox.push(message::error("null", -32700, text));
            }
            Line::TooLong(_) => {
                let text = format!("the message is longer than {limit} bytes");
                session.outbox.push(message::error("null", -32600, &text));
            }
        }
        if session.outbox.is_closed() {
            break;
        }
    }
    hub.close(&session);
    let _written = writing.await;
}

/// Ends a session, also if nobody waits for it any more.
struct Closing<'a>(&'a Arc<Hub>, &'a Session);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close(self.1);
    }
}
