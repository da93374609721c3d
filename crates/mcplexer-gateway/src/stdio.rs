//! A client on a byte stream, such as standard input and output.

use std::sync::Arc;

use tokio::io::{AsyncBufRead, AsyncWrite};

use crate::frame::{Line, Lines, write_line};
use crate::hub::Hub;
use crate::message;
use crate::session::{Endpoint, Peer};

/// Serves a client until it is gone.
pub(crate) async fn serve(
    hub: &Arc<Hub>,
    endpoint: Endpoint,
    peer: Peer,
    input: impl AsyncBufRead + Unpin,
    mut output: impl AsyncWrite + Unpin + Send + 'static,
) {
    let limit = hub.limits().message;
    let session = hub.open(endpoint, peer);
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
    while let Ok(Some(line)) = lines.next().await {
        match line {
            Line::Text(text) => hub.receive(&session, text),
            Line::NotText => {
                let text = "the message is not UTF-8 text";
                session.outbox.push(message::error("null", -32700, text));
            }
            Line::TooLong { .. } => {
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
