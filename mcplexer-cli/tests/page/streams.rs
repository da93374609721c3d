//! Calls as they happen, for readers who are slow, many, or no longer welcome.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};
use test_support::Running;

use super::http::Answer;
use super::place::{BINARY, Opened, Place};

/// How many calls are made together: of fewer than this many, a reader who reads misses none.
const TOGETHER: u64 = 400;

/// A program that calls a tool.
struct Caller {
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    _process: Running,
}

impl Caller {
    fn start(place: &Place) -> Self {
        let mut command = place.command(BINARY);
        command.args(["connect", "--server", "plain"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Running::start(&mut command).unwrap();
        let mut caller = Self {
            requests: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            _process: process,
        };
        caller.ask(
            "initialize",
            &json!({"protocolVersion": "2025-06-18", "capabilities": {},
                    "clientInfo": {"name": "caller", "version": "1"}}),
            1,
        );
        caller
    }

    /// Sends a request as often as this, and waits for all answers.
    fn ask(&mut self, method: &str, params: &Value, count: u64) {
        for id in 0..count {
            let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
            writeln!(self.requests, "{request}").unwrap();
        }
        for _ in 0..count {
            let mut answer = String::new();
            self.answers.read_line(&mut answer).unwrap();
            assert!(answer.contains("\"result\""), "{answer}");
        }
    }

    /// Calls a tool with a long name, so that a reader who does not read has much to read.
    fn call(&mut self, count: u64) {
        let params = json!({"name": "𝔱".repeat(128), "arguments": {}});
        self.ask("tools/call", &params, count);
    }
}

/// A stream of calls.
pub(crate) struct Stream(BufReader<TcpStream>);

/// What a reader got of the calls.
#[derive(Debug, Default)]
struct Got {
    /// How often each call was in the stream: when it went out, and when it had ended.
    calls: BTreeMap<String, u64>,
    missed: u64,
}

impl Got {
    /// How often a call went out or ended, of which the reader heard.
    fn count(&self) -> u64 {
        self.calls.values().sum::<u64>() + self.missed
    }
}

impl Stream {
    /// Opens one; returns when it listens.
    pub(crate) fn open(opened: &Opened, token: &str) -> Self {
        let ask = opened.ask("GET", "/api/v1/calls/stream").bearer(token);
        let (answer, reader) = ask.begin().unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        let mut stream = Self(reader);
        // An empty line comes first.
        assert_eq!(stream.line().as_deref(), Some(""));
        stream
    }

    /// Returns the next line; `None` if the stream has ended. Each line is a chunk.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut next = || {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        };
        let length = next();
        let line = next();
        if length == "0" || length.is_empty() {
            return None;
        }
        // The end of the chunk.
        assert_eq!(next(), "");
        Some(line)
    }

    fn read_into(&mut self, got: &mut Got) -> bool {
        let Some(line) = self.line() else {
            return false;
        };
        let it: Value = serde_json::from_str(&line).unwrap();
        match it["id"].as_str() {
            Some(id) => *got.calls.entry(id.to_owned()).or_default() += 1,
            None => got.missed += it["missed"].as_u64().unwrap(),
        }
        true
    }

    /// Reads until the reader has heard of so much.
    fn read_until(&mut self, got: &mut Got, count: u64) {
        while got.count() < count {
            assert!(self.read_into(got), "it ended: {} of {count}", got.count());
        }
    }

    /// Reads what is left.
    fn read_to_end(mut self) -> Got {
        let mut got = Got::default();
        while self.read_into(&mut got) {}
        got
    }
}

/// Returns the memory of the gateway that is no file's, in KiB (proc_pid_status(5)).
fn memory(place: &Place) -> usize {
    let status: Value = serde_json::from_str(&place.run(&["status", "--json"])).unwrap();
    let status = fs::read_to_string(format!("/proc/{}/status", status["pid"])).unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix("RssAnon:"));
    let (number, _) = line.unwrap().trim().split_once(' ').unwrap();
    number.parse().unwrap()
}

