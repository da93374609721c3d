//! After a replacement nothing of the old state is left.

use std::fs;
use std::path::Path;

use mcplexer_postgres::PostgresBackend;
use mcplexer_secrets::backend::{Backend, Commit, Range, Replacement, Snapshot, Table};

use crate::server::{Server, address, backend};

const SCHEMA: &str = "mcplexer";
/// In no record of a new state.
const OLD: &[u8] = b"a record that is to be forgotten";

fn put(backend: &dyn Backend, key: &[u8], record: &[u8]) {
    let mut transaction = backend.write().unwrap();
    transaction.put(Table::Secrets, key, record).unwrap();
    assert!(matches!(transaction.commit(), Ok(Commit::Applied)));
}

fn replace(backend: &dyn Backend) {
    let Replacement { old, mut new } = backend.replace().unwrap();
    drop(old);
    new.put(Table::Secrets, b"k", b"new").unwrap();
    assert!(matches!(new.commit(), Ok(Commit::Applied)));
}

fn keys(snapshot: &dyn Snapshot) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    let scanned = snapshot.scan(Range::all(Table::Secrets), &mut |key, _| {
        keys.push(key.to_vec());
        std::ops::ControlFlow::Continue(())
    });
    scanned.unwrap();
    keys
}

/// The tables of records, by the server.
fn tables(server: &Server) -> usize {
    let count = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'records_%'";
    server.sql(count).parse().unwrap()
}

/// Whether the files of the tables have these bytes.
fn has(directory: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(directory).unwrap().flatten().any(|entry| {
        let path = entry.path();
        match path.is_dir() {
            true => has(&path, bytes),
            false => {
                let content = fs::read(path).unwrap();
                content.windows(bytes.len()).any(|it| it == bytes)
            }
        }
    })
}

#[test]
fn the_files_of_the_tables_keep_nothing_of_the_old_state() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let backend = backend(&address(&[server.port()], SCHEMA));
    put(&backend, b"k", OLD);
    put(&backend, b"large", &OLD.repeat(10_000));
    let tables_of = server.directory().join("data/base");
    server.sql("CHECKPOINT");
    assert!(has(&tables_of, OLD), "the search finds what is there");
    // A deleted record stays in its page until the server needs the space.
    let mut transaction = backend.write().unwrap();
    transaction.delete(Table::Secrets, b"large").unwrap();
    assert!(matches!(transaction.commit(), Ok(Commit::Applied)));
    server.sql("CHECKPOINT");
    assert!(has(&tables_of, OLD));
    replace(&backend);
    server.sql("CHECKPOINT");
    assert!(!has(&tables_of, OLD));
    backend.check().unwrap();

    // Nor of what was kept of another next state.
    let Replacement { old, mut new } = backend.replace().unwrap();
    new.put(Table::Secrets, b"k", OLD).unwrap();
    new.keep().unwrap();
    drop((old, new));
    server.sql("CHECKPOINT");
    assert!(has(&tables_of, OLD));
    let Replacement { old, mut new } = backend.replace().unwrap();
    drop(old);
    new.clear().unwrap();
    new.put(Table::Secrets, b"l", b"new").unwrap();
    assert!(matches!(new.commit(), Ok(Commit::Applied)));
    server.sql("CHECKPOINT");
    assert!(!has(&tables_of, OLD));
    assert_eq!(tables(&server), 1);
}

#[test]
fn a_table_that_is_still_read_is_dropped_by_a_later_commit() {
    let Some(server) = Server::start(&["fsync=off"]) else {
        return;
    };
    let backend = backend(&address(&[server.port()], SCHEMA));
    put(&backend, b"k", OLD);
    let before = backend.read().unwrap().unwrap();
    assert_eq!(keys(&*before), [b"k"]);
    replace(&backend);
    replace(&backend);
    assert_eq!(tables(&server), 2);
    assert_eq!(before.get(Table::Secrets, b"k").unwrap().unwrap(), OLD);
    drop(before);
    put(&backend, b"l", b"later");
    assert_eq!(tables(&server), 1);
    assert_eq!(server.sql("SELECT dropped FROM mcplexer.head"), "{}");
}

#[test]
fn a_replacement_that_is_not_committed_leaves_no_table() {
    let Some(server) = Server::start(&["fsync=off"]) else {
        return;
    };
    let backend = backend(&address(&[server.port()], SCHEMA));
    put(&backend, b"k", OLD);
    let Replacement { old, mut new } = backend.replace().unwrap();
    let record = vec![0; 1 << 20];
    for number in 0..10_u8 {
        // More than is collected: it is on the server.
        new.put(Table::Secrets, &[number], &record).unwrap();
    }
    assert_eq!(new.get(Table::Secrets, &[0]).unwrap().unwrap(), record);
    drop((old, new));
    put(&backend, b"l", b"later");
    assert_eq!(tables(&server), 1);
}

/// Puts a record, keeps what there is, and puts one that is lost.
fn begin(backend: &dyn Backend, key: &[u8]) {
    let Replacement { old, mut new } = backend.replace().unwrap();
    new.put(Table::Secrets, key, b"kept").unwrap();
    new.keep().unwrap();
    new.put(Table::Secrets, b"lost", b"lost").unwrap();
    drop((old, new));
}

#[test]
fn what_a_replacement_has_kept_is_dropped_with_the_next_commit() {
    let Some(server) = Server::start(&["fsync=off"]) else {
        return;
    };
    let place = address(&[server.port()], SCHEMA);
    let backend = backend(&place);
    put(&backend, b"k", OLD);
    begin(&backend, b"one");
    begin(&backend, b"two");
    assert_eq!(tables(&server), 2);
    assert_ne!(server.sql("SELECT beginning FROM mcplexer.head"), "");
    // Nobody needs to know of it to discard it.
    put(&PostgresBackend::new(place).unwrap(), b"l", b"later");
    assert_eq!(tables(&server), 1);
    let head = "SELECT beginning IS NULL AND dropped = '{}' FROM mcplexer.head";
    assert_eq!(server.sql(head), "t");

    begin(&backend, b"three");
    let Replacement { old, new } = backend.replace().unwrap();
    drop(old);
    assert_eq!(new.get(Table::Secrets, b"three").unwrap().unwrap(), b"kept");
    assert_eq!(new.get(Table::Secrets, b"two").unwrap(), None);
    assert!(matches!(new.commit(), Ok(Commit::Applied)));
    assert_eq!(tables(&server), 1);
    assert_eq!(server.sql(head), "t");
}

/// Another handle does not know that the table of records is another one.
#[test]
fn a_handle_finds_the_state_that_another_one_has_made() {
    let Some(server) = Server::start(&["fsync=off"]) else {
        return;
    };
    let (one, two) = (
        backend(&address(&[server.port()], SCHEMA)),
        backend(&address(&[server.port()], SCHEMA)),
    );
    put(&one, b"k", OLD);
    assert_eq!(
        two.read()
            .unwrap()
            .unwrap()
            .get(Table::Secrets, b"k")
            .unwrap()
            .unwrap(),
        OLD
    );
    replace(&one);
    let snapshot = two.read().unwrap().unwrap();
    assert_eq!(snapshot.get(Table::Secrets, b"k").unwrap().unwrap(), b"new");
    assert_eq!(keys(&*snapshot), [b"k"]);
    replace(&one);
    // It has begun a transaction before.
    assert_eq!(snapshot.get(Table::Secrets, b"k").unwrap().unwrap(), b"new");
    drop(snapshot);
    put(&two, b"l", b"record");
    assert_eq!(keys(&*one.read().unwrap().unwrap()), [b"k", b"l"]);
}
