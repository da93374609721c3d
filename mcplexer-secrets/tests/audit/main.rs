//! The audit log of a store, in a file.

#![cfg(test)]

mod calls;
mod cut_short;
mod edited;
mod torn;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mcplexer_secrets::audit::{
    AuditError, AuditErrorKind, AuditEvent, AuditLine, AuditOperation, AuditOutcome, AuditPosition,
    AuditView, FileAudit, KeptLog, read_audit_log,
};
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{
    Error, Finding, NewScope, Purpose, PutMode, RecordName, ScopeId, SecretName, SecretStore,
    SecretValue, Select, Store, StoreId,
};
use tempfile::TempDir;

const MARKER: &[u8] = b"m4rked-value";

struct Home {
    directory: TempDir,
    identity: Identity,
}

impl Home {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            identity: Identity::generate(),
        }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("secrets.redb")
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("audit.log")
    }

    fn keys(&self) -> FixedKeys {
        FixedKeys::new(vec![self.identity.clone()])
    }

    fn store(&self) -> Store {
        let store = Store::open(self.file(), self.keys()).unwrap();
        store.with_audit_log(FileAudit::new(self.log()))
    }

    fn lines(&self) -> Vec<AuditLine> {
        read_audit_log(&self.log()).unwrap()
    }

    /// Returns the finding of a failed verification.
    fn finding(&self) -> (RecordName, Finding) {
        match self.store().verify_audit(&self.log(), None).unwrap_err() {
            Error::Tampered { record, finding } => (record, finding),
            error => panic!("{error}"),
        }
    }

    /// Rewrites the log.
    fn edit_log(&self, edit: impl FnOnce(&mut Vec<String>)) {
        let text = fs::read_to_string(self.log()).unwrap();
        let mut lines = text.lines().map(str::to_owned).collect();
        edit(&mut lines);
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(self.log(), text).unwrap();
    }
}

fn scope(text: &str) -> ScopeId {
    text.parse().unwrap()
}

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

fn put(store: &Store, key: &str) -> Result<(), Error> {
    let value = SecretValue::copy_of(MARKER).unwrap();
    store.put(
        &NewScope::env(scope("s")),
        &name(key),
        &value,
        PutMode::Overwrite,
    )?;
    Ok(())
}

/// F21: the log has the names. F24: reads and failures are recorded as well. F22: the value is
/// nowhere.
#[test]
fn every_operation_is_recorded_with_its_outcome() {
    let home = Home::new();
    let store = home.store();
    let (s, k) = (scope("s"), name("K"));
    put(&store, "K").unwrap();
    store.get(&s, &k).unwrap();
    store.get(&s, &name("NOTHING")).unwrap_err();
    store.get(&scope("nowhere"), &k).unwrap_err();
    store.list(&s).unwrap();
    store.scopes().unwrap();
    store.scope(&s).unwrap();
    store.scope(&scope("nowhere")).unwrap_err();
    let program = Some("server");
    for purpose in [Purpose::Inject { program }, Purpose::Export, Purpose::Scan] {
        store.credentials(&s, Select::All, purpose).unwrap();
    }
    // The names are not encrypted, so reading only them is not recorded.
    assert_eq!(store.scope_names().unwrap(), [scope("s")]);
    assert_eq!(store.secret_names(&s).unwrap(), [name("K")]);
    store.secret_names(&scope("nowhere")).unwrap_err();
    assert!(store.has_scope(&s).unwrap());
    store.create_scope(&NewScope::env(scope("t"))).unwrap();
    store.create_scope(&NewScope::env(scope("t"))).unwrap_err();
    let value = SecretValue::copy_of(MARKER).unwrap();
    store
        .put(&NewScope::env(s.clone()), &k, &value, PutMode::Create)
        .unwrap_err();
    store
        .put(
            &NewScope::env(s.clone()),
            &name("X-Y"),
            &value,
            PutMode::Create,
        )
        .unwrap_err();
    store.delete(&s, &k).unwrap();
    store.delete(&s, &k).unwrap_err();
    store.delete_scope(&s).unwrap();
    drop(store);
    let locked = Store::open(home.file(), FixedKeys::generate()).unwrap();
    let locked = locked.with_audit_log(FileAudit::new(home.log()));
    locked.get(&scope("t"), &k).unwrap_err();

    use AuditOperation::{
        Committed, CreateScope, Delete, DeleteScope, Export, Get, Inject, List, Put, Scan,
    };
    use AuditOutcome::{Conflict, Invalid, NoKey, NotFound, Ok};
    let told: Vec<_> = home
        .lines()
        .iter()
        .map(|line| {
            let subject = (&line.scope, &line.name);
            let subject = match subject {
                (Some(scope), Some(name)) => format!("{scope}/{name}"),
                (Some(scope), None) => scope.to_string(),
                _ => String::new(),
            };
            (line.operation, subject, line.outcome)
        })
        .collect();
    let expected = [
        (Put, "s/K", Ok),
        (Committed, "", Ok),
        (Get, "s/K", Ok),
        (Get, "s/NOTHING", NotFound),
        (Get, "nowhere/K", NotFound),
        (List, "s", Ok),
        (List, "", Ok),
        (List, "s", Ok),
        (List, "nowhere", NotFound),
        (Inject, "s", Ok),
        (Export, "s", Ok),
        (Scan, "s", Ok),
        (CreateScope, "t", Ok),
        (CreateScope, "t", Conflict),
        (Put, "s/K", Conflict),
        (Put, "s/X-Y", Invalid),
        (Delete, "s/K", Ok),
        (Delete, "s/K", NotFound),
        (DeleteScope, "s", Ok),
        (Get, "t/K", NoKey),
    ];
    let expected: Vec<_> = expected
        .map(|(operation, subject, outcome)| (operation, subject.to_owned(), outcome))
        .into();
    assert_eq!(told, expected);
    let text = fs::read_to_string(home.log()).unwrap();
    assert!(!text.contains("m4rked"));
    let report = home.store().verify_audit(&home.log(), None).unwrap();
    assert_eq!((report.lines, report.sealed, report.torn), (20, 19, 0));
}

