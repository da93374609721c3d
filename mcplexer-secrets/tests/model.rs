//! Random sequences of operations, compared with a model in a `BTreeMap`.

#![cfg(test)]

use std::collections::BTreeMap;

use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{
    Error, MAX_SECRETS_PER_SCOPE, NewScope, PutMode, ScopeId, SecretName, SecretStore, SecretValue,
    Store,
};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

/// Scope → name → (version, value).
type Model = BTreeMap<ScopeId, BTreeMap<SecretName, (u64, Vec<u8>)>>;

#[derive(Debug, Clone)]
enum Operation {
    Put(ScopeId, SecretName, Vec<u8>, Mode),
    Get(ScopeId, SecretName),
    Delete(ScopeId, SecretName),
    CreateScope(ScopeId),
    DeleteScope(ScopeId),
    Reopen,
}

/// A mode, with a version that is sometimes right.
#[derive(Debug, Clone, Copy)]
enum Mode {
    Overwrite,
    Create,
    Replace(u64),
}

fn scope() -> impl Strategy<Value = ScopeId> {
    select(vec!["a", "b", "a.b"]).prop_map(|id| id.parse().unwrap())
}

fn name() -> impl Strategy<Value = SecretName> {
    select(vec!["K", "L", "_", "K2"]).prop_map(|name| name.parse().unwrap())
}

fn operation() -> impl Strategy<Value = Operation> {
    let mode = prop_oneof![
        3 => Just(Mode::Overwrite),
        1 => Just(Mode::Create),
        1 => (1..4u64).prop_map(Mode::Replace),
    ];
    prop_oneof![
        6 => (scope(), name(), vec(any::<u8>(), 1..200), mode)
            .prop_map(|(s, n, v, m)| Operation::Put(s, n, v, m)),
        4 => (scope(), name()).prop_map(|(s, n)| Operation::Get(s, n)),
        2 => (scope(), name()).prop_map(|(s, n)| Operation::Delete(s, n)),
        1 => scope().prop_map(Operation::CreateScope),
        1 => scope().prop_map(Operation::DeleteScope),
        1 => Just(Operation::Reopen),
    ]
}

fn apply(store: &Store, model: &mut Model, operation: Operation) {
    match operation {
        Operation::Put(scope, name, value, mode) => {
            let secret = SecretValue::copy_of(&value).unwrap();
            let found = model.get(&scope).and_then(|secrets| secrets.get(&name));
            let found = found.map(|(version, _)| *version);
            let (mode, allowed) = match mode {
                Mode::Overwrite => (PutMode::Overwrite, true),
                Mode::Create => (PutMode::Create, found.is_none()),
                Mode::Replace(version) => (PutMode::Replace { version }, found == Some(version)),
            };
            match store.put(&NewScope::env(scope.clone()), &name, &secret, mode) {
                Ok(stored) => {
                    assert!(allowed, "{mode:?} over {found:?}");
                    assert_eq!(stored.version, found.unwrap_or(0) + 1);
                    assert_eq!(stored.scope_created, !model.contains_key(&scope));
                    let secrets = model.entry(scope).or_default();
                    secrets.insert(name, (stored.version, value));
                }
                Err(Error::SecretExists { version, .. }) => {
                    assert!(!allowed && found == Some(version));
                }
                Err(Error::VersionMismatch { found: told, .. }) => {
                    assert!(!allowed && found == told);
                }
                Err(error) => panic!("{error}"),
            }
        }
        Operation::Get(scope, name) => {
            let expected = model.get(&scope).map(|secrets| secrets.get(&name));
            match (store.get(&scope, &name), expected) {
                (Ok(value), Some(Some((_, expected)))) => assert_eq!(value.expose(), expected),
                (Err(Error::SecretNotFound { .. }), Some(None))
                | (Err(Error::ScopeNotFound { .. }), None) => {}
                (result, expected) => panic!("{result:?} where the model has {expected:?}"),
            }
        }
        Operation::Delete(scope, name) => {
            let expected = model.get_mut(&scope).map(|secrets| secrets.remove(&name));
            match (store.delete(&scope, &name), expected) {
                (Ok(()), Some(Some(_)))
                | (Err(Error::SecretNotFound { .. }), Some(None))
                | (Err(Error::ScopeNotFound { .. }), None) => {}
                (result, expected) => panic!("{result:?} where the model has {expected:?}"),
            }
        }
        Operation::CreateScope(scope) => {
            let created = store.create_scope(&NewScope::env(scope.clone()));
            assert_eq!(created.is_ok(), !model.contains_key(&scope), "{created:?}");
            model.entry(scope).or_default();
        }
        Operation::DeleteScope(scope) => match (store.delete_scope(&scope), model.remove(&scope)) {
            (Ok(count), Some(secrets)) => assert_eq!(count, secrets.len()),
            (Err(Error::ScopeNotFound { .. }), None) => {}
            (result, expected) => panic!("{result:?} where the model has {expected:?}"),
        },
        Operation::Reopen => {}
    }
}

