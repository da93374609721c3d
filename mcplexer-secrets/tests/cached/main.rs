//! A copy of what was read answers while the server cannot be reached.

#![cfg(test)]

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mcplexer_secrets::backend::{Backend, Range, Table};
use mcplexer_secrets::{Error, Progress, RotateIdentity, SecretStore};

mod away;
mod file;
mod writers;

use self::away::{Machine, Network, Server, all, away, get, put};

const VALUE: &str = "m4rked-value";

/// A machine that has put `A` and `B`, and another one that has read `A`.
fn two() -> (Arc<Server>, Machine, Machine) {
    let server = Server::new();
    let one = Machine::of(&server);
    one.put("A", VALUE).unwrap();
    one.put("B", "b").unwrap();
    let other = one.another();
    assert_eq!(other.get("A").unwrap(), VALUE);
    (server, one, other)
}

#[test]
fn what_was_read_is_there_while_the_server_is_not() {
    let (server, _, other) = two();
    for network in [Network::Refuses, Network::Breaks] {
        server.is(network);
        let store = other.store();
        assert!(store.copied().is_none());
        assert_eq!(get(&store, "A").unwrap(), VALUE);
        let copied = store.copied().unwrap();
        assert!(copied.why.to_string().contains("cannot be reached"));
        // The same process goes back to the server.
        server.is(Network::Works);
        assert_eq!(get(&store, "B").unwrap(), "b");
        assert!(store.copied().is_none());
    }
}

#[test]
fn what_was_not_read_is_the_error_of_the_server() {
    let (server, _, other) = two();
    let c = other.get("C");
    assert!(matches!(c, Err(Error::SecretNotFound { .. })));
    server.is(Network::Refuses);
    let said = away(other.get("B"));
    let expected = "cannot read the store on db: the server cannot be reached, and the copy of it here does \
                    not have this";
    assert_eq!(said, expected);
    // It was read that this one is not there.
    let c = other.get("C");
    assert!(matches!(c, Err(Error::SecretNotFound { .. })));
    // A whole table is not kept, nor a scope of which only one secret was read.
    away(other.store().scopes());
    away(all(&other.store()));
    away(other.put("A", "new"));
    away(other.store().compact());
    let new = Machine::of(&server);
    assert!(
        mcplexer_secrets::Store::with_backend(
            new.backend(),
            mcplexer_secrets::keys::FixedKeys::generate()
        )
        .is_err()
    );
    server.is(Network::Works);
    assert_eq!(other.get("A").unwrap(), VALUE, "nothing was changed");
}

