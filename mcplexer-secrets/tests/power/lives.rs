//! The operations on a store before the power fails.

use std::cell::OnceCell;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::Path;

use mcplexer_durable::{FileReplacement, replace_file};
use mcplexer_secrets::backup::{Backup, BackupKey, BackupTo};
use mcplexer_secrets::keys::{Ask, FileKeys, Identity, KeyProvider, SlotRef};
use mcplexer_secrets::{
    Change, Error, NewScope, OnConflict, PutMode, RestoreMode, RotateIdentity, ScopeId, ScopeKind,
    SecretEdit, SecretName, SecretStore, SecretValue, Store,
};

use crate::content::{Content, audit_log, no_progress, store};
use crate::cuts::{self, Count, Life, scratch};
use crate::recorder::Recorder;

/// An operation on a store, with its name.
type Step<'a> = (&'static str, &'a dyn Fn(&Store) -> Result<(), Error>);

fn scope(id: &str) -> ScopeId {
    id.parse().unwrap()
}

fn name(name: &str) -> SecretName {
    name.parse().unwrap()
}

fn put(store: &Store, id: &str, key: &str, value: &[u8]) -> Result<(), Error> {
    let value = SecretValue::copy_of(value).unwrap();
    store.put(
        &NewScope::env(scope(id)),
        &name(key),
        &value,
        PutMode::Overwrite,
    )?;
    Ok(())
}

