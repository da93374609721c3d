//! Imports store many secrets, of one scope or of several, in one commit, or none.

#![cfg(test)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use mcplexer_durable::observe;
use mcplexer_secrets::audit::{
    AuditError, AuditErrorKind, AuditEvent, AuditPosition, AuditView, FileAudit, KeptLog,
    MemoryAudit,
};
use mcplexer_secrets::keys::FixedKeys;
use mcplexer_secrets::{
    Change, Error, ErrorKind, ImportAction, MAX_SECRETS_PER_SCOPE, NewScope, OnConflict, Purpose,
    PutMode, ScopeId, ScopeKind, SecretEdit, SecretName, SecretStore, SecretValue, Select, Store,
    StoreId,
};

use ImportAction::{Add, Keep, Replace, Same};
use OnConflict::{Fail, Overwrite, Skip};

fn scope() -> ScopeId {
    "s".parse().unwrap()
}

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

fn store() -> Store {
    Store::in_memory(FixedKeys::generate()).unwrap()
}

fn secrets(pairs: &[(&str, &str)]) -> Vec<(SecretName, SecretValue)> {
    let pairs = pairs.iter().map(|(key, value)| {
        let value = SecretValue::copy_of(value.as_bytes()).unwrap();
        (name(key), value)
    });
    pairs.collect()
}

fn put(store: &Store, key: &str, value: &str) {
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

/// Returns every secret of the scope: `name=value, version`.
fn contents(store: &Store) -> Vec<String> {
    let opened = match store.credentials(&scope(), Select::All, Purpose::Inject { program: None }) {
        Err(Error::ScopeNotFound { .. }) => return Vec::new(),
        opened => opened.unwrap(),
    };
    let listed = store.list(&scope()).unwrap().into_iter();
    let told = listed.map(|it| {
        let value = opened.get(&it.name).unwrap().expose();
        format!(
            "{}={}, {}",
            it.name,
            String::from_utf8_lossy(value),
            it.version
        )
    });
    told.collect()
}

fn actions(imported: &mcplexer_secrets::Imported) -> Vec<(&str, ImportAction)> {
    let secrets = imported.secrets.iter();
    secrets
        .map(|(name, action)| (name.as_str(), *action))
        .collect()
}

#[test]
fn a_scope_is_made_for_what_is_imported() {
    let store = store();
    let given = secrets(&[("B", "2"), ("A", "1")]);
    let planned = store
        .plan_import(&NewScope::env(scope()), &given, Fail)
        .unwrap();
    assert!(!store.exists().unwrap(), "a plan makes nothing");
    let imported = store.import(&NewScope::env(scope()), &given, Fail).unwrap();
    assert_eq!(planned, imported);
    assert!(imported.scope_created);
    assert_eq!(actions(&imported), [("B", Add), ("A", Add)]);
    assert_eq!(contents(&store), ["A=1, 1", "B=2, 1"]);
    assert_eq!(store.scope(&scope()).unwrap().kind, ScopeKind::Env);
}

#[test]
fn each_way_with_conflicts_does_what_was_planned() {
    for (way, planned, after) in [
        (Skip, Keep, ["NEW=n, 1", "OLD=o, 2", "SAME=s, 1"]),
        (
            Overwrite,
            Replace,
            ["NEW=n, 1", "OLD=changed, 3", "SAME=s, 1"],
        ),
    ] {
        let store = store();
        put(&store, "OLD", "x");
        put(&store, "OLD", "o");
        put(&store, "SAME", "s");
        let before = store.list(&scope()).unwrap();
        let given = secrets(&[("SAME", "s"), ("OLD", "changed"), ("NEW", "n")]);
        let plan = store
            .plan_import(&NewScope::env(scope()), &given, way)
            .unwrap();
        assert_eq!(contents(&store), ["OLD=o, 2", "SAME=s, 1"]);
        let imported = store.import(&NewScope::env(scope()), &given, way).unwrap();
        assert_eq!(plan, imported);
        assert!(!imported.scope_created);
        assert_eq!(
            actions(&imported),
            [("SAME", Same), ("OLD", planned), ("NEW", Add)]
        );
        assert_eq!(
            (
                imported.count(Same),
                imported.count(Replace) + imported.count(Keep)
            ),
            (1, 1)
        );
        assert_eq!(contents(&store), after);
        // A secret that was not written again keeps its times, and one that was replaced keeps its
        // creation time.
        let list = store.list(&scope()).unwrap();
        assert_eq!(list.last(), before.last());
        let old = list.iter().find(|it| it.name.as_str() == "OLD").unwrap();
        assert_eq!(old.created, before[0].created);
    }
}

#[test]
fn conflicts_are_all_named_and_nothing_is_stored() {
    let store = store();
    for key in ["A", "B", "C"] {
        put(&store, key, "old");
    }
    let given = secrets(&[("NEW", "n"), ("C", "new"), ("B", "old"), ("A", "new")]);
    let error = store
        .import(&NewScope::env(scope()), &given, Fail)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.to_string(), "s already has other values for C, A");
    assert!(matches!(error, Error::Conflicts { names, .. } if names == [name("C"), name("A")]));
    assert_eq!(contents(&store), ["A=old, 1", "B=old, 1", "C=old, 1"]);
    // A plan lists conflicts and does not fail.
    let plan = store
        .plan_import(&NewScope::env(scope()), &given, Fail)
        .unwrap();
    assert_eq!(
        actions(&plan),
        [("NEW", Add), ("C", Replace), ("B", Same), ("A", Replace)]
    );
}

