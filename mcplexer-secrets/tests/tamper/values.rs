//! Records of values that were swapped, copied, put back, renamed or removed.

use mcplexer_secrets::{Finding, Purpose, SecretStore, Select};

use super::{SECRETS, Victim, assert_tampered, id, name_of, secret};

/// F13: ciphertexts are bound to their place.
#[test]
fn swapped_ciphertexts_are_noticed() {
    for (one, other) in [(b"a\0K", b"a\0L"), (b"a\0K", b"b\0K")] {
        let victim = Victim::new();
        let (first, second) = (victim.record(SECRETS, one), victim.record(SECRETS, other));
        victim.set(SECRETS, one, &second);
        victim.set(SECRETS, other, &first);
        victim.assert_get_fails("a", "K", &secret("a", "K"), Finding::NotAsSealed);
    }
}

/// F11: a server gets all of its secrets, or none.
#[test]
fn credentials_with_a_value_that_does_not_open_are_an_error() {
    let victim = Victim::new();
    let record = victim.record(SECRETS, b"b\0K");
    victim.set(SECRETS, b"a\0L", &record);
    let (store, a, names) = (victim.store(), id("a"), ["K", "L"].map(name_of));
    for opened in [
        store.credentials(&a, Select::All, Purpose::Inject { program: None }),
        store.credentials(&a, Select::Only(&names), Purpose::Inject { program: None }),
        store.credentials(&a, Select::AnyOf(&names), Purpose::Inject { program: None }),
        store.credentials(&a, Select::All, Purpose::Export),
        store.credentials(&a, Select::All, Purpose::Scan),
    ] {
        assert_tampered(opened, &secret("a", "L"), Finding::NotAsSealed);
    }
    assert!(
        store
            .credentials(
                &a,
                Select::Only(&names[..1]),
                Purpose::Inject { program: None }
            )
            .is_ok()
    );
    assert!(
        store
            .credentials(&id("b"), Select::All, Purpose::Inject { program: None })
            .is_ok()
    );
}

#[test]
fn a_copy_under_another_name_is_noticed() {
    let victim = Victim::new();
    let (record, before) = (
        victim.record(SECRETS, b"a\0K"),
        victim.record(SECRETS, b"a\0L"),
    );
    victim.set(SECRETS, b"a\0L", &record);
    victim.assert_get_fails("a", "L", &secret("a", "L"), Finding::NotAsSealed);
    victim.set(SECRETS, b"a\0L", &before);
    victim.set(SECRETS, b"a\0NEW", &record);
    victim.assert_get_fails("a", "NEW", &secret("a", "NEW"), Finding::Unlisted);
    let list = victim.store().list(&id("a"));
    assert_tampered(list, &secret("a", "NEW"), Finding::Unlisted);
}

#[test]
fn an_older_record_put_back_is_noticed() {
    let victim = Victim::new();
    let old = victim.record(SECRETS, b"a\0K");
    victim.put("a", "K", b"new");
    victim.set(SECRETS, b"a\0K", &old);
    let finding = Finding::NotAsSealed;
    victim.assert_get_fails("a", "K", &secret("a", "K"), finding);
    let list = victim.store().list(&id("a"));
    assert_tampered(list, &secret("a", "K"), finding);
    assert_eq!(
        victim.get("a", "L").unwrap(),
        b"a/L",
        "the others stay readable"
    );
}

/// A secret that was deleted and created again starts at version 1, as its old record did.
#[test]
fn a_record_from_before_a_deletion_is_noticed() {
    let victim = Victim::new();
    let old = victim.record(SECRETS, b"a\0K");
    victim.store().delete(&id("a"), &name_of("K")).unwrap();
    victim.put("a", "K", b"new");
    victim.set(SECRETS, b"a\0K", &old);
    victim.assert_get_fails("a", "K", &secret("a", "K"), Finding::NotAsSealed);
}

#[test]
fn a_removed_record_is_tampered_not_absent() {
    let victim = Victim::new();
    victim.remove(SECRETS, b"a\0K");
    victim.assert_get_fails("a", "K", &secret("a", "K"), Finding::Missing);
    let list = victim.store().list(&id("a"));
    assert_tampered(list, &secret("a", "K"), Finding::Missing);
    // The last record in order is missed as well as the first.
    let victim = Victim::new();
    victim.remove(SECRETS, b"a\0L");
    let list = victim.store().list(&id("a"));
    assert_tampered(list, &secret("a", "L"), Finding::Missing);
}

#[test]
fn a_renamed_record_is_tampered_under_both_names() {
    let victim = Victim::new();
    let record = victim.remove(SECRETS, b"a\0K");
    victim.set(SECRETS, b"a\0M", &record);
    victim.assert_get_fails("a", "K", &secret("a", "K"), Finding::Missing);
    victim.assert_get_fails("a", "M", &secret("a", "M"), Finding::Unlisted);
    assert_tampered(
        victim.store().list(&id("a")),
        &secret("a", "K"),
        Finding::Missing,
    );
}
