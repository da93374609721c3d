//! `mcplexer calls` reads calls out of the audit log, and follows it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use mcplexer_secrets::audit::{Actor, AuditOutcome, CallId, CallRecord, CallStep, FileAudit};
use mcplexer_secrets::keys::FileKeys;
use mcplexer_secrets::{Store, Timestamp};
use serde_json::Value;
use test_support::Running;

use super::home::Home;
use super::terminal::{end, spawn_as};

fn store(home: &Home) -> Store {
    let keys = FileKeys::new(home.path("age.key"));
    let store = Store::open(home.path("secrets.redb"), keys).unwrap();
    store.with_audit_log(FileAudit::new(home.path("audit.log")))
}

fn begun(id: u64, tool: &str) -> CallRecord {
    CallRecord {
        time: Timestamp::now(),
        id: CallId::new(id),
        actor: Arc::new(Actor::this_process().with_client("ide")),
        server: "git".into(),
        step: CallStep::Begun {
            method: "tools/call".into(),
            object: Some(tool.into()),
            secrets: Vec::new().into(),
            arguments: None,
        },
    }
}

fn ended(id: u64, outcome: AuditOutcome) -> CallRecord {
    CallRecord {
        step: CallStep::Ended {
            outcome,
            took: Duration::from_millis(7),
            bytes: 11,
            scrubbed: 1,
        },
        ..begun(id, "")
    }
}

fn calls(home: &Home, arguments: &[&str]) -> Vec<(Value, Value)> {
    let run = home
        .run([&["calls", "--json"], arguments].concat())
        .succeeded();
    let document: Value = serde_json::from_str(run.text()).unwrap();
    let calls = document["calls"].as_array().unwrap().iter();
    calls
        .map(|it| (it["object"].clone(), it["outcome"].clone()))
        .collect()
}

#[test]
fn calls_are_joined_with_their_ends_whatever_comes_between() {
    let home = Home::new();
    assert_eq!(calls(&home, &[]), []);
    assert_eq!(home.run(["calls"]).succeeded().text(), "");
    home.run(["secret", "put", "s", "K", "v"]).succeeded();
    assert_eq!(calls(&home, &[]), []);
    let records = [begun(1, "a"), begun(2, "b"), ended(2, AuditOutcome::Error)];
    store(&home).record_calls(&records).unwrap();
    home.run(["secret", "get", "s", "K"]).succeeded();
    let records = [begun(3, "c"), ended(1, AuditOutcome::TimedOut)];
    store(&home).record_calls(&records).unwrap();
    let expected = [
        ("a".into(), "timed-out".into()),
        ("b".into(), "error".into()),
        ("c".into(), Value::Null),
    ];
    assert_eq!(calls(&home, &[]), expected);
    assert_eq!(calls(&home, &["-n", "2"]), expected[1..]);
    home.run(["audit", "verify"]).succeeded();
    // What a crash has left at the end is no line.
    let mut log = fs::read(home.path("audit.log")).unwrap();
    log.extend(b"{\"line\":9");
    fs::write(home.path("audit.log"), log).unwrap();
    assert_eq!(calls(&home, &[]), expected);
}

#[test]
fn a_log_that_is_something_else_or_is_gone_is_said() {
    let home = Home::with_secret("v");
    let log = fs::read_to_string(home.path("audit.log")).unwrap();
    fs::write(home.path("audit.log"), log + "x\n").unwrap();
    home.run(["calls"]).failed(6, &["audit.log"]);
    fs::remove_file(home.path("audit.log")).unwrap();
    home.run(["calls"]).failed(6, &["audit.log"]);
    let run = home
        .command()
        .env("MCPLEXER_AUDIT", "off")
        .arg("calls")
        .output()
        .unwrap();
    assert!(!run.status.success());
}

