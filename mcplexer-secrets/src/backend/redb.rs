//! Records in a redb file, or in redb in memory.
//!
//! The file is opened in [`ConcurrencyMode::MultiWriter`], so that several processes can share it.
//! It is opened read-only until the first write, so that a program that only reads needs no write
//! access.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, ReadOnlyDatabase, ReadTransaction,
    ReadableDatabase,
};

use self::cause::{Cause, failure, place};
use self::last_put::LastPut;
use self::transaction::{RedbSnapshot, RedbTransaction};
use super::patient::{Patience, PatientFile};
use super::queue::{Queue, Turn};
use super::{
    Backend, BackendError, BackendErrorKind, CommitId, Replacement, Snapshot, Transaction,
};
use crate::StoreOptions;
use crate::panics::catch;
use mcplexer_durable::operation_done;

mod begin;
mod cause;
mod last_put;
mod line;
mod transaction;

/// A [`Backend`] on redb.
pub struct RedbBackend {
    /// `None` if the records are in memory.
    path: Option<PathBuf>,
    options: StoreOptions,
    /// Whether the first commit closes the directory to others.
    closes_directory: bool,
    open: Mutex<Option<Open>>,
    /// The writers that use this handle.
    writers: Queue,
}

/// The open database and its file.
struct Open {
    handle: Handle,
    /// `None` if the records are in memory.
    file: Option<File>,
}

