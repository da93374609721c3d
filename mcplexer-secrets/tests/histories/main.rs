//! Random histories of a store, of which an attacker puts parts back.

#![cfg(test)]

mod logs;
mod records;

use std::collections::BTreeMap;
use std::sync::Arc;

use mcplexer_secrets::backend::{
    Backend, BackendError, Commit, CommitId, Range, RedbBackend, Replacement, Snapshot, Table,
    Transaction,
};
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{
    ErrorKind, NewScope, PutMode, RotateIdentity, ScopeId, SecretName, SecretStore, SecretValue,
    Store,
};
use proptest::prelude::*;

const SCOPES: [&str; 3] = ["a", "b", "c"];
const NAMES: [&str; 3] = ["K", "L", "M"];

/// A backend in memory that outlives its store.
#[derive(Debug, Clone)]
struct Shared(Arc<RedbBackend>);

impl Backend for Shared {
    fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError> {
        self.0.read()
    }

    fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError> {
        self.0.write()
    }

    fn replace(&self) -> Result<Replacement<'_>, BackendError> {
        self.0.replace()
    }

    fn settle(&self, commit: &CommitId) -> Result<bool, BackendError> {
        self.0.settle(commit)
    }
}

/// Every record of a store, by table and key.
type Records = BTreeMap<(usize, Vec<u8>), Vec<u8>>;

impl Shared {
    fn new() -> Self {
        Self(Arc::new(RedbBackend::in_memory().unwrap()))
    }

    fn records(&self) -> Records {
        let mut records = Records::new();
        let snapshot = self.read().unwrap().unwrap();
        for (number, table) in Table::ALL.into_iter().enumerate() {
            let read: Result<(), BackendError> =
                snapshot.try_scan(Range::all(table), |key, record| {
                    records.insert((number, key.to_vec()), record.to_vec());
                    Ok(())
                });
            read.unwrap();
        }
        records
    }

    /// A store of exactly these records.
    fn of(records: &Records) -> Self {
        let backend = Self::new();
        let mut transaction = backend.write().unwrap();
        for ((table, key), record) in records {
            transaction.put(Table::ALL[*table], key, record).unwrap();
        }
        assert!(matches!(transaction.commit().unwrap(), Commit::Applied));
        backend
    }
}

#[derive(Debug, Clone, Copy)]
enum Operation {
    Put(usize, usize, u8),
    Delete(usize, usize),
    DeleteScope(usize),
    Rekey,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        8 => (0..SCOPES.len(), 0..NAMES.len(), any::<u8>())
            .prop_map(|(scope, name, value)| Operation::Put(scope, name, value)),
        2 => (0..SCOPES.len(), 0..NAMES.len())
            .prop_map(|(scope, name)| Operation::Delete(scope, name)),
        1 => (0..SCOPES.len()).prop_map(Operation::DeleteScope),
        1 => Just(Operation::Rekey),
    ]
}

fn id(at: usize) -> ScopeId {
    SCOPES[at].parse().unwrap()
}

fn name(at: usize) -> SecretName {
    NAMES[at].parse().unwrap()
}

fn apply(store: &Store, operation: Operation) {
    let done = match operation {
        Operation::Put(scope, at, value) => {
            let value = SecretValue::copy_of(&[value]).unwrap();
            let scope = NewScope::env(id(scope));
            let put = store.put(&scope, &name(at), &value, PutMode::Overwrite);
            put.map(drop)
        }
        Operation::Delete(scope, at) => store.delete(&id(scope), &name(at)),
        Operation::DeleteScope(scope) => store.delete_scope(&id(scope)).map(drop),
        Operation::Rekey => store.rotate(RotateIdentity::Keep, &mut |_| ()).map(drop),
    };
    if let Err(error) = done {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
}

fn open(backend: &Shared, key: &Identity) -> Store {
    Store::with_backend(backend.clone(), FixedKeys::new(vec![key.clone()])).unwrap()
}
