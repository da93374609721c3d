use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mcplexer_secrets::audit::{Actor, AuditOutcome, CallId, CallRecord, CallStep};
use mcplexer_secrets::{SecretStore, Timestamp};
use tempfile::TempDir;

use super::super::{Ending, InvalidEnding};
use super::*;
use crate::open::tests::{opened, put};

/// A log with calls of two servers and two clients.
struct Log {
    _directory: TempDir,
    path: PathBuf,
}

fn record(id: u64, step: CallStep) -> CallRecord {
    let client = ["claude-code", "cursor"][(id % 2) as usize];
    CallRecord {
        time: Timestamp::now(),
        id: CallId::new(id),
        actor: Arc::new(Actor::this_process().with_client(client)),
        server: ["github", "linear", "figma"][(id % 3) as usize].into(),
        step,
    }
}

fn begun(id: u64) -> CallRecord {
    let object = format!("tool-{}", id % 5);
    record(
        id,
        CallStep::Begun {
            method: "tools/call".into(),
            object: Some(object.as_str().into()),
            secrets: Arc::new([]),
            arguments: None,
        },
    )
}

fn outcome(id: u64) -> AuditOutcome {
    match id % 7 {
        0 => AuditOutcome::ToolError,
        1 => AuditOutcome::TimedOut,
        _ => AuditOutcome::Ok,
    }
}

fn ended(id: u64) -> CallRecord {
    let (outcome, took) = (outcome(id), Duration::from_millis(id));
    record(
        id,
        CallStep::Ended {
            outcome,
            took,
            bytes: 1,
            scrubbed: 0,
        },
    )
}

/// Writes calls `1..=calls`. Each ends when `lag(id)` others have begun since; never, for `None`.
fn log(calls: u64, lag: impl Fn(u64) -> Option<u64>) -> Log {
    let directory = tempfile::tempdir().unwrap();
    let open = opened(&directory);
    put(&open, "web", "A", "v");
    let mut records = Vec::new();
    let mut ends: HashMap<u64, Vec<u64>> = HashMap::new();
    for id in 1..=calls {
        records.push(begun(id));
        if let Some(lag) = lag(id) {
            ends.entry(id + lag).or_default().push(id);
        }
        for id in ends.remove(&id).unwrap_or_default() {
            records.push(ended(id));
        }
    }
    let mut late: Vec<_> = ends.into_values().flatten().collect();
    late.sort_unstable();
    records.extend(late.into_iter().map(ended));
    for part in records.chunks(1000) {
        open.store().record_calls(part).unwrap();
    }
    let path = open.audit_log().unwrap();
    Log {
        path,
        _directory: directory,
    }
}

fn number(placed: &Placed) -> u64 {
    u64::from_str_radix(&placed.call.id, 16).unwrap()
}

/// Reads all pages of a log.
fn pages(log: &Log, wanted: &Wanted, most: usize, lines: usize) -> Vec<Page> {
    let mut pages: Vec<Page> = Vec::new();
    loop {
        let before = pages.last().and_then(|it| it.older);
        if !pages.is_empty() && before.is_none() {
            return pages;
        }
        pages.push(page(&log.path, wanted, before, most, lines).unwrap());
    }
}

#[test]
fn pages_have_every_call_once_with_its_end() {
    // Longer than several blocks, and calls end across the borders of pages.
    let log = log(2000, |id| Some((id * 13) % 29));
    assert!(fs::metadata(&log.path).unwrap().len() > 8 * (64 << 10));
    for most in [31, 100, 1999, 2000, 5000] {
        let pages = pages(&log, &Wanted::default(), most, usize::MAX);
        let calls: Vec<_> = pages.iter().flat_map(|it| &it.calls).collect();
        let numbers = calls.iter().map(|it| number(it));
        assert!(numbers.eq((1..=2000).rev()), "{most}");
        for placed in calls {
            let id = number(placed);
            assert_eq!(placed.call.outcome, Some(outcome(id)), "{most}: {id}");
            assert_eq!(placed.call.ms, Some(id));
        }
        assert!(pages.iter().all(|it| it.calls.len() <= most && !it.is_cut));
    }
}

