//! The audit log, through the real sink.

#![cfg(test)]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mcplexer_secrets::audit::{
    AuditChange, AuditError, AuditErrorKind, AuditEvent, AuditLine, AuditLog, AuditOperation,
    AuditOutcome, AuditPosition, FileAudit, KeptLog, read_audit_log,
};
use mcplexer_secrets::backend::{
    Backend, BackendError, BackendErrorKind, Commit, RedbBackend, Replacement, Snapshot, Table,
    Transaction,
};
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{
    Error, ErrorKind, Finding, NewScope, Purpose, PutMode, RecordName, ScopeId, SecretName,
    SecretStore, SecretValue, Select, Store, StoreId,
};
use sha2::{Digest, Sha256};
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

    /// What verification finds wrong with the log.
    fn finding(&self) -> (RecordName, Finding) {
        match self.store().verify_audit(&self.log()).unwrap_err() {
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

/// F21: the real sink records the names. F24: reads and failures are recorded as well. F22: the
/// value is nowhere.
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
    // Names alone are in the clear: reading them is not recorded.
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

    use AuditOperation::{CreateScope, Delete, DeleteScope, Export, Get, Inject, List, Put, Scan};
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
    let report = home.store().verify_audit(&home.log()).unwrap();
    assert_eq!((report.lines, report.sealed, report.torn), (19, 18, 0));
}

#[test]
fn asking_where_there_is_no_store_leaves_no_trace() {
    let home = Home::new();
    home.store().get(&scope("s"), &name("K")).unwrap_err();
    assert!(home.store().scopes().unwrap().is_empty());
    home.store().delete_scope(&scope("s")).unwrap_err();
    assert_eq!(home.store().verify_audit(&home.log()).unwrap().lines, 0);
    assert!(home.lines().is_empty());
    assert_eq!(fs::read_dir(home.directory.path()).unwrap().count(), 0);
}

/// A sink that can be told to fail.
#[derive(Debug)]
struct Failing(FileAudit, Arc<AtomicBool>);

impl KeptLog for Failing {
    fn log(&self) -> Result<AuditLog, AuditError> {
        self.0.log()
    }

    fn holds(&self, position: &AuditPosition) -> Result<bool, AuditError> {
        self.0.holds(position)
    }

    fn last_change(&self, store: Option<StoreId>) -> Result<Option<AuditChange>, AuditError> {
        self.0.last_change(store)
    }

    fn append(&self, event: &AuditEvent<'_>) -> Result<AuditPosition, AuditError> {
        if self.1.load(Ordering::Relaxed) {
            return Err(AuditError::new(AuditErrorKind::Other, "disk full"));
        }
        self.0.append(event)
    }
}

/// F23: what cannot be recorded is not done.
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

#[test]
fn a_torn_line_is_reported_and_healed() {
    let home = Home::new();
    let store = home.store();
    put(&store, "K").unwrap();
    let mut log = fs::read(home.log()).unwrap();
    log.extend(b"{\"line\":2,\"time\":\"2026");
    fs::write(home.log(), log).unwrap();
    let report = store.verify_audit(&home.log()).unwrap();
    assert_eq!((report.lines, report.torn, report.healed), (1, 22, 0));
    put(&store, "K").unwrap();
    let operations: Vec<_> = home.lines().iter().map(|line| line.operation).collect();
    use AuditOperation::{Heal, Put};
    assert_eq!(operations, [Put, Heal, Put]);
    let report = store.verify_audit(&home.log()).unwrap();
    assert_eq!((report.lines, report.torn, report.healed), (3, 0, 1));
}

#[test]
fn the_first_line_may_be_torn() {
    let home = Home::new();
    fs::write(home.log(), "{\"line\":1,").unwrap();
    put(&home.store(), "K").unwrap();
    let report = home.store().verify_audit(&home.log()).unwrap();
    assert_eq!((report.lines, report.healed), (2, 1));
}

/// A power cut can leave zeros where a sector of the last lines was to be, and what came after it.
#[test]
fn lines_of_which_a_sector_is_missing_are_healed() {
    let home = Home::new();
    put(&home.store(), "K").unwrap();
    let sound = fs::read(home.log()).unwrap();
    for _ in 0..4 {
        home.store().get(&scope("s"), &name("K")).unwrap();
    }
    let mut log = fs::read(home.log()).unwrap();
    let read = log[sound.len()..].to_vec();
    log[sound.len()..1024].fill(0);
    fs::write(home.log(), &log).unwrap();
    let report = home.store().verify_audit(&home.log()).unwrap();
    assert_eq!((report.lines, report.torn), (1, read.len() as u64));
    put(&home.store(), "K").unwrap();
    let report = home.store().verify_audit(&home.log()).unwrap();
    assert_eq!((report.lines, report.healed, report.torn), (3, 1, 0));
}

/// What was made durable is not lost in a power cut: zeros there are damage, and are left to be seen.
#[test]
fn zeros_before_the_line_of_a_change_are_not_healed() {
    let home = Home::new();
    for key in ["K", "L", "M"] {
        put(&home.store(), key).unwrap();
    }
    home.store().get(&scope("s"), &name("K")).unwrap();
    let mut log = fs::read(home.log()).unwrap();
    log[400..512].fill(0);
    fs::write(home.log(), &log).unwrap();
    let line = (RecordName::AuditLine(2), Finding::BrokenChain);
    assert_eq!(home.finding(), line);
    home.store().get(&scope("s"), &name("K")).unwrap_err();
    assert_eq!(fs::read(home.log()).unwrap(), log);
}

#[test]
fn bytes_at_the_end_that_no_crash_leaves_are_found_and_stay() {
    let home = Home::new();
    let store = home.store();
    put(&store, "K").unwrap();
    let mut log = fs::read(home.log()).unwrap();
    log.extend(b"x");
    fs::write(home.log(), &log).unwrap();
    let found = (RecordName::AuditLog(home.log()), Finding::Malformed);
    assert_eq!(home.finding(), found);
    let refused = put(&home.store(), "K").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Tampered);
    assert_eq!(fs::read(home.log()).unwrap(), log);
}

