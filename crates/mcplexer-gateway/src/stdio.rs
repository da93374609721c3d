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
            Line::Text(text) => hub.receive(&session, text).await,
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

#[cfg(test)]
mod tests {
    use mcplexer_files::config::Config;
    use mcplexer_home::{Home, OpenHome};
    use mcplexer_secrets::keys::PassphraseRequest;
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, duplex, split};

    use super::*;
    use crate::gateway::Gateway;
    use crate::options::Options;
    use crate::session::{Endpoint, Peer};

    const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

    /// A subscription is only answered when it is cancelled, so nothing is lost by not waiting for it.
    #[tokio::test]
    async fn subscriptions_do_not_keep_a_gateway_that_is_to_end() {
        for subscriptions in [0, 1, 3] {
            let directory = tempfile::tempdir().unwrap();
            let nobody = |_: &PassphraseRequest<'_>| None;
            let home = Home::at(directory.path().join("home"));
            let home = Arc::new(OpenHome::open(home, nobody).unwrap());
            let gateway = Gateway::new(home, &Config::default(), Options::default());
            let session = gateway.open(Endpoint::All, Peer::default());
            let (ours, theirs) = duplex(1 << 16);
            let (input, output) = split(theirs);
            let stop = CancellationToken::new();
            let input = BufReader::new(input);
            let serving = serve(gateway.hub(), Arc::clone(&session), input, output, &stop);
            let client = async {
                let (from, mut to) = split(ours);
                let mut lines = BufReader::new(from).lines();
                for id in 0..subscriptions {
                    let params =
                        format!(r#"{{{META},"notifications":{{"toolsListChanged":true}}}}"#);
                    let listen = message::request(&id.to_string(), "subscriptions/listen", &params);
                    to.write_all(format!("{listen}\n").as_bytes())
                        .await
                        .unwrap();
                    let acknowledged = lines.next_line().await.unwrap().unwrap();
                    assert!(acknowledged.contains("acknowledged"), "{acknowledged}");
                }
                assert!(!gateway.is_busy());
                session.begin("7", "tools/call", CancellationToken::new());
                assert!(gateway.is_busy());
                session.end("7");
                stop.cancel();
                assert_eq!(lines.next_line().await.unwrap(), None);
            };
            tokio::join!(serving, client);
        }
    }
}
