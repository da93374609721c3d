//! A backend that fails on demand.

use std::sync::{Arc, Mutex, MutexGuard};

use arbitrary::Arbitrary;
use mcplexer_secrets::backend::{
    Backend, BackendError, BackendErrorKind, Commit, CommitId, EachRecord, Range, RedbBackend,
    Replacement, Snapshot, Successor, Table, Transaction,
};

/// A fault, and the number of calls before it occurs.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub(crate) struct Fault {
    calls: u8,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Arbitrary)]
enum Kind {
    /// The call fails and has no effect.
    Fails,
    /// The call fails as busy and has no effect.
    Busy,
    /// The next commit finds that another writer was faster.
    Conflict,
    /// The next commit is applied, its answer is lost, and nobody finds out.
    Unknown,
}

/// The faults that an operation has met.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Met {
    /// Any fault.
    pub(crate) any: bool,
    /// A commit that was applied, and whose answer was lost.
    pub(crate) unknown: bool,
}

#[derive(Debug, Default)]
struct Faults {
    armed: Vec<Fault>,
    met: Met,
}

/// Records in redb, shared by its clones. An armed fault occurs once.
#[derive(Debug, Clone)]
pub(crate) struct Faulty {
    inner: Arc<RedbBackend>,
    faults: Arc<Mutex<Faults>>,
}

impl Faulty {
    pub(crate) fn new(inner: RedbBackend) -> Self {
        Self {
            inner: Arc::new(inner),
            faults: Arc::default(),
        }
    }

    pub(crate) fn arm(&self, fault: Fault) {
        self.faults().armed.push(fault);
    }

    /// Returns the faults met since the last call, and disarms the remaining ones.
    pub(crate) fn disarm(&self) -> Met {
        std::mem::take(&mut *self.faults()).met
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().expect("no panic before")
    }

    /// Counts a call that is not a commit.
    fn call(&self) -> Result<(), BackendError> {
        match self.due(false) {
            Some(Kind::Busy) => Err(failure(BackendErrorKind::Busy)),
            Some(_) => Err(failure(BackendErrorKind::Other)),
            None => Ok(()),
        }
    }

    /// Returns the fault due with this call. A fault that only a commit can meet waits for one.
    fn due(&self, commit: bool) -> Option<Kind> {
        let mut faults = self.faults();
        let waits = |kind| matches!(kind, Kind::Conflict | Kind::Unknown) && !commit;
        let is_due = |it: &Fault| it.calls == 0 && !waits(it.kind);
        let due = faults.armed.iter().position(is_due);
        for it in &mut faults.armed {
            it.calls = it.calls.saturating_sub(1);
        }
        let kind = faults.armed.remove(due?).kind;
        faults.met.any = true;
        faults.met.unknown |= kind == Kind::Unknown;
        Some(kind)
    }
}

fn failure(kind: BackendErrorKind) -> BackendError {
    BackendError::new(kind, "injected")
}

struct FaultySnapshot<'a> {
    inner: Box<dyn Snapshot + 'a>,
    backend: &'a Faulty,
}

struct FaultyTransaction<'a, T: ?Sized> {
    inner: Box<T>,
    backend: &'a Faulty,
}

impl Backend for Faulty {
    fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError> {
        self.call()?;
        let inner = self.inner.read()?;
        Ok(inner.map(|inner| -> Box<dyn Snapshot> {
            let backend = self;
            Box::new(FaultySnapshot { inner, backend })
        }))
    }

    fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError> {
        self.call()?;
        let (inner, backend) = (self.inner.write()?, self);
        Ok(Box::new(FaultyTransaction { inner, backend }))
    }

    fn replace(&self) -> Result<Replacement<'_>, BackendError> {
        self.call()?;
        let Replacement { old, new } = self.inner.replace()?;
        let backend = self;
        Ok(Replacement {
            old: old
                .map(|inner| -> Box<dyn Snapshot> { Box::new(FaultySnapshot { inner, backend }) }),
            new: Box::new(FaultyTransaction {
                inner: new,
                backend,
            }),
        })
    }

    fn settle(&self, _commit: &CommitId) -> Result<bool, BackendError> {
        Err(failure(BackendErrorKind::Other))
    }
}

impl Snapshot for FaultySnapshot<'_> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        self.backend.call()?;
        self.inner.get_many(places)
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        self.backend.call()?;
        self.inner.scan(range, each)
    }
}

impl<T: Transaction + ?Sized> Snapshot for FaultyTransaction<'_, T> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        self.backend.call()?;
        self.inner.get_many(places)
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        self.backend.call()?;
        self.inner.scan(range, each)
    }
}

impl<T: Transaction + ?Sized> Transaction for FaultyTransaction<'_, T> {
    fn is_first(&self) -> bool {
        self.inner.is_first()
    }

    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Result<(), BackendError> {
        self.backend.call()?;
        self.inner.put(table, key, record)
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), BackendError> {
        self.backend.call()?;
        self.inner.delete(table, key)
    }

    fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Result<(), BackendError> {
        self.backend.call()?;
        self.inner.delete_prefix(table, prefix)
    }

    fn commit(self: Box<Self>) -> Result<Commit, BackendError> {
        match self.backend.due(true) {
            None => self.inner.commit(),
            Some(Kind::Fails) => Err(failure(BackendErrorKind::Other)),
            Some(Kind::Busy) => Err(failure(BackendErrorKind::Busy)),
            Some(Kind::Conflict) => Ok(Commit::Conflict),
            Some(Kind::Unknown) => {
                let _applied = self.inner.commit()?;
                let error = failure(BackendErrorKind::Unreachable);
                Ok(Commit::Unknown(CommitId::new([]), error))
            }
        }
    }
}

impl<T: Successor + ?Sized> Successor for FaultyTransaction<'_, T> {
    fn keep(&mut self) -> Result<(), BackendError> {
        self.backend.call()?;
        self.inner.keep()
    }

    fn clear(&mut self) -> Result<(), BackendError> {
        self.backend.call()?;
        self.inner.clear()
    }
}
