//! Other users of this machine.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rustix::process::getuid;
use serde_json::json;
use test_support::{Running, skip, tools};

use super::place::{Opened, Place};

/// Begins as many requests as it is told, without their bodies, and says so; then it holds them. Of the last one it shows what is
/// answered, if it is told to.
const HOLDS: &str = r#"
import socket, sys
host, port = sys.argv[1].rsplit(":", 1)
head = f"POST /api/v1/session HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"
held = []
for _ in range(int(sys.argv[2])):
    it = socket.create_connection((host, int(port)), timeout=60)
    try:
        it.sendall(head.encode())
    except OSError:
        pass
    held.append(it)
if sys.argv[3] == "read":
    answered = b""
    while b"}" not in answered and (more := held[-1].recv(65536)):
        answered += more
    print(answered.decode().replace("\r\n", " "))
print("held", flush=True)
sys.stdin.read()
"#;

/// Opens as many connections as it is told, and another one for each that is closed.
const RENEWS: &str = r#"
import select, socket, sys
host, port = sys.argv[1].rsplit(":", 1)
held, opened = {}, 0
while True:
    while len(held) < int(sys.argv[2]):
        it = socket.socket()
        it.setblocking(False)
        it.connect_ex((host, int(port)))
        held[it.fileno()] = it
        opened += 1
        if opened == 2 * int(sys.argv[2]):
            print("held", flush=True)
    for it in select.select(list(held.values()), [], [])[0]:
        del held[it.fileno()]
        it.close()
"#;

/// Holds connections as a user who has nothing; `None`, which is reported, if that cannot be.
fn hold(place: &Place, opened: &Opened, count: u32, then: &str) -> Option<(Running, Vec<String>)> {
    as_nobody(HOLDS, place, opened, count, then)
}

/// Runs a script as a user who has nothing, until it says that it holds connections; `None`, which is reported, if that cannot be.
fn as_nobody(
    script: &str,
    place: &Place,
    opened: &Opened,
    count: u32,
    then: &str,
) -> Option<(Running, Vec<String>)> {
    if getuid().as_raw() != 0 {
        skip("root", "only root becomes another user");
        return None;
    }
    if !tools(&["setpriv", "python3"]) {
        return None;
    }
    let mut command: Command = place.command("setpriv");
    let nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
    command.args(nobody).args(["python3", "-c", script]);
    command.args([opened.host(), &count.to_string(), then]);
    command.current_dir("/").stdin(Stdio::piped());
    let mut child = Running::start(command.stdout(Stdio::piped())).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    while said.last().is_none_or(|it| it != "held") {
        said.push(lines.next().unwrap().unwrap());
    }
    Some((child, said))
}

#[test]
fn who_holds_connections_leaves_places_for_our_own() {
    let place = Place::with_secret();
    let opened = place.ui();
    let Some((_child, _)) = hold(&place, &opened, 600, "") else {
        return;
    };
    // More than those that another user may have.
    let token = opened.token();
    for _ in 0..100 {
        let scopes = opened.asked(&token, "GET", "/api/v1/scopes");
        assert_eq!(scopes.status, 200, "{scopes:?}");
    }
}

/// Whose each of them is has to be found out, which takes no thread for each.
#[test]
fn who_renews_connections_does_not_hold_up_our_own() {
    let place = Place::with_secret();
    let opened = place.ui();
    let token = opened.token();
    let Some((_child, _)) = as_nobody(RENEWS, &place, &opened, 500, "") else {
        return;
    };
    let status = place.json(&["status"]);
    let status = format!("/proc/{}/status", status["pid"]);
    let threads = || -> usize {
        let status = fs::read_to_string(&status).unwrap();
        let count = status.lines().find_map(|it| it.strip_prefix("Threads:"));
        count.unwrap().trim().parse().unwrap()
    };
    for _ in 0..20 {
        let scopes = opened.asked(&token, "GET", "/api/v1/scopes");
        assert_eq!(scopes.status, 200, "{scopes:?}");
        assert!(threads() < 64, "{} threads", threads());
    }
}

/// The ticket stands in the command line of the browser for a moment.
#[test]
fn another_user_begins_no_session_and_is_told_so_before_the_body() {
    let place = Place::with_secret();
    let opened = place.ui();
    let Some((_child, said)) = hold(&place, &opened, 1, "read") else {
        return;
    };
    assert!(said[0].starts_with("HTTP/1.1 403 "), "{said:?}");
    assert!(said[0].contains("for the user of this gateway"), "{said:?}");
    opened.token();
}

#[test]
fn a_ticket_is_short() {
    let place = Place::with_secret();
    let opened = place.ui();
    let begin = |length: usize| {
        let ticket = json!({"ticket": "x".repeat(length)});
        opened.ask("POST", "/api/v1/session").json(&ticket).send()
    };
    assert_eq!(begin(1000).status, 401);
    assert_eq!(begin(2000).status, 413);
}
