//! Calls through a gateway: two lines each, in the same chain.

use std::fs;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use mcplexer_secrets::audit::{
    Actor, AuditOperation, AuditOutcome, AuditReader, CallArguments, CallId, CallRecord, CallStep,
    FileAudit, SecretVersion,
};
use mcplexer_secrets::{Error, ErrorKind, Finding, RecordName, SecretStore, Store, Timestamp};
use tempfile::TempDir;

use super::{Home, name, put, scope};

fn client() -> Arc<Actor> {
    let mut actor = Actor::this_process();
    (actor.uid, actor.pid, actor.program) = (1000, 4711, "node".to_owned());
    Arc::new(actor.with_client("claude-code").with_session("7"))
}

fn begun(id: u64, method: &str, object: &str) -> CallRecord {
    CallRecord {
        time: Timestamp::now(),
        id: CallId::new(id),
        actor: client(),
        server: "github".into(),
        step: CallStep::Begun {
            method: method.into(),
            object: Some(object.into()),
            secrets: Arc::new([SecretVersion::new(scope("s"), name("K"), 3)]),
            arguments: Some(CallArguments {
                digest: [0xab; 32],
                bytes: 17,
            }),
        },
    }
}

fn ended(id: u64, outcome: AuditOutcome) -> CallRecord {
    CallRecord {
        step: CallStep::Ended {
            outcome,
            took: Duration::from_millis(42),
            bytes: 2048,
            scrubbed: 2,
        },
        ..begun(id, "", "")
    }
}

#[test]
fn a_call_is_two_lines_with_the_client_as_the_actor() {
    let home = Home::new();
    let store = home.store();
    put(&store, "K").unwrap();
    let records = [
        begun(1, "tools/call", "search_code"),
        begun(2, "resources/read", "file:///a\u{1b}"),
        ended(2, AuditOutcome::ToolError),
        ended(1, AuditOutcome::Ok),
    ];
    store.record_calls(&records).unwrap();
    let lines = home.lines();
    let [_, _, tool, resource, failed, ok] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    assert_eq!(tool.operation, AuditOperation::Call);
    assert_eq!((tool.actor.uid, tool.actor.pid), (1000, 4711));
    assert_eq!(tool.actor.client.as_deref(), Some("claude-code"));
    assert_eq!(tool.actor.tool.as_deref(), Some("search_code"));
    let call = tool.call.as_ref().unwrap();
    assert_eq!((&*call.id, &*call.server), ("0000000000000001", "github"));
    assert_eq!(
        (call.secrets.as_slice(), call.bytes),
        (&["s/K@3".to_owned()][..], 17)
    );
    assert_eq!(call.digest.as_deref(), Some(&*"ab".repeat(32)));
    let call = resource.call.as_ref().unwrap();
    assert_eq!(call.object.as_deref(), Some("file:///a\u{fffd}"));
    assert_eq!(resource.actor.tool, None);
    assert_eq!(failed.operation, AuditOperation::CallResult);
    assert_eq!(failed.outcome, AuditOutcome::ToolError);
    let call = ok.call.as_ref().unwrap();
    assert_eq!((call.id.as_str(), call.ms), ("0000000000000001", Some(42)));
    assert_eq!((call.bytes, call.scrubbed), (2048, Some(2)));

    store.sync_audit().unwrap();
    let report = store.verify_audit(&home.log(), None).unwrap();
    assert_eq!((report.lines, report.sealed), (6, 1));
    // Other operations go on behind them.
    put(&store, "K").unwrap();
    home.store().verify_audit(&home.log(), None).unwrap();
}

/// The state of the store stays near the end, where each operation looks for it, however many calls there are.
#[test]
fn every_few_hundred_lines_have_the_state_of_the_store() {
    let home = Home::new();
    let store = home.store();
    put(&store, "K").unwrap();
    for id in 0..1000 {
        let records = [begun(id, "tools/call", "t"), ended(id, AuditOutcome::Ok)];
        if !store.record_calls_at_once(&records).unwrap() {
            store.record_calls(&records).unwrap();
        }
    }
    let log = fs::read_to_string(home.log()).unwrap();
    let gaps: Vec<_> = log
        .split(",\"store\":")
        .map(|it| it.lines().count())
        .collect();
    assert!(
        gaps.len() > 5 && gaps.iter().all(|it| *it < 300),
        "{gaps:?}"
    );
    store.verify_audit(&home.log(), None).unwrap();
}

#[test]
fn calls_are_recorded_at_once_only_where_nothing_has_to_be_waited_for() {
    let home = Home::new();
    let store = home.store();
    put(&store, "K").unwrap();
    let record = [begun(1, "tools/call", "t")];
    // The log was not compared with the store yet.
    assert!(!store.record_calls_at_once(&record).unwrap());
    store.record_calls(&record).unwrap();
    assert!(store.record_calls_at_once(&record).unwrap());
    // Another process appends.
    let locked = fs::File::open(home.log()).unwrap();
    locked.lock().unwrap();
    assert!(!store.record_calls_at_once(&record).unwrap());
    locked.unlock().unwrap();
    assert!(store.record_calls_at_once(&record).unwrap());
    assert!(store.record_calls_at_once(&[]).unwrap());
    assert_eq!(home.lines().len(), 5);
    // What another process has appended is followed.
    home.store().get(&scope("s"), &name("K")).unwrap();
    assert!(store.record_calls_at_once(&record).unwrap());
    assert_eq!(
        home.store().verify_audit(&home.log(), None).unwrap().lines,
        7
    );
}

