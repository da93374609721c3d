//! A secret's life: its earlier versions, what is said about it, and which of two copies is newer.

#![cfg(test)]

mod copies;
mod moves;
mod said;

use std::fs;
use std::path::PathBuf;

use mcplexer_secrets::audit::{AuditOperation, FileAudit, read_audit_log};
use mcplexer_secrets::backup::{Backup, BackupKey, BackupTo};
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{
    Change, Error, NewScope, PutMode, RestoreAction, RestoreMode, RotateIdentity, ScopeId,
    SecretEdit, SecretInfo, SecretName, SecretStore, SecretValue, Store, Stored, Timestamp,
};
use tempfile::TempDir;

/// A store in a file.
struct Place {
    directory: TempDir,
    identity: Identity,
    store: Store,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let identity = Identity::generate();
        let keys = FixedKeys::new(vec![identity.clone()]);
        let store = Store::open(directory.path().join("secrets.redb"), keys).unwrap();
        Self {
            directory,
            identity,
            store,
        }
    }

    /// Returns a copy of the store with the same key.
    fn copied(&self) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("secrets.redb");
        fs::copy(self.directory.path().join("secrets.redb"), &file).unwrap();
        let keys = FixedKeys::new(vec![self.identity.clone()]);
        Self {
            store: Store::open(file, keys).unwrap(),
            identity: self.identity.clone(),
            directory,
        }
    }

    fn put(&self, name: &str, value: &str) -> Stored {
        self.put_with(name, value, &SecretEdit::default())
    }

    fn put_with(&self, name: &str, value: &str, edit: &SecretEdit) -> Stored {
        let scope = NewScope::env(scope());
        let value = SecretValue::copy_of(value.as_bytes()).unwrap();
        let mode = PutMode::Overwrite;
        let stored = self.store.put_with(&scope, &key(name), &value, mode, edit);
        stored.unwrap()
    }

    fn keep(&self, keep_versions: u8) {
        let scope = NewScope {
            keep_versions,
            ..NewScope::env(scope())
        };
        self.store.update_scope(&scope).unwrap();
    }

    /// Returns the versions of a secret with their values, newest first.
    fn versions(&self, name: &str) -> Vec<(u64, String)> {
        let history = self.store.history(&scope(), &key(name)).unwrap();
        let value = |version| {
            let value = self.store.get_version(&scope(), &key(name), version);
            String::from_utf8(value.unwrap().expose().to_vec()).unwrap()
        };
        let versions = history.into_iter().map(|it| it.version);
        versions.map(|it| (it, value(it))).collect()
    }

    fn get(&self, name: &str) -> String {
        let value = self.store.get(&scope(), &key(name)).unwrap();
        String::from_utf8(value.expose().to_vec()).unwrap()
    }

    fn info(&self, name: &str) -> SecretInfo {
        self.store.secret_info(&scope(), &key(name)).unwrap()
    }

    fn backup(&self, file: &str) -> Backup {
        let path: PathBuf = self.directory.path().join(file);
        let made = self
            .store
            .backup(&path, BackupTo::StoreKeys, true, &mut |_| ());
        made.unwrap();
        let identities = [self.identity.clone()];
        Backup::open(&path, BackupKey::Identities(&identities)).unwrap()
    }

    /// Restores a backup of one secret; returns what happened to it.
    fn restore(&self, backup: &Backup, mode: RestoreMode) -> RestoreAction {
        let planned = self.store.plan_restore(backup, mode).unwrap();
        let restored = self.store.restore(backup, mode).unwrap();
        assert_eq!(planned, restored);
        restored.secrets[0].action
    }

    /// Fails if a record is not listed, or does not open.
    fn check(&self) {
        let mut problem = |error: Error| panic!("{error}");
        self.store.check(&mut problem, &mut |_| ()).unwrap();
    }
}

fn scope() -> ScopeId {
    "s".parse().unwrap()
}

fn key(name: &str) -> SecretName {
    name.parse().unwrap()
}

fn version_of(version: u64, value: &str) -> (u64, String) {
    (version, value.to_owned())
}

fn expires(at: Timestamp) -> SecretEdit {
    SecretEdit {
        expires: Change::Set(at),
        ..SecretEdit::default()
    }
}

