//! What an operation costs over a network.

use std::sync::Arc;

use mcplexer_secrets::keys::FixedKeys;
use mcplexer_secrets::{NewScope, Purpose, PutMode, SecretStore, SecretValue, Select, Store};

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
