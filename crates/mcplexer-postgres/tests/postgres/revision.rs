//! The revision, which is asked for when the server says that there was a commit.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use mcplexer_postgres::PostgresBackend;
use mcplexer_secrets::backend::{Backend, Commit, Table};

use crate::server::{address, backend, new_schema, place, shared};

/// Less than the silence after which the server is asked anyway.
const LONG: Duration = Duration::from_secs(20);

fn put(backend: &dyn Backend) {
    let mut transaction = backend.write().unwrap();
    transaction.put(Table::Meta, b"k", b"record").unwrap();
    assert!(matches!(transaction.commit(), Ok(Commit::Applied)));
}

fn revision(backend: &dyn Backend) -> u64 {
    backend.revision().unwrap().unwrap()
}

fn wait_until(condition: impl Fn() -> bool) {
    let until = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < until, "nothing is heard");
        thread::yield_now();
    }
}

/// Asks until the answer is this one.
fn wait_for(backend: &dyn Backend, expected: u64) {
    wait_until(|| revision(backend) == expected);
}

/// How many round trips 100 questions cost.
fn cost(backend: &PostgresBackend) -> u64 {
    let before = backend.round_trips();
    for _ in 0..100 {
        revision(backend);
    }
    backend.round_trips() - before
}

#[test]
fn a_revision_costs_nothing_while_nothing_changes_and_a_commit_of_others_is_heard() {
    let Some(place) = place() else { return };
    let (one, two) = (backend(&place), backend(&place));
    assert_eq!(two.revision().unwrap(), None, "there is no store");
    put(&one);
    wait_for(&two, 1);
    // The commit may be heard of after it was seen.
    wait_until(|| cost(&two) == 0);
    let before = two.round_trips();
    put(&one);
    put(&one);
    wait_for(&two, 3);
    let cost_of_two = two.round_trips() - before;
    assert!((1..=2).contains(&cost_of_two), "{cost_of_two}");
    put(&two);
    assert_eq!(revision(&two), 4, "an own commit is known at once");
    wait_for(&one, 4);
}

#[test]
fn a_session_that_listens_and_is_ended_is_replaced() {
    let Some(server) = shared() else { return };
    let schema = new_schema();
    let one = backend(&address(&[server.port()], &schema));
    put(&one);
    let url = format!(
        "postgres://postgres@127.0.0.1:{}/postgres?schema={schema}&application_name=listener",
        server.port()
    );
    let two = PostgresBackend::new(url.parse().unwrap()).unwrap();
    assert_eq!(revision(&two), 1);
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE application_name = 'listener'";
    assert_eq!(server.sql(end), "1");
    put(&one);
    wait_for(&two, 2);
    put(&one);
    wait_for(&two, 3);
    wait_until(|| cost(&two) == 0);
}

/// A way to a server that calls itself YugabyteDB.
fn disguised(server: u16) -> u16 {
    const VERSION: &[u8] = b"server_version\0";
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).unwrap();
            let (mut from_client, mut to_server) =
                (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || {
                let _ended = io::copy(&mut from_client, &mut to_server);
                let _closed = to_server.shutdown(Shutdown::Both);
            });
            let mut client = client;
            thread::spawn(move || {
                let mut buffer = [0; 1 << 14];
                while let Ok(length @ 1..) = server.read(&mut buffer) {
                    let said = &mut buffer[..length];
                    let at = said.windows(VERSION.len()).position(|it| it == VERSION);
                    if let Some(at) = at.map(|it| it + VERSION.len()) {
                        said[at..at + 4].copy_from_slice(b"-YB-");
                    }
                    if client.write_all(said).is_err() {
                        break;
                    }
                }
            });
        }
    });
    port
}

/// As on CockroachDB, which knows no `pg_notify`.
#[test]
fn a_server_that_cannot_notify_is_asked_each_time() {
    let Some(server) = shared() else { return };
    server.sql("CREATE SCHEMA mute");
    server.sql(
        "CREATE FUNCTION mute.pg_notify(text, text) RETURNS void LANGUAGE sql AS 'SELECT 1 / 0'",
    );
    let schema = new_schema();
    let at = |port: u16| {
        let url = format!(
            "postgres://postgres@127.0.0.1:{port}/postgres?schema={schema}\
             &options=-c%20search_path%3Dmute,pg_catalog"
        );
        PostgresBackend::new(url.parse().unwrap()).unwrap()
    };
    let other = at(disguised(server.port()));
    put(&other);
    assert_eq!(revision(&other), 1);
    assert_eq!(cost(&other), 100);
    let heard = at(server.port());
    let mut transaction = heard.write().unwrap();
    transaction.put(Table::Meta, b"k", b"record").unwrap();
    assert!(transaction.commit().is_err(), "the others notify");
}

/// As after a schema was dropped and filled again.
#[test]
fn a_store_that_begins_again_is_noticed() {
    let Some(server) = shared() else { return };
    let schema = new_schema();
    let (one, two) = (
        backend(&address(&[server.port()], &schema)),
        backend(&address(&[server.port()], &schema)),
    );
    for _ in 0..3 {
        put(&one);
    }
    wait_for(&two, 3);
    server.sql(&format!("DROP SCHEMA {schema} CASCADE"));
    put(&backend(&address(&[server.port()], &schema)));
    wait_for(&two, 1);
}