/// Runs these steps in a home that does not exist yet. The store stays open throughout, or is
/// opened again for each step, as commands do.
fn live(root: &Path, steps: &[Step<'_>], reopened: bool) -> Life {
    // The directory above the home does not exist either.
    let below = Path::new("of/mcplexer");
    let home = root.join(below);
    let recorder = Recorder::new(root);
    let mut acknowledged = vec![(
        recorder.events_so_far(),
        "nothing".to_owned(),
        Content::of_copy(&home),
    )];
    let mut open = None;
    for (what, step) in steps {
        let store = match open.take() {
            Some(store) if !reopened => store,
            _ => store(&home).unwrap(),
        };
        step(&store).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let at = recorder.events_so_far();
        acknowledged.push((at, (*what).to_owned(), Content::of_copy(&home)));
        open = Some(store);
    }
    drop(open);
    let (disk, events) = recorder.finish();
    Life {
        disk,
        events,
        acknowledged,
        home: below.to_owned(),
    }
}

/// Runs every operation of a store.
fn everything(root: &Path, outside: &Path, reopened: bool) -> Life {
    let file = outside.join("b.age");
    // Opened at once, because the key changes later.
    let backup = OnceCell::new();
    let key = root.join("of/mcplexer/age.key");
    let new_scope = |id, kind| NewScope {
        kind,
        display_name: Some(format!("Scope {id}")),
        ..NewScope::env(scope(id))
    };
    let imported: Vec<_> = (0..5)
        .map(|number| {
            let value = format!("imported {number}").repeat(40);
            let value = SecretValue::copy_of(value.as_bytes()).unwrap();
            (name(&format!("I{number}")), value)
        })
        .collect();
    let rotate = |store: &Store, identity| store.rotate(identity, &mut no_progress).map(drop);
    let bob = Identity::generate().recipient().unwrap();
    let steps: [Step<'_>; 27] = [
        ("the first put", &|store| put(store, "a", "K1", b"one")),
        ("a put", &|store| put(store, "a", "K2", b"two")),
        ("an overwrite", &|store| put(store, "a", "K1", b"ONE")),
        ("an earlier version", &|store| {
            store.restore_version(&scope("a"), &name("K1"), 1).map(drop)
        }),
        ("an edit", &|store| {
            let edit = SecretEdit {
                rotate_every: Change::Set("90d".parse().unwrap()),
                ..SecretEdit::default()
            };
            store.edit(&scope("a"), &name("K1"), &edit).map(drop)
        }),
        ("a scope", &|store| {
            store.create_scope(&new_scope("empty", ScopeKind::Header))
        }),
        ("reads", &|store| {
            store.list(&scope("a"))?;
            store.get(&scope("a"), &name("K1"))?;
            store.get(&scope("a"), &name("K2")).map(drop)
        }),
        ("a put of 20 KiB", &|store| {
            put(store, "b", "LARGE", &[b'x'; 20 << 10])
        }),
        ("a delete", &|store| store.delete(&scope("a"), &name("K2"))),
        ("an import", &|store| {
            store
                .import(&new_scope("c", ScopeKind::Env), &imported, OnConflict::Fail)
                .map(drop)
        }),
        ("an import into several scopes", &|store| {
            let scopes = ["c", "e", "f"].map(|id| new_scope(id, ScopeKind::Env));
            let imports = scopes.map(|scope| (scope, &*imported));
            store.import_all(&imports, OnConflict::Fail).map(drop)
        }),
        ("an overwrite of 20 KiB", &|store| {
            put(store, "b", "LARGE", &[b'y'; 20 << 10])
        }),
        ("a scope's delete", &|store| {
            store.delete_scope(&scope("c")).map(drop)
        }),
        ("a configuration", &|store| {
            let scopes = [
                new_scope("a", ScopeKind::OAuth2),
                new_scope("d", ScopeKind::Env),
            ];
            let mut planned = store.plan_scopes(&scopes)?;
            planned.retain(|it| it.id == scope("empty"));
            store.apply_scopes(&scopes, &planned).map(drop)
        }),
        ("a backup", &|store| {
            store.backup(&file, BackupTo::StoreKeys, false, &mut no_progress)?;
            let identities = FileKeys::new(&key).identities(Ask::Never)?;
            let opened = Backup::open(&file, BackupKey::Identities(&identities))?;
            assert!(backup.set(opened).is_ok());
            Ok(())
        }),
        ("a compaction", &Store::compact),
        ("a put after it", &|store| {
            put(store, "d", "K3", b"after the compaction")
        }),
        ("a rotation", &|store| {
            rotate(store, RotateIdentity::Replace)
        }),
        ("a put after that", &|store| {
            put(store, "d", "K3", b"after the rotation")
        }),
        ("a recipient", &|store| {
            store.add_recipient(&bob, Some(&"bob".parse()?)).map(drop)
        }),
        ("a recovery code", &|store| {
            store.add_recovery_code().map(drop)
        }),
        ("a removal", &|store| {
            store
                .remove_slot(&SlotRef::new("bob"), false, &mut no_progress)
                .map(drop)
        }),
        ("a rotation that keeps the key", &|store| {
            rotate(store, RotateIdentity::Keep)
        }),
        ("more reads", &|store| {
            for _ in 0..6 {
                store.list(&scope("a"))?;
                store.get(&scope("a"), &name("K1"))?;
            }
            Ok(())
        }),
        ("another rotation", &|store| {
            rotate(store, RotateIdentity::Replace)
        }),
        ("a restore", &|store| {
            let backup = backup.get().unwrap();
            store.restore(backup, RestoreMode::Replace).map(drop)
        }),
        ("the last put", &|store| put(store, "a", "K1", b"last")),
    ];
    live(root, &steps, reopened)
}

/// Cuts the power at every moment of two lives, that of a store that stays open and that of commands,
/// and repeats this `times` times.
fn live_and_cut(times: usize, random: usize) -> Count {
    let mut sum = Count::default();
    for reopened in [false, true].repeat(times) {
        let (root, outside) = (scratch(), scratch());
        let life = everything(root.path(), outside.path(), reopened);
        let count = life.assert_survives(random);
        println!("reopened: {reopened}: {count:?}");
        sum.moments += count.moments;
        sum.states += count.states;
        sum.distinct += count.distinct;
    }
    println!("{sum:?}");
    sum
}

#[test]
fn a_power_cut_at_any_moment_loses_nothing_acknowledged() {
    let count = live_and_cut(1, 2);
    assert!(count.distinct >= 10_000, "{count:?}");
}

#[test]
#[ignore = "minutes: ten times the disks of the test above"]
fn ten_times_as_many_disks_lose_nothing_either() {
    let count = live_and_cut(6, 40);
    assert!(count.distinct >= 100_000, "{count:?}");
}

/// The torn end that an earlier power cut left is removed for good: it does not reappear behind the
/// lines written in its place.
#[test]
fn a_log_that_is_healed_stays_so() {
    let root = scratch();
    let log = audit_log(&root.path().join("of/mcplexer"));
    let torn = format!("{{\"line\":{}", "2".repeat(1200));
    let steps: [Step<'_>; 4] = [
        ("the first put", &|store| put(store, "a", "K1", b"one")),
        ("an earlier power cut", &|_| {
            let mut log = fs::File::options().append(true).open(&log).unwrap();
            log.write_all(torn.as_bytes()).unwrap();
            Ok(())
        }),
        ("a read", &|store| {
            store.get(&scope("a"), &name("K1")).map(drop)
        }),
        ("a put", &|store| put(store, "a", "K2", b"two")),
    ];
    let count = live(root.path(), &steps, true).assert_survives(20);
    println!("{count:?}");
    assert!(count.distinct > 100, "{count:?}");
}

/// A file that a command writes, or a client's configuration that it replaces, is the old file or
/// the new one; once the command has finished, the new one.
#[test]
fn a_file_that_is_replaced_is_the_old_one_or_the_new_one() {
    let root = scratch();
    let path = root.path().join("client.json");
    let (old, new) = ("old ".repeat(300), "new ".repeat(900));
    fs::write(&path, &old).unwrap();
    let recorder = Recorder::new(root.path());
    let begun = recorder.events_so_far();
    replace_file(&path, new.as_bytes()).unwrap();
    let written = recorder.events_so_far();
    let replacement = FileReplacement::begin(&path).unwrap();
    replacement
        .write_over(new.as_bytes(), old.as_bytes())
        .unwrap();
    let (disk, events) = recorder.finish();
    let mut states = 0;
    cuts::cut_everywhere(&disk, &events, 100, |moment, disk| {
        let tree = disk.tree();
        let found = tree.get("/client.json".as_ref() as &OsStr);
        if moment < begun {
            return;
        }
        let found = str::from_utf8(found.unwrap().unwrap()).unwrap();
        states += 1;
        let allowed: &[_] = match moment {
            _ if moment == begun || moment == events.len() => &[&old],
            _ if moment == written => &[&new],
            _ => &[&old, &new],
        };
        assert!(
            allowed.iter().any(|it| *it == found),
            "after event {moment}: {found:?}"
        );
    });
    println!("{states} states");
    assert!(states > 500);
}
