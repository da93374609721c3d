//! Reads and changes records through redb's transactions.

use std::cell::Cell;
use std::fs::File;
use std::io::ErrorKind;
use std::ops::{Bound, ControlFlow};
use std::path::PathBuf;

use mcplexer_durable::Temporary;
use redb::{
    Database, ReadTransaction, ReadableTable, TableDefinition, TableError, WriteTransaction,
};

use super::cause::Cause;
use super::last_put::LastPut;
use super::line::Place;
use super::{RedbBackend, drop_quietly};
use crate::backend::queue::Turn;
use crate::backend::{
    BackendError, BackendErrorKind, Commit, EachRecord, Range, Snapshot, Successor, Table,
    Transaction,
};

const fn definition(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.name())
}

/// A transaction that has just begun.
pub(super) struct Begun {
    pub(super) transaction: WriteTransaction,
    pub(super) is_first: bool,
    pub(super) new_file: Option<NewFile>,
    /// Ends when the others have ended.
    pub(super) place: Option<Place>,
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
    fn publish(self, is_named: &Cell<bool>) -> Result<Commit, Cause> {
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
        is_named.set(true);
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
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        let Some(transaction) = &self.transaction else {
            return Ok(vec![None; places.len()]);
        };
        self.backend.run("read", || {
            get_many(places, |table| {
                existing(transaction.open_table(definition(table)))
            })
        })
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        let Some(transaction) = &self.transaction else {
            return Ok(());
        };
        self.backend.run("read", || {
            existing(transaction.open_table(definition(range.table)))?
                .map_or(Ok(()), |table| scan(&table, range, each))
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
    begun: Option<Begun>,
    last_put: Option<LastPut>,
    /// Ends with the transaction.
    _turn: Turn<'a>,
}

impl<'a> RedbTransaction<'a> {
    pub(super) fn new(backend: &'a RedbBackend, begun: Begun, turn: Turn<'a>) -> Self {
        Self {
            backend,
            begun: Some(begun),
            last_put: None,
            _turn: turn,
        }
    }

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
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        self.run("read", |transaction| {
            get_many(places, |table| {
                Ok(Some(transaction.open_table(definition(table))?))
            })
        })
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        self.run("read", |transaction| {
            scan(
                &transaction.open_table(definition(range.table))?,
                range,
                each,
            )
        })
    }
}

impl Transaction for RedbTransaction<'_> {
    fn is_first(&self) -> bool {
        self.begun.as_ref().is_some_and(|begun| begun.is_first)
    }

    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Result<(), BackendError> {
        let before = self.run("write", |transaction| {
            let mut table = transaction.open_table(definition(table))?;
            let before = table.insert(key, record)?;
            Ok(before.map(|it| it.value().to_vec()))
        })?;
        self.last_put = Some(LastPut::new(table, key, record, before));
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), BackendError> {
        self.run("write", |transaction| {
            let mut table = transaction.open_table(definition(table))?;
            table.remove(key)?;
            Ok(())
        })
    }

    fn delete_prefix(&mut self, of: Table, prefix: &[u8]) -> Result<(), BackendError> {
        self.run("write", |transaction| {
            let mut table = transaction.open_table(definition(of))?;
            let mut keys = Vec::new();
            scan(
                &table,
                Range::prefix(of, prefix),
                &mut |key: &[u8], _: &[u8]| {
                    keys.push(key.to_vec());
                    ControlFlow::Continue(())
                },
            )?;
            for key in keys {
                table.remove(key.as_slice())?;
            }
            Ok(())
        })
    }

    fn commit(mut self: Box<Self>) -> Result<Commit, BackendError> {
        let begun = self.begun.take();
        // What is written to a new file is certainly not there before the file has its name.
        let is_named = Cell::new(begun.as_ref().is_some_and(|it| it.new_file.is_none()));
        let committed = self.backend.run("write", || {
            let begun = begun.ok_or(Cause::WouldBlock)?;
            begun.transaction.commit()?;
            match begun.new_file {
                Some(file) => file.publish(&is_named),
                None => Ok(Commit::Applied),
            }
        });
        match (committed, self.last_put.take()) {
            // The last write may have failed, after which the change is in the file.
            (Err(error), Some(last))
                if is_named.get() && error.kind() != BackendErrorKind::Busy =>
            {
                Ok(Commit::Unknown(last.name(), error))
            }
            (committed, _) => committed,
        }
    }
}

impl Successor for RedbTransaction<'_> {
    /// Does nothing: a new file has a temporary name, and its pages are written with the commit.
    fn keep(&mut self) -> Result<(), BackendError> {
        Ok(())
    }
}

/// Deletes every record.
pub(super) fn clear(transaction: &WriteTransaction) -> Result<(), Cause> {
    for table in Table::ALL {
        transaction.delete_table(definition(table))?;
    }
    Ok(())
}

/// Opens each table once.
fn get_many<T>(
    places: &[(Table, &[u8])],
    open: impl Fn(Table) -> Result<Option<T>, Cause>,
) -> Result<Vec<Option<Vec<u8>>>, Cause>
where
    T: ReadableTable<&'static [u8], &'static [u8]>,
{
    let mut found = vec![None; places.len()];
    for wanted in Table::ALL {
        let mut table = None;
        for ((of, key), found) in places.iter().zip(&mut found) {
            if *of != wanted {
                continue;
            }
            if table.is_none() {
                table = open(wanted)?;
            }
            if let Some(table) = &table {
                *found = table.get(key)?.map(|record| record.value().to_vec());
            }
        }
    }
    Ok(found)
}

fn scan<T>(table: &T, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), Cause>
where
    T: ReadableTable<&'static [u8], &'static [u8]>,
{
    let from = match range.after {
        Some(after) if after >= range.prefix => Bound::Excluded(after),
        _ => Bound::Included(range.prefix),
    };
    for entry in table.range::<&[u8]>((from, Bound::Unbounded))? {
        let (key, record) = entry?;
        if !key.value().starts_with(range.prefix) || each(key.value(), record.value()).is_break() {
            break;
        }
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
