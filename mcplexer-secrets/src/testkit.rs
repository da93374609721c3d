//! Runs the age test kit (<https://c2sp.org/CCTV/age>), as packaged with the age crate, against
//! everything here that opens an age file: slots, sealed values, backups and key files.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use age::DecryptError;
use age::secrecy::SecretString;
use sha2::{Digest, Sha256};

use crate::backup::{self, Backup, BackupKey};
use crate::keys::{Ask, FileKeys, Identity, KeyFileError, KeyProvider, PassphraseRequest};
use crate::{Error, ErrorKind, SecretValue, seal};

/// The number of test files, so that none is skipped unnoticed.
const VECTORS: usize = 123;

/// Files that the age crate accepts on purpose although their header violates the specification:
/// bodies of 0 mod 64 bytes without the final empty line, which old versions of rage wrote.
const LEGACY: [&str; 2] = ["stanza_missing_body", "stanza_missing_final_line"];

struct Vector {
    name: String,
    expect: String,
    /// SHA-256 of the plaintext, or of the part before the damage.
    payload: Option<String>,
    identities: Vec<Identity>,
    passphrase: Option<String>,
    armored: bool,
    file: Vec<u8>,
}

impl Vector {
    fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let end = bytes.windows(2).position(|it| it == b"\n\n").unwrap();
        let head = str::from_utf8(&bytes[..end]).unwrap();
        let fields: Vec<_> = head.lines().filter_map(|it| it.split_once(": ")).collect();
        let all = |name: &'static str| {
            let of_it = fields.iter().filter(move |(field, _)| *field == name);
            of_it.map(|(_, text)| (*text).to_owned())
        };
        let body = &bytes[end + 2..];
        Self {
            name: path.file_name().unwrap().to_str().unwrap().to_owned(),
            expect: all("expect").next().unwrap(),
            payload: all("payload").next(),
            identities: all("identity")
                .map(|it| Identity::parse(&it).unwrap())
                .collect(),
            passphrase: all("passphrase").next(),
            armored: all("armored").any(|it| it == "yes"),
            file: match all("compressed").next() {
                Some(_) => miniz_oxide::inflate::decompress_to_vec_zlib(body).unwrap(),
                None => body.to_vec(),
            },
        }
    }

    /// Checks that opening returns the plaintext, or nothing at all.
    #[track_caller]
    fn check<E: std::fmt::Debug>(&self, opened: Result<&[u8], E>) {
        let name = &self.name;
        let is_good = self.expect == "success" || LEGACY.contains(&name.as_str());
        match opened {
            Ok(plaintext) => {
                assert!(is_good, "{name} opens, and should be a {}", self.expect);
                if let Some(payload) = &self.payload {
                    assert_eq!(hex(plaintext), *payload, "{name}");
                }
            }
            Err(error) => assert!(!is_good, "{name} should open: {error:?}"),
        }
    }
}

