//! Clients that misbehave over HTTP: each gets an answer, and no other client notices.

use std::fs;
use std::time::{Duration, Instant};

use mcplexer_secrets::audit::AuditOutcome;
use serde_json::{Value, json};
use tokio::process::Command;

use super::alone::is_alone;
use super::world::{World, program};

const CLIENT: &str = env!("CARGO_BIN_EXE_bad-client");
const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture-server");

async fn begin() -> (World, String) {
    let mut world = World::new(
        vec![("fixture", program(FIXTURE, &["--no-polling"], &[]))],
        &[],
    );
    let url = format!("{}/fixture", world.serve().await);
    (world, url)
}

/// What the client got for its faults: the case, and what came of it.
async fn got(url: &str, faults: &[&str]) -> Vec<Value> {
    let output = Command::new(CLIENT)
        .args(["--url", url])
        .args(faults)
        .output()
        .await
        .unwrap();
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect()
}

fn statuses(got: &[Value]) -> Vec<u64> {
    got.iter()
        .map(|it| it["status"].as_u64().unwrap_or_default())
        .collect()
}

/// Does what is wrong, and sees that the gateway is as it was.
async fn after(faults: &[&str]) -> Vec<Value> {
    let (world, url) = begin().await;
    let got = got(&url, faults).await;
    let mut client = world.client(Some("fixture")).await;
    let answer = client
        .call("echo", json!({ "message": "still there?" }))
        .await;
    assert_eq!(answer["result"]["content"][0]["text"], "still there?");
    client.leave().await;
    world.stop().await;
    got
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forged_is_refused_and_what_is_genuine_is_not() {
    let sessions = after(&["--forged-session"]).await;
    assert_eq!(
        statuses(&sessions),
        [200, 404, 404, 404, 404, 404, 404],
        "{sessions:#?}"
    );
    let states = after(&["--forged-state"]).await;
    let texts: Vec<_> = states
        .iter()
        .map(|it| it["body"].as_str().unwrap())
        .collect();
    assert!(
        texts[0].contains("input_required") && texts[1].contains("Hello, Mallory!"),
        "{texts:?}"
    );
    assert!(
        texts[2..].iter().all(|it| it.contains("-32602")),
        "{texts:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_headers_deny_is_refused() {
    let got = after(&["--header-unlike-body"]).await;
    assert_eq!(
        statuses(&got),
        [200, 400, 400, 400, 400, 400, 400, 400, 400],
        "{got:#?}"
    );
    assert_eq!(statuses(&after(&["--rebound"]).await), [403; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_another_kind_are_refused() {
    let batches = after(&["--batch"]).await;
    assert_eq!(statuses(&batches), [400; 4], "{batches:#?}");
    let malformed = after(&["--malformed"]).await;
    assert_eq!(statuses(&malformed), [400; 7], "{malformed:#?}");
    let huge = after(&["--huge-body", "17000000"]).await;
    assert_eq!(statuses(&huge), [413, 413, 413, 200], "{huge:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_does_not_block_another() {
    let got = after(&["--never-read", "30"]).await;
    assert_eq!(
        (&got[0]["connections"], &got[0]["listens"]),
        (&json!(30), &json!(true)),
        "{got:#?}"
    );
    assert_eq!(got[1]["status"], 200);
}

/// Half of the calls are cancelled by a message, half by a connection that is closed, as soon as they are sent.
#[tokio::test(flavor = "multi_thread")]
async fn no_call_survives_a_storm_of_cancels() {
    const CALLS: usize = 100;
    let (world, url) = begin().await;
    let got = got(&url, &["--cancels", &CALLS.to_string()]).await;
    assert_eq!(
        (&got[0]["outcomes"], &got[1]["status"]),
        (&json!({ "202": CALLS }), &json!(200)),
        "{got:#?}"
    );
    // That a connection is closed is noticed some time later.
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let calls = world.calls();
        let waits: Vec<_> = calls
            .iter()
            .filter(|it| it.object.as_deref() == Some("wait"))
            .collect();
        // What is cancelled before it is recorded is in no log, and has not reached the server.
        assert!(!waits.is_empty());
        let open = waits.iter().filter(|it| it.outcome.is_none()).count();
        if open == 0 {
            assert!(
                waits
                    .iter()
                    .all(|it| it.outcome == Some(AuditOutcome::Cancelled))
            );
            break;
        }
        assert!(Instant::now() < end, "{open} of {} calls", waits.len());
        tokio::task::yield_now().await;
    }
    world.stop().await;
}

/// How much of this process is in memory, in KiB, without what is mapped from files.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|it| it.starts_with("RssAnon:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Opens sessions that nobody uses again. The memory afterwards is that of before, within a tenth: it is measured once
/// as many sessions were opened as are kept at most.
async fn sessions_are_abandoned(warm: usize, rounds: usize) {
    let (world, url) = begin().await;
    let abandon = |sessions: usize| {
        let url = url.clone();
        async move {
            let got = got(&url, &["--abandon", &sessions.to_string()]).await;
            assert_eq!(got[0]["outcomes"], json!({ "200": sessions }));
        }
    };
    abandon(warm).await;
    let before = memory();
    for _ in 0..rounds {
        abandon(1_000).await;
    }
    let after = memory();
    eprintln!(
        "{before} KiB after {warm} sessions, {after} KiB after {} more",
        rounds * 1_000
    );
    assert!(
        after <= before + before / 10,
        "{before} KiB, then {after} KiB"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_abandoned_sessions_take_no_memory() {
    if is_alone("bad_clients::a_thousand_abandoned_sessions_take_no_memory") {
        sessions_are_abandoned(1_300, 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
async fn ten_thousand_abandoned_sessions_take_no_memory() {
    if is_alone("bad_clients::ten_thousand_abandoned_sessions_take_no_memory") {
        sessions_are_abandoned(6_000, 10).await;
    }
}
