//! Moving a store to another place.

#![cfg(test)]

mod interrupted;
mod observed;
mod refused;
mod whole;

use mcplexer_secrets::audit::FileAudit;
use mcplexer_secrets::backend::Table;
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{Error, NewScope, PutMode, SecretStore, SecretValue, Store, Transferred};
use tempfile::TempDir;

use observed::Observed;

/// What people call the two places.
const OLD: &str = "file:old";
const NEW: &str = "postgres://db.example/team";

/// Two places, and somebody with a key and a log.
struct Fixture {
    old: Observed,
    new: Observed,
    identity: Identity,
    directory: TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self::between(Observed::new(), Observed::new())
    }

    /// A store with some scopes, secrets and versions at the first place.
    fn between(old: Observed, new: Observed) -> Self {
        let fixture = Self {
            old,
            new,
            identity: Identity::generate(),
            directory: tempfile::tempdir().unwrap(),
        };
        let store = fixture.at_old();
        for scope in ["a", "b", "c"] {
            for number in 0..40 {
                put(&store, scope, &format!("K{number}"), "first").unwrap();
            }
            put(&store, scope, "K7", "second").unwrap();
        }
        fixture
    }

    fn at(&self, place: &Observed) -> Result<Store, Error> {
        let keys = FixedKeys::new(vec![self.identity.clone()]);
        let log = FileAudit::new(self.directory.path().join("audit.log"));
        Ok(Store::with_backend(place.clone(), keys)?.with_audit_log(log))
    }

    fn at_old(&self) -> Store {
        self.at(&self.old).unwrap()
    }

    fn at_new(&self) -> Store {
        self.at(&self.new).unwrap()
    }

    fn go(&self) -> Result<Transferred, Error> {
        self.at_old().move_to(self.new.clone(), NEW, &mut |_| ())
    }

    fn go_back(&self) -> Result<Transferred, Error> {
        self.at_new().move_to(self.old.clone(), OLD, &mut |_| ())
    }

    /// Everything opens, and the log agrees.
    fn check(&self, store: &Store) {
        let mut found = Vec::new();
        store.check(&mut |it| found.push(it), &mut |_| ()).unwrap();
        assert!(found.is_empty(), "{found:?}");
        let log = self.directory.path().join("audit.log");
        store.verify_audit(&log, None).unwrap();
    }
}

fn put(store: &Store, scope: &str, name: &str, value: &str) -> Result<(), Error> {
    let value = SecretValue::copy_of(value.as_bytes()).unwrap();
    let scope = NewScope::env(scope.parse().unwrap());
    let name = name.parse().unwrap();
    store.put(&scope, &name, &value, PutMode::Overwrite)?;
    Ok(())
}

fn get(store: &Store, scope: &str, name: &str) -> Result<String, Error> {
    let value = store.get(&scope.parse().unwrap(), &name.parse().unwrap())?;
    Ok(String::from_utf8(value.expose().to_vec()).unwrap())
}

fn is_moved(result: &Result<(), Error>, place: &str) -> bool {
    matches!(result, Err(Error::Moved { to }) if to == place)
}

/// The records but the header, which says at the old place that the store was moved.
fn without_header(place: &Observed) -> Vec<(Table, Vec<u8>, Vec<u8>)> {
    let mut records = place.records();
    records.retain(|(table, key, _)| (*table, &**key) != (Table::Meta, b"header"));
    records
}
