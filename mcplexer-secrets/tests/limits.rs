//! An engine limits how large a commit may be: larger changes are cut into commits that each leave a whole store, or
//! refused before anything is encrypted.

#![cfg(test)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mcplexer_secrets::audit::FileAudit;
use mcplexer_secrets::backend::{
    Backend, BackendError, BackendErrorKind, Commit, CommitId, EachRecord, Limits, Range,
    RedbBackend, Replacement, Snapshot, Successor, Table, Transaction,
};
use mcplexer_secrets::backup::{Backup, BackupKey, BackupTo};
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{
    AppliedScope, Error, ImportAction, NewScope, OnConflict, PutMode, RestoreAction, RestoreMode,
    ScopeAction, ScopeId, SecretName, SecretStore, SecretValue, Store,
};
use tempfile::TempDir;

const OPERATIONS: Limits = Limits::new(Some(16), None);
const BYTES: Limits = Limits::new(None, Some(6000));

/// A backend that has limits, and one of whose commits may fail.
#[derive(Debug)]
struct Limited {
    inner: RedbBackend,
    limits: Mutex<Limits>,
    commits: AtomicUsize,
    /// The number of the commit that fails.
    fails: AtomicUsize,
}

struct Counted<'a, T: ?Sized> {
    inner: Box<T>,
    from: &'a Limited,
    places: BTreeMap<(Table, Vec<u8>), usize>,
    prefixes: usize,
    /// A new state is not limited.
    is_replacement: bool,
}

impl Limited {
    fn count<T: ?Sized>(&self, inner: Box<T>, is_replacement: bool) -> Counted<'_, T> {
        Counted {
            inner,
            from: self,
            places: BTreeMap::new(),
            prefixes: 0,
            is_replacement,
        }
    }
}

impl Backend for Limited {
    fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError> {
        self.inner.read()
    }

    fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError> {
        Ok(Box::new(self.count(self.inner.write()?, false)))
    }

    fn replace(&self) -> Result<Replacement<'_>, BackendError> {
        let Replacement { old, new } = self.inner.replace()?;
        let new = Box::new(self.count(new, true));
        Ok(Replacement { old, new })
    }

    fn settle(&self, commit: &CommitId) -> Result<bool, BackendError> {
        self.inner.settle(commit)
    }

    fn limits(&self) -> Limits {
        *self.limits.lock().unwrap()
    }
}

impl<T: Transaction + ?Sized> Snapshot for Counted<'_, T> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        self.inner.get_many(places)
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        self.inner.scan(range, each)
    }
}

impl<T: Transaction + ?Sized> Transaction for Counted<'_, T> {
    fn is_first(&self) -> bool {
        self.inner.is_first()
    }

    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Result<(), BackendError> {
        let place = (table, key.to_vec());
        self.places.insert(place, key.len() + record.len());
        self.inner.put(table, key, record)
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), BackendError> {
        self.places.insert((table, key.to_vec()), 0);
        self.inner.delete(table, key)
    }

    fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Result<(), BackendError> {
        self.prefixes += 1;
        self.inner.delete_prefix(table, prefix)
    }

    fn commit(self: Box<Self>) -> Result<Commit, BackendError> {
        let limits = self.from.limits();
        let bytes: usize = self.places.values().sum();
        if !self.is_replacement {
            let operations = self.places.len() + self.prefixes;
            assert!(limits.operations.is_none_or(|it| operations <= it));
            assert!(limits.bytes.is_none_or(|it| bytes <= it));
        }
        let number = self.from.commits.fetch_add(1, Ordering::Relaxed);
        match number == self.from.fails.load(Ordering::Relaxed) {
            true => Err(BackendError::new(BackendErrorKind::Other, "no space")),
            false => self.inner.commit(),
        }
    }
}

impl<T: Successor + ?Sized> Successor for Counted<'_, T> {
    fn keep(&mut self) -> Result<(), BackendError> {
        self.inner.keep()
    }
}

