//! Servers that misbehave: each ends in what it should, and nothing of it is left.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use mcplexer_files::config::Server;
use serde_json::{Value, json};
use test_support::Running;

use super::alone::is_alone;
use super::world::{World, program, remote};

const SERVER: &str = env!("CARGO_BIN_EXE_bad-server");
const SECRET: &str = "ghx_5e1f2d3c4b5a69788796a5b4c3d2e1f0";
const VARIABLE: &str = "BAD_SECRET";

/// What comes of a call.
#[derive(Clone, Copy)]
enum End {
    /// The tool's text.
    Text(&'static str),
    /// The gateway's error, which names the server, and has this in it.
    Error(&'static str),
    /// The label in place of the secret.
    Label,
}

use End::{Error, Label, Text};

const HARMLESS: End = Text("No fault was asked for.");

/// The options of the server, and what comes of a call to the tool that misbehaves.
const OF_BOTH: &[(&[&str], End)] = &[
    (&[], HARMLESS),
    (&["--never"], Error("did not answer within")),
    (&["--late", "50"], HARMLESS),
    (&["--twice"], HARMLESS),
    (&["--other-id"], Error("did not answer within")),
    (&["--long-line"], Error("is longer than 16777216 bytes")),
    (&["--nul"], Error("")),
    (&["--invalid-utf8"], Error("not UTF-8")),
    (&["--flood-stderr"], HARMLESS),
    (&["--storm"], HARMLESS),
    (&["--silent"], HARMLESS),
    (&["--changing-description"], HARMLESS),
    (&["--secret", "raw", "--secret-env", VARIABLE], Label),
    (&["--secret", "base64", "--secret-env", VARIABLE], Label),
    (&["--secret", "hex", "--secret-env", VARIABLE], Label),
    (&["--secret", "url", "--secret-env", VARIABLE], Label),
    (&["--secret", "escaped", "--secret-env", VARIABLE], Label),
    (&["--secret", "pieces", "--secret-env", VARIABLE], Label),
    (&["--secret", "messages", "--secret-env", VARIABLE], Label),
];

const OF_STDIO: &[(&[&str], End)] = &[
    (&["--banner"], HARMLESS),
    (&["--exit-mid-call"], Error("ended before it answered")),
    (&["--initialize-once"], HARMLESS),
    (&["--ignore-eof"], HARMLESS),
    (&["--ignore-sigterm"], HARMLESS),
    (
        &["--ignore-eof", "--ignore-sigterm", "--grandchildren", "3"],
        HARMLESS,
    ),
    (
        &["--grandchildren", "3", "--never"],
        Error("did not answer within"),
    ),
];

const OF_HTTP: &[(&[&str], End)] = &[
    (&["--exit-mid-call"], Error("")),
    (&["--cut"], Error("the outcome is unknown")),
    (&["--lose-session", "1"], HARMLESS),
    (&["--lose-session", "0"], Error("404")),
    (
        &[
            "--unauthorized",
            "--secret",
            "raw",
            "--secret-header",
            "x-token",
        ],
        Error("401"),
    ),
    (
        &[
            "--step-up",
            "files:write",
            "--secret",
            "raw",
            "--secret-header",
            "x-token",
        ],
        Error("files:write"),
    ),
    (
        &["--redirect", "http://127.0.0.1:1/elsewhere"],
        Error("leads to another origin"),
    ),
    (
        &[
            "--redirect",
            "https://evil.example.com/mcp",
            "--redirect-status",
            "302",
        ],
        Error("leads to another origin"),
    ),
    (&["--secret", "raw", "--secret-header", "x-token"], Label),
    (&["--secret", "base64", "--secret-header", "x-token"], Label),
    (
        &["--secret", "escaped", "--secret-header", "x-token"],
        Label,
    ),
    (&["--secret", "pieces", "--secret-header", "x-token"], Label),
    (
        &["--secret", "messages", "--secret-header", "x-token"],
        Label,
    ),
];

/// Waits for the bad ones for a short time only: some never answer.
fn hurried(mut server: Server, options: &[&str]) -> Server {
    let waits = ["--never", "--other-id", "--nul"];
    if waits.iter().any(|it| options.contains(it)) {
        server.timeouts.call = Duration::from_millis(500);
    }
    server
}

/// Every form in which it might come out.
fn forms() -> Vec<String> {
    let each = |write: fn(u8) -> String| SECRET.bytes().map(write).collect::<String>();
    let (first, second) = SECRET.split_at(SECRET.len() / 2);
    let mut forms = vec![
        SECRET.to_owned(),
        first.to_owned(),
        second.to_owned(),
        each(|byte| format!("{byte:02x}")),
        each(|byte| format!("{byte:02X}")),
        each(|byte| format!("%{byte:02X}")),
        each(|byte| format!("\\u{byte:04x}")),
    ];
    // Without what depends on the bytes around it, at each alignment.
    for before in 0..3 {
        let whole = BASE64_STANDARD.encode(format!("{}{SECRET}", &"abc"[..before]));
        forms.push(whole[4..whole.len() - 4].to_owned());
    }
    forms
}

fn has_no_secret(text: &str, what: &str) {
    for form in forms() {
        assert!(!text.contains(&form), "{what}: {form} in {text:.3000}");
    }
}

/// The longest that a killed process may be there, also on a machine with a lot to do.
const PATIENCE: Duration = Duration::from_secs(10);

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// The processes that have this text in their command line or their environment.
fn processes_with(mark: &str) -> BTreeSet<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let has = |file: std::path::PathBuf| {
        let text = fs::read(file).unwrap_or_default();
        text.windows(mark.len()).any(|it| it == mark.as_bytes())
    };
    let found =
        entries.filter(|it| has(it.path().join("cmdline")) || has(it.path().join("environ")));
    let found = found.map(|it| it.file_name().to_string_lossy().into_owned());
    found
        .filter(|it| it.parse() != Ok(std::process::id()))
        .collect()
}

/// Calls the bad server and a good one, each over a gateway of their own that is stopped then.
async fn ends(name: &str, bad: Server, options: &[&str], end: End) {
    let what = format!("{name} {options:?}");
    let good = program(SERVER, &[], &[]);
    let secrets = [("bad", "SECRET", SECRET.as_bytes())];
    let world = World::new(
        vec![("bad", hurried(bad, options)), ("good", good)],
        &secrets,
    );
    let mut good = world.client(Some("good")).await;
    let mut bad = world.connect(Some("bad"));
    let hello = bad.initialize().await;
    let is_greeted = hello.get("result").is_some();
    let mut said = hello.to_string();
    for error in [false, true] {
        let answer = match is_greeted {
            true => bad.call("misbehave", json!({ "error": error })).await,
            false => hello.clone(),
        };
        said.push_str(&answer.to_string());
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        match end {
            Text(text) => assert_eq!(
                answer["result"]["content"][0]["text"], text,
                "{what}: {answer:.2000}"
            ),
            Error(text) => assert!(
                message.contains("server bad") && message.contains(text),
                "{what}: {answer:.2000}"
            ),
            Label => assert!(
                answer.to_string().contains("[bad/SECRET]"),
                "{what}: {answer:.2000}"
            ),
        }
        let answer = good
            .call("echo", json!({ "message": "still there?" }))
            .await;
        assert_eq!(
            answer["result"]["content"][0]["text"], "still there?",
            "{what}"
        );
    }
    let list = bad.ask("tools/list", json!({})).await;
    let may_fail = !is_greeted || matches!(end, Error(_));
    assert!(list.get("result").is_some() || may_fail, "{what}: {list}");
    said.push_str(&list.to_string());
    said.extend(bad.others.drain(..));
    has_no_secret(&said, &what);
    bad.leave().await;
    good.leave().await;
    world.stop().await;
}

async fn end_over_stdio(cases: &[(&[&str], End)]) {
    let directory = tempfile::tempdir().unwrap();
    let mark = directory.path().to_str().unwrap().to_owned();
    let before = descriptors();
    for (options, end) in cases {
        let pids = format!("{mark}/pids");
        let arguments = [options, &["--pids", &pids][..]].concat();
        let env = [(VARIABLE, "mcplexer://bad/SECRET"), ("MARK", mark.as_str())];
        ends("stdio", program(SERVER, &arguments, &env), options, *end).await;
        // What was killed with its group needs a moment to be gone.
        let begun = Instant::now();
        while !processes_with(&mark).is_empty() {
            let left = processes_with(&mark);
            assert!(begun.elapsed() < PATIENCE, "{options:?}: {left:?}");
        }
    }
    assert_eq!(descriptors(), before);
}

async fn end_over_http(cases: &[(&[&str], End)]) {
    let before = descriptors();
    for (options, end) in cases {
        let mut command = std::process::Command::new(SERVER);
        command
            .args(["--http", "127.0.0.1:0"])
            .args(*options)
            .env(VARIABLE, SECRET);
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null());
        let mut server = Running::start(&mut command).unwrap();
        let mut url = String::new();
        let output = server.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut url).unwrap();
        let bad = remote(url.trim(), &[("x-token", "mcplexer://bad/SECRET")]);
        ends("HTTP", bad, options, *end).await;
    }
    assert_eq!(descriptors(), before);
}

// The process's descriptors are counted, so each test has a process of its own.

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_over_stdio_ends() {
    if is_alone("bad_servers::each_fault_over_stdio_ends") {
        end_over_stdio(OF_BOTH).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_a_process_ends() {
    if is_alone("bad_servers::each_fault_of_a_process_ends") {
        end_over_stdio(OF_STDIO).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_over_http_ends() {
    if is_alone("bad_servers::each_fault_over_http_ends") {
        end_over_http(OF_BOTH).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_http_ends() {
    if is_alone("bad_servers::each_fault_of_http_ends") {
        end_over_http(OF_HTTP).await;
    }
}

#[test]
fn the_search_finds_what_it_looks_for() {
    let whole = Value::from(forms()).to_string();
    assert!(std::panic::catch_unwind(|| has_no_secret(&whole, "")).is_err());
}