/// Checks that the store has everything in the model and nothing else.
fn compare(store: &Store, model: &Model) {
    let scopes = store.scopes().unwrap();
    let counts: Vec<_> = scopes.iter().map(|info| (&info.id, info.secrets)).collect();
    let expected: Vec<_> = model
        .iter()
        .map(|(id, secrets)| (id, secrets.len()))
        .collect();
    assert_eq!(counts, expected);
    for (scope, secrets) in model {
        let list = store.list(scope).unwrap();
        let versions: Vec<_> = list.iter().map(|info| (&info.name, info.version)).collect();
        let expected: Vec<_> = secrets
            .iter()
            .map(|(name, (version, _))| (name, *version))
            .collect();
        assert_eq!(versions, expected);
        for (name, (_, value)) in secrets {
            assert_eq!(store.get(scope, name).unwrap().expose(), value);
        }
    }
}

fn run(cases: u32, file: bool) {
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let identity = Identity::generate();
    let keys = || FixedKeys::new(vec![identity.clone()]);
    let result = runner.run(&vec(operation(), 1..40), |operations| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secrets.redb");
        let open = || match file {
            true => Store::open(&path, keys()).unwrap(),
            false => Store::in_memory(keys()).unwrap(),
        };
        let mut store = open();
        let mut model = Model::new();
        for operation in operations {
            if file && matches!(operation, Operation::Reopen) {
                drop(store);
                store = open();
                compare(&store, &model);
            }
            apply(&store, &mut model, operation);
        }
        compare(&store, &model);
        Ok(())
    });
    result.unwrap();
}

#[test]
fn a_store_in_a_file_does_what_the_model_does() {
    run(48, true);
}

#[test]
fn a_store_in_memory_does_what_the_model_does() {
    run(128, false);
}

#[test]
#[ignore = "minutes: fills a scope to the last secret it can hold"]
fn a_full_scope_says_so() {
    let store = Store::in_memory(FixedKeys::generate()).unwrap();
    let scope: ScopeId = "s".parse().unwrap();
    let value = SecretValue::copy_of(b"v").unwrap();
    let put = |number: usize| {
        let name: SecretName = format!("K{number}").parse().unwrap();
        store.put(
            &NewScope::env(scope.clone()),
            &name,
            &value,
            PutMode::Overwrite,
        )
    };
    for number in 0..MAX_SECRETS_PER_SCOPE {
        put(number).unwrap();
    }
    let error = put(MAX_SECRETS_PER_SCOPE).unwrap_err();
    assert!(matches!(error, Error::ScopeFull { .. }), "{error}");
    assert_eq!(put(7).unwrap().version, 2, "what is there can be replaced");
    assert_eq!(store.list(&scope).unwrap().len(), MAX_SECRETS_PER_SCOPE);
}

#[test]
#[ignore = "a minute: the long run of the two above"]
fn the_model_holds_for_long() {
    run(2000, true);
    run(5000, false);
}
