//! Servers that misbehave: each ends in an error that says which server it is, and what it did.

use std::net::TcpListener;
use std::time::Duration;

use mcplexer_gateway::Limits;
use serde_json::json;

use crate::client::{at, text, world, world_of};
use crate::fake::{Fake, empty, events, of, of_bytes, raw};

#[tokio::test]
async fn a_broken_answer_is_an_error_that_names_the_server() {
    for (bytes, said) in [
        ("", "connection closed before message completed"),
        (
            "HTTP/1.1 200 OK\r\nContent-Le",
            "connection closed before message completed",
        ),
        ("no HTTP at all\r\n\r\n", "invalid HTTP version parsed"),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":{id},\"resu",
            "200 OK, and then: end of file before message length reached",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 500\r\n\r\ndata: {\"jsonrpc\":\"2.0\"",
            "end of file before message length reached",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "Invalid chunk size",
        ),
    ] {
        let url = raw(bytes).await;
        let world = world(at(&url, &[]), &[]);
        let mut client = world.client().await;
        let error = client.fails("t").await;
        assert!(error.contains("server remote ended before it answered, so the outcome is unknown; http://127.0.0.1:"), "{error}");
        assert!(
            error.to_lowercase().contains(&said.to_lowercase()),
            "{error}"
        );
        assert!(!error.contains("hidden"), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_an_error_that_names_the_server() {
    for (status, kind, body, said) in [
        (
            200,
            "text/html; charset=utf-8",
            "<p>Sign in",
            "200 OK with text/html, which is no message: is the URL that of an MCP endpoint?",
        ),
        (200, "application/json", "", "200 OK without a message"),
        (202, "", "", "202 Accepted without a message"),
        (
            200,
            "application/json",
            "{\"jsonrpc\":\"2.0\",\"id\":99999,\"result\":{}}",
            "what is no answer to the request",
        ),
        (
            200,
            "application/json",
            "no JSON",
            "what is no answer to the request",
        ),
        (
            200,
            "application/json",
            "[]",
            "what is no answer to the request",
        ),
        (502, "text/html", "<p>Bad", "/mcp answered 502 Bad Gateway"),
        (
            503,
            "text/plain",
            "come back\nlater",
            "503 Service Unavailable: come back later",
        ),
        (
            429,
            "application/json",
            "{\"detail\":1}",
            "429 Too Many Requests: {\"detail\":1}",
        ),
    ] {
        let fake = Fake::start(move |seen| match seen.rpc() {
            "tools/call" => of(status, kind, body),
            _ => seen.usual(),
        })
        .await;
        let world = world(at(&fake.url, &[]), &[]);
        let mut client = world.client().await;
        let error = client.fails("t").await;
        assert!(
            error.contains("server remote failed: http://127.0.0.1:") && error.ends_with(said),
            "{error}"
        );
        // The session goes on.
        client.ask("tools/list", json!({})).await;
        assert_eq!(
            fake.methods()
                .iter()
                .filter(|it| *it == "POST initialize")
                .count(),
            1
        );
    }
}

#[tokio::test]
async fn an_answer_that_is_not_text_is_an_error_that_names_the_server() {
    let result =
        b"{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{\"content\":[{\"text\":\"\xff\"}]}}";
    let late = b"{\"result\":{\"\xc3\":1},\"jsonrpc\":\"2.0\",\"id\":{id}}";
    for (kind, begin, body, end) in [
        ("application/json", "", &result[..], ""),
        ("application/json", "", &late[..], ""),
        ("text/event-stream", "data: ", &result[..], "\n\n"),
        ("text/event-stream", "id: 7\ndata: ", &late[..], "\n\n"),
    ] {
        let fake = Fake::start(move |seen| {
            if seen.rpc() != "tools/call" {
                return seen.usual();
            }
            let id = seen.body["id"].to_string();
            let at = body.windows(4).position(|it| it == b"{id}").unwrap();
            let bytes = [
                begin.as_bytes(),
                &body[..at],
                id.as_bytes(),
                &body[at + 4..],
                end.as_bytes(),
            ];
            of_bytes(200, kind, bytes.concat())
        })
        .await;
        let world = world(at(&fake.url, &[]), &[]);
        let mut client = world.client().await;
        let error = client.fails("t").await;
        assert!(
            error.starts_with("server remote failed: ") && error.contains("not UTF-8"),
            "{error}"
        );
        // The session goes on.
        client.ask("tools/list", json!({})).await;
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    for (is_streamed, call, total, said) in [
        (false, 300, 60_000, "0.3 s without progress"),
        (true, 250, 60_000, "0.25 s without progress"),
        (true, 60_000, 100, "0.1 s in all"),
    ] {
        let fake = Fake::start(move |seen| {
            if seen.rpc() != "tools/call" {
                return seen.usual();
            }
            let (mut events, mut answer) = events();
            if !is_streamed {
                answer
                    .headers_mut()
                    .insert("content-type", "application/json".parse().unwrap());
            }
            tokio::spawn(async move {
                events.raw(" ").await;
                std::future::pending::<()>().await;
            });
            answer
        })
        .await;
        let mut server = at(&fake.url, &[]);
        server.timeouts.call = Duration::from_millis(call);
        server.timeouts.total = Duration::from_millis(total);
        let world = world(server, &[]);
        let mut client = world.client().await;
        let error = client.fails("t").await;
        assert_eq!(error, format!("server remote did not answer within {said}"));
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_to_be_not_reached() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://127.0.0.1:{port}/mcp?key=hidden");
    let world = world(at(&url, &[]), &[]);
    let answer = world.connect().initialize().await;
    let error = answer["error"]["message"].as_str().unwrap();
    assert!(
        error.contains(&format!(
            "server remote cannot be started: http://127.0.0.1:{port}/mcp: Connection refused"
        )),
        "{error}"
    );
    assert!(!error.contains("hidden"), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_too_long_fails_its_request_only() {
    let mut limits = Limits::default();
    limits.message = 4096;
    let fake = Fake::start(|seen| {
        let long = "x".repeat(20_000);
        let id = &seen.body["id"];
        let answer = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"a":"{long}"}}}}"#);
        match seen.body["params"]["name"].as_str() {
            Some("json") => of(200, "application/json", &answer),
            Some("sized") => {
                let mut sized = of(200, "application/json", &answer);
                let len = answer.len().to_string().parse().unwrap();
                sized.headers_mut().insert("content-length", len);
                sized
            }
            Some("events") => of(200, "text/event-stream", &format!("data: {answer}\n\n")),
            Some("before") => {
                let log = format!(r#"{{"jsonrpc":"2.0","method":"notifications/message","params":{{"data":"{long}"}}}}"#);
                let answer = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"text":"fine"}}]}}}}"#);
                of(200, "text/event-stream", &format!("data: {log}\n\ndata: {answer}\n\n"))
            }
            _ => seen.usual(),
        }
    })
    .await;
    let world = world_of(at(&fake.url, &[]), &[], limits);
    let mut client = world.client().await;
    for tool in ["json", "sized", "events"] {
        let error = client.fails(tool).await;
        assert_eq!(
            error, "the answer of server remote is longer than 4096 bytes",
            "{tool}"
        );
    }
    assert_eq!(
        text(&client.call("before").await),
        "fine",
        "a long notification is skipped"
    );
    assert_eq!(text(&client.call("t").await), "done");
}

/// A notification that the server does not take is no reason to end the session.
#[tokio::test]
async fn a_refused_notification_ends_nothing() {
    let fake = Fake::start(|seen| match seen.rpc().starts_with("notifications/") {
        true => empty(400),
        false => seen.usual(),
    })
    .await;
    let world = world(at(&fake.url, &[]), &[]);
    let mut client = world.client().await;
    client
        .send(&json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"}))
        .await;
    assert_eq!(text(&client.call("t").await), "done");
}
