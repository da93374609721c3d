//! The suites, run against every store and backend of this crate.

#![cfg(test)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use mcplexer_secrets::audit::{
    AuditOperation, AuditOutcome, FileAudit, MemoryAudit, read_audit_log,
};
use mcplexer_secrets::backend::{
    Backend, BackendError, Commit, CommitId, EachRecord, Range, RedbBackend, Replacement, Snapshot,
    Table, Transaction,
};
use mcplexer_secrets::keys::FixedKeys;
use mcplexer_secrets::{NewScope, PutMode, SecretStore, SecretValue, Store, conformance};

#[test]
fn a_redb_file_is_a_backend() {
    conformance::backend(&|| {
        let directory = tempfile::tempdir().unwrap();
        Box::new(move || {
            let path = directory.path().join("new").join("secrets.redb");
            Box::new(RedbBackend::file(path))
        })
    });
}

#[test]
fn redb_in_memory_is_a_backend() {
    conformance::backend(&|| {
        let backend = Arc::new(RedbBackend::in_memory().unwrap());
        Box::new(move || Box::new(Arc::clone(&backend)))
    });
}

#[test]
fn a_store_in_a_file_is_a_secret_store() {
    let directories = Mutex::new(Vec::new());
    conformance::secret_store(&|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secrets.redb");
        directories.lock().unwrap().push(directory);
        Box::new(Store::open(path, FixedKeys::generate()).unwrap())
    });
}

#[test]
fn a_store_in_memory_is_a_secret_store() {
    conformance::secret_store(&|| {
        let store = Store::in_memory(FixedKeys::generate()).unwrap();
        Box::new(store.with_audit_log(MemoryAudit::new().unwrap()))
    });
}

/// A backend that sometimes reports that another writer was faster, as a cluster does.
#[derive(Debug)]
struct Contended {
    inner: RedbBackend,
    commits: AtomicU32,
}

struct ContendedTransaction<'a> {
    inner: Box<dyn Transaction + 'a>,
    commits: &'a AtomicU32,
}

impl Backend for Contended {
    fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError> {
        self.inner.read()
    }

    fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError> {
        Ok(Box::new(ContendedTransaction {
            inner: self.inner.write()?,
            commits: &self.commits,
        }))
    }

    fn replace(&self) -> Result<Replacement<'_>, BackendError> {
        self.inner.replace()
    }

    fn settle(&self, commit: &CommitId) -> Result<bool, BackendError> {
        self.inner.settle(commit)
    }
}

impl Snapshot for ContendedTransaction<'_> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        self.inner.get_many(places)
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        self.inner.scan(range, each)
    }
}

impl Transaction for ContendedTransaction<'_> {
    fn is_first(&self) -> bool {
        self.inner.is_first()
    }

    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Result<(), BackendError> {
        self.inner.put(table, key, record)
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), BackendError> {
        self.inner.delete(table, key)
    }

    fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Result<(), BackendError> {
        self.inner.delete_prefix(table, prefix)
    }

    fn commit(self: Box<Self>) -> Result<Commit, BackendError> {
        let before = self.commits.fetch_add(1, Ordering::Relaxed);
        if before % 3 == 2 {
            self.inner.commit()
        } else {
            Ok(Commit::Conflict)
        }
    }
}

fn contended() -> Store {
    let backend = Contended {
        inner: RedbBackend::in_memory().unwrap(),
        commits: AtomicU32::new(0),
    };
    Store::with_backend(backend, FixedKeys::generate()).unwrap()
}

#[test]
fn a_store_starts_over_when_another_writer_was_faster() {
    conformance::secret_store(&|| Box::new(contended()));
}

#[test]
fn a_change_that_is_made_again_is_recorded_once() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("audit.log");
    let store = contended().with_audit_log(FileAudit::new(&log));
    let scope = NewScope::env("s".parse().unwrap());
    let value = SecretValue::new(b"v".to_vec()).unwrap();
    for name in ["K", "L"] {
        let name = name.parse().unwrap();
        let put = store.put(&scope, &name, &value, PutMode::Create);
        put.unwrap();
    }
    let lines = read_audit_log(&log).unwrap();
    let operations: Vec<_> = lines.iter().map(|it| it.operation).collect();
    use AuditOperation::{Committed, Put, Retry};
    let expected = [Put, Retry, Retry, Committed, Put, Retry, Retry];
    assert_eq!(operations, expected);
    assert!(lines.iter().all(|it| it.outcome == AuditOutcome::Ok));
    store.verify_audit(&log, None).unwrap();
}
