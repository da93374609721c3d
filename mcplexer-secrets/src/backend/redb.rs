//! Records in a redb file, or in redb over memory.
//!
//! The file is opened in [`ConcurrencyMode::MultiWriter`], so that several processes share it, and
//! read-only until the first write, so that a program that only reads never needs write access.

use std::borrow::Cow;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, ReadOnlyDatabase, ReadTransaction,
    ReadableDatabase, ReadableTable, TableDefinition, TableError, TransactionError,
    WriteTransaction,
};

use super::panics::catch;
use super::patient::{NoPatience, PatientFile};
use super::{Backend, BackendError, BackendErrorKind, Commit, Snapshot, Table, Transaction};
use crate::patience::{PATIENCE, wait_for};
use crate::private;

const fn definition(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.name())
}

/// A [`Backend`] on redb.
pub struct RedbBackend {
    /// `None` is memory.
    path: Option<PathBuf>,
    patience: Duration,
    handle: Mutex<Option<Handle>>,
}

/// The open database. Memory is always a writer; a file becomes one with its first write.
enum Handle {
    Reader(ReadOnlyDatabase),
    Writer(Arc<Database>),
}

impl fmt::Debug for RedbBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedbBackend({})", place(self.path.as_deref()))
    }
}

impl RedbBackend {
    /// Records in the file at `path`. Nothing is opened or made until it is needed; the file is
    /// then made with mode 0600, and its directory, if missing, with mode 0700.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            path: Some(path.into()),
            patience: PATIENCE,
            handle: Mutex::new(None),
        }
    }

    /// The same, but with other programs waited for this long, instead of 30 seconds, until the
    /// answer is [`BackendErrorKind::Busy`].
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Records in memory, gone when this is dropped.
    ///
    /// # Errors
    /// [`BackendError`] if there is no memory for an empty database.
    pub fn in_memory() -> Result<Self, BackendError> {
        let database = Builder::new()
            .create_with_backend(redb::backends::InMemoryBackend::new())
            .map_err(|error| failure(None, "create", Cause::from(error)))?;
        Ok(Self {
            path: None,
            patience: PATIENCE,
            handle: Mutex::new(Some(Handle::Writer(Arc::new(database)))),
        })
    }

    /// Does `work` on redb. After a failure that may have left the database handle unusable, such
    /// as a full disk or a panic over a damaged page, a file's handle is dropped: the next call
    /// opens it anew.
    fn run<T>(
        &self,
        verb: &'static str,
        work: impl FnOnce() -> Result<T, Cause>,
    ) -> Result<T, BackendError> {
        let result = catch(work).unwrap_or(Err(Cause::Panic));
        result.map_err(|cause| {
            if self.path.is_some() && !matches!(cause, Cause::WouldBlock) {
                drop_quietly(self.lock().take());
            }
            failure(self.path.as_deref(), verb, cause)
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Handle>> {
        self.handle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a read on the open database, opening it if need be; `None` if there is none yet.
    fn begin_read(&self) -> Result<Option<ReadTransaction>, Cause> {
        let mut handle = self.lock();
        if handle.is_none()
            && let Some(path) = &self.path
        {
            *handle = self.open_to_read(path)?;
        }
        Ok(match handle.as_ref() {
            Some(Handle::Reader(database)) => Some(database.begin_read()?),
            Some(Handle::Writer(database)) => Some(database.begin_read()?),
            None => None,
        })
    }

    /// Opens an existing file; `None` if there is none, or one that nothing was written to yet.
    fn open_to_read(&self, path: &Path) -> Result<Option<Handle>, Cause> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if file.metadata()?.len() == 0 {
            return Ok(None);
        }
        let file = PatientFile::new(file, self.patience)?;
        match multi_writer().open_read_only_with_backend(file) {
            Ok(database) => Ok(Some(Handle::Reader(database))),
            // A writer was killed. Opening the file for writing once repairs it.
            Err(DatabaseError::RepairAborted) => self.open_to_write(path).map(Some),
            Err(error) => Err(error.into()),
        }
    }

    fn open_to_write(&self, path: &Path) -> Result<Handle, Cause> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let file = PatientFile::new(file, self.patience)?;
        let database = multi_writer().create_with_backend(file)?;
        Ok(Handle::Writer(Arc::new(database)))
    }

    /// Begins a write transaction as soon as no other writer, here or in another process, is in
    /// one.
    fn begin_write(&self) -> Result<WriteTransaction, Cause> {
        let database = self.writer()?;
        let begun = wait_for(self.patience, || match database.try_begin_write() {
            Ok(transaction) => Ok(Some(transaction)),
            Err(TransactionError::WouldBlock) => Ok(None),
            Err(error) => Err(error),
        });
        begun?.ok_or(Cause::WouldBlock)
    }

    /// The database, open for writing.
    fn writer(&self) -> Result<Arc<Database>, Cause> {
        let mut handle = self.lock();
        if let (None | Some(Handle::Reader(_)), Some(path)) = (handle.as_ref(), &self.path) {
            private::create_parent(path)?;
            private::create_file(path)?;
            *handle = Some(self.open_to_write(path)?);
        }
        match handle.as_ref() {
            Some(Handle::Writer(database)) => Ok(Arc::clone(database)),
            // Memory has had its writer from the start.
            Some(Handle::Reader(_)) | None => Err(Cause::WouldBlock),
        }
    }
}

impl Drop for RedbBackend {
    fn drop(&mut self) {
        drop_quietly(self.lock().take());
    }
}

/// Drops what belongs to redb; over a damaged file, even that can panic.
fn drop_quietly<T>(value: T) {
    let _panicked = catch(|| drop(value));
}

fn multi_writer() -> Builder {
    let mut builder = Builder::new();
    builder.set_concurrency_mode(ConcurrencyMode::MultiWriter);
    builder
}

impl Backend for RedbBackend {
    fn read(&self) -> Result<Box<dyn Snapshot + '_>, BackendError> {
        let transaction = self.run("open", || self.begin_read())?;
        Ok(Box::new(RedbSnapshot {
            backend: self,
            transaction,
        }))
    }

    fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError> {
        let transaction = self.run("open", || self.begin_write())?;
        Ok(Box::new(RedbTransaction {
            backend: self,
            transaction: Some(transaction),
        }))
    }
}

