//! What a store leaves in etcd: nothing that was deleted, and nothing that was not committed.

use std::error::Error;
use std::process::Command;
use std::time::{Duration, Instant};

use mcplexer_etcd::EtcdBackend;
use mcplexer_secrets::backend::{
    Backend, Commit, CommitId, Range, Replacement, Snapshot, Table, Transaction,
};
use test_support::Running;

use crate::cluster::{Cluster, Setup};

/// Longer than a record that fits into a commit.
const LONG: usize = 2 << 20;

fn apply(transaction: Box<dyn Transaction + '_>) {
    assert!(matches!(transaction.commit().unwrap(), Commit::Applied));
}

fn put(backend: &dyn Backend, key: &[u8], record: &[u8]) {
    let mut transaction = backend.write().unwrap();
    transaction.put(Table::Secrets, key, record).unwrap();
    apply(transaction);
}

fn delete(backend: &dyn Backend, key: &[u8]) {
    let mut transaction = backend.write().unwrap();
    transaction.delete(Table::Secrets, key).unwrap();
    apply(transaction);
}

fn get(snapshot: &dyn Snapshot, key: &[u8]) -> Option<Vec<u8>> {
    snapshot.get(Table::Secrets, key).unwrap()
}

/// Makes commits that are open a conflict.
fn fence(backend: &EtcdBackend) {
    let never = CommitId::new([[0; 8].as_slice(), &[0; 4], &[0; 8]].concat());
    // It is not known, but the head is written.
    assert!(backend.settle(&never).is_err());
}

impl Cluster {
    /// The keys of a store in one of its parts.
    fn keys(&self, prefix: &str, part: &str) -> Vec<String> {
        let under = format!("{prefix}/{part}/");
        let keys = self.control(&["get", "--prefix", "--keys-only", &under]);
        let keys = keys.unwrap();
        let keys = keys.lines().filter(|it| !it.is_empty());
        keys.map(str::to_owned).collect()
    }

    fn revision(&self) -> String {
        let fields = self
            .control(&["get", "none", "--write-out=fields"])
            .unwrap();
        let revision = fields
            .lines()
            .find_map(|it| it.strip_prefix("\"Revision\" : "));
        revision.unwrap().to_owned()
    }

    /// Reads everything of a store at an earlier revision.
    fn read_at(&self, prefix: &str, revision: &str) -> Result<String, String> {
        self.control(&["get", "--prefix", prefix, "--rev", revision])
    }

    fn is_discarded(&self, prefix: &str, revision: &str) -> bool {
        let read = self.read_at(prefix, revision);
        read.is_err_and(|it| it.contains("compacted"))
    }
}

#[test]
fn what_was_deleted_is_not_in_the_history() {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let prefix = cluster.new_prefix();
    let backend = cluster.open(&prefix);
    put(&backend, b"k", b"sealed");
    let before = cluster.revision();
    delete(&backend, b"k");
    drop(backend);
    assert!(cluster.is_discarded(&prefix, &before));

    // A handle that ended before it could discard leaves that to the next writer.
    let (backend, other) = (cluster.open(&prefix), cluster.open(&prefix));
    put(&backend, b"k", b"sealed");
    let before = cluster.revision();
    let reader = backend.read().unwrap().unwrap();
    delete(&backend, b"k");
    assert_eq!(get(&*reader, b"k").as_deref(), Some(b"sealed".as_slice()));
    assert!(!cluster.is_discarded(&prefix, &before));
    put(&other, b"l", b"sealed");
    drop(other);
    assert!(cluster.is_discarded(&prefix, &before));
}

#[test]
fn what_was_replaced_is_not_in_the_history() {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let prefix = cluster.new_prefix();
    let backend = cluster.open(&prefix);
    put(&backend, b"k", &vec![1; LONG]);
    let before = cluster.revision();
    let Replacement { old, mut new } = backend.replace().unwrap();
    drop(old);
    new.put(Table::Secrets, b"l", &vec![2; LONG]).unwrap();
    apply(new);
    assert!(cluster.is_discarded(&prefix, &before));
    assert_eq!(cluster.keys(&prefix, "data").len(), 1);
    assert_eq!(
        cluster.keys(&prefix, "long").len(),
        LONG.div_ceil(512 << 10)
    );
    assert!(cluster.keys(&prefix, "next").is_empty());
    let now = backend.read().unwrap().unwrap();
    assert_eq!(get(&*now, b"l"), Some(vec![2; LONG]));
}