fn hex(plaintext: &[u8]) -> String {
    let digest = Sha256::digest(plaintext);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the test files, or `None` if they cannot be read. They are in the age crate's package,
/// in a directory that cargo knows.
fn vectors() -> Option<Vec<Vector>> {
    let metadata = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--locked",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output();
    let metadata = metadata.ok().filter(|it| it.status.success());
    let Some(metadata) = metadata else {
        test_support::skip("cargo", "cargo cannot say where the age crate is");
        return None;
    };
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let mut packages = metadata["packages"].as_array().unwrap().iter();
    let age = packages.find(|it| it["name"] == "age").unwrap();
    let manifest = PathBuf::from(age["manifest_path"].as_str().unwrap());
    let kit = manifest.with_file_name("tests").join("testdata/testkit");
    let vectors: Vec<_> = fs::read_dir(kit)
        .unwrap()
        .map(|entry| Vector::read(&entry.unwrap().path()))
        .collect();
    assert_eq!(vectors.len(), VECTORS);
    Some(vectors)
}

fn kept(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn text(passphrase: &str) -> SecretString {
    SecretString::from(passphrase.to_owned())
}

#[test]
fn slots_and_values_open_as_the_age_test_kit_says() {
    let Some(vectors) = vectors() else { return };
    let mut opened = 0;
    // Records are never armored.
    for vector in vectors.iter().filter(|it| !it.armored) {
        let plaintext = match &vector.passphrase {
            Some(passphrase) => {
                seal::decrypt(&seal::by_passphrase(text(passphrase)), &vector.file).ok()
            }
            None => vector.identities.iter().find_map(|identity| {
                let opened = identity.decrypt_with(|age| seal::decrypt(age, &vector.file));
                opened.unwrap()
            }),
        };
        opened += usize::from(plaintext.is_some());
        let plaintext = plaintext.as_ref().map(|it| it.as_slice());
        vector.check(plaintext.ok_or(DecryptError::DecryptionFailed));
    }
    assert!(opened > 0);
}

#[test]
fn backups_open_as_the_age_test_kit_says() {
    let Some(vectors) = vectors() else { return };
    for vector in vectors {
        let file = kept(&vector.file);
        let path = file.path();
        let read = |identity: &dyn age::Identity| {
            let mut file = File::open(path).unwrap();
            let mut plaintext = Vec::new();
            let mut reader = backup::plaintext(&mut file, path, identity).ok()??;
            reader.read_to_end(&mut plaintext).ok()?;
            Some(plaintext)
        };
        let plaintext = match &vector.passphrase {
            Some(passphrase) => read(&seal::by_passphrase(text(passphrase))),
            None => vector.identities.iter().find_map(|identity| {
                let opened =
                    identity.decrypt_with(|age| read(age).ok_or(DecryptError::NoMatchingKeys));
                opened.unwrap()
            }),
        };
        vector.check(plaintext.as_deref().ok_or("refused"));

        // None of them is a backup. The error must say what is wrong, and nothing of a plaintext.
        let passphrase = vector.passphrase.as_ref();
        let passphrase = passphrase.map(|it| SecretValue::copy_of(it.as_bytes()).unwrap());
        let key = match &passphrase {
            Some(passphrase) => BackupKey::Passphrase(passphrase),
            None => BackupKey::Identities(&vector.identities),
        };
        let error = Backup::open(path, key).unwrap_err();
        let kind = error.kind();
        assert!(
            matches!(kind, ErrorKind::Key | ErrorKind::Tampered),
            "{error}"
        );
        if vector.expect != "success" && !LEGACY.contains(&vector.name.as_str()) {
            let is_damaged =
                matches!(&error, Error::NotABackup { reason } if reason.contains("line"));
            let from_payload = vector.expect == "payload failure";
            assert!(!is_damaged || from_payload, "{}: {error}", vector.name);
        }
    }
}

#[test]
fn key_files_open_as_the_age_test_kit_says() {
    let Some(vectors) = vectors() else { return };
    let mut opened = 0;
    for vector in vectors {
        let Some(passphrase) = &vector.passphrase else {
            continue;
        };
        let file = kept(&vector.file);
        let passphrase = passphrase.clone();
        let knows =
            move |_: &PassphraseRequest<'_>| SecretValue::copy_of(passphrase.as_bytes()).ok();
        let keys = FileKeys::new(file.path()).with_prompter(knows);
        let refused = keys.identities(Ask::Allowed).unwrap_err();
        match refused.reason() {
            // It was decrypted, but its content is not an identity.
            Some(KeyFileError::Invalid { .. }) if vector.name == "scrypt" => opened += 1,
            Some(KeyFileError::TooMuchWork { factor: 23, .. }) => {
                assert_eq!(vector.name, "scrypt_work_factor_23");
            }
            Some(KeyFileError::NotByPassphrase { .. } | KeyFileError::PassphraseWrong { .. }) => {
                assert_ne!(vector.expect, "success", "{}", vector.name);
            }
            other => panic!("{}: {other:?}", vector.name),
        }
    }
    assert_eq!(opened, 1);
}
