//! Scopes are created, updated and deleted together, or not at all.

#![cfg(test)]

use std::fs;
use std::sync::Arc;
use std::thread;

use mcplexer_secrets::audit::{AuditOperation, FileAudit, read_audit_log};
use mcplexer_secrets::backup::{Backup, BackupKey, BackupTo};
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{
    AppliedScope, Change, Error, ErrorKind, NewScope, PutMode, RestoreMode, ScopeAction, ScopeEdit,
    ScopeId, ScopeKind, SecretStore, SecretValue, Store,
};
use tempfile::TempDir;

fn id(text: &str) -> ScopeId {
    text.parse().unwrap()
}

/// The scope as a plan describes it.
fn plan_of(store: &Store, text: &str) -> Vec<AppliedScope> {
    let planned = store.plan_scopes(&[]).unwrap();
    planned.into_iter().filter(|it| it.id == id(text)).collect()
}

fn scope(text: &str, kind: ScopeKind) -> NewScope {
    NewScope {
        kind,
        ..NewScope::env(id(text))
    }
}

fn put(store: &Store, scope: &str, name: &str) {
    let value = SecretValue::copy_of(b"v").unwrap();
    let name = name.parse().unwrap();
    store
        .put(&NewScope::env(id(scope)), &name, &value, PutMode::Overwrite)
        .unwrap();
}

/// A store in a file, with its log: `a` and `b` of kind env, each with a secret `K`.
struct Place {
    directory: TempDir,
    identity: Identity,
    store: Store,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let identity = Identity::generate();
        let keys = FixedKeys::new(vec![identity.clone()]);
        let store = Store::open(directory.path().join("secrets.redb"), keys)
            .unwrap()
            .with_audit_log(FileAudit::new(directory.path().join("audit.log")));
        put(&store, "a", "K");
        put(&store, "b", "K");
        Self {
            directory,
            identity,
            store,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.directory.path().join("secrets.redb")).unwrap()
    }

    /// Returns the lines of the log after the first `skip`, without listings.
    fn log(&self, skip: usize) -> Vec<(AuditOperation, Option<String>)> {
        let log = self.directory.path().join("audit.log");
        let lines = read_audit_log(&log).unwrap().into_iter().skip(skip);
        let changes = lines.filter(|line| line.operation != AuditOperation::List);
        let pair = |line: mcplexer_secrets::audit::AuditLine| {
            (line.operation, line.scope.map(|scope| scope.to_string()))
        };
        changes.map(pair).collect()
    }
}

fn actions<'a>(applied: &'a [AppliedScope]) -> Vec<(&'a str, ScopeAction, usize)> {
    let row = |it: &'a AppliedScope| (it.id.as_str(), it.action, it.secrets);
    applied.iter().map(row).collect()
}

#[test]
fn scopes_become_what_is_wanted_in_one_commit_and_the_log_names_each() {
    let place = Place::new();
    let mut named = scope("a", ScopeKind::OAuth2);
    named.display_name = Some("A".into());
    named.redaction_hints = vec!["SESSION".parse().unwrap()];
    let wanted = [scope("c", ScopeKind::Header), named];
    let before = place.bytes();
    let expected = [
        ("a", ScopeAction::Update, 1),
        ("b", ScopeAction::Leave, 1),
        ("c", ScopeAction::Create, 0),
    ];
    let planned = place.store.plan_scopes(&wanted).unwrap();
    assert_eq!(actions(&planned), expected);
    assert!(place.bytes() == before, "a plan changed the store");

    let applied = place
        .store
        .apply_scopes(&wanted, &plan_of(&place.store, "b"))
        .unwrap();
    let mut expected = expected;
    expected[1].1 = ScopeAction::Delete;
    assert_eq!(actions(&applied), expected);
    let [a, c] = &place.store.scopes().unwrap()[..] else {
        panic!("not two scopes")
    };
    assert_eq!((a.kind, a.secrets), (ScopeKind::OAuth2, 1));
    assert_eq!(a.display_name.as_deref(), Some("A"));
    assert_eq!(a.redaction_hints, ["SESSION".parse().unwrap()]);
    assert_eq!((c.id.as_str(), c.kind), ("c", ScopeKind::Header));
    let value = place.store.get(&id("a"), &"K".parse().unwrap()).unwrap();
    assert_eq!(value.expose(), b"v");

    let of = |operation, scope: &str| (operation, Some(scope.to_owned()));
    let expected = [
        of(AuditOperation::DeleteScope, "b"),
        of(AuditOperation::UpdateScope, "a"),
        of(AuditOperation::CreateScope, "c"),
        (AuditOperation::ApplyConfig, None),
    ];
    assert_eq!(place.log(3)[..4], expected);
    let log = place.directory.path().join("audit.log");
    place.store.verify_audit(&log, None).unwrap();
}

