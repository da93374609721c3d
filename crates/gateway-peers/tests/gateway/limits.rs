//! What a client may not see does not exist for it.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::world::{World, program};

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
    assert!(world.calls().is_empty());

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
    let session = head.lines().find(|it| it.starts_with("mcp-session-id"));
    let fields = format!("{}\r\n", session.unwrap());
    let params = json!({ "name": "echo", "arguments": { "message": "x" } });
    let (_, hidden) = post(&good, "lim", &fields, &request("tools/call", &params)).await;
    assert!(hidden.contains("there is no server good;"), "{hidden}");
    world.stop().await;
}
