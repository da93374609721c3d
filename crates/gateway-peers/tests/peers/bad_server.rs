//! The server that misbehaves.

use std::io::Read;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gateway_peers::client::{Connection, Reply, Server};
use serde_json::{Value, json};
use test_support::Running;

use super::started::{Talk, serve};

const SERVER: &str = env!("CARGO_BIN_EXE_bad-server");
const SECRET: &str = "s3cr3t \"of\" the server";

fn initialize(id: u32) -> Value {
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {} });
    json!({ "jsonrpc": "2.0", "id": id, "method": "initialize", "params": params })
}

fn call(id: u32, tool: &str) -> Value {
    let arguments = json!({ "message": "hello" });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool, "arguments": arguments } })
}

/// A server that has been asked to misbehave, as request 1.
fn misbehaving(options: &[&str]) -> Talk {
    let mut talk = Talk::start(SERVER, options);
    talk.ask(&initialize(0));
    talk.say(&call(1, "misbehave"));
    talk
}

#[test]
fn without_a_fault_it_behaves() {
    let mut talk = misbehaving(&[]);
    assert_eq!(
        talk.hear()["result"]["content"][0]["text"],
        "No fault was asked for."
    );
    assert_eq!(
        talk.ask(&call(2, "echo"))["result"]["content"][0]["text"],
        "hello"
    );
}

#[test]
fn an_answer_is_missing_or_late_or_one_too_many() {
    let mut never = misbehaving(&["--never"]);
    assert_eq!(never.ask(&call(2, "echo"))["id"], 2);
    let mut silent = Talk::start(SERVER, &["--silent"]);
    silent.say(&json!({ "jsonrpc": "2.0", "id": 1, "method": "server/discover" }));
    assert_eq!(silent.ask(&initialize(2))["id"], 2);
    let mut late = misbehaving(&["--late", "1"]);
    let ids = [
        late.ask(&call(2, "echo"))["id"].as_u64(),
        late.hear()["id"].as_u64(),
    ];
    assert_eq!(ids.into_iter().flatten().sum::<u64>(), 3);
    let mut twice = misbehaving(&["--twice"]);
    assert_eq!(
        (twice.hear()["id"].clone(), twice.hear()["id"].clone()),
        (json!(1), json!(1))
    );
    assert_eq!(misbehaving(&["--other-id"]).hear()["id"], "nobody asked");
}

#[test]
fn a_line_is_no_message() {
    let mut talk = Talk::start(SERVER, &["--banner"]);
    talk.say(&initialize(0));
    let lines: Vec<bool> = (0..4)
        .map(|_| serde_json::from_slice::<Value>(&talk.line()).is_ok())
        .collect();
    assert_eq!(lines, [false, false, false, true]);
    assert!(misbehaving(&["--nul"]).line().contains(&0));
    assert!(String::from_utf8(misbehaving(&["--invalid-utf8"]).line()).is_err());
    assert!(misbehaving(&["--long-line"]).line().len() > 20 << 20);
    assert!((3000..3200).contains(&misbehaving(&["--long-line", "3000"]).line().len()));
}

#[test]
fn it_dies() {
    let mut talk = misbehaving(&["--exit-mid-call"]);
    let half = talk.line();
    assert!(half.starts_with(br#"{"jsonrpc""#) && serde_json::from_slice::<Value>(&half).is_err());
    assert_eq!(talk.server.wait().unwrap().code(), Some(3));
    let mut talk = Talk::start(SERVER, &["--initialize-once"]);
    talk.ask(&initialize(0));
    talk.say(&initialize(1));
    assert_eq!(talk.server.wait().unwrap().code(), Some(3));
}

#[cfg(target_os = "linux")]
#[test]
fn it_lives_on_without_input_and_at_a_signal() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("pids");
    let options = [
        "--ignore-eof",
        "--ignore-sigterm",
        "--grandchildren",
        "2",
        "--pids",
        file.to_str().unwrap(),
    ];
    let mut talk = Talk::start(SERVER, &options);
    talk.ask(&initialize(0));
    let pids = std::fs::read_to_string(&file).unwrap();
    let pids: Vec<i32> = pids.lines().map(|pid| pid.parse().unwrap()).collect();
    assert_eq!(pids.len(), 3);
    drop(talk.server.stdin.take());
    let signal = |pid: i32, signal| {
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    };
    for pid in &pids {
        wait_for_handler(*pid);
        signal(*pid, rustix::process::Signal::TERM);
    }
    for pid in pids {
        let state = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        assert!(!state.contains("State:\tZ"), "{state}");
        signal(pid, rustix::process::Signal::KILL);
    }
}

/// Waits until the process catches SIGTERM.
#[cfg(target_os = "linux")]
fn wait_for_handler(pid: i32) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let caught = status
            .lines()
            .find_map(|line| line.strip_prefix("SigCgt:\t"))
            .unwrap();
        if u64::from_str_radix(caught, 16).unwrap() & (1 << 14) != 0 {
            return;
        }
        assert!(std::time::Instant::now() < end, "{status}");
        std::thread::yield_now();
    }
}

#[test]
fn a_flood_must_be_read_before_it_answers() {
    let mut command = Command::new(SERVER);
    command
        .arg("--flood-stderr")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut server = Running::start(&mut command).unwrap();
    let mut flood = vec![0; 8 << 20];
    server
        .stderr
        .as_mut()
        .unwrap()
        .read_exact(&mut flood)
        .unwrap();
}

