//! redb's file, with locks that time out instead of blocking for ever.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redb::backends::FileBackend;
use redb::{BackendError, DatabaseError, StorageBackend};

use mcplexer_durable::{FileId, made_durable, operation_done, wait_for};

/// A [`FileBackend`] that fails with [`NoPatience`] if a lock is not released in time.
#[derive(Debug)]
pub(super) struct PatientFile {
    file: FileBackend,
    patience: Patience,
    id: FileId,
}

/// How long to wait for a lock. It can change while a file is open.
#[derive(Debug, Clone)]
pub(super) struct Patience(Arc<Mutex<Duration>>);

impl Patience {
    pub(super) fn new(patience: Duration) -> Self {
        Self(Arc::new(Mutex::new(patience)))
    }

    pub(super) fn set(&self, patience: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = patience;
    }

    fn get(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lock was not released in time.
#[derive(Debug, thiserror::Error)]
#[error("a lock on the file is held by another program")]
pub(super) struct NoPatience;

impl PatientFile {
    pub(super) fn new(file: File, patience: Patience) -> Result<Self, DatabaseError> {
        let id = FileId::of(&file);
        let file = FileBackend::new(file)?;
        Ok(Self { file, patience, id })
    }

    fn wait(&self, lock: impl Fn() -> Result<bool, BackendError>) -> Result<(), BackendError> {
        let attempt = || lock().map(|locked| locked.then_some(()));
        wait_for(self.patience.get(), attempt)?
            .ok_or_else(|| BackendError::Other(NoPatience.into()))
    }
}

impl StorageBackend for PatientFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len).inspect(|()| operation_done())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data().inspect(|()| made_durable(self.id))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write(offset, data).inspect(|()| operation_done())
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.wait(|| self.file.try_lock_range(start, end))
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.wait(|| self.file.try_lock_shared_range(start, end))
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
