//! Processes change one store at random and are killed at any moment. Every acknowledged change is
//! in the store, and an unfinished one completely or not at all.

#![cfg(test)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use mcplexer_secrets::audit::FileAudit;
use mcplexer_secrets::keys::FileKeys;
use mcplexer_secrets::{
    ErrorKind, NewScope, OnConflict, PutMode, RotateIdentity, ScopeId, SecretStore, SecretValue,
    Store,
};
use test_support::Running;

/// The number of processes at once, each with scopes of its own.
const WORKERS: u64 = 2;
const KILLED: i32 = 9;

/// The home directory, for a worker.
const HOME: &str = "MCPLEXER_TEST_KILLS_HOME";
/// The seed of a worker's random numbers.
const SEED: &str = "MCPLEXER_TEST_KILLS_SEED";

/// The acknowledged values, by scope and name.
type Ledger = BTreeMap<String, BTreeMap<String, Vec<u8>>>;

fn store(home: &Path) -> Store {
    let keys = FileKeys::new(home.join("age.key"));
    let store = Store::open(home.join("secrets.redb"), keys).unwrap();
    store.with_audit_log(FileAudit::new(home.join("audit.log")))
}

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// An operation. Its text contains all of it.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Put(u64, u64, u64),
    Import(u64, u64),
    Delete(u64, u64),
    CreateScope(u64),
    DeleteScope(u64),
    Compact,
    Rotate,
}

impl Operation {
    fn any(chance: &mut Chance) -> Self {
        let (scope, name, value) = (chance.below(3), chance.below(6), chance.below(1 << 40));
        match chance.below(100) {
            0..60 => Self::Put(scope, name, value),
            60..70 => Self::Import(scope, value),
            70..85 => Self::Delete(scope, name),
            85..90 => Self::CreateScope(scope),
            90..94 => Self::DeleteScope(scope),
            94..97 => Self::Compact,
            _ => Self::Rotate,
        }
    }

    /// Records its effect in the ledger of this worker.
    fn enter(self, worker: u64, ledger: &mut Ledger) {
        let id = |scope| format!("w{worker}-{scope}");
        match self {
            Self::Put(scope, name, seed) => {
                let names = ledger.entry(id(scope)).or_default();
                names.insert(format!("K{name}"), value(seed));
            }
            Self::Import(scope, seed) => {
                let names = ledger.entry(id(scope)).or_default();
                names.extend((0..4).map(|name| (format!("K{name}"), value(seed + name))));
            }
            Self::Delete(scope, name) => {
                if let Some(names) = ledger.get_mut(&id(scope)) {
                    names.remove(&format!("K{name}"));
                }
            }
            Self::CreateScope(scope) => drop(ledger.entry(id(scope)).or_default()),
            Self::DeleteScope(scope) => drop(ledger.remove(&id(scope))),
            Self::Compact | Self::Rotate => {}
        }
    }

    fn run(self, worker: u64, store: &Store) {
        let id = |scope| -> ScopeId { format!("w{worker}-{scope}").parse().unwrap() };
        let name = |name| format!("K{name}").parse().unwrap();
        let secret = |seed| SecretValue::new(value(seed)).unwrap();
        let result = match self {
            Self::Put(scope, key, seed) => {
                let put = store.put(
                    &NewScope::env(id(scope)),
                    &name(key),
                    &secret(seed),
                    PutMode::Overwrite,
                );
                put.unwrap();
                let found = store.get(&id(scope), &name(key)).unwrap();
                assert_eq!(found.expose(), value(seed));
                Ok(())
            }
            Self::Import(scope, seed) => {
                let secrets: Vec<_> = (0..4).map(|key| (name(key), secret(seed + key))).collect();
                let imported =
                    store.import(&NewScope::env(id(scope)), &secrets, OnConflict::Overwrite);
                imported.map(drop)
            }
            Self::Delete(scope, key) => store.delete(&id(scope), &name(key)),
            Self::CreateScope(scope) => store.create_scope(&NewScope::env(id(scope))),
            Self::DeleteScope(scope) => store.delete_scope(&id(scope)).map(drop),
            // A store that does not exist yet cannot be rotated.
            Self::Compact | Self::Rotate if !store.exists().unwrap() => Ok(()),
            Self::Compact => store.compact(),
            Self::Rotate => store.rotate(RotateIdentity::Replace, &mut |_| {}).map(drop),
        };
        match result {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Conflict) => {}
            result => result.unwrap(),
        }
    }
}

/// Returns up to 3 KB of text.
fn value(seed: u64) -> Vec<u8> {
    let words = usize::try_from(seed % 200 + 1).unwrap();
    format!("{seed} ").repeat(words).into_bytes()
}

