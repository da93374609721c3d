use crate::backend::{Backend, Commit, Replacement, Snapshot, Table};

pub(super) const CHECKS: [fn(&dyn Backend); 7] = [
    a_state_comes_with_the_first_commit,
    a_commit_applies_wholly,
    a_dropped_transaction_leaves_no_trace,
    a_snapshot_shows_one_state,
    prefixes_are_scanned_and_deleted_in_order,
    records_may_be_large,
    a_replacement_takes_the_place_of_everything,
];

fn get(snapshot: &dyn Snapshot, table: Table, key: &[u8]) -> Option<Vec<u8>> {
    snapshot.get(table, key).expect("a read")
}

fn keys(snapshot: &dyn Snapshot, table: Table, prefix: &[u8]) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    let scanned = snapshot.scan(table, prefix, &mut |key, _| keys.push(key.to_vec()));
    scanned.expect("a scan");
    keys
}

fn put_all(backend: &dyn Backend, table: Table, keys: &[&[u8]]) {
    let mut transaction = backend.write().expect("a transaction");
    for key in keys {
        transaction.put(table, key, b"record").expect("a put");
    }
    assert_eq!(transaction.commit().expect("a commit"), Commit::Applied);
}

fn read(backend: &dyn Backend) -> Box<dyn Snapshot + '_> {
    let snapshot = backend.read().expect("a read");
    snapshot.expect("a state, since one was committed")
}

fn a_state_comes_with_the_first_commit(backend: &dyn Backend) {
    assert!(backend.read().expect("a read").is_none());
    let mut transaction = backend.write().expect("a transaction");
    assert!(transaction.is_first());
    for table in Table::ALL {
        assert_eq!(get(&*transaction, table, b"k"), None);
        assert!(keys(&*transaction, table, b"").is_empty());
    }
    transaction
        .put(Table::Meta, b"k", b"dropped")
        .expect("a put");
    drop(transaction);
    assert!(
        backend.read().expect("a read").is_none(),
        "of a dropped transaction"
    );
    put_all(backend, Table::Meta, &[b"k"]);
    let snapshot = read(backend);
    assert_eq!(keys(&*snapshot, Table::Meta, b""), [b"k"]);
    assert!(keys(&*snapshot, Table::Secrets, b"").is_empty());
    assert!(!backend.write().expect("a transaction").is_first());
}

fn a_commit_applies_wholly(backend: &dyn Backend) {
    put_all(backend, Table::Meta, &[b"gone"]);
    let mut transaction = backend.write().expect("a transaction");
    for table in Table::ALL {
        let record = table.name().as_bytes();
        transaction.put(table, b"k", b"first").expect("a put");
        transaction.put(table, b"k", record).expect("a put");
    }
    transaction.delete(Table::Meta, b"gone").expect("a delete");
    let absent = transaction.delete(Table::Meta, b"absent");
    absent.expect("deleting nothing is no failure");
    assert_eq!(
        get(&*transaction, Table::Meta, b"k").as_deref(),
        Some(b"meta".as_slice())
    );
    assert_eq!(transaction.commit().expect("a commit"), Commit::Applied);
    let snapshot = read(backend);
    for table in Table::ALL {
        let record = get(&*snapshot, table, b"k").expect("the record");
        assert_eq!(record, table.name().as_bytes());
    }
    assert_eq!(get(&*snapshot, Table::Meta, b"gone"), None);
}

fn a_dropped_transaction_leaves_no_trace(backend: &dyn Backend) {
    put_all(backend, Table::Secrets, &[b"a"]);
    let mut transaction = backend.write().expect("a transaction");
    transaction
        .put(Table::Secrets, b"a", b"new")
        .expect("a put");
    transaction
        .put(Table::Secrets, b"b", b"new")
        .expect("a put");
    drop(transaction);
    let snapshot = read(backend);
    assert_eq!(
        get(&*snapshot, Table::Secrets, b"a").as_deref(),
        Some(b"record".as_slice())
    );
    assert_eq!(keys(&*snapshot, Table::Secrets, b""), [b"a"]);
}

fn a_snapshot_shows_one_state(backend: &dyn Backend) {
    put_all(backend, Table::Scopes, &[b"a"]);
    let before = read(backend);
    put_all(backend, Table::Scopes, &[b"b"]);
    assert_eq!(keys(&*before, Table::Scopes, b""), [b"a"]);
    let after = read(backend);
    assert_eq!(keys(&*after, Table::Scopes, b""), [b"a", b"b"]);
}

fn prefixes_are_scanned_and_deleted_in_order(backend: &dyn Backend) {
    let all: [&[u8]; 6] = [b"b", b"a\0y", b"a\0x", b"a.b\0x", b"a", b"\xff\xff"];
    put_all(backend, Table::Secrets, &all);
    let snapshot = read(backend);
    assert_eq!(keys(&*snapshot, Table::Secrets, b"a\0"), [b"a\0x", b"a\0y"]);
    assert_eq!(keys(&*snapshot, Table::Secrets, b"\xff"), [b"\xff\xff"]);
    assert_eq!(keys(&*snapshot, Table::Secrets, b"").len(), all.len());
    let mut transaction = backend.write().expect("a transaction");
    let deleted = transaction.delete_prefix(Table::Secrets, b"a\0");
    deleted.expect("a delete");
    assert_eq!(transaction.commit().expect("a commit"), Commit::Applied);
    let snapshot = read(backend);
    let left: [&[u8]; 4] = [b"a", b"a.b\0x", b"b", b"\xff\xff"];
    assert_eq!(keys(&*snapshot, Table::Secrets, b""), left);
}

fn records_may_be_large(backend: &dyn Backend) {
    let record = vec![0xA5; 3 << 20];
    let mut transaction = backend.write().expect("a transaction");
    transaction
        .put(Table::Secrets, b"k", &record)
        .expect("a put");
    transaction.put(Table::Secrets, b"l", b"").expect("a put");
    assert_eq!(transaction.commit().expect("a commit"), Commit::Applied);
    let snapshot = read(backend);
    assert!(get(&*snapshot, Table::Secrets, b"k") == Some(record));
    assert_eq!(get(&*snapshot, Table::Secrets, b"l"), Some(vec![]));
}

fn a_replacement_takes_the_place_of_everything(backend: &dyn Backend) {
    put_all(backend, Table::Meta, &[b"old"]);
    put_all(backend, Table::Secrets, &[b"a", b"b"]);
    let before = read(backend);

    let Replacement { old, mut new } = backend.replace().expect("a replacement");
    let old = old.expect("the old state");
    assert!(!new.is_first());
    assert_eq!(keys(&*old, Table::Secrets, b""), [b"a", b"b"]);
    assert!(keys(&*new, Table::Secrets, b"").is_empty());
    new.put(Table::Secrets, b"c", b"record").expect("a put");
    drop(old);
    drop(new);
    assert_eq!(keys(&*read(backend), Table::Secrets, b""), [b"a", b"b"]);

    let Replacement { old, mut new } = backend.replace().expect("a replacement");
    new.put(Table::Secrets, b"c", b"record").expect("a put");
    drop(old);
    assert_eq!(new.commit().expect("a commit"), Commit::Applied);
    assert_eq!(keys(&*before, Table::Secrets, b""), [b"a", b"b"]);
    drop(before);
    assert!(keys(&*read(backend), Table::Meta, b"").is_empty());
    assert_eq!(keys(&*read(backend), Table::Secrets, b""), [b"c"]);
    put_all(backend, Table::Secrets, &[b"d"]);
    assert_eq!(keys(&*read(backend), Table::Secrets, b""), [b"c", b"d"]);
}
