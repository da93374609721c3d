//! How a write begins: in an existing file, in a new one, or in a replacement.

use std::fs::File;
use std::sync::Arc;

use redb::{Database, ReadTransaction, ReadableDatabase, TransactionError};

use super::cause::Cause;
use super::transaction::{self, Begun, Lock, NewFile};
use super::{Handle, RedbBackend, multi_writer};
use crate::backend::patient::PatientFile;
use mcplexer_durable::{Temporary, wait_for, wait_for_lock};

impl RedbBackend {
    pub(super) fn begin_write(&self) -> Result<Begun, Cause> {
        let Some(database) = self.writer()? else {
            return match self.begin_first_write()? {
                Some(begun) => Ok(begun),
                // Another process has created it meanwhile.
                None => self.begin_write(),
            };
        };
        // Waits until no other writer, in this process or another, is in a transaction.
        let begun = wait_for(self.patience, || match database.try_begin_write() {
            Ok(transaction) => Ok(Some(transaction)),
            Err(TransactionError::WouldBlock) => Ok(None),
            Err(error) => Err(error),
        });
        let transaction = begun?.ok_or(Cause::WouldBlock)?;
        // The previous writer may have replaced the file.
        if !self.is_current(&database) {
            drop(transaction);
            return self.begin_write();
        }
        let is_first = self.path.is_none() && transaction.list_tables()?.next().is_none();
        Ok(Begun {
            transaction,
            is_first,
            new_file: None,
        })
    }

    /// Begins to write a file that does not exist yet. It has a temporary name until it holds a
    /// first state, so that a crash cannot leave a file without one. The directory is locked
    /// meanwhile. `None` if the file exists once the lock is acquired.
    fn begin_first_write(&self) -> Result<Option<Begun>, Cause> {
        let Some(path) = &self.path else {
            return Err(Cause::WouldBlock);
        };
        mcplexer_durable::create_parent(path)?;
        let directory = File::open(mcplexer_durable::directory_of(path))?;
        wait_for_lock(&directory, self.patience)?.ok_or(Cause::WouldBlock)?;
        if path.exists() {
            return Ok(None);
        }
        if self.closes_directory {
            mcplexer_durable::close_directory(&directory)?;
        }
        let file = Temporary::beside(path)?;
        let backend = PatientFile::new(file.reopen()?, self.patience)?;
        let database = multi_writer().create_with_backend(backend)?;
        Ok(Some(Begun {
            transaction: database.begin_write()?,
            is_first: true,
            new_file: Some(NewFile {
                file,
                database,
                path: path.clone(),
                lock: Lock::Directory(directory),
            }),
        }))
    }

    /// Begins to write a state that shares nothing with the current one, and returns the current
    /// one for reading. In memory, the tables are emptied. On disk, a new file is written, under a
    /// temporary name until it is complete, so that none of its pages ever held anything of the old
    /// one.
    pub(super) fn begin_replace(&self) -> Result<(Option<ReadTransaction>, Begun), Cause> {
        let begun = self.begin_write()?;
        if begun.is_first {
            return Ok((None, begun));
        }
        let Begun { transaction, .. } = begun;
        let database = self.writer()?.ok_or(Cause::WouldBlock)?;
        let old = database.begin_read()?;
        let Some(path) = &self.path else {
            transaction::clear(&transaction)?;
            let begun = Begun {
                transaction,
                is_first: false,
                new_file: None,
            };
            return Ok((Some(old), begun));
        };
        // Keeps a symbolic link to the store intact.
        let path = path.canonicalize()?;
        mcplexer_durable::remove_temporaries_beside(&path)?;
        let file = Temporary::beside(&path)?;
        let backend = PatientFile::new(file.reopen()?, self.patience)?;
        let database = multi_writer().create_with_backend(backend)?;
        let begun = Begun {
            transaction: database.begin_write()?,
            is_first: false,
            new_file: Some(NewFile {
                file,
                database,
                path,
                lock: Lock::Replaced(Box::new(transaction)),
            }),
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
