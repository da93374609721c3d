//! What a re-key, a deletion and a backup leave behind, and what they leave alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use mcplexer_secrets::keys::{FileKeys, Identity, KeyError};
use mcplexer_secrets::{Error, NewScope, SecretStore, Store};
use redb::{Builder, ConcurrencyMode, ReadableDatabase, ReadableTable, TableDefinition};
use test_support::tool;

use super::home::Home;

const ROTATIONS: usize = 20;

/// Returns every record of a table, with its key.
fn records(home: &Home, table: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let database = Builder::new()
        .set_concurrency_mode(ConcurrencyMode::MultiWriter)
        .open_read_only(home.path("secrets.redb"))
        .unwrap();
    let table: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new(table);
    let table = database.begin_read().unwrap().open_table(table).unwrap();
    let all = table.iter().unwrap().map(|record| {
        let (key, record) = record.unwrap();
        (key.value().to_vec(), record.value().to_vec())
    });
    all.collect()
}

/// Returns a unique part of each sealed record and each wrapped key: the bytes after its header.
fn ciphertexts(home: &Home) -> Vec<Vec<u8>> {
    let tables = ["meta", "scopes", "secrets"];
    let records = tables.iter().flat_map(|table| records(home, table));
    let mut found = Vec::new();
    for (_, record) in records {
        let magic = b"\n--- ";
        for (at, window) in record.windows(magic.len()).enumerate() {
            if window == magic {
                found.push(record[at + magic.len()..at + magic.len() + 43].to_vec());
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// Counts how many of these appear anywhere in the store's file, in used pages or free ones.
fn traces(home: &Home, of: &[Vec<u8>]) -> usize {
    let file = fs::read(home.path("secrets.redb")).unwrap();
    let is_there = |part: &&Vec<u8>| file.windows(part.len()).any(|window| window == **part);
    of.iter().filter(is_there).count()
}

fn home_with_secrets() -> Home {
    let home = Home::new();
    for (scope, key) in [("a", "K1"), ("a", "K2"), ("b", "K1")] {
        home.run(["secret", "put", scope, key, "v"]).succeeded();
    }
    home
}

/// F25: after a rotation, the file contains nothing of what was sealed before.
#[test]
fn a_rotation_leaves_no_old_ciphertext_and_no_old_wrapped_key() {
    let home = home_with_secrets();
    for rotate in [
        ["key", "rotate"].as_slice(),
        &["key", "rotate", "--keep-identity"],
    ] {
        let before = ciphertexts(&home);
        assert_eq!(traces(&home, &before), before.len());
        home.run(rotate).succeeded();
        assert_eq!(traces(&home, &before), 0, "{rotate:?}");
    }
}

/// F25: deleted and replaced secrets stay in free pages until `compact`.
#[test]
fn compact_leaves_nothing_of_what_was_deleted() {
    let home = home_with_secrets();
    home.run(["secret", "put", "a", "K2", "w"]).succeeded();
    let before = ciphertexts(&home);
    // The first version is the sixth before the last, and the scope keeps five.
    for value in ["2", "3", "4", "5", "6", "new"] {
        home.run(["secret", "put", "a", "K1", value]).succeeded();
    }
    home.run(["secret", "delete", "a", "K2"]).succeeded();
    home.run(["scope", "delete", "b", "--force"]).succeeded();
    let now = ciphertexts(&home);
    let gone: Vec<_> = before
        .into_iter()
        .filter(|part| !now.contains(part))
        .collect();
    assert!(gone.len() >= 6, "four values, a scope, a header");
    assert_eq!(records(&home, "secrets").len(), 6, "K1 and five versions");
    home.run(["compact"]).succeeded();
    assert_eq!(traces(&home, &gone), 0);
    assert_eq!(traces(&home, &now), now.len());
    assert_eq!(home.get("a", "K1"), b"new");
    let mode = fs::metadata(home.path("secrets.redb"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
}

/// F06, F30: one command rotates. The new identity differs from the old one, and the old one alone
/// opens nothing: neither the store with the library, nor a slot with the stock age command.
#[test]
fn the_old_identity_opens_nothing() {
    let home = home_with_secrets();
    let old = home.root().join("old.key");
    fs::copy(home.path("age.key"), &old).unwrap();
    let run = home.run(["key", "rotate", "--json"]).succeeded();
    let report: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(
        (&report["generation"], &report["secrets"]),
        (&2.into(), &3.into())
    );

    let identities = |path| Identity::parse_all(&fs::read_to_string(path).unwrap()).unwrap();
    let (before, now) = (identities(old.clone()), identities(home.path("age.key")));
    assert_eq!((before.len(), now.len()), (1, 1));
    assert_ne!(before[0].name(), now[0].name());
    assert_eq!(report["recipient"], now[0].name());

    let store = Store::open(home.path("secrets.redb"), FileKeys::new(&old)).unwrap();
    let error = store
        .get(&"a".parse().unwrap(), &"K1".parse().unwrap())
        .unwrap_err();
    let Error::Locked {
        reason: KeyError::Wrong { .. },
        ..
    } = error
    else {
        panic!("{error:?}");
    };
    let Some(age) = tool("age") else { return };
    let slot = home.root().join("slot.age");
    fs::write(&slot, super::age_command::first_slot(&home)).unwrap();
    let opens = |key: &std::path::Path| {
        let mut age = Command::new(&age);
        let age = age
            .args(["--decrypt", "--output", "/dev/null", "--identity"])
            .args([key, &slot]);
        age.output().unwrap().status.success()
    };
    assert!(opens(&home.path("age.key")));
    assert!(!opens(&old));
}

/// F29: a rotation changes everything or nothing, and names the record that it cannot read.
#[test]
fn a_damaged_record_stops_a_rotation_before_it_changes_anything() {
    let home = home_with_secrets();
    let code = home.run(["key", "recovery"]).succeeded().stdout;
    let (_, record) = records(&home, "secrets")
        .into_iter()
        .find(|(key, _)| key == b"b\0K1")
        .unwrap();
    let mut file = fs::read(home.path("secrets.redb")).unwrap();
    let at = file
        .windows(record.len())
        .position(|it| it == record)
        .unwrap();
    file[at + record.len() - 1] ^= 1;
    fs::write(home.path("secrets.redb"), &file).unwrap();

    let tables = || ["meta", "scopes", "secrets"].map(|table| records(&home, table));
    let (key, before) = (fs::read(home.path("age.key")).unwrap(), tables());
    home.run(["key", "rotate"])
        .failed(6, &["secret b/K1 is not what was last written"]);
    assert!(before == tables(), "the store has changed");
    assert_eq!(fs::read(home.path("age.key")).unwrap(), key);
    assert_eq!(home.get("a", "K1"), b"v");
    home.run(["backup", "create", "b.age"])
        .failed(6, &["secret b/K1 is not what was last written"]);
    assert!(!home.root().join("b.age").exists());
    fs::remove_file(home.path("age.key")).unwrap();
    home.pipe(["key", "recover"], &code)
        .failed(6, &["secret b/K1 is not what was last written"]);
    assert!(!home.path("age.key").exists(), "a key that opens nothing");
}

/// A reader and a writer, each one long-running process, keep working while a third rotates the keys.
#[test]
fn open_stores_go_on_while_another_process_rotates() {
    let home = home_with_secrets();
    let open = || {
        let keys = FileKeys::new(home.path("age.key"));
        Store::open(home.path("secrets.redb"), keys).unwrap()
    };
    let (reading, writing) = (open(), open());
    let done = AtomicBool::new(false);
    let scope = || "a".parse().unwrap();
    let written = thread::scope(|threads| {
        let reader = threads.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let value = reading.get(&scope(), &"K1".parse().unwrap()).unwrap();
                assert_eq!(value.expose(), b"v");
                assert!(reading.list(&scope()).unwrap().len() >= 2);
            }
        });
        let writer = threads.spawn(|| {
            let mut number = 0;
            while !done.load(Ordering::Relaxed) {
                let name = format!("N{number}").parse().unwrap();
                let value = format!("{number}").into_bytes();
                let value = mcplexer_secrets::SecretValue::new(value).unwrap();
                let mode = mcplexer_secrets::PutMode::Create;
                writing
                    .put(&NewScope::env(scope()), &name, &value, mode)
                    .unwrap();
                number += 1;
            }
            number
        });
        // Short-lived processes also run, with the key file as it is at that moment.
        threads.spawn(|| {
            for number in 0.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                assert_eq!(home.get("a", "K1"), b"v");
                let value = number.to_string();
                home.run(["secret", "put", "b", "LATEST", &value])
                    .succeeded();
                assert_eq!(home.get("b", "LATEST"), value.as_bytes());
            }
        });
        let rotations = threads.spawn(|| {
            for _ in 0..ROTATIONS {
                home.run(["key", "rotate"]).succeeded();
            }
        });
        let rotated = rotations.join();
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
        rotated.unwrap();
        writer.join().unwrap()
    });
    assert!(written > 0);
    for number in 0..written {
        let value = home.get("a", &format!("N{number}"));
        assert_eq!(value, number.to_string().as_bytes());
    }
    let generation = home.run(["key", "rotate", "--json"]).succeeded();
    let report: serde_json::Value = serde_json::from_slice(&generation.stdout).unwrap();
    assert_eq!(report["generation"], ROTATIONS + 2);
    assert_eq!(report["secrets"], written + 4);
}

/// F28: of two rotations at once, one waits for the other.
#[test]
fn rotations_at_the_same_time_all_end_well() {
    let home = home_with_secrets();
    thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                for _ in 0..5 {
                    home.run(["key", "rotate"]).succeeded();
                }
            });
        }
        // `doctor --fix` does not mistake a running rotation for an interrupted one.
        threads.spawn(|| {
            for _ in 0..20 {
                home.run(["doctor", "--fix"]);
            }
        });
    });
    assert_eq!(home.get("a", "K1"), b"v");
    let text = fs::read_to_string(home.path("age.key")).unwrap();
    assert_eq!(Identity::parse_all(&text).unwrap().len(), 1, "{text}");
}

