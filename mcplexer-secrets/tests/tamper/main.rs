//! An attacker edits the store's file through redb. The read must fail as tampered, and name the
//! damage.

#![cfg(test)]

mod lists;
mod values;
mod versions;

use std::path::PathBuf;

use mcplexer_secrets::keys::{Ask, FixedKeys, Identity, KeyError, KeyProvider};
use mcplexer_secrets::{
    Error, ErrorKind, Finding, NewScope, PutMode, RecordName, ScopeId, SecretName, SecretStore,
    SecretValue, Store,
};
use redb::{Builder, ConcurrencyMode, Database, ReadableTable, TableDefinition, WriteTransaction};
use tempfile::TempDir;

type Table<'a> = TableDefinition<'a, &'static [u8], &'static [u8]>;
const META: Table<'_> = TableDefinition::new("meta");
const SCOPES: Table<'_> = TableDefinition::new("scopes");
const SECRETS: Table<'_> = TableDefinition::new("secrets");

/// A store with `a/K`, `a/L` and `b/K`, and the means to edit its file.
struct Victim {
    _directory: TempDir,
    path: PathBuf,
    identity: Identity,
}

impl Victim {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secrets.redb");
        let identity = Identity::generate();
        let victim = Self {
            _directory: directory,
            path,
            identity,
        };
        victim.put("a", "K", b"a/K");
        victim.put("a", "L", b"a/L");
        victim.put("b", "K", b"b/K");
        victim
    }

    fn store(&self) -> Store {
        Store::open(&self.path, FixedKeys::new(vec![self.identity.clone()])).unwrap()
    }

    fn put(&self, scope: &str, name: &str, value: &[u8]) {
        let value = SecretValue::copy_of(value).unwrap();
        let (scope, name) = (id(scope), name_of(name));
        let store = self.store();
        store
            .put(
                &NewScope::env(scope.clone()),
                &name,
                &value,
                PutMode::Overwrite,
            )
            .unwrap();
    }

    fn get(&self, scope: &str, name: &str) -> Result<Vec<u8>, Error> {
        let value = self.store().get(&id(scope), &name_of(name))?;
        Ok(value.expose().to_vec())
    }

    fn edit(&self, work: impl FnOnce(&WriteTransaction)) {
        let database: Database = Builder::new()
            .set_concurrency_mode(ConcurrencyMode::MultiWriter)
            .open(&self.path)
            .unwrap();
        let transaction = database.begin_write().unwrap();
        work(&transaction);
        transaction.commit().unwrap();
    }

    fn record(&self, table: Table<'_>, key: &[u8]) -> Vec<u8> {
        let mut record = None;
        self.edit(|transaction| {
            let table = transaction.open_table(table).unwrap();
            record = table
                .get(key)
                .unwrap()
                .map(|record| record.value().to_vec());
        });
        record.expect("the record to copy")
    }

    fn set(&self, table: Table<'_>, key: &[u8], record: &[u8]) {
        self.edit(|transaction| {
            let mut table = transaction.open_table(table).unwrap();
            table.insert(key, record).unwrap();
        });
    }

    fn remove(&self, table: Table<'_>, key: &[u8]) -> Vec<u8> {
        let record = self.record(table, key);
        self.edit(|transaction| {
            transaction.open_table(table).unwrap().remove(key).unwrap();
        });
        record
    }

    /// Returns the keys in a table that begin so.
    fn keys(&self, table: Table<'_>, prefix: &[u8]) -> Vec<Vec<u8>> {
        let mut keys = Vec::new();
        self.edit(|transaction| {
            let table = transaction.open_table(table).unwrap();
            let from_prefix = table.range(prefix..).unwrap();
            let all = from_prefix.map(|entry| entry.unwrap().0.value().to_vec());
            keys = all.take_while(|key| key.starts_with(prefix)).collect();
        });
        keys
    }

    /// Checks that all reads of the damaged record fail with this finding first.
    fn assert_get_fails(&self, scope: &str, name: &str, record: &RecordName, finding: Finding) {
        assert_tampered(self.get(scope, name), record, finding);
    }
}

fn id(text: &str) -> ScopeId {
    text.parse().unwrap()
}

