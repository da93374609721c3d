//! Changes that are larger than a commit may be, and writers whose patience ends.

use std::time::Duration;

use mcplexer_secrets::audit::MemoryAudit;
use mcplexer_secrets::backend::{Backend, BackendErrorKind};
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{
    Error, ImportAction, NewScope, OnConflict, ScopeId, SecretName, SecretStore, SecretValue,
    Store, StoreOptions,
};

use crate::cluster::Cluster;

const SECRETS: usize = 2000;

fn secrets(bytes: &[u8]) -> Vec<(SecretName, SecretValue)> {
    let secret = |at| {
        let value = SecretValue::copy_of(bytes).unwrap();
        (format!("KEY_{at}").parse().unwrap(), value)
    };
    (0..SECRETS).map(secret).collect()
}

#[test]
fn an_import_of_2000_secrets_is_cut_and_a_scope_of_2000_is_not_renamed() {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let keys = FixedKeys::new(vec![Identity::generate()]);
    let store = Store::with_backend(cluster.open(&cluster.new_prefix()), keys).unwrap();
    let store = store.with_audit_log(MemoryAudit::new().unwrap());
    let id: ScopeId = "s".parse().unwrap();
    let scope = NewScope::env(id.clone());
    let all = SECRETS as u64;
    for (bytes, action) in [
        (b"one", ImportAction::Add),
        (b"two", ImportAction::Replace),
        (b"two", ImportAction::Same),
    ] {
        let imported = store.import(&scope, &secrets(bytes), OnConflict::Overwrite);
        assert_eq!(imported.unwrap().count(action), all);
        let checked = store.check(&mut |found| panic!("{found}"), &mut |_| {});
        checked.unwrap();
    }
    let refused = store.rename_scope(&id, &"t".parse().unwrap());
    let Err(Error::Backend(error)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(error.kind(), BackendErrorKind::TooLarge);
    assert!(error.to_string().contains("500 records"), "{error}");
    assert_eq!(store.delete_scope(&id).unwrap(), SECRETS);
}

#[test]
fn a_writer_waits_no_longer_than_its_patience() {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let prefix = cluster.new_prefix();
    let holder = cluster.open(&prefix);
    let transaction = holder.write().unwrap();
    let options = StoreOptions::default().with_patience(Duration::from_millis(200));
    let other = cluster.open(&prefix).with_options(&options);
    let error = other.write().err().unwrap();
    assert_eq!(error.kind(), BackendErrorKind::Busy, "{error}");
    drop(transaction);
}
