//! The client that misbehaves.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use gateway_peers::client::{Connection, Server};
use serde_json::{Value, json};

use super::started::serve;

const CLIENT: &str = env!("CARGO_BIN_EXE_bad-client");
const SERVER: &str = env!("CARGO_BIN_EXE_fixture-server");

/// What the client gets for its faults from a server that makes none.
fn got(faults: &[&str]) -> Vec<Value> {
    let (_server, url) = serve(SERVER, &[]);
    got_from(&url, faults)
}

fn got_from(url: &str, faults: &[&str]) -> Vec<Value> {
    let output = Command::new(CLIENT)
        .args(["--url", url])
        .args(faults)
        .output()
        .unwrap();
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn statuses(got: &[Value]) -> Vec<u64> {
    got.iter()
        .map(|reply| reply["status"].as_u64().unwrap_or_default())
        .collect()
}

#[test]
fn what_is_forged_is_refused_and_what_is_genuine_is_not() {
    let sessions = got(&["--forged-session"]);
    assert_eq!(statuses(&sessions), [200, 404, 404, 404, 404, 404, 404]);
    let states = got(&["--forged-state"]);
    let texts: Vec<&str> = states
        .iter()
        .map(|reply| reply["body"].as_str().unwrap())
        .collect();
    assert!(
        texts[0].contains("input_required") && texts[1].contains("Hello, Mallory!"),
        "{texts:?}"
    );
    assert!(
        texts[2..].iter().all(|text| text.contains("-32602")),
        "{texts:?}"
    );
}

#[test]
fn a_body_that_headers_deny_is_refused() {
    assert_eq!(
        statuses(&got(&["--header-unlike-body"])),
        [200, 400, 400, 400, 400, 400, 400, 400, 400]
    );
    assert_eq!(statuses(&got(&["--rebound"])), [403; 4]);
}

#[test]
fn bodies_of_another_kind_are_refused() {
    assert_eq!(statuses(&got(&["--batch"])), [400; 4]);
    assert_eq!(statuses(&got(&["--malformed"])), [400; 7]);
    let huge = got(&["--huge-body", "1000000"]);
    assert_eq!(statuses(&huge), [200, 200, 413, 200]);
}

#[test]
fn many_of_a_kind_are_counted() {
    let all = got(&["--never-read", "3", "--abandon", "20", "--cancels", "5"]);
    let faults: HashSet<&str> = all
        .iter()
        .map(|reply| reply["fault"].as_str().unwrap())
        .collect();
    assert_eq!(faults.len(), 3);
    let of = |case: &str| all.iter().find(|reply| reply["case"] == case).unwrap();
    assert_eq!(of("sent")["connections"], 3);
    assert_eq!(of("sessions")["outcomes"], json!({ "200": 20 }));
    assert_eq!(of("calls")["outcomes"], json!({ "202": 5 }));
    assert!(
        all.iter()
            .filter(|reply| reply["case"] == "another call")
            .all(|reply| reply["status"] == 200)
    );
}

#[test]
fn a_storm_of_cancels_reaches_the_server() {
    let (_server, url) = serve(SERVER, &[]);
    got_from(&url, &["--cancels", "20"]);
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({ "name": "cancellations", "_meta": meta });
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let headers = [
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", "tools/call"),
        ("Mcp-Name", "cancellations"),
    ];
    // The server takes its time to notice that a connection was closed.
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let mut connection = Connection::open(&Server::at(&url)).unwrap();
        connection
            .send("POST", &headers, call.to_string().as_bytes())
            .unwrap();
        let count = connection.receive().unwrap().body;
        let body: Value = serde_json::from_str(&count).unwrap();
        let count = body["result"]["content"][0]["text"].as_str().unwrap();
        // 20 by a message and 20 by closing the connection, of which some may come before the call itself.
        if count.parse::<u32>().unwrap() >= 20 {
            return;
        }
        assert!(Instant::now() < end, "{count}");
        thread::yield_now();
    }
}

#[test]
fn it_talks_over_a_unix_socket() {
    let place = tempfile::tempdir().unwrap();
    let socket = place.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut start = [0; 16];
        stream.read_exact(&mut start).unwrap();
        let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno";
        stream.write_all(answer.as_bytes()).unwrap();
        start
    });
    let mut command = Command::new(CLIENT);
    command
        .args(["--url", "http://localhost/of/mine", "--batch", "--unix"])
        .arg(&socket);
    let output = command.output().unwrap();
    let got: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        got,
        json!({ "fault": "batch", "case": "initialize", "status": 404, "body": "no" })
    );
    assert_eq!(&server.join().unwrap(), b"POST /of/mine HT");
}
