//! A re-key that is interrupted, and gone on with by another handle.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{
    NewScope, OnConflict, RotateIdentity, ScopeId, SecretStore, SecretValue, Store,
};

use crate::cluster::Cluster;

const SCOPES: u64 = 6;
const SECRETS: u64 = 200;
/// As much as is kept at once: at the end of a scope, after 500 scopes and secrets.
const BATCH: u64 = 3 * SECRETS;

fn id(number: u64) -> ScopeId {
    format!("s{number}").parse().unwrap()
}

fn fill(store: &Store) {
    for number in 0..SCOPES {
        let secret = |secret: u64| {
            let value = SecretValue::new(format!("{number}/{secret}").into_bytes());
            (format!("K{secret}").parse().unwrap(), value.unwrap())
        };
        let secrets: Vec<_> = (0..SECRETS).map(secret).collect();
        let scope = NewScope::env(id(number));
        store
            .import(&scope, &secrets, OnConflict::Overwrite)
            .unwrap();
    }
}

#[test]
fn a_rekey_is_gone_on_with_by_another_handle() {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let prefix = cluster.new_prefix();
    let identity = Identity::generate();
    let open = || {
        let keys = FixedKeys::new(vec![identity.clone()]);
        Store::with_backend(cluster.open(&prefix), keys).unwrap()
    };
    let store = open();
    fill(&store);
    // In the middle of the first scope after the batch.
    let interrupted = catch_unwind(AssertUnwindSafe(|| {
        store.rotate(RotateIdentity::Keep, &mut |progress| {
            if progress.done == BATCH + SECRETS / 2 {
                resume_unwind(Box::new("interrupted"));
            }
        })
    }));
    assert!(interrupted.is_err());
    let other = open();
    let mut told = Vec::new();
    let rekeyed = other.rotate(RotateIdentity::Keep, &mut |progress| {
        // Readers go on.
        if told.is_empty() {
            store.get(&id(0), &"K0".parse().unwrap()).unwrap();
        }
        told.push(progress.done);
    });
    assert_eq!(rekeyed.unwrap().secrets, SCOPES * SECRETS);
    assert_eq!(told[0], BATCH);
    assert_eq!(told.len() as u64, 1 + SCOPES * SECRETS - BATCH);
    let checked = store.check(&mut |found| panic!("{found}"), &mut |_| {});
    assert_eq!(checked.unwrap().unwrap().secrets, SCOPES * SECRETS);
}