#[test]
fn a_replacement_may_be_larger_than_any_commit() {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let backend = cluster.open(&cluster.new_prefix());
    put(&backend, b"k", b"sealed");
    let Replacement { old, mut new } = backend.replace().unwrap();
    drop(old);
    let key = |number: u32| format!("{number:05}").into_bytes();
    for number in 0..5000 {
        new.put(Table::Secrets, &key(number), &[7; 500]).unwrap();
    }
    new.delete_prefix(Table::Secrets, b"00").unwrap();
    new.put(Table::Secrets, b"00000", b"later").unwrap();
    assert_eq!(get(&*new, b"00000").as_deref(), Some(b"later".as_slice()));
    apply(new);
    let mut keys = Vec::new();
    let now = backend.read().unwrap().unwrap();
    let scanned = now.scan(Range::all(Table::Secrets), &mut |key, _| {
        keys.push(key.to_vec());
        std::ops::ControlFlow::Continue(())
    });
    scanned.unwrap();
    let expected: Vec<_> = std::iter::once(0).chain(1000..5000).map(key).collect();
    assert_eq!(keys, expected);
    backend.check().unwrap();
}

#[test]
fn a_commit_may_be_as_large_as_the_limits_say() {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let prefix = cluster.new_prefix();
    let backend = cluster.open(&prefix);
    let limits = backend.limits();
    let (count, bytes) = (limits.operations.unwrap() - 1, limits.bytes.unwrap());
    // As long as the names of a scope and of a secret may be.
    let key = |number: usize| format!("{number:0200}").into_bytes();
    for (deletes, fill) in [(false, 1), (false, 2), (true, 3)] {
        let record = vec![fill; bytes / count - 200];
        let mut transaction = backend.write().unwrap();
        if deletes {
            transaction.delete_prefix(Table::Secrets, b"0").unwrap();
        }
        for number in 0..count {
            transaction
                .put(Table::Secrets, &key(number), &record)
                .unwrap();
        }
        apply(transaction);
        let now = backend.read().unwrap().unwrap();
        for number in [0, count / 2, count - 1] {
            assert!(get(&*now, &key(number)) == Some(record.clone()));
        }
        let pieces = cluster.keys(&prefix, "long").len();
        assert!((1..=count).contains(&pieces), "{pieces}");
    }
}

#[test]
fn a_replacement_that_is_not_committed_leaves_nothing() {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let prefix = cluster.new_prefix();
    let backend = cluster.open(&prefix);
    put(&backend, b"k", b"sealed");
    let Replacement { old, mut new } = backend.replace().unwrap();
    new.put(Table::Secrets, b"l", &vec![2; LONG]).unwrap();
    assert_eq!(cluster.keys(&prefix, "next").len(), 1);
    assert_eq!(cluster.keys(&prefix, "data").len(), 2);
    drop((old, new));
    // After it, since one handle has one writer.
    drop(backend.write().unwrap());
    drop(backend);
    assert_eq!(cluster.keys(&prefix, "data").len(), 1);
    for part in ["next", "long", "lock"] {
        assert!(cluster.keys(&prefix, part).is_empty(), "{part}");
    }

    // One whose program has ended is discarded by the next writer.
    let other = "00000000000000aa";
    for key in ["next", "data", "long"] {
        let rest = if key == "next" { "" } else { "/2/x" };
        let key = format!("{prefix}/{key}/{other}{rest}");
        cluster.control(&["put", &key, "left"]).unwrap();
    }
    let backend = cluster.open(&prefix);
    put(&backend, b"m", b"sealed");
    assert_eq!(cluster.keys(&prefix, "data").len(), 2);
    for part in ["next", "long", "lock"] {
        assert!(cluster.keys(&prefix, part).is_empty(), "{part}");
    }
}

