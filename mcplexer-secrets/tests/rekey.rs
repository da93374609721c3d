//! Keys are replaced, added, removed and recovered through the library.

#![cfg(test)]

use std::sync::Arc;

use mcplexer_secrets::audit::FileAudit;
use mcplexer_secrets::backend::{Backend, RedbBackend, Table};
use mcplexer_secrets::backup::{Backup, BackupKey, BackupTo};
use mcplexer_secrets::keys::{
    Ask, FixedKeys, Identity, KeyError, KeyProvider, RecoveryCode, SlotLabel, SlotRef,
};
use mcplexer_secrets::{
    Error, ErrorKind, Finding, NewScope, Progress, PutMode, RecordName, RestoreMode,
    RotateIdentity, SecretStore, SecretValue, SlotKind, Store,
};

const SECRETS: [(&str, &str); 3] = [("a", "K1"), ("a", "K2"), ("b", "K1")];

fn put(store: &Store, scope: &str, name: &str, value: &str) {
    let value = SecretValue::copy_of(value.as_bytes()).unwrap();
    let (scope, name) = (scope.parse().unwrap(), name.parse().unwrap());
    store
        .put(&NewScope::env(scope), &name, &value, PutMode::Overwrite)
        .unwrap();
}

fn get(store: &Store, scope: &str, name: &str) -> Result<Vec<u8>, Error> {
    let value = store.get(&scope.parse().unwrap(), &name.parse().unwrap())?;
    Ok(value.expose().to_vec())
}

fn fill(store: &Store) {
    for (scope, name) in SECRETS {
        put(store, scope, name, &format!("{scope}/{name}"));
    }
}

#[track_caller]
fn assert_filled(store: &Store) {
    for (scope, name) in SECRETS {
        assert_eq!(
            get(store, scope, name).unwrap(),
            format!("{scope}/{name}").into_bytes()
        );
    }
}

fn label(text: &str) -> SlotLabel {
    text.parse().unwrap()
}

fn no_progress(_: Progress) {}

/// Returns a store in memory, and the keys that open it.
fn in_memory() -> (Store, Arc<FixedKeys>) {
    let keys = Arc::new(FixedKeys::generate());
    let store = Store::in_memory(Arc::clone(&keys)).unwrap();
    fill(&store);
    (store, keys)
}

fn names(keys: &FixedKeys) -> Vec<String> {
    let identities = keys.identities(Ask::Never).unwrap();
    identities.iter().map(Identity::name).collect()
}

#[test]
fn a_rotation_changes_every_key_and_nothing_that_is_told() {
    let (store, keys) = in_memory();
    put(&store, "a", "K1", "a/K1");
    let (before, list) = (names(&keys), store.list(&"a".parse().unwrap()).unwrap());
    let mut seen = Vec::new();
    let rekeyed = store
        .rotate(RotateIdentity::Replace, &mut |progress| seen.push(progress))
        .unwrap();
    assert_eq!(
        (rekeyed.generation, rekeyed.scopes, rekeyed.secrets),
        (2, 2, 3)
    );
    let seen: Vec<_> = seen.iter().map(|it| (it.done, it.total)).collect();
    assert_eq!(seen, [(1, 3), (2, 3), (3, 3)]);
    assert_filled(&store);
    assert_eq!(store.list(&"a".parse().unwrap()).unwrap(), list);
    let now = names(&keys);
    assert!(now.len() == 1 && now != before, "F30: {now:?}");
    assert_eq!(rekeyed.recipient.as_ref(), now.first());

    let rekeyed = store
        .rotate(RotateIdentity::Keep, &mut no_progress)
        .unwrap();
    assert_eq!((rekeyed.generation, rekeyed.recipient), (3, None));
    assert_eq!(names(&keys), now);
    assert_filled(&store);
    store.compact().unwrap();
    assert_filled(&store);
}

/// A rotation replaces the seals of the audit log too.
#[test]
fn the_audit_log_goes_on_over_a_rotation() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("audit.log");
    let (store, _keys) = in_memory();
    let store = store.with_audit_log(FileAudit::new(&log));
    put(&store, "a", "K3", "v");
    store
        .rotate(RotateIdentity::Replace, &mut no_progress)
        .unwrap();
    put(&store, "a", "K3", "w");
    let report = store.verify_audit(&log, None).unwrap();
    assert_eq!((report.lines, report.sealed), (4, 4));
}

