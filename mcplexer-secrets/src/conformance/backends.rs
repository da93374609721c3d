//! What every backend does.

use super::together::{
    a_decision_over_two_records_is_not_skewed, a_deleted_prefix_takes_what_came_meanwhile,
    a_record_that_comes_into_a_scanned_range_is_noticed,
    a_record_that_leaves_a_scanned_range_is_noticed, a_replacement_loses_no_commit,
    another_handle_reads_what_was_committed, no_increment_is_lost,
};
use super::{Check, Handles};
use crate::backend::{
    Backend, BackendError, Commit, Range, Replacement, Snapshot, Table, Transaction,
};

pub(super) const CHECKS: &[Check<Handles>] = &checks![
    a_state_comes_with_the_first_commit,
    a_commit_applies_wholly,
    a_dropped_transaction_leaves_no_trace,
    a_snapshot_shows_one_state,
    many_records_are_read_at_once_in_the_order_asked_for,
    prefixes_are_scanned_and_deleted_in_order,
    a_scan_breaks_off_and_goes_on_later,
    records_may_be_large,
    as_many_puts_as_the_limits_allow_are_one_change,
    a_replacement_takes_the_place_of_everything,
    a_beginning_is_found_again_until_the_next_commit,
    another_handle_reads_what_was_committed,
    no_increment_is_lost,
    a_decision_over_two_records_is_not_skewed,
    a_record_that_comes_into_a_scanned_range_is_noticed,
    a_record_that_leaves_a_scanned_range_is_noticed,
    a_deleted_prefix_takes_what_came_meanwhile,
    a_replacement_loses_no_commit,
];

pub(super) fn get(snapshot: &dyn Snapshot, table: Table, key: &[u8]) -> Option<Vec<u8>> {
    snapshot.get(table, key).expect("a read")
}

pub(super) fn keys(snapshot: &dyn Snapshot, table: Table, prefix: &[u8]) -> Vec<Vec<u8>> {
    keys_in(snapshot, Range::prefix(table, prefix))
}

fn keys_in(snapshot: &dyn Snapshot, range: Range<'_>) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    let scanned: Result<(), BackendError> = snapshot.try_scan(range, |key, _| {
        keys.push(key.to_vec());
        Ok(())
    });
    scanned.expect("a scan");
    keys
}

pub(super) fn put(transaction: &mut dyn Transaction, table: Table, key: &[u8], record: &[u8]) {
    transaction.put(table, key, record).expect("a put");
}

pub(super) fn delete(transaction: &mut dyn Transaction, table: Table, key: &[u8]) {
    transaction.delete(table, key).expect("a delete");
}

pub(super) fn write(backend: &dyn Backend) -> Box<dyn Transaction + '_> {
    backend.write().expect("a transaction")
}

/// Whether the commit was applied; `false` if it was a conflict.
pub(super) fn is_applied(backend: &dyn Backend, transaction: Box<dyn Transaction + '_>) -> bool {
    match transaction.commit().expect("a commit") {
        Commit::Applied => true,
        Commit::Conflict => false,
        Commit::Unknown(id, _) => backend.settle(&id).expect("a commit that is settled"),
    }
}

fn commit(backend: &dyn Backend, transaction: Box<dyn Transaction + '_>) {
    assert!(is_applied(backend, transaction), "nobody else writes");
}

pub(super) fn put_all(backend: &dyn Backend, table: Table, keys: &[&[u8]]) {
    let mut transaction = write(backend);
    for key in keys {
        put(&mut *transaction, table, key, b"record");
    }
    commit(backend, transaction);
}

pub(super) fn read(backend: &dyn Backend) -> Box<dyn Snapshot + '_> {
    let snapshot = backend.read().expect("a read");
    snapshot.expect("a state, since one was committed")
}

