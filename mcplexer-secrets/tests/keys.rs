//! Key files: created once, never to replace a lost one, and never used when others can read them.

#![cfg(test)]

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use age::secrecy::SecretString;
use mcplexer_secrets::keys::{
    Ask, FileKeys, FixedKeys, Identity, KeyError, KeyFileError, KeyProvider, PassphraseRequest,
};
use mcplexer_secrets::{Error, ErrorKind, NewScope, PutMode, SecretStore, SecretValue, Store};
use tempfile::TempDir;

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn key(&self) -> PathBuf {
        self.0.path().join("keys").join("age.key")
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("store").join("secrets.redb")
    }

    fn store(&self) -> Store {
        Store::open(self.file(), FileKeys::new(self.key())).unwrap()
    }

    fn write_key(&self, text: &[u8]) {
        fs::create_dir_all(self.key().parent().unwrap()).unwrap();
        fs::write(self.key(), text).unwrap();
        fs::set_permissions(self.key(), Permissions::from_mode(0o600)).unwrap();
    }
}

fn put(store: &Store) -> Result<(), Error> {
    let value = SecretValue::copy_of(b"v").unwrap();
    store.put(
        &NewScope::env("s".parse()?),
        &"K".parse()?,
        &value,
        PutMode::Overwrite,
    )?;
    Ok(())
}

fn get(store: &Store) -> Result<SecretValue, Error> {
    store.get(&"s".parse()?, &"K".parse()?)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn key_error(result: Result<impl std::fmt::Debug, Error>) -> KeyError {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Key);
    match error {
        Error::Locked { reason, .. } => reason,
        Error::Key(reason) => reason,
        error => panic!("{error}"),
    }
}

/// F26: modes 0600 and 0700.
#[test]
fn a_new_store_has_a_new_key_and_both_are_private() {
    let home = Home::new();
    assert!(!home.store().unlock().unwrap());
    put(&home.store()).unwrap();
    assert!(home.store().unlock().unwrap());
    assert_eq!(get(&home.store()).unwrap().expose(), b"v");
    assert_eq!((mode(&home.key()), mode(&home.file())), (0o600, 0o600));
    assert_eq!(mode(home.key().parent().unwrap()), 0o700);
    assert_eq!(mode(home.file().parent().unwrap()), 0o700);
    let text = fs::read_to_string(home.key()).unwrap();
    let identities = Identity::parse_all(&text).unwrap();
    assert!(text.contains(&format!("# public key: {}\n", identities[0].name())));
    assert_eq!(
        home.store().slots().unwrap()[0].recipient,
        identities[0].name()
    );
    // Nothing but the key remains beside it.
    assert_eq!(
        fs::read_dir(home.key().parent().unwrap()).unwrap().count(),
        1
    );
}

#[test]
fn a_key_that_is_there_is_used_for_a_new_store() {
    let home = Home::new();
    let identity = Home::new();
    put(&identity.store()).unwrap();
    let text = fs::read(identity.key()).unwrap();
    home.write_key(&text);
    put(&home.store()).unwrap();
    assert_eq!(fs::read(home.key()).unwrap(), text);
}

/// F07: a lost key is never replaced. F35: the error names what was tried.
#[test]
fn a_lost_key_is_an_error_that_names_the_path_and_the_recipients() {
    let home = Home::new();
    put(&home.store()).unwrap();
    let recipient = home.store().slots().unwrap()[0].recipient.clone();
    fs::remove_file(home.key()).unwrap();
    let before = fs::read(home.file()).unwrap();
    for result in [
        put(&home.store()),
        get(&home.store()).map(drop),
        home.store().unlock().map(drop),
    ] {
        let error = result.unwrap_err();
        let Error::Locked { reason, slots } = error else {
            panic!("{error}");
        };
        let path = home.key();
        assert!(
            matches!(reason.reason(), Some(KeyFileError::Missing { path: tried }) if *tried == path),
            "{reason}"
        );
        assert_eq!(slots[0].recipient, recipient);
    }
    assert!(!home.key().exists(), "a key was made over a loss");
    assert!(fs::read(home.file()).unwrap() == before);
}

