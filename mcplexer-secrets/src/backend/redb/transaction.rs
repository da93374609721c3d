//! Reads and changes records through redb's transactions.

use std::fs::File;
use std::io::ErrorKind;
use std::path::PathBuf;

use mcplexer_durable::Temporary;
use redb::{
    Database, ReadTransaction, ReadableTable, TableDefinition, TableError, WriteTransaction,
};

use super::cause::Cause;
use super::{RedbBackend, drop_quietly};
use crate::backend::{BackendError, Commit, Snapshot, Table, Transaction};

const fn definition(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.name())
}

/// A transaction that has just begun.
pub(super) struct Begun {
    pub(super) transaction: WriteTransaction,
    pub(super) is_first: bool,
    pub(super) new_file: Option<NewFile>,
}

/// A file under a temporary name.
pub(super) struct NewFile {
    pub(super) file: Temporary,
    pub(super) database: Database,
    /// Its final name.
    pub(super) path: PathBuf,
    pub(super) lock: Lock,
}

/// Keeps other writers out until a new file has its final name.
#[expect(dead_code, reason = "what is in it is held, not used")]
pub(super) enum Lock {
    /// No file exists yet: the directory is locked.
    Directory(File),
    /// A file exists: its writer's lock, held by a transaction that changes nothing.
    Replaced(Box<WriteTransaction>),
}

impl NewFile {
    /// Gives the file its final name, unless another process created a store first.
    fn publish(self) -> Result<Commit, Cause> {
        self.database.close()?;
        self.file.sync()?;
        let path = &self.path;
        match &self.lock {
            Lock::Directory(_) => match self.file.persist_new(path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    return Ok(Commit::Conflict);
                }
                result => result?,
            },
            Lock::Replaced(_) => self.file.persist(path)?,
        }
        mcplexer_durable::sync_parent(path)?;
        Ok(Commit::Applied)
    }
}

pub(super) struct RedbSnapshot<'a> {
    pub(super) backend: &'a RedbBackend,
    /// `None` only while this is dropped.
    pub(super) transaction: Option<ReadTransaction>,
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

pub(super) struct RedbTransaction<'a> {
    pub(super) backend: &'a RedbBackend,
    /// `None` after the commit.
    pub(super) begun: Option<Begun>,
}

impl RedbTransaction<'_> {
    fn run<T>(
        &self,
        verb: &'static str,
        work: impl FnOnce(&WriteTransaction) -> Result<T, Cause>,
    ) -> Result<T, BackendError> {
        self.backend.run(verb, || {
            work(&self.begun.as_ref().ok_or(Cause::WouldBlock)?.transaction)
        })
    }
}

impl Drop for RedbTransaction<'_> {
    fn drop(&mut self) {
        drop_quietly(self.begun.take());
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
    fn is_first(&self) -> bool {
        self.begun.as_ref().is_some_and(|begun| begun.is_first)
    }

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
        let begun = self.begun.take();
        self.backend.run("write", || {
            let begun = begun.ok_or(Cause::WouldBlock)?;
            begun.transaction.commit()?;
            begun.new_file.map_or(Ok(Commit::Applied), NewFile::publish)
        })
    }
}

/// Deletes every record.
pub(super) fn clear(transaction: &WriteTransaction) -> Result<(), Cause> {
    for table in Table::ALL {
        transaction.delete_table(definition(table))?;
    }
    Ok(())
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

/// Returns a table, or `None` if nothing was ever stored in it.
fn existing<T>(table: Result<T, TableError>) -> Result<Option<T>, Cause> {
    match table {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
