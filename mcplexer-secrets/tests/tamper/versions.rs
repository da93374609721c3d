//! Records of earlier versions that were removed, altered, swapped, put back or added.

use mcplexer_secrets::{Finding, NewScope, RecordName, SecretStore};

use super::{SECRETS, Victim, assert_tampered, id, name_of, secret};

/// A victim in which `a/K` has the versions 1 to 3, and `a/L` 1 and 2.
fn victim() -> Victim {
    let victim = Victim::new();
    victim.put("a", "K", b"second");
    victim.put("a", "K", b"third");
    victim.put("a", "L", b"second");
    victim
}

fn key(name: &str, version: u64) -> Vec<u8> {
    [format!("a\0{name}\0").as_bytes(), &version.to_be_bytes()].concat()
}

fn version_of(name: &str, version: u64) -> RecordName {
    RecordName::Version(id("a"), name_of(name), version)
}

/// Checks that whatever looks at this version fails, names the secret, and that the current value still opens.
fn assert_noticed(victim: &Victim, version: u64, finding: Finding) {
    let (store, record) = (victim.store(), version_of("K", version));
    let (scope, name) = (id("a"), name_of("K"));
    assert!(record.to_string().contains("a/K"));
    assert_tampered(store.list(&scope), &record, finding);
    assert_tampered(store.history(&scope, &name), &record, finding);
    let mut found = Vec::new();
    store
        .check(&mut |error| found.push(error), &mut |_| ())
        .unwrap();
    assert_tampered(Err::<(), _>(found.remove(0)), &record, finding);
    if finding != Finding::Unlisted {
        assert_tampered(store.get_version(&scope, &name, version), &record, finding);
        let restored = store.restore_version(&scope, &name, version);
        assert_tampered(restored, &record, finding);
    }
    assert_eq!(victim.get("a", "K").unwrap(), b"third");
}

#[test]
fn earlier_versions_open_as_they_were_stored() {
    let victim = victim();
    let get = |version| victim.store().get_version(&id("a"), &name_of("K"), version);
    for (version, value) in [(1, &b"a/K"[..]), (2, b"second"), (3, b"third")] {
        assert_eq!(get(version).unwrap().expose(), value);
    }
}

#[test]
fn a_removed_version_is_noticed() {
    for version in [1, 2] {
        let victim = victim();
        victim.remove(SECRETS, &key("K", version));
        assert_noticed(&victim, version, Finding::Missing);
    }
    // The last record of the scope is missed as well.
    let victim = victim();
    victim.remove(SECRETS, &key("L", 1));
    let list = victim.store().list(&id("a"));
    assert_tampered(list, &version_of("L", 1), Finding::Missing);
}

#[test]
fn an_altered_version_is_noticed() {
    let victim = victim();
    let mut record = victim.record(SECRETS, &key("K", 1));
    *record.last_mut().unwrap() ^= 1;
    victim.set(SECRETS, &key("K", 1), &record);
    assert_noticed(&victim, 1, Finding::NotAsSealed);
}

#[test]
fn swapped_versions_are_noticed() {
    for other in [key("K", 2), key("L", 1)] {
        let victim = victim();
        let (first, second) = (
            victim.record(SECRETS, &key("K", 1)),
            victim.record(SECRETS, &other),
        );
        victim.set(SECRETS, &key("K", 1), &second);
        victim.set(SECRETS, &other, &first);
        assert_noticed(&victim, 1, Finding::NotAsSealed);
    }
}

/// An earlier value is not the current one, although it was once.
#[test]
fn an_earlier_version_in_the_place_of_the_current_one_is_noticed() {
    let victim = victim();
    let record = victim.record(SECRETS, &key("K", 2));
    victim.set(SECRETS, b"a\0K", &record);
    victim.assert_get_fails("a", "K", &secret("a", "K"), Finding::NotAsSealed);
}

#[test]
fn an_added_version_is_noticed() {
    for version in [0, 3, 4, u64::MAX] {
        let victim = victim();
        let record = victim.record(SECRETS, &key("K", 2));
        victim.set(SECRETS, &key("K", version), &record);
        assert_noticed(&victim, version, Finding::Unlisted);
    }
    let victim = victim();
    victim.set(SECRETS, b"a\0K\0short", b"record");
    let list = victim.store().list(&id("a"));
    assert_tampered(list, &RecordName::Unknown("secrets"), Finding::Unlisted);
}

#[test]
fn a_version_put_back_after_it_was_dropped_is_noticed() {
    let victim = victim();
    let old = victim.record(SECRETS, &key("K", 1));
    let scope = NewScope {
        keep_versions: 1,
        ..NewScope::env(id("a"))
    };
    assert!(victim.store().update_scope(&scope).unwrap());
    victim.put("a", "K", b"third");
    assert!(victim.keys(SECRETS, b"a\0K\0") == [key("K", 3)]);
    victim.set(SECRETS, &key("K", 1), &old);
    assert_noticed(&victim, 1, Finding::Unlisted);
}

#[test]
fn a_version_put_back_after_a_deletion_is_noticed() {
    let victim = victim();
    let (old, current) = (
        victim.record(SECRETS, &key("K", 1)),
        victim.record(SECRETS, b"a\0K"),
    );
    victim.store().delete(&id("a"), &name_of("K")).unwrap();
    assert!(victim.keys(SECRETS, b"a\0K").is_empty(), "every version");
    victim.put("a", "K", b"third");
    victim.set(SECRETS, &key("K", 1), &old);
    assert_noticed(&victim, 1, Finding::Unlisted);
    victim.set(SECRETS, b"a\0K", &current);
    victim.assert_get_fails("a", "K", &secret("a", "K"), Finding::NotAsSealed);
}

/// Nothing vouches for the earlier versions of a secret whose record is gone: they go with the next put.
#[test]
fn a_damaged_secret_that_is_put_again_begins_a_new_history() {
    let victim = victim();
    victim.remove(SECRETS, b"a\0K");
    victim.put("a", "K", b"again");
    assert!(victim.keys(SECRETS, b"a\0K\0").is_empty());
    let history = victim.store().history(&id("a"), &name_of("K")).unwrap();
    let versions: Vec<_> = history.iter().map(|it| it.version).collect();
    assert_eq!(versions, [4]);
    let found = victim.store().check(&mut |it| panic!("{it}"), &mut |_| ());
    assert!(found.is_ok());
}
