//! Sixteen processes at once, each repeating its own task.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::home::{Home, Run};

/// The tasks of the sixteen processes.
const CROWD: [(Work, usize); 5] = [
    (Work::Count, 6),
    (Work::Put, 3),
    (Work::Get, 3),
    (Work::List, 3),
    (Work::Upkeep, 1),
];
const COUNTERS: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    /// Increments a counter by compare-and-swap, until that succeeds.
    Count,
    /// Puts a value of its own, and reads it back.
    Put,
    Get,
    List,
    /// Rotates and compacts.
    Upkeep,
}

/// How long each kind of command took.
#[derive(Debug, Default)]
struct Took(BTreeMap<&'static str, Vec<Duration>>);

struct Crowd {
    home: Home,
    took: Mutex<Took>,
    added: [AtomicUsize; COUNTERS],
}

impl Crowd {
    fn new() -> Self {
        let home = Home::new();
        for counter in 0..COUNTERS {
            let put = [
                "-q",
                "secret",
                "put",
                "counters",
                &format!("C{counter}"),
                "0",
            ];
            home.run(put).succeeded();
        }
        home.run(["-q", "secret", "put", "fixed", "K", "always this"])
            .succeeded();
        home.run(["-q", "key", "recovery"]).succeeded();
        Self {
            home,
            took: Mutex::default(),
            added: Default::default(),
        }
    }

    fn run(&self, what: &'static str, arguments: &[&str]) -> Run {
        let start = Instant::now();
        let run = self.home.run(arguments);
        let took = start.elapsed();
        self.took
            .lock()
            .unwrap()
            .0
            .entry(what)
            .or_default()
            .push(took);
        run
    }

    fn get(&self, scope: &str, key: &str) -> String {
        let run = self.run("get", &["secret", "get", scope, key]);
        String::from_utf8(run.succeeded().stdout).unwrap()
    }

    fn work(&self, work: Work, number: usize, turn: usize) {
        match work {
            Work::Count => self.add_one(number % COUNTERS),
            Work::Put => {
                let (key, value) = (format!("K{}", turn % 10), format!("{number} {turn}"));
                let scope = format!("own-{number}");
                let run = self.run("put", &["-q", "secret", "put", &scope, &key, &value]);
                assert_eq!(run.succeeded().stderr, "");
                assert_eq!(self.get(&scope, &key), value);
            }
            Work::Get => assert_eq!(self.get("fixed", "K"), "always this"),
            Work::List => {
                let list = self.run("list", &["secret", "list", "counters"]);
                assert_eq!(list.succeeded().text().lines().count(), COUNTERS);
            }
            Work::Upkeep => {
                self.run("rotate", &["-q", "key", "rotate"]).succeeded();
                self.run("compact", &["-q", "compact"]).succeeded();
            }
        }
    }

    fn add_one(&self, counter: usize) {
        let key = format!("C{counter}");
        loop {
            let list = self.run("list", &["secret", "list", "counters", "--json"]);
            let list: serde_json::Value = serde_json::from_slice(&list.succeeded().stdout).unwrap();
            let version = list["secrets"][counter]["version"].to_string();
            let next = self.get("counters", &key).parse::<u64>().unwrap() + 1;
            let put = ["-q", "secret", "put", "counters", &key, &next.to_string()];
            let run = self.run("put", &[&put[..], &["--if-version", &version]].concat());
            if run.code != 8 {
                drop(run.succeeded());
                self.added[counter].fetch_add(1, Ordering::Relaxed);
                return;
            }
        }
    }

    /// Runs each process for as many turns as `goes_on` allows.
    fn mill(&self, goes_on: impl Fn(Work, usize) -> bool + Sync) {
        thread::scope(|scope| {
            for (work, count) in CROWD {
                for number in 0..count {
                    let goes_on = &goes_on;
                    scope.spawn(move || {
                        let turns = (0..).take_while(|turn| goes_on(work, *turn));
                        turns.for_each(|turn| self.work(work, number, turn));
                    });
                }
            }
        });
        for (counter, added) in self.added.iter().enumerate() {
            let found = self.get("counters", &format!("C{counter}"));
            assert_eq!(found, added.load(Ordering::Relaxed).to_string());
        }
        self.home.run(["audit", "verify"]).succeeded();
        let doctor = self.home.run(["doctor"]);
        assert_eq!(doctor.code, 0, "{}", doctor.text());
        let took = self.took.lock().unwrap();
        for (what, took) in &took.0 {
            let mut took = took.clone();
            took.sort();
            let (count, worst) = (took.len(), took[took.len() - 1]);
            println!(
                "{what}: {count} times, median {:?}, worst {worst:?}",
                took[count / 2]
            );
        }
        println!("counters: {:?}", self.added);
    }
}

/// F01, F39: no update is lost, no command fails, and no reader gets an error.
#[test]
fn sixteen_processes_lose_no_update() {
    Crowd::new().mill(|work, turn| match work {
        Work::Upkeep => turn < 2,
        _ => turn < 4,
    });
}

#[test]
#[ignore = "a minute: what the test above does for a moment"]
fn sixteen_processes_lose_no_update_in_a_minute() {
    let start = Instant::now();
    Crowd::new().mill(|_, _| start.elapsed() < Duration::from_secs(60));
}
