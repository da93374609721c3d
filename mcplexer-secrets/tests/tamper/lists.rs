//! Records that list others: scopes, pages of the list of scopes, the header.

use mcplexer_secrets::audit::FileAudit;
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{
    ErrorKind, Finding, NewScope, PutMode, RecordName, SecretStore, SecretValue, Store,
};

use super::{META, SCOPES, SECRETS, Victim, assert_tampered, id, name_of, scope};

#[test]
fn a_copied_scope_record_is_noticed() {
    let victim = Victim::new();
    let record = victim.record(SCOPES, b"a");
    victim.set(SCOPES, b"b", &record);
    victim.assert_get_fails("b", "K", &scope("b"), Finding::NotAsSealed);
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
    victim.assert_get_fails("a", "K", &scope("a"), Finding::NotAsSealed);
}

#[test]
fn an_older_header_is_noticed() {
    let victim = Victim::new();
    let old = victim.record(META, b"header");
    victim.put("c", "K", b"c/K");
    victim.set(META, b"header", &old);
    victim.assert_get_fails("c", "K", &RecordName::ScopeList, Finding::NotAsSealed);
}

/// The list of scopes is kept in pages, each under `scopes/` and the number of its span.
#[test]
fn a_page_of_the_list_of_scopes_cannot_be_changed() {
    let victim = Victim::new();
    let page = b"scopes/\0";
    let record = victim.remove(META, page);
    victim.assert_get_fails("a", "K", &RecordName::ScopeList, Finding::Missing);
    assert_tampered(
        victim.store().scopes(),
        &RecordName::ScopeList,
        Finding::Missing,
    );
    for at in 0..record.len() {
        let mut edited = record.clone();
        edited[at] ^= 1;
        victim.set(META, page, &edited);
        victim.assert_get_fails("a", "K", &RecordName::ScopeList, Finding::NotAsSealed);
    }
    victim.set(META, page, &record);
    victim.set(META, b"scopes/\x80", &record);
    assert_tampered(
        victim.store().scopes(),
        &RecordName::ScopeList,
        Finding::Unlisted,
    );
}

/// That of a scope's secrets is kept under `secrets/`, the scope's id, NUL and the number of the span.
#[test]
fn a_page_of_the_list_of_secrets_cannot_be_changed() {
    let victim = Victim::new();
    let list = RecordName::SecretList(id("a"));
    let page = b"secrets/a\0\0";
    let record = victim.remove(META, page);
    victim.assert_get_fails("a", "K", &list, Finding::Missing);
    assert_tampered(victim.store().list(&id("a")), &list, Finding::Missing);
    for at in 0..record.len() {
        let mut edited = record.clone();
        edited[at] ^= 1;
        victim.set(META, page, &edited);
        victim.assert_get_fails("a", "K", &list, Finding::NotAsSealed);
    }
    victim.set(META, page, &record);
    victim.set(META, b"secrets/b\0\xFF", &record);
    let list = RecordName::SecretList(id("b"));
    assert_tampered(victim.store().list(&id("b")), &list, Finding::Unlisted);
    assert_eq!(victim.get("a", "K").unwrap(), b"a/K");
}

/// A page that was split leaves none behind, and each half is vouched for.
#[test]
fn the_pages_of_a_list_that_has_grown_cannot_be_put_back() {
    let victim = Victim::new();
    let old = victim.record(META, b"secrets/a\0\0");
    for number in 0..40 {
        victim.put("a", &format!("N{number}"), b"v");
    }
    assert_eq!(victim.store().list(&id("a")).unwrap().len(), 42);
    victim.set(META, b"secrets/a\0\0", &old);
    let list = RecordName::SecretList(id("a"));
    assert_tampered(victim.store().list(&id("a")), &list, Finding::NotAsSealed);
}

#[test]
fn the_list_of_owners_cannot_be_changed() {
    let victim = Victim::new();
    let owners = victim.remove(META, b"owners");
    victim.assert_get_fails("a", "K", &RecordName::Owners, Finding::Missing);
    for at in 0..owners.len() {
        let mut edited = owners.clone();
        edited[at] ^= 1;
        victim.set(META, b"owners", &edited);
        victim.assert_get_fails("a", "K", &RecordName::Owners, Finding::NotAsSealed);
    }
}

/// T4: adding a key cannot be undone by the header alone, nor by the owners alone.
#[test]
fn neither_the_header_nor_the_owners_alone_can_be_put_back() {
    let victim = Victim::new();
    let records = |key: &[u8]| victim.record(META, key);
    let (old_header, old_owners) = (records(b"header"), records(b"owners"));
    let colleague = Identity::generate().recipient().unwrap();
    victim.store().add_recipient(&colleague, None).unwrap();
    let header = records(b"header");
    victim.set(META, b"header", &old_header);
    victim.assert_get_fails("a", "K", &RecordName::Owners, Finding::NotAsSealed);
    victim.set(META, b"header", &header);
    victim.set(META, b"owners", &old_owners);
    victim.assert_get_fails("a", "K", &RecordName::Owners, Finding::NotAsSealed);
}

/// T3: the seals of the logs are in the header, so none of them can be removed or put back alone.
#[test]
fn the_seal_of_a_log_is_no_record_of_its_own() {
    let victim = Victim::new();
    let log = victim.path.with_file_name("audit.log");
    let store = victim.store().with_audit_log(FileAudit::new(&log));
    let value = SecretValue::copy_of(b"v").unwrap();
    let put = || {
        store.put(
            &NewScope::env(id("a")),
            &name_of("K"),
            &value,
            PutMode::Overwrite,
        )
    };
    put().unwrap();
    let old_header = victim.record(META, b"header");
    put().unwrap();
    assert!(victim.keys(META, b"audit").is_empty());
    victim.set(META, b"header", &old_header);
    victim.assert_get_fails("a", "K", &RecordName::ScopeList, Finding::NotAsSealed);
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
        assert_eq!(error.kind(), ErrorKind::Tampered, "byte {at}: {error}");
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