/// A store with limits and an audit log.
struct Place {
    directory: TempDir,
    backend: Arc<Limited>,
    identity: Identity,
    store: Store,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let backend = Arc::new(Limited {
            inner: RedbBackend::in_memory().unwrap(),
            limits: Mutex::new(Limits::NONE),
            commits: AtomicUsize::new(0),
            fails: AtomicUsize::new(usize::MAX),
        });
        let identity = Identity::generate();
        let keys = FixedKeys::new(vec![identity.clone()]);
        let store = Store::with_backend(Arc::clone(&backend), keys).unwrap();
        let store = store.with_audit_log(FileAudit::new(directory.path().join("audit.log")));
        store.init().unwrap();
        Self {
            directory,
            backend,
            identity,
            store,
        }
    }

    fn limited(limits: Limits) -> Self {
        let place = Self::new();
        place.limit(limits);
        place
    }

    fn limit(&self, limits: Limits) {
        *self.backend.limits.lock().unwrap() = limits;
    }

    /// Lets a commit fail, counted from now.
    fn fail_at(&self, number: usize) {
        self.backend.commits.store(0, Ordering::Relaxed);
        self.backend.fails.store(number, Ordering::Relaxed);
    }

    fn commits(&self) -> usize {
        self.backend.commits.load(Ordering::Relaxed)
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("audit.log")
    }

    /// Checks that the store is whole, and that its log belongs to it.
    fn check(&self) {
        let checked = self
            .store
            .check(&mut |found| panic!("{found}"), &mut |_| {});
        checked.unwrap();
        self.store.verify_audit(&self.log(), None).unwrap();
    }

    fn values(&self, scope: &str) -> BTreeMap<String, Vec<u8>> {
        let listed = match self.store.list(&id(scope)) {
            Err(Error::ScopeNotFound { .. }) => return BTreeMap::new(),
            listed => listed.unwrap(),
        };
        let value = |name: &SecretName| self.store.get(&id(scope), name).unwrap();
        let values = listed.iter().map(|it| {
            let value = value(&it.name).expose().to_vec();
            (it.name.to_string(), value)
        });
        values.collect()
    }

    fn backup(&self) -> Backup {
        let path = self.directory.path().join("backup.age");
        let to = BackupTo::StoreKeys;
        self.store.backup(&path, to, true, &mut |_| {}).unwrap();
        let key = BackupKey::Identities(std::slice::from_ref(&self.identity));
        Backup::open(&path, key).unwrap()
    }
}

fn id(text: &str) -> ScopeId {
    text.parse().unwrap()
}

fn scope(text: &str) -> NewScope {
    NewScope::env(id(text))
}

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

fn value(bytes: Vec<u8>) -> SecretValue {
    SecretValue::new(bytes).unwrap()
}

fn secrets(count: usize, byte: u8) -> Vec<(SecretName, SecretValue)> {
    let secret = |at| (name(&format!("KEY_{at}")), value(vec![byte; 40]));
    (0..count).map(secret).collect()
}

/// Makes a change that takes several commits: without a failure, and once for each of them, which fails. Then it is made
/// again. The store is whole each time.
fn with_each_commit_failing(
    limits: Limits,
    prepare: impl Fn(&Place),
    change: impl Fn(&Place) -> Result<(), Error>,
    done: impl Fn(&Place),
) {
    let commits = {
        let place = Place::new();
        prepare(&place);
        place.limit(limits);
        place.fail_at(usize::MAX);
        change(&place).unwrap();
        let commits = place.commits();
        place.check();
        done(&place);
        commits
    };
    assert!(commits > 2, "it was not cut");
    for failing in 0..commits {
        let place = Place::new();
        prepare(&place);
        place.limit(limits);
        place.fail_at(failing);
        let failed = change(&place).unwrap_err();
        match failing {
            0 => assert!(matches!(failed, Error::Backend(_)), "{failed}"),
            _ => assert!(matches!(failed, Error::PartlyMade { .. }), "{failed}"),
        }
        assert_eq!(place.commits(), failing + 1);
        place.check();
        change(&place).unwrap();
        place.check();
        done(&place);
    }
}

#[test]
fn an_import_is_cut_and_goes_on_after_each_failure() {
    for limits in [OPERATIONS, BYTES] {
        for byte in [b'a', b'b'] {
            let all = secrets(30, byte);
            with_each_commit_failing(
                limits,
                |place| {
                    // Of which all are replaced, or some are there already.
                    let there = secrets(4, b'a');
                    let import = place.store.import(&scope("s"), &there, OnConflict::Fail);
                    import.unwrap();
                },
                |place| {
                    let way = OnConflict::Overwrite;
                    let imported = place.store.import(&scope("s"), &all, way)?;
                    let names = imported.secrets.iter().map(|(name, _)| name);
                    assert!(names.eq(all.iter().map(|(name, _)| name)));
                    assert_eq!(imported.states.len(), all.len());
                    Ok(())
                },
                |place| {
                    let values = place.values("s");
                    assert_eq!(values.len(), 30);
                    assert!(values.values().all(|it| *it == [byte; 40]));
                },
            );
        }
    }
}