#[test]
fn a_changed_line_is_found() {
    let home = Home::new();
    for key in ["K", "L", "M"] {
        put(&home.store(), key).unwrap();
    }
    home.edit_log(|lines| lines[1] = lines[1].replace("\"L\"", "\"X\""));
    assert_eq!(
        home.finding(),
        (RecordName::AuditLine(2), Finding::BrokenChain)
    );
}

#[test]
fn a_removed_line_is_found() {
    for removed in 0..2 {
        let home = Home::new();
        for key in ["K", "L", "M"] {
            put(&home.store(), key).unwrap();
        }
        home.edit_log(|lines| drop(lines.remove(removed)));
        let (record, _) = home.finding();
        // Without its first line, the log is one that the store never sealed.
        let expected = match removed {
            0 => RecordName::AuditLine(1),
            at => RecordName::AuditLine(at as u64 + 1),
        };
        assert_eq!(record, expected);
    }
}

#[test]
fn a_log_cut_off_is_found() {
    let home = Home::new();
    for key in ["K", "L", "M"] {
        put(&home.store(), key).unwrap();
    }
    home.edit_log(|lines| lines.truncate(2));
    assert_eq!(
        home.finding(),
        (RecordName::AuditLog(home.log()), Finding::CutOff)
    );
}

#[test]
fn a_log_removed_or_replaced_is_found() {
    let home = Home::new();
    put(&home.store(), "K").unwrap();
    fs::remove_file(home.log()).unwrap();
    assert_eq!(
        home.finding(),
        (RecordName::AuditLog(home.log()), Finding::Missing)
    );
    home.store().list(&scope("s")).unwrap();
    assert_eq!(
        home.finding(),
        (RecordName::AuditLog(home.log()), Finding::CutOff)
    );
}