#[test]
fn the_tools_change_and_it_says_so_again_and_again() {
    let mut talk = misbehaving(&["--storm", "--changing-description"]);
    assert_eq!(talk.hear()["id"], 1);
    for _ in 0..100 {
        assert_eq!(talk.hear()["method"], "notifications/tools/list_changed");
    }
    let mut talk = Talk::start(SERVER, &["--changing-description"]);
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    assert_ne!(talk.ask(&list), talk.ask(&list));
}

#[test]
fn the_secret_gets_out_in_each_form() {
    let start = |form: &str| {
        let mut command = Command::new(SERVER);
        command
            .args(["--secret", form, "--secret-env", "BAD_SECRET"])
            .env("BAD_SECRET", SECRET);
        let mut talk = Talk::of(&mut command);
        talk.say(&call(1, "misbehave"));
        talk
    };
    let raw = |form: &str| {
        let mut talk = start(form);
        assert_eq!(talk.hear()["params"]["data"], format!("it is {SECRET}"));
        assert_eq!(talk.hear()["result"]["structuredContent"]["it"], SECRET);
    };
    raw("raw");
    raw("escaped");
    let data = |form: &str| {
        start(form).hear()["params"]["data"]
            .as_str()
            .unwrap()
            .trim_start_matches("it is ")
            .to_owned()
    };
    let coded = BASE64_STANDARD.decode(data("base64")).unwrap();
    assert_eq!(coded, format!("token={SECRET}").into_bytes());
    assert!(data("hex").starts_with("733363"));
    assert!(data("url").starts_with("%73%33%63"));
    assert_eq!(
        start("pieces").hear()["result"]["structuredContent"]["it"],
        SECRET
    );
    let mut halves = start("messages");
    let half = |message: &Value| {
        message["params"]["data"]
            .as_str()
            .unwrap()
            .trim_start_matches("it is ")
            .to_owned()
    };
    assert_eq!(half(&halves.hear()) + &half(&halves.hear()), SECRET);
}

/// Posts one message.
fn post(url: &str, headers: &[(&str, &str)], message: &Value) -> std::io::Result<Reply> {
    let mut connection = Connection::open(&Server::at(url))?;
    connection.send("POST", headers, message.to_string().as_bytes())?;
    connection.receive()
}

fn session(url: &str) -> String {
    post(url, &[], &initialize(0))
        .unwrap()
        .header("mcp-session-id")
        .unwrap()
        .to_owned()
}

#[test]
fn over_http_it_refuses_and_redirects() {
    let (_server, url) = serve(
        SERVER,
        &[
            "--unauthorized",
            "--secret",
            "raw",
            "--secret-header",
            "x-token",
        ],
    );
    let refused = post(&url, &[("X-Token", SECRET)], &initialize(0)).unwrap();
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").is_some() && !refused.body.is_empty());

    let (_server, url) = serve(SERVER, &["--step-up", "files:write"]);
    let session = session(&url);
    let refused = post(&url, &[("Mcp-Session-Id", &session)], &call(1, "misbehave")).unwrap();
    assert_eq!(refused.status, 403);
    assert!(
        refused
            .header("www-authenticate")
            .unwrap()
            .contains(r#"scope="files:write""#)
    );

    let (_server, url) = serve(
        SERVER,
        &[
            "--redirect",
            "http://127.0.0.1:1/",
            "--redirect-status",
            "302",
        ],
    );
    let moved = post(&url, &[], &initialize(0)).unwrap();
    assert_eq!(
        (moved.status, moved.header("location")),
        (302, Some("http://127.0.0.1:1/"))
    );
}

#[test]
fn over_http_a_session_is_lost() {
    let (_server, url) = serve(SERVER, &["--lose-session", "2"]);
    for _ in 0..2 {
        let session = session(&url);
        let status = |id| {
            post(&url, &[("Mcp-Session-Id", &session)], &call(id, "echo"))
                .unwrap()
                .status
        };
        assert_eq!([status(1), status(2), status(3)], [200, 200, 404]);
    }
}

#[test]
fn over_http_an_event_is_cut() {
    let (_server, url) = serve(SERVER, &["--cut"]);
    let session = session(&url);
    let headers = [("Mcp-Session-Id", session.as_str())];
    assert!(post(&url, &headers, &call(1, "misbehave")).is_err());
    assert_eq!(post(&url, &headers, &call(2, "echo")).unwrap().status, 200);
}

#[test]
fn over_http_the_secret_is_that_of_the_header() {
    for (form, events) in [("raw", 2), ("pieces", 1), ("messages", 3)] {
        let (_server, url) = serve(
            SERVER,
            &["--secret", form, "--secret-header", "authorization"],
        );
        let session = session(&url);
        let headers = [
            ("Mcp-Session-Id", session.as_str()),
            ("Authorization", "Bearer b34rer"),
        ];
        let reply = post(&url, &headers, &call(1, "misbehave")).unwrap();
        assert_eq!(
            reply.body.matches("data: ").count(),
            events,
            "{}",
            reply.body
        );
        assert_eq!(reply.body.contains("Bearer b34rer"), form != "messages");
    }
}
