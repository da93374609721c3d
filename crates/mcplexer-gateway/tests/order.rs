//! A long message is read elsewhere than a short one, and stays in its place among them.

#![cfg(test)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mcplexer_files::config::{Config, SearchPath, Server, ServerName, Stdio, Transport};
use mcplexer_gateway::{Endpoint, Gateway, Limits, Peer};
use mcplexer_home::{Home, OpenHome};
use mcplexer_secrets::audit::AuditOutcome;
use mcplexer_secrets::keys::PassphraseRequest;
use mcplexer_secrets::{NewScope, PutMode, SecretStore, SecretValue};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines};
use tokio::task::JoinHandle;

/// A server that says which notifications it got. Before each answer it says something long, and something short.
const SERVER: &str = r#"
PATH=/usr/bin:/bin
long=$(head -c 100000 /dev/zero | tr '\0' x)
answer() {
  id=$(printf %s "$line" | sed 's/.*"id":\([0-9]*\).*/\1/')
  echo '{"jsonrpc":"2.0","id":'$id",$1}"
}
while read -r line; do
  case $line in
    *'"initialize"'*) answer '"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"x","version":"1"}}' ;;
    *'"notifications/long"'*) seen=${seen}long, ;;
    *'"notifications/short"'*) seen=${seen}short, ;;
    *'"arguments"'*)
      got=$(printf %s "$line" | sed 's/.*"x":"\([a-z0-9]*\)".*/\1/' | head -c 3)
      seen=$seen$got,
      answer '"result":{}' ;;
    *'"tools/call"'*)
      echo '{"jsonrpc":"2.0","method":"notifications/long","params":{"x":"'"$long $TOKEN"'"}}'
      echo '{"jsonrpc":"2.0","method":"notifications/short"}'
      answer '"result":{"seen":"'"$seen"'"}' ;;
    *'"id"'*) answer '"error":{"code":-32601,"message":"no"}' ;;
  esac
done
"#;

const TOKEN: &str = "tok-5e1f2d3c4b5a69788796a5b4c3d2e1f0";

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}"#;
const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}"#;
const SHORT: &str = r#"{"jsonrpc":"2.0","method":"notifications/short"}"#;

