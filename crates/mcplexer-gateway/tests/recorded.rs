//! What passes through the gateway is in the audit log, before it reaches the server.

#![cfg(test)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use mcplexer_files::config::{Config, SearchPath, Server, ServerName, Stdio, Transport};
use mcplexer_gateway::{Endpoint, Gateway, Limits, Peer};
use mcplexer_home::calls::{Call, CallReader};
use mcplexer_home::{Home, OpenHome};
use mcplexer_secrets::audit::AuditOutcome;
use mcplexer_secrets::keys::PassphraseRequest;
use mcplexer_secrets::{NewScope, PutMode, SecretStore, SecretValue};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines};
use tokio::task::JoinHandle;

/// A server that says how many calls the log has when it gets one.
const SERVER: &str = r#"
PATH=/usr/bin:/bin
answer() { echo '{"jsonrpc":"2.0","id":'$id",$1}"; }
while read -r line; do
  id=$(printf %s "$line" | sed 's/.*"id":\([0-9]*\).*/\1/')
  case $line in
    *'"initialize"'*) answer '"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"x","version":"1"}}' ;;
    *'"tools/list"'*) answer '"result":{"tools":[{"name":"log"},{"name":"die"},{"name":"hang"},{"name":"fail"}]}' ;;
    *'"name":"log"'*) answer '"result":{"seen":'$(grep -c '"op":"call"' "$LOG")',"token":"'"$TOKEN"'"}' ;;
    *'"name":"fail"'*) answer '"result":{"isError":true}' ;;
    *'"name":"die"'*) exit 1 ;;
    *'"name":"hang"'*) ;;
    *'"name":"ask"'*)
      echo '{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{}}'
      read -r reply
      answer '"result":{"reply":'"$reply"'}' ;;
    *'"id"'*) answer '"error":{"code":-32601,"message":"no"}' ;;
  esac
done
"#;

/// A server without sessions, which asks its clients something.
const MODERN: &str = r#"
PATH=/usr/bin:/bin
answer() { echo '{"jsonrpc":"2.0","id":'$id",$1}"; }
while read -r line; do
  id=$(printf %s "$line" | sed 's/.*"id":\([0-9]*\).*/\1/')
  case $line in
    *'"server/discover"'*) answer '"result":{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}' ;;
    *'"inputResponses"'*) answer '"result":{"resultType":"complete","content":[]}' ;;
    *'"tools/call"'*) answer '"result":{"resultType":"input_required","inputRequests":{"a":{"method":"elicitation/create","params":{}}}}' ;;
    *'"id"'*) answer '"error":{"code":-32601,"message":"no"}' ;;
  esac
done
"#;

const TOKEN: &str = "tok-5e1f2d3c4b5a69788796a5b4c3d2e1f0";

struct Fixture {
    directory: TempDir,
    gateway: Arc<Gateway>,
}

struct Client {
    to: DuplexStream,
    from: Lines<BufReader<DuplexStream>>,
    served: JoinHandle<()>,
}

fn server(command: &[&str], env: &[(&str, &str)]) -> Server {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Server::new(Transport::Stdio(Stdio {
        command: command.iter().map(|it| (*it).to_owned()).collect(),
        env: env.iter().map(pair).collect::<BTreeMap<_, _>>(),
        scopes: Vec::new(),
        directory: None,
        path: SearchPath::Inherit,
    }))
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("home"));
        let nobody = |_: &PassphraseRequest<'_>| None;
        let home = OpenHome::open(home, nobody).unwrap();
        let value = SecretValue::copy_of(TOKEN.as_bytes()).unwrap();
        let scope = NewScope::env("git".parse().unwrap());
        let name = "TOKEN".parse().unwrap();
        for _ in 0..2 {
            let mode = PutMode::Overwrite;
            home.store().put(&scope, &name, &value, mode).unwrap();
        }
        let log = home.audit_log().unwrap();
        let env = [
            ("LOG", log.to_str().unwrap()),
            ("TOKEN", "mcplexer://git/TOKEN"),
        ];
        let mut config = Config::default();
        let script = ["sh", "-c", SERVER];
        for (name, server) in [
            ("git", server(&script, &env)),
            ("plain", server(&script, &env[..1])),
            ("modern", server(&["sh", "-c", MODERN], &[])),
            ("none", server(&["/no/such/program"], &[])),
        ] {
            let name = name.parse::<ServerName>().unwrap();
            config.servers.insert(name, server);
        }
        let gateway = Gateway::new(Arc::new(home), &config, Limits::default());
        Self {
            directory,
            gateway: Arc::new(gateway),
        }
    }

    fn client(&self, endpoint: Endpoint) -> Client {
        let (to, input) = tokio::io::duplex(1 << 16);
        let (output, from) = tokio::io::duplex(1 << 16);
        let gateway = Arc::clone(&self.gateway);
        let peer = Peer::process(Some("ide".to_owned()), 1234, Some(4321));
        let served = async move {
            let input = BufReader::new(input);
            gateway.serve_stream(endpoint, peer, input, output).await;
        };
        Client {
            to,
            from: BufReader::new(from).lines(),
            served: tokio::spawn(served),
        }
    }

    async fn client_of(&self, server: &str) -> Client {
        let mut client = self.client(Endpoint::One(server.parse().unwrap()));
        client.initialize().await;
        client
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("home/audit.log")
    }

    /// Ends the gateway, and returns the calls in the log, in order.
    async fn stop(self) -> Vec<Call> {
        let log = self.log();
        let gateway = Arc::into_inner(self.gateway).unwrap();
        gateway.stop().await;
        let text = std::fs::read_to_string(&log).unwrap();
        assert!(!text.contains(TOKEN));
        let mut reader = CallReader::open(&log).unwrap().unwrap();
        reader.last(usize::MAX).unwrap()
    }
}