/// F18: the scope's kind rejects a name.
#[test]
fn one_name_that_the_kind_refuses_refuses_all() {
    let store = store();
    let given = secrets(&[("A", "1"), ("X-Api-Key", "2"), ("B", "3")]);
    for _ in 0..2 {
        let error = store
            .import(&NewScope::env(scope()), &given, Overwrite)
            .unwrap_err();
        assert!(matches!(error, Error::InvalidName(_)), "{error}");
        let error = store
            .plan_import(&NewScope::env(scope()), &given, Overwrite)
            .unwrap_err();
        assert!(matches!(error, Error::InvalidName(_)), "{error}");
        assert_eq!(contents(&store), [""; 0]);
        // Without a store, and with one that has other scopes.
        store
            .create_scope(&NewScope::env("other".parse().unwrap()))
            .ok();
    }
    let header = NewScope {
        kind: ScopeKind::Header,
        ..NewScope::env(scope())
    };
    store.create_scope(&header).unwrap();
    let imported = store.import(&NewScope::env(scope()), &given, Fail).unwrap();
    assert!(!imported.scope_created);
    assert_eq!(contents(&store), ["A=1, 1", "B=3, 1", "X-Api-Key=2, 1"]);
}

#[test]
fn two_of_one_name_are_refused() {
    let store = store();
    let given = secrets(&[("A", "1"), ("B", "2"), ("A", "1")]);
    for error in [
        store
            .import(&NewScope::env(scope()), &given, Overwrite)
            .unwrap_err(),
        store
            .plan_import(&NewScope::env(scope()), &given, Overwrite)
            .unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "s/A is given twice");
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    assert!(!store.exists().unwrap());
}

#[test]
fn a_scope_takes_no_more_than_it_can_hold() {
    let store = store();
    put(&store, "FIRST", "v");
    let names: Vec<String> = (0..MAX_SECRETS_PER_SCOPE)
        .map(|at| format!("K{at}"))
        .collect();
    let pairs: Vec<_> = names.iter().map(|name| (name.as_str(), "v")).collect();
    let error = store
        .import(&NewScope::env(scope()), &secrets(&pairs), Fail)
        .unwrap_err();
    assert!(matches!(error, Error::ScopeFull { .. }), "{error}");
    assert_eq!(contents(&store), ["FIRST=v, 1"]);
}

/// A log that fails on demand.
#[derive(Debug, Clone)]
struct Failing(Arc<MemoryAudit>, Arc<AtomicBool>);

impl KeptLog for Failing {
    fn file(&self) -> PathBuf {
        self.0.file()
    }

    fn view(
        &self,
        store: Option<StoreId>,
        sealed: &[AuditPosition],
    ) -> Result<AuditView, AuditError> {
        self.0.view(store, sealed)
    }

    fn append(&self, event: &AuditEvent<'_>) -> Result<AuditPosition, AuditError> {
        if self.1.load(Ordering::Relaxed) {
            return Err(AuditError::new(AuditErrorKind::Other, "disk full"));
        }
        self.0.append(event)
    }
}