#[test]
fn asking_where_there_is_no_store_leaves_no_trace() {
    let home = Home::new();
    home.store().get(&scope("s"), &name("K")).unwrap_err();
    assert!(home.store().scopes().unwrap().is_empty());
    home.store().delete_scope(&scope("s")).unwrap_err();
    assert_eq!(
        home.store().verify_audit(&home.log(), None).unwrap().lines,
        0
    );
    assert!(home.lines().is_empty());
    assert_eq!(fs::read_dir(home.directory.path()).unwrap().count(), 0);
}

/// A sink that fails on demand.
#[derive(Debug)]
struct Failing(FileAudit, Arc<AtomicBool>);

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

/// F23: an operation that cannot be recorded has no effect.
#[test]
fn an_operation_that_cannot_be_recorded_fails() {
    let home = Home::new();
    let fails = Arc::new(AtomicBool::new(false));
    let store = Store::open(home.file(), home.keys()).unwrap();
    let store = store.with_audit_log(Failing(FileAudit::new(home.log()), Arc::clone(&fails)));
    put(&store, "K").unwrap();
    fails.store(true, Ordering::Relaxed);
    let (s, k) = (scope("s"), name("K"));
    assert!(matches!(put(&store, "K"), Err(Error::Audit { .. })));
    assert!(matches!(put(&store, "NEW"), Err(Error::Audit { .. })));
    assert!(matches!(store.get(&s, &k), Err(Error::Audit { .. })));
    assert!(matches!(store.list(&s), Err(Error::Audit { .. })));
    assert!(matches!(store.delete(&s, &k), Err(Error::Audit { .. })));
    assert!(matches!(store.delete_scope(&s), Err(Error::Audit { .. })));
    fails.store(false, Ordering::Relaxed);
    let list = store.list(&s).unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].version, 1);
}

#[test]
fn a_log_that_cannot_be_made_stops_everything() {
    let home = Home::new();
    put(&home.store(), "K").unwrap();
    let store = Store::open(home.file(), home.keys()).unwrap();
    let store = store.with_audit_log(FileAudit::new(home.file().join("audit.log")));
    assert!(matches!(put(&store, "K"), Err(Error::Audit { .. })));
    let got = store.get(&scope("s"), &name("K"));
    assert!(matches!(got, Err(Error::Audit { .. })));
}
