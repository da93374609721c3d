//! Records that list others: scopes, pages of the list of scopes, the header.

use mcplexer_secrets::keys::FixedKeys;
use mcplexer_secrets::{ErrorKind, Finding, RecordName, SecretStore, Store};

use super::{META, SCOPES, SECRETS, Victim, assert_tampered, id, name_of, scope, secret};

#[test]
fn a_copied_scope_record_does_not_open() {
    let victim = Victim::new();
    let record = victim.record(SCOPES, b"a");
    victim.set(SCOPES, b"b", &record);
    victim.assert_get_fails("b", "K", &scope("b"), Finding::DoesNotOpen);
    victim.set(SCOPES, b"c", &record);
    victim.assert_get_fails("c", "K", &scope("c"), Finding::Unlisted);
    assert_tampered(victim.store().scopes(), &scope("c"), Finding::Unlisted);
}

#[test]
fn a_removed_scope_record_is_tampered_not_absent() {
    let victim = Victim::new();
    victim.remove(SCOPES, b"a");
    victim.assert_get_fails("a", "K", &scope("a"), Finding::Missing);
    assert_tampered(victim.store().list(&id("a")), &scope("a"), Finding::Missing);
    assert_tampered(victim.store().scopes(), &scope("a"), Finding::Missing);
    assert_eq!(victim.get("b", "K").unwrap(), b"b/K");
}

#[test]
fn a_deleted_scope_put_back_is_noticed() {
    let victim = Victim::new();
    let (old, value) = (victim.record(SCOPES, b"b"), victim.record(SECRETS, b"b\0K"));
    victim.store().delete_scope(&id("b")).unwrap();
    victim.set(SCOPES, b"b", &old);
    victim.set(SECRETS, b"b\0K", &value);
    victim.assert_get_fails("b", "K", &scope("b"), Finding::Unlisted);
}

#[test]
fn an_older_scope_record_is_noticed() {
    let victim = Victim::new();
    let old = victim.record(SCOPES, b"a");
    victim.put("a", "K", b"new");
    victim.set(SCOPES, b"a", &old);
    let finding = Finding::WrongVersion {
        found: 2,
        expected: 1,
    };
    victim.assert_get_fails("a", "K", &secret("a", "K"), finding);
}

#[test]
fn an_older_header_is_noticed() {
    let victim = Victim::new();
    let old = victim.record(META, b"header");
    victim.put("c", "K", b"c/K");
    victim.set(META, b"header", &old);
    victim.assert_get_fails("c", "K", &RecordName::ScopeList, Finding::Unlisted);
}

/// The list of scopes is kept in pages, each under `scopes/` and its number.
#[test]
fn a_page_of_the_list_of_scopes_cannot_be_changed() {
    let victim = Victim::new();
    let page = victim.page_of("a");
    let record = victim.remove(META, &page);
    victim.assert_get_fails("a", "K", &RecordName::ScopeList, Finding::Missing);
    assert_tampered(
        victim.store().scopes(),
        &RecordName::ScopeList,
        Finding::Missing,
    );
    assert_eq!(victim.get("b", "K").unwrap(), b"b/K");
    for at in 0..record.len() {
        let mut edited = record.clone();
        edited[at] ^= 1;
        victim.set(META, &page, &edited);
        victim.assert_get_fails("a", "K", &RecordName::ScopeList, Finding::NotAsSealed);
    }
}

#[test]
fn an_edited_header_does_not_open() {
    let victim = Victim::new();
    let header = victim.record(META, b"header");
    // Every byte matters, even those that a read does not otherwise use.
    for at in 1..header.len() {
        let mut edited = header.clone();
        edited[at] ^= 1;
        victim.set(META, b"header", &edited);
        let keys = FixedKeys::new(vec![victim.identity.clone()]);
        let read =
            Store::open(&victim.path, keys).and_then(|store| store.get(&id("a"), &name_of("K")));
        let error = read
            .err()
            .unwrap_or_else(|| panic!("byte {at} does not count"));
        let kind = error.kind();
        // A slot whose recipient was edited is no longer this key's.
        assert!(
            matches!(kind, ErrorKind::Tampered | ErrorKind::Key),
            "byte {at}: {error}"
        );
    }
}

#[test]
fn a_removed_header_is_not_a_new_store() {
    let victim = Victim::new();
    victim.remove(META, b"header");
    let keys = FixedKeys::generate();
    let opened = Store::open(&victim.path, keys);
    assert_tampered(opened, &RecordName::Header, Finding::Missing);
}
