use super::Check;
use crate::{
    Error, ErrorKind, MAX_DISPLAY_NAME_LEN, MAX_REDACTION_HINTS, MAX_VALUE_LEN, NewScope, Purpose,
    PutMode, ScopeId, ScopeKind, SecretName, SecretStore, SecretValue, Select,
};

pub(super) const CHECKS: &[Check<dyn SecretStore>] = &checks![
    an_empty_store_has_nothing,
    what_was_put_is_got,
    any_bytes_come_back,
    secrets_are_opened_together,
    a_put_replaces,
    scopes_do_not_mix,
    a_secret_is_deleted,
    a_scope_is_deleted_with_its_secrets,
    a_scope_is_created_once,
    modes_guard_a_put,
    a_kind_rules_its_names,
    lists_are_in_order,
    display_names_are_for_people,
    a_scope_is_shown_as_it_was_created,
];

fn id(text: &str) -> ScopeId {
    text.parse().expect("a scope id")
}

fn name(text: &str) -> SecretName {
    text.parse().expect("a secret name")
}

fn value(bytes: &[u8]) -> SecretValue {
    SecretValue::copy_of(bytes).expect("a value")
}

fn put(store: &dyn SecretStore, scope: &str, key: &str, bytes: &[u8]) -> crate::Stored {
    let (scope, key) = (id(scope), name(key));
    let stored = store.put(
        &NewScope::env(scope.clone()),
        &key,
        &value(bytes),
        PutMode::Overwrite,
    );
    stored.unwrap_or_else(|error| panic!("put {scope}/{key}: {error}"))
}

fn get(store: &dyn SecretStore, scope: &str, key: &str) -> Vec<u8> {
    let opened = store.get(&id(scope), &name(key));
    let opened = opened.unwrap_or_else(|error| panic!("get {scope}/{key}: {error}"));
    opened.expose().to_vec()
}

fn names(store: &dyn SecretStore, scope: &str) -> Vec<String> {
    let list = store.list(&id(scope)).expect("the scope's list");
    list.iter().map(|secret| secret.name.to_string()).collect()
}

fn scope_ids(store: &dyn SecretStore) -> Vec<String> {
    let scopes = store.scopes().expect("the scopes");
    scopes.iter().map(|scope| scope.id.to_string()).collect()
}

fn is_scope_not_found<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::ScopeNotFound { scope }) if scope == id("nowhere"))
}

fn is_secret_not_found<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::SecretNotFound { scope, name: key })
        if scope == id("s") && key == name("NOTHING"))
}

fn an_empty_store_has_nothing(store: &dyn SecretStore) {
    assert!(scope_ids(store).is_empty());
    assert!(is_scope_not_found(store.get(&id("nowhere"), &name("K"))));
    assert!(is_scope_not_found(store.list(&id("nowhere"))));
    assert!(is_scope_not_found(store.scope(&id("nowhere"))));
    assert!(is_scope_not_found(store.delete(&id("nowhere"), &name("K"))));
    assert!(is_scope_not_found(store.delete_scope(&id("nowhere"))));
    assert!(scope_ids(store).is_empty(), "asking made a scope");
}

fn what_was_put_is_got(store: &dyn SecretStore) {
    let stored = put(store, "s", "K", b"value");
    assert_eq!((stored.version, stored.scope_created), (1, true));
    assert_eq!(get(store, "s", "K"), b"value");
    let stored = put(store, "s", "L", b"other");
    assert_eq!((stored.version, stored.scope_created), (1, false));
    assert!(is_secret_not_found(store.get(&id("s"), &name("NOTHING"))));
    assert!(is_scope_not_found(store.get(&id("nowhere"), &name("K"))));
    let scope = store.scope(&id("s")).expect("the scope");
    assert_eq!((scope.kind, scope.secrets), (ScopeKind::Env, 2));
}

/// F05: arbitrary bytes are stored and returned unchanged.
fn any_bytes_come_back(store: &dyn SecretStore) {
    let every_byte: Vec<u8> = (0..=255).collect();
    let longest = vec![0xC3; MAX_VALUE_LEN];
    let values: [&[u8]; 8] = [
        b"x",
        b"\0",
        b"\xFF\xFE",
        "🔑 naïve".as_bytes(),
        b"-----BEGIN KEY-----\nMC4CAQ\n-----END KEY-----\n",
        b"  \r\n\t ",
        &every_byte,
        &longest,
    ];
    for bytes in values {
        put(store, "s", "K", bytes);
        assert!(get(store, "s", "K") == bytes, "{} bytes", bytes.len());
    }
}