#[test]
fn a_filter_is_exact_on_every_page() {
    let log = log(400, |id| (!id.is_multiple_of(11)).then_some(id % 17));
    let outcome_of = |id: u64| (!id.is_multiple_of(11)).then(|| outcome(id));
    type Expected<'a> = &'a dyn Fn(u64) -> bool;
    let text = |it: &str| Some(it.to_owned());
    let all = Wanted::default;
    let ending = |it: &str| Wanted {
        ending: Some(it.parse().unwrap()),
        ..all()
    };
    let cases: [(Wanted, Expected<'_>); 7] = [
        (
            Wanted {
                server: text("linear"),
                ..all()
            },
            &|id| id % 3 == 1,
        ),
        (
            Wanted {
                client: text("cursor"),
                ..all()
            },
            &|id| id % 2 == 1,
        ),
        (
            Wanted {
                object: text("tool-4"),
                ..all()
            },
            &|id| id % 5 == 4,
        ),
        (ending("tool-error"), &|id| {
            outcome_of(id) == Some(AuditOutcome::ToolError)
        }),
        (ending("problem"), &|id| {
            outcome_of(id).is_some_and(|it| it != AuditOutcome::Ok)
        }),
        (ending("open"), &|id| outcome_of(id).is_none()),
        (
            Wanted {
                server: text("linear"),
                ..ending("ok")
            },
            &|id| id % 3 == 1 && outcome_of(id) == Some(AuditOutcome::Ok),
        ),
    ];
    for (wanted, expected) in cases {
        // Few calls a page, and few lines a page.
        for (most, lines) in [(10, usize::MAX), (1000, 100)] {
            let pages = pages(&log, &wanted, most, lines);
            let found = pages.iter().flat_map(|it| &it.calls).map(number);
            let expected = (1..=400).rev().filter(|&id| expected(id));
            assert!(found.eq(expected), "{wanted:?}");
        }
    }
}

#[test]
fn calls_are_found_behind_many_other_lines() {
    let directory = tempfile::tempdir().unwrap();
    let open = opened(&directory);
    put(&open, "web", "A", "v");
    open.store().record_calls(&[begun(1), ended(1)]).unwrap();
    for _ in 0..500 {
        open.store().list(&"web".parse().unwrap()).unwrap();
    }
    let log = open.audit_log().unwrap();
    let page = |lines| page(&log, &Wanted::default(), None, 10, lines).unwrap();
    assert_eq!(page(60).calls.len(), 1);
    let cut = page(20);
    assert_eq!((cut.calls.len(), cut.lines, cut.is_cut), (0, 200, true));
}

#[test]
fn a_filter_that_nothing_passes_reads_a_limited_number_of_lines() {
    let log = log(3000, |_| Some(0));
    let wanted = Wanted {
        server: Some("none".to_owned()),
        ..Wanted::default()
    };
    let first = page(&log.path, &wanted, None, 50, 1000).unwrap();
    assert_eq!(
        (first.calls.len(), first.lines, first.is_cut),
        (0, 1000, true)
    );
    assert!(first.reached.is_some());
    let all = pages(&log, &wanted, 50, 1000);
    // Two lines a call, and those of the secret.
    let lines: usize = all.iter().map(|it| it.lines).sum();
    let text = fs::read_to_string(&log.path).unwrap();
    assert_eq!(lines, text.lines().count());
    assert_eq!(all.len(), lines.div_ceil(1000));
    assert!(!all.last().unwrap().is_cut);
}

#[test]
fn an_end_is_looked_for_in_a_limited_number_of_lines() {
    // The first call has no end, and there is more behind it than is searched.
    let log = log(1500, |id| (id > 1).then_some(0));
    let all = pages(&log, &Wanted::default(), 1000, usize::MAX);
    let last = all.iter().flat_map(|it| &it.calls).last().unwrap();
    assert_eq!((number(last), last.call.outcome), (1, None));
    let mut behind = Behind::open(&log.path, 0, MOST_BEHIND).unwrap().unwrap();
    assert!(behind.end_of("0000000000000001").unwrap().is_none());
    // One block more than it may: a block is read whole.
    assert!((1..=MOST_BEHIND + 1000).contains(&behind.ends.len().saturating_mul(2)));
}

#[test]
fn torn_lines_are_no_calls() {
    let log = log(20, |_| Some(0));
    let mut file = fs::File::options().append(true).open(&log.path).unwrap();
    file.write_all(b"{\"line\":99,\"time\":\"20").unwrap();
    let first = page(&log.path, &Wanted::default(), None, 5, 1000).unwrap();
    assert!(first.calls.iter().map(number).eq((16..=20).rev()));
    // A power cut can leave zeros in the middle.
    file.write_all(b"\0\0\0\n").unwrap();
    let again = page(&log.path, &Wanted::default(), None, 5, 1000).unwrap();
    assert_eq!(again.calls, first.calls);
}

#[test]
fn a_page_of_another_log_is_refused() {
    let log = log(20, |_| Some(0));
    let first = page(&log.path, &Wanted::default(), None, 5, 1000).unwrap();
    let older = first.older.unwrap();
    for wrong in [older + 1, u64::MAX] {
        let refused = page(&log.path, &Wanted::default(), Some(wrong), 5, 1000);
        assert!(matches!(refused, Err(PageError::OtherLog)));
    }
    fs::remove_file(&log.path).unwrap();
    let empty = page(&log.path, &Wanted::default(), None, 5, 1000).unwrap();
    assert_eq!(empty, Page::default());
    let gone = page(&log.path, &Wanted::default(), Some(older), 5, 1000);
    assert!(matches!(gone, Err(PageError::OtherLog)));
}

#[test]
fn a_call_is_found_by_its_place_and_without() {
    let log = log(90, |id| (id != 7).then_some(id % 4));
    let all = page(&log.path, &Wanted::default(), None, 90, usize::MAX).unwrap();
    for placed in &all.calls {
        let id = &placed.call.id;
        let with = find(&log.path, id, Some(placed.at), 1000).unwrap();
        assert_eq!(with.as_ref(), Some(placed));
        assert_eq!(find(&log.path, id, None, 1000).unwrap(), with);
    }
    let [newest, next] = &all.calls[..2] else {
        panic!()
    };
    let find = |id: &str, at, lines| find(&log.path, id, at, lines).unwrap();
    assert_eq!(find(&newest.call.id, Some(next.at), 1000), None);
    assert_eq!(find(&newest.call.id, Some(newest.at + 1), 1000), None);
    assert_eq!(find("00000000000000ff", Some(u64::MAX), 1000), None);
    assert_eq!(find("0000000000000001", None, 10), None);
}

#[test]
fn calls_since_a_time_end_where_it_begins() {
    let log = log(100, |_| Some(0));
    let all = page(&log.path, &Wanted::default(), None, 100, usize::MAX).unwrap();
    let middle = &all.calls[49].call;
    let since = Wanted {
        since: Some(middle.time.parse().unwrap()),
        ..Wanted::default()
    };
    let newer = page(&log.path, &since, None, 1000, usize::MAX).unwrap();
    // Several calls can begin in the same microsecond.
    let expected = all.calls.iter().filter(|it| it.call.time >= middle.time);
    assert!(newer.calls.iter().eq(expected));
    assert!(newer.older.is_none() && !newer.is_cut);
}

#[test]
fn an_outcome_is_a_word_of_the_log() {
    assert_eq!("timed-out".parse(), Ok(Ending::Is(AuditOutcome::TimedOut)));
    assert_eq!("problem".parse(), Ok(Ending::Problem));
    assert_eq!("open".parse(), Ok(Ending::Open));
    for bad in ["", "OK", "x"] {
        assert_eq!(bad.parse::<Ending>(), Err(InvalidEnding), "{bad}");
    }
}

#[test]
fn calls_in_memory_have_pages_too() {
    let log = log(20, |_| Some(0));
    let all = page(&log.path, &Wanted::default(), None, 20, 1000).unwrap();
    let recent: Vec<_> = all.calls.iter().rev().map(|it| it.call.clone()).collect();
    let wanted = Wanted {
        server: Some("linear".to_owned()),
        ..Wanted::default()
    };
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = Page::of_recent(recent.clone(), &wanted, before, 3);
        found.extend(page.calls.iter().map(number));
        before = page.older;
        if before.is_none() {
            break;
        }
    }
    assert!(
        found
            .into_iter()
            .eq((1..=20).rev().filter(|it| it % 3 == 1))
    );
}
