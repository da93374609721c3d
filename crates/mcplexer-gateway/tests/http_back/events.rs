//! HTTP+SSE of 2024-11-05, which is tried when a server does not take `initialize`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;

/// Whether the server has lost the session in the middle once.
static FORGOTTEN: AtomicBool = AtomicBool::new(false);

use crate::client::{at, text, world};
use crate::fake::{Answer, Events, Fake, Seen, empty, events, json as answer_json};

/// Answers as a server of 2024-11-05 does, but for how it refuses to take a POST.
fn old(
    endpoint: &'static str,
    refuse: impl Fn() -> Answer + Send + Sync + 'static,
) -> impl Fn(&Seen) -> Answer + Send + Sync + 'static {
    let stream: Arc<Mutex<Option<Events>>> = Arc::default();
    move |seen| match (seen.method.as_str(), seen.path.as_str()) {
        ("GET", "/mcp") => {
            let (mut events, answer) = events();
            let stream = Arc::clone(&stream);
            tokio::spawn(async move {
                events
                    .raw(&format!("event: endpoint\ndata: {endpoint}\n\n"))
                    .await;
                *stream.lock().unwrap() = Some(events);
            });
            answer
        }
        ("POST", "/messages?s=1") => {
            let mut events = stream.lock().unwrap().take().unwrap();
            if seen.body["params"]["name"] == "end" {
                return empty(202);
            }
            if seen.body["params"]["name"] == "forget" && !FORGOTTEN.swap(true, Ordering::Relaxed) {
                *stream.lock().unwrap() = Some(events);
                return empty(404);
            }
            let (stream, seen) = (Arc::clone(&stream), seen.clone());
            tokio::spawn(async move {
                let result = match seen.rpc() {
                    "initialize" => json!({"protocolVersion": "2024-11-05", "capabilities": {}}),
                    _ => json!({"content": [{"type": "text", "text": "old"}]}),
                };
                let answer = json!({"jsonrpc": "2.0", "id": seen.body["id"], "result": result});
                if !seen.body["id"].is_null() {
                    events.message(&answer).await;
                }
                *stream.lock().unwrap() = Some(events);
            });
            empty(202)
        }
        _ => refuse(),
    }
}

/// MCP 2025-11-25, "Backwards Compatibility".
#[tokio::test]
async fn a_server_of_2024_is_spoken_to_in_its_way() {
    for (status, endpoint) in [
        (405, "/messages?s=1"),
        (404, "messages?s=1"),
        (400, "/messages?s=1"),
    ] {
        let fake = Fake::start(old(endpoint, move || empty(status))).await;
        let world = world(at(&fake.url, &[("X-Plain", "yes")]), &[]);
        let mut client = world.client().await;
        for _ in 0..3 {
            assert_eq!(text(&client.call("t").await), "old");
        }
        let seen = fake.seen();
        assert!(seen.iter().all(|it| it.field("x-plain") == "yes"));
        let after: Vec<_> = seen
            .iter()
            .map(|it| format!("{} {}", it.method, it.path))
            .collect();
        assert_eq!(after[..3], ["POST /mcp", "GET /mcp", "POST /messages?s=1"]);
        assert!(
            after[3..].iter().all(|it| it == "POST /messages?s=1"),
            "{after:?}"
        );
        world.stop(client).await;
    }
}

#[tokio::test]
async fn a_session_that_the_server_has_forgotten_is_begun_again() {
    let fake = Fake::start(old("/messages?s=1", || empty(405))).await;
    let world = world(at(&fake.url, &[]), &[]);
    let mut client = world.client().await;
    assert_eq!(text(&client.call("forget").await), "old");
    assert_eq!(fake.methods().iter().filter(|it| *it == "GET").count(), 2);
}

/// With the stream everything ends that waits for an answer on it.
#[tokio::test]
async fn a_stream_that_ends_is_opened_again_for_the_next_call() {
    let fake = Fake::start(old("/messages?s=1", || empty(405))).await;
    let world = world(at(&fake.url, &[]), &[]);
    let mut client = world.client().await;
    let error = client.fails("end").await;
    assert!(
        error.contains("server remote ended before it answered, so the outcome is unknown"),
        "{error}"
    );
    assert_eq!(text(&client.call("t").await), "old");
    assert_eq!(fake.methods().iter().filter(|it| *it == "GET").count(), 2);
}

#[tokio::test]
async fn messages_go_to_the_same_origin_only() {
    let other = Fake::start(Seen::usual).await;
    let elsewhere: &'static str = Box::leak(other.url.clone().into_boxed_str());
    for endpoint in [
        elsewhere,
        "https://example.com/messages",
        "//127.0.0.2/messages",
    ] {
        let fake = Fake::start(old(endpoint, || empty(405))).await;
        let world = world(at(&fake.url, &[]), &[]);
        let answer = world.connect().initialize().await;
        let error = answer["error"]["message"].as_str().unwrap();
        assert!(error.contains("another origin"), "{error}");
        assert_eq!(other.connections(), 0);
    }
}

/// The first answer says more than that there is no event stream.
#[tokio::test]
async fn a_server_that_speaks_neither_says_what_it_said_first() {
    let version = json!({"code": -32000, "message": "Unsupported version"});
    for (refusal, said) in [
        (
            json!({"jsonrpc": "2.0", "id": null, "error": version}),
            "Unsupported version",
        ),
        (
            json!({"detail": "unknown client"}),
            r#"400 Bad Request: {"detail":"unknown client"}"#,
        ),
    ] {
        let fake = Fake::start(move |seen| match seen.method.as_str() {
            "POST" => answer_json(400, &refusal),
            _ => empty(405),
        })
        .await;
        let world = world(at(&fake.url, &[]), &[]);
        let answer = world.connect().initialize().await;
        let error = answer["error"]["message"].as_str().unwrap();
        assert!(error.contains("remote") && error.contains(said), "{error}");
    }
}