fn secrets_are_opened_together(store: &dyn SecretStore) {
    for key in ["C", "A", "B"] {
        put(store, "s", key, key.as_bytes());
    }
    put(store, "other", "A", b"other");
    let open = |select| -> Vec<(String, Vec<u8>)> {
        let credentials = store
            .credentials(&id("s"), select, Purpose::Inject { program: None })
            .expect("credentials");
        assert_eq!(
            (credentials.scope(), credentials.kind()),
            (&id("s"), ScopeKind::Env)
        );
        let pair = |it: crate::Credential<'_>| (it.name.to_string(), it.value.expose().to_vec());
        credentials.iter().map(pair).collect()
    };
    let of = |keys: &[&str]| -> Vec<_> {
        let pair = |key: &&str| ((*key).to_owned(), key.as_bytes().to_vec());
        keys.iter().map(pair).collect()
    };
    assert_eq!(open(Select::All), of(&["A", "B", "C"]));
    let one = [name("B")];
    assert_eq!(open(Select::Only(&one)), of(&["B"]));
    assert_eq!(open(Select::Only(&[])), of(&[]));
    let some = [name("NOTHING"), name("C")];
    assert_eq!(open(Select::AnyOf(&some)), of(&["C"]));
    assert!(is_secret_not_found(store.credentials(
        &id("s"),
        Select::Only(&some),
        Purpose::Inject { program: None }
    )));
    assert!(is_scope_not_found(store.credentials(
        &id("nowhere"),
        Select::All,
        Purpose::Inject { program: None }
    )));
    store
        .create_scope(&NewScope::env(id("empty")))
        .expect("a scope");
    let empty = store
        .credentials(&id("empty"), Select::All, Purpose::Inject { program: None })
        .expect("credentials");
    assert!(empty.is_empty());
}

fn a_put_replaces(store: &dyn SecretStore) {
    put(store, "s", "K", b"old");
    let before = store.list(&id("s")).expect("the list");
    assert_eq!(put(store, "s", "K", b"new").version, 2);
    assert_eq!(get(store, "s", "K"), b"new");
    let after = store.list(&id("s")).expect("the list");
    let (before, after) = (before.first(), after.first());
    let (before, after) = (before.expect("one secret"), after.expect("one secret"));
    assert_eq!((before.version, after.version), (1, 2));
    assert_eq!(before.created, after.created);
    assert!(before.updated <= after.updated);
    assert_eq!(names(store, "s"), ["K"]);
}

fn scopes_do_not_mix(store: &dyn SecretStore) {
    // One id is a prefix of the other, and a name in the first makes a key like the other's.
    put(store, "a", "K", b"in a");
    put(store, "a.b", "K", b"in a.b");
    put(store, "a", "b", b"b in a");
    assert_eq!(get(store, "a", "K"), b"in a");
    assert_eq!(get(store, "a.b", "K"), b"in a.b");
    assert_eq!(names(store, "a"), ["K", "b"]);
    assert_eq!(store.delete_scope(&id("a")).expect("deleted"), 2);
    assert_eq!(get(store, "a.b", "K"), b"in a.b");
    assert_eq!(scope_ids(store), ["a.b"]);
}

/// F15: the counts are right after the last secret is deleted.
fn a_secret_is_deleted(store: &dyn SecretStore) {
    put(store, "s", "K", b"1");
    put(store, "s", "L", b"2");
    store.delete(&id("s"), &name("K")).expect("deleted");
    assert!(matches!(
        store.get(&id("s"), &name("K")),
        Err(Error::SecretNotFound { .. })
    ));
    assert!(is_secret_not_found(
        store.delete(&id("s"), &name("NOTHING"))
    ));
    assert_eq!(names(store, "s"), ["L"]);
    store.delete(&id("s"), &name("L")).expect("deleted");
    assert_eq!(store.scope(&id("s")).expect("the scope").secrets, 0);
    assert!(names(store, "s").is_empty());
    assert_eq!(put(store, "s", "K", b"3").version, 1);
}

fn a_scope_is_deleted_with_its_secrets(store: &dyn SecretStore) {
    put(store, "s", "K", b"1");
    put(store, "s", "L", b"2");
    assert_eq!(store.delete_scope(&id("s")).expect("deleted"), 2);
    assert!(matches!(
        store.get(&id("s"), &name("K")),
        Err(Error::ScopeNotFound { .. })
    ));
    let stored = put(store, "s", "NEW", b"3");
    assert!(stored.scope_created);
    assert_eq!(names(store, "s"), ["NEW"]);
}

