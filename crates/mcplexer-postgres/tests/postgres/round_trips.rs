//! What an operation costs over a network.

use std::sync::Arc;

use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{
    NewScope, OnConflict, Purpose, PutMode, SecretName, SecretStore, SecretValue, Select, Store,
};

use crate::server::{backend, place};

#[test]
fn a_get_takes_one_round_trip_and_a_put_three() {
    let Some(place) = place() else { return };
    let backend = Arc::new(backend(&place));
    let store = Store::with_backend(Arc::clone(&backend), FixedKeys::generate()).unwrap();
    let (id, value) = (
        "s".parse().unwrap(),
        SecretValue::new(b"value".to_vec()).unwrap(),
    );
    let scope = NewScope::env(id);
    let put = |number: u32| {
        let name = format!("KEY_{number}").parse().unwrap();
        store
            .put(&scope, &name, &value, PutMode::Overwrite)
            .unwrap();
        name
    };
    let names: Vec<_> = (0..10).map(put).collect();
    let costs = |work: &dyn Fn()| {
        let before = backend.round_trips();
        work();
        backend.round_trips() - before
    };
    let get = costs(&|| drop(store.get(&scope.id, &names[3]).unwrap()));
    assert_eq!(get, 1, "get");
    let replace = costs(&|| drop(put(3)));
    assert!(replace <= 3, "put: {replace}");
    let create = costs(&|| drop(put(10)));
    assert!(create <= 3, "a first put: {create}");
    let credentials = costs(&|| {
        let opened = store.credentials(&scope.id, Select::Only(&names), Purpose::Export);
        drop(opened.unwrap());
    });
    assert!(credentials <= 2, "credentials: {credentials}");
}

#[test]
fn a_scope_that_is_not_open_takes_no_further_round_trip() {
    const SCOPES: u32 = 10;
    let Some(place) = place() else { return };
    let identity = Identity::generate();
    let keys = || FixedKeys::new(vec![identity.clone()]);
    let value = || SecretValue::new(b"value".to_vec()).unwrap();
    // On several pages.
    let names: Vec<SecretName> = (0..200)
        .map(|number| format!("KEY_{number}").parse().unwrap())
        .collect();
    let secrets: Vec<_> = names.iter().map(|it| (it.clone(), value())).collect();
    let scopes: Vec<_> = (0..SCOPES)
        .map(|number| NewScope::env(format!("scope-{number}").parse().unwrap()))
        .collect();
    let imports: Vec<_> = scopes.iter().map(|it| (it.clone(), &*secrets)).collect();
    let writer = Store::with_backend(backend(&place), keys()).unwrap();
    writer.import_all(&imports, OnConflict::Fail).unwrap();

    let backend = Arc::new(backend(&place));
    let store = Store::with_backend(Arc::clone(&backend), keys()).unwrap();
    store.get(&scopes[0].id, &names[0]).unwrap();
    let before = backend.round_trips();
    for (scope, name) in scopes.iter().zip(&names).skip(1) {
        store.get(&scope.id, name).unwrap();
    }
    assert_eq!(backend.round_trips() - before, u64::from(SCOPES) - 1);
}
