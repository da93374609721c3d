//! Streamable HTTP of the revisions with sessions.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::sync::mpsc;

use crate::client::{at, text, world};
use crate::fake::{Fake, Seen, empty, events, json as answer_json, of};

/// MCP 2025-11-25, "Session Management" and "Protocol Version Header".
#[tokio::test]
async fn every_request_belongs_to_the_session() {
    let fake = Fake::start(Seen::usual).await;
    let world = world(at(&fake.url, &[("X-Plain", "yes")]), &[]);
    let mut client = world.client().await;
    assert_eq!(text(&client.call("t").await), "done");
    let changed = json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"});
    client.send(&changed).await;
    client.call("t").await;
    world.stop(client).await;

    let seen = fake.seen();
    let (first, rest) = seen.split_first().unwrap();
    assert_eq!(first.rpc(), "initialize");
    assert_eq!(
        (
            first.field("mcp-session-id"),
            first.field("mcp-protocol-version")
        ),
        ("", "")
    );
    for one in rest {
        assert_eq!(one.field("mcp-session-id"), "session-1", "{one:?}");
        assert_eq!(one.field("mcp-protocol-version"), "2025-11-25", "{one:?}");
    }
    for one in &seen {
        assert_eq!((one.path.as_str(), one.field("x-plain")), ("/mcp", "yes"));
        match one.method.as_str() {
            "POST" => {
                assert_eq!(one.field("accept"), "application/json, text/event-stream");
                assert_eq!(one.field("content-type"), "application/json");
            }
            "GET" => assert_eq!(one.field("accept"), "text/event-stream"),
            _ => {}
        }
    }
    let methods = fake.methods();
    assert!(methods.contains(&"POST notifications/roots/list_changed".to_owned()));
    assert_eq!(methods.last().unwrap(), "DELETE");
    assert_eq!(
        methods.iter().filter(|it| *it == "GET").count(),
        1,
        "405 says that there is no stream"
    );
}

#[tokio::test]
async fn calls_share_a_connection() {
    let fake = Fake::start(Seen::usual).await;
    let world = world(at(&fake.url, &[]), &[]);
    let mut client = world.client().await;
    client.call("t").await;
    let before = fake.connections();
    for _ in 0..50 {
        client.call("t").await;
    }
    assert_eq!(fake.connections(), before);
}

