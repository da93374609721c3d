//! Processes stand in line to write to one file: what happens if one of them is killed or stopped.

#![cfg(test)]

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Lines, Write};
use std::ops::Bound::Included;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use mcplexer_secrets::StoreOptions;
use mcplexer_secrets::backend::{Backend, BackendErrorKind, Commit, RedbBackend, Table};
use redb::StorageBackend;
use redb::backends::FileBackend;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tempfile::TempDir;
use test_support::Running;

/// The store of a writer.
const STORE: &str = "MCPLEXER_TEST_LINE_STORE";
/// The byte of the first number in the line.
const FIRST: u64 = 1 << 61;

/// A store with one record.
fn store() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secrets.redb");
    put(&RedbBackend::file(&path));
    (directory, path)
}

fn put(backend: &RedbBackend) {
    let mut transaction = backend.write().unwrap();
    transaction.put(Table::Meta, b"k", b"record").unwrap();
    assert!(matches!(transaction.commit().unwrap(), Commit::Applied));
}

/// Whether somebody has this number.
fn is_taken(path: &Path, number: u64) -> bool {
    let file = OpenOptions::new().read(true).write(true).open(path);
    let locks = FileBackend::new(file.unwrap()).unwrap();
    let byte = Included(FIRST + number);
    locks.query_lock_range(byte, byte).unwrap()
}

/// A process that writes.
struct Writer {
    process: Running,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Writer {
    fn start(path: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--ignored", "--exact", "a_writer", "--nocapture"])
            .env(STORE, path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = Running::start(&mut command).unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// Waits until it is in its transaction.
    fn has_begun(mut self) -> Self {
        assert!(self.lines.any(|line| line.unwrap() == "begun"));
        self
    }

    fn stop(&self) {
        let process = Pid::from_child(&self.process);
        kill_process(process, Signal::STOP).unwrap();
        let stopped = waitpid(Some(process), WaitOptions::UNTRACED).unwrap();
        assert!(stopped.unwrap().1.stopped());
    }

    fn go_on(&self) {
        kill_process(Pid::from_child(&self.process), Signal::CONT).unwrap();
    }
}

#[test]
#[ignore = "is what the tests here start"]
fn a_writer() {
    let Some(path) = std::env::var_os(STORE) else {
        return;
    };
    let backend = RedbBackend::file(path);
    let _transaction = backend.write().unwrap();
    let mut out = std::io::stdout();
    out.write_all(b"begun\n").unwrap();
    out.flush().unwrap();
    // Until it is killed.
    std::io::stdin().lines().for_each(drop);
}

#[test]
fn a_writer_stands_in_line_until_it_is_done() {
    let (_directory, path) = store();
    let backend = RedbBackend::file(&path);
    for commits in [false, true] {
        let transaction = backend.write().unwrap();
        assert!(is_taken(&path, 0));
        match commits {
            true => drop(transaction.commit().unwrap()),
            false => drop(transaction),
        }
        assert!(!is_taken(&path, 0));
    }
    let replacement = backend.replace().unwrap();
    assert!(is_taken(&path, 0));
    drop(replacement);
    assert!(!is_taken(&path, 0));
}

#[test]
fn a_killed_writer_lets_the_next_one_in() {
    let (_directory, path) = store();
    let mut killed = Writer::start(&path).has_begun();
    thread::scope(|scope| {
        let next = scope.spawn(|| put(&RedbBackend::file(&path)));
        while !is_taken(&path, 1) && !next.is_finished() {
            thread::yield_now();
        }
        killed.process.kill().unwrap();
        next.join().unwrap();
    });
}

#[test]
fn a_stopped_writer_is_not_waited_for_for_ever_and_stops_no_reader() {
    let (_directory, path) = store();
    let stopped = Writer::start(&path).has_begun();
    stopped.stop();
    let options = StoreOptions::default().with_patience(Duration::from_millis(10));
    let other = RedbBackend::file(&path).with_options(&options);
    let error = other.write().err().unwrap();
    assert_eq!(error.kind(), BackendErrorKind::Busy);
    assert!(other.read().unwrap().is_some());
}

#[test]
fn one_that_is_stopped_while_it_waits_is_passed_over() {
    let (_directory, path) = store();
    let backend = RedbBackend::file(&path);
    let first = backend.write().unwrap();
    let waiting = Writer::start(&path);
    while !is_taken(&path, 1) {
        thread::yield_now();
    }
    waiting.stop();
    drop(first);
    for _ in 0..2 {
        put(&RedbBackend::file(&path));
    }
    assert!(is_taken(&path, 1));
    waiting.go_on();
    waiting.has_begun();
}
