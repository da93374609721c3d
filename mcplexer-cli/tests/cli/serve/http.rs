//! One gateway for clients over HTTP.

use std::net::TcpStream;

use super::daemon::{run, status, stop, with_http};
use super::*;

/// Returns the answer to a request for a page.
pub(super) fn get(address: &str, path: &str, token: Option<&str>) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let token = token.map_or_else(String::new, |it| format!("Authorization: Bearer {it}\r\n"));
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\n{token}Connection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Returns the answer to a request with JSON.
pub(super) fn send(address: &str, method: &str, path: &str, token: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Returns the status line of the answer to a greeting.
fn post(address: &str, token: Option<&str>) -> String {
    let answer = greet(address, "/mcp", token, &json!({}));
    answer.lines().next().unwrap_or_default().to_owned()
}

/// Returns the answer to a greeting.
fn greet(address: &str, path: &str, token: Option<&str>, capabilities: &Value) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": capabilities, "clientInfo": {"name": "t", "version": "1"}}}).to_string();
    let token = token.map_or_else(String::new, |it| format!("Authorization: Bearer {it}\r\n"));
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n{token}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn http_is_for_clients_of_this_machine_with_a_token() {
    let home = home(&["plain"]);
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        run(&home, &["serve", "--http", address]).failed(2, &["of this machine alone"]);
    }
    let daemon = with_http(&home);
    let added = run(&home, &["client", "add", "cursor"]).succeeded();
    let token = added.text().trim_end().to_owned();
    assert_eq!(token.len(), 43);
    run(&home, &["client", "add", "cursor"]).failed(8, &["there is a client cursor already"]);
    assert_eq!(run(&home, &["client", "list"]).text(), "cursor\n");
    let wrong = "A".repeat(43);
    for (token, expected) in [
        (None, "HTTP/1.1 401 Unauthorized"),
        (Some(wrong.as_str()), "HTTP/1.1 401 Unauthorized"),
        (Some(token.as_str()), "HTTP/1.1 200 OK"),
    ] {
        assert_eq!(post(&daemon.address, token), expected);
    }
    let kept = fs::read_to_string(home.path("gateway.clients")).unwrap();
    assert!(kept.contains("cursor") && !kept.contains(&token), "{kept}");
    run(&home, &["client", "remove", "cursor"]).succeeded();
    assert_eq!(
        post(&daemon.address, Some(&token)),
        "HTTP/1.1 401 Unauthorized"
    );
    run(&home, &["client", "remove", "cursor"]).failed(4, &["there is no client cursor"]);
    let kept = fs::read_to_string(home.path("gateway.clients")).unwrap();
    assert_eq!(kept, "{}");
    stop(&home);
}

#[test]
fn a_greeting_that_is_refused_leaves_no_session() {
    let home = home(&["plain"]);
    let daemon = with_http(&home);
    let added = run(&home, &["client", "add", "cursor"]).succeeded();
    let token = Some(added.text().trim_end());
    let refused = greet(&daemon.address, "/mcp/nosuch", token, &json!({}));
    assert!(refused.contains("\"error\""), "{refused}");
    let long = json!({"experimental": {"x": "x".repeat(8 << 10)}});
    let refused = greet(&daemon.address, "/mcp", token, &long);
    assert!(
        refused.contains("the description of the client is longer than 8192 bytes"),
        "{refused}"
    );
    for answer in [
        &refused,
        &greet(&daemon.address, "/mcp/nosuch", token, &json!({})),
    ] {
        assert!(
            !answer.to_lowercase().contains("mcp-session-id"),
            "{answer}"
        );
    }
    assert_eq!(status(&home)["clients"], json!([]));
    let taken = greet(&daemon.address, "/mcp", token, &json!({}));
    assert!(taken.to_lowercase().contains("mcp-session-id"), "{taken}");
    assert_eq!(status(&home)["clients"].as_array().unwrap().len(), 1);
    stop(&home);
}

#[test]
fn a_monitoring_system_gets_figures_with_a_token() {
    let home = home(&["plain"]);
    let daemon = with_http(&home);
    let mut client = Client::greeted(&home, &["connect"]);
    for _ in 0..3 {
        client.call("plain__pid");
    }
    assert!(client.call("plain__env").contains("[github-token/TOKEN]"));
    let added = run(&home, &["client", "add", "prometheus"]).succeeded();
    let token = added.text().trim_end().to_owned();
    let refused = get(&daemon.address, "/metrics", None);
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    let figures = get(&daemon.address, "/metrics", Some(&token));
    for line in [
        "HTTP/1.1 200 OK",
        "content-type: text/plain; version=0.0.4; charset=utf-8",
        "# TYPE mcplexer_calls_total counter",
        "mcplexer_calls_total{server=\"plain\",outcome=\"ok\"} 4",
        "mcplexer_call_duration_seconds_count{server=\"plain\"} 4",
        "mcplexer_scrubbed_values_total{server=\"plain\"} 1",
        "mcplexer_server_up{server=\"plain\"} 1",
        "mcplexer_sessions 1",
    ] {
        let has_it = figures.lines().any(|it| it.eq_ignore_ascii_case(line));
        assert!(has_it, "{line} is not in {figures}");
    }
    assert_eq!(
        get(&daemon.address, "/healthz", None).lines().last(),
        Some("ok")
    );
    let text = config(&home, &["plain"]) + "clients: {prometheus: {servers: [plain]}}\n";
    fs::write(home.path("config.yaml"), text).unwrap();
    // It is taken within a second.
    while !get(&daemon.address, "/metrics", Some(&token)).starts_with("HTTP/1.1 403 ") {}
    stop(&home);
}

/// A mistyped address is no lost session.
#[test]
fn a_server_that_there_is_not_is_named() {
    let home = home(&["plain"]);
    let daemon = with_http(&home);
    let added = run(&home, &["client", "add", "t"]).succeeded();
    let token = added.text().trim_end().to_owned();
    let body = r#"{"jsonrpc":"2.0","id":7,"method":"tools/list"}"#;
    let mut answers = ["/mcp/plian", "/mcp/plain"].map(|path| {
        let mut stream = TcpStream::connect(&daemon.address).unwrap();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            daemon.address,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    let [wrong, right] = &mut answers;
    assert!(wrong.starts_with("HTTP/1.1 404 "), "{wrong}");
    assert!(wrong.contains("there is no server plian"), "{wrong}");
    assert!(right.contains("Mcp-Session-Id is missing"), "{right}");
    stop(&home);
}