fn a_state_comes_with_the_first_commit(handles: &Handles) {
    let backend = &*handles();
    assert!(backend.read().expect("a read").is_none());
    let mut transaction = write(backend);
    assert!(transaction.is_first());
    for table in Table::ALL {
        assert_eq!(get(&*transaction, table, b"k"), None);
        assert!(keys(&*transaction, table, b"").is_empty());
    }
    put(&mut *transaction, Table::Meta, b"k", b"dropped");
    drop(transaction);
    let dropped = backend.read().expect("a read");
    assert!(dropped.is_none(), "of a dropped transaction");
    put_all(backend, Table::Meta, &[b"k"]);
    let snapshot = read(backend);
    assert_eq!(keys(&*snapshot, Table::Meta, b""), [b"k"]);
    assert!(keys(&*snapshot, Table::Secrets, b"").is_empty());
    drop(snapshot);
    assert!(!write(backend).is_first());
}

fn a_commit_applies_wholly(handles: &Handles) {
    let backend = &*handles();
    put_all(backend, Table::Meta, &[b"gone"]);
    let mut transaction = write(backend);
    for table in Table::ALL {
        let record = table.name().as_bytes();
        put(&mut *transaction, table, b"k", b"first");
        put(&mut *transaction, table, b"k", record);
    }
    delete(&mut *transaction, Table::Meta, b"gone");
    delete(&mut *transaction, Table::Meta, b"absent");
    let own = get(&*transaction, Table::Meta, b"k");
    assert_eq!(own.as_deref(), Some(b"meta".as_slice()));
    assert_eq!(keys(&*transaction, Table::Meta, b""), [b"k"]);
    commit(backend, transaction);
    let snapshot = read(backend);
    for table in Table::ALL {
        let record = get(&*snapshot, table, b"k").expect("the record");
        assert_eq!(record, table.name().as_bytes());
    }
    assert_eq!(get(&*snapshot, Table::Meta, b"gone"), None);
}

fn a_dropped_transaction_leaves_no_trace(handles: &Handles) {
    let backend = &*handles();
    put_all(backend, Table::Secrets, &[b"a"]);
    let mut transaction = write(backend);
    put(&mut *transaction, Table::Secrets, b"a", b"new");
    put(&mut *transaction, Table::Secrets, b"b", b"new");
    drop(transaction);
    let snapshot = read(backend);
    let record = get(&*snapshot, Table::Secrets, b"a");
    assert_eq!(record.as_deref(), Some(b"record".as_slice()));
    assert_eq!(keys(&*snapshot, Table::Secrets, b""), [b"a"]);
}

fn a_snapshot_shows_one_state(handles: &Handles) {
    let backend = &*handles();
    put_all(backend, Table::Scopes, &[b"a"]);
    let before = read(backend);
    // An engine may begin a snapshot with the first read.
    assert_eq!(keys(&*before, Table::Scopes, b""), [b"a"]);
    put_all(backend, Table::Scopes, &[b"b"]);
    put_all(backend, Table::Meta, &[b"c"]);
    assert_eq!(keys(&*before, Table::Scopes, b""), [b"a"]);
    assert_eq!(get(&*before, Table::Meta, b"c"), None);
    let after = read(backend);
    assert_eq!(keys(&*after, Table::Scopes, b""), [b"a", b"b"]);
}

fn many_records_are_read_at_once_in_the_order_asked_for(handles: &Handles) {
    let backend = &*handles();
    let mut transaction = write(backend);
    for (table, key, record) in [
        (Table::Meta, b"a", b"1"),
        (Table::Scopes, b"a", b"2"),
        (Table::Secrets, b"b", b"3"),
    ] {
        put(&mut *transaction, table, key, record);
    }
    let asked: [(Table, &[u8]); 5] = [
        (Table::Secrets, b"b"),
        (Table::Meta, b"a"),
        (Table::Meta, b"b"),
        (Table::Secrets, b"b"),
        (Table::Scopes, b"a"),
    ];
    let expected = [Some(b"3"), Some(b"1"), None, Some(b"3"), Some(b"2")];
    let expected = expected.map(|record| record.map(|it| it.to_vec()));
    assert_eq!(transaction.get_many(&asked).expect("a read"), expected);
    commit(backend, transaction);
    let snapshot = read(backend);
    assert_eq!(snapshot.get_many(&asked).expect("a read"), expected);
    assert!(snapshot.get_many(&[]).expect("a read").is_empty());
}

