//! Random sequences of operations, compared with a model in a `BTreeMap`.

#![cfg(test)]

use std::collections::BTreeMap;

use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{
    DEFAULT_KEEP_VERSIONS, Error, MAX_SECRETS_PER_SCOPE, NewScope, PutMode, RotateIdentity,
    ScopeId, SecretName, SecretStore, SecretValue, Store,
};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

/// Versions with their values, the newest last.
type Versions = Vec<(u64, Vec<u8>)>;

/// A scope, and a name in it.
type Place = (ScopeId, SecretName);

/// Scope → how many earlier versions it keeps, and name → versions.
type Model = BTreeMap<ScopeId, (u8, BTreeMap<SecretName, Versions>)>;

#[derive(Debug, Clone)]
enum Operation {
    Put(ScopeId, SecretName, Vec<u8>, Mode),
    Get(ScopeId, SecretName),
    Delete(ScopeId, SecretName),
    CreateScope(ScopeId),
    DeleteScope(ScopeId),
    KeepVersions(ScopeId, u8),
    RestoreVersion(ScopeId, SecretName, u64),
    Copy(Place, Place, Mode),
    Move(Place, Place, Mode),
    RenameScope(ScopeId, ScopeId),
    Rekey,
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
    // One of them is chosen often enough to have more versions than a scope keeps.
    select(vec!["K", "K", "K", "L", "_", "K2"]).prop_map(|name| name.parse().unwrap())
}

fn operation() -> impl Strategy<Value = Operation> {
    let mode = || {
        prop_oneof![
            3 => Just(Mode::Overwrite),
            1 => Just(Mode::Create),
            1 => (1..4u64).prop_map(Mode::Replace),
        ]
    };
    let place = || (scope(), name());
    prop_oneof![
        12 => (scope(), name(), vec(any::<u8>(), 1..200), mode())
            .prop_map(|(s, n, v, m)| Operation::Put(s, n, v, m)),
        4 => (scope(), name()).prop_map(|(s, n)| Operation::Get(s, n)),
        2 => (scope(), name()).prop_map(|(s, n)| Operation::Delete(s, n)),
        1 => scope().prop_map(Operation::CreateScope),
        1 => scope().prop_map(Operation::DeleteScope),
        5 => (scope(), 0..4u8).prop_map(|(s, keep)| Operation::KeepVersions(s, keep)),
        2 => (scope(), name(), 0..6u64).prop_map(|(s, n, v)| Operation::RestoreVersion(s, n, v)),
        3 => (place(), place(), mode()).prop_map(|(f, t, m)| Operation::Copy(f, t, m)),
        8 => (place(), place(), mode()).prop_map(|(f, t, m)| Operation::Move(f, t, m)),
        1 => (scope(), scope()).prop_map(|(f, t)| Operation::RenameScope(f, t)),
        1 => Just(Operation::Rekey),
        1 => Just(Operation::Reopen),
    ]
}

