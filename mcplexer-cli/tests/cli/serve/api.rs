//! The API over HTTP, for scripts that have the token of a client.

use super::daemon::{page, run, stop, with_http};
use super::http::{get, send};
use super::*;

/// Adds a client, and returns its token.
fn token(home: &Home, name: &str, api: &str) -> String {
    let added = run(home, &["client", "add", name, "--api", api]).succeeded();
    added.text().trim_end().to_owned()
}

#[test]
fn a_token_may_do_what_its_client_may() {
    let home = home(&["plain"]);
    run(&home, &["client", "add", "bad", "--api", "all"])
        .failed(2, &["the access has to be none, read or write"]);
    let daemon = with_http(&home);
    let plain = token(&home, "plain", "none");
    let reader = token(&home, "reader", "read");
    let writer = token(&home, "writer", "write");
    for path in [
        "/api/v1/clients",
        "/api/v1/search?q=plain",
        "/api/v1/doctor",
    ] {
        let status = |token: Option<&str>| {
            let answer = get(&daemon.address, path, token);
            answer.lines().next().unwrap_or_default().to_owned()
        };
        assert_eq!(status(Some(&reader)), "HTTP/1.1 200 OK", "{path}");
        assert_eq!(status(Some(&writer)), "HTTP/1.1 200 OK", "{path}");
        assert_eq!(status(Some(&plain)), "HTTP/1.1 403 Forbidden", "{path}");
        assert_eq!(
            status(Some("guessed")),
            "HTTP/1.1 401 Unauthorized",
            "{path}"
        );
        assert_eq!(status(None), "HTTP/1.1 401 Unauthorized", "{path}");
    }
    stop(&home);
}

#[test]
fn no_client_does_what_takes_a_session() {
    let home = home(&["plain"]);
    let daemon = with_http(&home);
    let (page, _) = page(&home);
    let writer = token(&home, "writer", "write");
    for path in ["/parts/", "/parts/clients", "/parts/doctor/findings"] {
        let refused = get(&page, path, Some(&writer));
        assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
        let elsewhere = get(&daemon.address, path, Some(&writer));
        assert!(elsewhere.starts_with("HTTP/1.1 404 "), "{elsewhere}");
    }
    let body = r#"{"name": "another", "api": "write"}"#;
    let refused = send(&daemon.address, "POST", "/api/v1/clients", &writer, body);
    assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
    let body = r#"{"confirm": "writer"}"#;
    let refused = send(
        &daemon.address,
        "DELETE",
        "/api/v1/clients/writer",
        &writer,
        body,
    );
    assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
    let list = run(&home, &["client", "list"]).succeeded();
    assert_eq!(list.text(), "writer  api: write\n");
    stop(&home);
}