/// As by a request that a node carries out late, when the replacement was committed.
#[test]
fn what_a_replacement_has_kept_goes_with_the_state_that_it_replaces() {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let prefix = cluster.new_prefix();
    let backend = cluster.open(&prefix);
    put(&backend, b"k", b"record");
    let begin = |key: &[u8]| {
        let Replacement { old, mut new } = backend.replace().unwrap();
        drop(old);
        new.put(Table::Secrets, key, &vec![1; LONG]).unwrap();
        new.keep().unwrap();
        new
    };
    drop(begin(b"l"));
    drop(begin(b"m"));
    let other = cluster.open(&prefix);
    let Replacement { old, new } = other.replace().unwrap();
    for key in [b"l", b"m"] {
        assert_eq!(get(&*new, key).map(|it| it.len()), Some(LONG));
    }
    drop((old, new));
    assert_eq!(cluster.keys(&prefix, "next").len(), 1);
    // The first one makes it useless, and the second one discards it.
    put(&other, b"n", b"record");
    put(&other, b"o", b"record");
    assert!(cluster.keys(&prefix, "next").is_empty());
    assert_eq!(cluster.keys(&prefix, "data").len(), 3);
    assert!(cluster.keys(&prefix, "long").is_empty());

    // What was written after it was kept cannot be told from it.
    let mut new = begin(b"l");
    new.put(Table::Secrets, b"m", &vec![1; LONG]).unwrap();
    drop(new);
    let Replacement { old, new } = other.replace().unwrap();
    assert_eq!((get(&*new, b"l"), get(&*new, b"m")), (None, None));
    drop((old, new));
    drop((backend, other));
    assert!(cluster.keys(&prefix, "next").is_empty());
    assert_eq!(cluster.keys(&prefix, "data").len(), 3);
}

#[test]
fn the_current_state_is_not_discarded_as_a_replacement() {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let prefix = cluster.new_prefix();
    let backend = cluster.open(&prefix);
    put(&backend, b"k", b"sealed");
    let data = cluster.keys(&prefix, "data").pop().unwrap();
    let epoch = data.split('/').nth(2).unwrap();
    let marker = format!("{prefix}/next/{epoch}");
    cluster.control(&["put", &marker, "late"]).unwrap();
    put(&backend, b"l", b"sealed");
    let now = backend.read().unwrap().unwrap();
    assert_eq!(get(&*now, b"k").as_deref(), Some(b"sealed".as_slice()));
}

#[test]
fn a_replacement_that_another_writer_discarded_is_a_conflict() {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let prefix = cluster.new_prefix();
    let backend = cluster.open(&prefix);
    put(&backend, b"k", b"sealed");
    let Replacement { old, mut new } = backend.replace().unwrap();
    drop(old);
    new.put(Table::Secrets, b"l", b"sealed").unwrap();
    let marker = cluster.keys(&prefix, "next").pop().unwrap();
    cluster.control(&["del", &marker]).unwrap();
    assert!(matches!(new.commit().unwrap(), Commit::Conflict));
    let now = backend.read().unwrap().unwrap();
    assert_eq!(get(&*now, b"k").as_deref(), Some(b"sealed".as_slice()));
}

#[test]
fn a_long_record_takes_its_pieces_with_it() {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let prefix = cluster.new_prefix();
    let backend = cluster.open(&prefix);
    let pieces = || cluster.keys(&prefix, "long").len();
    put(&backend, b"a", &vec![1; LONG]);
    put(&backend, b"a\0b", &vec![2; LONG]);
    let of_two = pieces();
    put(&backend, b"a", &vec![3; LONG]);
    assert_eq!(pieces(), of_two, "the pieces of before are gone");
    put(&backend, b"a", b"short");
    assert_eq!(pieces(), of_two / 2);
    let now = backend.read().unwrap().unwrap();
    assert_eq!(get(&*now, b"a").as_deref(), Some(b"short".as_slice()));
    assert_eq!(get(&*now, b"a\0b"), Some(vec![2; LONG]));
    drop(now);
    let mut transaction = backend.write().unwrap();
    transaction.delete_prefix(Table::Secrets, b"a\0").unwrap();
    transaction
        .put(Table::Secrets, b"a\0c", &vec![4; LONG])
        .unwrap();
    apply(transaction);
    assert_eq!(pieces(), of_two / 2);
    delete(&backend, b"a\0c");
    assert_eq!(pieces(), 0);
}

