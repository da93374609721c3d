//! Streamable HTTP without sessions, since 2026-07-28.

use std::sync::Mutex;
use std::time::Duration;

use mcplexer_gateway::{Log, Options};
use serde_json::{Value, json};

use crate::client::{Client, at, text, world, world_of};
use crate::fake::{Answer, Fake, Seen, events, json as answer_json, of};

/// Answers as a modern server does.
fn modern(seen: &Seen) -> Answer {
    let version = seen.body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"].clone();
    let refuse = |status, code: i64, message: &str| {
        let error = json!({"code": code, "message": message});
        answer_json(
            status,
            &json!({"jsonrpc": "2.0", "id": seen.body["id"], "error": error}),
        )
    };
    let is_mirrored =
        seen.field("mcp-protocol-version") == version && seen.field("mcp-method") == seen.rpc();
    match seen.rpc() {
        "initialize" => refuse(404, -32601, "Method not found"),
        _ if !is_mirrored => refuse(400, -32020, "Header mismatch"),
        "server/discover" => seen.result(&json!({
            "resultType": "complete",
            "supportedVersions": ["2026-07-28"],
            "capabilities": {"tools": {}},
            "ttlMs": 0,
            "cacheScope": "private",
        })),
        "subscriptions/listen" => {
            let (mut events, answer) = events();
            tokio::spawn(async move {
                events.raw(":\n").await;
                std::future::pending::<()>().await;
            });
            answer
        }
        "tools/list" => {
            let tool = |name: &str, kind: &str, field: &str| {
                let region = json!({"type": kind, "x-mcp-header": field});
                let schema = json!({"type": "object", "properties": {"region": region}});
                json!({"name": name, "inputSchema": schema})
            };
            // In two pages.
            match seen.body["params"]["cursor"].as_str() {
                None => seen.result(
                    &json!({"resultType": "complete", "nextCursor": "2", "tools": [
                        tool("no name", "string", "not a name"),
                        tool("sql ü", "string", "Region"),
                        tool("object", "object", "Region"),
                    ]}),
                ),
                Some(_) => seen.result(&json!({"resultType": "complete", "tools": [
                    tool("twice", "string", "Region"),
                    {"name": "plain", "inputSchema": {"type": "object"}},
                    tool("twice", "number", "Region"),
                ]})),
            }
        }
        _ => {
            let arguments = (seen.field("mcp-name"), seen.field("mcp-param-region"));
            let said = format!("{arguments:?}");
            seen.result(&json!({
                "resultType": "complete",
                "content": [{"type": "text", "text": said}],
            }))
        }
    }
}

/// MCP 2026-07-28, "Request Metadata".
#[tokio::test]
async fn a_client_with_a_session_reaches_a_server_without_one() {
    let fake = Fake::start(modern).await;
    let world = world(at(&fake.url, &[]), &[]);
    let mut client = world.client().await;
    for (region, field) in [
        ("us-west1", "us-west1"),
        ("Zürich", "=?base64?WsO8cmljaA==?="),
    ] {
        let params = json!({"name": "sql ü", "arguments": {"region": region}});
        let answer: Value = client.ask("tools/call", params).await;
        let name = "=?base64?c3FsIMO8?=";
        assert_eq!(text(&answer), format!("{:?}", (name, field)));
    }
    world.stop(client).await;
    let seen = fake.seen();
    assert!(seen.iter().all(|it| it.field("mcp-session-id").is_empty()));
    let methods = fake.methods();
    assert_eq!(methods[..2], ["POST initialize", "POST server/discover"]);
    assert!(
        methods.iter().all(|it| it.starts_with("POST")),
        "{methods:?}"
    );
}

