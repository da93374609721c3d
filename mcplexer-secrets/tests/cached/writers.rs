//! Colleagues write while this machine reads.

use std::sync::Arc;

use mcplexer_secrets::backend::{Backend, Table};

use crate::away::{Machine, Network, Server, all, away};
use crate::two;

const NAMES: [&str; 6] = ["A", "B", "C", "D", "E", "F"];

/// A machine that changes the store, and another one that has read all of it, one by one.
fn used() -> (Arc<Server>, Machine, Machine) {
    let (server, one, other) = two();
    for name in NAMES {
        one.put(name, "old").unwrap();
        assert_eq!(other.get(name).unwrap(), "old");
    }
    (server, one, other)
}

/// Reads the header alone, as what sees that a state is another one.
fn look(machine: &Machine) {
    let backend = machine.backend();
    let snapshot = backend.read().unwrap().unwrap();
    assert!(snapshot.get(Table::Meta, b"header").unwrap().is_some());
}

#[test]
fn what_could_not_be_read_again_is_read_by_the_next_read() {
    let (server, one, other) = used();
    assert_eq!(all(&other.store()).unwrap().len(), NAMES.len());
    one.put("A", "new").unwrap();
    // The header is read, and the rest is not.
    server.is_overtaken_every(2);
    look(&other);
    server.is(Network::Refuses);
    for name in NAMES {
        away(other.get(name));
    }
    server.is(Network::Works);
    server.is_overtaken_every(0);
    look(&other);
    server.is(Network::Refuses);
    assert_eq!(all(&other.store()).unwrap().len(), NAMES.len());
    assert_eq!(other.get("A").unwrap(), "new");
}

#[test]
fn reads_among_many_changes_lose_nothing() {
    for every in 2..5 {
        let (server, one, other) = used();
        for round in 1..10 {
            one.put("A", &round.to_string()).unwrap();
            // Of what one read asks, the first is always answered.
            let is_overtaken = round % every == 0;
            server.is_overtaken_every(if is_overtaken { 2 } else { 0 });
            look(&other);
            server.is_overtaken_every(0);
        }
        look(&other);
        server.is(Network::Refuses);
        assert_eq!(other.get("A").unwrap(), "9");
        for name in &NAMES[1..] {
            assert_eq!(other.get(name).unwrap(), "old", "{name}, {every}");
        }
    }
}

/// The change finds a state that the copy is not of. It does not read again what the copy has.
#[test]
fn a_change_of_a_state_that_was_not_read_loses_nothing() {
    let (server, one, other) = used();
    assert_eq!(all(&other.store()).unwrap().len(), NAMES.len());
    one.put("A", "new").unwrap();
    let backend = other.backend();
    let mut change = backend.write().unwrap();
    let header = change.get(Table::Meta, b"header").unwrap().unwrap();
    change.put(Table::Meta, b"header", &header).unwrap();
    let _applied = change.commit().unwrap();
    look(&other);
    server.is(Network::Refuses);
    assert_eq!(all(&other.store()).unwrap().len(), NAMES.len());
    assert_eq!(other.get("A").unwrap(), "new");
    assert_eq!(other.get("F").unwrap(), "old");
}
