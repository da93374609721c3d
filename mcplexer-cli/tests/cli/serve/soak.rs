//! Servers, clients and gateways are killed at random for a long time: memory, descriptors and processes stay as they were.
//!
//! `SOAK_SECONDS` says for how long, or else for an hour.

use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use test_support::started_in;

use super::daemon::{Daemon, run, stop, with_http_on};
use super::kills::{Figures, PATIENCE, assert_none_runs, command_of, groups};
use super::web::WebClient;
use super::*;

const KINDS: [&str; 3] = ["plain", "grandchild", "stubborn"];

/// The gateway, the client that stays, and the servers: one of them is two processes.
const PROCESSES: usize = 6;

/// How many things happen between two looks.
const STEPS: usize = 50;

/// By how much memory may be more than at the first look at a gateway: by a tenth, and by this for what a thread that waits
/// for a disk takes, in KiB.
const SLACK: usize = 1024;

/// How many calls a gateway has had when its memory is first looked at: it remembers the last 1,000.
const WARM: usize = 1200;

/// Descriptors that are open for a moment, such as those of the store.
const SPARE: usize = 4;

/// Numbers that differ in each run (Marsaglia, "Xorshift RNGs", 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }
}

/// What clients over HTTP do.
#[derive(Default)]
struct Load {
    is_over: AtomicBool,
    /// Held while a client calls, and by who wants that none does.
    calls: RwLock<()>,
    answered: AtomicUsize,
}

struct Over<'a>(&'a Load);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

impl Load {
    fn call(&self, client: &mut WebClient) {
        for kind in KINDS.iter().cycle() {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            let Ok(_calls) = self.calls.read() else {
                return;
            };
            if let Ok(answer) = client.call(&format!("{kind}__pid"))
                && answer.get("result").is_some()
            {
                self.answered.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    fn wait_for_answers(&self, answers: usize) {
        let enough = self.answered() + answers;
        wait_until("clients go on", || self.answered() >= enough);
    }
}

#[track_caller]
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "not in time: {what}");
        thread::yield_now();
    }
}

struct Soak<'a> {
    home: &'a Home,
    load: &'a Load,
    daemon: Daemon,
    /// A client that stays.
    client: Client,
    random: Random,
    figures: Figures,
    secrets: usize,
    /// How many answers there were before this gateway.
    before: usize,
    /// The memory of this gateway when it was first looked at, in KiB.
    memory: Option<usize>,
    descriptors: Option<usize>,
}

impl Soak<'_> {
    fn step(&mut self) {
        match self.random.below(500) {
            0..350 => {
                let groups = groups(self.home);
                if !groups.is_empty() {
                    let server = groups[self.random.below(groups.len())];
                    // It may have ended by itself.
                    let _gone = kill_process(Pid::from_raw(server).unwrap(), Signal::KILL);
                }
            }
            350..420 => {
                let server = KINDS[self.random.below(KINDS.len())];
                run(self.home, &["server", "restart", server]).succeeded();
            }
            420..470 => {
                let mut client = Client::greeted(self.home, &["connect", "--client", "passing"]);
                client.begin("tools/call", &json!({"name": "plain__hang"}));
                client.call("grandchild__pid");
                if self.random.below(2) == 0 {
                    assert_eq!(client.leave(), 0);
                }
            }
            470..499 => {
                self.secrets += 1;
                let value = format!("{VALUE}-{}", self.secrets);
                run(
                    self.home,
                    &["secret", "put", "github-token", "TOKEN", &value],
                )
                .succeeded();
            }
            _ => {
                let stubborn = self.figures.kill(self.home);
                self.daemon.child.wait().unwrap();
                self.daemon = with_http_on(self.home, &self.daemon.address);
                (self.before, self.memory) = (self.load.answered(), None);
                self.load.wait_for_answers(1);
                assert_none_runs(&stubborn);
            }
        }
        let answers = self.random.below(10);
        self.load.wait_for_answers(answers);
    }

    /// Looks at what there is while nobody calls: each server runs once.
    fn look(&mut self) -> String {
        let load = self.load;
        let _nobody_calls = load.calls.write().unwrap();
        let client = &mut self.client;
        for kind in KINDS {
            let tool = format!("{kind}__pid");
            wait_until(kind, || client.call(&tool).parse::<u32>().is_ok());
        }
        let until = Instant::now() + PATIENCE;
        let mut found = started_in(self.home.root());
        while found.len() != PROCESSES {
            let commands = || found.iter().map(|it| command_of(it.as_raw_nonzero().get()));
            assert!(
                Instant::now() < until,
                "{:?}",
                commands().collect::<Vec<_>>()
            );
            found = started_in(self.home.root());
        }
        let gateway = self.daemon.child.id();
        let descriptors = || fs::read_dir(format!("/proc/{gateway}/fd")).unwrap().count();
        let most = *self.descriptors.get_or_insert_with(descriptors) + SPARE;
        wait_until("descriptors are closed", || descriptors() <= most);
        let memory = anonymous_memory(gateway);
        if load.answered() - self.before >= WARM {
            let first = *self.memory.get_or_insert(memory);
            assert!(
                memory <= first + first / 10 + SLACK,
                "{memory} KiB after {first} KiB"
            );
        }
        let first = self
            .memory
            .map(|it| format!(" (at first {it})"))
            .unwrap_or_default();
        format!(
            "{memory} KiB{first}, {} descriptors, {PROCESSES} processes",
            descriptors()
        )
    }
}

/// Returns the memory of a process that is no file's, in KiB (proc_pid_status(5)).
fn anonymous_memory(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix("RssAnon:"));
    let (number, _) = line.unwrap().trim().split_once(' ').unwrap();
    number.parse().unwrap()
}

#[test]
#[ignore = "takes an hour"]
fn nothing_grows_while_servers_clients_and_gateways_are_killed() {
    let seconds = std::env::var("SOAK_SECONDS").map_or(3600, |it| it.parse().unwrap());
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = u64::try_from(seed.as_micros()).unwrap();
    println!("seed {seed}, {seconds} s");
    let home = home(&KINDS);
    let load = Load::default();
    let daemon = with_http_on(&home, "127.0.0.1:0");
    let since = Instant::now();
    thread::scope(|scope| {
        let over = Over(&load);
        for name in ["a", "b"] {
            let token = run(&home, &["client", "add", name]).succeeded();
            let mut client = WebClient::greeted(&daemon.address, token.text().trim_end());
            let load = &load;
            scope.spawn(move || load.call(&mut client));
        }
        let mut soak = Soak {
            home: &home,
            load: &load,
            daemon,
            client: Client::greeted(&home, &["connect"]),
            random: Random(seed),
            figures: Figures::default(),
            secrets: 0,
            before: 0,
            memory: None,
            descriptors: None,
        };
        let mut steps = 0;
        while since.elapsed() < Duration::from_secs(seconds) {
            (0..STEPS).for_each(|_| soak.step());
            steps += STEPS;
            let looked = soak.look();
            let (kills, longest) = (soak.figures.kills, soak.figures.longest);
            let (now, answered) = (since.elapsed().as_secs(), load.answered());
            println!(
                "{now} s: {steps} steps, {kills} gateways killed ({longest:?} at most), {answered} answers, {looked}"
            );
        }
        drop(over);
        assert_eq!(soak.client.leave(), 0);
        stop(&home);
        assert!(soak.daemon.child.wait().unwrap().success());
    });
    run(&home, &["audit", "verify"]).succeeded();
    wait_until("every process has ended", || {
        started_in(home.root()).is_empty()
    });
}