#[test]
fn a_log_that_was_moved_or_replaced_gets_no_call_and_stays_unlocked() {
    let home = Home::new();
    let store = home.store();
    put(&store, "K").unwrap();
    let record = [begun(1, "tools/call", "t")];
    store.record_calls(&record).unwrap();
    let moved = home.log().with_extension("moved");
    fs::rename(home.log(), &moved).unwrap();
    let before = fs::read(&moved).unwrap();
    assert!(!store.record_calls_at_once(&record).unwrap());
    fs::copy(&moved, home.log()).unwrap();
    assert!(!store.record_calls_at_once(&record).unwrap());
    for log in [&moved, &home.log()] {
        assert_eq!(fs::read(log).unwrap(), before);
        fs::File::open(log).unwrap().try_lock().unwrap();
    }
    fs::rename(&moved, home.log()).unwrap();
    assert!(store.record_calls_at_once(&record).unwrap());
}

#[test]
fn a_log_that_contradicts_the_store_is_not_continued_with_calls() {
    let home = Home::new();
    let store = home.store();
    put(&store, "K").unwrap();
    store.record_calls(&[begun(1, "tools/call", "t")]).unwrap();
    fs::remove_file(home.log()).unwrap();
    for store in [store, home.store()] {
        let refused = store.record_calls(&[begun(2, "tools/call", "t")]);
        let found = (RecordName::AuditLog(home.log()), Finding::NoLog);
        match refused.unwrap_err() {
            Error::Tampered { record, finding } => assert_eq!((record, finding), found),
            error => panic!("{error}"),
        }
        assert!(!home.log().exists());
    }
}

/// A gateway may have servers before there is a secret.
#[test]
fn calls_without_a_store_begin_a_log_that_a_store_goes_on_with() {
    let home = Home::new();
    let store = home.store();
    for id in 0..3 {
        store.record_calls(&[begun(id, "tools/call", "t")]).unwrap();
    }
    put(&store, "K").unwrap();
    store.record_calls(&[begun(4, "tools/call", "t")]).unwrap();
    let report = home.store().verify_audit(&home.log(), None).unwrap();
    assert_eq!((report.lines, report.sealed), (6, 4));
}

#[test]
fn without_a_log_calls_are_not_recorded() {
    let store = Store::in_memory(Home::new().keys()).unwrap();
    let record = [begun(1, "tools/call", "t")];
    assert!(store.record_calls_at_once(&record).unwrap());
    store.record_calls(&record).unwrap();
    store.sync_audit().unwrap();
}

#[test]
fn a_batch_that_cannot_be_written_leaves_nothing() {
    let directory = TempDir::new().unwrap();
    let store = Store::in_memory(Home::new().keys()).unwrap();
    let log = FileAudit::new(directory.path());
    let store = store.with_audit_log(log);
    let error = store.record_calls(&[begun(1, "a", "b")]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other);
}

/// No line about a call is longer than a line can be, however long the names, and none has a control character.
#[test]
fn names_in_a_call_are_bounded() {
    let home = Home::new();
    let store = home.store();
    let long = "\u{10FFFD}\"\\\u{1b}".repeat(1000);
    let secret = |number: u64| {
        let scope = scope(&"s".repeat(64));
        SecretVersion::new(scope, name(&"N".repeat(128)), u64::MAX - number)
    };
    let mut actor = Actor::this_process();
    actor.program.clone_from(&long);
    let actor = Arc::new(actor.with_client(&*long).with_session(&*long));
    for method in ["tools/call", &*long] {
        let record = CallRecord {
            actor: Arc::clone(&actor),
            server: "s".repeat(1000).into(),
            step: CallStep::Begun {
                method: method.into(),
                object: Some(long.as_str().into()),
                secrets: (0..1000).map(secret).collect(),
                arguments: None,
            },
            ..begun(u64::MAX, "", "")
        };
        store.record_calls(&[record]).unwrap();
    }
    let log = fs::read_to_string(home.log()).unwrap();
    assert!(log.lines().all(|it| it.len() < 4096));
    assert!(!log.contains(|it: char| it.is_control() && it != '\n'));
    let lines = home.lines();
    let call = lines[0].call.as_ref().unwrap();
    assert_eq!(call.secrets.len() as u64 + call.more_secrets, 1000);
    assert!(call.secrets.len() > 2 && call.digest.is_none());
    home.store().verify_audit(&home.log(), None).unwrap();
}