/// No existing record is silently omitted.
#[test]
fn a_record_that_nobody_lists_stops_a_rotation() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secrets.redb");
    let store = Store::open(&path, FixedKeys::generate()).unwrap();
    fill(&store);
    let backend = RedbBackend::file(&path);
    let mut transaction = backend.write().unwrap();
    transaction
        .put(Table::Secrets, b"gone\0K", b"record")
        .unwrap();
    let _ = transaction.commit().unwrap();
    drop(backend);
    let error = store
        .rotate(RotateIdentity::Keep, &mut no_progress)
        .unwrap_err();
    let Error::Tampered {
        record: RecordName::Unknown(_),
        finding: Finding::Unlisted,
    } = error
    else {
        panic!("{error:?}");
    };
    assert_eq!(
        problems(&store).0,
        ["a record of table secrets is not listed"]
    );
    assert_filled(&store);
}

/// Returns the findings of a check, without their advice, and how many secrets open.
fn problems(store: &Store) -> (Vec<String>, u64) {
    let mut problems = Vec::new();
    let mut found = |error: Error| {
        let text = error.to_string();
        let text = text.strip_prefix("tampered or damaged: ").unwrap_or(&text);
        problems.push(text.split(':').next().unwrap_or_default().to_owned());
    };
    let report = store.check(&mut found, &mut no_progress).unwrap().unwrap();
    (problems, report.secrets)
}

/// One damaged record does not hide another.
#[test]
fn a_check_tells_of_every_scope_that_is_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secrets.redb");
    let store = Store::open(&path, FixedKeys::generate()).unwrap();
    fill(&store);
    put(&store, "c", "K", "v");
    assert_eq!(problems(&store), (Vec::new(), 4));
    let backend = RedbBackend::file(&path);
    let mut transaction = backend.write().unwrap();
    transaction.delete(Table::Scopes, b"c").unwrap();
    let _ = transaction.commit().unwrap();
    assert_eq!(problems(&store), (vec!["scope c is missing".to_owned()], 3));
    let mut transaction = backend.write().unwrap();
    transaction.delete(Table::Secrets, b"a\0K2").unwrap();
    transaction.put(Table::Secrets, b"b\0K1", b"\x01").unwrap();
    let _ = transaction.commit().unwrap();
    drop(backend);
    let found = [
        "scope c is missing",
        "secret a/K2 is missing",
        "secret b/K1 is not what was last written",
    ];
    assert_eq!(problems(&store), (found.map(str::to_owned).to_vec(), 1));
}

#[test]
fn owners_come_and_go() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secrets.redb");
    let store = Store::open(&path, FixedKeys::generate()).unwrap();
    fill(&store);
    let bob = Identity::generate();
    let slot = store
        .add_recipient(&bob.recipient().unwrap(), Some(&label("bob")))
        .unwrap();
    assert_eq!((slot.label.as_str(), slot.kind), ("bob", SlotKind::Key));
    let his = Store::open(&path, FixedKeys::new(vec![bob.clone()])).unwrap();
    let refused = get(&his, "a", "K1").unwrap_err();
    assert!(matches!(&refused, Error::NotAccepted { slot, .. } if slot == "bob"));
    assert_eq!(his.accept(false).unwrap().owners.len(), 2);
    assert_filled(&his);
    // A re-key by either of them keeps the other's access.
    his.rotate(RotateIdentity::Replace, &mut no_progress)
        .unwrap();
    assert_filled(&store);
    assert_filled(&his);
    let his = Store::open(&path, FixedKeys::new(vec![bob])).unwrap();
    let Err(Error::Locked {
        reason: KeyError::Wrong { .. },
        ..
    }) = get(&his, "a", "K1")
    else {
        panic!("the key he had before opens the store");
    };
    store
        .remove_slot(&SlotRef::new("bob"), false, &mut no_progress)
        .unwrap();
    assert_eq!(store.slots().unwrap().len(), 1);
    let only = store.slots().unwrap().remove(0);
    let error = store
        .remove_slot(&SlotRef::from(&only), true, &mut no_progress)
        .unwrap_err();
    assert!(matches!(error, Error::LastSlot { .. }), "{error:?}");
    assert_filled(&store);
}