#[test]
fn what_an_import_has_stored_is_the_same_when_it_goes_on() {
    let place = Place::limited(OPERATIONS);
    let all = secrets(30, b'a');
    place.fail_at(2);
    let import = || place.store.import(&scope("s"), &all, OnConflict::Fail);
    assert!(import().is_err());
    let stored = place.values("s").len() as u64;
    assert!(stored > 0);
    let imported = import().unwrap();
    assert_eq!(imported.count(ImportAction::Same), stored);
    assert_eq!(imported.count(ImportAction::Add), 30 - stored);
    assert!(!imported.scope_created);
}

/// What is tried and found to be too large leaves no line.
#[test]
fn each_commit_of_an_import_is_one_line_of_the_log() {
    for operations in 5..24 {
        let place = Place::limited(Limits::new(Some(operations), None));
        place.fail_at(usize::MAX);
        let lines = || {
            std::fs::read_to_string(place.log())
                .unwrap()
                .lines()
                .count()
        };
        let before = lines();
        let all = secrets(30, b'a');
        let import = place.store.import(&scope("s"), &all, OnConflict::Fail);
        import.unwrap();
        assert_eq!(lines() - before, place.commits(), "{operations}");
    }
}

#[test]
fn a_conflict_in_the_last_part_is_found_before_the_first_commit() {
    let place = Place::new();
    let there = [(name("KEY_29"), value(b"other".to_vec()))];
    let there = place.store.import(&scope("s"), &there, OnConflict::Fail);
    assert!(there.unwrap().scope_created);
    place.limit(OPERATIONS);
    let refused = place
        .store
        .import(&scope("s"), &secrets(30, b'a'), OnConflict::Fail);
    assert!(matches!(refused, Err(Error::Conflicts { names, .. }) if names == [name("KEY_29")]));
    assert_eq!(place.values("s").len(), 1);
    place.check();
}

#[test]
fn an_import_into_several_scopes_is_cut() {
    let (few, many) = (secrets(3, b'a'), secrets(20, b'b'));
    let imports = [
        (scope("few"), few.as_slice()),
        (scope("none"), &[]),
        (scope("many"), many.as_slice()),
    ];
    with_each_commit_failing(
        OPERATIONS,
        |_| (),
        |place| {
            let done = place.store.import_all(&imports, OnConflict::Fail)?;
            let counts: Vec<_> = done.iter().map(|it| it.secrets.len()).collect();
            assert_eq!(counts, [3, 0, 20]);
            Ok(())
        },
        |place| {
            assert_eq!(place.values("few").len(), 3);
            assert_eq!(place.values("many").len(), 20);
            assert!(place.store.has_scope(&id("none")).unwrap());
        },
    );
}

#[test]
fn a_restore_is_cut_and_goes_on_after_each_failure() {
    let from = Place::new();
    for (id, count) in [("s", 20), ("t", 3)] {
        for byte in [b'a', b'b'] {
            let secrets = secrets(count, byte);
            let import = from
                .store
                .import(&scope(id), &secrets, OnConflict::Overwrite);
            import.unwrap();
        }
    }
    from.store.create_scope(&scope("empty")).unwrap();
    let backup = from.backup();
    for there in [b'a', b'b'] {
        with_each_commit_failing(
            OPERATIONS,
            |place| {
                let there = secrets(5, there);
                let import = place.store.import(&scope("s"), &there, OnConflict::Fail);
                import.unwrap();
            },
            |place| {
                let restored = place.store.restore(&backup, RestoreMode::Merge)?;
                assert_eq!(restored.secrets.len(), 23);
                Ok(())
            },
            |place| {
                assert_eq!(place.values("s").len(), 20);
                assert_eq!(place.values("t").len(), 3);
                assert!(place.store.has_scope(&id("empty")).unwrap());
                let again = place.store.restore(&backup, RestoreMode::Merge).unwrap();
                let added = again.count(RestoreAction::Add) + again.count(RestoreAction::Replace);
                assert_eq!(added, 0);
            },
        );
    }
}

