//! What several handles on one place do at the same time.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::Handles;
use super::backends::{delete, get, is_applied, keys, put, put_all, read, write};
use crate::backend::{Backend, Replacement, Table, Transaction};

/// How long another writer may take to begin before it counts as one that waits for its turn. Too short a wait checks
/// less, and fails nobody.
const TURN: Duration = Duration::from_millis(500);
/// How long another writer that has begun may take to commit before it counts as one that waits for its turn.
const WORK: Duration = Duration::from_secs(5);

/// Makes a change, again and again while somebody else is faster.
fn change(backend: &dyn Backend, work: &dyn Fn(&mut dyn Transaction)) {
    loop {
        let mut transaction = write(backend);
        work(&mut *transaction);
        if is_applied(backend, transaction) {
            return;
        }
    }
}

/// Whether two changes, of two handles, ended in an overlap.
struct Overlap {
    /// The second change was committed while the first one was open.
    second_came_first: bool,
    /// The first change was applied in its first attempt.
    at_once: bool,
}

/// Makes a second change while a first one is open, if it need not wait for its turn. Both are applied in the end.
fn overlap(
    handles: &Handles,
    first: &(dyn Fn(&mut dyn Transaction) + Sync),
    second: &(dyn Fn(&mut dyn Transaction) + Sync),
) -> Overlap {
    let (one, two) = (handles(), handles());
    let mut transaction = write(&*one);
    first(&mut *transaction);
    thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        scope.spawn(move || {
            let mut begun = write(&*two);
            let _nobody_waits = tell.send(());
            second(&mut *begun);
            if !is_applied(&*two, begun) {
                change(&*two, second);
            }
            let _nobody_waits = tell.send(());
        });
        let has_begun = told.recv_timeout(TURN).is_ok();
        let second_came_first = has_begun && told.recv_timeout(WORK).is_ok();
        let at_once = is_applied(&*one, transaction);
        if !at_once {
            change(&*one, first);
        }
        Overlap {
            second_came_first,
            at_once,
        }
    })
}

pub(super) fn another_handle_reads_what_was_committed(handles: &Handles) {
    let (one, two) = (handles(), handles());
    put_all(&*one, Table::Meta, &[b"a"]);
    assert_eq!(keys(&*read(&*two), Table::Meta, b""), [b"a"]);
    let before = two.revision().expect("a revision");
    put_all(&*two, Table::Meta, &[b"b"]);
    assert_eq!(keys(&*read(&*one), Table::Meta, b""), [b"a", b"b"]);
    let after = one.revision().expect("a revision");
    assert!(before.is_none() || before < after, "{before:?}, {after:?}");
    // A handle that was opened later, after which the others are of use still.
    assert_eq!(keys(&*read(&*handles()), Table::Meta, b"").len(), 2);
    put_all(&*one, Table::Meta, &[b"c"]);
    assert_eq!(keys(&*read(&*two), Table::Meta, b"").len(), 3);
}

fn number(record: Option<Vec<u8>>) -> u32 {
    record.map_or(0, |it| {
        u32::from_be_bytes(it.try_into().expect("four bytes"))
    })
}

pub(super) fn no_increment_is_lost(handles: &Handles) {
    const WRITERS: u32 = 8;
    const INCREMENTS: u32 = 100;
    let increment = |transaction: &mut dyn Transaction| {
        let next = number(get(transaction, Table::Meta, b"count")) + 1;
        put(transaction, Table::Meta, b"count", &next.to_be_bytes());
    };
    let count = || number(get(&*read(&*handles()), Table::Meta, b"count"));
    overlap(handles, &increment, &increment);
    assert_eq!(count(), 2, "increments at the same time");
    thread::scope(|scope| {
        for _ in 0..WRITERS {
            let backend = handles();
            scope.spawn(move || {
                for _ in 0..INCREMENTS {
                    change(&*backend, &increment);
                }
            });
        }
    });
    assert_eq!(count(), 2 + WRITERS * INCREMENTS, "increments");
}