/// Calls are made durable in the background, so that a power cut can tear more than one line of them.
#[test]
fn a_long_torn_end_is_healed() {
    for torn in [4_000, 20_000, 300_000] {
        let home = Home::new();
        let store = home.store();
        put(&store, "K").unwrap();
        let durable = fs::metadata(home.log()).unwrap().len();
        let records: Vec<_> = (0..1500).map(|id| begun(id, "tools/call", "t")).collect();
        store.record_calls(&records).unwrap();
        let log = fs::OpenOptions::new().write(true).open(home.log()).unwrap();
        let len = log.metadata().unwrap().len();
        // Zeros for whole sectors, and lines after them.
        let from = (len - torn - 1000) / 512 * 512;
        log.write_all_at(&vec![0; usize::try_from(torn / 512 * 512).unwrap()], from)
            .unwrap();
        assert!(from > durable);
        let report = store.verify_audit(&home.log(), None).unwrap();
        assert!(report.torn > torn, "{report:?}");
        put(&home.store(), "K").unwrap();
        let report = home.store().verify_audit(&home.log(), None).unwrap();
        assert_eq!((report.healed, report.torn), (1, 0));
    }
}

#[test]
fn a_log_is_read_from_its_end() {
    let home = Home::new();
    assert!(AuditReader::open(&home.log()).unwrap().is_none());
    let store = home.store();
    put(&store, "K").unwrap();
    let records: Vec<_> = (0..500).map(|id| begun(id, "tools/call", "t")).collect();
    store.record_calls(&records).unwrap();
    // An unfinished line is no line yet.
    let finished = fs::read(home.log()).unwrap();
    let mut torn = finished.clone();
    torn.extend(b"{\"line\":");
    fs::write(home.log(), torn).unwrap();
    let mut reader = AuditReader::open(&home.log()).unwrap().unwrap();
    let mut numbers = Vec::new();
    while let Some(line) = reader.previous().unwrap() {
        numbers.push(line.line);
    }
    assert!(numbers.iter().copied().eq((1..=502).rev()));
    assert!(reader.previous().unwrap().is_none());
    assert!(reader.appended().unwrap().is_empty());

    fs::write(home.log(), finished).unwrap();
    store.record_calls(&records).unwrap();
    let mut numbers = Vec::new();
    loop {
        let lines = reader.appended().unwrap();
        if lines.is_empty() {
            break;
        }
        numbers.extend(lines.iter().map(|line| line.line));
    }
    assert!(numbers.iter().copied().eq(503..=1002));
    fs::write(home.log(), "x\n").unwrap();
    let mut reader = AuditReader::open(&home.log()).unwrap().unwrap();
    assert_eq!(reader.previous().unwrap_err().kind(), ErrorKind::Tampered);
}

/// Its end would otherwise be looked for in all of it, again with each part that is read.
#[test]
fn what_is_too_long_is_no_line() {
    let home = Home::new();
    let store = home.store();
    put(&store, "K").unwrap();
    let mut reader = AuditReader::open(&home.log()).unwrap().unwrap();
    let finished = fs::read(home.log()).unwrap();
    let line = "x".repeat(64 << 20);
    fs::write(home.log(), [&finished, line.as_bytes(), b"\n"].concat()).unwrap();
    let appended = reader.appended().unwrap_err();
    assert_eq!(appended.kind(), ErrorKind::Tampered);
    let mut reader = AuditReader::open(&home.log()).unwrap().unwrap();
    let previous = reader.previous().unwrap_err();
    assert_eq!(previous.kind(), ErrorKind::Tampered);
    // What a power cut leaves is skipped.
    let gap = vec![0; 100_000];
    fs::write(home.log(), [&finished, &*gap, b"\n", &finished].concat()).unwrap();
    let mut reader = AuditReader::open(&home.log()).unwrap().unwrap();
    let mut lines = 0;
    while reader.previous().unwrap().is_some() {
        lines += 1;
    }
    assert_eq!(
        lines,
        2 * finished.iter().filter(|it| **it == b'\n').count()
    );
}

#[test]
fn a_log_is_read_on_from_a_position() {
    let home = Home::new();
    let store = home.store();
    put(&store, "K").unwrap();
    let records: Vec<_> = (0..500).map(|id| begun(id, "tools/call", "t")).collect();
    store.record_calls(&records).unwrap();
    let mut reader = AuditReader::open(&home.log()).unwrap().unwrap();
    for _ in 0..300 {
        reader.previous().unwrap().unwrap();
    }
    let position = reader.position();
    let next = reader.previous().unwrap().unwrap();
    let open = |at| AuditReader::open_at(&home.log(), at).unwrap();
    let mut again = open(position).unwrap();
    assert_eq!(again.previous().unwrap().unwrap(), next);
    let mut again = open(position).unwrap();
    let following = again.appended().unwrap();
    assert_eq!(following.first().unwrap().line, next.line + 1);
    assert!(open(0).unwrap().previous().unwrap().is_none());
    let end = fs::metadata(home.log()).unwrap().len();
    assert_eq!(open(end).unwrap().previous().unwrap().unwrap().line, 502);
    for other in [1, position + 1, position - 1, end + 1, u64::MAX] {
        assert!(open(other).is_none(), "{other}");
    }
}