#[test]
fn scopes_are_applied_in_parts() {
    let wanted: Vec<_> = (0..40).map(|at| scope(&format!("new-{at}"))).collect();
    with_each_commit_failing(
        OPERATIONS,
        |place| {
            let old: Vec<_> = (0..10).map(|at| scope(&format!("old-{at}"))).collect();
            place.store.apply_scopes(&old, &[]).unwrap();
            place.store.create_scope(&scope("left")).unwrap();
        },
        |place| {
            let plan = place.store.plan_scopes(&wanted)?;
            let is_old = |it: &&AppliedScope| it.id.as_str().starts_with("old");
            let prune: Vec<_> = plan.iter().filter(is_old).cloned().collect();
            let applied = place.store.apply_scopes(&wanted, &prune)?;
            assert!(applied.iter().map(|it| &it.id).is_sorted());
            let action = |id: &ScopeId| applied.iter().find(|it| it.id == *id).unwrap().action;
            assert!(prune.iter().all(|it| action(&it.id) == ScopeAction::Delete));
            assert_eq!(action(&id("left")), ScopeAction::Leave);
            Ok(())
        },
        |place| assert_eq!(place.store.scope_names().unwrap().len(), 41),
    );
}

/// A change that cannot be cut is refused, and leaves no trace but the line of the log.
fn refused<T: std::fmt::Debug>(place: &Place, limits: Limits, change: Result<T, Error>) {
    let Err(Error::Backend(error)) = change else {
        panic!("not refused: {change:?}");
    };
    assert_eq!(error.kind(), BackendErrorKind::TooLarge);
    let message = error.to_string();
    for limit in [limits.operations, limits.bytes].into_iter().flatten() {
        assert!(message.contains(&limit.to_string()), "{message}");
    }
    assert_eq!(place.commits(), 0);
    place.check();
}

#[test]
fn what_cannot_be_cut_is_refused_with_the_limit() {
    for limits in [OPERATIONS, BYTES, Limits::new(Some(16), Some(6000))] {
        let place = Place::new();
        place
            .store
            .import(&scope("s"), &secrets(60, b'a'), OnConflict::Fail)
            .unwrap();
        for byte in 0..40 {
            let (name, value) = (name("KEY"), value(vec![byte; 400]));
            let mut scope = scope("kept");
            scope.keep_versions = 40;
            let mode = PutMode::Overwrite;
            place.store.put(&scope, &name, &value, mode).unwrap();
        }
        place.limit(limits);
        place.fail_at(usize::MAX);
        let renamed = place.store.rename_scope(&id("s"), &id("new"));
        refused(&place, limits, renamed);
        let from = (&id("kept"), &name("KEY"));
        let mut kept = scope("to");
        kept.keep_versions = 40;
        let to = (&kept, &name("KEY"));
        let moved = place.store.move_secret(from, to, PutMode::Create);
        refused(&place, limits, moved);
        if limits.operations.is_some() {
            let names: Vec<_> = (0..60).map(|at| name(&format!("KEY_{at}"))).collect();
            refused(&place, limits, place.store.delete_all(&id("s"), &names));
        }
        if limits.bytes.is_some() {
            let long = value(vec![b'x'; 6000]);
            let put = place
                .store
                .put(&scope("s"), &name("LONG"), &long, PutMode::Create);
            refused(&place, limits, put);
            let import = [(name("LONG"), long)];
            let import = place.store.import(&scope("s"), &import, OnConflict::Fail);
            refused(&place, limits, import);
        }
    }
}

/// Deleting by a prefix is one operation, however much there is.
#[test]
fn a_scope_of_any_size_is_deleted_and_single_secrets_are_changed() {
    let place = Place::new();
    let all = secrets(60, b'a');
    for name in ["s", "t"] {
        let import = place.store.import(&scope(name), &all, OnConflict::Fail);
        import.unwrap();
    }
    place.limit(Limits::new(Some(16), Some(20_000)));
    assert_eq!(place.store.delete_scope(&id("t")).unwrap(), 60);
    let (short, from) = (value(b"short".to_vec()), (&id("s"), &name("KEY_0")));
    for _ in 0..9 {
        let put = place
            .store
            .put(&scope("s"), from.1, &short, PutMode::Overwrite);
        put.unwrap();
    }
    let to = (&scope("u"), &name("COPY"));
    place.store.copy(from, to, PutMode::Create).unwrap();
    let to = (&scope("u"), &name("MOVED"));
    place.store.move_secret(from, to, PutMode::Create).unwrap();
    place.store.delete(&id("s"), &name("KEY_1")).unwrap();
    place.store.rename_scope(&id("u"), &id("v")).unwrap();
    place.check();
}
