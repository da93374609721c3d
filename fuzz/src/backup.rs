//! Backups.

use std::io::Write;

use mcplexer_secrets::backup::{Backup, BackupKey, BackupTo};
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{Error, ErrorKind, RestoreMode, SecretStore, Store};

/// The identity to open backups with. One of the seeds is a backup for it that contains the value
/// below.
const IDENTITY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
const VALUE: &[u8] = b"value";

/// Opens a file as a backup. It is not a backup, is one for somebody else, or is the one in the
/// corpus, unchanged.
pub fn open_backup(bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().expect("there is room");
    file.write_all(bytes).expect("there is room");
    let identity = Identity::parse(IDENTITY).expect("is one");
    match Backup::open(file.path(), BackupKey::Identities(&[identity])) {
        Ok(backup) => {
            let secrets = backup.scopes.iter().flat_map(|it| &it.secrets);
            let values: Vec<_> = secrets.map(|it| it.value.0.expose()).collect();
            assert_eq!(values, [VALUE], "forged");
        }
        Err(error) => assert!(matches!(error.kind(), ErrorKind::Tampered | ErrorKind::Key)),
    }
    let _ = Backup::takes_passphrase(file.path());
}

/// Reads bytes as the plaintext of a backup. If they are valid, a store restores them, has their
/// values, and makes a backup with the same content.
pub fn read_backup(bytes: &[u8]) {
    let backup = match mcplexer_secrets::fuzzing::read_backup(bytes) {
        Ok(backup) => backup,
        Err(error) => {
            let kind = error.kind();
            assert!(matches!(kind, ErrorKind::Tampered | ErrorKind::Invalid));
            return;
        }
    };
    let identity = Identity::generate();
    let keys = FixedKeys::new(vec![identity.clone()]);
    let store = Store::in_memory(keys).expect("there is memory");
    match store.restore(&backup, RestoreMode::Merge) {
        Ok(restored) => assert_eq!(restored.secrets.len() as u64, backup.secrets()),
        Err(error) => {
            let kind = error.kind();
            assert!(
                matches!(kind, ErrorKind::Invalid | ErrorKind::Other),
                "{error}"
            );
            assert!(matches!(store.exists(), Ok(false)), "half taken in");
            return;
        }
    }
    for scope in &backup.scopes {
        for secret in &scope.secrets {
            let value = store.get(&scope.id, &secret.name).expect("was taken in");
            assert!(value.expose() == secret.value.0.expose());
        }
    }
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("backup.age");
    let written = store.backup(&path, BackupTo::StoreKeys, false, &mut |_| {});
    written.expect("is written");
    let again = Backup::open(&path, BackupKey::Identities(&[identity]));
    let again = again.expect("reads what it writes");
    assert_eq!(told(&again), told(&backup));
    let replaced = store.restore(&backup, RestoreMode::Replace);
    assert!(
        matches!(replaced, Ok(_) | Err(Error::Backend(_))),
        "{replaced:?}"
    );
}

/// Returns everything a backup contains, as text.
fn told(backup: &Backup) -> Vec<String> {
    let scopes = backup.scopes.iter().flat_map(|scope| {
        let head = format!(
            "{} {} {:?} {:?} {} {}",
            scope.id,
            scope.kind,
            scope.display_name,
            scope.redaction_hints,
            scope.keep_versions,
            scope.created
        );
        let secrets = scope.secrets.iter().map(|it| {
            let value = it.value.0.expose();
            let keep = usize::from(scope.keep_versions);
            let beyond = it.earlier.len().saturating_sub(keep);
            let earlier = it.earlier.iter().skip(beyond).map(|it| {
                let value = it.value.0.expose();
                format!("{} {} {value:?}", it.version, it.updated)
            });
            format!(
                "{} {} {} {} {:?} {:?} {:?} {value:?} {:?}",
                it.name,
                it.version,
                it.created,
                it.updated,
                it.note,
                it.expires,
                it.rotate_every,
                earlier.collect::<Vec<_>>()
            )
        });
        [head].into_iter().chain(secrets.collect::<Vec<_>>())
    });
    scopes.collect()
}
