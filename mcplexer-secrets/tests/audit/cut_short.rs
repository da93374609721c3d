//! Changes that are interrupted between their audit line and their commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mcplexer_secrets::Store;
use mcplexer_secrets::audit::{AuditLine, AuditOutcome, FileAudit};
use mcplexer_secrets::backend::{
    Backend, BackendError, BackendErrorKind, Commit, CommitId, EachRecord, Range, RedbBackend,
    Replacement, Snapshot, Successor, Table, Transaction,
};

use super::{Home, put};

/// A backend that dies, as a killed process does, fails, as a full disk does, or says nothing, as a server that is gone, at
/// the commit.
#[derive(Debug)]
struct Dying(RedbBackend, Arc<AtomicBool>, Death);

#[derive(Debug, Clone, Copy)]
enum Death {
    Killed,
    Failed,
    Silent,
}

struct DyingTransaction<T: ?Sized>(Box<T>, Option<Death>);

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

    fn settle(&self, _commit: &CommitId) -> Result<bool, BackendError> {
        Err(BackendError::new(BackendErrorKind::Other, "nobody knows"))
    }
}

impl<T: Transaction + ?Sized> Snapshot for DyingTransaction<T> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        self.0.get_many(places)
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        self.0.scan(range, each)
    }
}

impl<T: Transaction + ?Sized> Transaction for DyingTransaction<T> {
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
            Some(Death::Silent) => {
                let error = BackendError::new(BackendErrorKind::Unreachable, "no answer");
                Ok(Commit::Unknown(CommitId::new([]), error))
            }
        }
    }
}

impl<T: Successor + ?Sized> Successor for DyingTransaction<T> {
    fn keep(&mut self) -> Result<(), BackendError> {
        self.0.keep()
    }

    fn clear(&mut self) -> Result<(), BackendError> {
        self.0.clear()
    }
}

/// However often a change is interrupted between its audit line and its commit, the log verifies,
/// also after the next change.
#[test]
fn changes_cut_short_raise_no_alarm() {
    for death in [Death::Killed, Death::Failed, Death::Silent] {
        let home = Home::new();
        let dies = Arc::new(AtomicBool::new(false));
        let backend = Dying(RedbBackend::file(home.file()), Arc::clone(&dies), death);
        let store = Store::with_backend(backend, home.keys()).unwrap();
        let store = store.with_audit_log(FileAudit::new(home.log()));
        // Also before the store exists.
        dies.store(true, Ordering::Relaxed);
        let cut = catch_unwind(AssertUnwindSafe(|| put(&store, "K")));
        assert!(cut.is_err() || cut.is_ok_and(|result| result.is_err()));
        assert_eq!(store.verify_audit(&home.log(), None).unwrap().sealed, 0);
        dies.store(false, Ordering::Relaxed);
        put(&store, "K").unwrap();
        let first = store.verify_audit(&home.log(), None).unwrap().sealed;
        dies.store(true, Ordering::Relaxed);
        for _ in 0..3 {
            let cut = catch_unwind(AssertUnwindSafe(|| put(&store, "L")));
            assert!(cut.is_err() || cut.is_ok_and(|result| result.is_err()));
            let report = store.verify_audit(&home.log(), None).unwrap();
            assert_eq!(report.sealed, first);
        }
        dies.store(false, Ordering::Relaxed);
        put(&store, "L").unwrap();
        let report = store.verify_audit(&home.log(), None).unwrap();
        assert_eq!(report.sealed, report.lines);
        let outcome = match death {
            Death::Killed => None,
            Death::Failed => Some(AuditOutcome::Failed),
            Death::Silent => Some(AuditOutcome::Unknown),
        };
        let other = |line: &&AuditLine| line.outcome != AuditOutcome::Ok;
        let others: Vec<_> = home
            .lines()
            .iter()
            .filter(other)
            .map(|it| it.outcome)
            .collect();
        assert_eq!(others, outcome.map_or(Vec::new(), |it| vec![it; 4]));
    }
}
