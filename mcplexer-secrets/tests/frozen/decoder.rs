//! `docs/decode.py`, a reader of stores and backups that was written from the documents and shares
//! nothing with the library, finds what the library finds, and rejects what the documents call
//! tampering.
//!
//! It needs Python with the package `cryptography`, which `.ci/servers DIR` installs;
//! `MCPLEXER_TEST_SERVERS` names that directory.

#[path = "../../examples/dump_records.rs"]
#[expect(dead_code, reason = "its main is for people")]
mod dump_records;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use mcplexer_secrets::audit::{Actor, CallId, CallRecord, CallStep, FileAudit};
use mcplexer_secrets::keys::{FileKeys, FixedKeys, Identity};
use mcplexer_secrets::{RotateIdentity, Store, Timestamp};
use serde_json::Value;
use test_support::{Running, skip};

use super::{AFTER_BACKUP, PASSPHRASE, expected, home};

/// Returns a Python that has the package.
fn python() -> Option<PathBuf> {
    let place = std::env::var_os("MCPLEXER_TEST_SERVERS");
    let python = match &place {
        Some(place) => Path::new(place).join("bin/python"),
        None => PathBuf::from("python3"),
    };
    let import = ["-c", "import cryptography"];
    let found = Command::new(&python).args(import).output();
    if found.is_ok_and(|it| it.status.success()) {
        return Some(python);
    }
    assert!(place.is_none(), "no package cryptography in {python:?}");
    skip("cryptography", "no python3 with the package cryptography");
    None
}