/// A database in memory is always a writer; a file's becomes one with its first write.
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
    /// Uses the file at `path`. The first commit creates it with mode 0600, and its directory, if
    /// missing, with mode 0700.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            path: Some(path.into()),
            options: StoreOptions::default(),
            closes_directory: false,
            open: Mutex::new(None),
            writers: Queue::default(),
        }
    }

    /// Sets how long to wait for other programs before failing with [`BackendErrorKind::Busy`], and how many bytes of the
    /// file to keep in memory.
    #[must_use]
    pub fn with_options(mut self, options: &StoreOptions) -> Self {
        self.options = options.clone();
        self
    }

    /// Lets the first commit, which creates the file, also close its directory to other users. Without this,
    /// a directory that exists keeps its mode.
    #[must_use]
    pub fn with_private_directory(mut self) -> Self {
        self.closes_directory = true;
        self
    }

    /// Keeps the records in memory until this is dropped.
    ///
    /// # Errors
    /// [`BackendError`] if there is no memory for an empty database.
    pub fn in_memory() -> Result<Self, BackendError> {
        let database = Builder::new()
            .create_with_backend(redb::backends::InMemoryBackend::new())
            .map_err(|error| failure(None, "create", Cause::from(error)))?;
        Ok(Self {
            path: None,
            options: StoreOptions::default(),
            closes_directory: false,
            open: Mutex::new(Some(Open {
                handle: Handle::Writer(Arc::new(database)),
                file: None,
            })),
            writers: Queue::default(),
        })
    }

    /// Runs `work` on redb. A full disk, or a panic over a damaged page, may leave the database
    /// handle unusable. So after such a failure a file's handle is dropped, and the next call opens
    /// the file again.
    fn run<T>(
        &self,
        verb: &'static str,
        work: impl FnOnce() -> Result<T, Cause>,
    ) -> Result<T, BackendError> {
        let result = catch(work).unwrap_or(Err(Cause::Panic));
        operation_done();
        result.map_err(|cause| {
            if self.path.is_some() && !matches!(cause, Cause::WouldBlock) {
                drop_quietly(self.lock().take());
            }
            failure(self.path.as_deref(), verb, cause)
        })
    }

    /// Waits until the writers of this handle are done that came before. Returns how long to wait for others, too.
    fn turn(&self) -> Result<(Turn<'_>, Instant), BackendError> {
        let patience = self.options.patience();
        let until = Instant::now() + patience;
        let turn = self.writers.wait(patience);
        let turn = turn.ok_or_else(|| failure(self.path.as_deref(), "open", Cause::WouldBlock))?;
        Ok((turn, until))
    }

    fn builder(&self) -> Builder {
        let mut builder = Builder::new();
        builder.set_concurrency_mode(ConcurrencyMode::MultiWriter);
        builder.set_cache_size(self.options.page_cache());
        builder
    }

    fn patience(&self) -> Patience {
        Patience::new(self.options.patience())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what is open, unless the file has been replaced meanwhile: a change to a file that
    /// has lost its name would be lost too.
    fn current(&self) -> MutexGuard<'_, Option<Open>> {
        let mut open = self.lock();
        if let (
            Some(Open {
                file: Some(file), ..
            }),
            Some(path),
        ) = (open.as_ref(), &self.path)
            && !mcplexer_durable::is_still_at(file, path)
        {
            *open = None;
        }
        open
    }

    /// Begins a read, opening the database if necessary; `None` if it does not exist yet.
    fn begin_read(&self) -> Result<Option<ReadTransaction>, Cause> {
        let mut open = self.current();
        if open.is_none()
            && let Some(path) = &self.path
        {
            *open = self.open_to_read(path)?;
        }
        Ok(match open.as_ref().map(|open| &open.handle) {
            Some(Handle::Reader(database)) => Some(database.begin_read()?),
            Some(Handle::Writer(database)) => Some(database.begin_read()?),
            None => None,
        })
    }

    /// Opens the file for reading; `None` if it does not exist.
    fn open_to_read(&self, path: &Path) -> Result<Option<Open>, Cause> {
        let how = OpenOptions::new().read(true).clone();
        let Some((backend, file)) = self.open_file(path, &how, &self.patience())? else {
            return Ok(None);
        };
        match self.builder().open_read_only_with_backend(backend) {
            Ok(database) => Ok(Some(Open {
                handle: Handle::Reader(database),
                file: Some(file),
            })),
            // A writer was killed. Opening the file for writing once repairs it.
            Err(DatabaseError::RepairAborted) => self.open_to_write(path, &self.patience()),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the file for writing; `None` if it does not exist.
    fn open_to_write(&self, path: &Path, patience: &Patience) -> Result<Option<Open>, Cause> {
        let Some((backend, file)) = self.open_file(path, &to_write(), patience)? else {
            return Ok(None);
        };
        let database = self.builder().create_with_backend(backend)?;
        Ok(Some(Open {
            handle: Handle::Writer(Arc::new(database)),
            file: Some(file),
        }))
    }

    /// Opens the file for redb, and a second time to recognize it if another file takes its name.
    fn open_file(
        &self,
        path: &Path,
        how: &OpenOptions,
        patience: &Patience,
    ) -> Result<Option<(PatientFile, File)>, Cause> {
        let Some(file) = mcplexer_durable::open_regular(path, how)? else {
            return Ok(None);
        };
        // A store exists only from its first commit on, but redb would initialize an empty file.
        if file.metadata()?.len() == 0 {
            return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
        }
        let same = file.try_clone()?;
        Ok(Some((PatientFile::new(file, patience.clone())?, same)))
    }

    /// Returns the file to write; `None` if it does not exist.
    fn file_to_write(&self, path: &Path) -> Result<Option<File>, Cause> {
        if let Some(Open {
            handle: Handle::Writer(_),
            file: Some(file),
            ..
        }) = &*self.current()
        {
            return Ok(Some(file.try_clone()?));
        }
        Ok(mcplexer_durable::open_regular(path, &to_write())?)
    }

    /// Returns the database, open for writing; `None` if its file does not exist. Does not wait for locks.
    fn writer_now(&self) -> Result<Option<Arc<Database>>, Cause> {
        let mut open = self.current();
        let is_writer = |open: &Open| matches!(open.handle, Handle::Writer(_));
        if let (false, Some(path)) = (open.as_ref().is_some_and(is_writer), &self.path) {
            let impatient = Patience::new(Duration::ZERO);
            *open = self.open_to_write(path, &impatient)?;
            impatient.set(self.options.patience());
        }
        Ok(match open.as_ref().map(|open| &open.handle) {
            Some(Handle::Writer(database)) => Some(Arc::clone(database)),
            Some(Handle::Reader(_)) | None => None,
        })
    }
}

impl Drop for RedbBackend {
    fn drop(&mut self) {
        drop_quietly(self.lock().take());
    }
}

/// Drops one of redb's values and catches the panic that a damaged file can cause even here.
fn drop_quietly<T>(value: T) {
    let _panicked = catch(|| drop(value));
}

fn to_write() -> OpenOptions {
    OpenOptions::new().read(true).write(true).clone()
}

impl Backend for RedbBackend {
    fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError> {
        let transaction = self.run("open", || {
            let Some(transaction) = self.begin_read()? else {
                return Ok(None);
            };
            let nothing = self.path.is_none() && transaction.list_tables()?.next().is_none();
            Ok((!nothing).then_some(transaction))
        })?;
        Ok(transaction.map(|transaction| {
            Box::new(RedbSnapshot {
                backend: self,
                transaction: Some(transaction),
            }) as Box<dyn Snapshot>
        }))
    }

    fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError> {
        let (turn, until) = self.turn()?;
        let begun = self.run("open", || self.begin_write(until))?;
        Ok(Box::new(RedbTransaction::new(self, begun, turn)))
    }

    fn replace(&self) -> Result<Replacement<'_>, BackendError> {
        let (turn, until) = self.turn()?;
        let (old, begun) = self.run("open", || self.begin_replace(until))?;
        let old = old.map(|transaction| {
            Box::new(RedbSnapshot {
                backend: self,
                transaction: Some(transaction),
            }) as Box<dyn Snapshot>
        });
        let new = Box::new(RedbTransaction::new(self, begun, turn));
        Ok(Replacement { old, new })
    }

    /// A commit that failed left nothing running that could still apply it. So reading is enough.
    fn settle(&self, commit: &CommitId) -> Result<bool, BackendError> {
        let undecided = || {
            let place = place(self.path.as_deref());
            let message = format!("{place} was changed by another program meanwhile");
            BackendError::new(BackendErrorKind::Other, message)
        };
        let last = LastPut::named(commit).ok_or_else(undecided)?;
        let now = match self.read()? {
            Some(snapshot) => last.read(&*snapshot)?,
            None => None,
        };
        last.was_applied(now.as_deref()).ok_or_else(undecided)
    }

    /// Verifies the checksum of every page. This needs a handle of its own, which waits for
    /// writers.
    fn check(&self) -> Result<(), BackendError> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        self.run("check", || {
            let Some((backend, _)) = self.open_file(path, &to_write(), &self.patience())? else {
                return Ok(());
            };
            let mut database = self.builder().create_with_backend(backend)?;
            match database.check_integrity()? {
                true => Ok(()),
                false => Err(Cause::Panic),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Commit, Table};

    #[test]
    fn a_file_is_cached_as_far_as_the_option_allows() {
        let directory = tempfile::tempdir().unwrap();
        let cached = |bytes: usize| {
            let path = directory.path().join(bytes.to_string());
            let options = StoreOptions::default().with_page_cache(bytes);
            let backend = RedbBackend::file(path).with_options(&options);
            // The first commit, which creates the file, and one to the file.
            for _ in 0..2 {
                let mut transaction = backend.write().unwrap();
                transaction.put(Table::Meta, b"k", &[0; 9000]).unwrap();
                assert!(matches!(transaction.commit().unwrap(), Commit::Applied));
            }
            let snapshot = backend.read().unwrap().unwrap();
            assert!(snapshot.get(Table::Meta, b"k").unwrap().is_some());
            drop(snapshot);
            let database = backend.writer_now().ok().flatten().unwrap();
            database.cache_stats().used_bytes()
        };
        assert!(cached(1 << 26) > 9000);
        assert_eq!(cached(0), 0);
    }

    #[test]
    fn no_store_begins_where_a_link_leads_to_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("link");
        std::os::unix::fs::symlink(directory.path().join("gone"), &path).unwrap();
        let backend = RedbBackend::file(&path);
        assert!(backend.read().unwrap().is_none());
        let Err(error) = backend.write() else {
            panic!("begun");
        };
        let error = error_with_causes(&error);
        assert!(error.contains(&*path.to_string_lossy()), "{error}");
        assert!(error.contains("is a symbolic link"), "{error}");
    }

    fn error_with_causes(error: &dyn std::error::Error) -> String {
        let cause = error.source().map(error_with_causes);
        format!("{error}: {}", cause.unwrap_or_default())
    }
}
