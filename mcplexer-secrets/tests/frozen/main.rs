//! A home directory of each released format. Every later version must open all of it, with each
//! kind of key.

#![cfg(test)]

mod decoder;
mod make;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use mcplexer_files::config;
use mcplexer_secrets::backup::{Backup, BackupKey};
use mcplexer_secrets::keys::{
    Ask, FileKeys, FixedKeys, Identity, KeyProvider, PassphraseRequest, RecoveryCode,
};
use mcplexer_secrets::{
    Note, Purpose, ScopeAction, ScopeKind, SecretStore, SecretValue, Select, Store,
};
use tempfile::TempDir;

/// Opens the slot `at home` and one of the two backups.
const PASSPHRASE: &[u8] = b"correct horse battery staple";

/// Returns the content: the version and the value, by scope and name.
fn expected() -> BTreeMap<(&'static str, &'static str), (u64, Vec<u8>)> {
    let secrets: [(&str, &str, u64, &[u8]); 12] = [
        (
            "github-token",
            "GITHUB_PERSONAL_ACCESS_TOKEN",
            2,
            b"ghp_abc123",
        ),
        (
            "github-token",
            "_lower_1",
            1,
            "pä$$w0rd `\"'\\ 🔑".as_bytes(),
        ),
        ("shell", "ALL_BYTES", 1, &all_bytes()),
        ("shell", "LONG", 1, &long()),
        ("shell", "LINES", 1, b"-----BEGIN X-----\nline\r\n\n"),
        ("shell", "ONE_BYTE", 1, &[0]),
        ("search-api", "Authorization", 1, b"Bearer xyz"),
        (
            "search-api",
            "X-Api-Key!#$%&'*+.^_`|~",
            1,
            b"odd but a token",
        ),
        ("drive", "ACCESS_TOKEN", 1, b"ya29.access"),
        ("drive", "REFRESH_TOKEN", 1, b"1//refresh"),
        ("drive", "CLIENT_SECRET", 3, b"GOCSPX-secret-3"),
        ("mail", "ACCESS_TOKEN", 1, AFTER_BACKUP),
    ];
    let entry = |(scope, name, version, value): (_, _, _, &[u8])| {
        ((scope, name), (version, value.to_vec()))
    };
    secrets.into_iter().map(entry).collect()
}

/// What is said about `drive/ACCESS_TOKEN`.
const NOTE: &str = "für Ünïted, \"read-only\"";
const EXPIRES: &str = "2999-12-31T23:59:59Z";

/// A value that the backups do not have.
const AFTER_BACKUP: &[u8] = b"stored after the backup";

fn all_bytes() -> Vec<u8> {
    (0..=255).collect()
}

/// Returns more than a chunk of age's stream, 64 KiB.
fn long() -> Vec<u8> {
    let byte = |at: u32| u8::try_from(at % 251).unwrap() + u8::try_from(at / 251 % 5).unwrap();
    (0..70_000).map(byte).collect()
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1-home")
}

/// Copies the home, because a checkout does not keep the modes of files, and reading locks the
/// store.
fn home() -> TempDir {
    let to = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(fixture()).unwrap() {
        let from = entry.unwrap().path();
        let copy = to.path().join(from.file_name().unwrap());
        fs::write(&copy, fs::read(from).unwrap()).unwrap();
        fs::set_permissions(copy, Permissions::from_mode(0o600)).unwrap();
    }
    to
}