/// What comes before the answer belongs to the request, and goes to its client.
#[tokio::test]
async fn a_response_of_events_has_messages_before_the_answer() {
    let mut fake = Fake::start(|seen| {
        if seen.rpc() != "tools/call" {
            return seen.usual();
        }
        let (mut events, answer) = events();
        let seen = seen.clone();
        tokio::spawn(async move {
            let token = &seen.body["params"]["_meta"]["progressToken"];
            let progress = json!({"progressToken": token, "progress": 0.5});
            events.raw(": a comment\r\n\r\n").await;
            events
                .message(&json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": progress}))
                .await;
            let log = json!({"level": "info", "data": "hello"});
            events
                .message(&json!({"jsonrpc": "2.0", "method": "notifications/message", "params": log}))
                .await;
            events
                .message(&json!({"jsonrpc": "2.0", "id": "q", "method": "sampling/createMessage", "params": {}}))
                .await;
            let result = format!(r#"{{"jsonrpc":"2.0","id":{},"#, seen.body["id"]);
            events.raw(&format!("data: {result}\ndata: \"result\":{{\"n\":1.50}}}}\n\n")).await;
            // It does not end the response. The connection is not used again.
            while events.raw(":\n").await {}
        });
        answer
    })
    .await;
    let world = world(at(&fake.url, &[]), &[]);
    let mut client = world.client().await;
    let params = json!({"name": "t", "_meta": {"progressToken": "mine"}});
    let id = client.begin("tools/call", params).await;
    assert_eq!(
        client.next().await["params"],
        json!({"progressToken": "mine", "progress": 0.5})
    );
    assert_eq!(client.next().await["params"]["data"], "hello");
    let question = client.next().await;
    assert_eq!(question["method"], "sampling/createMessage");
    let answer = client.next().await;
    assert_eq!(
        (&answer["id"], answer["result"]["n"].to_string()),
        (&json!(id), "1.5".to_owned())
    );
    let sampled = json!({"jsonrpc": "2.0", "id": question["id"], "result": {"model": "m"}});
    client.send(&sampled).await;
    let seen = fake.wait_for(|it| it.body["result"]["model"] == "m").await;
    assert_eq!(seen.body["id"], "q");
}

/// What comes after the answer is not lost.
#[tokio::test]
async fn a_response_of_events_has_messages_after_the_answer() {
    let fake = Fake::start(|seen| {
        if seen.rpc() != "tools/call" {
            return seen.usual();
        }
        let (mut events, answer) = events();
        let id = seen.body["id"].clone();
        tokio::spawn(async move {
            let answer = json!({"jsonrpc": "2.0", "id": id, "result": {}});
            let log = |data: u8| {
                json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": data}})
            };
            events.raw(&format!("data: {answer}\n\ndata: {}\n\n", log(1))).await;
            events.message(&log(2)).await;
        });
        answer
    })
    .await;
    let world = world(at(&fake.url, &[]), &[]);
    let mut client = world.client().await;
    for _ in 0..3 {
        client.begin("tools/call", json!({"name": "t"})).await;
        let mut said = [
            client.next().await,
            client.next().await,
            client.next().await,
        ];
        said.sort_by_key(|it| it["params"]["data"].as_u64());
        let [answer, one, two] = &said;
        assert_eq!(answer["result"], json!({}));
        assert_eq!(
            (&one["params"]["data"], &two["params"]["data"]),
            (&json!(1), &json!(2))
        );
    }
}

/// MCP 2025-11-25, "Resumability and Redelivery", and polling: the server closes the connection on purpose.
#[tokio::test]
async fn a_response_that_is_cut_is_resumed() {
    let id = Arc::new(Mutex::new(json!(null)));
    let fake = Fake::start(move |seen| {
        let (mut events, answer) = events();
        match (seen.method.as_str(), seen.field("last-event-id")) {
            ("POST", _) if seen.rpc() == "tools/call" => {
                *id.lock().unwrap() = seen.body["id"].clone();
                tokio::spawn(async move { events.raw("retry: 1\nid: a-1\ndata:\n\n").await });
            }
            ("GET", "a-1") => {
                tokio::spawn(async move {
                    let log = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": 1}});
                    events.raw(&format!("id: a-2\ndata: {log}\n\nid: a-3\ndata: cut")).await
                });
            }
            ("GET", "a-2") => {
                let answer = json!({"jsonrpc": "2.0", "id": *id.lock().unwrap(), "result": {"ok": true}});
                tokio::spawn(async move { events.raw(&format!("id: a-3\ndata: {answer}\n\n")).await });
            }
            _ => return seen.usual(),
        }
        answer
    })
    .await;
    let world = world(at(&fake.url, &[]), &[]);
    let mut client = world.client().await;
    client.begin("tools/call", json!({"name": "t"})).await;
    assert_eq!(client.next().await["method"], "notifications/message");
    assert_eq!(client.next().await["result"]["ok"], true);
    let calls = fake
        .methods()
        .into_iter()
        .filter(|it| it == "POST tools/call");
    assert_eq!(calls.count(), 1);
}

#[tokio::test]
async fn a_response_that_cannot_be_resumed_is_lost() {
    let calls = Arc::new(AtomicUsize::new(0));
    let fake = Fake::start(move |seen| {
        let (mut events, answer) = events();
        match (seen.method.as_str(), seen.rpc()) {
            ("POST", "tools/call") => {
                let is_named = seen.body["params"]["name"] == "named";
                let text = if is_named {
                    "retry: 1\nid: 1\ndata:\n\n"
                } else {
                    ":\n"
                };
                tokio::spawn(async move { events.raw(text).await });
            }
            ("POST", "tools/list") if calls.fetch_add(1, Ordering::Relaxed) == 0 => {
                tokio::spawn(async move { events.raw("data: {\n").await });
            }
            ("GET", _) if seen.field("last-event-id") == "1" => return empty(405),
            _ => return seen.usual(),
        }
        answer
    })
    .await;
    let world = world(at(&fake.url, &[]), &[]);
    let mut client = world.client().await;
    for tool in ["unnamed", "named"] {
        let error = client.fails(tool).await;
        assert!(error.contains("server remote ended before it answered, so the outcome is unknown; http://127.0.0.1:"), "{error}");
        assert!(
            error.ends_with("/mcp: the response ended without the answer"),
            "{error}"
        );
    }
    // To ask twice for a list does no harm.
    let list = client.ask("tools/list", json!({})).await;
    assert_eq!(list["result"]["tools"], json!([]));
    let methods = fake.methods();
    let of = |method: &str| methods.iter().filter(|it| *it == method).count();
    assert_eq!(
        (
            of("POST tools/call"),
            of("POST tools/list"),
            of("POST initialize")
        ),
        (2, 2, 1)
    );
}

/// MCP 2025-11-25, "Listening for Messages from the Server".
#[tokio::test]
async fn what_belongs_to_no_request_is_heard_on_a_stream() {
    let (say, said) = mpsc::unbounded_channel::<String>();
    let said = Arc::new(tokio::sync::Mutex::new(said));
    let mut fake = Fake::start(move |seen| match seen.method.as_str() {
        "GET" => {
            let (mut events, answer) = events();
            let said = Arc::clone(&said);
            tokio::spawn(async move {
                let mut said = said.lock().await;
                // An empty text ends the stream.
                while let Some(text) = said.recv().await.filter(|it| !it.is_empty()) {
                    events.raw(&text).await;
                }
            });
            answer
        }
        _ => seen.usual(),
    })
    .await;
    let world = world(at(&fake.url, &[]), &[]);
    let mut client = world.client().await;
    let log = |data: &str| {
        format!(
            r#"data: {{"jsonrpc":"2.0","method":"notifications/message","params":{{"data":"{data}"}}}}"#
        )
    };
    let stream = fake.wait_for(|it| it.method == "GET").await;
    assert_eq!(stream.field("mcp-session-id"), "session-1");
    say.send(format!("retry: 1\nid: 7\n{}\n\n", log("one")))
        .unwrap();
    assert_eq!(client.next().await["params"]["data"], "one");
    say.send(String::new()).unwrap();
    let stream = fake.wait_for(|it| it.method == "GET").await;
    assert_eq!(stream.field("last-event-id"), "7");
    say.send(format!("{}\n\n", log("two"))).unwrap();
    assert_eq!(client.next().await["params"]["data"], "two");
    world.stop(client).await;
    assert!(fake.methods().contains(&"DELETE".to_owned()));
}

/// MCP 2025-11-25, "Session Management", point 4. Public faults: metamcp#294, sparfenyuk/mcp-proxy#149.
#[tokio::test]
async fn a_session_that_the_server_has_forgotten_is_begun_again() {
    let no_session = json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32000, "message": "Bad Request: No valid session ID provided"}});
    let unknown = json!({"jsonrpc": "2.0", "id": "server-error", "error": {"code": -32600, "message": "Session not found"}});
    for (status, body) in [
        (404, String::new()),
        (404, unknown.to_string()),
        (400, no_session.to_string()),
    ] {
        let calls = Arc::new(AtomicUsize::new(0));
        let fake = Fake::start(move |seen| {
            match seen.rpc() == "tools/call" && calls.fetch_add(1, Ordering::Relaxed) == 1 {
                true => of(status, "application/json", &body),
                false => seen.usual(),
            }
        })
        .await;
        let world = world(at(&fake.url, &[]), &[]);
        let mut client = world.client().await;
        client.call("t").await;
        assert_eq!(text(&client.call("t").await), "done");
        let methods = fake.methods();
        let methods: Vec<_> = methods.iter().filter(|it| it.starts_with("POST")).collect();
        assert_eq!(
            methods,
            [
                "POST initialize",
                "POST notifications/initialized",
                "POST tools/call",
                "POST tools/call",
                "POST initialize",
                "POST notifications/initialized",
                "POST tools/call"
            ]
        );
        let again = fake
            .seen()
            .into_iter()
            .filter(|it| it.rpc() == "initialize");
        assert!(
            again
                .map(|it| it.field("mcp-session-id").to_owned())
                .all(|it| it.is_empty())
        );
    }
}

