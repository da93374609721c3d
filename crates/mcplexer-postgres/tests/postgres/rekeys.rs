//! Re-keys by processes that are killed, and gone on with by others.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use mcplexer_postgres::{Address, PostgresBackend};
use mcplexer_secrets::keys::{Ask, FileKeys, KeyProvider};
use mcplexer_secrets::{
    NewScope, OnConflict, PutMode, RotateIdentity, SecretName, SecretStore, SecretValue, Store,
};
use test_support::Running;

use crate::server::{Server, address};

const SCHEMA: &str = "mcplexer";
/// Four scopes and their secrets are as much as is kept at once.
const SCOPES: u64 = 12;
const SECRETS: u64 = 500;
const TOTAL: u64 = SCOPES * SECRETS;
const BATCH: u64 = 4 * SECRETS;

/// The address of the store, for the process that is killed.
const ADDRESS: &str = "MCPLEXER_TEST_REKEY_ADDRESS";
/// Its key file.
const KEY: &str = "MCPLEXER_TEST_REKEY_KEY";
/// After how many secrets it waits to be killed, and whether it replaces its key.
const WORK: &str = "MCPLEXER_TEST_REKEY_WORK";

fn open(address: &Address, key: &Path) -> Store {
    let backend = PostgresBackend::new(address.clone()).unwrap();
    Store::with_backend(backend, FileKeys::new(key)).unwrap()
}

fn name(secret: u64) -> SecretName {
    format!("K{secret}").parse().unwrap()
}

fn value(scope: u64, secret: u64) -> SecretValue {
    SecretValue::new(format!("{scope}/{secret}").into_bytes()).unwrap()
}

fn scope(number: u64) -> NewScope {
    NewScope::env(format!("s{number:02}").parse().unwrap())
}

fn fill(store: &Store) {
    for number in 0..SCOPES {
        let secrets: Vec<_> = (0..SECRETS)
            .map(|secret| (name(secret), value(number, secret)))
            .collect();
        let imported = store.import(&scope(number), &secrets, OnConflict::Overwrite);
        imported.unwrap();
    }
}

fn assert_readable(store: &Store) {
    for (number, secret) in [(0, 0), (SCOPES - 1, SECRETS - 1)] {
        let found = store.get(&scope(number).id, &name(secret)).unwrap();
        assert_eq!(found.expose(), value(number, secret).expose());
    }
}

/// A process that re-keys the store, and has done so many secrets when this returns. It does nothing more.
fn half_done(address: &Address, url: &str, key: &Path, done: u64, how: &str) -> Running {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--ignored", "--exact", "rekeys::a_rekey", "--nocapture"])
        .env(ADDRESS, url)
        .env(KEY, key)
        .env(WORK, format!("{done} {how}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = Running::start(&mut command).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "waiting"));
    // Readers do not notice.
    assert_readable(&open(address, key));
    child
}

fn kill(mut child: Running) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
#[ignore = "is what the tests here start and kill"]
fn a_rekey() {
    let Ok(url) = std::env::var(ADDRESS) else {
        return;
    };
    let work = std::env::var(WORK).unwrap();
    let (last, how) = work.split_once(' ').unwrap();
    let last: u64 = last.parse().unwrap();
    let identity = match how {
        "keep" => RotateIdentity::Keep,
        _ => RotateIdentity::Replace,
    };
    let key = std::env::var_os(KEY).unwrap();
    let store = open(&url.parse().unwrap(), Path::new(&key));
    let rekeyed = store.rotate(identity, &mut |progress| {
        if progress.done == last {
            let mut out = std::io::stdout();
            out.write_all(b"\nwaiting\n").unwrap();
            out.flush().unwrap();
            // Until it is killed.
            let _ended = std::io::stdin().read(&mut [0]);
        }
    });
    rekeyed.unwrap();
}

/// How many secrets were done already, and how many a re-key has encrypted itself.
fn finish(store: &Store, identity: RotateIdentity) -> (u64, u64) {
    let mut told = Vec::new();
    let rekeyed = store.rotate(identity, &mut |progress| told.push(progress.done));
    assert_eq!(rekeyed.unwrap().secrets, TOTAL);
    match told.len() as u64 {
        TOTAL => (0, TOTAL),
        count => (told[0], count - 1),
    }
}

/// The tables of records, by the server.
fn tables(server: &Server) -> String {
    server.sql("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'records_%'")
}

fn assert_whole(store: &Store, server: &Server) {
    let checked = store.check(&mut |found| panic!("{found}"), &mut |_| {});
    assert_eq!(checked.unwrap().unwrap().secrets, TOTAL);
    assert_eq!(tables(server), "1");
}

#[test]
fn a_rekey_is_gone_on_with_after_the_process_was_killed() {
    let Some(server) = Server::start(&["fsync=off"]) else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let key = home.path().join("age.key");
    let url = format!(
        "postgres://postgres@127.0.0.1:{}/postgres?schema={SCHEMA}",
        server.port()
    );
    let address = address(&[server.port()], SCHEMA);
    let store = open(&address, &key);
    fill(&store);

    // The first secret of a scope is told after the batch before was kept.
    kill(half_done(&address, &url, &key, BATCH + 1, "keep"));
    assert_eq!(tables(&server), "2");
    // Killed once more, in the middle of a scope.
    kill(half_done(
        &address,
        &url,
        &key,
        2 * BATCH + SECRETS / 2,
        "keep",
    ));
    let done = finish(&store, RotateIdentity::Keep);
    assert_eq!(done, (2 * BATCH, TOTAL - 2 * BATCH));
    assert_whole(&store, &server);

    // A rotation that replaces the key goes on with the one that it has made.
    let identities = || FileKeys::new(&key).identities(Ask::Never).unwrap().len();
    kill(half_done(&address, &url, &key, BATCH + 1, "replace"));
    assert_eq!(identities(), 2);
    let done = finish(&open(&address, &key), RotateIdentity::Replace);
    assert_eq!(done, (BATCH, TOTAL - BATCH));
    assert_eq!(identities(), 1);
    assert_whole(&store, &server);

    // A writer waits, and goes on once the process is gone. What that has left is discarded.
    let child = half_done(&address, &url, &key, BATCH + 1, "keep");
    thread::scope(|threads| {
        let writer = threads.spawn(|| {
            let store = open(&address, &key);
            let put = store.put(&scope(0), &name(0), &value(0, 0), PutMode::Overwrite);
            put.unwrap();
        });
        kill(child);
        writer.join().unwrap();
    });
    assert_whole(&store, &server);
    assert_eq!(finish(&store, RotateIdentity::Keep), (0, TOTAL));
    assert_whole(&store, &server);
}
