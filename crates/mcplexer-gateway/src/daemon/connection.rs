//! One connection on the socket: a client, or a command that asks something.

use std::time::Duration;

use rustix::process::getuid;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::time::timeout;

use super::Serving;
use super::talk::{self, Ask, Hello, Reply};
use crate::frame::{Line, Lines};
use crate::session::{Endpoint, Peer};
use crate::stdio;

/// How long a connection may take to say what it is.
const HELLO_WAIT: Duration = Duration::from_secs(10);

impl Serving {
    /// Serves a connection until it ends.
    pub(super) async fn connection(&self, stream: UnixStream) {
        // The directory is closed to others; root is let in nowhere either.
        let Ok(credentials) = stream.peer_cred() else {
            return;
        };
        if credentials.uid() != getuid().as_raw() {
            return;
        }
        let (read, mut write) = stream.into_split();
        let mut input = BufReader::with_capacity(64 << 10, read);
        let Ok(Some(hello)) = timeout(HELLO_WAIT, hello(&mut input)).await else {
            return;
        };
        let reply = match (&hello, hello.ask) {
            (Hello { mcplexer, .. }, _) if *mcplexer != talk::VERSION => Reply::Error(format!(
                "the gateway is of version {}; mcplexer serve --stop ends it, and the next client starts the other one",
                env!("CARGO_PKG_VERSION")
            )),
            (_, None) => Reply::Ok,
            (_, Some(ask)) => self.reply(ask, &hello),
        };
        let is_ok = matches!(reply, Reply::Ok);
        let Ok(line) = talk::line(&reply) else { return };
        if write.write_all(line.as_bytes()).await.is_err() || hello.ask.is_some() || !is_ok {
            if hello.ask == Some(Ask::Stop) {
                self.stop.cancel();
            }
            return;
        }
        let pid = credentials.pid().and_then(|it| u32::try_from(it).ok());
        let peer = Peer::process(hello.client, credentials.uid(), pid);
        let endpoint = hello.server.map_or(Endpoint::All, Endpoint::One);
        let session = self.inside.gateway.open(endpoint, peer);
        if let Some(first) = hello.first_question {
            session.number_questions_from(first);
        }
        let hub = self.inside.gateway.hub();
        stdio::serve(hub, session, input, write, &self.stop).await;
    }

    fn reply(&self, ask: Ask, hello: &Hello) -> Reply {
        let server = || {
            let name = hello.server.as_ref();
            let name = name.ok_or_else(|| Reply::Error("no server is named".to_owned()))?;
            let server = self.inside.gateway.hub().server(name);
            server.ok_or_else(|| Reply::Unknown(name.clone()))
        };
        match ask {
            Ask::Status => Reply::Status(Box::new(self.inside.status())),
            Ask::Page => self.page().unwrap_or_else(Reply::Error),
            Ask::EndSessions => {
                let ended = self.site.as_ref().map_or(0, |it| it.end_sessions());
                Reply::Ended(ended)
            }
            Ask::Stop => Reply::Ok,
            Ask::Restart => server().map_or_else(
                |refused| refused,
                |server| {
                    let running = server.restart();
                    server.start_if_eager(None);
                    Reply::Ended(running)
                },
            ),
            Ask::Logs => server().map_or_else(
                |refused| refused,
                |server| Reply::Lines(server.log.last(usize::MAX)),
            ),
        }
    }
}

/// Reads what a connection says first; nothing that comes behind it.
async fn hello(input: &mut BufReader<OwnedReadHalf>) -> Option<Hello> {
    let mut lines = Lines::new(input, talk::MAX_LINE);
    match lines.next().await {
        Ok(Some(Line::Text(text))) => serde_json::from_str(&text).ok(),
        _ => None,
    }
}