/// MCP 2026-07-28, "Schema Extension": clients must not use such tools, and say why.
#[tokio::test]
async fn a_tool_with_an_invalid_header_is_left_out_and_not_called() {
    let fake = Fake::start(modern).await;
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let mut options = Options::default();
    options.log = std::sync::Arc::new(Log::to_file(log.clone()).unwrap());
    let world = world_of(at(&fake.url, &[]), &[], options);
    let mut client = world.client().await;
    for _ in 0..2 {
        let mut names = Vec::new();
        for params in [json!({}), json!({"cursor": "2"})] {
            let list = client.ask("tools/list", params).await;
            let tools = list["result"]["tools"].as_array().unwrap().iter();
            names.extend(tools.map(|it| it["name"].as_str().unwrap().to_owned()));
        }
        assert_eq!(names, ["sql ü", "plain"]);
    }
    let calls = |fake: &Fake| {
        let methods = fake.methods().into_iter();
        methods.filter(|it| it == "POST tools/call").count()
    };
    for name in ["no name", "object", "twice"] {
        let error = client.fails(name).await;
        let begin = format!("the tool {name} of server remote cannot be used: x-mcp-header is ");
        assert!(error.starts_with(&begin), "{error}");
    }
    assert_eq!(calls(&fake), 0);
    client.call("plain").await;
    assert_eq!(calls(&fake), 1);
    world.stop(client).await;
    let log = std::fs::read_to_string(log).unwrap();
    for name in ["no name", "object", "twice"] {
        let line = format!("(left out the tool {name}: x-mcp-header is ");
        assert_eq!(log.matches(&line).count(), 1, "{log}");
    }
}

/// Calls a tool as a client without a session does.
async fn call_plain(client: &mut Client) -> Value {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({"name": "plain", "arguments": {}, "_meta": meta});
    client.ask("tools/call", params).await
}

/// A server that takes long to start has both greetings before it, and answers them one after the other. mcp 2.3.0 of
/// PyPI refuses a session once it has answered the other question.
#[tokio::test]
async fn a_slow_server_may_answer_either_greeting() {
    let refused = |id: &Value| json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32022, "message": "no session"}});
    for what in ["discovered first", "refused first", "only a session"] {
        let kept = Mutex::new(None);
        let fake = Fake::start(move |seen| {
            let is_legacy = what == "only a session";
            let mut kept = kept.lock().unwrap();
            match seen.rpc() {
                "server/discover" => {
                    let (later, answer) = events();
                    *kept = Some((later, seen.clone()));
                    answer
                }
                "initialize" if is_legacy => seen.usual(),
                "initialize" => {
                    let (mut discovered, asked) = kept.take().unwrap();
                    let (mut refusing, answer) = events();
                    let refused = refused(&seen.body["id"]);
                    tokio::spawn(async move {
                        if what == "refused first" {
                            refusing.message(&refused).await;
                        }
                        let result = json!({
                            "jsonrpc": "2.0",
                            "id": asked.body["id"],
                            "result": {
                                "resultType": "complete",
                                "supportedVersions": ["2026-07-28"],
                                "capabilities": {"tools": {}},
                            },
                        });
                        discovered.message(&result).await;
                        if what == "discovered first" {
                            // Nobody may want it any more.
                            refusing.raw(&format!("data: {refused}\n\n")).await;
                        }
                    });
                    answer
                }
                _ if is_legacy => seen.usual(),
                _ => modern(seen),
            }
        })
        .await;
        let mut options = Options::default();
        options.probe = Duration::from_millis(1);
        let world = world_of(at(&fake.url, &[]), &[], options);
        let mut client = world.connect();
        let answer = call_plain(&mut client).await;
        assert!(answer["result"].is_object(), "{what}: {answer}");
        world.stop(client).await;
    }
}