/// Two changes, each of which does something only if the other one has not: deletes its own record while both are
/// there.
pub(super) fn a_decision_over_two_records_is_not_skewed(handles: &Handles) {
    put_all(&*handles(), Table::Scopes, &[b"a", b"b"]);
    let delete_while_both_are_there = |own: &'static [u8]| {
        move |transaction: &mut dyn Transaction| {
            let places: [(Table, &[u8]); 2] = [(Table::Scopes, b"a"), (Table::Scopes, b"b")];
            let both = transaction.get_many(&places).expect("a read");
            if both.iter().all(Option::is_some) {
                delete(transaction, Table::Scopes, own);
            }
        }
    };
    overlap(
        handles,
        &delete_while_both_are_there(b"a"),
        &delete_while_both_are_there(b"b"),
    );
    let left = keys(&*read(&*handles()), Table::Scopes, b"");
    assert_eq!(left.len(), 1, "one of two changes decides otherwise");
}

/// As a put of a secret and the deletion of its scope.
pub(super) fn a_record_that_comes_into_a_scanned_range_is_noticed(handles: &Handles) {
    put_all(&*handles(), Table::Meta, &[b"there"]);
    let put_if_none = |range: &'static [u8], own: &'static [u8]| {
        move |transaction: &mut dyn Transaction| {
            if keys(transaction, Table::Secrets, range).is_empty() {
                put(transaction, Table::Secrets, own, b"record");
            }
        }
    };
    overlap(
        handles,
        &put_if_none(b"p/", b"q/x"),
        &put_if_none(b"q/", b"p/x"),
    );
    let left = keys(&*read(&*handles()), Table::Secrets, b"");
    assert_eq!(left.len(), 1, "one of two changes finds the other's record");
}

pub(super) fn a_record_that_leaves_a_scanned_range_is_noticed(handles: &Handles) {
    put_all(&*handles(), Table::Secrets, &[b"p/x", b"q/x"]);
    let delete_if_any = |range: &'static [u8], own: &'static [u8]| {
        move |transaction: &mut dyn Transaction| {
            if !keys(transaction, Table::Secrets, range).is_empty() {
                delete(transaction, Table::Secrets, own);
            }
        }
    };
    overlap(
        handles,
        &delete_if_any(b"p/", b"q/x"),
        &delete_if_any(b"q/", b"p/x"),
    );
    let left = keys(&*read(&*handles()), Table::Secrets, b"");
    assert_eq!(
        left.len(),
        1,
        "one of two changes misses the other's record"
    );
}

pub(super) fn a_deleted_prefix_takes_what_came_meanwhile(handles: &Handles) {
    put_all(&*handles(), Table::Secrets, &[b"p/x", b"q"]);
    let delete_all = |transaction: &mut dyn Transaction| {
        let deleted = transaction.delete_prefix(Table::Secrets, b"p/");
        deleted.expect("a delete");
    };
    let put_more = |transaction: &mut dyn Transaction| {
        put(transaction, Table::Secrets, b"p/y", b"record");
    };
    let overlap = overlap(handles, &delete_all, &put_more);
    let left = keys(&*read(&*handles()), Table::Secrets, b"p/");
    if overlap.second_came_first {
        assert!(left.is_empty(), "put before the deletion was committed");
    } else if overlap.at_once {
        assert_eq!(left, [b"p/y"], "put after the deletion was committed");
    }
}

pub(super) fn a_replacement_loses_no_commit(handles: &Handles) {
    put_all(&*handles(), Table::Secrets, &[b"a"]);
    let (one, two) = (handles(), handles());
    let replaced = thread::scope(|scope| {
        let Replacement { old, mut new } = one.replace().expect("a replacement");
        let old = old.expect("the old state");
        for key in keys(&*old, Table::Secrets, b"") {
            put(&mut *new, Table::Secrets, &key, b"copy");
        }
        let (tell, told) = mpsc::channel();
        scope.spawn(move || {
            change(&*two, &|transaction| {
                put(transaction, Table::Secrets, b"b", b"record");
            });
            let _nobody_waits = tell.send(());
        });
        let _done_or_waiting = told.recv_timeout(TURN);
        drop(old);
        is_applied(&*one, new)
    });
    let left = keys(&*read(&*handles()), Table::Secrets, b"");
    assert_eq!(left, [b"a", b"b"], "with a replacement: {replaced}");
}