fn name_of(text: &str) -> SecretName {
    text.parse().unwrap()
}

fn scope(text: &str) -> RecordName {
    RecordName::Scope(id(text))
}

fn secret(scope: &str, name: &str) -> RecordName {
    RecordName::Secret(id(scope), name_of(name))
}

fn assert_tampered<T: std::fmt::Debug>(
    result: Result<T, Error>,
    expected: &RecordName,
    expected_finding: Finding,
) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tampered);
    let Error::Tampered { record, finding } = &error else {
        panic!("{error}");
    };
    assert_eq!((record, *finding), (expected, expected_finding));
}

/// F14: the public key is enough to wrap a new root key, but not to forge anything with it.
#[test]
fn records_made_with_the_public_key_alone_do_not_open() {
    let victim = Victim::new();
    let forger = Victim {
        identity: victim.identity.clone(),
        ..Victim::new()
    };
    std::fs::remove_file(&forger.path).unwrap();
    // The forger's store is encrypted to the victim's recipient, with another root key.
    forger.put("a", "K", b"forged");
    forger.put("a", "L", b"forged");
    let forged = forger.record(SECRETS, b"a\0K");
    victim.set(SECRETS, b"a\0K", &forged);
    victim.assert_get_fails("a", "K", &secret("a", "K"), Finding::NotAsSealed);
    let forged = forger.record(SCOPES, b"a");
    victim.set(SCOPES, b"a", &forged);
    victim.assert_get_fails("a", "K", &scope("a"), Finding::NotAsSealed);
    let (header, owners) = (
        forger.record(META, b"header"),
        forger.record(META, b"owners"),
    );
    victim.set(META, b"header", &header);
    victim.assert_get_fails("b", "K", &RecordName::Owners, Finding::NotAsSealed);
    victim.set(META, b"owners", &owners);
    victim.assert_get_fails("b", "K", &RecordName::ScopeList, Finding::NotAsSealed);
}

#[test]
fn an_unknown_format_is_an_error_that_names_both_versions() {
    let victim = Victim::new();
    let mut header = victim.record(META, b"header");
    header[0] = 2;
    victim.set(META, b"header", &header);
    let keys = FixedKeys::new(vec![victim.identity.clone()]);
    let read = Store::open(&victim.path, keys);
    let error = read.unwrap_err();
    assert!(
        matches!(
            error,
            Error::UnsupportedFormat {
                found: 2,
                supported: 1,
                ..
            }
        ),
        "{error}"
    );
}

/// A provider whose key is elsewhere.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn identities(&self, _ask: Ask) -> Result<Vec<Identity>, KeyError> {
        Err(KeyError::NoIdentity)
    }
}

#[test]
fn a_list_needs_no_key_and_still_sees_what_is_missing() {
    let victim = Victim::new();
    let locked = || Store::open(&victim.path, NoKeys).unwrap();
    assert_eq!(locked().list(&id("a")).unwrap().len(), 2);
    assert_eq!(locked().scopes().unwrap().len(), 2);
    victim.remove(SECRETS, b"a\0K");
    let list = locked().list(&id("a"));
    assert_tampered(list, &secret("a", "K"), Finding::Missing);
    victim.remove(SCOPES, b"b");
    assert_tampered(locked().scopes(), &scope("b"), Finding::Missing);
}

/// A damaged secret can be stored again, or deleted.
#[test]
fn a_damaged_secret_can_be_put_again_and_a_damaged_scope_deleted() {
    let victim = Victim::new();
    victim.remove(SECRETS, b"a\0K");
    victim.put("a", "K", b"again");
    assert_eq!(victim.get("a", "K").unwrap(), b"again");
    victim.remove(SECRETS, b"a\0L");
    victim.store().delete(&id("a"), &name_of("L")).unwrap();
    assert_eq!(victim.store().list(&id("a")).unwrap().len(), 1);
    victim.set(SCOPES, b"b", b"\x01garbage");
    assert!(victim.get("b", "K").is_err());
    assert_eq!(victim.store().delete_scope(&id("b")).unwrap(), 1);
    assert_eq!(victim.store().scopes().unwrap().len(), 1);
}
