//! What clients post: messages, which are read, passed on and answered.

use std::error::Error;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Body;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Request, StatusCode};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::body::{Ending, Stream};
use super::response::{
    Answer, bad_request, empty, events, events_of, json, no_batches, no_session, not_json, plain,
};
use super::{Front, SESSION_ID, VERSION, accepts, headers};
use crate::backlog::Place;
use crate::dialect::{MODERN, legacy_dialect, modern_dialect};
use crate::json::Value;
use crate::length::to_the_end;
use crate::message::{self, Kind, Message, NoMessage, Sent};
use crate::outbox::Outbox;
use crate::session::{Endpoint, Peer, Session};

/// The longest description of a client, in bytes: the id of its session has it all, and clients such as Node.js take no
/// more than 16 KiB of header fields.
const MAX_DIALECT: usize = 8 << 10;

/// How long a long message may take to arrive: others may wait for its place.
const BODY_WAIT: Duration = Duration::from_secs(120);

/// What a client says beside a message.
struct Head {
    headers: HeaderMap,
    endpoint: Endpoint,
    peer: Peer,
    /// Held until the message is answered.
    _place: Option<Place>,
}

impl Front {
    /// Answers a request with a body.
    pub(super) async fn post<B>(
        self: &Arc<Self>,
        request: Request<B>,
        endpoint: Endpoint,
        peer: Peer,
    ) -> Answer
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let is_json = |it: &HeaderValue| it.as_bytes().starts_with(b"application/json");
        if !head.headers.get(CONTENT_TYPE).is_some_and(is_json) {
            let text = "the body has to be application/json\n";
            return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, text);
        }
        if !accepts(&head.headers, &["application/json", "text/event-stream"]) {
            let text = "the client has to accept application/json and text/event-stream\n";
            return plain(StatusCode::NOT_ACCEPTABLE, text);
        }
        let limit = self.hub.limits().message;
        let too_long = || {
            let text = format!("the message is longer than {limit} bytes, or was cut off");
            json(
                StatusCode::PAYLOAD_TOO_LARGE,
                message::error("null", -32600, &text),
            )
        };
        // What says that it is too long is not waited for.
        if usize::try_from(body.size_hint().lower())
            .ok()
            .is_none_or(|it| it > limit)
        {
            return too_long();
        }
        // What does not say how long it is can be as long as any.
        let most = body.size_hint().upper().map(usize::try_from);
        let most = most.map_or(limit, |it| it.unwrap_or(limit)).min(limit);
        let place = self.backlog.place(most).await;
        let read = Limited::new(body, limit).collect();
        let read = match &place {
            Some(_) => timeout(BODY_WAIT, read).await.ok(),
            None => Some(read.await),
        };
        let text = match read {
            Some(Ok(collected)) => String::from_utf8(collected.to_bytes().into()),
            Some(Err(_)) => return too_long(),
            None => {
                let text = format!("the message took longer than {} s\n", BODY_WAIT.as_secs());
                return plain(StatusCode::REQUEST_TIMEOUT, &text);
            }
        };
        let Ok(text) = text else {
            return bad_request(not_json());
        };
        let head = Head {
            headers: head.headers,
            endpoint,
            peer,
            _place: place.and_then(|it| it.of(text.len())),
        };
        self.post_text(head, text).await
    }

    /// Answers what a client sends. If it hangs up meanwhile, it takes back its request; other messages are taken still.
    async fn post_text(self: &Arc<Self>, head: Head, text: String) -> Answer {
        match to_the_end(text.len(), Arc::clone(self).read(head, text)).await {
            ControlFlow::Continue((head, request)) => self.post_one(head, request).await,
            ControlFlow::Break(answer) => answer,
        }
    }

    /// Reads what a client sends. Returns a request; answers everything else.
    async fn read(
        self: Arc<Self>,
        head: Head,
        text: String,
    ) -> ControlFlow<Answer, (Head, Message)> {
        let message = match Sent::read(text, true).await {
            Ok(Sent::One(message)) => message,
            Ok(Sent::Several(messages)) => {
                return ControlFlow::Break(self.post_batch(&head, messages).await);
            }
            Err(why) => {
                return ControlFlow::Break(bad_request(match why {
                    NoMessage::Batch => no_batches(),
                    NoMessage::Many => message::error("null", -32600, &message::too_many()),
                    NoMessage::NotRpc => {
                        message::error("null", -32600, "the message is not JSON-RPC 2.0")
                    }
                    NoMessage::NotJson => not_json(),
                }));
            }
        };
        match message.kind() {
            Kind::Request(_) => ControlFlow::Continue((head, message)),
            _ => ControlFlow::Break(Box::pin(self.post_one(head, message)).await),
        }
    }

    /// Answers a message.
    async fn post_one(&self, head: Head, message: Message) -> Answer {
        let version = head.headers.get(VERSION).and_then(|it| it.to_str().ok());
        let is_modern =
            modern_dialect(&message).is_some() || version.is_some_and(|it| MODERN.contains(&it));
        match is_modern {
            true => self.post_modern(head, message).await,
            false => self.post_legacy(head, message).await,
        }
    }

    /// Answers a client without a session.
    async fn post_modern(&self, head: Head, message: Message) -> Answer {
        if let Err(error) = headers::check(&head.headers, &message) {
            return bad_request(error);
        }
        let Kind::Request(_) = message.kind() else {
            return empty(StatusCode::ACCEPTED);
        };
        let session = self.hub.open(head.endpoint, head.peer);
        let ending = Ending::new(&self.hub, &session);
        if let Some(tool) = self.hub.tool(&session, &message).await
            && let Err(error) = headers::check_arguments(&head.headers, &message, &tool)
        {
            return bad_request(error);
        }
        let (first, stream) = self.begin(&session, message).await;
        let Some(first) = first else {
            return empty(StatusCode::ACCEPTED);
        };
        let stream = stream.with_end(ending);
        match stream.is_done() {
            true => {
                let status = headers::status(&first);
                json(status, first)
            }
            false => events(first, stream),
        }
    }

    /// Answers a client with a session, or one that begins a session.
    async fn post_legacy(&self, head: Head, message: Message) -> Answer {
        let is_first = *message.kind() == Kind::Request("initialize".to_owned());
        if is_first && legacy_dialect(&message).len() > MAX_DIALECT {
            let text = format!("the description of the client is longer than {MAX_DIALECT} bytes");
            let id = message.id().unwrap_or("null");
            return bad_request(message::error(id, -32602, &text));
        }
        let session = match head.headers.get(SESSION_ID) {
            _ if is_first => self.hub.open(head.endpoint, head.peer),
            Some(id) => match self.sessions.get(&self.hub, id, &head.endpoint, &head.peer) {
                Some(session) => session,
                None => return no_session(message.id()),
            },
            None => {
                let id = message.id().unwrap_or("null");
                if let Endpoint::One(name) = &head.endpoint
                    && self.hub.server_for(&head.peer, name).is_none()
                {
                    return json(StatusCode::NOT_FOUND, message::no_server(id, name));
                }
                let text = "the header field Mcp-Session-Id is missing";
                return bad_request(message::error(id, -32600, text));
            }
        };
        let Kind::Request(_) = message.kind() else {
            let cancel = CancellationToken::new();
            let taken = self.hub.take(&session, &session.outbox, message, cancel);
            taken.await;
            return empty(StatusCode::ACCEPTED);
        };
        let (first, stream) = self.begin(&session, message).await;
        let Some(first) = first else {
            if is_first {
                self.hub.close(&session);
            }
            return empty(StatusCode::ACCEPTED);
        };
        // A client that was refused has no session.
        let is_refused = stream.is_done() && Value::new(&first).at(&["error"]).is_some();
        let mut answer = match stream.is_done() {
            true => json(StatusCode::OK, first),
            false => events(first, stream),
        };
        if is_first {
            let add = || self.sessions.add(&self.hub, &session);
            match (!is_refused).then(add).flatten() {
                Some(id) => {
                    answer.headers_mut().insert(SESSION_ID, id);
                }
                None => self.hub.close(&session),
            }
        }
        answer
    }

    /// Answers a client that sends several messages at once.
    async fn post_batch(&self, head: &Head, messages: Vec<Message>) -> Answer {
        let get = |id| {
            let (endpoint, peer) = (&head.endpoint, &head.peer);
            self.sessions.get(&self.hub, id, endpoint, peer)
        };
        let session = head.headers.get(SESSION_ID).and_then(get);
        let Some(session) = session.filter(|it| it.takes_batches()) else {
            return bad_request(no_batches());
        };
        let is_request = |it: &&Message| matches!(it.kind(), Kind::Request(_));
        let requests = messages.iter().filter(is_request).count();
        let outbox = Arc::new(Outbox::for_answers(requests));
        let cancel = CancellationToken::new();
        for message in messages {
            let taken = self.hub.take(&session, &outbox, message, cancel.clone());
            taken.await;
        }
        match requests {
            0 => empty(StatusCode::ACCEPTED),
            _ => events_of(Stream::new(outbox, Some(cancel.drop_guard()))),
        }
    }

    /// Passes a request on. Returns the first thing that comes back, and where the rest comes from. Dropped, the request
    /// is cancelled.
    async fn begin(&self, session: &Arc<Session>, message: Message) -> (Option<String>, Stream) {
        let outbox = Arc::new(Outbox::default());
        let cancel = CancellationToken::new();
        let stream = Stream::new(Arc::clone(&outbox), Some(cancel.clone().drop_guard()));
        self.hub.take(session, &outbox, message, cancel).await;
        (outbox.next().await, stream)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use bytes::Bytes;
    use http_body_util::{Channel, Full};
    use mcplexer_files::config::Config;
    use mcplexer_home::{Home, OpenHome};
    use mcplexer_secrets::keys::PassphraseRequest;
    use tempfile::TempDir;
    use tokio::sync::oneshot;

    use super::*;
    use crate::http::Access;
    use crate::hub::Hub;
    use crate::options::Options;
    use crate::session::Question;

    fn front(directory: &TempDir) -> Arc<Front> {
        let nobody = |_: &PassphraseRequest<'_>| None;
        let home = OpenHome::open(Home::at(directory.path().join("home")), nobody).unwrap();
        let hub = Hub::new(Arc::new(home), &Config::default(), &Options::default());
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        Front::new(hub, Access::open(), None, address)
    }

    fn request<B>(body: B) -> Request<B> {
        let mut request = Request::new(body);
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        request
    }

    #[tokio::test]
    async fn a_long_message_is_read_once_it_has_a_place() {
        let directory = tempfile::tempdir().unwrap();
        let front = front(&directory);
        let post = |bytes: usize| {
            // What is no text is refused as soon as it is read.
            let body = Full::<Bytes>::from(vec![0xff; bytes]);
            front.post(request(body), Endpoint::All, Peer::default())
        };
        let all = front.backlog.place(usize::MAX).await;
        assert_eq!(post(10).await.status(), StatusCode::BAD_REQUEST);
        let mut long = pin!(post(100_000));
        let mut context = Context::from_waker(Waker::noop());
        assert!(long.as_mut().poll(&mut context).is_pending());
        drop(all);
        assert_eq!(long.await.status(), StatusCode::BAD_REQUEST);
        assert!(front.backlog.place(usize::MAX).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_never_ends_keeps_no_place() {
        let directory = tempfile::tempdir().unwrap();
        let front = front(&directory);
        let (_sender, body) = Channel::<Bytes>::new(1);
        let answer = front.post(request(body), Endpoint::All, Peer::default());
        assert_eq!(answer.await.status(), StatusCode::REQUEST_TIMEOUT);
        assert!(front.backlog.place(usize::MAX).await.is_some());
    }

    #[tokio::test]
    async fn a_long_answer_is_taken_though_its_client_has_hung_up() {
        let directory = tempfile::tempdir().unwrap();
        let nobody = |_: &PassphraseRequest<'_>| None;
        let home = OpenHome::open(Home::at(directory.path().join("home")), nobody).unwrap();
        let hub = Hub::new(Arc::new(home), &Config::default(), &Options::default());
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let front = Front::new(Arc::clone(&hub), Access::open(), None, address);
        let session = hub.open(Endpoint::All, Peer::default());
        let hello = message::request("1", "initialize", r#"{"protocolVersion":"2025-11-25"}"#);
        let dialect = legacy_dialect(&Message::parse(hello).unwrap());
        session.set_dialect(hub.dialects.shared(dialect));
        let id = front.sessions.add(&hub, &session).unwrap();
        let (answer, answered) = oneshot::channel();
        let number = session.ask(Question::Gateway(answer));
        let head = Head {
            headers: HeaderMap::from_iter([(SESSION_ID.parse().unwrap(), id)]),
            endpoint: Endpoint::All,
            peer: Peer::default(),
            _place: None,
        };
        let text = format!(r#"{{"x":"{}"}}"#, "y".repeat(100_000));
        let text = message::result(&number.to_string(), &text);
        {
            let posted = pin!(front.post_text(head, text));
            let mut context = Context::from_waker(Waker::noop());
            assert!(posted.poll(&mut context).is_pending());
        }
        assert!(answered.await.unwrap().result().is_some());
    }
}
