//! A gateway in a home of its own, and a client of it.

use std::sync::Arc;
use std::time::Duration;

use mcplexer_files::config::{Auth, Config, Http, Server, ServerName, Transport};
use mcplexer_gateway::{Endpoint, Gateway, Limits, Options, Peer};
use mcplexer_home::calls::CallReader;
use mcplexer_home::{Home, OpenHome};
use mcplexer_secrets::keys::PassphraseRequest;
use mcplexer_secrets::{NewScope, PutMode, ScopeKind, SecretStore, SecretValue};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{
    AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf, duplex,
    split,
};
use tokio::task::JoinHandle;

/// The server that is under test.
pub(crate) fn name() -> ServerName {
    "remote".parse().unwrap()
}

/// A server at a URL, with header fields.
pub(crate) fn at(url: &str, headers: &[(&str, &str)]) -> Server {
    let headers = headers.iter();
    let headers = headers.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Server::new(Transport::Http(Http {
        url: url.to_owned(),
        headers: headers.collect(),
        auth: None,
    }))
}

/// The same, with every secret of a scope.
pub(crate) fn with_scope(url: &str, scope: &str, kind: ScopeKind) -> Server {
    Server::new(Transport::Http(Http {
        url: url.to_owned(),
        headers: [].into(),
        auth: Some(Auth {
            scope: scope.parse().unwrap(),
            kind,
        }),
    }))
}

/// A home with a gateway for one server.
pub(crate) struct World {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) home: Arc<OpenHome>,
    _directory: TempDir,
}

/// A home with these secrets, each `(scope, kind, name, value)`.
pub(crate) fn world(server: Server, secrets: &[(&str, ScopeKind, &str, &str)]) -> World {
    world_of(server, secrets, Limits::default())
}

pub(crate) fn world_of(
    server: Server,
    secrets: &[(&str, ScopeKind, &str, &str)],
    options: impl Into<Options>,
) -> World {
    let directory = tempfile::tempdir().unwrap();
    let nobody = |_: &PassphraseRequest<'_>| None;
    let home = Home::at(directory.path().join("home"));
    let home = Arc::new(OpenHome::open(home, nobody).unwrap());
    for (scope, kind, name, value) in secrets {
        put(&home, scope, *kind, name, value);
    }
    let mut config = Config::default();
    config.servers.insert(name(), server);
    World {
        gateway: Arc::new(Gateway::new(Arc::clone(&home), &config, options)),
        home,
        _directory: directory,
    }
}

/// Stores a secret.
pub(crate) fn put(home: &OpenHome, scope: &str, kind: ScopeKind, name: &str, value: &str) {
    let mut scope = NewScope::env(scope.parse().unwrap());
    scope.kind = kind;
    let value = SecretValue::new(value.into()).unwrap();
    let name = name.parse().unwrap();
    let mode = PutMode::Overwrite;
    home.store().put(&scope, &name, &value, mode).unwrap();
}

impl World {
    /// Connects a client to the server, unchanged, and greets it.
    pub(crate) async fn client(&self) -> Client {
        let mut client = self.connect();
        let hello = client.initialize().await;
        assert!(hello.get("result").is_some(), "{hello}");
        client
            .send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
            .await;
        client
    }

    pub(crate) fn connect(&self) -> Client {
        let (ours, theirs) = duplex(1 << 20);
        let gateway = Arc::clone(&self.gateway);
        let serving = tokio::spawn(async move {
            let (input, output) = split(theirs);
            let peer = Peer::named(Some("test".to_owned()));
            let endpoint = Endpoint::One(name());
            gateway
                .serve_stream(endpoint, peer, BufReader::new(input), output)
                .await;
        });
        let (from, to) = split(ours);
        Client {
            to,
            from: BufReader::new(from).lines(),
            next_id: 1,
            serving,
        }
    }

    /// Ends the gateway, and waits for it.
    pub(crate) async fn stop(self, client: Client) {
        client.close().await;
        Arc::into_inner(self.gateway).unwrap().stop().await;
    }

    /// Returns the audit log's lines about what this server got.
    pub(crate) fn injections(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.home.home().audit_log()).unwrap_or_default();
        let lines = log.lines().filter(|it| it.contains("inject"));
        lines.map(str::to_owned).collect()
    }

    /// Returns the secrets that each call used, as the audit log has them.
    pub(crate) fn used(&self) -> Vec<String> {
        let log = self.home.home().audit_log();
        let mut calls = CallReader::open(&log).unwrap().unwrap();
        let calls = calls.last(usize::MAX).unwrap();
        calls.iter().map(|it| it.secrets.join(" ")).collect()
    }
}

/// A client on a byte stream.
pub(crate) struct Client {
    to: WriteHalf<DuplexStream>,
    from: Lines<BufReader<ReadHalf<DuplexStream>>>,
    next_id: u64,
    serving: JoinHandle<()>,
}

impl Client {
    pub(crate) async fn initialize(&mut self) -> Value {
        let params = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {"sampling": {}},
            "clientInfo": {"name": "test", "version": "1"},
        });
        self.ask("initialize", params).await
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        let line = format!("{message}\n");
        self.to.write_all(line.as_bytes()).await.unwrap();
    }

    /// Sends a request. Returns its id.
    pub(crate) async fn begin(&mut self, method: &str, params: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send(&message).await;
        id
    }

    /// Returns the next message.
    pub(crate) async fn next(&mut self) -> Value {
        // Only for a test that fails: it would wait for ever.
        let line = tokio::time::timeout(Duration::from_secs(60), self.from.next_line());
        let line = line.await.expect("no message").unwrap();
        serde_json::from_str(&line.expect("no more messages")).unwrap()
    }

    /// Sends a request, and returns the next message, which must be the answer.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, params).await;
        let answer = self.next().await;
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    pub(crate) async fn call(&mut self, tool: &str) -> Value {
        let params = json!({"name": tool, "arguments": {}});
        self.ask("tools/call", params).await
    }

    /// Calls a tool. Returns the text of the error.
    pub(crate) async fn fails(&mut self, tool: &str) -> String {
        let answer = self.call(tool).await;
        let error = answer["error"]["message"].as_str();
        error
            .unwrap_or_else(|| panic!("no error: {answer}"))
            .to_owned()
    }

    pub(crate) async fn close(mut self) {
        self.to.shutdown().await.unwrap();
        drop(self.to);
        self.serving.await.unwrap();
    }
}

/// Returns the text of a tool's answer.
pub(crate) fn text(answer: &Value) -> &str {
    let text = answer["result"]["content"][0]["text"].as_str();
    text.unwrap_or_else(|| panic!("no text: {answer}"))
}