fn decode(python: &Path, arguments: &[&str], input: &Value) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/decode.py");
    let mut command = Command::new(python);
    command.arg(script).args(arguments).stdin(Stdio::piped());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Running::start(command).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It stops reading input that it rejects.
    let _unread = stdin.write_all(input.to_string().as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn decoded(python: &Path, arguments: &[&str], input: &Value) -> Value {
    let output = decode(python, arguments, input);
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {message}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Returns the versions and values in the decoder's document.
fn values(document: &Value) -> BTreeMap<(&str, &str), (u64, Vec<u8>)> {
    let mut values = BTreeMap::new();
    for scope in document["scopes"].as_array().unwrap() {
        for secret in scope["secrets"].as_array().unwrap() {
            let value = &secret["value"];
            let value = match value["text"].as_str() {
                Some(text) => text.as_bytes().to_vec(),
                None => BASE64_STANDARD
                    .decode(value["base64"].as_str().unwrap())
                    .unwrap(),
            };
            let place = (
                scope["id"].as_str().unwrap(),
                secret["name"].as_str().unwrap(),
            );
            values.insert(place, (secret["version"].as_u64().unwrap(), value));
        }
    }
    values
}

#[test]
fn the_independent_decoder_finds_every_value_with_each_kind_of_key() {
    let Some(python) = python() else { return };
    let home = home();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    fs::write(home.path().join("passphrase"), PASSPHRASE).unwrap();
    let records = dump_records::records(&home.path().join("secrets.redb")).unwrap();
    let (code, passphrase) = (path("recovery-code"), path("passphrase"));
    let (code, passphrase) = (format!("code:{code}"), format!("passphrase:{passphrase}"));
    let mut documents = Vec::new();
    for key in [&path("age.key"), &path("id_ed25519"), &code, &passphrase] {
        let arguments = ["store", "-", key, &path("audit.log")];
        let document = decoded(&python, &arguments, &records);
        assert_eq!(values(&document), expected(), "{key}");
        assert_eq!(document["audit"]["lines"], 38);
        assert_eq!(document["audit"]["sealed"], 36);
        documents.push(document);
    }

    let mut expected = expected();
    expected.retain(|_, (_, value)| value != AFTER_BACKUP);
    for (file, key) in [
        ("backup.age", &path("age.key")),
        ("backup.age", &path("id_ed25519")),
        ("backup.age", &code),
        ("backup-passphrase.age", &passphrase),
    ] {
        let backup = decoded(&python, &["backup", &path(file), key], &Value::Null);
        assert_eq!(values(&backup), expected, "{file} with {key}");
        // A backup says of a scope what the store says, except for the last scope, of which it has
        // less.
        let store = &documents[0];
        assert_eq!(backup["store"], store["store"]);
        let [now, then] = [store, &backup].map(|it| it["scopes"].as_array().unwrap().iter());
        for (now, then) in now.zip(then).filter(|(now, _)| now["id"] != "mail") {
            assert_eq!(now, then, "{file}");
        }
    }
}

/// Also reads the small fixture, the source of the worked example of the format.
#[test]
fn the_independent_decoder_reads_the_worked_example() {
    let Some(python) = python() else { return };
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1");
    let copy = tempfile::tempdir().unwrap();
    let store = copy.path().join("secrets.redb");
    fs::write(&store, fs::read(fixture.join("secrets.redb")).unwrap()).unwrap();
    let records = dump_records::records(&store).unwrap();
    let [key, log] = ["age.key", "audit.log"].map(|it| fixture.join(it));
    let arguments = ["store", "-", key.to_str().unwrap(), log.to_str().unwrap()];
    let document = decoded(&python, &arguments, &records);
    let github = ("github-token", "GITHUB_PERSONAL_ACCESS_TOKEN");
    assert_eq!(values(&document)[&github], (1, b"ghp_abc123".to_vec()));
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// An edit of the records.
type Edit<'a> = &'a dyn Fn(&mut Value);

#[test]
fn the_independent_decoder_refuses_what_was_tampered_with() {
    let Some(python) = python() else { return };
    let home = home();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let records = dump_records::records(&home.path().join("secrets.redb")).unwrap();
    let secret = |scope: &str, name: &str| hex(&format!("{scope}\0{name}"));
    let swap = |records: &mut Value, table: &str, a: &str, b: &str| {
        let first = records[table][a].take();
        let second = std::mem::replace(&mut records[table][b], first);
        records[table][a] = second;
    };
    let remove = |records: &mut Value, table: &str, key: &str| {
        let removed = records[table].as_object_mut().unwrap().remove(key);
        removed.unwrap();
    };
    let [access, refresh] = ["ACCESS_TOKEN", "REFRESH_TOKEN"].map(|it| secret("drive", it));
    let version = |version: u64| format!("{}00{version:016x}", secret("drive", "CLIENT_SECRET"));
    let earlier = version(2);
    let flip = |records: &mut Value, table: &str, key: &str, at: usize| {
        let record = records[table][key].as_str().unwrap();
        let other = if &record[at..=at] == "0" { "1" } else { "0" };
        let edited = format!("{}{other}{}", &record[..at], &record[at + 1..]);
        records[table][key] = Value::String(edited);
    };
    let pages = records["meta"].as_object().unwrap().keys();
    let page = pages
        .into_iter()
        .find(|it| it.starts_with(&hex("secrets/")));
    let edits: [(&str, Edit<'_>); 13] = [
        ("nothing", &|_| {}),
        ("two values change places", &|it| {
            swap(it, "secrets", &access, &refresh);
        }),
        ("a value moves to another scope", &|it| {
            swap(it, "secrets", &access, &secret("mail", "ACCESS_TOKEN"));
        }),
        ("a secret is gone", &|it| remove(it, "secrets", &access)),
        ("an earlier version is gone", &|it| {
            remove(it, "secrets", &earlier);
        }),
        ("an earlier version is another", &|it| {
            flip(it, "secrets", &earlier, 30);
        }),
        ("a version is there again", &|it| {
            let (first, record) = (version(1), it["secrets"][&earlier].clone());
            it["secrets"][&first] = record;
        }),
        ("a scope is gone", &|it| remove(it, "scopes", &hex("mail"))),
        ("two scopes change places", &|it| {
            swap(it, "scopes", &hex("drive"), &hex("mail"));
        }),
        ("the generation is another", &|it| {
            flip(it, "meta", &hex("header"), 35);
        }),
        ("the revision is another", &|it| {
            flip(it, "meta", &hex("header"), 37);
        }),
        ("an owner is another", &|it| {
            flip(it, "meta", &hex("owners"), 40);
        }),
        ("a page is another", &|it| {
            flip(it, "meta", page.unwrap(), 20);
        }),
    ];
    for (what, edit) in edits {
        let mut records = records.clone();
        edit(&mut records);
        let arguments = ["store", "-", &path("age.key"), &path("audit.log")];
        let output = decode(&python, &arguments, &records);
        let message = String::from_utf8_lossy(&output.stderr);
        if what == "nothing" {
            assert!(output.status.success(), "{message}");
            continue;
        }
        assert_eq!(output.status.code(), Some(1), "{what}");
        assert!(message.starts_with("refused: "), "{what}: {message}");
        assert_eq!(output.stdout, b"", "{what}");
    }
}

/// A store that the key opens and has not claimed, and one that is older than its log.
#[test]
fn the_independent_decoder_checks_claims_and_the_log() {
    let Some(python) = python() else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (ann, bob) = (Identity::generate(), FileKeys::new(path("bob.key")));
    let bobs = Store::open(path("bobs.redb"), bob).unwrap();
    bobs.init().unwrap();
    let bob = bobs.slots().unwrap().remove(0).recipient.parse().unwrap();
    let store = Store::open(path("secrets.redb"), FixedKeys::new(vec![ann])).unwrap();
    let store = store.with_audit_log(FileAudit::new(path("audit.log")));
    store.init().unwrap();
    store.add_recipient(&bob, None).unwrap();
    let records = || dump_records::records(Path::new(&path("secrets.redb"))).unwrap();
    let refusal = |records: &Value| {
        let (key, log) = (path("bob.key"), path("audit.log"));
        let output = decode(&python, &["store", "-", &key, &log], records);
        String::from_utf8_lossy(&output.stderr).trim().to_owned()
    };
    assert_eq!(
        refusal(&records()),
        "refused: the owner has not accepted the store"
    );
    let bobs = Store::open(path("secrets.redb"), FileKeys::new(path("bob.key"))).unwrap();
    bobs.accept(false).unwrap();
    let accepted = records();
    assert_eq!(refusal(&accepted), "");
    let call = CallRecord {
        time: Timestamp::now(),
        id: CallId::new(1),
        actor: Actor::this_process().into(),
        server: "github".into(),
        step: CallStep::Begun {
            method: "tools/call".into(),
            object: Some("search_code".into()),
            secrets: Vec::new().into(),
            arguments: None,
        },
    };
    store.record_calls(&[call.clone(), call]).unwrap();
    assert_eq!(refusal(&accepted), "");
    store.rotate(RotateIdentity::Keep, &mut |_| {}).unwrap();
    assert_eq!(refusal(&records()), "");
    assert_eq!(
        refusal(&accepted),
        "refused: the store is older than its log"
    );
}