#[test]
fn what_is_there_already_is_not_written_again() {
    let place = Place::new();
    let wanted = [scope("a", ScopeKind::Env), scope("c", ScopeKind::OAuth2)];
    place.store.apply_scopes(&wanted, &[]).unwrap();
    let before = (place.bytes(), place.log(0));
    let applied = place.store.apply_scopes(&wanted, &[]).unwrap();
    let expected = [
        ("a", ScopeAction::Same, 1),
        ("b", ScopeAction::Leave, 1),
        ("c", ScopeAction::Same, 0),
    ];
    assert_eq!(actions(&applied), expected);
    assert!(!place.store.update_scope(&wanted[0]).unwrap());
    assert!((place.bytes(), place.log(0)) == before);
}

/// F18: a kind that cannot carry the name of an existing secret is rejected, and nothing changes.
#[test]
fn one_scope_that_does_not_fit_keeps_all_as_they_are() {
    let place = Place::new();
    place
        .store
        .create_scope(&scope("h", ScopeKind::Header))
        .unwrap();
    put(&place.store, "h", "X-Api-Key");
    let before = place.bytes();
    for kind in [ScopeKind::Env, ScopeKind::OAuth2] {
        let wanted = [scope("a", ScopeKind::Header), scope("h", kind)];
        for error in [
            place.store.plan_scopes(&wanted).unwrap_err(),
            place
                .store
                .apply_scopes(&wanted, &plan_of(&place.store, "b"))
                .unwrap_err(),
            place.store.update_scope(&wanted[1]).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Invalid);
            let expected = format!(
                "scope h cannot become {kind}: it holds X-Api-Key, which no {kind} scope can hold"
            );
            assert_eq!(error.to_string(), expected);
        }
    }
    let mut unnamed = scope("a", ScopeKind::Env);
    unnamed.display_name = Some(String::new());
    let refused = place
        .store
        .apply_scopes(&[unnamed], &plan_of(&place.store, "b"));
    assert!(matches!(refused, Err(Error::InvalidDisplayName)));
    assert_eq!(place.store.scopes().unwrap().len(), 3);
    let kinds = place.store.scopes().unwrap().into_iter().map(|it| it.kind);
    let expected = [ScopeKind::Env, ScopeKind::Env, ScopeKind::Header];
    assert_eq!(kinds.collect::<Vec<_>>(), expected);
    assert!(place.bytes() == before, "something was written");
}

#[test]
fn a_scope_is_updated_and_a_missing_one_is_told() {
    let place = Place::new();
    let wanted = scope("a", ScopeKind::Header);
    assert!(place.store.update_scope(&wanted).unwrap());
    assert_eq!(place.store.scope(&id("a")).unwrap().kind, ScopeKind::Header);
    let expected = (AuditOperation::UpdateScope, Some("a".to_owned()));
    assert_eq!(place.log(3)[0], expected);
    let missing = place.store.update_scope(&scope("z", ScopeKind::Env));
    assert!(matches!(missing, Err(Error::ScopeNotFound { .. })));
    let empty = Store::in_memory(FixedKeys::generate()).unwrap();
    let missing = empty.update_scope(&scope("z", ScopeKind::Env));
    assert!(matches!(missing, Err(Error::ScopeNotFound { .. })));
    assert!(!empty.exists().unwrap(), "asking made a store");
    assert!(empty.apply_scopes(&[], &[]).unwrap().is_empty());
    assert!(!empty.exists().unwrap(), "nothing to do made a store");
    empty.apply_scopes(&[wanted], &[]).unwrap();
    assert!(empty.has_scope(&id("a")).unwrap());
    assert!(!empty.has_scope(&id("b")).unwrap());
}

#[test]
fn a_put_makes_the_scope_that_it_is_told() {
    let place = Place::new();
    let value = SecretValue::copy_of(b"v").unwrap();
    let mut header = scope("h", ScopeKind::Header);
    header.display_name = Some("H".into());
    let name = "X-Api-Key".parse().unwrap();
    let put = |scope: &NewScope| {
        let store = &place.store;
        store.put(scope, &name, &value, PutMode::Overwrite)
    };
    assert!(put(&scope("h", ScopeKind::Env)).is_err());
    assert!(!place.store.has_scope(&id("h")).unwrap());
    assert!(put(&header).unwrap().scope_created);
    // An existing scope remains unchanged.
    assert!(!put(&scope("h", ScopeKind::Env)).unwrap().scope_created);
    let made = place.store.scope(&id("h")).unwrap();
    assert_eq!(made.kind, ScopeKind::Header);
    assert_eq!(made.display_name.as_deref(), Some("H"));
}