#[test]
fn pieces_stay_without_a_lease_and_go_with_a_conflict() {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let prefix = cluster.new_prefix();
    let (backend, other) = (cluster.open(&prefix), cluster.open(&prefix));
    put(&backend, b"a", &vec![1; LONG]);
    let key = format!("{prefix}/long/");
    let fields = cluster.control(&["get", "--prefix", &key, "--write-out=fields"]);
    let leases: Vec<_> = fields
        .unwrap()
        .lines()
        .filter(|it| it.starts_with("\"Lease\""))
        .map(str::to_owned)
        .collect();
    assert!(!leases.is_empty());
    assert!(leases.iter().all(|it| it == "\"Lease\" : 0"), "{leases:?}");

    let before = cluster.keys(&prefix, "long").len();
    let mut transaction = backend.write().unwrap();
    transaction
        .put(Table::Secrets, b"b", &vec![2; LONG])
        .unwrap();
    fence(&other);
    assert!(matches!(transaction.commit().unwrap(), Commit::Conflict));
    assert_eq!(cluster.keys(&prefix, "long").len(), before);
}

#[test]
fn a_full_cluster_refuses_a_commit_and_is_reported() {
    let setup = Setup {
        scheme: "http",
        arguments: vec!["--quota-backend-bytes=4000000".into()],
        control: Vec::new(),
    };
    let Some(cluster) = Cluster::start_as(1, &setup) else {
        return;
    };
    let backend = cluster.open(&cluster.new_prefix());
    backend.check().unwrap();
    let mut number = 0_u32;
    let error = loop {
        let mut transaction = match backend.write() {
            Ok(transaction) => transaction,
            // Nor may a writer queue then.
            Err(error) => break error,
        };
        let key = number.to_be_bytes();
        transaction
            .put(Table::Secrets, &key, &[7; 400 << 10])
            .unwrap();
        match transaction.commit() {
            Ok(Commit::Applied) => number += 1,
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    let reason = error.source().unwrap().to_string();
    assert!(reason.contains("space exceeded"), "{reason}");
    let now = backend.read().unwrap().unwrap();
    assert!(get(&*now, &number.to_be_bytes()).is_none());
    let last = get(&*now, &(number - 1).to_be_bytes());
    assert_eq!(last, Some(vec![7; 400 << 10]));
    let reported = backend.check().unwrap_err().to_string();
    assert!(reported.to_lowercase().contains("nospace"), "{reported}");
}

/// Says to a child of this test where it is to write.
const PLACE: &str = "MCPLEXER_TEST_PLACE";

#[test]
#[ignore = "waits for a lease"]
fn pieces_of_a_writer_that_was_killed_go_with_their_lease() {
    if let Ok(place) = std::env::var(PLACE) {
        let backend = EtcdBackend::new(place.parse().unwrap(), None).unwrap();
        let mut transaction = backend.write().unwrap();
        for key in 0..6_u8 {
            transaction
                .put(Table::Secrets, &[key], &vec![1; LONG])
                .unwrap();
        }
        let _killed = transaction.commit();
        return;
    }
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let prefix = loop {
        let prefix = cluster.new_prefix();
        let place = format!("etcd://{}/{prefix}?tls=off", cluster.endpoints());
        let name = "traces::pieces_of_a_writer_that_was_killed_go_with_their_lease";
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", name, "--ignored"])
            .env(PLACE, place);
        let child = Running::start(&mut command).unwrap();
        while cluster.keys(&prefix, "long").is_empty() {}
        drop(child);
        // It may have been too fast.
        let is_committed = !cluster
            .control(&["get", &format!("{prefix}/head")])
            .unwrap()
            .is_empty();
        if !is_committed {
            break prefix;
        }
    };
    assert!(!cluster.keys(&prefix, "long").is_empty());
    let until = Instant::now() + Duration::from_secs(120);
    while !(cluster.keys(&prefix, "long").is_empty() && cluster.keys(&prefix, "lock").is_empty()) {
        assert!(Instant::now() < until, "pieces stay");
    }
    // And the next writer need not wait.
    put(&cluster.open(&prefix), b"k", b"sealed");
}