#[test]
fn a_whole_scope_is_there_after_a_colleague_has_changed_it() {
    let (server, one, other) = two();
    assert_eq!(all(&other.store()).unwrap().len(), 2);
    one.put("C", "c").unwrap();
    one.put("A", "new").unwrap();
    one.store()
        .delete(&"web".parse().unwrap(), &"B".parse().unwrap())
        .unwrap();
    // Any read sees the new state, and reads again what the copy has.
    assert!(other.store().list(&"web".parse().unwrap()).is_ok());
    server.is(Network::Refuses);
    let pairs = [("A", "new"), ("C", "c")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(all(&other.store()).unwrap(), pairs);
    assert_eq!(other.get("A").unwrap(), "new");
    let b = other.get("B");
    assert!(matches!(b, Err(Error::SecretNotFound { .. })));
}

#[test]
fn the_first_read_of_another_state_renews_the_whole_copy() {
    let (server, one, other) = two();
    assert_eq!(all(&other.store()).unwrap().len(), 2);
    one.put("A", "new").unwrap();
    one.put("C", "c").unwrap();
    assert_eq!(other.get("B").unwrap(), "b");
    server.is(Network::Refuses);
    assert_eq!(other.get("A").unwrap(), "new");
    assert_eq!(all(&other.store()).unwrap().len(), 3);
}

#[test]
fn a_change_of_this_machine_is_in_the_copy() {
    let (server, one, _) = two();
    assert_eq!(all(&one.store()).unwrap().len(), 2);
    one.put("A", "new").unwrap();
    one.put("C", "c").unwrap();
    one.store()
        .delete(&"web".parse().unwrap(), &"B".parse().unwrap())
        .unwrap();
    server.is(Network::Refuses);
    let pairs = [("A", "new"), ("C", "c")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(all(&one.store()).unwrap(), pairs);
    server.is(Network::Works);
    one.store().delete_scope(&"web".parse().unwrap()).unwrap();
    server.is(Network::Refuses);
    assert!(matches!(one.get("A"), Err(Error::ScopeNotFound { .. })));
}

#[test]
fn a_change_whose_answer_was_lost_is_not_undone_by_the_copy() {
    let (server, one, _) = two();
    assert_eq!(one.get("A").unwrap(), VALUE);
    server.is(Network::LosesCommits);
    one.put("A", "new").unwrap();
    server.is(Network::Refuses);
    assert!(!one.copy().exists());
    server.is(Network::Works);
    assert_eq!(one.get("A").unwrap(), "new");
    server.is(Network::Refuses);
    assert_eq!(one.get("A").unwrap(), "new");
}

#[test]
fn a_copy_that_this_machine_knows_to_be_old_is_not_used_and_nobody_is_blamed() {
    let (server, one, other) = two();
    let old = fs::read(other.copy()).unwrap();
    one.put("A", "new").unwrap();
    assert_eq!(other.get("A").unwrap(), "new");
    fs::write(other.copy(), &old).unwrap();
    server.is(Network::Refuses);
    let said = away(other.get("A"));
    assert!(
        said.contains("older than what this machine has seen"),
        "{said}"
    );
    // After a change of its own it is the same.
    let old = fs::read(one.copy()).unwrap();
    server.is(Network::Works);
    one.put("A", "newer").unwrap();
    one.get("A").unwrap();
    fs::write(one.copy(), old).unwrap();
    server.is(Network::Refuses);
    away(one.get("A"));
    server.is(Network::Works);
    assert_eq!(one.get("A").unwrap(), "newer");
    assert_eq!(other.get("A").unwrap(), "newer");
}

#[test]
fn what_is_encrypted_again_is_not_read_from_the_copy_of_before() {
    let (server, one, other) = two();
    assert_eq!(one.get("A").unwrap(), VALUE);
    one.store().compact().unwrap();
    server.is(Network::Refuses);
    assert_eq!(one.get("A").unwrap(), VALUE, "compacting is no change");
    server.is(Network::Works);
    let (keep, mut unseen) = (RotateIdentity::Keep, |_: Progress| {});
    one.store().rotate(keep, &mut unseen).unwrap();
    server.is(Network::Refuses);
    away(one.get("A"));
    // Another machine does not know of it yet.
    assert_eq!(other.get("A").unwrap(), VALUE);
    server.is(Network::Works);
    for machine in [&one, &other] {
        assert_eq!(machine.get("A").unwrap(), VALUE);
    }
    server.is(Network::Refuses);
    for machine in [&one, &other] {
        assert_eq!(machine.get("A").unwrap(), VALUE);
    }
}

/// What one process has read does not bring the copy of another one back to an earlier state.
#[test]
fn an_earlier_state_does_not_replace_a_later_one() {
    let (server, one, _) = two();
    let backend = one.backend();
    for begin in ["with a copy", "without"] {
        if begin == "without" {
            fs::remove_file(one.copy()).unwrap();
        }
        let snapshot = backend.read().unwrap().unwrap();
        assert!(snapshot.get(Table::Meta, b"header").unwrap().is_some());
        one.put("A", begin).unwrap();
        drop(snapshot);
        server.is(Network::Refuses);
        let read = one.get("A");
        assert!(read.is_ok_and(|it| it == begin), "{begin}");
        server.is(Network::Works);
    }
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for_if_there_is_a_copy() {
    let (server, _, other) = two();
    server.is(Network::Hangs);
    let impatient = || other.backend().with_patience(Duration::ZERO);
    let store = other.store_on(impatient());
    assert_eq!(get(&store, "A").unwrap(), VALUE);
    let why = store.copied().unwrap().why.to_string();
    assert_eq!(
        why,
        "cannot read the store on db: the server does not answer"
    );
}

#[test]
fn a_server_that_cannot_be_reached_tells_no_revision() {
    let (server, _, other) = two();
    assert!(other.backend().revision().unwrap().is_some());
    for network in [Network::Refuses, Network::Breaks] {
        server.is(network);
        assert_eq!(other.backend().revision().unwrap(), None, "{network:?}");
    }
    server.is(Network::Hangs);
    let impatient = other.backend().with_patience(Duration::ZERO);
    assert_eq!(impatient.revision().unwrap(), None);
}

#[test]
fn each_state_that_is_read_from_the_copy_is_counted() {
    let (server, _, other) = two();
    let backend = other.backend();
    let read = || {
        let before = backend.misses();
        let snapshot = backend.read().unwrap().unwrap();
        assert!(snapshot.get(Table::Meta, b"header").unwrap().is_some());
        backend.misses() > before
    };
    assert!(!read());
    for network in [Network::Refuses, Network::Breaks] {
        server.is(network);
        assert!(read() && read(), "{network:?}");
    }
    server.is(Network::Works);
    assert!(!read());
}

#[test]
fn a_copy_may_be_too_old() {
    let (server, _, other) = two();
    let file = fs::File::options().write(true).open(other.copy()).unwrap();
    let hour = Duration::from_secs(3600);
    file.set_modified(SystemTime::now() - 3 * hour).unwrap();
    server.is(Network::Refuses);
    let read = |max| {
        let backend = other.backend().with_max_age(Some(max * hour));
        Ok(backend.read()?.is_some())
    };
    away(read(2));
    assert!(read(4).unwrap());
    // A server that answers makes it new, although nothing has changed.
    server.is(Network::Works);
    assert_eq!(other.get("A").unwrap(), VALUE);
    server.is(Network::Refuses);
    assert!(read(2).unwrap());
}

/// A gateway asks for the revision, and reads only when that has changed.
#[test]
fn a_revision_that_stays_keeps_the_copy_new() {
    let (server, one, other) = two();
    let backend = Arc::new(other.backend());
    let hours = |count: u64| Duration::from_secs(3600 * count);
    let read = || {
        let snapshot = backend.read().unwrap().unwrap();
        assert!(snapshot.get(Table::Meta, b"header").unwrap().is_some());
    };
    let is_new_after_a_revision = || {
        let file = fs::File::options().write(true).open(other.copy()).unwrap();
        file.set_modified(SystemTime::now() - hours(3)).unwrap();
        assert!(backend.revision().unwrap().is_some());
        let set = fs::metadata(other.copy()).unwrap().modified().unwrap();
        set > SystemTime::now() - hours(1)
    };
    assert!(!is_new_after_a_revision(), "nothing was read since");
    read();
    assert!(is_new_after_a_revision());
    assert!(is_new_after_a_revision());
    one.put("A", "new").unwrap();
    assert!(!is_new_after_a_revision());
    assert!(!is_new_after_a_revision(), "the copy is of another state");
    read();
    assert!(is_new_after_a_revision());
    server.is(Network::Refuses);
    assert_eq!(backend.revision().unwrap(), None);
}

#[test]
fn a_copy_of_the_future_has_no_age() {
    let (server, _, other) = two();
    let file = fs::File::options().write(true).open(other.copy()).unwrap();
    let hour = Duration::from_secs(3600);
    let minute = Duration::from_secs(60);
    let read = || {
        let backend = other.backend().with_max_age(Some(hour));
        Ok(backend.read()?.is_some())
    };
    server.is(Network::Refuses);
    file.set_modified(SystemTime::now() + minute).unwrap();
    assert!(read().unwrap());
    file.set_modified(SystemTime::now() + hour).unwrap();
    away(read());
    server.is(Network::Works);
    assert_eq!(other.get("A").unwrap(), VALUE);
    server.is(Network::Refuses);
    assert!(read().unwrap());
}

#[test]
fn a_process_that_writes_while_another_one_reads_loses_nothing() {
    let (server, one, _) = two();
    let (first, second) = (one.store(), one.store());
    for round in 0..5 {
        let value = round.to_string();
        put(&first, "A", &value).unwrap();
        assert_eq!(get(&second, "A").unwrap(), value);
        put(&second, "B", &value).unwrap();
        assert_eq!(get(&first, "B").unwrap(), value);
    }
    server.is(Network::Refuses);
    assert_eq!(one.get("A").unwrap(), "4");
    assert_eq!(one.get("B").unwrap(), "4");
}

#[test]
fn the_copy_has_no_value_and_is_private() {
    let (_, one, other) = two();
    for machine in [&one, &other] {
        assert_eq!(machine.get("A").unwrap(), VALUE);
        let bytes = fs::read(machine.copy()).unwrap();
        let leak = bytes.windows(VALUE.len()).any(|it| it == VALUE.as_bytes());
        assert!(!leak);
        let mode = fs::metadata(machine.copy()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_scan_may_read_on_while_it_passes() {
    let (server, one, _) = two();
    fs::remove_file(one.copy()).unwrap();
    let scope = Range::prefix(Table::Secrets, b"web\0");
    for (what, network) in [
        ("without a copy", Network::Works),
        ("with one", Network::Works),
        ("from it", Network::Refuses),
    ] {
        server.is(network);
        let backend = one.backend();
        let snapshot = backend.read().unwrap().unwrap();
        assert!(snapshot.get(Table::Meta, b"header").unwrap().is_some());
        let mut count = 0;
        let each = &mut |key: &[u8], record: &[u8]| {
            let again = snapshot.get(Table::Secrets, key).unwrap();
            assert_eq!(again.as_deref(), Some(record));
            count += 1;
            ControlFlow::Continue(())
        };
        snapshot.scan(scope, each).unwrap();
        assert_eq!(count, 2, "{what}");
    }
}
