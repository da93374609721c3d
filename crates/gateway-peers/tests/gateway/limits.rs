//! What a client may not see does not exist for it, and what a server may not see does not get there.

use mcplexer_secrets::audit::AuditOutcome;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::world::{World, program, remote};

const MIRROR: &str = env!("CARGO_BIN_EXE_mirror-server");
const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture-server");

/// The error of a server that does not exist.
fn unknown(server: &str) -> Value {
    let text = format!("there is no server {server}; mcplexer server list shows them");
    json!({ "code": -32602, "message": text })
}

fn world() -> World {
    let servers = ["good", "other"].map(|name| (name, program(FIXTURE, &[], &[])));
    World::with_clients(servers.into(), &[], &[("lim", &["other"])])
}

/// Posts a message as a client; returns the status, and the body as it came.
async fn post(url: &str, client: &str, fields: &str, body: &Value) -> (String, String) {
    let rest = url.strip_prefix("http://").unwrap();
    let (address, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = body.to_string();
    let head = format!(
        "POST /{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nauthorization: Bearer {client}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n{fields}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn request(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

/// What a client without a session says with each request.
fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_reaches_no_server_that_its_client_may_not_see() {
    let world = world();
    let mut client = world.connect_as("lim", Some("good"));
    assert_eq!(client.initialize().await["error"], unknown("good"));
    let calls = [
        ("tools/list", json!({})),
        (
            "tools/call",
            json!({ "name": "echo", "arguments": { "message": "x" } }),
        ),
        (
            "resources/subscribe",
            json!({ "uri": "test://watched-resource" }),
        ),
        (
            "subscriptions/listen",
            json!({ "_meta": meta(), "notifications": {} }),
        ),
        ("server/discover", json!({ "_meta": meta() })),
        (
            "tools/call",
            json!({ "name": "echo", "arguments": {}, "_meta": meta() }),
        ),
    ];
    for (method, params) in calls {
        assert_eq!(
            client.ask(method, params).await["error"],
            unknown("good"),
            "{method}"
        );
    }
    client.leave().await;
    let outcomes: Vec<_> = world.calls().into_iter().map(|it| it.outcome).collect();
    assert_eq!(outcomes, [Some(AuditOutcome::Refused); 4]);

    let mut client = world.connect_as("lim", Some("other"));
    client.initialize().await;
    let answer = client.call("echo", json!({ "message": "x" })).await;
    assert_eq!(answer["result"]["content"][0]["text"], "x");
    client.leave().await;
    let mut client = world.connect_as("full", Some("good"));
    client.initialize().await;
    let answer = client.call("echo", json!({ "message": "x" })).await;
    assert_eq!(answer["result"]["content"][0]["text"], "x");
    client.leave().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http_reaches_no_server_that_its_client_may_not_see() {
    let mut world = world();
    let url = world.serve_named().await;
    let params = json!({ "name": "echo", "arguments": { "message": "x" }, "_meta": meta() });
    let call = request("tools/call", &params);
    let fields = "mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\nmcp-name: echo\r\n";
    let good = format!("{url}/good");
    let (_, hidden) = post(&good, "lim", fields, &call).await;
    assert!(hidden.contains("there is no server good;"), "{hidden}");
    let (_, seen) = post(&good, "full", fields, &call).await;
    assert!(seen.contains(r#""text":"x""#), "{seen}");

    let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    let (head, hidden) = post(&good, "lim", "", &request("initialize", &hello)).await;
    assert!(hidden.contains("there is no server good;"), "{hidden}");
    assert!(!head.contains("mcp-session-id"), "{head}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_part_of_a_message_has_a_value_of_another_server() {
    const VALUE: &str = "tok-5e1f2d3c4b5a69788796a5b4c3d2e1f0";
    let env = [("TOKEN", "mcplexer://own/TOKEN")];
    let servers = vec![
        ("own", program(MIRROR, &[], &env)),
        ("plain", program(MIRROR, &[], &[])),
    ];
    let world = World::new(servers, &[("own", "TOKEN", VALUE.as_bytes())]);
    let own = world.client(Some("own")).await;
    let mut client = world.client(Some("plain")).await;
    let requests = [
        format!(r#""method":"tools/list","params":{{"cursor":"{VALUE}"}}"#),
        format!(r#""method":"logging/setLevel","params":{{"level":"{VALUE}"}}"#),
        format!(r#""method":"x/list","params":{{"a":"{VALUE}"}}"#),
        format!(r#""method":"x/{VALUE}""#),
        format!(r#""method":"tools/call","params":{{"name":"mirror"}},"more":"{VALUE}""#),
    ];
    for (id, request) in requests.iter().enumerate() {
        // No number of a request of `client` is like these.
        let id = 1000 + id as u64;
        client
            .send(&format!(r#"{{"jsonrpc":"2.0","id":{id},{request}}}"#))
            .await;
        let answer = client.answer(id).await;
        assert_eq!(answer["error"]["code"], 1010, "{request}: {answer}");
    }
    client.leave().await;

    for endpoint in [Some("plain"), None] {
        let mut client = world.connect(endpoint);
        let info = json!({ "name": VALUE, "version": "1" });
        let params =
            json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info });
        let answer = client.ask("initialize", params).await;
        assert_eq!(answer["error"]["code"], 1010, "{answer}");
        client.leave().await;
    }
    own.leave().await;
    // Those that are calls are in the log, also one whose name ends as that of a list.
    let methods: Vec<_> = world.calls().into_iter().map(|it| it.method).collect();
    assert_eq!(methods, ["x/list", "x/[own/TOKEN]", "tools/call"]);
    world.stop().await;
}

/// A server that writes down the notifications that it gets.
const NOTED: &str = r#"
PATH=/usr/bin:/bin
while read -r line; do
  id=$(printf %s "$line" | sed 's/.*"id":\([0-9]*\).*/\1/')
  case $line in
    *'"initialize"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"x","version":"1"}}}' ;;
    *'"id"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"got":"'$(echo $got)'"}}' ;;
    *notifications/a*) got="$got a" ;;
    *notifications/b*) got="$got b" ;;
  esac
done
"#;

#[tokio::test(flavor = "multi_thread")]
async fn no_notification_has_a_value_of_another_server() {
    const VALUE: &str = "tok-5e1f2d3c4b5a69788796a5b4c3d2e1f0";
    let env = [("TOKEN", "mcplexer://own/TOKEN")];
    let servers = vec![
        ("own", program(MIRROR, &[], &env)),
        ("noted", program("sh", &["-c", NOTED], &[])),
    ];
    let world = World::new(servers, &[("own", "TOKEN", VALUE.as_bytes())]);
    let own = world.client(Some("own")).await;
    let mut client = world.client(Some("noted")).await;
    let leak =
        format!(r#"{{"jsonrpc":"2.0","method":"notifications/a","params":{{"x":"{VALUE}"}}}}"#);
    client.send(&leak).await;
    client
        .send(r#"{"jsonrpc":"2.0","method":"notifications/b"}"#)
        .await;
    // Notifications are passed on by themselves: the one that may pass gets there sometime.
    loop {
        let got = client.ask("x/got", json!({})).await["result"]["got"].clone();
        match got.as_str().unwrap() {
            "" => {}
            got => break assert_eq!(got, "b"),
        }
    }
    client.leave().await;
    own.leave().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_depends_on_the_server_that_its_name_is_of() {
    let directory = tempfile::tempdir().unwrap();
    let started = directory.path().join("started");
    let hangs = format!("touch '{}'; exec sleep 1000", started.display());
    let servers = vec![
        ("good", program(FIXTURE, &[], &[])),
        ("hangs", program("sh", &["-c", &hangs], &[])),
    ];
    let world = World::new(servers, &[]);
    for _ in 0..2 {
        let mut client = world.client(None).await;
        let answer = client.call("good__echo", json!({ "message": "x" })).await;
        assert_eq!(answer["result"]["content"][0]["text"], "x", "{answer}");
        for name in ["good__none", "nobody__x"] {
            let answer = client.call(name, json!({})).await;
            assert_eq!(answer["error"]["code"], -32602, "{answer}");
        }
        client.leave().await;
    }
    assert!(!started.exists(), "nobody has asked for it");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_to_a_server_that_is_down_fails_with_its_error() {
    // Nobody listens there any more.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", free.local_addr().unwrap());
    drop(free);
    let env = [("TOKEN", "mcplexer://none/TOKEN")];
    let servers = vec![
        ("figma", remote(&url, &[])),
        ("nosecret", program(MIRROR, &[], &env)),
    ];
    let world = World::new(servers, &[]);
    let mut client = world.client(None).await;
    for (tool, server, code) in [
        ("figma__foo", "figma", 1001),
        ("nosecret__foo", "nosecret", 1002),
    ] {
        let answer = client.call(tool, json!({})).await;
        let error = &answer["error"];
        let text = error["message"].as_str().unwrap();
        assert_eq!(error["code"], code, "{answer}");
        assert!(text.starts_with(&format!("server {server} ")), "{text}");
        let call = world.calls().pop().unwrap();
        assert_eq!(
            (call.server.as_str(), call.object.as_deref(), call.outcome),
            (server, Some("foo"), Some(AuditOutcome::NotStarted))
        );
    }
    client.leave().await;
    world.stop().await;
}

/// A client can say of itself what it likes, and each kind of client has an instance.
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_differ_do_not_start_any_number_of_servers() {
    let world = World::new(vec![("good", program(FIXTURE, &[], &[]))], &[]);
    let mut client = world.connect(Some("good"));
    let kind = |kind: u64, arguments: &Value| {
        let mut meta = meta();
        meta["io.modelcontextprotocol/clientCapabilities"] =
            json!({ "experimental": { "kind": kind } });
        let name = match arguments.get("message") {
            Some(_) => "echo",
            None => "wait",
        };
        json!({ "name": name, "arguments": arguments, "_meta": meta })
    };
    for number in 0..20 {
        let answer = client
            .ask("tools/call", kind(number, &json!({ "message": "x" })))
            .await;
        assert_eq!(answer["result"]["content"][0]["text"], "x", "{answer}");
    }
    // No wait ends, so that sooner or later no instance can give way.
    let mut refused = None;
    for number in 100..200 {
        client.begin("tools/call", &kind(number, &json!({}))).await;
        let echo = kind(number + 100, &json!({ "message": "x" }));
        let answer = client.ask("tools/call", echo).await;
        if answer.get("error").is_some() {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("there is an end to it");
    assert_eq!(refused["error"]["code"], 1001, "{refused}");
    let text = refused["error"]["message"].as_str().unwrap();
    assert!(text.contains("16 instances of it work"), "{text}");
    client.leave().await;
    world.stop().await;
}
