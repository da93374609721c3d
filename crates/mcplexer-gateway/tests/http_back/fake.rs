//! HTTP servers on loopback that answer as a test says.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::BodyExt;
use http_body_util::channel::{Channel, Sender};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

pub(crate) type Answer = Response<Channel<Bytes, Infallible>>;

/// A request as a server sees it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Seen {
    /// Returns a header field, or nothing.
    pub(crate) fn field(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |it| it.to_str().unwrap())
    }

    /// Returns the JSON-RPC method.
    pub(crate) fn rpc(&self) -> &str {
        self.body["method"].as_str().unwrap_or_default()
    }

    /// Answers with a result.
    pub(crate) fn result(&self, result: &Value) -> Answer {
        let id = &self.body["id"];
        json(200, &json!({"jsonrpc": "2.0", "id": id, "result": result}))
    }

    /// Answers with a tool's text.
    pub(crate) fn text(&self, text: &str) -> Answer {
        self.result(&json!({"content": [{"type": "text", "text": text}]}))
    }

    /// Answers as a server of the protocol with one session does, which offers no stream.
    pub(crate) fn usual(&self) -> Answer {
        match (self.method.as_str(), self.rpc()) {
            ("POST", "initialize") => {
                let version = &self.body["params"]["protocolVersion"];
                let mut answer = self.result(&json!({
                    "protocolVersion": version,
                    "capabilities": {"tools": {}, "logging": {}},
                    "serverInfo": {"name": "fake", "version": "1"},
                }));
                let session = "session-1".parse().unwrap();
                answer.headers_mut().insert("mcp-session-id", session);
                answer
            }
            ("POST", _) if self.body["id"].is_null() || self.rpc().is_empty() => empty(202),
            ("POST", "tools/call") => self.text("done"),
            ("POST", _) => self.result(&json!({"tools": []})),
            ("DELETE", _) => empty(204),
            _ => empty(405),
        }
    }
}

/// Answers without a body.
pub(crate) fn empty(status: u16) -> Answer {
    of(status, "", "")
}

pub(crate) fn json(status: u16, body: &Value) -> Answer {
    of(status, "application/json", &body.to_string())
}

/// Answers with a body.
pub(crate) fn of(status: u16, kind: &str, body: &str) -> Answer {
    of_bytes(status, kind, body.as_bytes().to_vec())
}

pub(crate) fn of_bytes(status: u16, kind: &str, body: Vec<u8>) -> Answer {
    let (mut sender, answer) = streamed(status, kind);
    if !body.is_empty() {
        let frame = hyper::body::Frame::data(Bytes::from(body));
        sender.try_send(frame).unwrap();
    }
    answer
}

/// Answers with events, which follow.
pub(crate) fn events() -> (Events, Answer) {
    let (sender, answer) = streamed(200, "text/event-stream; charset=utf-8");
    (Events(sender), answer)
}

fn streamed(status: u16, kind: &str) -> (Sender<Bytes>, Answer) {
    let (sender, body) = Channel::new(64);
    let mut answer = Response::new(body);
    *answer.status_mut() = status.try_into().unwrap();
    if !kind.is_empty() {
        let kind = kind.parse().unwrap();
        answer.headers_mut().insert("content-type", kind);
    }
    (sender, answer)
}

/// The rest of an answer. Dropped, it ends the answer.
pub(crate) struct Events(Sender<Bytes>);

impl Events {
    /// Sends text as it is. Returns whether somebody reads it.
    pub(crate) async fn raw(&mut self, text: &str) -> bool {
        self.0.send_data(Bytes::from(text.to_owned())).await.is_ok()
    }

    pub(crate) async fn message(&mut self, message: &Value) {
        assert!(
            self.raw(&format!("event: message\ndata: {message}\n\n"))
                .await
        );
    }
}

/// A server on loopback.
pub(crate) struct Fake {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    news: mpsc::UnboundedReceiver<Seen>,
    connections: Arc<AtomicUsize>,
}

impl Fake {
    /// Starts a server.
    pub(crate) async fn start(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let (seen, connections) = (Arc::default(), Arc::default());
        let (tell, news) = mpsc::unbounded_channel();
        let fake = Self {
            url,
            seen: Arc::clone(&seen),
            news,
            connections: Arc::clone(&connections),
        };
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::Relaxed);
                let (answer, seen, tell) = (Arc::clone(&answer), Arc::clone(&seen), tell.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    let (answer, seen, tell) =
                        (Arc::clone(&answer), Arc::clone(&seen), tell.clone());
                    async move {
                        let one = read(request).await;
                        seen.lock().unwrap().push(one.clone());
                        let _nobody_waits = tell.send(one.clone());
                        Ok::<_, Infallible>(answer(&one))
                    }
                });
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        });
        fake
    }

    /// Returns every request so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Returns the methods of every request so far.
    pub(crate) fn methods(&self) -> Vec<String> {
        let one = |it: &Seen| format!("{} {}", it.method, it.rpc()).trim_end().to_owned();
        self.seen().iter().map(one).collect()
    }

    /// Waits for a request.
    pub(crate) async fn wait_for(&mut self, is_it: impl Fn(&Seen) -> bool) -> Seen {
        loop {
            let next = self.news.recv().await.expect("the server has ended");
            if is_it(&next) {
                return next;
            }
        }
    }

    /// Returns how many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

pub(crate) async fn read(request: Request<Incoming>) -> Seen {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Seen {
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        headers: parts.headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    }
}

/// Starts a server that answers `initialize` and notifications, and to everything else writes these bytes and closes the
/// connection. `{id}` in them is the request's.
pub(crate) async fn raw(bytes: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp?key=hidden", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let request = read_raw(&mut stream).await;
                let id = request["id"].to_string();
                let answer = match request["method"].as_str() {
                    Some("initialize") => {
                        let body = format!(
                            r#"{{"jsonrpc":"2.0","id":{id},"result":{{"protocolVersion":"2025-11-25","capabilities":{{}}}}}}"#
                        );
                        let len = body.len();
                        format!(
                            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {len}\r\n\r\n{body}"
                        )
                    }
                    Some(method) if !method.starts_with("notifications/") => {
                        bytes.replace("{id}", &id)
                    }
                    _ => "HTTP/1.1 405 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
                        .to_owned(),
                };
                let _closed = stream.write_all(answer.as_bytes()).await;
                let _closed = stream.shutdown().await;
            });
        }
    });
    url
}

async fn read_raw(stream: &mut tokio::net::TcpStream) -> Value {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase();
            let length = length.split("content-length: ").nth(1);
            let length = length.and_then(|it| it.lines().next()?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return serde_json::from_str(body).unwrap_or_default();
            }
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return Value::Null,
            Ok(len) => request.extend_from_slice(&piece[..len]),
        }
    }
}