fn prefixes_are_scanned_and_deleted_in_order(handles: &Handles) {
    let backend = &*handles();
    let all: [&[u8]; 6] = [b"b", b"a\0y", b"a\0x", b"a.b\0x", b"a", b"\xff\xff"];
    put_all(backend, Table::Secrets, &all);
    let snapshot = read(backend);
    assert_eq!(keys(&*snapshot, Table::Secrets, b"a\0"), [b"a\0x", b"a\0y"]);
    assert_eq!(keys(&*snapshot, Table::Secrets, b"\xff"), [b"\xff\xff"]);
    assert_eq!(keys(&*snapshot, Table::Secrets, b"").len(), all.len());
    drop(snapshot);
    let mut transaction = write(backend);
    put(&mut *transaction, Table::Secrets, b"a\0z", b"own");
    let deleted = transaction.delete_prefix(Table::Secrets, b"a\0");
    deleted.expect("a delete");
    put(&mut *transaction, Table::Secrets, b"a\0w", b"later");
    let left: [&[u8]; 5] = [b"a", b"a\0w", b"a.b\0x", b"b", b"\xff\xff"];
    assert_eq!(get(&*transaction, Table::Secrets, b"a\0x"), None);
    assert_eq!(keys(&*transaction, Table::Secrets, b""), left);
    commit(backend, transaction);
    assert_eq!(keys(&*read(backend), Table::Secrets, b""), left);
}

fn a_scan_breaks_off_and_goes_on_later(handles: &Handles) {
    let backend = &*handles();
    let all: [&[u8]; 5] = [b"a", b"p1", b"p2", b"p3", b"q"];
    put_all(backend, Table::Secrets, &all);
    let mut transaction = write(backend);
    put(&mut *transaction, Table::Secrets, b"p25", b"own");
    let range = Range::prefix(Table::Secrets, b"p");
    let mut first = Vec::new();
    let stopped = transaction.scan(range, &mut |key, _| {
        first.push(key.to_vec());
        match first.len() {
            2 => std::ops::ControlFlow::Break(()),
            _ => std::ops::ControlFlow::Continue(()),
        }
    });
    stopped.expect("a scan");
    assert_eq!(first, [b"p1", b"p2"]);
    let rest: [&[u8]; 2] = [b"p25", b"p3"];
    assert_eq!(keys_in(&*transaction, range.after(b"p2")), rest);
    assert_eq!(keys_in(&*transaction, range.after(b"a")).len(), 4);
    assert!(keys_in(&*transaction, range.after(b"q")).is_empty());
    commit(backend, transaction);
    assert_eq!(keys_in(&*read(backend), range.after(b"p2")), rest);
}

fn records_may_be_large(handles: &Handles) {
    let backend = &*handles();
    let bytes = backend.limits().bytes.unwrap_or(usize::MAX);
    let record = vec![0xA5; (3 << 20).min(bytes / 2)];
    let mut transaction = write(backend);
    put(&mut *transaction, Table::Secrets, b"k", &record);
    put(&mut *transaction, Table::Secrets, b"l", b"");
    commit(backend, transaction);
    let snapshot = read(backend);
    assert!(get(&*snapshot, Table::Secrets, b"k") == Some(record));
    assert_eq!(get(&*snapshot, Table::Secrets, b"l"), Some(vec![]));
}

fn as_many_puts_as_the_limits_allow_are_one_change(handles: &Handles) {
    let backend = &*handles();
    let count = backend.limits().operations.unwrap_or(usize::MAX).min(1000);
    let mut transaction = write(backend);
    for number in 0..count {
        let key = format!("{number:04}");
        put(&mut *transaction, Table::Secrets, key.as_bytes(), b"record");
    }
    commit(backend, transaction);
    assert_eq!(keys(&*read(backend), Table::Secrets, b"").len(), count);
}