#[test]
fn a_recovery_code_replaces_a_lost_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secrets.redb");
    let store = Store::open(&path, FixedKeys::generate()).unwrap();
    fill(&store);
    let code = store.add_recovery_code().unwrap();
    let error = store.add_recovery_code().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    drop(store);

    let keys = Arc::new(FixedKeys::new(Vec::new()));
    let store = Store::open(&path, Arc::clone(&keys)).unwrap();
    assert_eq!(get(&store, "a", "K1").unwrap_err().kind(), ErrorKind::Key);
    let other = RecoveryCode::generate().unwrap();
    let error = store.recover(&other, None, &mut no_progress).unwrap_err();
    assert!(
        matches!(error, Error::Key(KeyError::RecoveryCodeWrong)),
        "{error:?}"
    );
    assert_eq!(names(&keys), [""; 0]);
    store.recover(&code, None, &mut no_progress).unwrap();
    assert_filled(&store);
    assert_eq!((names(&keys).len(), store.slots().unwrap().len()), (1, 2));
    // With several keys, the caller must say which one is lost.
    let bob = Identity::generate().recipient().unwrap();
    store.add_recipient(&bob, Some(&label("bob"))).unwrap();
    let error = store.recover(&code, None, &mut no_progress).unwrap_err();
    assert!(matches!(error, Error::SlotAmbiguous { .. }), "{error:?}");
    store
        .recover(&code, Some(&SlotRef::new("bob")), &mut no_progress)
        .unwrap();
    assert_filled(&store);
}

#[test]
fn a_backup_goes_from_one_backend_to_another() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("b.age");
    let (store, keys) = in_memory();
    let report = store
        .backup(&file, BackupTo::StoreKeys, false, &mut no_progress)
        .unwrap();
    assert_eq!(
        (report.scopes, report.secrets, report.opened_by.len()),
        (2, 3, 1)
    );
    let identities = keys.identities(Ask::Never).unwrap();
    let backup = Backup::open(&file, BackupKey::Identities(&identities)).unwrap();
    assert!(!format!("{backup:?}").contains("a/K1"));
    let other = Store::open(directory.path().join("secrets.redb"), FixedKeys::generate()).unwrap();
    other.restore(&backup, RestoreMode::Merge).unwrap();
    assert_filled(&other);
    put(&other, "c", "K", "v");
    other.restore(&backup, RestoreMode::Replace).unwrap();
    assert_filled(&other);
    assert_eq!(
        get(&other, "c", "K").unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

/// A store that only passphrases and the code open gets its first key.
#[test]
fn a_recovery_without_any_key_adds_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secrets.redb");
    let store = Store::open(&path, FixedKeys::generate()).unwrap();
    fill(&store);
    let code = store.add_recovery_code().unwrap();
    let passphrase = SecretValue::copy_of(b"correct horse").unwrap();
    store.add_passphrase(&passphrase, None).unwrap();
    let error = store
        .recover(
            &code,
            Some(&SlotRef::new("recovery code")),
            &mut no_progress,
        )
        .unwrap_err();
    assert!(matches!(error, Error::SlotAmbiguous { .. }), "{error:?}");
    let own = store.slots().unwrap().remove(0);
    store
        .remove_slot(&SlotRef::from(&own), true, &mut no_progress)
        .unwrap();
    drop(store);

    let store = Store::open(&path, FixedKeys::new(Vec::new())).unwrap();
    store.recover(&code, None, &mut no_progress).unwrap();
    assert_filled(&store);
    let kinds: Vec<_> = store
        .slots()
        .unwrap()
        .iter()
        .map(|slot| slot.kind)
        .collect();
    let passphrase = SlotKind::Passphrase;
    assert_eq!(kinds, [SlotKind::Recovery, passphrase, SlotKind::Key]);
}