#[test]
fn a_backup_keeps_kind_and_hints() {
    let place = Place::new();
    let mut wanted = scope("a", ScopeKind::OAuth2);
    wanted.redaction_hints = vec!["X-Session".parse().unwrap()];
    place.store.update_scope(&wanted).unwrap();
    let file = place.directory.path().join("b.age");
    let to = BackupTo::StoreKeys;
    place.store.backup(&file, to, false, &mut |_| {}).unwrap();
    let identities = [place.identity.clone()];
    let backup = Backup::open(&file, BackupKey::Identities(&identities)).unwrap();
    let other = Store::in_memory(Arc::new(FixedKeys::generate())).unwrap();
    other.restore(&backup, RestoreMode::Merge).unwrap();
    let restored = other.scope(&id("a")).unwrap();
    assert_eq!(restored.kind, ScopeKind::OAuth2);
    assert_eq!(restored.redaction_hints, wanted.redaction_hints);
}

/// Only the secrets in the plan are deleted.
#[test]
fn a_scope_that_changes_meanwhile_is_not_deleted() {
    let store = Store::in_memory(FixedKeys::generate()).unwrap();
    let put = |key: &str| {
        let value = SecretValue::copy_of(b"value").unwrap();
        store
            .put(
                &NewScope::env(id("b")),
                &key.parse().unwrap(),
                &value,
                PutMode::Overwrite,
            )
            .unwrap();
    };
    put("K");
    let before = plan_of(&store, "b");
    for key in ["L", "K"] {
        put(key);
        let refused = store.apply_scopes(&[], &before).unwrap_err();
        assert!(matches!(refused, Error::ScopeChanged { scope } if scope == id("b")));
    }
    let applied = store.apply_scopes(&[], &plan_of(&store, "b")).unwrap();
    assert_eq!(
        (applied[0].action, applied[0].secrets),
        (ScopeAction::Delete, 2)
    );
}

/// Two writers change one part each, many times over: each finds its own part as it left it, since nobody else changes that.
#[test]
fn writers_of_two_parts_of_a_scope_lose_nothing() {
    let place = Place::new();
    let rounds = 1..=40;
    let name_it = || {
        for round in rounds.clone() {
            let name = format!("name {round}");
            let edit = ScopeEdit {
                display_name: Change::Set(name.clone()),
                ..ScopeEdit::default()
            };
            assert!(place.store.edit_scope(&id("a"), &edit).unwrap());
            let there = place.store.scope(&id("a")).unwrap();
            assert_eq!(there.display_name, Some(name));
        }
    };
    let keep_more = || {
        for keep in rounds.clone().map(|round| round + 10) {
            let edit = ScopeEdit {
                keep_versions: Some(keep),
                ..ScopeEdit::default()
            };
            assert!(place.store.edit_scope(&id("a"), &edit).unwrap());
            assert_eq!(place.store.scope(&id("a")).unwrap().keep_versions, keep);
        }
    };
    thread::scope(|threads| {
        threads.spawn(name_it);
        threads.spawn(keep_more);
    });
    let there = place.store.scope(&id("a")).unwrap();
    let expected = (Some("name 40"), 50);
    assert_eq!(
        (there.display_name.as_deref(), there.keep_versions),
        expected
    );
}

#[test]
fn an_edit_of_a_scope_changes_what_it_says_alone() {
    let place = Place::new();
    let mut described = scope("a", ScopeKind::OAuth2);
    described.redaction_hints = vec!["X-Session".parse().unwrap()];
    described.display_name = Some("A".to_owned());
    place.store.update_scope(&described).unwrap();
    let edit = |edit: &ScopeEdit| place.store.edit_scope(&id("a"), edit);
    let keep = |keep_versions| ScopeEdit {
        keep_versions: Some(keep_versions),
        ..ScopeEdit::default()
    };
    assert!(edit(&keep(9)).unwrap());
    described.keep_versions = 9;
    let before = place.bytes();
    assert!(!place.store.update_scope(&described).unwrap());
    assert!(!edit(&keep(9)).unwrap() && !edit(&ScopeEdit::default()).unwrap());
    assert!(matches!(edit(&keep(101)), Err(Error::TooManyVersions)));
    let unnamed = ScopeEdit {
        display_name: Change::Set(String::new()),
        ..ScopeEdit::default()
    };
    assert!(matches!(edit(&unnamed), Err(Error::InvalidDisplayName)));
    assert!(place.bytes() == before, "something was written");
    let missing = place.store.edit_scope(&id("z"), &keep(9));
    assert!(matches!(missing, Err(Error::ScopeNotFound { .. })));
}