#[test]
fn a_reader_that_does_not_read_holds_up_nobody() {
    let place = Place::with_secret();
    let opened = place.ui();
    let token = opened.token();
    let mut late = Stream::open(&opened, &token);
    let never = Stream::open(&opened, &token);
    let mut quick = Stream::open(&opened, &token);
    let mut caller = Caller::start(&place);
    let (mut got, mut called, mut before) = (Got::default(), 0, None);
    // 16 MB for each reader, of which the system holds some for one that does not read.
    while called < 20 * TOGETHER {
        caller.call(TOGETHER);
        called += TOGETHER;
        quick.read_until(&mut got, 2 * called);
        if called == 10 * TOGETHER {
            before = Some(memory(&place));
        }
    }
    assert_eq!(got.missed, 0);
    assert!(got.calls.values().all(|it| *it == 2));
    // Two readers were sent 8 MB more each.
    let (before, after) = (before.unwrap(), memory(&place));
    assert!(after < before + 4096, "{before} KiB, then {after} KiB");
    // Who begins to read then hears how much it has missed.
    let mut got = Got::default();
    late.read_until(&mut got, 2 * called);
    assert!(got.missed > 0);
    caller.call(1);
    late.read_until(&mut got, 2 * (called + 1));
    place.stop();
    assert_eq!(late.read_to_end().count(), 0);
    assert_eq!(quick.read_to_end().count(), 2);
    drop(never);
}

#[test]
fn a_session_has_a_number_of_streams() {
    let place = Place::with_secret();
    let opened = place.ui();
    let token = opened.token();
    let ask = |token: &str| -> Answer {
        let ask = opened.ask("GET", "/api/v1/calls/stream").bearer(token);
        ask.send()
    };
    let mut streams: Vec<_> = (0..8).map(|_| Stream::open(&opened, &token)).collect();
    let refused = ask(&token);
    assert_eq!(refused.status, 429, "{refused:?}");
    let problem = refused.value();
    assert_eq!(problem["title"], "8 streams of calls are open already");
    assert_eq!(problem["hints"], json!(["end one of them before the next"]));
    // The rest goes on: the session itself, and another one.
    let scopes = opened.asked(&token, "GET", "/api/v1/scopes");
    assert_eq!(scopes.status, 200, "{scopes:?}");
    let other = place.ui().token();
    assert_eq!(ask(&other).status, 200);
    let ended = streams.pop().unwrap();
    ended.0.get_ref().shutdown(Shutdown::Both).unwrap();
    while ask(&token).status != 200 {}
}

#[test]
fn a_stream_begins_with_the_newest_calls() {
    let place = Place::with_secret();
    let opened = place.ui();
    let token = opened.token();
    let mut caller = Caller::start(&place);
    for tool in ["one", "two", "three"] {
        caller.ask("tools/call", &json!({"name": tool, "arguments": {}}), 1);
    }
    let begin = |query: &str| {
        let target = format!("/api/v1/calls/stream?{query}");
        opened.ask("GET", &target).bearer(&token).begin().unwrap()
    };
    let (answer, reader) = begin("limit=2");
    assert_eq!(answer.status, 200, "{answer:?}");
    let mut stream = Stream(reader);
    let mut tool = || {
        let line = stream.line().unwrap();
        let call: Value = serde_json::from_str(&line).unwrap_or_default();
        call["tool"].as_str().map(str::to_owned)
    };
    let three = Some("three".to_owned());
    assert_eq!(
        [tool(), tool(), tool()],
        [Some("two".to_owned()), three, None]
    );
    caller.ask("tools/call", &json!({"name": "four", "arguments": {}}), 1);
    assert_eq!(tool().as_deref(), Some("four"));
    for (query, word) in [("limit=501", "limit"), ("before=7", "before")] {
        let (answer, _) = begin(query);
        assert_eq!(answer.status, 422, "{answer:?}");
        assert!(answer.text().contains(word), "{answer:?}");
    }
}

#[test]
fn nothing_is_sent_after_the_session_or_the_client_has_ended() {
    let place = Place::with_secret();
    let opened = place.ui();
    let token = opened.token();
    let client = place.run(&["client", "add", "watcher", "--api", "read"]);
    let mut of_session = Stream::open(&opened, &token);
    let mut of_client = Stream::open(&opened, client.trim_end());
    let mut caller = Caller::start(&place);
    caller.call(1);
    for stream in [&mut of_session, &mut of_client] {
        stream.read_until(&mut Got::default(), 2);
    }
    place.run(&["ui", "--stop"]);
    caller.call(1);
    assert_eq!(of_session.read_to_end().count(), 0);
    of_client.read_until(&mut Got::default(), 2);
    place.run(&["client", "remove", "watcher"]);
    caller.call(1);
    assert_eq!(of_client.read_to_end().count(), 0);
}