#[tokio::test]
async fn a_server_that_forgets_every_session_is_asked_twice_and_no_more() {
    let fake = Fake::start(|seen| match seen.rpc() {
        "tools/call" => empty(404),
        _ => seen.usual(),
    })
    .await;
    let world = world(at(&fake.url, &[]), &[]);
    let mut client = world.client().await;
    let error = client.fails("t").await;
    assert!(
        error.contains("404 Not Found") && error.contains("session"),
        "{error}"
    );
    let calls = fake
        .methods()
        .into_iter()
        .filter(|it| it == "POST tools/call");
    assert_eq!(calls.count(), 2);
}

/// An error of JSON-RPC is the answer, whatever the status. Public fault: agentgateway#2082.
#[tokio::test]
async fn an_error_in_a_body_is_the_answer() {
    for (status, id) in [
        (400, "ID"),
        (500, "ID"),
        (403, "ID"),
        (400, "null"),
        (422, ""),
    ] {
        let fake = Fake::start(move |seen| {
            if seen.rpc() != "tools/call" {
                return seen.usual();
            }
            let id = match id {
                "ID" => format!(r#""id":{},"#, seen.body["id"]),
                "" => String::new(),
                id => format!(r#""id":{id},"#),
            };
            let body = format!(r#"{{"jsonrpc":"2.0",{id}"error":{{"code":-32602,"message":"no such tool","more":1.50}}}}"#);
            of(status, "application/json", &body)
        })
        .await;
        let world = world(at(&fake.url, &[]), &[]);
        let mut client = world.client().await;
        let answer = client.call("t").await;
        assert_eq!(
            answer["error"],
            json!({"code": -32602, "message": "no such tool", "more": 1.5}),
            "{status} {id}"
        );
    }
}

/// A method that the server does not have is no lost session.
#[tokio::test]
async fn a_missing_method_does_not_end_the_session() {
    let fake = Fake::start(|seen| match seen.rpc() {
        "prompts/list" => {
            let error = json!({"code": -32601, "message": "Method not found"});
            answer_json(
                404,
                &json!({"jsonrpc": "2.0", "id": seen.body["id"], "error": error}),
            )
        }
        _ => seen.usual(),
    })
    .await;
    let world = world(at(&fake.url, &[]), &[]);
    let mut client = world.client().await;
    let answer = client.ask("prompts/list", json!({})).await;
    assert_eq!(answer["error"]["code"], -32601);
    client.call("t").await;
    let methods = fake
        .methods()
        .into_iter()
        .filter(|it| it == "POST initialize");
    assert_eq!(methods.count(), 1);
}

/// One revision has several messages in one body.
#[tokio::test]
async fn a_batch_is_taken_apart() {
    let fake = Fake::start(|seen| match seen.rpc() {
        "tools/call" => {
            let log = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {}});
            let answer = json!({"jsonrpc": "2.0", "id": seen.body["id"], "result": {}});
            answer_json(200, &json!([log, answer]))
        }
        _ => seen.usual(),
    })
    .await;
    let world = world(at(&fake.url, &[]), &[]);
    let mut client = world.client().await;
    client.begin("tools/call", json!({"name": "t"})).await;
    assert_eq!(client.next().await["method"], "notifications/message");
    assert_eq!(client.next().await["result"], json!({}));
}

/// The response is dropped, and a server of these revisions is told.
#[tokio::test]
async fn a_request_is_cancelled_at_the_server() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let mut fake = Fake::start(move |seen| {
        if seen.rpc() != "tools/call" {
            return seen.usual();
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
    let call = fake.wait_for(|it| it.rpc() == "tools/call").await;
    let cancel =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
    client.send(&cancel).await;
    let cancelled = fake
        .wait_for(|it| it.rpc() == "notifications/cancelled")
        .await;
    assert_eq!(cancelled.body["params"]["requestId"], call.body["id"]);
    assert_eq!(told.recv().await, Some("closed"));
    client.begin("ping", json!({})).await;
    assert_eq!(
        client.next().await["result"],
        json!({}),
        "no answer to the cancelled request"
    );
}