/// F23: an import that cannot be recorded stores nothing.
#[test]
fn nothing_is_stored_that_cannot_be_recorded() {
    let fails = Arc::new(AtomicBool::new(false));
    let sink = Failing(Arc::new(MemoryAudit::new().unwrap()), Arc::clone(&fails));
    let store = store().with_audit_log(sink);
    put(&store, "A", "old");
    fails.store(true, Ordering::Relaxed);
    let given = secrets(&[("A", "new"), ("B", "2")]);
    let error = store
        .import(&NewScope::env(scope()), &given, Overwrite)
        .unwrap_err();
    assert!(matches!(error, Error::Audit { .. }), "{error}");
    let error = store
        .plan_import(&NewScope::env(scope()), &given, Overwrite)
        .unwrap_err();
    assert!(matches!(error, Error::Audit { .. }), "{error}");
    let error = store
        .credentials(&scope(), Select::All, Purpose::Export)
        .unwrap_err();
    assert!(matches!(error, Error::Audit { .. }), "{error}");
    fails.store(false, Ordering::Relaxed);
    assert_eq!(contents(&store), ["A=old, 1"]);
}

/// F24: an import is one line, even if it fails. So is an export; a plan is recorded as a list.
#[test]
fn each_import_and_export_is_one_line() {
    let log = Arc::new(MemoryAudit::new().unwrap());
    let store = store().with_audit_log(Failing(Arc::clone(&log), Arc::default()));
    let given = secrets(&[("A", "1"), ("B", "2")]);
    store.import(&NewScope::env(scope()), &given, Fail).unwrap();
    store
        .plan_import(&NewScope::env(scope()), &given, Fail)
        .unwrap();
    let other = secrets(&[("A", "other"), ("B", "2")]);
    store
        .import(&NewScope::env(scope()), &other, Fail)
        .unwrap_err();
    store
        .import(&NewScope::env(scope()), &secrets(&[("a-b", "x")]), Fail)
        .unwrap_err();
    store
        .credentials(&scope(), Select::All, Purpose::Export)
        .unwrap();
    store
        .credentials(&scope(), Select::Only(&[name("B")]), Purpose::Export)
        .unwrap();
    let expected = [
        "import s - ok",
        "committed - - ok",
        "list s - ok",
        "import s - conflict",
        "import s - invalid",
        "export s - ok",
        "export s B ok",
    ];
    assert_eq!(lines(&log), expected);
}

/// Returns operation, scope, name and outcome of each line.
fn lines(log: &MemoryAudit) -> Vec<String> {
    let lines = log.lines().into_iter().map(|line| {
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        let text = |member: &str| line[member].as_str().unwrap_or("-").to_owned();
        format!(
            "{} {} {} {}",
            text("op"),
            text("scope"),
            text("name"),
            text("outcome")
        )
    });
    lines.collect()
}

fn imports(
    secrets: &[(SecretName, SecretValue)],
    scopes: usize,
) -> Vec<(NewScope, &[(SecretName, SecretValue)])> {
    let scope = |at| NewScope::env(format!("s{at}").parse().unwrap());
    (0..scopes).map(|at| (scope(at), secrets)).collect()
}

#[test]
fn several_scopes_are_one_change_with_a_line_for_each() {
    let log = Arc::new(MemoryAudit::new().unwrap());
    let store = store().with_audit_log(Failing(Arc::clone(&log), Arc::default()));
    let given = secrets(&[("A", "1"), ("B", "2")]);
    let several = imports(&given, 3);
    let planned = store.plan_import_all(&several, Fail).unwrap();
    assert!(!store.exists().unwrap(), "a plan makes nothing");
    let imported = store.import_all(&several, Fail).unwrap();
    assert_eq!(planned, imported);
    for imported in &imported {
        assert!(imported.scope_created);
        assert_eq!(actions(imported), [("A", Add), ("B", Add)]);
    }
    for (scope, _) in &several {
        assert_eq!(store.scope(&scope.id).unwrap().secrets, 2);
        let value = store.get(&scope.id, &name("B")).unwrap();
        assert_eq!(value.expose(), b"2");
    }
    for planned in store.plan_import_all(&several, Fail).unwrap() {
        assert!(!planned.scope_created);
        assert_eq!(actions(&planned), [("A", Same), ("B", Same)]);
    }
    let expected = [
        "import s0 - ok",
        "import s1 - ok",
        "import s2 - ok",
        "import - - ok",
        "committed - - ok",
    ];
    let lines = lines(&log);
    assert_eq!(lines[..5], expected);
    assert_eq!(lines.last().unwrap(), "list - - ok");
    // Without any, nothing happens.
    let before = log.lines().len();
    assert!(store.import_all(&[], Fail).unwrap().is_empty());
    assert_eq!(log.lines().len(), before);
}

