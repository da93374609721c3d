//! T5: records put back to those of an earlier moment, or of another branch of the store's history, some or all
//! of them: what is read is then of one moment, and a check finds the rest.

#![cfg(test)]

use std::collections::BTreeMap;
use std::sync::Arc;

use mcplexer_secrets::backend::{
    Backend, BackendError, Commit, RedbBackend, Replacement, Snapshot, Table, Transaction,
};
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{
    ErrorKind, NewScope, PutMode, RotateIdentity, ScopeId, SecretName, SecretStore, SecretValue,
    Store,
};
use proptest::collection::vec;
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
}

/// Every record of a store, by table and key.
type Records = BTreeMap<(usize, Vec<u8>), Vec<u8>>;

/// What the store gives out for each secret.
type Values = BTreeMap<(ScopeId, SecretName), Vec<u8>>;

impl Shared {
    fn new() -> Self {
        Self(Arc::new(RedbBackend::in_memory().unwrap()))
    }

    fn records(&self) -> Records {
        let mut records = Records::new();
        let snapshot = self.read().unwrap().unwrap();
        for (number, table) in Table::ALL.into_iter().enumerate() {
            snapshot
                .scan(table, b"", &mut |key, record| {
                    records.insert((number, key.to_vec()), record.to_vec());
                })
                .unwrap();
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
        assert_eq!(transaction.commit().unwrap(), Commit::Applied);
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

/// A moment of a history: the records and what they say.
#[derive(Debug, Clone)]
struct Moment {
    records: Records,
    values: Values,
}

fn values(store: &Store) -> Values {
    let mut values = Values::new();
    for scope in store.scopes().unwrap() {
        for secret in store.list(&scope.id).unwrap() {
            let value = store.get(&scope.id, &secret.name).unwrap();
            let place = (scope.id.clone(), secret.name);
            values.insert(place, value.expose().to_vec());
        }
    }
    values
}

fn open(backend: &Shared, key: &Identity) -> Store {
    Store::with_backend(backend.clone(), FixedKeys::new(vec![key.clone()])).unwrap()
}

/// Does the operations, and returns the moment after each.
fn live(backend: &Shared, key: &Identity, operations: &[Operation]) -> Vec<Moment> {
    let store = open(backend, key);
    let moment = |operation: &Operation| {
        apply(&store, *operation);
        Moment {
            records: backend.records(),
            values: values(&store),
        }
    };
    operations.iter().map(moment).collect()
}

/// The header is this record of the first table.
fn header(records: &Records) -> &Vec<u8> {
    &records[&(0, b"header".to_vec())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 200 } else { 5_000 }))]

    #[test]
    fn no_set_of_records_of_another_moment_goes_unnoticed(
        before in vec(operation(), 1..6),
        after in vec(operation(), 1..6),
        branch in vec(operation(), 0..4),
        other in any::<prop::sample::Index>(),
        taken in vec(any::<bool>(), 64),
    ) {
        let key = Identity::generate();
        let backend = Shared::new();
        let first = [Operation::Put(0, 0, 0)];
        let mut moments = live(&backend, &key, &first);
        moments.extend(live(&backend, &key, &before));
        let forked = Shared::of(&backend.records());
        moments.extend(live(&forked, &key, &branch));
        moments.extend(live(&backend, &key, &after));
        let newest = moments.pop().unwrap();
        let other = other.get(&moments);

        let mut mixed = newest.records.clone();
        let mut taken = taken.into_iter().cycle();
        for key in newest.records.keys().chain(other.records.keys()) {
            if taken.next() == Some(true) {
                match other.records.get(key) {
                    Some(record) => mixed.insert(key.clone(), record.clone()),
                    None => mixed.remove(key),
                };
            }
        }
        if !mixed.contains_key(&(0, b"header".to_vec())) {
            return Ok(());
        }
        // The moment that the header is of is the one that everything else is compared with.
        let of = match header(&mixed) == header(&newest.records) {
            true => &newest,
            false => other,
        };
        let is_whole = mixed == of.records;
        let store = open(&Shared::of(&mixed), &key);
        let mut missing = 0;
        for scope in 0..SCOPES.len() {
            for at in 0..NAMES.len() {
                let place = (id(scope), name(at));
                match (store.get(&place.0, &place.1), of.values.get(&place)) {
                    (Ok(value), expected) => prop_assert_eq!(Some(&value.expose().to_vec()), expected),
                    (Err(error), None) if error.kind() == ErrorKind::NotFound => {}
                    (Err(error), _) => {
                        prop_assert_eq!(error.kind(), ErrorKind::Tampered, "{}", error);
                        missing += 1;
                    }
                }
            }
        }
        let mut found = 0;
        let checked = store.check(&mut |_| found += 1, &mut |_| ());
        prop_assert_eq!(checked.is_ok() && found == 0, is_whole);
        prop_assert!(missing == 0 || !is_whole);
    }
}
