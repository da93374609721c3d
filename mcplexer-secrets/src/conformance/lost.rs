//! A backend whose answers to commits are lost, as over a network that fails.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::backend::{
    Backend, BackendError, BackendErrorKind, Commit, CommitId, EachRecord, Limits, Range,
    Replacement, Snapshot, Successor, Table, Transaction,
};

/// Whether it can be found out later what became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Later {
    Answers,
    NeverAnswers,
}

/// Of three commits the first is answered, the second is lost on the way there, and the third on the way back.
#[derive(Debug)]
pub(super) struct LosesAnswers<B> {
    inner: B,
    later: Later,
    commits: AtomicU64,
    /// Commits that were not answered, and whether they were applied.
    lost: Mutex<HashMap<Vec<u8>, bool>>,
}

struct Losing<'a, B, T: ?Sized> {
    inner: Box<T>,
    from: &'a LosesAnswers<B>,
}

impl<B> LosesAnswers<B> {
    pub(super) fn new(inner: B, later: Later) -> Self {
        Self {
            inner,
            later,
            commits: AtomicU64::new(0),
            lost: Mutex::default(),
        }
    }

    fn lose(&self, number: u64, applied: bool) -> Commit {
        let id = number.to_be_bytes().to_vec();
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.insert(id.clone(), applied);
        let kind = BackendErrorKind::Unreachable;
        let error = BackendError::new(kind, "the answer was lost");
        Commit::Unknown(CommitId::new(id), error)
    }
}

impl<B: Backend> Backend for LosesAnswers<B> {
    fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError> {
        self.inner.read()
    }

    fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError> {
        let inner = self.inner.write()?;
        Ok(Box::new(Losing { inner, from: self }))
    }

    fn replace(&self) -> Result<Replacement<'_>, BackendError> {
        let Replacement { old, new } = self.inner.replace()?;
        let new = Box::new(Losing {
            inner: new,
            from: self,
        });
        Ok(Replacement { old, new })
    }

    fn settle(&self, commit: &CommitId) -> Result<bool, BackendError> {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        match (self.later, lost.get(commit.as_bytes())) {
            (Later::Answers, Some(applied)) => Ok(*applied),
            (Later::Answers, None) => self.inner.settle(commit),
            (Later::NeverAnswers, _) => {
                let kind = BackendErrorKind::Other;
                Err(BackendError::new(kind, "nobody knows"))
            }
        }
    }

    fn limits(&self) -> Limits {
        self.inner.limits()
    }
}

impl<B: Backend, T: Transaction + ?Sized> Snapshot for Losing<'_, B, T> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        self.inner.get_many(places)
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        self.inner.scan(range, each)
    }
}

impl<B: Backend, T: Transaction + ?Sized> Transaction for Losing<'_, B, T> {
    fn is_first(&self) -> bool {
        self.inner.is_first()
    }

    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Result<(), BackendError> {
        self.inner.put(table, key, record)
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), BackendError> {
        self.inner.delete(table, key)
    }

    fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Result<(), BackendError> {
        self.inner.delete_prefix(table, prefix)
    }

    fn commit(self: Box<Self>) -> Result<Commit, BackendError> {
        let number = self.from.commits.fetch_add(1, Ordering::Relaxed);
        match number % 3 {
            0 => self.inner.commit(),
            1 => Ok(self.from.lose(number, false)),
            _ => match self.inner.commit()? {
                Commit::Applied => Ok(self.from.lose(number, true)),
                other => Ok(other),
            },
        }
    }
}

impl<B: Backend, T: Successor + ?Sized> Successor for Losing<'_, B, T> {
    fn keep(&mut self) -> Result<(), BackendError> {
        self.inner.keep()
    }

    fn clear(&mut self) -> Result<(), BackendError> {
        self.inner.clear()
    }
}