fn assert_opens(home: &Path, store: &Store) {
    let mut found = BTreeMap::new();
    for scope in store.scopes().unwrap() {
        let secrets = store.list(&scope.id).unwrap();
        let credentials = store
            .credentials(&scope.id, Select::All, Purpose::Inject { program: None })
            .unwrap();
        assert_eq!(credentials.iter().count(), secrets.len());
        for secret in secrets {
            let value = store.get(&scope.id, &secret.name).unwrap();
            let place = (scope.id.to_string(), secret.name.to_string());
            found.insert(place, (secret.version, value.expose().to_vec()));
        }
    }
    let expected = expected().into_iter();
    let expected = expected.map(|((scope, name), it)| ((scope.to_owned(), name.to_owned()), it));
    assert_eq!(found, expected.collect());
    let (drive, secret) = ("drive".parse().unwrap(), "CLIENT_SECRET".parse().unwrap());
    let history = store.history(&drive, &secret).unwrap();
    let versions: Vec<_> = history.iter().map(|it| it.version).collect();
    assert_eq!(versions, [3, 2], "the scope keeps one earlier version");
    let earlier = store.get_version(&drive, &secret, 2).unwrap();
    assert_eq!(earlier.expose(), b"GOCSPX-secret-2");
    let token = "ACCESS_TOKEN".parse().unwrap();
    let info = store.secret_info(&drive, &token).unwrap();
    assert_eq!(info.note.as_ref().map(Note::as_str), Some(NOTE));
    assert_eq!(info.expires, EXPIRES.parse().ok());
    assert_eq!(info.rotate_every, "90d".parse().ok());
    let report = store.verify_audit(&home.join("audit.log"), None).unwrap();
    assert_eq!((report.lines, report.sealed), (38, 36));
}

/// Returns a copy of the home without any key but this one.
fn with_key(keep: &str) -> TempDir {
    let home = home();
    for key in ["age.key", "id_ed25519", "recovery-code"] {
        if key != keep {
            fs::remove_file(home.path().join(key)).unwrap();
        }
    }
    home
}

fn open(home: &TempDir, keys: impl KeyProvider + 'static) -> Store {
    Store::open(home.path().join("secrets.redb"), keys).unwrap()
}

fn recovery_code(home: &Path) -> RecoveryCode {
    let code = fs::read_to_string(home.join("recovery-code")).unwrap();
    code.parse().unwrap()
}

#[test]
fn a_home_of_format_1_opens_with_each_kind_of_key() {
    for key in ["age.key", "id_ed25519"] {
        let home = with_key(key);
        let store = open(&home, FileKeys::new(home.path().join(key)));
        assert_opens(home.path(), &store);
    }
    let home = with_key("recovery-code");
    let identity = recovery_code(home.path()).identity();
    let store = open(&home, FixedKeys::new(vec![identity]));
    assert_opens(home.path(), &store);

    let home = with_key("none");
    let keys = FileKeys::new(home.path().join("age.key"));
    let answer = |_: &PassphraseRequest<'_>| SecretValue::copy_of(PASSPHRASE).ok();
    assert_opens(home.path(), &open(&home, keys.with_prompter(answer)));
}

#[test]
fn its_scopes_are_what_its_config_says() {
    let home = home();
    let store = open(&home, FileKeys::new(home.path().join("age.key")));
    let text = fs::read(home.path().join("config.yaml")).unwrap();
    let config = config::parse(&text).unwrap();
    let scopes = config.scopes();
    let planned = store.plan_scopes(&scopes).unwrap();
    assert_eq!(planned.len(), 6);
    for scope in planned {
        assert_eq!(scope.action, ScopeAction::Same, "{}", scope.id);
    }
    for kind in ScopeKind::ALL {
        let of_it = scopes.iter().filter(|it| it.kind == kind);
        assert_eq!(of_it.count(), 2, "{kind}");
    }
}

#[test]
fn its_backups_open_with_each_kind_of_key() {
    let home = home();
    let key_of = |file: &str| {
        let keys = FileKeys::new(home.path().join(file));
        keys.identities(Ask::Never).unwrap()
    };
    let code = vec![recovery_code(home.path()).identity()];
    let open = |file: &str, key: BackupKey<'_>| Backup::open(&home.path().join(file), key).unwrap();
    let with = |identities: Vec<Identity>| open("backup.age", BackupKey::Identities(&identities));
    let passphrase = SecretValue::copy_of(PASSPHRASE).unwrap();
    for backup in [
        with(key_of("age.key")),
        with(key_of("id_ed25519")),
        with(code),
        open("backup-passphrase.age", BackupKey::Passphrase(&passphrase)),
    ] {
        let mut found = BTreeMap::new();
        for scope in &backup.scopes {
            for secret in &scope.secrets {
                let place = (scope.id.as_str(), secret.name.as_str());
                found.insert(place, (secret.version, secret.value.0.expose().to_vec()));
            }
        }
        let mut expected = expected();
        expected.retain(|_, (_, value)| value != AFTER_BACKUP);
        assert_eq!(found, expected);
        assert_eq!(backup.scopes.len(), 6);
    }
}