/// A time that has passed, and one that has not.
fn past_and_future() -> (Timestamp, Timestamp) {
    let future = "2999-12-31T00:00:00Z".parse().unwrap();
    (Timestamp::from_micros(1), future)
}

#[test]
fn a_put_keeps_the_versions_before() {
    let place = Place::new();
    for value in ["one", "two", "three"] {
        place.put("K", value);
    }
    place.put(
        "K2",
        "another secret whose name begins with the same letter",
    );
    let expected = [
        version_of(3, "three"),
        version_of(2, "two"),
        version_of(1, "one"),
    ];
    assert_eq!(place.versions("K"), expected);
    assert_eq!(place.get("K"), "three");
    assert_eq!(place.store.list(&scope()).unwrap().len(), 2);
    place.check();
}

#[test]
fn a_scope_keeps_as_many_versions_as_it_says_from_the_next_put_on() {
    let place = Place::new();
    for number in 1..=8 {
        place.put("K", &number.to_string());
    }
    let numbers = || -> Vec<u64> { place.versions("K").iter().map(|it| it.0).collect() };
    assert_eq!(numbers(), [8, 7, 6, 5, 4, 3], "5 earlier ones");
    place.keep(2);
    assert_eq!(numbers(), [8, 7, 6, 5, 4, 3], "not before a put");
    place.put("K", "9");
    assert_eq!(numbers(), [9, 8, 7]);
    place.keep(0);
    place.put("K", "10");
    assert_eq!(numbers(), [10]);
    place.keep(100);
    for _ in 0..102 {
        place.put("K", "more");
    }
    assert_eq!(numbers().len(), 101);
    place.check();
}

#[test]
fn an_import_keeps_the_versions_before() {
    let place = Place::new();
    place.put("K", "one");
    let secrets = [(key("K"), SecretValue::copy_of(b"two").unwrap())];
    let overwrite = mcplexer_secrets::OnConflict::Overwrite;
    let imported = place
        .store
        .import(&NewScope::env(scope()), &secrets, overwrite);
    imported.unwrap();
    assert_eq!(
        place.versions("K"),
        [version_of(2, "two"), version_of(1, "one")]
    );
}

#[test]
fn a_restored_version_is_a_new_one() {
    let place = Place::new();
    place.put("K", "one");
    place.put("K", "two");
    let stored = place.store.restore_version(&scope(), &key("K"), 1).unwrap();
    assert_eq!(stored.version, 3);
    let expected = [
        version_of(3, "one"),
        version_of(2, "two"),
        version_of(1, "one"),
    ];
    assert_eq!(place.versions("K"), expected);
}

/// A caller who has not seen the secret as it is now changes nothing of it.
#[test]
fn what_has_changed_since_it_was_seen_stays() {
    let note = |text: &str| SecretEdit {
        note: Change::Set(text.parse().unwrap()),
        ..SecretEdit::default()
    };
    let changes: [Act; 4] = [
        |place| {
            place.put("K", "three");
        },
        |place| {
            place.store.delete(&scope(), &key("K")).unwrap();
            place.put("K", "other one");
            place.put("K", "other two");
        },
        |place| {
            let other = SecretEdit {
                note: Change::Set("of somebody else".parse().unwrap()),
                ..SecretEdit::default()
            };
            place.store.edit(&scope(), &key("K"), &other).unwrap();
        },
        |place| {
            place.store.restore_version(&scope(), &key("K"), 1).unwrap();
        },
    ];
    let new = NewScope::env(scope());
    let value = SecretValue::copy_of(b"mine").unwrap();
    for change in changes {
        let place = Place::new();
        place.put("K", "one");
        place.put("K", "two");
        let state = place.info("K").state();
        change(&place);
        let before = (place.versions("K"), place.info("K"));
        let (store, scope, key) = (&place.store, scope(), key("K"));
        let keep = SecretEdit::default();
        for refused in [
            store.restore_version_if(&scope, &key, 1, state).err(),
            store.edit_if(&scope, &key, &note("mine"), state).err(),
            store.put_if(&new, &key, &value, state, &keep).err(),
        ] {
            assert!(
                matches!(refused, Some(Error::SecretsChanged { names, .. }) if names == [key.clone()])
            );
        }
        assert_eq!((place.versions("K"), place.info("K")), before);
        // As it is now, it is changed.
        let state = |place: &Place| place.info("K").state();
        store
            .restore_version_if(&scope, &key, 1, state(&place))
            .unwrap();
        store
            .edit_if(&scope, &key, &note("mine"), state(&place))
            .unwrap();
        store
            .put_if(&new, &key, &value, state(&place), &keep)
            .unwrap();
        assert_eq!(place.get("K"), "mine");
        store.delete(&scope, &key).unwrap();
        let gone = store.put_if(&new, &key, &value, before.1.state(), &keep);
        assert!(matches!(gone, Err(Error::SecretsChanged { .. })));
    }
}