#[test]
fn calls_that_follow_are_shown_when_they_have_ended() {
    let home = Home::with_secret("v");
    let store = store(&home);
    let records = [begun(1, "a"), ended(1, AuditOutcome::Ok), begun(2, "b")];
    store.record_calls(&records).unwrap();
    let mut command = home.command();
    command
        .args(["calls", "-f", "--json"])
        .stdout(Stdio::piped());
    let mut running = Running::start(&mut command).unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let mut next = || {
        let line = lines.next().unwrap().unwrap();
        let call: Value = serde_json::from_str(&line).unwrap();
        (call["object"].clone(), call["outcome"].clone())
    };
    assert_eq!(next(), ("a".into(), "ok".into()));
    assert_eq!(next(), ("b".into(), Value::Null));
    store
        .record_calls(&[begun(3, "c"), ended(2, AuditOutcome::Lost)])
        .unwrap();
    assert_eq!(next(), ("b".into(), "lost".into()));
    let mut many: Vec<_> = (4..1000).map(|id| begun(id, "d")).collect();
    many.extend((4..1000).map(|id| ended(id, AuditOutcome::Refused)));
    many.push(ended(3, AuditOutcome::Cancelled));
    store.record_calls(&many).unwrap();
    for _ in 4..1000 {
        assert_eq!(next(), ("d".into(), "refused".into()));
    }
    assert_eq!(next(), ("c".into(), "cancelled".into()));
    // Nobody reads any more: the next call ends it.
    drop(lines);
    store
        .record_calls(&[begun(1001, "e"), ended(1001, AuditOutcome::Ok)])
        .unwrap();
    assert!(running.wait().unwrap().success());
}

/// What follows is in the columns of what was there.
#[test]
fn calls_that_follow_are_aligned() {
    let home = Home::with_secret("v");
    let store = store(&home);
    let records = [
        begun(1, "a_tool_of_a_long_name"),
        ended(1, AuditOutcome::Ok),
    ];
    store.record_calls(&records).unwrap();
    let mut command = home.command();
    command.args(["calls", "-f"]).stdout(Stdio::piped());
    let mut running = Running::start(&mut command).unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
    // The end of the line: names before it may be short.
    let mut outcome = || {
        let line = lines.next().unwrap().unwrap();
        line.rfind("ok ").unwrap_or_else(|| panic!("{line}"))
    };
    let first = outcome();
    store
        .record_calls(&[begun(2, "b"), ended(2, AuditOutcome::Ok)])
        .unwrap();
    assert_eq!(outcome(), first);
    drop(lines);
    store
        .record_calls(&[begun(3, "e"), ended(3, AuditOutcome::Ok)])
        .unwrap();
    assert!(running.wait().unwrap().success());
}

#[test]
fn calls_on_a_terminal_have_a_head_and_local_times() {
    let home = Home::with_secret("v");
    let records = [
        begun(1, "a"),
        begun(2, "b"),
        ended(2, AuditOutcome::Error),
        ended(1, AuditOutcome::Ok),
    ];
    store(&home).record_calls(&records).unwrap();
    let shown = |arguments: &[&str], colours: &str| {
        let mut command = home.command();
        command.args(arguments).env("TZ", "XYZ-05:45");
        command.env(colours, "1");
        end(spawn_as(command, "xterm-256color")).0
    };
    let text = shown(&["calls"], "NO_COLOR");
    let mut lines = text.lines();
    let head = lines.next().unwrap();
    assert!(
        head.starts_with("TIME  ") && head.ends_with("OUTCOME  TOOK"),
        "{text}"
    );
    assert!(lines.all(|it| it.contains(" +05:45  ide ")), "{text}");
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(shown(&["calls", "--utc"], "NO_COLOR").contains(" UTC  ide "));
    let text = shown(&["calls"], "CLICOLOR");
    assert!(
        text.contains("\x1b[31merror\x1b[0m") && text.contains("\x1b[32mok\x1b[0m"),
        "{text:?}"
    );
    let piped = home.run(["calls"]).succeeded();
    assert!(
        piped.text().lines().all(|it| it.contains("Z  ide ")),
        "{}",
        piped.text()
    );
}

/// The calls of [`chosen`]: `(client, server, outcome)`, one a minute, the first one an hour ago.
const CALLS: [(&str, &str, Option<AuditOutcome>); 5] = [
    ("ide", "git", Some(AuditOutcome::Ok)),
    ("ide", "git", Some(AuditOutcome::TimedOut)),
    ("bot", "git", Some(AuditOutcome::Ok)),
    ("ide", "wiki", Some(AuditOutcome::ToolError)),
    ("ide", "git", None),
];