#[test]
fn another_key_is_refused_by_name() {
    let home = Home::new();
    put(&home.store()).unwrap();
    let other = Identity::generate();
    let keys = FixedKeys::new(vec![other.clone()]);
    let store = Store::open(home.file(), keys).unwrap();
    let KeyError::Wrong { recipients } = key_error(get(&store)) else {
        panic!("another reason");
    };
    assert_eq!(recipients, [other.name()]);
}

/// F08: of two first runs, exactly one creates the key, and both succeed.
#[test]
fn racing_first_runs_agree_on_one_key() {
    for _ in 0..8 {
        let home = Home::new();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| put(&home.store()).unwrap());
            }
        });
        assert_eq!(home.store().slots().unwrap().len(), 1);
        assert_eq!(get(&home.store()).unwrap().expose(), b"v");
        let list = home.store().list(&"s".parse().unwrap()).unwrap();
        assert_eq!(list[0].version, 4, "an update was lost");
    }
}

/// F09: a key that others can read is refused.
#[test]
fn a_key_that_others_can_read_is_refused() {
    let home = Home::new();
    put(&home.store()).unwrap();
    for exposed in [0o644, 0o640, 0o604, 0o660] {
        fs::set_permissions(home.key(), Permissions::from_mode(exposed)).unwrap();
        let error = key_error(get(&home.store()));
        assert!(
            matches!(error.reason(), Some(KeyFileError::Exposed { mode, .. }) if *mode == exposed),
            "{error}"
        );
    }
    fs::set_permissions(home.key(), Permissions::from_mode(0o400)).unwrap();
    assert!(get(&home.store()).is_ok());
    let fresh = Home::new();
    fresh.write_key(&fs::read(home.key()).unwrap());
    fs::set_permissions(fresh.key(), Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(
        key_error(put(&fresh.store())).reason(),
        Some(KeyFileError::Exposed { .. })
    ));
}

/// F10: a key that cannot be stored is not used.
#[test]
fn a_key_that_cannot_be_written_makes_no_store() {
    let home = Home::new();
    fs::write(
        home.0.path().join("keys"),
        "a file where the directory should be",
    )
    .unwrap();
    let error = put(&home.store()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Key);
    assert!(!home.store().exists().unwrap());
}

/// An invalid request creates no key that the user then would not know of.
#[test]
fn a_refused_first_put_makes_no_key() {
    let home = Home::new();
    let value = SecretValue::copy_of(b"v").unwrap();
    let put = |name: &str, mode| {
        let (scope, name) = ("s".parse().unwrap(), name.parse().unwrap());
        home.store().put(&NewScope::env(scope), &name, &value, mode)
    };
    put("X-Y", PutMode::Overwrite).unwrap_err();
    put("K", PutMode::Replace { version: 1 }).unwrap_err();
    assert!(!home.key().exists());
    assert!(!home.store().exists().unwrap());
}

#[test]
fn a_damaged_key_file_is_named_and_not_repeated() {
    let home = Home::new();
    put(&home.store()).unwrap();
    home.write_key(b"# mine\nAGE-SECRET-KEY-1OOPS\n");
    let text = key_error(get(&home.store())).to_string();
    assert!(
        text.contains("age.key") && text.contains("line 2"),
        "{text}"
    );
    assert!(!text.contains("OOPS"), "{text}");
    home.write_key(b"\xff\xfe");
    assert!(matches!(
        key_error(get(&home.store())).reason(),
        Some(KeyFileError::Invalid { .. })
    ));
    home.write_key(b"");
    assert!(matches!(
        key_error(get(&home.store())).reason(),
        Some(KeyFileError::Invalid { .. })
    ));
}

#[test]
fn any_of_several_identities_opens_the_store() {
    let home = Home::new();
    put(&home.store()).unwrap();
    let mut text = b"# old keys first\n".to_vec();
    for _ in 0..2 {
        let other = Home::new();
        put(&other.store()).unwrap();
        text.extend(fs::read(other.key()).unwrap());
    }
    text.extend(fs::read(home.key()).unwrap());
    home.write_key(&text);
    assert_eq!(get(&home.store()).unwrap().expose(), b"v");
}