/// What somebody else does.
type Act = fn(&Place);

#[test]
fn a_version_that_is_not_kept_is_not_found() {
    let place = Place::new();
    place.put("K", "one");
    place.keep(0);
    place.put("K", "two");
    for version in [0, 1, 3] {
        for result in [
            place.store.get_version(&scope(), &key("K"), version).err(),
            place
                .store
                .restore_version(&scope(), &key("K"), version)
                .err(),
        ] {
            let Some(Error::VersionNotFound { version: named, .. }) = result else {
                panic!("{result:?}");
            };
            assert_eq!(named, version);
        }
    }
    let missing = place.store.history(&scope(), &key("X"));
    assert!(matches!(missing, Err(Error::SecretNotFound { .. })));
    let other = "x".parse().unwrap();
    let missing = place.store.history(&other, &key("K"));
    assert!(matches!(missing, Err(Error::ScopeNotFound { .. })));
}

#[test]
fn a_deletion_takes_every_version() {
    let place = Place::new();
    place.put("K", "one");
    place.put("K", "two");
    place.put("L", "stays");
    place.store.delete(&scope(), &key("K")).unwrap();
    place.check();
    place.put("K", "new");
    assert_eq!(place.versions("K"), [version_of(1, "new")]);
    place.put("K", "newer");
    assert_eq!(place.store.delete_scope(&scope()).unwrap(), 2, "secrets");
    place.check();
}

#[test]
fn a_rekey_and_a_compaction_keep_every_version_and_what_is_said() {
    let place = Place::new();
    let (_, future) = past_and_future();
    place.put("K", "one");
    let edit = SecretEdit {
        note: Change::Set("a note".parse().unwrap()),
        rotate_every: Change::Set("90d".parse().unwrap()),
        ..expires(future)
    };
    place.put_with("K", "two", &edit);
    let (versions, info) = (place.versions("K"), place.info("K"));
    let rekeyed = place.store.rotate(RotateIdentity::Keep, &mut |_| ());
    assert_eq!(rekeyed.unwrap().secrets, 1);
    place.store.compact().unwrap();
    assert_eq!((place.versions("K"), place.info("K")), (versions, info));
    place.check();
}

#[test]
fn the_log_says_what_was_done_to_versions() {
    let place = Place::new();
    let log = place.directory.path().join("audit.log");
    let keys = FixedKeys::new(vec![place.identity.clone()]);
    let file = place.directory.path().join("audited.redb");
    let audited = Place {
        store: Store::open(file, keys)
            .unwrap()
            .with_audit_log(FileAudit::new(&log)),
        ..place
    };
    audited.put("K", "one");
    audited.put("K", "two");
    let (store, scope, key) = (&audited.store, scope(), key("K"));
    store.get_version(&scope, &key, 1).unwrap();
    store.restore_version(&scope, &key, 1).unwrap();
    store
        .edit(&scope, &key, &expires(Timestamp::now()))
        .unwrap();
    store.history(&scope, &key).unwrap();
    let lines = read_audit_log(&log).unwrap();
    let operations: Vec<_> = lines.iter().map(|line| line.operation).collect();
    let expected = [
        AuditOperation::Put,
        AuditOperation::Committed,
        AuditOperation::Put,
        AuditOperation::GetVersion,
        AuditOperation::RestoreVersion,
        AuditOperation::Edit,
        AuditOperation::List,
    ];
    assert_eq!(operations, expected);
    let mut named = lines
        .iter()
        .filter(|line| line.operation != AuditOperation::Committed);
    assert!(named.all(|line| line.name == Some(key.clone())));
    let text = fs::read_to_string(&log).unwrap();
    assert!(!text.contains("one") && !text.contains("two"));
}