fn killed_times(times: u64) {
    // Only processes are killed, not the machine, so nothing here needs to reach a disk.
    let home = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let home = home.unwrap();
    let mut ledgers = vec![Ledger::new(); usize::try_from(WORKERS).unwrap()];
    let (mut deaths, mut done, mut in_the_making) = (0, 0, 0);
    for round in 0..times.div_ceil(WORKERS) {
        let said = thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS)
                .map(|worker| {
                    let home = home.path();
                    scope.spawn(move || work_and_die(home, worker, round * WORKERS + worker))
                })
                .collect();
            let ended = workers.into_iter().map(|worker| worker.join().unwrap());
            ended.collect::<Vec<_>>()
        });
        let store = store(home.path());
        let problem = &mut |error| panic!("round {round}: {error:?}");
        store.check(problem, &mut |_| {}).unwrap();
        store
            .verify_audit(&home.path().join("audit.log"), None)
            .unwrap();
        for ((worker, said), ledger) in (0..).zip(said).zip(&mut ledgers) {
            deaths += 1;
            done += said.done.len();
            in_the_making += usize::from(said.begun.is_some());
            for operation in said.done {
                operation.enter(worker, ledger);
            }
            let mut after = ledger.clone();
            if let Some(operation) = said.begun {
                operation.enter(worker, &mut after);
            }
            let found = contents(&store, worker);
            let begun = said.begun;
            assert!(
                found == *ledger || found == after,
                "round {round}, worker {worker}, killed at {begun:?}:\n{found:#?}\n{ledger:#?}"
            );
            *ledger = found;
        }
    }
    println!("{deaths} deaths, {in_the_making} of them in an operation, {done} operations done");
    assert!(in_the_making > 0, "no death came in time");
    // What all of them leave is a store like any other.
    let store = store(home.path());
    store.rotate(RotateIdentity::Replace, &mut |_| {}).unwrap();
    let mut files: Vec<_> = home.path().read_dir().unwrap().collect();
    files.retain(|entry| entry.as_ref().unwrap().file_name() != *"age.key");
    assert_eq!(files.len(), 2, "{files:?}");
}

/// Returns what the store has in this worker's scopes.
fn contents(store: &Store, worker: u64) -> Ledger {
    let prefix = format!("w{worker}-");
    let scopes = store.scopes().unwrap().into_iter();
    let own = scopes.filter(|info| info.id.as_str().starts_with(&prefix));
    own.map(|info| {
        let secrets = store.list(&info.id).unwrap().into_iter().map(|secret| {
            let value = store.get(&info.id, &secret.name).unwrap();
            (secret.name.as_str().to_owned(), value.expose().to_vec())
        });
        (info.id.as_str().to_owned(), secrets.collect())
    })
    .collect()
}

/// What a worker had acknowledged when it died.
struct Said {
    done: Vec<Operation>,
    begun: Option<Operation>,
}

/// Starts a worker, and kills it some time after some of its operations.
fn work_and_die(home: &Path, worker: u64, seed: u64) -> Said {
    let seed = seed * 2 + 1;
    let mut chance = Chance(seed << 32);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--ignored", "--exact", "a_worker", "--nocapture"])
        .env(HOME, home)
        .env(SEED, format!("{worker} {seed}"));
    let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = Running::start(command).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Said {
        done: Vec::new(),
        begun: None,
    };
    let mut operations = Chance(seed);
    let mut hear = |line: &str| match line {
        "begun" => said.begun = Some(Operation::any(&mut operations)),
        "done" => said.done.extend(said.begun.take()),
        _ => {}
    };
    // Waits for a number of lines, and then a while. The assertions hold for any moment.
    for _ in 0..2 + chance.below(40) {
        let line = lines.next().expect("the worker ended by itself").unwrap();
        hear(&line);
    }
    spin(Duration::from_micros(chance.below(6000)));
    kill(&mut child);
    lines.for_each(|line| hear(&line.unwrap()));
    said
}

fn kill(child: &mut Child) {
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(KILLED), "it ended by itself");
}

fn spin(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

#[test]
#[ignore = "is what the tests here start and kill"]
fn a_worker() {
    let Some(home) = std::env::var_os(HOME) else {
        return;
    };
    let seed = std::env::var(SEED).unwrap();
    let (worker, seed) = seed.split_once(' ').unwrap();
    let (worker, mut chance) = (worker.parse().unwrap(), Chance(seed.parse().unwrap()));
    let store = store(Path::new(&home));
    let mut out = std::io::stdout();
    loop {
        let operation = Operation::any(&mut chance);
        out.write_all(b"begun\n").unwrap();
        out.flush().unwrap();
        operation.run(worker, &store);
        out.write_all(b"done\n").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn fifty_deaths_lose_nothing_acknowledged() {
    killed_times(50);
}

#[test]
#[ignore = "a minute: ten times the deaths of the test above"]
fn five_hundred_deaths_lose_nothing_acknowledged() {
    killed_times(500);
}
