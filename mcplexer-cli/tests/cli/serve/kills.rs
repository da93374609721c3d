//! A gateway is killed under load, again and again: of what it has started nothing is left, of what it has recorded before an
//! answer nothing is lost, and its clients go on.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::daemon::{Daemon, run, status, stop, with_http_on};
use super::web::WebClient;
use super::*;

/// How long a server that heeds the end of its input may take.
const AT_ONCE: Duration = Duration::from_secs(1);

/// How long anything else may take, so that a test that fails ends.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// How many answers each client gets before the gateway is killed.
const ANSWERS: usize = 20;

const WELL_BEHAVED: [&str; 2] = ["plain", "grandchild"];

/// What the clients have got.
#[derive(Default)]
struct Load {
    is_over: AtomicBool,
    /// How many answers each has got, by its name.
    answered: HashMap<String, AtomicUsize>,
    /// How many calls had an unknown outcome.
    unknown: AtomicUsize,
}

impl Load {
    fn of(clients: &[String]) -> Self {
        let counts = clients.iter().map(|it| (it.clone(), AtomicUsize::new(0)));
        Self {
            answered: counts.collect(),
            ..Self::default()
        }
    }

    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    /// Counts what came of a call.
    fn count(&self, client: &str, answer: &Value) {
        match answer["result"]["content"][0]["text"].as_str() {
            Some(pid) => {
                assert!(pid.parse::<u32>().is_ok(), "{answer}");
                self.answered[client].fetch_add(1, Ordering::Relaxed);
            }
            None => {
                assert_eq!(answer["error"]["code"], 1004, "{answer}");
                self.unknown.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Waits until each client has got so many more answers.
    fn wait_for_answers(&self, answers: usize) {
        let until = Instant::now() + PATIENCE;
        for (client, count) in &self.answered {
            let enough = count.load(Ordering::Relaxed) + answers;
            while count.load(Ordering::Relaxed) < enough {
                assert!(Instant::now() < until, "{client} does not go on");
                thread::yield_now();
            }
        }
    }
}

/// Ends the load also when an assertion fails, so that the threads of the clients end.
struct Over<'a>(&'a Load);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

/// What killing gateways has shown.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) kills: usize,
    /// How many servers that heed the end of their input ran then.
    ended: usize,
    pub(super) longest: Duration,
    answered: usize,
    unknown: usize,
    /// How many answered calls have no line about their end.
    without_end: usize,
}

impl Figures {
    /// Kills the gateway of a home; returns the groups of the servers that need not heed that.
    pub(super) fn kill(&mut self, home: &Home) -> Vec<i32> {
        let gateway = Pid::from_raw(i32::try_from(status(home)["pid"].as_i64().unwrap()).unwrap());
        let gateway = gateway.unwrap();
        // While it stands still, nothing starts or ends.
        kill_process(gateway, Signal::STOP).unwrap();
        let (well, stubborn): (Vec<_>, Vec<_>) = groups(home)
            .into_iter()
            .partition(|it| !command_of(*it).contains("stubborn"));
        kill_process(gateway, Signal::KILL).unwrap();
        let since = Instant::now();
        while well.iter().any(|it| runs(*it)) {
            assert!(
                since.elapsed() < AT_ONCE,
                "{:?}",
                well.iter().map(|it| command_of(*it)).collect::<Vec<_>>()
            );
            thread::yield_now();
        }
        self.kills += 1;
        self.ended += well.len();
        self.longest = self.longest.max(since.elapsed());
        stubborn
    }

    /// Compares the log with what the clients have got.
    fn read_log(&mut self, home: &Home, load: &Load) {
        run(home, &["audit", "verify"]).succeeded();
        let calls = run(home, &["calls", "--json", "-n", "10000000"]).succeeded();
        let calls: Value = serde_json::from_str(calls.text()).unwrap();
        let calls = calls["calls"].as_array().unwrap();
        self.unknown = load.unknown.load(Ordering::Relaxed);
        for (client, answered) in &load.answered {
            let answered = answered.load(Ordering::Relaxed);
            let begun = calls.iter().filter(|it| it["client"] == client.as_str());
            let ended = begun.clone().filter(|it| it["outcome"] == "ok");
            assert!(begun.count() >= answered, "lines of {client} are lost");
            // Nobody waits for the line about the end. It is in the log at the latest when the client's next call is.
            let without_end = answered.saturating_sub(ended.count());
            assert!(
                without_end <= self.kills,
                "{without_end} ends of {client} are lost"
            );
            self.answered += answered;
            self.without_end += without_end;
        }
    }
}

/// Returns the groups of the servers that a gateway has started, from what it keeps for the next one.
pub(super) fn groups(home: &Home) -> Vec<i32> {
    let files = fs::read_dir(home.path("run/children"))
        .into_iter()
        .flatten();
    let files = files.filter_map(|it| fs::read(it.unwrap().path()).ok());
    let records = files.filter_map(|it| serde_json::from_slice::<Value>(&it).ok());
    let groups = records.filter_map(|it| it["child"]["pid"].as_i64());
    groups.map(|it| i32::try_from(it).unwrap()).collect()
}

pub(super) fn command_of(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default()
}

/// Whether a process of a group runs.
fn runs(group: i32) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut stats = processes.filter_map(|it| fs::read_to_string(it.path().join("stat")).ok());
    stats.any(|stat| {
        let (_, fields) = stat.rsplit_once(") ").unwrap_or_default();
        let mut fields = fields.split(' ');
        let has_ended = matches!(fields.next(), Some("Z" | "X"));
        !has_ended && fields.nth(1) == Some(&group.to_string())
    })
}