/// Encrypts a key file as `age -p` does, with a low work factor so that the test is quick.
fn encrypt(text: &[u8], passphrase: &str, armored: bool) -> Vec<u8> {
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase.to_owned()));
    recipient.set_work_factor(2);
    let recipients = std::iter::once(&recipient as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(recipients).unwrap();
    let format = match armored {
        true => age::armor::Format::AsciiArmor,
        false => age::armor::Format::Binary,
    };
    let output = age::armor::ArmoredWriter::wrap_output(Vec::new(), format).unwrap();
    let mut writer = encryptor.wrap_output(output).unwrap();
    writer.write_all(text).unwrap();
    writer.finish().unwrap().finish().unwrap()
}

/// Returns a provider that answers with these passphrases, in order, and a counter of its
/// questions.
fn answering(path: PathBuf, answers: &'static [&'static str]) -> (FileKeys, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let keys = FileKeys::new(path).with_prompter(move |request: &PassphraseRequest<'_>| {
        let before = count.fetch_add(1, Ordering::Relaxed);
        assert_eq!(request.retry, before > 0);
        let answer = answers.get(usize::try_from(before).unwrap())?;
        Some(SecretValue::copy_of(answer.as_bytes()).unwrap())
    });
    (keys, asked)
}

/// F36: a wrong passphrase is asked for again. F38: the key is unlocked once.
#[test]
fn a_key_file_with_a_passphrase_is_asked_for_once_it_is_needed() {
    for armored in [false, true] {
        let home = Home::new();
        put(&home.store()).unwrap();
        home.write_key(&encrypt(&fs::read(home.key()).unwrap(), "right", armored));

        let (keys, asked) = answering(home.key(), &["wrong", "right"]);
        let store = Store::open(home.file(), keys).unwrap();
        assert_eq!(store.list(&"s".parse().unwrap()).unwrap().len(), 1);
        assert_eq!(asked.load(Ordering::Relaxed), 0, "a list asks for nothing");
        for _ in 0..3 {
            assert_eq!(get(&store).unwrap().expose(), b"v");
            put(&store).unwrap();
        }
        assert_eq!(asked.load(Ordering::Relaxed), 2);

        let (keys, asked) = answering(home.key(), &["wrong", "wrong", "wrong", "right"]);
        let store = Store::open(home.file(), keys).unwrap();
        assert!(matches!(
            key_error(get(&store)).reason(),
            Some(KeyFileError::PassphraseWrong { .. })
        ));
        assert_eq!(asked.load(Ordering::Relaxed), 3);

        // F37: with nobody to ask, it fails at once.
        assert!(matches!(
            key_error(get(&home.store())).reason(),
            Some(KeyFileError::PassphraseNeeded { .. })
        ));
        let (keys, _) = answering(home.key(), &[]);
        assert!(matches!(
            keys.identities(Ask::Never).unwrap_err().reason(),
            Some(KeyFileError::PassphraseNeeded { .. })
        ));
    }
}

#[test]
fn a_new_store_for_a_key_with_a_passphrase_asks_once() {
    let home = Home::new();
    let other = Home::new();
    put(&other.store()).unwrap();
    home.write_key(&encrypt(&fs::read(other.key()).unwrap(), "right", false));
    let (keys, asked) = answering(home.key(), &["right"]);
    let store = Store::open(home.file(), keys).unwrap();
    put(&store).unwrap();
    put(&store).unwrap();
    assert_eq!(get(&store).unwrap().expose(), b"v");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[test]
fn a_key_file_encrypted_to_a_key_is_refused() {
    let home = Home::new();
    let identity: age::x25519::Identity = age::x25519::Identity::generate();
    let encrypted = age::encrypt(&identity.to_public(), b"AGE-SECRET-KEY-1X").unwrap();
    home.write_key(&encrypted);
    let (keys, asked) = answering(home.key(), &["right"]);
    assert!(matches!(
        keys.identities(Ask::Allowed).unwrap_err().reason(),
        Some(KeyFileError::NotByPassphrase { .. })
    ));
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

#[test]
fn debug_shows_where_a_key_is_and_nothing_of_it() {
    let keys = FileKeys::new("/keys/age.key").with_prompter(|_: &PassphraseRequest<'_>| None);
    insta::assert_snapshot!(format!("{keys:?}"), @"FileKeys(/keys/age.key)");
    let store = Store::open("/nowhere/secrets.redb", keys).unwrap();
    insta::assert_snapshot!(format!("{store:?}"), @"Store { backend: RedbBackend(/nowhere/secrets.redb), keys: FileKeys(/keys/age.key), audit: None, .. }");
}
