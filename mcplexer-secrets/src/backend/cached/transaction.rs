//! A change, which the copy follows.

use std::cell::{Cell, RefCell};
use std::time::SystemTime;

use super::file::{Copy, CopyFile, Update};
use super::image::{Change, Image, MAX_BYTES};
use super::snapshot::is_later;
use crate::backend::{
    BackendError, Commit, EachRecord, Range, Snapshot, Successor, Table, Transaction,
};
use crate::record::HEADER_KEY;

/// A change that is made on the server.
pub(super) struct CachedTransaction<'a, T: ?Sized> {
    inner: Box<T>,
    file: &'a CopyFile,
    /// The header that it found.
    before: RefCell<Option<Vec<u8>>>,
    header: Option<Vec<u8>>,
    changes: Vec<Change>,
    bytes: usize,
    /// Whether the copy cannot follow, because so much is changed.
    is_bulk: Cell<bool>,
}

impl<'a, T: Transaction + ?Sized> CachedTransaction<'a, T> {
    pub(super) fn change(inner: Box<T>, file: &'a CopyFile) -> Self {
        Self {
            inner,
            file,
            before: RefCell::default(),
            header: None,
            changes: Vec::new(),
            bytes: 0,
            is_bulk: Cell::new(false),
        }
    }

    /// A change that replaces everything.
    pub(super) fn replacement(inner: Box<T>, file: &'a CopyFile) -> Self {
        let transaction = Self::change(inner, file);
        transaction.is_bulk.set(true);
        transaction
    }

    fn push(&mut self, change: Change) {
        self.bytes += match &change {
            Change::Put((_, key), record) => key.len() + record.len(),
            Change::Delete((_, key)) | Change::DeletePrefix((_, key)) => key.len(),
        };
        if self.bytes > MAX_BYTES {
            self.is_bulk.set(true);
        }
        if self.is_bulk.get() {
            self.changes.clear();
        } else {
            self.changes.push(change);
        }
    }
}

/// What the copy becomes with a commit from the state `before`, if that was read, to one with this header.
fn followed(
    copy: Option<&Copy>,
    before: Option<&[u8]>,
    header: Option<Vec<u8>>,
    changes: Vec<Change>,
    is_bulk: bool,
) -> Update {
    let Some(header) = header else {
        return Update::Discard;
    };
    let image = copy.map(|it| &*it.image);
    let mut image = match image {
        Some(image) if image.header() == header || is_later(image.header(), &header) => {
            return Update::Keep;
        }
        Some(image) if Some(image.header()) == before && !is_bulk => image.clone(),
        // A copy that knows the state, if nothing else of it: another process does not take an earlier state for a new
        // one then. The next read gets the rest.
        Some(image) => image.outdated(Vec::new()),
        None => Image::of(Vec::new()),
    };
    let place = (Table::Meta, HEADER_KEY.to_vec());
    let changes = match is_bulk {
        true => vec![Change::Put(place, header.clone())],
        false => changes,
    };
    image.follow(header, changes);
    Update::Replace(Box::new(image))
}

impl<T: Transaction + ?Sized> Snapshot for CachedTransaction<'_, T> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        let found = self.inner.get_many(places)?;
        if self.header.is_none() {
            let mut read = places.iter().zip(&found);
            let header = read.find(|(place, _)| **place == (Table::Meta, HEADER_KEY));
            if let Some((_, header)) = header {
                self.before.replace(header.clone());
            }
        }
        Ok(found)
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        self.inner.scan(range, each)
    }
}

impl<T: Transaction + ?Sized> Transaction for CachedTransaction<'_, T> {
    fn is_first(&self) -> bool {
        self.inner.is_first()
    }

    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Result<(), BackendError> {
        self.inner.put(table, key, record)?;
        if (table, key) == (Table::Meta, HEADER_KEY) {
            self.header = Some(record.to_vec());
        }
        self.push(Change::Put((table, key.to_vec()), record.to_vec()));
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), BackendError> {
        self.inner.delete(table, key)?;
        self.push(Change::Delete((table, key.to_vec())));
        Ok(())
    }

    fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Result<(), BackendError> {
        self.inner.delete_prefix(table, prefix)?;
        self.push(Change::DeletePrefix((table, prefix.to_vec())));
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<Commit, BackendError> {
        let Self {
            inner,
            file,
            before,
            header,
            changes,
            is_bulk,
            ..
        } = *self;
        let commit = inner.commit()?;
        // An unknown outcome is settled later.
        if matches!(commit, Commit::Applied) {
            let before = before.into_inner();
            file.update(SystemTime::now(), |copy| {
                followed(copy, before.as_deref(), header, changes, is_bulk.get())
            });
        }
        Ok(commit)
    }
}

impl<T: Successor + ?Sized> Successor for CachedTransaction<'_, T> {
    fn keep(&mut self) -> Result<(), BackendError> {
        self.inner.keep()
    }
}
