//! T5: records put back to those of an earlier moment, or of another branch of the store's history, some or all
//! of them: what is read is then of one moment, and a check finds the rest.

use std::collections::BTreeMap;

use mcplexer_secrets::keys::Identity;
use mcplexer_secrets::{Error, ErrorKind, ScopeId, SecretName, SecretStore, SecretValue, Store};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{NAMES, Operation, Records, SCOPES, Shared, apply, id, name, open, operation};

/// What the store gives out for each version of each secret; 0 stands for the current one.
type Values = BTreeMap<(ScopeId, SecretName, u64), Vec<u8>>;

/// Each place where a value may be: of each secret the current version, and the first ones by number.
fn places() -> impl Iterator<Item = (ScopeId, SecretName, u64)> {
    (0..SCOPES.len()).flat_map(|scope| {
        let names = 0..NAMES.len();
        names.flat_map(move |at| (0..8).map(move |version| (id(scope), name(at), version)))
    })
}

/// A moment of a history: the records and what they say.
#[derive(Debug, Clone)]
struct Moment {
    records: Records,
    values: Values,
}

fn get(
    store: &Store,
    scope: &ScopeId,
    name: &SecretName,
    version: u64,
) -> Result<SecretValue, Error> {
    match version {
        0 => store.get(scope, name),
        version => store.get_version(scope, name, version),
    }
}

fn values(store: &Store) -> Values {
    let mut values = Values::new();
    for scope in store.scopes().unwrap() {
        for secret in store.list(&scope.id).unwrap() {
            let history = store.history(&scope.id, &secret.name).unwrap();
            for version in history.iter().map(|it| it.version).chain([0]) {
                let value = get(store, &scope.id, &secret.name, version).unwrap();
                let place = (scope.id.clone(), secret.name.clone(), version);
                values.insert(place, value.expose().to_vec());
            }
        }
    }
    values
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
        for place in places() {
            let value = get(&store, &place.0, &place.1, place.2);
            match (value, of.values.get(&place)) {
                (Ok(value), expected) => prop_assert_eq!(Some(&value.expose().to_vec()), expected),
                (Err(error), None) if error.kind() == ErrorKind::NotFound => {}
                (Err(error), _) => {
                    prop_assert_eq!(error.kind(), ErrorKind::Tampered, "{}", error);
                    missing += 1;
                }
            }
        }
        let mut found = 0;
        let checked = store.check(&mut |_| found += 1, &mut |_| ());
        prop_assert_eq!(checked.is_ok() && found == 0, is_whole);
        prop_assert!(missing == 0 || !is_whole);
    }
}
