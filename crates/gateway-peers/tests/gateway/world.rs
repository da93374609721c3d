//! A gateway in a home of its own, and its clients.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mcplexer_files::config::{self, Config, Http, Server, Stdio, Transport};
use mcplexer_gateway::{Access, Endpoint, Gateway, Limits, Peer};
use mcplexer_home::calls::Call;
use mcplexer_home::{Home, OpenHome};
use mcplexer_secrets::keys::PassphraseRequest;
use mcplexer_secrets::{NewScope, PutMode, SecretStore, SecretValue};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::skip;
use tokio::io::{
    AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf, duplex,
    split,
};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a client waits for a message, so that a test that fails ends.
const PATIENCE: Duration = Duration::from_secs(120);

/// A secret: the scope, the name, the value.
pub(crate) type Secret<'a> = (&'a str, &'a str, &'a [u8]);

/// A gateway, and the home that it is in.
pub(crate) struct World {
    gateway: Arc<Gateway>,
    fronts: Vec<JoinHandle<std::io::Result<()>>>,
    end: CancellationToken,
    _directory: TempDir,
}

/// Where `.ci/servers` installed public servers and clients.
pub(crate) fn installed() -> Option<PathBuf> {
    let place = std::env::var_os("MCPLEXER_TEST_SERVERS").map(PathBuf::from);
    if place.is_none() {
        skip("servers", "MCPLEXER_TEST_SERVERS names no directory");
    }
    place
}

/// A server that is started.
pub(crate) fn program(program: &str, arguments: &[&str], env: &[(&str, &str)]) -> Server {
    let command = [program].into_iter().chain(arguments.iter().copied());
    let mut stdio = Stdio::new(command.map(str::to_owned).collect());
    stdio.env = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Server::new(Transport::Stdio(stdio))
}

/// A server at a URL.
pub(crate) fn remote(url: &str, headers: &[(&str, &str)]) -> Server {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Server::new(Transport::Http(Http {
        url: url.to_owned(),
        headers: headers.collect(),
        auth: None,
    }))
}

impl World {
    pub(crate) fn new(servers: Vec<(&str, Server)>, secrets: &[Secret<'_>]) -> Self {
        Self::with_clients(servers, secrets, &[])
    }

    /// With clients that see some servers only.
    pub(crate) fn with_clients(
        servers: Vec<(&str, Server)>,
        secrets: &[Secret<'_>],
        clients: &[(&str, &[&str])],
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let nobody = |_: &PassphraseRequest<'_>| None;
        let home = OpenHome::open(Home::at(directory.path().join("home")), nobody).unwrap();
        for (scope, name, value) in secrets {
            let value = SecretValue::copy_of(value).unwrap();
            let scope = NewScope::env(scope.parse().unwrap());
            home.store()
                .put(&scope, &name.parse().unwrap(), &value, PutMode::Overwrite)
                .unwrap();
        }
        let mut config = Config::default();
        for (name, server) in servers {
            config.servers.insert(name.parse().unwrap(), server);
        }
        for (name, servers) in clients {
            let mut client = config::Client::default();
            client.servers = Some(servers.iter().map(|it| it.parse().unwrap()).collect());
            config.clients.insert(name.parse().unwrap(), client);
        }
        Self {
            gateway: Arc::new(Gateway::new(Arc::new(home), &config, Limits::default())),
            fronts: Vec::new(),
            end: CancellationToken::new(),
            _directory: directory,
        }
    }

    /// Serves HTTP. Returns the URL of all servers, which that of one begins with.
    pub(crate) async fn serve(&mut self) -> String {
        self.serve_to(Access::open()).await
    }

    /// Serves HTTP to clients whose names are their tokens.
    pub(crate) async fn serve_named(&mut self) -> String {
        self.serve_to(Access::with_tokens(|it| Some(it.to_owned())))
            .await
    }

    async fn serve_to(&mut self, access: Access) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let (gateway, end) = (Arc::clone(&self.gateway), self.end.clone());
        self.fronts.push(tokio::spawn(async move {
            gateway.serve_http(listener, access, end).await
        }));
        url
    }

    /// Connects a client that has greeted: to one server, or to all.
    pub(crate) async fn client(&self, server: Option<&str>) -> Client {
        let mut client = self.connect(server);
        let hello = client.initialize().await;
        assert!(hello.get("result").is_some(), "{hello}");
        client
    }

    pub(crate) fn connect(&self, server: Option<&str>) -> Client {
        self.connect_as("test", server)
    }

    /// Connects a client of this name.
    pub(crate) fn connect_as(&self, name: &str, server: Option<&str>) -> Client {
        let name = name.to_owned();
        let endpoint = server.map_or(Endpoint::All, |it| Endpoint::One(it.parse().unwrap()));
        let (ours, theirs) = duplex(1 << 20);
        let gateway = Arc::clone(&self.gateway);
        let serving = tokio::spawn(async move {
            let (input, output) = split(theirs);
            let peer = Peer::named(Some(name));
            gateway
                .serve_stream(endpoint, peer, BufReader::new(input), output)
                .await;
        });
        let (from, to) = split(ours);
        Client {
            to,
            from: BufReader::new(from).lines(),
            others: Vec::new(),
            next_id: 1,
            serving,
        }
    }

    /// Returns the last calls.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.gateway.recent_calls()
    }

    /// Ends the gateway, and waits for it.
    pub(crate) async fn stop(self) {
        self.end.cancel();
        for front in self.fronts {
            front.await.unwrap().unwrap();
        }
        Arc::into_inner(self.gateway).unwrap().stop().await;
    }
}

/// A client on a byte stream.
pub(crate) struct Client {
    to: WriteHalf<DuplexStream>,
    from: Lines<BufReader<ReadHalf<DuplexStream>>>,
    /// What came that was no answer.
    pub(crate) others: Vec<String>,
    next_id: u64,
    serving: JoinHandle<()>,
}

impl Client {
    pub(crate) async fn initialize(&mut self) -> Value {
        let client = json!({ "name": "test", "version": "1" });
        let params =
            json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
        let hello = self.ask("initialize", params).await;
        self.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
            .await;
        hello
    }

    pub(crate) async fn send(&mut self, line: &str) {
        self.to.write_all(line.as_bytes()).await.unwrap();
        self.to.write_all(b"\n").await.unwrap();
    }

    /// Returns the next line.
    pub(crate) async fn line(&mut self) -> String {
        self.line_after("").await
    }

    /// Returns the next line, which comes after this was sent.
    pub(crate) async fn line_after(&mut self, sent: &str) -> String {
        let line = tokio::time::timeout(PATIENCE, self.from.next_line()).await;
        line.unwrap_or_else(|_| panic!("nothing came after {sent:.5000}"))
            .unwrap()
            .expect("the gateway has hung up")
    }

    /// Sends a request, and returns its answer.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, &params).await;
        self.answer(id).await
    }

    /// Sends a request. Returns its id.
    pub(crate) async fn begin(&mut self, method: &str, params: &Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.send(&message.to_string()).await;
        id
    }

    /// Waits for the answer to a request.
    pub(crate) async fn answer(&mut self, id: u64) -> Value {
        loop {
            let line = self.line().await;
            let message: Value =
                serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            if message["id"] == id && message.get("method").is_none() {
                return message;
            }
            self.others.push(line);
        }
    }

    pub(crate) async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask(
            "tools/call",
            json!({ "name": tool, "arguments": arguments }),
        )
        .await
    }

    pub(crate) async fn leave(mut self) {
        self.to.shutdown().await.unwrap();
        drop(self.to);
        self.serving.await.unwrap();
    }
}