/// MCP 2026-07-28, "Protocol Version Negotiation".
#[tokio::test]
async fn a_server_that_wants_another_revision_is_asked_again() {
    let refusal = |seen: &Seen, code: i64, supported: &[&str]| {
        let data = json!({"supported": supported, "requested": "?"});
        let error = json!({"code": code, "message": "refused", "data": data});
        answer_json(
            400,
            &json!({"jsonrpc": "2.0", "id": seen.body["id"], "error": error}),
        )
    };
    let discover = "POST server/discover";
    for (code, supported, is_always, greeting, said) in [
        (
            -32022,
            &["2099-01-01", "2026-07-28"][..],
            false,
            &[discover, discover][..],
            None,
        ),
        (
            -32022,
            &["2026-07-28"],
            true,
            &[discover, discover],
            Some("it answers server/discover with an error"),
        ),
        (
            -32022,
            &["2099-01-01", "2098-01-01"],
            true,
            &[discover],
            Some("it speaks 2099-01-01, 2098-01-01 only"),
        ),
        (
            -32022,
            &[],
            true,
            &[discover],
            Some("it answers server/discover with an error"),
        ),
        (
            -32021,
            &[],
            true,
            &[discover],
            Some("it answers server/discover with an error"),
        ),
        // It would rather have a session.
        (
            -32022,
            &["2025-11-25"],
            true,
            &[discover, "POST initialize"],
            None,
        ),
        // Any other error is that of a server with sessions.
        (
            -32000,
            &["2026-07-28"],
            true,
            &[discover, "POST initialize"],
            None,
        ),
    ] {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let has_sessions = greeting.contains(&"POST initialize");
        let fake = Fake::start(move |seen| match seen.rpc() {
            "server/discover"
                if is_always || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 =>
            {
                refusal(seen, code, supported)
            }
            _ if has_sessions => seen.usual(),
            _ => modern(seen),
        })
        .await;
        let world = world(at(&fake.url, &[]), &[]);
        let mut client = world.connect();
        let answer = call_plain(&mut client).await;
        match said {
            None => assert!(answer["result"].is_object(), "{answer}"),
            Some(said) => {
                let error = answer["error"]["message"].as_str().unwrap_or_default();
                assert!(
                    error.contains("server remote") && error.contains(said),
                    "{answer}"
                );
            }
        }
        let methods = fake.methods();
        let greeted = methods
            .iter()
            .filter(|it| *it == discover || *it == "POST initialize");
        assert_eq!(greeted.collect::<Vec<_>>(), greeting);
    }
}

/// Closing the response is the cancellation, and nothing else is said.
#[tokio::test]
async fn a_cancelled_request_is_only_closed() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let mut fake = Fake::start(move |seen| {
        if seen.rpc() != "tools/call" {
            return modern(seen);
        }
        let (mut events, answer) = events();
        let tell = tell.clone();
        tokio::spawn(async move {
            while events.raw(":\n").await {}
            let _ = tell.send("closed");
        });
        answer
    })
    .await;
    let world = world(at(&fake.url, &[]), &[]);
    let mut client = world.client().await;
    let id = client.begin("tools/call", json!({"name": "t"})).await;
    fake.wait_for(|it| it.rpc() == "tools/call").await;
    let params = json!({"requestId": id});
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
    client.send(&cancel).await;
    assert_eq!(told.recv().await, Some("closed"));
    let list = client.ask("tools/list", json!({})).await;
    assert!(list["result"]["tools"].is_array(), "{list}");
    let methods = fake.methods();
    assert!(
        !methods.contains(&"POST notifications/cancelled".to_owned()),
        "{methods:?}"
    );
}

/// Whatever a server with sessions answers to a question that it does not know.
#[tokio::test]
async fn a_client_without_a_session_reaches_a_server_with_one() {
    let no_session = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: No valid session ID provided"}}"#;
    for (status, kind, body) in [
        (400, "application/json", no_session),
        (400, "text/plain", "Unsupported protocol version"),
        (404, "text/html", "<p>Not found"),
        (405, "", ""),
    ] {
        let fake = Fake::start(move |seen| match seen.rpc() {
            "server/discover" => of(status, kind, body),
            _ => seen.usual(),
        })
        .await;
        let world = world(at(&fake.url, &[]), &[]);
        let mut client = world.connect();
        for _ in 0..2 {
            let meta = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            });
            let params = json!({"name": "t", "arguments": {}, "_meta": meta});
            let answer = client.ask("tools/call", params).await;
            assert_eq!(text(&answer), "done");
        }
        let posts: Vec<_> = fake
            .seen()
            .into_iter()
            .filter(|it| it.method == "POST")
            .collect();
        let said: Vec<_> = posts
            .iter()
            .map(|it| {
                (
                    it.rpc(),
                    it.field("mcp-protocol-version"),
                    it.field("mcp-session-id"),
                )
            })
            .collect();
        assert_eq!(
            said,
            [
                ("server/discover", "2026-07-28", ""),
                ("initialize", "", ""),
                ("notifications/initialized", "2025-11-25", "session-1"),
                ("tools/call", "2025-11-25", "session-1"),
                ("tools/call", "2025-11-25", "session-1"),
            ]
        );
    }
}