fn apply(store: &Store, model: &mut Model, operation: Operation) {
    match operation {
        Operation::Put(scope, name, value, mode) => {
            let secret = SecretValue::copy_of(&value).unwrap();
            let found = newest(model, &scope, &name).map(|(version, _)| *version);
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
                    put_next(model, scope, name, value);
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
            let expected = newest(model, &scope, &name);
            let expected = model.contains_key(&scope).then_some(expected);
            match (store.get(&scope, &name), expected) {
                (Ok(value), Some(Some((_, expected)))) => assert_eq!(value.expose(), expected),
                (Err(Error::SecretNotFound { .. }), Some(None))
                | (Err(Error::ScopeNotFound { .. }), None) => {}
                (result, expected) => panic!("{result:?} where the model has {expected:?}"),
            }
        }
        Operation::Delete(scope, name) => {
            let expected = model.get_mut(&scope);
            let expected = expected.map(|(_, secrets)| secrets.remove(&name));
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
            model.entry(scope).or_insert_with(new_scope);
        }
        Operation::DeleteScope(scope) => match (store.delete_scope(&scope), model.remove(&scope)) {
            (Ok(count), Some((_, secrets))) => assert_eq!(count, secrets.len()),
            (Err(Error::ScopeNotFound { .. }), None) => {}
            (result, expected) => panic!("{result:?} where the model has {expected:?}"),
        },
        Operation::KeepVersions(scope, keep_versions) => {
            let updated = store.update_scope(&NewScope {
                keep_versions,
                ..NewScope::env(scope.clone())
            });
            match (updated, model.get_mut(&scope)) {
                (Ok(changed), Some((keep, _))) => {
                    assert_eq!(changed, *keep != keep_versions);
                    *keep = keep_versions;
                }
                (Err(Error::ScopeNotFound { .. }), None) => {}
                (result, expected) => panic!("{result:?} where the model has {expected:?}"),
            }
        }
        Operation::RestoreVersion(scope, name, version) => {
            let restored = store.restore_version(&scope, &name, version);
            let versions = model.get(&scope).map(|(_, secrets)| secrets.get(&name));
            let value = |versions: &Versions| {
                let found = versions.iter().find(|(number, _)| *number == version);
                found.map(|(_, value)| value.clone())
            };
            match (restored, versions.map(|it| it.map(value))) {
                (Ok(stored), Some(Some(Some(value)))) => {
                    let before = newest(model, &scope, &name).map(|(version, _)| *version);
                    assert_eq!(Some(stored.version - 1), before);
                    put_next(model, scope, name, value);
                }
                (Err(Error::VersionNotFound { .. }), Some(Some(None)))
                | (Err(Error::SecretNotFound { .. }), Some(None))
                | (Err(Error::ScopeNotFound { .. }), None) => {}
                (result, expected) => panic!("{result:?} where the model has {expected:?}"),
            }
        }
        Operation::Copy(from, to, mode) => {
            let (mode, expected) = arrival(model, &from, &to, mode);
            let new = NewScope::env(to.0.clone());
            let copied = store.copy((&from.0, &from.1), (&new, &to.1), mode);
            match (copied, expected) {
                (Ok(stored), Ok(versions)) => {
                    assert_eq!(stored.scope_created, !model.contains_key(&to.0));
                    let (_, value) = versions.last().unwrap().clone();
                    put_next(model, to.0.clone(), to.1.clone(), value);
                    let newest = newest(model, &to.0, &to.1).unwrap();
                    assert_eq!(stored.version, newest.0);
                }
                (result, expected) => assert_refused(&result, &expected),
            }
        }
        Operation::Move(from, to, mode) => {
            let (mode, expected) = arrival(model, &from, &to, mode);
            let new = NewScope::env(to.0.clone());
            let moved = store.move_secret((&from.0, &from.1), (&new, &to.1), mode);
            match (moved, expected) {
                (Ok(moved), Ok(mut versions)) => {
                    assert_eq!(moved.scope_created, !model.contains_key(&to.0));
                    model.get_mut(&from.0).unwrap().1.remove(&from.1);
                    let (keep, secrets) = model.entry(to.0).or_insert_with(new_scope);
                    let beyond = versions.len().saturating_sub(usize::from(*keep) + 1);
                    versions.drain(..beyond);
                    assert_eq!(moved.left_out, beyond);
                    assert_eq!(moved.earlier, versions.len() - 1);
                    assert_eq!(moved.version, versions.last().unwrap().0);
                    secrets.insert(to.1, versions);
                }
                (result, expected) => assert_refused(&result, &expected),
            }
        }
        Operation::RenameScope(scope, new) => {
            let renamed = store.rename_scope(&scope, &new);
            match (
                renamed,
                model.contains_key(&scope),
                model.contains_key(&new),
            ) {
                (Ok(count), true, false) => {
                    let content = model.remove(&scope).unwrap();
                    assert_eq!(count, content.1.len());
                    model.insert(new, content);
                }
                (Err(Error::ScopeNotFound { .. }), false, _)
                | (Err(Error::ScopeExists { .. }), true, true) => {}
                (result, from, to) => panic!("{result:?}: scope {from}, new one {to}"),
            }
        }
        Operation::Rekey => match store.rotate(RotateIdentity::Keep, &mut |_| ()) {
            Ok(_) => {}
            Err(Error::NoStore) => assert!(model.is_empty()),
            Err(error) => panic!("{error}"),
        },
        Operation::Reopen => {}
    }
}

/// Why a secret does not get to another place.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    NoScope,
    NoSecret,
    Exists(u64),
    OtherVersion(Option<u64>),
}

