//! Answers that are lost on the way.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::thread;

use mcplexer_etcd::EtcdBackend;
use mcplexer_secrets::backend::{Backend, BackendErrorKind, Commit, CommitId, Replacement, Table};

use crate::cluster::Cluster;

const ANSWERS: u8 = 1;
const REQUESTS: u8 = 2;

/// Stands between a backend and etcd, and swallows what goes through the connections of now.
struct Proxy {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    connections: AtomicUsize,
    /// Connections with a smaller number swallow.
    swallowing: AtomicUsize,
    what: AtomicU8,
}

impl Proxy {
    fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(("127.0.0.1", to)));
                let server = server.unwrap();
                let number = shared.connections.fetch_add(1, Ordering::SeqCst);
                for (from, to, part) in [(&client, &server, REQUESTS), (&server, &client, ANSWERS)]
                {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let state = Arc::clone(&shared);
                    thread::spawn(move || pass(from, to, &state, number, part));
                }
            }
        });
        Self { port, state }
    }

    /// Swallows requests or answers of the connections that there are.
    fn swallow(&self, what: u8) {
        self.state.what.store(what, Ordering::SeqCst);
        let connections = self.state.connections.load(Ordering::SeqCst);
        self.state.swallowing.store(connections, Ordering::SeqCst);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, state: &State, number: usize, part: u8) {
    let mut bytes = [0; 16 << 10];
    while let Ok(read) = from.read(&mut bytes) {
        let swallows = number < state.swallowing.load(Ordering::SeqCst)
            && state.what.load(Ordering::SeqCst) == part;
        if read == 0 || (!swallows && to.write_all(&bytes[..read]).is_err()) {
            break;
        }
    }
    let _closed = to.shutdown(Shutdown::Both);
}

fn put(backend: &dyn Backend, key: &[u8]) {
    let mut transaction = backend.write().unwrap();
    transaction.put(Table::Secrets, key, b"record").unwrap();
    assert!(matches!(transaction.commit().unwrap(), Commit::Applied));
}

fn settled_after(what: u8, keys_before: &[&[u8]], is_applied: bool) {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let proxy = Proxy::start(cluster.port(0));
    let prefix = cluster.new_prefix();
    let address = format!("etcd://127.0.0.1:{}/{prefix}?tls=off", proxy.port);
    let backend = EtcdBackend::new(address.parse().unwrap(), None).unwrap();
    for key in keys_before {
        put(&backend, key);
    }
    let mut transaction = backend.write().unwrap();
    transaction.put(Table::Secrets, b"k", b"record").unwrap();
    proxy.swallow(what);
    let Commit::Unknown(id, error) = transaction.commit().unwrap() else {
        panic!("there was no answer");
    };
    assert_eq!(error.kind(), BackendErrorKind::Unreachable);
    assert_eq!(backend.settle(&id).unwrap(), is_applied);
    assert_eq!(backend.settle(&id).unwrap(), is_applied, "and it stays so");
    let snapshot = backend.read().unwrap();
    assert_eq!(snapshot.is_some(), is_applied || !keys_before.is_empty());
    let record = snapshot.and_then(|it| it.get(Table::Secrets, b"k").unwrap());
    assert_eq!(record.is_some(), is_applied);
    // Others go on, and this one too.
    put(&cluster.open(&prefix), b"l");
    put(&backend, b"l");
}

#[test]
fn a_commit_whose_answer_was_lost_was_applied() {
    settled_after(ANSWERS, &[b"a"], true);
}

#[test]
fn a_commit_whose_request_was_lost_is_never_applied() {
    settled_after(REQUESTS, &[b"a"], false);
}

#[test]
fn a_first_commit_is_settled_like_any_other() {
    settled_after(ANSWERS, &[], true);
}

/// Nor is it discarded as one that was given up.
#[test]
fn a_replacement_whose_answer_was_lost_was_committed() {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let proxy = Proxy::start(cluster.port(0));
    let prefix = cluster.new_prefix();
    let address = format!("etcd://127.0.0.1:{}/{prefix}?tls=off", proxy.port);
    let backend = EtcdBackend::new(address.parse().unwrap(), None).unwrap();
    put(&backend, b"a");
    let Replacement { old, mut new } = backend.replace().unwrap();
    drop(old);
    // A multiple of what is written at once, so that nothing is left but the commit.
    for number in 0..2000_u32 {
        let key = number.to_be_bytes();
        new.put(Table::Secrets, &key, b"record").unwrap();
    }
    proxy.swallow(ANSWERS);
    let Commit::Unknown(id, _) = new.commit().unwrap() else {
        panic!("there was no answer");
    };
    assert!(backend.settle(&id).unwrap());
    put(&backend, b"z");
    let now = cluster.open(&prefix);
    let now = now.read().unwrap().unwrap();
    assert!(now.get(Table::Secrets, b"a").unwrap().is_none());
    for number in [0, 1000, 1999_u32] {
        let record = now.get(Table::Secrets, &number.to_be_bytes()).unwrap();
        assert!(record.is_some(), "{number}");
    }
}

/// After seconds without an answer, the leases of a handle have to be renewed, and may have ended.
#[test]
fn a_writer_whose_leases_ended_gets_others() {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let proxy = Proxy::start(cluster.port(0));
    let prefix = cluster.new_prefix();
    let address = format!("etcd://127.0.0.1:{}/{prefix}?tls=off", proxy.port);
    let backend = EtcdBackend::new(address.parse().unwrap(), None).unwrap();
    put(&backend, b"a");
    cluster.revoke_leases();
    put(&backend, b"b");
    let mut transaction = backend.write().unwrap();
    transaction.put(Table::Secrets, b"c", b"record").unwrap();
    proxy.swallow(REQUESTS);
    assert!(matches!(transaction.commit().unwrap(), Commit::Unknown(..)));
    cluster.revoke_leases();
    put(&backend, b"d");
}

/// A commit that is still on its way when it is settled.
#[test]
fn a_commit_that_comes_after_it_was_settled_is_a_conflict() {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let prefix = cluster.new_prefix();
    let (one, two) = (cluster.open(&prefix), cluster.open(&prefix));
    for is_first in [true, false] {
        let mut late = one.write().unwrap();
        assert_eq!(late.is_first(), is_first);
        late.put(Table::Secrets, b"k", b"record").unwrap();
        // Of a lease that is there still, and a number that nobody put.
        let lease = cluster.control(&["lease", "grant", "600"]).unwrap();
        let lease = lease.split_whitespace().nth(1).unwrap();
        let lease = i64::from_str_radix(lease, 16).unwrap();
        let id = [&lease.to_be_bytes()[..], &[0; 4], &[0; 8]].concat();
        let id = CommitId::new(id);
        assert!(!two.settle(&id).unwrap());
        assert!(matches!(late.commit().unwrap(), Commit::Conflict));
        assert_eq!(two.read().unwrap().is_none(), is_first);
        let mut next = two.write().unwrap();
        assert_eq!(next.is_first(), is_first);
        next.put(Table::Secrets, b"l", b"record").unwrap();
        assert!(matches!(next.commit().unwrap(), Commit::Applied));
    }
}