/// Also if the last one is what fails.
#[test]
fn one_scope_that_cannot_be_imported_refuses_all() {
    let given = secrets(&[("A", "1"), ("B", "2")]);
    let full: Vec<_> = (0..=MAX_SECRETS_PER_SCOPE)
        .map(|at| format!("K{at}"))
        .collect();
    let full: Vec<_> = full.iter().map(|name| (name.as_str(), "v")).collect();
    for (last, kind) in [
        (secrets(&[("A", "other")]), ErrorKind::Conflict),
        (secrets(&[("C", "1"), ("C", "1")]), ErrorKind::Invalid),
        (secrets(&[("a-b", "1")]), ErrorKind::Invalid),
        (secrets(&full), ErrorKind::Other),
    ] {
        let store = store();
        put(&store, "A", "old");
        let before = store.list(&scope()).unwrap();
        let mut several = imports(&given, 2);
        several.push((NewScope::env(scope()), &last));
        let error = store.import_all(&several, Fail).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(store.scope_names().unwrap(), [scope()]);
        assert_eq!(store.list(&scope()).unwrap(), before);
    }
}

#[test]
fn the_syncs_of_an_import_do_not_grow_with_its_scopes() {
    let syncs = |scopes| {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path().join("secrets.redb"), FixedKeys::generate());
        let store = store
            .unwrap()
            .with_audit_log(FileAudit::new(directory.path().join("audit.log")));
        store.init().unwrap();
        let given = secrets(&[("A", "1")]);
        let syncs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&syncs);
        observe(Some(Box::new(move |file| {
            counted.fetch_add(usize::from(file.is_some()), Ordering::Relaxed);
        })));
        store.import_all(&imports(&given, scopes), Fail).unwrap();
        observe(None);
        syncs.load(Ordering::Relaxed)
    };
    let (one, many) = (syncs(1), syncs(300));
    assert!(one > 0);
    // The file grows by doubling, with a sync for each step.
    assert!(many < one + 10, "{one} and {many}");
}

/// What somebody else does to the store.
type Act = fn(&Store);

#[test]
fn an_import_is_refused_if_a_secret_is_not_as_it_was_seen() {
    let given = secrets(&[("OLD", "changed"), ("SAME", "s"), ("NEW", "n")]);
    let changes: [(&str, Act); 6] = [
        ("NEW", |store| put(store, "NEW", "of somebody else")),
        ("OLD", |store| put(store, "OLD", "of somebody else")),
        ("SAME", |store| put(store, "SAME", "of somebody else")),
        ("OLD", |store| store.delete(&scope(), &name("OLD")).unwrap()),
        ("OLD", |store| {
            // It is at version 1 again, which the caller did not see.
            store.delete(&scope(), &name("OLD")).unwrap();
            put(store, "OLD", "o");
        }),
        ("OLD", |store| {
            let edit = SecretEdit {
                note: Change::Set("of somebody else".parse().unwrap()),
                ..SecretEdit::default()
            };
            store.edit(&scope(), &name("OLD"), &edit).unwrap();
        }),
    ];
    for (changed, change) in changes {
        for way in [Fail, Skip, Overwrite] {
            let store = store();
            put(&store, "OLD", "o");
            put(&store, "SAME", "s");
            let new = NewScope::env(scope());
            let plan = store.plan_import(&new, &given, Overwrite).unwrap();
            let names = given.iter().map(|(name, _)| name.clone());
            let states = names.zip(plan.states);
            let states = states.filter_map(|(name, state)| Some((name, state?)));
            let states = states.collect();
            change(&store);
            let before = contents(&store);
            let refused = store.import_if(&new, &given, way, &states).unwrap_err();
            assert!(
                matches!(&refused, Error::SecretsChanged { names, .. } if *names == [name(changed)])
            );
            assert_eq!(refused.kind(), ErrorKind::Conflict);
            assert_eq!(contents(&store), before);
        }
    }
}

#[test]
fn an_import_of_what_was_seen_is_done() {
    let store = store();
    put(&store, "OLD", "o");
    let given = secrets(&[("OLD", "changed"), ("NEW", "n")]);
    let new = NewScope::env(scope());
    let state = store.plan_import(&new, &given, Overwrite).unwrap().states[0].unwrap();
    let states = [(name("OLD"), state), (name("LEFT-OUT"), state)].into();
    put(&store, "ANOTHER", "a");
    store.import_if(&new, &given, Overwrite, &states).unwrap();
    assert_eq!(
        contents(&store),
        ["ANOTHER=a, 1", "NEW=n, 1", "OLD=changed, 2"]
    );
}