/// Returns the mode as the store takes it, and the versions that arrive at a place, or why none does.
fn arrival(
    model: &Model,
    from: &Place,
    to: &Place,
    mode: Mode,
) -> (PutMode, Result<Versions, Refusal>) {
    let found = newest(model, &to.0, &to.1).map(|(version, _)| *version);
    let (mode, refusal) = match mode {
        Mode::Overwrite => (PutMode::Overwrite, None),
        Mode::Create => (PutMode::Create, found.map(Refusal::Exists)),
        Mode::Replace(version) => {
            let differs = found != Some(version);
            let refusal = differs.then_some(Refusal::OtherVersion(found));
            (PutMode::Replace { version }, refusal)
        }
    };
    let versions = match model.get(&from.0).map(|(_, secrets)| secrets.get(&from.1)) {
        None => Err(Refusal::NoScope),
        Some(None) => Err(Refusal::NoSecret),
        // A place does not take its own secret, whatever the mode.
        Some(Some(versions)) if from == to => Err(Refusal::Exists(versions.last().unwrap().0)),
        Some(Some(versions)) => refusal.map_or_else(|| Ok(versions.clone()), Err),
    };
    (mode, versions)
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(
    result: &Result<T, Error>,
    expected: &Result<Versions, Refusal>,
) {
    let refusal = match result {
        Err(Error::ScopeNotFound { .. }) => Refusal::NoScope,
        Err(Error::SecretNotFound { .. }) => Refusal::NoSecret,
        Err(Error::SecretExists { version, .. }) => Refusal::Exists(*version),
        Err(Error::VersionMismatch { found, .. }) => Refusal::OtherVersion(*found),
        _ => panic!("{result:?} where the model has {expected:?}"),
    };
    assert_eq!(Some(&refusal), expected.as_ref().err(), "{result:?}");
}

fn new_scope() -> (u8, BTreeMap<SecretName, Versions>) {
    (DEFAULT_KEEP_VERSIONS, BTreeMap::new())
}

fn newest<'a>(model: &'a Model, scope: &ScopeId, name: &SecretName) -> Option<&'a (u64, Vec<u8>)> {
    model.get(scope)?.1.get(name)?.last()
}

fn put_next(model: &mut Model, scope: ScopeId, name: SecretName, value: Vec<u8>) {
    let (keep, secrets) = model.entry(scope).or_insert_with(new_scope);
    let versions = secrets.entry(name).or_default();
    let version = versions.last().map_or(1, |(version, _)| version + 1);
    versions.push((version, value));
    let beyond = versions.len().saturating_sub(usize::from(*keep) + 1);
    versions.drain(..beyond);
}

/// Checks that the store has everything in the model and nothing else.
fn compare(store: &Store, model: &Model) {
    let scopes = store.scopes().unwrap();
    let counts: Vec<_> = scopes.iter().map(|info| (&info.id, info.secrets)).collect();
    let expected: Vec<_> = model
        .iter()
        .map(|(id, (_, secrets))| (id, secrets.len()))
        .collect();
    assert_eq!(counts, expected);
    for (scope, (keep, secrets)) in model {
        assert_eq!(store.scope(scope).unwrap().keep_versions, *keep);
        let list = store.list(scope).unwrap();
        let versions: Vec<_> = list.iter().map(|info| (&info.name, info.version)).collect();
        let expected: Vec<_> = secrets
            .iter()
            .map(|(name, versions)| (name, versions.last().unwrap().0))
            .collect();
        assert_eq!(versions, expected);
        for (name, versions) in secrets {
            let newest = &versions.last().unwrap().1;
            assert_eq!(store.get(scope, name).unwrap().expose(), newest);
            let history = store.history(scope, name).unwrap();
            let history: Vec<_> = history.iter().rev().map(|it| it.version).collect();
            let expected: Vec<_> = versions.iter().map(|it| it.0).collect();
            assert_eq!(history, expected);
            for (version, value) in versions {
                let opened = store.get_version(scope, name, *version).unwrap();
                assert_eq!(opened.expose(), value);
            }
        }
    }
    let mut problem = |error: Error| panic!("{error}");
    store.check(&mut problem, &mut |_| ()).unwrap();
}

fn run(cases: u32, file: bool) {
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let identity = Identity::generate();
    let keys = || FixedKeys::new(vec![identity.clone()]);
    let result = runner.run(&vec(operation(), 1..80), |operations| {
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
