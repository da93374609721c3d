//! The sessions of the README and of `tests/cmd/` print what they say, each in a home of its own.
//!
//! `tests/cmd/` is a manual, a page for each command. `TRYCMD=overwrite cargo test -p mcplexer-cli --test manual`
//! writes what the commands print now; what differs from run to run is then to be replaced by `[..]`.

#![cfg(test)]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mcplexer_secrets::audit::{
    Actor, AuditOutcome, CallArguments, CallId, CallRecord, CallStep, FileAudit, SecretVersion,
};
use mcplexer_secrets::keys::FixedKeys;
use mcplexer_secrets::{Store, Timestamp};
use test_support::STANDARD_PATH;

#[test]
fn the_sessions_give_what_they_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("../README.md")];
    for entry in root.join("tests/cmd").read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "trycmd") {
            files.push(path);
        }
    }
    files.sort();
    for file in files {
        let mode = Permissions::from_mode(0o700);
        let home = tempfile::Builder::new()
            .permissions(mode)
            .tempdir()
            .unwrap();
        if file.ends_with("calls.trycmd") {
            record_calls(&home.path().join(".mcplexer"));
        }
        let cases = trycmd::TestCases::new();
        cases.env("HOME", home.path().to_str().unwrap());
        cases.env("PATH", STANDARD_PATH).case(&file);
        // What doctor says about completions depends on the shell.
        cases.env("SHELL", "");
        // The person running the tests may have their own store; an empty variable counts as unset.
        for variable in ["HOME", "AGE_KEY", "AGE_IDENTITY", "AUDIT"] {
            cases.env(format!("MCPLEXER_{variable}"), "");
        }
        // A coding agent may also run the tests, and would not be shown any value.
        let table = include_str!("../../docs/use.md").lines();
        for row in table.filter_map(|line| line.strip_suffix("` |")) {
            let (_, sign) = row.split_once("| `").unwrap();
            cases.env(sign.split('=').next().unwrap(), "");
        }
        cases.run();
    }
}

/// Makes a log with calls in it, as a gateway writes it.
fn record_calls(home: &Path) {
    let store = Store::in_memory(FixedKeys::new(Vec::new())).unwrap();
    let store = store.with_audit_log(FileAudit::new(home.join("audit.log")));
    let mut actor = Actor::this_process();
    (actor.uid, actor.pid, actor.program) = (1000, 8123, "claude".to_owned());
    let actor = Arc::new(actor.with_client("claude-code").with_session("1"));
    let record = |id, second: u64, step| CallRecord {
        time: Timestamp::from_micros((1_795_850_000 + second) * 1_000_000),
        id: CallId::new(id),
        actor: Arc::clone(&actor),
        server: "github".into(),
        step,
    };
    let begun = |method: &str, object: &str| CallStep::Begun {
        method: method.into(),
        object: Some(object.into()),
        secrets: Arc::new([SecretVersion::new(
            "github".parse().unwrap(),
            "TOKEN".parse().unwrap(),
            3,
        )]),
        arguments: Some(CallArguments {
            digest: [0xa5; 32],
            bytes: 27,
        }),
    };
    let ended = |outcome, ms| CallStep::Ended {
        outcome,
        took: Duration::from_millis(ms),
        bytes: 1804,
        scrubbed: 0,
    };
    let records = [
        record(1, 0, begun("tools/call", "search_code")),
        record(1, 1, ended(AuditOutcome::Ok, 412)),
        record(2, 2, begun("resources/read", "repo://octocat/hello")),
        record(3, 3, begun("tools/call", "create_issue")),
        record(3, 4, ended(AuditOutcome::ToolError, 95)),
    ];
    store.record_calls(&records).unwrap();
}