fn chosen() -> Home {
    let home = Home::with_secret("v");
    let now = Timestamp::now().as_micros();
    let mut records = Vec::new();
    for (id, (client, server, outcome)) in (1..).zip(CALLS) {
        let begun = CallRecord {
            time: Timestamp::from_micros(now - (3_600 - 60 * id) * 1_000_000),
            server: server.into(),
            actor: Arc::new(Actor::this_process().with_client(client)),
            ..begun(id, &format!("t{id}"))
        };
        let step = outcome.map(|outcome| ended(id, outcome).step);
        let end = step.map(|step| CallRecord {
            step,
            ..begun.clone()
        });
        records.extend([begun].into_iter().chain(end));
    }
    store(&home).record_calls(&records).unwrap();
    home
}

#[test]
fn calls_are_chosen_by_server_client_time_and_outcome() {
    let home = chosen();
    for (arguments, expected) in [
        (&["--failed"][..], &["t2", "t4"][..]),
        (&["--server", "wiki"], &["t4"]),
        (&["--server", "git", "-n", "2"], &["t3", "t5"]),
        (&["--client", "bot"], &["t3"]),
        (&["--client", "ide", "--server", "git"], &["t1", "t2", "t5"]),
        (&["--failed", "--server", "git"], &["t2"]),
        (&["--since", "2h", "-n", "1"], &["t5"]),
        (&["--since", "0h"], &[]),
    ] {
        let found = calls(&home, arguments);
        let found: Vec<_> = found.iter().map(|it| it.0.as_str().unwrap()).collect();
        assert_eq!(found, expected, "{arguments:?}");
    }
    // The word of the log, and one for a call without an end.
    let shown = home.run(["calls"]).succeeded();
    for (line, word) in shown
        .text()
        .lines()
        .zip(["ok", "timed-out", "ok", "tool-error", "open"])
    {
        assert!(line.split("  ").any(|it| it.trim() == word), "{line}");
    }
}

#[test]
fn an_option_that_leaves_no_call_is_named() {
    let home = chosen();
    for (arguments, expected) in [
        (
            &["--server", "gut"][..],
            &["no call in the log is to server gut, but git, wiki"][..],
        ),
        (
            &["--client", "zed", "--failed"],
            &["no call in the log is of client zed, but bot, ide"],
        ),
        (
            &["--since", "0h"],
            &["as new as --since asks; the last one was at 20"],
        ),
        (
            &["--failed", "--client", "bot"],
            &[
                "5 calls in the log; each of --client, --failed leaves some, but no call fits all of them",
            ],
        ),
    ] {
        let run = home.run([&["calls"], arguments].concat()).succeeded();
        assert_eq!(run.text(), "", "{arguments:?}");
        for it in expected {
            assert!(run.stderr.contains(it), "{arguments:?}: {}", run.stderr);
        }
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    }
    let new = Home::with_secret("v");
    let run = new.run(["calls", "--failed"]).succeeded();
    assert!(run.stderr.contains("no calls are in the log yet"));
    let records = [begun(1, "a"), ended(1, AuditOutcome::Ok)];
    store(&new).record_calls(&records).unwrap();
    let run = new.run(["calls", "--failed"]).succeeded();
    assert!(run.stderr.contains("no call in the log failed"));
}

#[test]
fn calls_that_follow_are_chosen_too() {
    let home = chosen();
    let mut command = home.command();
    command
        .args(["calls", "-f", "--failed", "--server", "git", "--json"])
        .stdout(Stdio::piped());
    let mut running = Running::start(&mut command).unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let mut next = || {
        let line = lines.next().unwrap().unwrap();
        let call: Value = serde_json::from_str(&line).unwrap();
        call["id"].clone()
    };
    assert_eq!(next(), "0000000000000002");
    let records = [
        begun(6, "a"),
        ended(6, AuditOutcome::Ok),
        // The call that was open.
        ended(5, AuditOutcome::Lost),
        begun(7, "b"),
        ended(7, AuditOutcome::Refused),
    ];
    store(&home).record_calls(&records).unwrap();
    assert_eq!(next(), "0000000000000005");
    assert_eq!(next(), "0000000000000007");
    drop(lines);
    let records = [begun(8, "c"), ended(8, AuditOutcome::Error)];
    store(&home).record_calls(&records).unwrap();
    assert!(running.wait().unwrap().success());
}

/// The last 0 calls are nothing that anybody wants to see.
#[test]
fn no_calls_at_all_cannot_be_asked_for() {
    Home::with_secret("v").run(["calls", "-n", "0"]).failed(
        2,
        &["--last 0 shows no calls", "--follow to see the next ones"],
    );
}