struct RedbSnapshot<'a> {
    backend: &'a RedbBackend,
    /// `None` is the empty state of a store that nothing was written to yet.
    transaction: Option<ReadTransaction>,
}

impl Snapshot for RedbSnapshot<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        let Some(transaction) = &self.transaction else {
            return Ok(None);
        };
        self.backend.run("read", || {
            existing(transaction.open_table(definition(table)))?
                .map_or(Ok(None), |table| get(&table, key))
        })
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        each: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<(), BackendError> {
        let Some(transaction) = &self.transaction else {
            return Ok(());
        };
        self.backend.run("read", || {
            existing(transaction.open_table(definition(table)))?
                .map_or(Ok(()), |table| scan(&table, prefix, each))
        })
    }
}

impl Drop for RedbSnapshot<'_> {
    fn drop(&mut self) {
        drop_quietly(self.transaction.take());
    }
}

struct RedbTransaction<'a> {
    backend: &'a RedbBackend,
    /// `None` once it was committed.
    transaction: Option<WriteTransaction>,
}

impl RedbTransaction<'_> {
    fn run<T>(
        &self,
        verb: &'static str,
        work: impl FnOnce(&WriteTransaction) -> Result<T, Cause>,
    ) -> Result<T, BackendError> {
        self.backend.run(verb, || {
            work(self.transaction.as_ref().ok_or(Cause::WouldBlock)?)
        })
    }
}

impl Drop for RedbTransaction<'_> {
    fn drop(&mut self) {
        drop_quietly(self.transaction.take());
    }
}

