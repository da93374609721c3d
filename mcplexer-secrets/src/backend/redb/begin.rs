//! How a write begins: in an existing file, in a new one, or in a replacement.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use redb::{Database, ReadTransaction, ReadableDatabase, TransactionError, WriteTransaction};

use super::cause::Cause;
use super::line::{Place, pause_after};
use super::transaction::{self, Begun, Lock, NewFile};
use super::{Handle, RedbBackend};
use crate::backend::patient::PatientFile;
use mcplexer_durable::{Temporary, is_still_at, wait_for_lock};

impl RedbBackend {
    /// Begins to write once those are done that came before, at the latest at `until`.
    pub(super) fn begin_write(&self, until: Instant) -> Result<Begun, Cause> {
        loop {
            let begun = match &self.path {
                None => self.begin_in_line(None, until)?,
                Some(path) => match self.file_to_write(path)? {
                    Some(file) => self.begin_in_line(Some((path, &file)), until)?,
                    // That begins nothing if another process has created the file meanwhile.
                    None => self.begin_first_write(until)?,
                },
            };
            if let Some(begun) = begun {
                return Ok(begun);
            }
        }
    }

    /// Waits until no other writer, in this process or another, is in a transaction, and for those that came before.
    /// `None` if the file was replaced meanwhile.
    fn begin_in_line(
        &self,
        file: Option<(&Path, &File)>,
        until: Instant,
    ) -> Result<Option<Begun>, Cause> {
        let came = Instant::now();
        let mut place = file.and_then(|(_, file)| Place::take(file));
        loop {
            let is_last_look = Instant::now() >= until;
            if place.as_mut().is_none_or(Place::may_begin) || is_last_look {
                if file.is_some_and(|(path, file)| !is_still_at(file, path)) {
                    return Ok(None);
                }
                if let Some(transaction) = self.try_begin_write()? {
                    let is_first = file.is_none() && transaction.list_tables()?.next().is_none();
                    return Ok(Some(Begun {
                        transaction,
                        is_first,
                        new_file: None,
                        place,
                    }));
                }
            }
            if is_last_look {
                return Err(Cause::WouldBlock);
            }
            let pause = place.as_ref().map(Place::pause);
            thread::sleep(pause.unwrap_or_else(|| pause_after(came.elapsed())));
        }
    }

    /// Begins to write now, unless another writer is in a transaction.
    fn try_begin_write(&self) -> Result<Option<WriteTransaction>, Cause> {
        let database = match self.writer_now() {
            Ok(Some(database)) => database,
            Ok(None) => return Ok(None),
            Err(cause) if cause.is_busy() => return Ok(None),
            Err(cause) => return Err(cause),
        };
        match database.try_begin_write() {
            // The previous writer may have replaced the file.
            Ok(transaction) if self.is_current(&database) => Ok(Some(transaction)),
            Ok(_) | Err(TransactionError::WouldBlock) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Begins to write a file that does not exist yet. It has a temporary name until it holds a
    /// first state, so that a crash cannot leave a file without one. The directory is locked
    /// meanwhile. `None` if the file exists once the lock is acquired.
    fn begin_first_write(&self, until: Instant) -> Result<Option<Begun>, Cause> {
        let Some(path) = &self.path else {
            return Err(Cause::WouldBlock);
        };
        mcplexer_durable::create_parent(path)?;
        let directory = File::open(mcplexer_durable::directory_of(path))?;
        let patience = until.saturating_duration_since(Instant::now());
        wait_for_lock(&directory, patience)?.ok_or(Cause::WouldBlock)?;
        if path.exists() {
            return Ok(None);
        }
        // A new file never takes the place of one.
        if path.is_symlink() {
            let dangling = "it is a symbolic link to a file that does not exist";
            return Err(io::Error::new(io::ErrorKind::NotFound, dangling).into());
        }
        if self.closes_directory {
            mcplexer_durable::close_directory(&directory)?;
        }
        let file = Temporary::beside(path)?;
        let backend = PatientFile::new(file.reopen()?, self.patience())?;
        let database = self.builder().create_with_backend(backend)?;
        Ok(Some(Begun {
            transaction: database.begin_write()?,
            is_first: true,
            new_file: Some(NewFile {
                file,
                database,
                path: path.clone(),
                lock: Lock::Directory(directory),
            }),
            place: None,
        }))
    }

    /// Begins to write a state that shares nothing with the current one, and returns the current
    /// one for reading. In memory, the tables are emptied. On disk, a new file is written, under a
    /// temporary name until it is complete, so that none of its pages ever held anything of the old
    /// one.
    pub(super) fn begin_replace(
        &self,
        until: Instant,
    ) -> Result<(Option<ReadTransaction>, Begun), Cause> {
        let begun = self.begin_write(until)?;
        if begun.is_first {
            return Ok((None, begun));
        }
        let Begun {
            transaction, place, ..
        } = begun;
        let database = self.writer_now()?.ok_or(Cause::WouldBlock)?;
        let old = database.begin_read()?;
        let Some(path) = &self.path else {
            transaction::clear(&transaction)?;
            let begun = Begun {
                transaction,
                is_first: false,
                new_file: None,
                place,
            };
            return Ok((Some(old), begun));
        };
        // Keeps a symbolic link to the store intact.
        let path = path.canonicalize()?;
        mcplexer_durable::remove_temporaries_beside(&path)?;
        let file = Temporary::beside(&path)?;
        let backend = PatientFile::new(file.reopen()?, self.patience())?;
        let database = self.builder().create_with_backend(backend)?;
        let begun = Begun {
            transaction: database.begin_write()?,
            is_first: false,
            new_file: Some(NewFile {
                file,
                database,
                path,
                lock: Lock::Replaced(Box::new(transaction)),
            }),
            place,
        };
        Ok((Some(old), begun))
    }

    /// Returns whether `database` is still the open one, its file not replaced.
    fn is_current(&self, database: &Arc<Database>) -> bool {
        let open = self.current();
        match open.as_ref().map(|open| &open.handle) {
            Some(Handle::Writer(current)) => Arc::ptr_eq(current, database),
            Some(Handle::Reader(_)) | None => false,
        }
    }
}