fn a_scope_is_created_once(store: &dyn SecretStore) {
    let mut new = NewScope::env(id("s"));
    new.kind = ScopeKind::Header;
    new.display_name = Some("GitHub Token".into());
    new.redaction_hints = vec![name("X-Session"), name("SESSION")];
    store.create_scope(&new).expect("created");
    let scope = store.scope(&id("s")).expect("the scope");
    assert_eq!(scope.kind, ScopeKind::Header);
    assert_eq!(scope.display_name.as_deref(), Some("GitHub Token"));
    assert_eq!(scope.redaction_hints, new.redaction_hints);
    assert_eq!(scope.secrets, 0);
    let again = store.create_scope(&NewScope::env(id("s")));
    assert!(matches!(again, Err(Error::ScopeExists { scope }) if scope == id("s")));
    let scope = store.scope(&id("s")).expect("the scope");
    assert_eq!(scope.kind, ScopeKind::Header, "it was created again");
}

/// F01: a put that loses a compare-and-swap fails.
fn modes_guard_a_put(store: &dyn SecretStore) {
    let (s, k) = (id("s"), name("K"));
    let put = |bytes: &[u8], mode| store.put(&NewScope::env(s.clone()), &k, &value(bytes), mode);
    let missing = put(b"0", PutMode::Replace { version: 1 });
    assert!(matches!(
        missing,
        Err(Error::VersionMismatch { found: None, .. })
    ));
    assert!(scope_ids(store).is_empty(), "a refused put made a scope");
    assert_eq!(put(b"1", PutMode::Create).expect("new").version, 1);
    let exists = put(b"x", PutMode::Create);
    assert!(matches!(
        exists,
        Err(Error::SecretExists { version: 1, .. })
    ));
    let swapped = put(b"2", PutMode::Replace { version: 1 });
    assert_eq!(swapped.expect("at version 1").version, 2);
    let loser = put(b"x", PutMode::Replace { version: 1 });
    let Err(error @ Error::VersionMismatch { found: Some(2), .. }) = loser else {
        panic!("the loser of a compare-and-swap did not fail");
    };
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(get(store, "s", "K"), b"2");
}

/// F18: a scope of each kind rejects names that cannot reach a server.
fn a_kind_rules_its_names(store: &dyn SecretStore) {
    let dashed = name("X-Api-Key");
    let refused = store.put(
        &NewScope::env(id("e")),
        &dashed,
        &value(b"v"),
        PutMode::Overwrite,
    );
    assert!(matches!(refused, Err(Error::InvalidName(_))));
    assert!(scope_ids(store).is_empty(), "a refused put made a scope");
    let mut header = NewScope::env(id("h"));
    header.kind = ScopeKind::Header;
    store.create_scope(&header).expect("created");
    put(store, "h", "X-Api-Key", b"v");
    assert_eq!(get(store, "h", "X-Api-Key"), b"v");
}

/// `scope` and the list of all scopes agree.
fn a_scope_is_shown_as_it_was_created(store: &dyn SecretStore) {
    let mut new = NewScope::env(id("s"));
    new.kind = ScopeKind::Header;
    new.display_name = Some("x".repeat(MAX_DISPLAY_NAME_LEN));
    new.redaction_hints = vec![name("K"); MAX_REDACTION_HINTS];
    store.create_scope(&new).expect("created");
    put(store, "other", "K", b"v");
    let scope = store.scope(&id("s")).expect("the scope");
    assert_eq!(scope.display_name, new.display_name);
    assert_eq!(scope.redaction_hints, new.redaction_hints);
    assert_eq!((scope.kind, scope.secrets), (ScopeKind::Header, 0));
    assert!(store.scopes().expect("the scopes").contains(&scope));
}

fn lists_are_in_order(store: &dyn SecretStore) {
    for key in ["B", "A", "C", "a", "_"] {
        put(store, "s", key, b"v");
    }
    assert_eq!(names(store, "s"), ["A", "B", "C", "_", "a"]);
    for scope in ["b", "a", "0"] {
        put(store, scope, "K", b"v");
    }
    assert_eq!(scope_ids(store), ["0", "a", "b", "s"]);
}

fn display_names_are_for_people(store: &dyn SecretStore) {
    for bad in ["", "two\nlines", "\u{1b}[2J", &"x".repeat(129)] {
        let mut new = NewScope::env(id("s"));
        new.display_name = Some(bad.to_owned());
        let refused = store.create_scope(&new);
        assert!(matches!(refused, Err(Error::InvalidDisplayName)), "{bad:?}");
    }
    let mut new = NewScope::env(id("s"));
    new.redaction_hints = vec![name("K"); MAX_REDACTION_HINTS + 1];
    let refused = store.create_scope(&new);
    assert!(matches!(refused, Err(Error::TooManyHints)));
    assert!(scope_ids(store).is_empty());
}
