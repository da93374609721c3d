//! Which secrets are in the memory of a program that embeds the library, after it has dropped its
//! values.
//!
//! The tests start themselves again as that program. It stops after each step and is examined from
//! outside, because a process that searches its own memory for a secret also finds the secret it
//! searches for.

#![cfg(test)]

mod keys;
mod scan;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use mcplexer_files::exchange::{self, Format};
use mcplexer_mask::{Known, Masker};
use mcplexer_secrets::backup::{Backup, BackupKey, BackupTo};
use mcplexer_secrets::keys::{Ask, FileKeys, Identity, KeyProvider};
use mcplexer_secrets::{
    NewScope, OnConflict, Purpose, PutMode, RestoreMode, RotateIdentity, ScopeId, SecretName,
    SecretStore, SecretValue, Select, Store,
};
use test_support::Running;
use zeroize::Zeroizing;

use self::keys::Secrets;
use self::scan::{Found, Mappings, Wanted};

/// The home directory of the program.
const HOME: &str = "MCPLEXER_TEST_MEMORY_HOME";

fn scope() -> ScopeId {
    "s".parse().unwrap()
}

fn name(name: &str) -> SecretName {
    name.parse().unwrap()
}

/// The program. Each step ends with a stop, at which only the store's file is left of it.
#[test]
#[ignore = "the program that the other tests look at"]
fn program() {
    let Some(home) = std::env::var_os(HOME).map(PathBuf::from) else {
        return;
    };
    let keys = || FileKeys::new(home.join("age.key"));
    let open = || Store::open(home.join("secrets.redb"), keys()).unwrap();

    let store = open();
    let value = store.get(&scope(), &name("K0")).unwrap();
    let identities = keys().identities(Ask::Never).unwrap();
    stop("everything is there");
    drop((store, value, identities));
    stop("get");

    let store = open();
    store.list(&scope()).unwrap();
    store.check(&mut |_| {}, &mut |_| {}).unwrap();
    drop(store);
    stop("list and check");

    let store = open();
    let credentials = store
        .credentials(&scope(), Select::All, Purpose::Inject { program: None })
        .unwrap();
    let mut masker = Masker::new(credentials.iter().map(|it| Known {
        label: format!("{}/{}", it.scope, it.name),
        value: it.value.expose(),
    }));
    let mut shown = Vec::new();
    for credential in credentials.iter() {
        masker.feed(credential.value.expose(), &mut shown);
    }
    masker.flush(&mut shown);
    drop((store, credentials, masker, shown));
    stop("mask");

    let file = Zeroizing::new(fs::read(home.join("import.env")).unwrap());
    let entries = exchange::read(&file, Format::Dotenv).unwrap();
    let secrets = entries.iter().map(|entry| entry.secret().unwrap());
    let secrets: Vec<(SecretName, SecretValue)> = secrets.collect();
    drop((secrets, entries, file));
    stop("read a file");

    let file = Zeroizing::new(fs::read(home.join("import.env")).unwrap());
    let entries = exchange::read(&file, Format::Dotenv).unwrap();
    let secrets = entries.iter().map(|entry| entry.secret().unwrap());
    let secrets: Vec<(SecretName, SecretValue)> = secrets.collect();
    let store = open();
    store
        .import(&NewScope::env(scope()), &secrets, OnConflict::Fail)
        .unwrap();
    drop((store, secrets, entries, file));
    stop("import");

    let store = open();
    let value = store.get(&scope(), &name("K0")).unwrap();
    store
        .put(
            &NewScope::env(scope()),
            &name("COPY"),
            &value,
            PutMode::Overwrite,
        )
        .unwrap();
    drop((store, value));
    stop("put");

    let store = open();
    let to = BackupTo::StoreKeys;
    store
        .backup(&home.join("b.age"), to, false, &mut |_| {})
        .unwrap();
    drop(store);
    stop("backup");

    let store = open();
    let identities = keys().identities(Ask::Never).unwrap();
    let backup = Backup::open(&home.join("b.age"), BackupKey::Identities(&identities)).unwrap();
    store.restore(&backup, RestoreMode::Replace).unwrap();
    drop((store, identities, backup));
    stop("restore");

    let store = open();
    store.rotate(RotateIdentity::Replace, &mut |_| {}).unwrap();
    drop(store);
    stop("rotate");
}

/// Prints the step, and waits until it has been examined.
fn stop(step: &str) {
    // On a line of its own, because the test harness writes too.
    println!("\nat: {step}");
    io::stdin().read_line(&mut String::new()).unwrap();
}

/// Returns 58 random characters.
fn random() -> String {
    Identity::generate().name()[4..].to_owned()
}

/// Examines the program at each of its stops, and returns what was found by step.
fn look() -> BTreeMap<String, Found> {
    let home = tempfile::tempdir().unwrap();
    let values: Vec<String> = (0..3).map(|_| random()).collect();
    let keys = FileKeys::new(home.path().join("age.key"));
    let store = Store::open(home.path().join("secrets.redb"), keys).unwrap();
    for (key, value) in ["K0", "K1"].iter().zip(&values) {
        let value = SecretValue::copy_of(value.as_bytes()).unwrap();
        store
            .put(
                &NewScope::env(scope()),
                &name(key),
                &value,
                PutMode::Overwrite,
            )
            .unwrap();
    }
    let import = format!("K2={}\n", values[2]);
    fs::write(home.path().join("import.env"), import).unwrap();
    let before = Secrets::keys_of(home.path()).and_values(&values);

    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["program", "--exact", "--ignored", "--nocapture"])
        .env(HOME, home.path());
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = Running::start(command).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut stops = BTreeMap::new();
    for line in lines.map(Result::unwrap) {
        if let Some(step) = line.strip_prefix("at: ") {
            let now = Secrets::keys_of(home.path());
            let wanted = Wanted::new(now.iter().chain(before.iter()));
            let found = wanted.scan(child.id(), Mappings::All).unwrap();
            stops.insert(step.to_owned(), found);
            stdin.write_all(b"\n").unwrap();
        }
    }
    assert!(child.wait().unwrap().success());
    stops
}

/// What the crate's documentation says under "What stays in memory".
#[test]
fn keys_are_gone_after_every_step_and_values_unless_they_were_encrypted() {
    let stops = look();
    let live = ["value 0", "root key", "scope key of s", "identity ("];
    let everything = &stops["everything is there"].names;
    assert!(Wanted::all_in(everything, &live), "{everything:?}");
    assert_eq!(stops.len(), 10);
    for (stop, found) in &stops {
        println!("{stop}: {} KiB: {:#?}", found.bytes >> 10, found.places);
        assert!(found.bytes > 1 << 20, "only {} bytes", found.bytes);
        match stop.as_str() {
            "everything is there" => {}
            "get" | "list and check" | "mask" | "read a file" => {
                assert!(found.places.is_empty(), "{stop}: {:#?}", found.places);
            }
            // The age crate does not wipe what it has encrypted, nor serde_json what it has read.
            _ => {
                let mut keys = found
                    .names
                    .iter()
                    .filter(|name| !name.starts_with("value "));
                assert_eq!(keys.next(), None, "{stop}: {:#?}", found.places);
            }
        }
    }
}