fn long() -> String {
    let text = "y".repeat(100_000);
    format!(r#"{{"jsonrpc":"2.0","method":"notifications/long","params":{{"x":"{text}"}}}}"#)
}

fn server(token: &str) -> Server {
    Server::new(Transport::Stdio(Stdio {
        command: ["sh", "-c", SERVER].map(str::to_owned).to_vec(),
        env: BTreeMap::from([("TOKEN".to_owned(), token.to_owned())]),
        scopes: Vec::new(),
        directory: None,
        path: SearchPath::Inherit,
    }))
}

/// A gateway for a server with a secret, and for one without.
fn gateway(directory: &TempDir) -> Arc<Gateway> {
    let home = Home::at(directory.path().join("home"));
    let nobody = |_: &PassphraseRequest<'_>| None;
    let home = OpenHome::open(home, nobody).unwrap();
    let value = SecretValue::copy_of(TOKEN.as_bytes()).unwrap();
    let (scope, name) = ("git".parse().unwrap(), "TOKEN".parse().unwrap());
    let scope = NewScope::env(scope);
    let put = home.store().put(&scope, &name, &value, PutMode::Overwrite);
    put.unwrap();
    let mut config = Config::default();
    for (name, token) in [("git", "mcplexer://git/TOKEN"), ("plain", "none")] {
        let name = name.parse::<ServerName>().unwrap();
        config.servers.insert(name, server(token));
    }
    Arc::new(Gateway::new(Arc::new(home), &config, Limits::default()))
}

struct Client {
    to: DuplexStream,
    from: Lines<BufReader<DuplexStream>>,
    served: JoinHandle<()>,
}

impl Client {
    async fn of(gateway: &Arc<Gateway>, server: &str) -> Self {
        let (to, input) = tokio::io::duplex(1 << 16);
        let (output, from) = tokio::io::duplex(1 << 16);
        let endpoint = Endpoint::One(server.parse().unwrap());
        let gateway = Arc::clone(gateway);
        let served = tokio::spawn(async move {
            let (peer, input) = (Peer::named(None), BufReader::new(input));
            gateway.serve_stream(endpoint, peer, input, output).await;
        });
        let from = BufReader::new(from).lines();
        let mut client = Self { to, from, served };
        client.ask(INITIALIZE).await;
        client
    }

    async fn send(&mut self, text: &str) {
        let line = format!("{text}\n");
        self.to.write_all(line.as_bytes()).await.unwrap();
    }

    /// Returns the next answer.
    async fn answer(&mut self) -> Value {
        loop {
            let line = self.from.next_line().await.unwrap().unwrap();
            let message: Value = serde_json::from_str(&line).unwrap();
            if message.get("id").is_some() {
                return message;
            }
        }
    }

    async fn leave(self) {
        drop(self.to);
        self.served.await.unwrap();
    }

    async fn ask(&mut self, text: &str) -> Value {
        self.send(text).await;
        self.answer().await
    }
}

#[tokio::test]
async fn messages_of_a_client_and_of_a_server_stay_in_their_order() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = gateway(&directory);
    for (server, end) in [("git", "x [git/TOKEN]"), ("plain", "x none")] {
        let (mut to, input) = tokio::io::duplex(1 << 16);
        let (output, from) = tokio::io::duplex(1 << 16);
        let endpoint = Endpoint::One(server.parse().unwrap());
        let input = BufReader::new(input);
        let served = gateway.serve_stream(endpoint, Peer::named(None), input, output);
        let client = async {
            let mut lines = BufReader::new(from).lines();
            let mut next = async || {
                let line = lines.next_line().await.unwrap().unwrap();
                serde_json::from_str::<Value>(&line).unwrap()
            };
            to.write_all(format!("{INITIALIZE}\n").as_bytes())
                .await
                .unwrap();
            assert!(next().await["result"].is_object());
            let said = format!("{}\n{SHORT}\n{}\n{CALL}\n", long(), long());
            to.write_all(said.as_bytes()).await.unwrap();
            let first = next().await;
            let text = first["params"]["x"].as_str().unwrap();
            assert!(text.len() > 100_000 && text.ends_with(end));
            assert_eq!(next().await["method"], "notifications/short");
            assert_eq!(next().await["result"]["seen"], "long,short,long,");
            drop(to);
        };
        tokio::join!(served, client);
    }
    Arc::into_inner(gateway).unwrap().stop().await;
}

fn call(id: u64, argument: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"t","arguments":{{"x":"{argument}"}}}}}}"#
    )
}

/// The server says which calls it got.
#[tokio::test]
async fn a_call_that_is_cancelled_before_it_is_sent_stays_here() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = gateway(&directory);
    let mut git = Client::of(&gateway, "git").await;
    git.ask(CALL).await;
    let mut client = Client::of(&gateway, "plain").await;
    let mut calls = gateway.watch_calls().await;
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}"#;
    client
        .send(&format!("{}\n{cancel}", call(5, &"y".repeat(3 << 20))))
        .await;
    assert_eq!(calls.recv().await.unwrap().outcome, None);
    let ended = calls.recv().await.unwrap();
    assert_eq!(ended.outcome, Some(AuditOutcome::Cancelled));
    assert_eq!(client.ask(CALL).await["result"]["seen"], "");
    git.leave().await;
    client.leave().await;
    Arc::into_inner(gateway).unwrap().stop().await;
}

#[tokio::test]
async fn calls_get_to_their_server_in_the_order_of_the_client() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = gateway(&directory);
    let mut git = Client::of(&gateway, "git").await;
    git.ask(CALL).await;
    let mut client = Client::of(&gateway, "plain").await;
    // While the store is new, each call looks there which secrets its server gets.
    let store = std::fs::metadata(directory.path().join("home/secrets.redb")).unwrap();
    while store.modified().unwrap().elapsed().unwrap() < Duration::from_millis(200) {
        client.ask(CALL).await;
    }
    client.ask(CALL).await;
    let padding = "y".repeat(100_000);
    let calls = (100..130).map(|id| match id % 3 {
        0 => call(id, &format!("{id}{padding}")),
        _ => call(id, &id.to_string()),
    });
    client.send(&calls.collect::<Vec<_>>().join("\n")).await;
    for _ in 100..130 {
        client.answer().await;
    }
    let expected = (100..130).map(|id| format!("{id},")).collect::<String>();
    assert_eq!(client.ask(CALL).await["result"]["seen"], expected);
    git.leave().await;
    client.leave().await;
    Arc::into_inner(gateway).unwrap().stop().await;
}
