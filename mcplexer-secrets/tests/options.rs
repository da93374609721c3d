//! What the options of a store do.

#![cfg(test)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mcplexer_secrets::backend::{
    Backend, BackendError, Commit, CommitId, EachRecord, Range, RedbBackend, Replacement, Snapshot,
    Table, Transaction,
};
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{
    Error, ErrorKind, NewScope, PutMode, SecretStore, SecretValue, Store, StoreOptions,
};

fn put(store: &Store, scope: &str, value: &[u8]) -> Result<(), Error> {
    let scope = NewScope::env(scope.parse()?);
    let value = SecretValue::copy_of(value)?;
    store.put(&scope, &"K".parse()?, &value, PutMode::Overwrite)?;
    Ok(())
}

fn get(store: &Store, scope: &str) -> Vec<u8> {
    let value = store.get(&scope.parse().unwrap(), &"K".parse().unwrap());
    value.unwrap().expose().to_vec()
}

fn open(path: &Path, options: &StoreOptions) -> Store {
    Store::open_with(path, FixedKeys::generate(), options).unwrap()
}

#[test]
fn a_store_waits_no_longer_than_its_patience() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secrets.redb");
    let options = StoreOptions::default().with_patience(Duration::from_millis(50));
    let store = open(&path, &options);
    put(&store, "s", b"v").unwrap();
    let holder = RedbBackend::file(&path);
    let transaction = holder.write().unwrap();
    assert_eq!(put(&store, "s", b"w").unwrap_err().kind(), ErrorKind::Busy);
    assert_eq!(get(&store, "s"), b"v");
    drop(transaction);
    put(&store, "s", b"w").unwrap();
}

/// A longer one than any clock can tell is no failure.
#[test]
fn endless_patience_is_patience() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions::default().with_patience(Duration::MAX);
    let store = open(&directory.path().join("secrets.redb"), &options);
    put(&store, "s", b"v").unwrap();
    put(&store, "s", b"w").unwrap();
    assert_eq!(get(&store, "s"), b"w");
}

/// A backend on which no commit is applied: somebody else is always faster.
#[derive(Debug)]
struct Overtaken(RedbBackend);

struct Losing<'a>(Box<dyn Transaction + 'a>);

impl Backend for Overtaken {
    fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError> {
        self.0.read()
    }

    fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError> {
        Ok(Box::new(Losing(self.0.write()?)))
    }

    fn replace(&self) -> Result<Replacement<'_>, BackendError> {
        self.0.replace()
    }

    fn settle(&self, commit: &CommitId) -> Result<bool, BackendError> {
        self.0.settle(commit)
    }
}

impl Snapshot for Losing<'_> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        self.0.get_many(places)
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        self.0.scan(range, each)
    }
}

impl Transaction for Losing<'_> {
    fn is_first(&self) -> bool {
        self.0.is_first()
    }

    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Result<(), BackendError> {
        self.0.put(table, key, record)
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), BackendError> {
        self.0.delete(table, key)
    }

    fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Result<(), BackendError> {
        self.0.delete_prefix(table, prefix)
    }

    fn commit(self: Box<Self>) -> Result<Commit, BackendError> {
        Ok(Commit::Conflict)
    }
}

/// Without this, it would be made again for 30 seconds.
#[test]
fn a_change_that_is_always_overtaken_is_made_again_while_there_is_patience() {
    let backend = Overtaken(RedbBackend::in_memory().unwrap());
    let store = Store::with_backend(backend, FixedKeys::generate()).unwrap();
    let store = store.with_options(&StoreOptions::default().with_patience(Duration::ZERO));
    assert_eq!(put(&store, "s", b"v").unwrap_err().kind(), ErrorKind::Busy);
}

#[test]
fn with_any_number_of_open_scopes_each_value_is_right() {
    for count in [0, 1, 2, 256] {
        let backend = Arc::new(RedbBackend::in_memory().unwrap());
        let identity = Identity::generate();
        let open = || {
            let keys = FixedKeys::new(vec![identity.clone()]);
            let store = Store::with_backend(Arc::clone(&backend), keys).unwrap();
            store.with_options(&StoreOptions::default().with_open_scopes(count))
        };
        let (store, other) = (open(), open());
        for round in [b'a', b'b'] {
            for scope in ["s", "t", "u"] {
                put(&store, scope, &[round]).unwrap();
                assert_eq!(get(&other, scope), [round]);
            }
            for scope in ["u", "s", "t", "t"] {
                assert_eq!(get(&store, scope), [round]);
                assert_eq!(get(&other, scope), [round]);
            }
        }
        other.delete_scope(&"s".parse().unwrap()).unwrap();
        put(&other, "s", b"again").unwrap();
        assert_eq!(get(&store, "s"), b"again");
    }
}

#[test]
fn with_any_page_cache_each_value_is_right() {
    let directory = tempfile::tempdir().unwrap();
    for bytes in [0, 4096, 1 << 20] {
        let options = StoreOptions::default().with_page_cache(bytes);
        let store = open(&directory.path().join(bytes.to_string()), &options);
        for scope in ["s", "t"] {
            put(&store, scope, scope.as_bytes()).unwrap();
        }
        assert_eq!(get(&store, "s"), b"s");
        assert_eq!(get(&store, "t"), b"t");
    }
}