impl Snapshot for RedbTransaction<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        self.run("read", |transaction| {
            get(&transaction.open_table(definition(table))?, key)
        })
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        each: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<(), BackendError> {
        self.run("read", |transaction| {
            scan(&transaction.open_table(definition(table))?, prefix, each)
        })
    }
}

impl Transaction for RedbTransaction<'_> {
    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Result<(), BackendError> {
        self.run("write", |transaction| {
            let mut table = transaction.open_table(definition(table))?;
            table.insert(key, record)?;
            Ok(())
        })
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), BackendError> {
        self.run("write", |transaction| {
            let mut table = transaction.open_table(definition(table))?;
            table.remove(key)?;
            Ok(())
        })
    }

    fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Result<(), BackendError> {
        self.run("write", |transaction| {
            let mut table = transaction.open_table(definition(table))?;
            let mut keys = Vec::new();
            scan(&table, prefix, &mut |key, _| keys.push(key.to_vec()))?;
            for key in keys {
                table.remove(key.as_slice())?;
            }
            Ok(())
        })
    }

    fn commit(mut self: Box<Self>) -> Result<Commit, BackendError> {
        let transaction = self.transaction.take();
        self.backend.run("write", || {
            transaction.ok_or(Cause::WouldBlock)?.commit()?;
            Ok(Commit::Applied)
        })
    }
}

fn get<T>(table: &T, key: &[u8]) -> Result<Option<Vec<u8>>, Cause>
where
    T: ReadableTable<&'static [u8], &'static [u8]>,
{
    Ok(table.get(key)?.map(|record| record.value().to_vec()))
}

fn scan<T>(table: &T, prefix: &[u8], each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), Cause>
where
    T: ReadableTable<&'static [u8], &'static [u8]>,
{
    for entry in table.range::<&[u8]>(prefix..)? {
        let (key, record) = entry?;
        if !key.value().starts_with(prefix) {
            break;
        }
        each(key.value(), record.value());
    }
    Ok(())
}

/// A table, or `None` if nothing was ever put in it.
fn existing<T>(table: Result<T, TableError>) -> Result<Option<T>, Cause> {
    match table {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Why redb could not do something.
enum Cause {
    /// Another writer does not make way; the handle is as good as before.
    WouldBlock,
    Panic,
    Redb(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for Cause {
    fn from(error: E) -> Self {
        Self::Redb(error.into())
    }
}

/// Where the records are, in words.
fn place(path: Option<&Path>) -> Cow<'_, str> {
    path.map_or("the store in memory".into(), Path::to_string_lossy)
}

/// Puts redb's error into words, with the path it is about.
fn failure(path: Option<&Path>, verb: &str, cause: Cause) -> BackendError {
    use BackendErrorKind::{Busy, Corrupt, Other};
    let place = place(path);
    let busy = || {
        let message = format!("{place} is in use by another program that does not make way");
        BackendError::new(Busy, message)
    };
    let error = match cause {
        Cause::WouldBlock => return busy(),
        Cause::Panic => return BackendError::new(Corrupt, format!("{place} is damaged")),
        Cause::Redb(redb::Error::Backend(error)) if error.is::<NoPatience>() => return busy(),
        Cause::Redb(redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch) => {
            return busy();
        }
        Cause::Redb(error) => error,
    };
    let (kind, message) = match &error {
        redb::Error::Io(io) if io.kind() == ErrorKind::InvalidData => {
            (Corrupt, format!("{place} is not a redb database"))
        }
        redb::Error::Io(io) if io.kind() == ErrorKind::UnexpectedEof => {
            (Corrupt, format!("{place} is damaged: it ends too early"))
        }
        redb::Error::Corrupted(_) => (Corrupt, format!("{place} is damaged")),
        _ => (Other, format!("cannot {verb} {place}")),
    };
    BackendError::new(kind, message).with_source(error)
}
