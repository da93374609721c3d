//! A backend that fails at a commit, calls back at each, and checks that none is larger than its limits.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mcplexer_secrets::backend::{
    Backend, BackendError, BackendErrorKind, Commit, CommitId, EachRecord, Limits, Range,
    RedbBackend, Replacement, Snapshot, Table, Transaction,
};

/// Where a commit fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failing {
    /// Before anything is applied.
    Before,
    /// After everything is applied, as when a program is killed there.
    After,
}

/// A record that a commit puts, as a callback sees it.
type Put = (Table, Vec<u8>, Vec<u8>);
type OnRead = Box<dyn FnOnce() + Send>;
type OnCommit = Box<dyn FnMut(&[Put]) + Send>;
type Change = Box<dyn Fn(Table, &[u8], &[u8]) -> Vec<u8> + Send + Sync>;

/// Shares what it wraps with its clones.
#[derive(Clone)]
pub(crate) struct Observed(Arc<Inner>);

struct Inner {
    backend: RedbBackend,
    limits: Limits,
    commits: AtomicUsize,
    /// The commit that fails, counted from 0.
    failing: Mutex<Option<(usize, Failing)>>,
    on_commit: Mutex<Option<OnCommit>>,
    on_read: Mutex<Option<OnRead>>,
    /// What a record becomes that is put.
    change: Option<Change>,
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observed")
    }
}

impl Observed {
    pub(crate) fn new() -> Self {
        Self::limited(Limits::NONE)
    }

    pub(crate) fn limited(limits: Limits) -> Self {
        Self::of(limits, None)
    }

    /// Puts other records than those that it is given.
    pub(crate) fn changing(
        change: impl Fn(Table, &[u8], &[u8]) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Self::of(Limits::NONE, Some(Box::new(change)))
    }

    fn of(limits: Limits, change: Option<Change>) -> Self {
        Self(Arc::new(Inner {
            backend: RedbBackend::in_memory().unwrap(),
            limits,
            commits: AtomicUsize::new(0),
            failing: Mutex::new(None),
            on_commit: Mutex::new(None),
            on_read: Mutex::new(None),
            change,
        }))
    }

    /// How many commits were begun.
    pub(crate) fn commits(&self) -> usize {
        self.0.commits.load(Ordering::SeqCst)
    }

    /// Lets one commit fail, counted from now.
    pub(crate) fn fail_at(&self, commit: usize, failing: Failing) {
        *self.0.failing.lock().unwrap() = Some((self.commits() + commit, failing));
    }

    pub(crate) fn fail_never(&self) {
        *self.0.failing.lock().unwrap() = None;
    }

    /// Calls back before each commit, with what it puts.
    pub(crate) fn on_commit(&self, call: impl FnMut(&[Put]) + Send + 'static) {
        *self.0.on_commit.lock().unwrap() = Some(Box::new(call));
    }

    /// Calls back once, before the next read.
    pub(crate) fn on_read(&self, call: impl FnOnce() + Send + 'static) {
        *self.0.on_read.lock().unwrap() = Some(Box::new(call));
    }

    /// Every record there.
    pub(crate) fn records(&self) -> Vec<Put> {
        let mut records = Vec::new();
        let Some(snapshot) = self.read().unwrap() else {
            return records;
        };
        for table in Table::ALL {
            let all = Range::all(table);
            snapshot
                .try_scan::<BackendError>(all, |key, record| {
                    records.push((table, key.to_vec(), record.to_vec()));
                    Ok(())
                })
                .unwrap();
        }
        records
    }

    /// Changes the records behind the store's back.
    pub(crate) fn tamper(&self, work: impl FnOnce(&mut dyn Transaction)) {
        let mut transaction = self.0.backend.write().unwrap();
        work(&mut *transaction);
        let _applied = transaction.commit().unwrap();
    }
}

impl Backend for Observed {
    fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError> {
        let call = self.0.on_read.lock().unwrap().take();
        if let Some(call) = call {
            call();
        }
        self.0.backend.read()
    }

    fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError> {
        Ok(Box::new(Observing {
            inner: self.0.backend.write()?,
            of: self,
            puts: Vec::new(),
            deleted: 0,
        }))
    }

    fn replace(&self) -> Result<Replacement<'_>, BackendError> {
        self.0.backend.replace()
    }

    fn settle(&self, commit: &CommitId) -> Result<bool, BackendError> {
        self.0.backend.settle(commit)
    }

    fn limits(&self) -> Limits {
        self.0.limits
    }
}

/// A change that is observed.
struct Observing<'a> {
    inner: Box<dyn Transaction + 'a>,
    of: &'a Observed,
    puts: Vec<Put>,
    deleted: usize,
}

impl Snapshot for Observing<'_> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        self.inner.get_many(places)
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        self.inner.scan(range, each)
    }
}

impl Transaction for Observing<'_> {
    fn is_first(&self) -> bool {
        self.inner.is_first()
    }

    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Result<(), BackendError> {
        let record = match &self.of.0.change {
            Some(change) => change(table, key, record),
            None => record.to_vec(),
        };
        self.inner.put(table, key, &record)?;
        self.puts.push((table, key.to_vec(), record));
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), BackendError> {
        self.deleted += 1;
        self.inner.delete(table, key)
    }

    fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Result<(), BackendError> {
        self.deleted += 1;
        self.inner.delete_prefix(table, prefix)
    }

    fn commit(self: Box<Self>) -> Result<Commit, BackendError> {
        let Inner {
            limits,
            commits,
            failing,
            on_commit,
            ..
        } = &*self.of.0;
        let operations = self.puts.len() + self.deleted;
        let bytes = self.puts.iter().map(|(_, key, it)| key.len() + it.len());
        assert!(limits.operations.is_none_or(|most| operations <= most));
        assert!(limits.bytes.is_none_or(|most| bytes.sum::<usize>() <= most));
        // The callback may use the backend itself.
        let call = on_commit.lock().unwrap().take();
        if let Some(mut call) = call {
            call(&self.puts);
            on_commit.lock().unwrap().get_or_insert(call);
        }
        let number = commits.fetch_add(1, Ordering::SeqCst);
        let failed = || BackendError::new(BackendErrorKind::Other, "killed");
        let how = *failing.lock().unwrap();
        let how = how.filter(|(at, _)| *at == number).map(|(_, how)| how);
        if how == Some(Failing::Before) {
            return Err(failed());
        }
        let commit = self.inner.commit()?;
        match how {
            Some(_) => Err(failed()),
            None => Ok(commit),
        }
    }
}