#[test]
fn a_store_put_back_in_time_is_found() {
    let home = Home::new();
    put(&home.store(), "K").unwrap();
    let old = fs::read(home.file()).unwrap();
    put(&home.store(), "K").unwrap();
    put(&home.store(), "K").unwrap();
    fs::write(home.file(), &old).unwrap();
    let expected = (RecordName::AuditLog(home.log()), Finding::StoreIsOlder);
    assert_eq!(home.finding(), expected);
    // However much was only read since.
    for _ in 0..100 {
        home.store().list(&scope("s")).unwrap();
    }
    // A change does not cover it up.
    let error = put(&home.store(), "L").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tampered, "{error}");
    assert!(error.to_string().contains("put back in time"), "{error}");
    assert_eq!(home.finding(), expected);
    // With the log moved away the store begins another.
    fs::rename(home.log(), home.directory.path().join("old.log")).unwrap();
    put(&home.store(), "L").unwrap();
    assert_eq!(home.store().list(&scope("s")).unwrap().len(), 2);
    home.store().verify_audit(&home.log()).unwrap();
}

/// A change does not vouch anew for a log that was cut off or rewritten: it fails, and the damage
/// stays to be found.
#[test]
fn a_change_does_not_cover_up_what_was_done_to_the_log() {
    let cut = |lines: &mut Vec<String>| lines.truncate(2);
    // The last line, made to say something else, with the hash that fits.
    let rewritten = |lines: &mut Vec<String>| {
        let last = lines.pop().unwrap().replace("\"M\"", "\"X\"");
        let (content, _) = last.split_once(",\"hash\"").unwrap();
        let hash: String = Sha256::digest(content)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        lines.push(format!("{content},\"hash\":\"{hash}\"}}"));
    };
    type Edit = fn(&mut Vec<String>);
    for edit in [cut as Edit, rewritten] {
        let home = Home::new();
        for key in ["K", "L", "M"] {
            put(&home.store(), key).unwrap();
        }
        home.edit_log(edit);
        let error = put(&home.store(), "N").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tampered, "{error}");
        assert_eq!(home.store().list(&scope("s")).unwrap().len(), 3);
        home.finding();
    }
}

/// A log that was removed can be begun anew, but not without a trace.
#[test]
fn a_log_that_follows_another_says_so() {
    let home = Home::new();
    put(&home.store(), "K").unwrap();
    fs::remove_file(home.log()).unwrap();
    put(&home.store(), "L").unwrap();
    let report = home.store().verify_audit(&home.log()).unwrap();
    assert_eq!((report.lines, report.sealed, report.earlier), (1, 1, 1));
}

#[test]
fn a_log_whose_store_is_gone_is_found() {
    let home = Home::new();
    put(&home.store(), "K").unwrap();
    put(&home.store(), "L").unwrap();
    let backup = fs::read(home.file()).unwrap();
    fs::remove_file(home.file()).unwrap();
    let expected = (RecordName::AuditLog(home.log()), Finding::StoreIsGone);
    assert_eq!(home.finding(), expected);
    // F07: a new store does not cover that up.
    let error = put(&home.store(), "L").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tampered, "{error}");
    assert!(!home.file().exists());
    assert_eq!(home.finding(), expected);
    fs::write(home.file(), backup).unwrap();
    put(&home.store(), "M").unwrap();
    home.store().verify_audit(&home.log()).unwrap();
}

/// A file that is no audit log is left as it is.
#[test]
fn another_file_is_not_taken_for_a_log() {
    for content in ["a token", "two\nlines", "{\"other\":1}"] {
        let home = Home::new();
        fs::write(home.log(), content).unwrap();
        assert_eq!(
            put(&home.store(), "K").unwrap_err().kind(),
            ErrorKind::Tampered
        );
        assert_eq!(fs::read_to_string(home.log()).unwrap(), content);
    }
}

/// A damaged end is not built upon: the operation fails instead.
#[test]
fn nothing_is_appended_to_a_log_that_cannot_be_read() {
    let home = Home::new();
    put(&home.store(), "K").unwrap();
    home.edit_log(|lines| lines.push("nonsense".into()));
    let error = put(&home.store(), "L").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tampered);
    assert!(error.to_string().contains("audit.log"), "{error}");
}

