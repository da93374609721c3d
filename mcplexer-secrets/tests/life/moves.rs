//! Secrets and scopes at other places.

use mcplexer_secrets::audit::{AuditOperation, FileAudit, read_audit_log};
use mcplexer_secrets::keys::FixedKeys;
use mcplexer_secrets::{
    Change, Error, NewScope, PutMode, RestoreAction, RestoreMode, ScopeId, ScopeKind, SecretEdit,
    SecretStore, Store,
};

use super::{Place, expires, key, past_and_future, scope, version_of};

/// A place with `K` in three versions, with all that can be said about it.
fn with_three_versions() -> Place {
    let place = Place::new();
    for value in ["one", "two", "three"] {
        place.put("K", value);
    }
    let edit = SecretEdit {
        note: Change::Set("for CI".parse().unwrap()),
        rotate_every: Change::Set("90d".parse().unwrap()),
        ..expires(past_and_future().1)
    };
    place.store.edit(&scope(), &key("K"), &edit).unwrap();
    place
}

fn other() -> ScopeId {
    "other".parse().unwrap()
}

fn values_of(place: &Place, scope: &ScopeId, name: &str) -> Vec<(u64, String)> {
    let history = place.store.history(scope, &key(name)).unwrap();
    let value = |version| {
        let value = place.store.get_version(scope, &key(name), version);
        String::from_utf8(value.unwrap().expose().to_vec()).unwrap()
    };
    let versions = history.into_iter().map(|it| it.version);
    versions.map(|it| (it, value(it))).collect()
}

#[test]
fn a_copy_has_the_value_its_age_and_what_is_said_about_it() {
    let place = with_three_versions();
    let (from, to) = ((&scope(), &key("K")), NewScope::env(other()));
    let copied = place.store.copy(from, (&to, &key("L")), PutMode::Create);
    let copied = copied.unwrap();
    assert_eq!((copied.version, copied.scope_created), (1, true));
    assert_eq!(values_of(&place, &other(), "L"), [version_of(1, "three")]);
    let (info, copy) = (
        place.info("K"),
        place.store.secret_info(&other(), &key("L")),
    );
    let copy = copy.unwrap();
    assert_eq!((&copy.note, copy.expires), (&info.note, info.expires));
    assert_eq!(copy.rotate_by(), info.rotate_by());
    assert_eq!(place.versions("K").len(), 3, "the other stays");

    place.put("K", "four");
    let again = |mode| place.store.copy(from, (&to, &key("L")), mode);
    let refused = again(PutMode::Create);
    assert!(matches!(
        refused,
        Err(Error::SecretExists { version: 1, .. })
    ));
    assert_eq!(again(PutMode::Overwrite).unwrap().version, 2);
    let expected = [version_of(2, "four"), version_of(1, "three")];
    assert_eq!(values_of(&place, &other(), "L"), expected);
    place.check();
}

#[test]
fn a_secret_moves_with_its_versions_times_and_what_is_said_about_it() {
    let place = with_three_versions();
    place.put("L", "stays");
    let (before, versions) = (place.info("K"), place.versions("K"));
    let to = NewScope::env(other());
    let moved = place
        .store
        .move_secret((&scope(), &key("K")), (&to, &key("M")), PutMode::Create);
    let moved = moved.unwrap();
    assert_eq!((moved.version, moved.earlier, moved.left_out), (3, 2, 0));
    assert!(moved.scope_created);
    assert_eq!(values_of(&place, &other(), "M"), versions);
    let mut after = place.store.secret_info(&other(), &key("M")).unwrap();
    assert!(after.revision > before.revision);
    (after.name, after.revision) = (before.name.clone(), before.revision);
    assert_eq!(after, before);
    let gone = place.store.get(&scope(), &key("K"));
    assert!(matches!(gone, Err(Error::SecretNotFound { .. })));
    assert_eq!(place.get("L"), "stays");
    place.check();
}

#[test]
fn a_move_within_a_scope_is_a_new_name() {
    let place = with_three_versions();
    let versions = place.versions("K");
    let here = NewScope::env(scope());
    let rename = |from: &str, to: &str, mode| {
        let from = (&scope(), &key(from));
        place.store.move_secret(from, (&here, &key(to)), mode)
    };
    rename("K", "L", PutMode::Create).unwrap();
    assert_eq!(place.versions("L"), versions);
    place.put("K", "new");
    let refused = rename("K", "L", PutMode::Create);
    assert!(matches!(
        refused,
        Err(Error::SecretExists { version: 3, .. })
    ));
    for name in ["K", "L"] {
        let same = rename(name, name, PutMode::Overwrite);
        assert!(matches!(same, Err(Error::SecretExists { .. })));
    }
    assert_eq!(place.get("K"), "new");
    rename("K", "L", PutMode::Overwrite).unwrap();
    assert_eq!(place.versions("L"), [version_of(1, "new")]);
    assert_eq!(place.store.list(&scope()).unwrap().len(), 1);
    place.check();
}