impl Client {
    async fn send(&mut self, text: &str) {
        let line = format!("{text}\n");
        self.to.write_all(line.as_bytes()).await.unwrap();
    }

    async fn ask(&mut self, text: &str) -> Value {
        self.send(text).await;
        loop {
            let line = self.from.next_line().await.unwrap().unwrap();
            let message: Value = serde_json::from_str(&line).unwrap();
            if message.get("id").is_some() {
                return message;
            }
        }
    }

    async fn initialize(&mut self) {
        let params = r#"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}"#;
        self.ask(&request(0, "initialize", params)).await;
        self.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
            .await;
    }

    async fn call(&mut self, tool: &str) -> Value {
        self.ask(&call(1, tool, "{}")).await
    }

    async fn leave(self) {
        drop(self.to);
        self.served.await.unwrap();
    }
}

fn request(id: u64, method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)
}

fn call(id: u64, tool: &str, arguments: &str) -> String {
    let params = format!(r#"{{"name":"{tool}","arguments":{arguments}}}"#);
    request(id, "tools/call", &params)
}

#[tokio::test]
async fn the_server_finds_its_call_in_the_log() {
    let fixture = Fixture::new();
    let mut client = fixture.client(Endpoint::All);
    client.initialize().await;
    for count in 1..4 {
        let answer = client.call("git__log").await;
        assert_eq!(answer["result"]["seen"], count);
        assert_eq!(answer["result"]["token"], "[git/TOKEN]");
    }
    client.leave().await;
    let calls = fixture.stop().await;
    assert_eq!(calls.len(), 3);
    for call in calls {
        assert_eq!(
            (call.server.as_str(), call.object.as_deref()),
            ("git", Some("log"))
        );
        assert_eq!(
            (call.client.as_deref(), call.uid, call.pid),
            (Some("ide"), 1234, 4321)
        );
        assert_eq!(
            (call.secrets.join(" ").as_str(), call.bytes),
            ("git/TOKEN@2", 2)
        );
        assert_eq!(
            (call.outcome, call.scrubbed),
            (Some(AuditOutcome::Ok), Some(1))
        );
    }
}

#[tokio::test]
async fn each_end_of_a_call_is_in_the_log() {
    let fixture = Fixture::new();
    let mut client = fixture.client_of("plain").await;
    client.call("fail").await;
    client.call("die").await;
    client.ask(&request(2, "vendor/other", r#"{"x":1}"#)).await;
    client.ask(&request(3, "tools/list", "{}")).await;
    client.ask(&request(3, "ping", "{}")).await;
    let mut watcher = fixture.gateway.watch_calls().await;
    client.send(&call(4, "hang", "{}")).await;
    assert_eq!(watcher.recv().await.unwrap().outcome, None);
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":4}}"#;
    client.send(cancel).await;
    let cancelled = Some(AuditOutcome::Cancelled);
    assert_eq!(watcher.recv().await.unwrap().outcome, cancelled);
    client.send(&call(5, "hang", "{}")).await;
    assert_eq!(watcher.recv().await.unwrap().outcome, None);
    // The client is gone.
    client.leave().await;
    assert_eq!(watcher.recv().await.unwrap().outcome, cancelled);
    let mut client = fixture.client(Endpoint::One("none".parse().unwrap()));
    let answer = client.call("x").await;
    assert_eq!(answer["error"]["code"], 1001, "{answer}");
    client.leave().await;
    let calls = fixture.stop().await;
    let calls = calls.iter().map(|it| {
        let outcome = it.outcome.unwrap();
        (it.server.as_str(), it.object.as_deref(), outcome)
    });
    let expected = [
        ("plain", Some("fail"), AuditOutcome::ToolError),
        ("plain", Some("die"), AuditOutcome::Lost),
        ("plain", None, AuditOutcome::Error),
        ("plain", Some("hang"), AuditOutcome::Cancelled),
        ("plain", Some("hang"), AuditOutcome::Cancelled),
        ("none", Some("x"), AuditOutcome::NotStarted),
    ];
    assert_eq!(calls.collect::<Vec<_>>(), expected);
}

/// A value does not get from one server to another by a client that was shown it.
#[tokio::test]
async fn a_value_of_another_server_is_not_passed_on() {
    let fixture = Fixture::new();
    let mut own = fixture.client_of("git").await;
    let mut other = fixture.client_of("plain").await;
    let base64 = "dG9rLTVlMWYyZDNjNGI1YTY5Nzg4Nzk2YTViNGMzZDJlMWYw";
    let hex: String = TOKEN.bytes().map(|it| format!("{it:02x}")).collect();
    let (first, rest) = (hex.as_bytes()[0], &hex[1..]);
    let octal: String = TOKEN.bytes().map(|it| format!("\\\\{it:03o}")).collect();
    for arguments in [
        format!(r#"{{"x":"{TOKEN}"}}"#),
        format!(r#"{{"a":[{{"b":"header {base64}"}}]}}"#),
        format!(r#"{{"{TOKEN}":1}}"#),
        // However the client writes it: its hex with escapes of JSON, with escapes of C, as bytes.
        format!(r#"{{"x":"\u00{first:02x}{rest}"}}"#),
        format!(r#"{{"x":"{octal}"}}"#),
        format!(r#"{{"x":{:?}}}"#, TOKEN.as_bytes()),
    ] {
        let refused = other.ask(&call(1, "log", &arguments)).await;
        assert_eq!(refused["error"]["code"], 1010, "{refused}");
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(
            message.contains("git/TOKEN") && message.contains("plain"),
            "{message}"
        );
        // Its own server has it anyway.
        let passed = own.ask(&call(1, "log", &arguments)).await;
        assert!(passed["result"].is_object(), "{passed}");
    }
    let uri = format!(r#"{{"uri":"https://x/?token={TOKEN}"}}"#);
    for client in [&mut own, &mut other] {
        client.ask(&request(2, "resources/read", &uri)).await;
    }
    own.leave().await;
    other.leave().await;
    // The log has no value either: `stop` looks for it.
    let calls = fixture.stop().await;
    let refused = calls
        .iter()
        .filter(|it| it.outcome == Some(AuditOutcome::Refused));
    assert!(
        refused
            .clone()
            .all(|it| it.server == "plain" && it.digest.is_none())
    );
    assert_eq!((calls.len(), refused.count()), (14, 7));
    let uris = calls.iter().filter(|it| it.method == "resources/read");
    assert!(
        uris.clone()
            .all(|it| it.object.as_deref() == Some("https://x/?token=[git/TOKEN]"))
    );
}

#[tokio::test]
async fn what_cannot_be_recorded_does_not_reach_the_server() {
    let fixture = Fixture::new();
    let mut client = fixture.client_of("plain").await;
    assert_eq!(client.call("log").await["result"]["seen"], 1);
    let log = fixture.log();
    let moved = log.with_extension("moved");
    std::fs::rename(&log, &moved).unwrap();
    let refused = client.call("die").await;
    assert_eq!(refused["error"]["code"], 1008, "{refused}");
    std::fs::rename(&moved, &log).unwrap();
    // It has not died.
    assert_eq!(client.call("log").await["result"]["seen"], 2);
    client.leave().await;
    assert_eq!(fixture.stop().await.len(), 2);
}

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}"#;

/// Neither does one get there by an answer of the client to a question of the server.
#[tokio::test]
async fn an_answer_with_a_value_of_another_server_is_not_passed_on() {
    let fixture = Fixture::new();
    let mut own = fixture.client_of("git").await;
    let clean = r#"{"action":"accept","content":{"x":"y"}}"#;
    for leak in [
        format!(r#"{{"action":"accept","content":{{"x":"{TOKEN}"}}}}"#),
        format!(r#"{{"role":"user","content":{{"type":"text","text":"it is {TOKEN}"}}}}"#),
        format!(r#"{{"roots":[{{"uri":"file:///{TOKEN}"}}]}}"#),
    ] {
        // The server asks the client itself.
        let mut client = fixture.client_of("plain").await;
        for (answer, is_passed) in [(clean, true), (leak.as_str(), false)] {
            let question = client.ask(&call(1, "ask", "{}")).await;
            assert_eq!(question["method"], "elicitation/create", "{question}");
            let id = &question["id"];
            let reply = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{answer}}}"#);
            let got = &client.ask(&reply).await["result"]["reply"];
            assert_eq!(got["result"].is_object(), is_passed, "{got}");
            assert_eq!(got["error"]["code"] == 1010, !is_passed, "{got}");
            assert!(!got.to_string().contains("git/TOKEN"), "{got}");
        }
        client.leave().await;

        // The gateway asks the client, for a server without sessions.
        let mut client = fixture.client_of("modern").await;
        for (answer, is_passed) in [(clean, true), (leak.as_str(), false)] {
            let question = client.ask(&call(1, "t", "{}")).await;
            let id = &question["id"];
            let reply = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{answer}}}"#);
            is_refused(&client.ask(&reply).await, "modern", is_passed);
        }
        client.leave().await;

        // The client is told to ask again, with its answers.
        for server in ["plain", "modern"] {
            let mut client = fixture.client(Endpoint::One(server.parse().unwrap()));
            for (answer, is_passed) in [(clean, true), (leak.as_str(), false)] {
                let params =
                    |more: &str| format!(r#"{{"name":"ask","arguments":{{}},{more}{META}}}"#);
                let asked = client.ask(&request(1, "tools/call", &params(""))).await;
                let asked = &asked["result"];
                let key = asked["inputRequests"]
                    .as_object()
                    .unwrap()
                    .keys()
                    .next()
                    .unwrap();
                let state = match asked.get("requestState") {
                    Some(state) => format!(r#""requestState":{state},"#),
                    None => String::new(),
                };
                let more = format!(r#""inputResponses":{{"{key}":{answer}}},{state}"#);
                let again = request(2, "tools/call", &params(&more));
                is_refused(&client.ask(&again).await, server, is_passed);
            }
            client.leave().await;
        }
    }
    own.call("log").await;
    own.leave().await;
    let calls = fixture.stop().await;
    let refused = |server| {
        let of = |it: &&Call| it.server == server && it.outcome == Some(AuditOutcome::Refused);
        calls.iter().filter(of).count()
    };
    assert_eq!((refused("modern"), refused("git")), (6, 0));
}

#[track_caller]
fn is_refused(answer: &Value, server: &str, is_passed: bool) {
    match is_passed {
        true => assert!(answer["result"].is_object(), "{answer}"),
        false => {
            let message = answer["error"]["message"].as_str().unwrap_or_default();
            let is_named = message.contains("git/TOKEN") && message.contains(server);
            assert!(answer["error"]["code"] == 1010 && is_named, "{answer}");
        }
    }
}

/// On the endpoint of all servers, too.
#[tokio::test]
async fn a_store_that_cannot_be_opened_is_no_empty_list() {
    for (name, damage) in [
        ("the key is gone", None),
        ("the key is another one", Some(&b"no key"[..])),
    ] {
        let fixture = Fixture::new();
        let Fixture { directory, gateway } = fixture;
        drop(gateway);
        let home = Home::at(directory.path().join("home"));
        let key = directory.path().join("home/age.key");
        match damage {
            None => std::fs::remove_file(&key).unwrap(),
            Some(bytes) => std::fs::write(&key, bytes).unwrap(),
        }
        let nobody = |_: &PassphraseRequest<'_>| None;
        let home = OpenHome::open(home, nobody).unwrap();
        let mut config = Config::default();
        let env = [("TOKEN", "mcplexer://git/TOKEN")];
        let git = server(&["sh", "-c", SERVER], &env);
        config.servers.insert("git".parse().unwrap(), git);
        let gateway = Arc::new(Gateway::new(Arc::new(home), &config, Limits::default()));
        let fixture = Fixture { directory, gateway };
        let mut client = fixture.client(Endpoint::All);
        client.initialize().await;
        for text in [
            request(1, "tools/list", "{}"),
            request(2, "prompts/list", "{}"),
            call(3, "git__log", "{}"),
            request(4, "resources/read", r#"{"uri":"file:///x"}"#),
        ] {
            let answer = client.ask(&text).await;
            let error = answer["error"]["message"].as_str().unwrap_or_default();
            let says =
                error.contains("server git was not started: ") && error.contains("; mcplexer ");
            assert!(answer["error"]["code"] == 1002 && says, "{name}: {answer}");
        }
        client.leave().await;
        Arc::into_inner(fixture.gateway).unwrap().stop().await;
    }
}