pub(super) fn assert_none_runs(groups: &[i32]) {
    let left: Vec<_> = groups.iter().filter(|it| runs(**it)).collect();
    assert!(
        left.is_empty(),
        "{:?}",
        left.iter().map(|it| command_of(**it)).collect::<Vec<_>>()
    );
}

fn clients(kind: &str) -> Vec<String> {
    (0..2).map(|it| format!("{kind}{it}")).collect()
}

/// A client of `connect` calls, as long as there is load.
fn call_by_connect(home: &Home, load: &Load, name: &str, kinds: &[&str]) {
    let mut client = Client::greeted(home, &["connect", "--client", name]);
    for kind in kinds.iter().cycle() {
        if !load.goes_on() {
            break;
        }
        let answer = client.ask("tools/call", &json!({"name": format!("{kind}__pid")}));
        load.count(name, &answer);
    }
    assert_eq!(client.leave(), 0);
}

/// Clients that start the next gateway themselves.
fn kill_what_clients_start(rounds: usize, kinds: &[&str]) -> Figures {
    let home = home(kinds);
    let names = clients("connect");
    let load = Load::of(&names);
    let mut figures = Figures::default();
    thread::scope(|scope| {
        let _over = Over(&load);
        for name in &names {
            let (home, load) = (&home, &load);
            scope.spawn(move || call_by_connect(home, load, name, kinds));
        }
        for _ in 0..rounds {
            load.wait_for_answers(ANSWERS);
            let stubborn = figures.kill(&home);
            load.wait_for_answers(1);
            assert_none_runs(&stubborn);
        }
    });
    stop(&home);
    figures.read_log(&home, &load);
    figures
}

/// A client over HTTP calls, as long as there is load. While there is no gateway, it tries again.
fn call_by_http(load: &Load, name: &str, client: &mut WebClient, kinds: &[&str]) {
    for kind in kinds.iter().cycle() {
        if !load.goes_on() {
            break;
        }
        match client.call(&format!("{kind}__pid")) {
            Ok(answer) => load.count(name, &answer),
            Err(_) => thread::yield_now(),
        }
    }
}

/// Clients over HTTP, and one that waits for an answer over stdio. Somebody else starts the next gateway.
fn kill_what_serves_http(rounds: usize, kinds: &[&str]) -> Figures {
    let home = home(kinds);
    let Daemon { child, address } = with_http_on(&home, "127.0.0.1:0");
    let mut daemon = child;
    let names = clients("http");
    let load = Load::of(&names);
    let mut figures = Figures::default();
    let mut waiting = Client::greeted(&home, &["connect", "--client", "waiting"]);
    thread::scope(|scope| {
        let _over = Over(&load);
        for name in &names {
            let token = run(&home, &["client", "add", name]).succeeded();
            let mut client = WebClient::greeted(&address, token.text().trim_end());
            let load = &load;
            scope.spawn(move || call_by_http(load, name, &mut client, kinds));
        }
        for _ in 0..rounds {
            let asked = waiting.begin("tools/call", &json!({"name": "grandchild__hang"}));
            load.wait_for_answers(ANSWERS);
            let stubborn = figures.kill(&home);
            daemon.wait().unwrap();
            daemon = with_http_on(&home, &address).child;
            load.wait_for_answers(1);
            assert_none_runs(&stubborn);
            let answer = waiting.read(|it| it["id"] == asked);
            assert_eq!(answer["error"]["code"], 1004, "{answer}");
            assert!(waiting.call("plain__pid").parse::<u32>().is_ok());
        }
    });
    assert_eq!(waiting.leave(), 0);
    stop(&home);
    figures.read_log(&home, &load);
    figures
}

#[test]
fn clients_go_on_when_the_gateway_that_they_started_is_killed() {
    kill_what_clients_start(3, &WELL_BEHAVED);
}

#[test]
fn clients_go_on_when_a_gateway_that_serves_http_is_killed() {
    kill_what_serves_http(3, &WELL_BEHAVED);
}

#[test]
#[ignore = "takes minutes"]
fn clients_go_on_when_gateways_are_killed_a_hundred_times() {
    let kinds = ["plain", "grandchild", "stubborn"];
    println!(
        "started by clients: {:?}",
        kill_what_clients_start(50, &kinds)
    );
    println!("over HTTP: {:?}", kill_what_serves_http(50, &kinds));
}
