//! Values are returned as they were stored.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use super::home::Home;

const LIMIT: usize = 1 << 20;

#[test]
fn the_examples_of_a_first_time_reader_work() {
    let home = Home::new();
    let put = [
        "secret",
        "put",
        "github-token",
        "GITHUB_PERSONAL_ACCESS_TOKEN",
    ];
    let get = [
        "secret",
        "get",
        "github-token",
        "GITHUB_PERSONAL_ACCESS_TOKEN",
    ];
    let stored = home.run(put.iter().chain(&["ghp_abc123"])).succeeded();
    assert!(
        stored
            .stderr
            .contains("Created your key ~/.mcplexer/age.key")
    );
    assert!(stored.stderr.contains("created scope github-token (env)"));
    assert_eq!(home.run(get).succeeded().stdout, b"ghp_abc123");
    let list = home.run(["secret", "list", "github-token"]).succeeded();
    assert_eq!(list.text(), "GITHUB_PERSONAL_ACCESS_TOKEN\n");
    let stored = home.run(put.iter().chain(&["ghp_new"])).succeeded();
    assert_eq!(
        stored.stderr,
        "stored github-token/GITHUB_PERSONAL_ACCESS_TOKEN, version 2\n"
    );
    assert_eq!(home.run(get).succeeded().stdout, b"ghp_new");
    let delete = [
        "secret",
        "delete",
        "github-token",
        "GITHUB_PERSONAL_ACCESS_TOKEN",
    ];
    home.run(delete).succeeded();
    home.run(get)
        .failed(4, &["no secret GITHUB_PERSONAL_ACCESS_TOKEN"]);
    assert_eq!(home.run(["secret", "list", "github-token"]).text(), "");
}

#[test]
fn scopes_with_the_same_key_name_never_mix() {
    let home = Home::new();
    for scope in ["one", "two"] {
        home.run(["secret", "put", scope, "TOKEN", scope])
            .succeeded();
    }
    assert_eq!(home.get("one", "TOKEN"), b"one");
    home.run(["scope", "delete", "one", "--force"]).succeeded();
    home.run(["secret", "get", "one", "TOKEN"])
        .failed(4, &["no scope one"]);
    assert_eq!(home.get("two", "TOKEN"), b"two");
    assert_eq!(home.run(["secret", "list"]).text(), "two\n");
}

/// F05: bytes are returned unchanged.
#[test]
fn any_bytes_come_back_from_a_file_and_from_a_pipe() {
    let home = Home::new();
    let every_byte: Vec<u8> = (0..=255).collect();
    let longest = vec![b'x'; LIMIT];
    let values: [&[u8]; 9] = [
        b"x",
        b"\0",
        b"nul \0 inside",
        b"\xff\xfe invalid UTF-8",
        "🔑 emoji".as_bytes(),
        b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----\n",
        b"ends in a line feed\n",
        &every_byte,
        &longest,
    ];
    let file = home.root().join("value");
    for bytes in values {
        fs::write(&file, bytes).unwrap();
        home.run(["secret", "put", "s", "FILE", "--file", "value"])
            .succeeded();
        assert!(home.get("s", "FILE") == bytes, "{} bytes", bytes.len());
        let keep = ["secret", "put", "s", "PIPE", "--newline", "keep"];
        home.pipe(keep, bytes).succeeded();
        assert!(home.get("s", "PIPE") == bytes, "{} bytes", bytes.len());
    }
}

#[test]
fn an_argument_may_be_any_bytes_that_an_argument_can_be() {
    let home = Home::new();
    let value = OsStr::from_bytes(b"\xff not UTF-8, $HOME `x` \\ \n");
    let put = ["secret", "put", "s", "K"].map(OsStr::new);
    home.run(put.iter().chain(&[value])).succeeded();
    assert_eq!(home.get("s", "K"), value.as_bytes());
    home.run(["secret", "put", "s", "K", "--", "-leading dash"])
        .succeeded();
    assert_eq!(home.get("s", "K"), b"-leading dash");
}

/// F32: one line end at the end of piped input is stripped. F33: nothing else is stripped.
#[test]
fn one_line_end_is_dropped_from_a_pipe_and_kept_from_a_file() {
    let home = Home::new();
    for (given, stored) in [
        ("x\n", "x"),
        ("x\r\n", "x"),
        ("x\n\n", "x\n"),
        (" x ", " x "),
        ("\tx\r", "\tx\r"),
    ] {
        home.pipe(["secret", "put", "s", "K"], given.as_bytes())
            .succeeded();
        assert_eq!(home.get("s", "K"), stored.as_bytes());
    }
    fs::write(home.root().join("value"), "x\n").unwrap();
    home.run(["secret", "put", "s", "K", "--file", "value"])
        .succeeded();
    assert_eq!(home.get("s", "K"), b"x\n");
    home.run([
        "secret",
        "put",
        "s",
        "K",
        "--file",
        "value",
        "--newline",
        "strip",
    ])
    .succeeded();
    assert_eq!(home.get("s", "K"), b"x");
}

#[test]
fn an_empty_or_overlong_value_is_refused() {
    let home = Home::with_secret("kept");
    let put = ["secret", "put", "github-token", "TOKEN"];
    home.pipe(put, b"").failed(
        2,
        &["nothing was read from standard input; nothing was stored"],
    );
    home.pipe(put, b"\n").failed(2, &["the value is empty"]);
    home.run(put.iter().chain(&[""]))
        .failed(2, &["the value is empty"]);
    home.pipe(put, &vec![b'x'; LIMIT + 1])
        .failed(2, &["longer than 1 MiB"]);
    home.pipe(put, &vec![b'x'; 3 * LIMIT])
        .failed(2, &["longer than 1 MiB"]);
    assert_eq!(home.get("github-token", "TOKEN"), b"kept");
}

/// F02: the value need not be an argument. `/dev/stdin` and process substitution work as files.
#[test]
fn a_file_may_be_a_descriptor_of_the_shell() {
    let home = Home::new();
    home.pipe(
        ["secret", "put", "s", "K", "--file", "/dev/stdin"],
        b"piped\n",
    )
    .succeeded();
    assert_eq!(home.get("s", "K"), b"piped\n");
}

/// F01: a put that loses a compare-and-swap fails.
#[test]
fn modes_guard_a_put() {
    let home = Home::with_secret("first");
    let put = ["secret", "put", "github-token", "TOKEN", "x"];
    home.run(put.iter().chain(&["--create"])).failed(
        8,
        &[
            "already exists, at version 1",
            "mcplexer secret list github-token",
        ],
    );
    home.run(put.iter().chain(&["--if-version", "2"]))
        .failed(8, &["is at version 1, not at version 2"]);
    assert_eq!(home.get("github-token", "TOKEN"), b"first");
    home.run(put.iter().chain(&["--if-version", "1"]))
        .succeeded();
    home.run(put.iter().chain(&["--if-version", "1"]))
        .failed(8, &["is at version 2"]);
    home.run(["secret", "put", "github-token", "NEW", "x", "--create"])
        .succeeded();
    home.run([
        "secret",
        "put",
        "github-token",
        "NONE",
        "x",
        "--if-version",
        "1",
    ])
    .failed(8, &["not there"]);
}