/// F45: a backup does not contain the root key. F46: restored files are as private as the originals.
#[test]
fn a_backup_holds_the_secrets_and_no_key() {
    let home = home_with_secrets();
    home.run(["backup", "create", "b.age"]).succeeded();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(home.root().join("b.age")), 0o600);

    let decrypt = |identity: &std::path::Path, file: &std::path::Path| {
        let bytes = fs::read(file).unwrap();
        let text = fs::read_to_string(identity).unwrap();
        let line = text.lines().find(|line| !line.starts_with('#')).unwrap();
        let identity: age::x25519::Identity = line.parse().unwrap();
        age::decrypt(&identity, &bytes).unwrap()
    };
    let plaintext = decrypt(&home.path("age.key"), &home.root().join("b.age"));
    let slot = home.root().join("slot.age");
    fs::write(&slot, super::age_command::first_slot(&home)).unwrap();
    let root_key = decrypt(&home.path("age.key"), &slot);
    assert_eq!(root_key.len(), 32);
    let text = String::from_utf8(plaintext).unwrap();
    let hex: String = root_key.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(
        !text.contains(&hex) && !text.contains("AGE-SECRET"),
        "{text}"
    );
    let (document, _maker) = text.trim_end().rsplit_once('\n').unwrap();
    let document: serde_json::Value = serde_json::from_str(document).unwrap();
    assert_eq!(document["scopes"][0]["secrets"][1]["value"]["text"], "v");

    let new = Home::new();
    let (file, key) = (home.root().join("b.age"), home.path("age.key"));
    new.command()
        .args(["backup", "restore"])
        .arg(file)
        .arg("--identity")
        .arg(key)
        .status()
        .unwrap();
    assert_eq!(new.get("b", "K1"), b"v");
    for file in ["secrets.redb", "age.key", "audit.log"] {
        assert_eq!(mode(new.path(file)), 0o600, "{file}");
    }
    assert_eq!(mode(new.path("")), 0o700);
}