fn a_replacement_takes_the_place_of_everything(handles: &Handles) {
    let backend = &*handles();
    put_all(backend, Table::Meta, &[b"old"]);
    put_all(backend, Table::Secrets, &[b"a", b"b"]);
    let before = read(backend);
    assert_eq!(keys(&*before, Table::Secrets, b""), [b"a", b"b"]);

    let Replacement { old, mut new } = backend.replace().expect("a replacement");
    let old = old.expect("the old state");
    assert!(!new.is_first());
    assert_eq!(keys(&*old, Table::Secrets, b""), [b"a", b"b"]);
    assert!(keys(&*new, Table::Secrets, b"").is_empty());
    put(&mut *new, Table::Secrets, b"c", b"record");
    drop(old);
    drop(new);
    assert_eq!(keys(&*read(backend), Table::Secrets, b""), [b"a", b"b"]);

    let Replacement { old, mut new } = backend.replace().expect("a replacement");
    assert!(keys(&*new, Table::Secrets, b"").is_empty());
    put(&mut *new, Table::Secrets, b"c", b"record");
    drop(old);
    commit(backend, new);
    assert_eq!(keys(&*before, Table::Secrets, b""), [b"a", b"b"]);
    drop(before);
    assert!(keys(&*read(backend), Table::Meta, b"").is_empty());
    assert_eq!(keys(&*read(backend), Table::Secrets, b""), [b"c"]);
    put_all(backend, Table::Secrets, &[b"d"]);
    assert_eq!(keys(&*read(backend), Table::Secrets, b""), [b"c", b"d"]);
}

/// Keeps what a replacement has so far, and adds something that is not kept.
fn begin(backend: &dyn Backend, key: &[u8]) {
    let Replacement { old, mut new } = backend.replace().expect("a replacement");
    put(&mut *new, Table::Secrets, key, b"record");
    new.keep().expect("what there is so far is kept");
    put(&mut *new, Table::Secrets, b"lost", b"record");
    assert!(
        get(&*new, Table::Secrets, key).is_some(),
        "after it was kept"
    );
    drop(old);
}

/// The keys that a replacement begins with.
fn found(backend: &dyn Backend) -> Vec<Vec<u8>> {
    let Replacement { old, new } = backend.replace().expect("a replacement");
    let found = keys(&*new, Table::Secrets, b"");
    drop(old);
    found
}

fn a_beginning_is_found_again_until_the_next_commit(handles: &Handles) {
    let backend = &*handles();
    put_all(backend, Table::Secrets, &[b"a"]);
    begin(backend, b"b");
    assert_eq!(keys(&*read(backend), Table::Secrets, b""), [b"a"]);
    // An engine may keep nothing.
    let kept = found(&*handles());
    assert!(kept.is_empty() || kept == [b"b"], "{kept:?}");
    assert_eq!(found(backend), kept, "it stays");
    begin(backend, b"c");
    let all: &[&[u8]] = if kept.is_empty() { &[] } else { &[b"b", b"c"] };
    assert_eq!(found(backend), all, "more is kept");
    put_all(backend, Table::Meta, &[b"other"]);
    assert!(found(backend).is_empty(), "after another commit");
    assert_eq!(keys(&*read(backend), Table::Secrets, b""), [b"a"]);

    begin(backend, b"d");
    let Replacement { old, mut new } = backend.replace().expect("a replacement");
    drop(old);
    new.clear().expect("a delete");
    put(&mut *new, Table::Secrets, b"e", b"record");
    commit(backend, new);
    assert_eq!(keys(&*read(backend), Table::Secrets, b""), [b"e"]);
    assert!(found(backend).is_empty(), "after its own commit");

    begin(backend, b"f");
    let Replacement { old, mut new } = backend.replace().expect("a replacement");
    drop(old);
    put(&mut *new, Table::Secrets, b"f", b"record");
    put(&mut *new, Table::Secrets, b"g", b"record");
    commit(backend, new);
    assert_eq!(keys(&*read(backend), Table::Secrets, b""), [b"f", b"g"]);
}
