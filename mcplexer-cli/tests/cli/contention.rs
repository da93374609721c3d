//! Many processes at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use test_support::Running;

use super::home::{Home, finish};

const WRITERS: usize = 8;
const PUTS: usize = 50;

/// F01, F08, F39: eight writers start in an empty home. No update is lost, no process fails, one
/// key is created, and the audit chain has a line for each put, and one for the first owner.
#[test]
fn eight_writers_and_their_readers_see_whole_states() {
    let home = Home::new();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let home = &home;
                scope.spawn(move || {
                    for put in 0..PUTS {
                        let name = format!("K{writer}_{put}");
                        let value = format!("value of {name}");
                        let run = home.run(["-q", "secret", "put", "shared", &name, &value]);
                        assert_eq!(run.succeeded().stderr, "");
                    }
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(|| {
                let mut before = 0;
                while !done.load(Ordering::Relaxed) {
                    before = read(&home, before);
                }
            });
        }
        let results: Vec<_> = writers
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        done.store(true, Ordering::Relaxed);
        for result in results {
            result.unwrap();
        }
    });
    assert_eq!(read(&home, 0), WRITERS * PUTS);
    let verified = home.run(["audit", "verify", "--json"]).succeeded();
    let report: serde_json::Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(
        (&report["lines"], &report["sealed"]),
        (&401.into(), &401.into())
    );
}

/// Lists the secrets, never fewer than `before`, and opens the last one. Writes no audit lines, so
/// that those of the writers can be counted.
fn read(home: &Home, before: usize) -> usize {
    let run = |arguments: &[&str]| {
        let mut command = home.command();
        finish(command.env("MCPLEXER_AUDIT", "off").args(arguments))
    };
    let list = run(&["secret", "list", "shared"]);
    if list.code == 4 {
        assert_eq!(before, 0, "{}", list.stderr);
        return 0;
    }
    let list = list.succeeded();
    let names: Vec<_> = list.text().lines().collect();
    assert!(names.len() >= before, "{} after {before}", names.len());
    if let Some(name) = names.last() {
        let value = run(&["secret", "get", "shared", name]).succeeded();
        assert_eq!(value.text(), format!("value of {name}"));
    }
    names.len()
}

/// F01: counters kept by compare-and-swap add up.
#[test]
fn compare_and_swap_loses_no_update() {
    let home = Home::new();
    home.run(["secret", "put", "s", "COUNTER", "0"]).succeeded();
    let add_one = || {
        loop {
            let list = home.run(["secret", "list", "s", "--json"]).succeeded();
            let document: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
            let version = document["secrets"][0]["version"].to_string();
            let value: u32 = String::from_utf8(home.get("s", "COUNTER"))
                .unwrap()
                .parse()
                .unwrap();
            let next = (value + 1).to_string();
            let put = [
                "secret",
                "put",
                "s",
                "COUNTER",
                &next,
                "--if-version",
                &version,
            ];
            match home.run(put) {
                run if run.code == 8 => {}
                run => return drop(run.succeeded()),
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..5).for_each(|_| add_one()));
        }
    });
    assert_eq!(home.get("s", "COUNTER"), b"20");
}

/// F07: the first puts are killed at any moment. In the home that they leave, the next put works and
/// every acknowledged put is kept.
#[test]
fn killed_first_puts_leave_a_home_that_works() {
    for round in 0..24 {
        let home = Home::new();
        let mut children: Vec<_> = (0..4)
            .map(|number| {
                let name = format!("K{number}");
                let mut command = home.command();
                command.args(["-q", "secret", "put", "s", &name, &name]);
                (name, Running::start(&mut command).unwrap())
            })
            .collect();
        // The moment does not matter: the assertions hold for any.
        for _ in 0..round * 50_000 {
            std::hint::spin_loop();
        }
        for (_, child) in children.iter_mut().skip(1) {
            child.kill().unwrap();
        }
        for (name, child) in &mut children {
            let status = child.wait().unwrap();
            if status.success() {
                assert_eq!(home.get("s", name), name.as_bytes());
            } else {
                assert_eq!(status.code(), None, "it failed instead of being killed");
            }
        }
        home.run(["secret", "put", "s", "AFTER", "v"]).succeeded();
        assert_eq!(home.get("s", "AFTER"), b"v");
        home.run(["audit", "verify"]).succeeded();
    }
}