#[test]
fn a_scope_takes_in_as_many_versions_as_it_keeps_and_only_names_of_its_kind() {
    let place = with_three_versions();
    let mut to = NewScope::env(other());
    (to.keep_versions, to.kind) = (1, ScopeKind::Header);
    place.store.create_scope(&to).unwrap();
    let from = (&scope(), &key("K"));
    let move_to = |name: &str| {
        let to = (&to, &key(name));
        place.store.move_secret(from, to, PutMode::Create)
    };
    let moved = move_to("X-Token").unwrap();
    assert_eq!((moved.earlier, moved.left_out), (1, 1));
    let expected = [version_of(3, "three"), version_of(2, "two")];
    assert_eq!(values_of(&place, &other(), "X-Token"), expected);
    let back = place.store.move_secret(
        (&other(), &key("X-Token")),
        (&NewScope::env(scope()), &key("X-Token")),
        PutMode::Create,
    );
    assert!(matches!(back, Err(Error::InvalidName { .. })), "{back:?}");
    assert_eq!(values_of(&place, &other(), "X-Token"), expected);
    place.check();
}

#[test]
fn a_scope_gets_another_id_and_keeps_everything_else() {
    let place = with_three_versions();
    let described = NewScope {
        display_name: Some("Of S".to_owned()),
        redaction_hints: vec![key("SESSION")],
        keep_versions: 2,
        ..NewScope::env(scope())
    };
    place.store.update_scope(&described).unwrap();
    place.put("L", "too");
    let (mut before, versions) = (place.store.scope(&scope()).unwrap(), place.versions("K"));
    let revision = place.info("K").revision;
    assert_eq!(place.store.rename_scope(&scope(), &other()).unwrap(), 2);
    before.id = other();
    let after = place.store.secret_info(&other(), &key("K")).unwrap();
    assert!(after.revision > revision, "newer than in a copy");
    assert_eq!(place.store.scopes().unwrap(), [before]);
    assert_eq!(values_of(&place, &other(), "K"), versions);
    place.check();
    for (from, to) in [(scope(), other()), (other(), other())] {
        let refused = place.store.rename_scope(&from, &to);
        let is_told = match from == to {
            true => matches!(refused, Err(Error::ScopeExists { .. })),
            false => matches!(refused, Err(Error::ScopeNotFound { .. })),
        };
        assert!(is_told, "{refused:?}");
    }
}

/// Between copies of one store, what was moved to a place is newer than what was there.
#[test]
fn what_was_moved_is_newer_than_what_it_replaced() {
    let place = Place::new();
    place.put("K", "moved");
    for _ in 0..3 {
        place.put("L", "replaced");
    }
    let before = place.backup("before.age");
    let here = NewScope::env(scope());
    let to = (&here, &key("L"));
    let moved = place
        .store
        .move_secret((&scope(), &key("K")), to, PutMode::Overwrite);
    moved.unwrap();
    let restored = place.store.restore(&before, RestoreMode::Merge).unwrap();
    let of_l = restored.secrets.iter().find(|it| it.name == key("L"));
    assert_eq!(of_l.unwrap().action, RestoreAction::Keep);
    assert_eq!(place.get("L"), "moved");
}

#[test]
fn the_log_has_both_places() {
    let place = Place::new();
    let log = place.directory.path().join("audit.log");
    let keys = FixedKeys::new(vec![place.identity.clone()]);
    let file = place.directory.path().join("secrets.redb");
    let store = Store::open(file, keys).unwrap();
    let audited = Place {
        store: store.with_audit_log(FileAudit::new(&log)),
        ..place
    };
    audited.put("K", "one");
    audited.put("L", "two");
    let (store, to) = (&audited.store, NewScope::env(other()));
    let (k, l) = (key("K"), key("L"));
    let before = read_audit_log(&log).unwrap().len();
    store
        .copy((&scope(), &k), (&to, &k), PutMode::Create)
        .unwrap();
    store
        .move_secret((&scope(), &l), (&to, &l), PutMode::Create)
        .unwrap();
    store
        .rename_scope(&other(), &"new".parse().unwrap())
        .unwrap();
    store.delete_all(&"new".parse().unwrap(), &[k, l]).unwrap();
    let lines = read_audit_log(&log).unwrap();
    let said: Vec<_> = lines
        .iter()
        .skip(before)
        .map(|line| {
            let name = line.name.as_ref().map(ToString::to_string);
            let scope = line.scope.as_ref().map(ToString::to_string);
            (line.operation, scope.unwrap(), name.unwrap_or_default())
        })
        .collect();
    let line = |operation, scope: &str, name: &str| (operation, scope.to_owned(), name.to_owned());
    let expected = [
        line(AuditOperation::Get, "s", "K"),
        line(AuditOperation::Copy, "other", "K"),
        line(AuditOperation::Delete, "s", "L"),
        line(AuditOperation::Move, "other", "L"),
        line(AuditOperation::DeleteScope, "other", ""),
        line(AuditOperation::RenameScope, "new", ""),
        line(AuditOperation::Delete, "new", "K"),
        line(AuditOperation::Delete, "new", "L"),
        line(AuditOperation::Delete, "new", ""),
    ];
    assert_eq!(said, expected);
}