#[test]
fn a_log_moved_away_is_begun_anew() {
    let home = Home::new();
    let store = home.store();
    put(&store, "K").unwrap();
    let archived = home.directory.path().join("2026.log");
    fs::rename(home.log(), &archived).unwrap();
    put(&store, "L").unwrap();
    assert_eq!(home.lines().len(), 1);
    assert!(store.verify_audit(&home.log()).is_ok());
    assert!(store.verify_audit(&archived).is_ok());
}

/// A backend that dies, as a killed process does, or fails, as a full disk does, at the commit.
#[derive(Debug)]
struct Dying(RedbBackend, Arc<AtomicBool>, Death);

#[derive(Debug, Clone, Copy)]
enum Death {
    Killed,
    Failed,
}

struct DyingTransaction<'a>(Box<dyn Transaction + 'a>, Option<Death>);

impl Backend for Dying {
    fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError> {
        self.0.read()
    }

    fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError> {
        let death = self.1.load(Ordering::Relaxed).then_some(self.2);
        Ok(Box::new(DyingTransaction(self.0.write()?, death)))
    }

    fn replace(&self) -> Result<Replacement<'_>, BackendError> {
        let death = self.1.load(Ordering::Relaxed).then_some(self.2);
        let Replacement { old, new } = self.0.replace()?;
        let new = Box::new(DyingTransaction(new, death));
        Ok(Replacement { old, new })
    }
}

impl Snapshot for DyingTransaction<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        self.0.get(table, key)
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        each: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<(), BackendError> {
        self.0.scan(table, prefix, each)
    }
}

impl Transaction for DyingTransaction<'_> {
    fn is_first(&self) -> bool {
        self.0.is_first()
    }

    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Result<(), BackendError> {
        self.0.put(table, key, record)
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), BackendError> {
        self.0.delete(table, key)
    }

    fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Result<(), BackendError> {
        self.0.delete_prefix(table, prefix)
    }

    fn commit(self: Box<Self>) -> Result<Commit, BackendError> {
        match self.1 {
            None => self.0.commit(),
            Some(Death::Killed) => std::panic::resume_unwind(Box::new("killed")),
            Some(Death::Failed) => Err(BackendError::new(BackendErrorKind::Other, "disk full")),
        }
    }
}

/// However often a change is cut short between its audit line and its commit, the log verifies,
/// and so it does after the next change.
#[test]
fn changes_cut_short_raise_no_alarm() {
    for death in [Death::Killed, Death::Failed] {
        let home = Home::new();
        let dies = Arc::new(AtomicBool::new(false));
        let backend = Dying(RedbBackend::file(home.file()), Arc::clone(&dies), death);
        let store = Store::with_backend(backend, home.keys()).unwrap();
        let store = store.with_audit_log(FileAudit::new(home.log()));
        // Also before there is a store at all.
        dies.store(true, Ordering::Relaxed);
        let cut = catch_unwind(AssertUnwindSafe(|| put(&store, "K")));
        assert!(cut.is_err() || cut.is_ok_and(|result| result.is_err()));
        assert_eq!(store.verify_audit(&home.log()).unwrap().sealed, 0);
        dies.store(false, Ordering::Relaxed);
        put(&store, "K").unwrap();
        let first = store.verify_audit(&home.log()).unwrap().sealed;
        dies.store(true, Ordering::Relaxed);
        for _ in 0..3 {
            let cut = catch_unwind(AssertUnwindSafe(|| put(&store, "L")));
            assert!(cut.is_err() || cut.is_ok_and(|result| result.is_err()));
            let report = store.verify_audit(&home.log()).unwrap();
            assert_eq!(report.sealed, first);
        }
        dies.store(false, Ordering::Relaxed);
        put(&store, "L").unwrap();
        let report = store.verify_audit(&home.log()).unwrap();
        assert_eq!(report.sealed, report.lines);
        let failed = |line: &&AuditLine| line.outcome == AuditOutcome::Failed;
        let failures = home.lines().iter().filter(failed).count();
        assert_eq!(failures, if matches!(death, Death::Failed) { 4 } else { 0 });
    }
}
