//! Making the records at two places the same, all but the header.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::target::Target;
use crate::Error;
use crate::backend::{Backend, BackendError, BackendErrorKind, Range, Table};
use crate::error::PlaceHas;
use crate::record::{HEADER_KEY, Header, MOVING_KEY, MoveId};
use crate::store::vault::Vault;

/// How much to hold of each place: so many records, or so many bytes and one record.
const PAGE_RECORDS: usize = 1_000;
const PAGE_BYTES: usize = 1 << 20;
/// How often to put what differs, until it is certain that it does not stay.
const ATTEMPTS: u32 = 3;

/// A key and its record.
type Record = (Vec<u8>, Vec<u8>);

/// Copies records from one place to another.
pub(super) struct Copy<'v> {
    pub(super) from: &'v Vault,
    pub(super) to: Target<'v>,
    /// Tells which store it is.
    pub(super) header: &'v Header,
    /// Tells who copies.
    pub(super) mover: MoveId,
}

/// What one comparison of all records found, and did.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pass {
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) put: u64,
    pub(super) deleted: u64,
}

impl Pass {
    /// What this and a later pass did, and what the later one found.
    pub(super) fn then(&self, later: &Self) -> Self {
        Self {
            put: self.put + later.put,
            deleted: self.deleted + later.deleted,
            ..*later
        }
    }

    fn count(&mut self, key: &[u8], record: &[u8]) {
        self.records += 1;
        self.bytes += (key.len() + record.len()) as u64;
    }
}

impl Copy<'_> {
    /// Compares all records, puts those that are missing or differ, and deletes those that are not here. `alive` is
    /// called with each page of records.
    pub(super) fn pass(&self, alive: &mut dyn FnMut()) -> Result<Pass, Error> {
        let mut pass = Pass::default();
        let mut batch = Batch::of(self);
        for table in Table::ALL {
            let mut here = Pages::of(&*self.from.backend, table);
            let mut there = Pages::of(&*self.to.vault.backend, table);
            loop {
                let order = match (here.first(alive)?, there.first(alive)?) {
                    (None, None) => break,
                    (Some(_), None) => Ordering::Less,
                    (None, Some(_)) => Ordering::Greater,
                    (Some(here), Some(there)) => here.0.cmp(&there.0),
                };
                let there = match order {
                    Ordering::Less => None,
                    Ordering::Equal | Ordering::Greater => there.page.pop_front(),
                };
                let here = match order {
                    Ordering::Greater => None,
                    Ordering::Equal | Ordering::Less => here.page.pop_front(),
                };
                match (here, there) {
                    (Some((key, record)), there) => {
                        pass.count(&key, &record);
                        if there.is_none_or(|(_, there)| there != record) {
                            pass.put += 1;
                            batch.add(table, key, Some(record))?;
                        }
                    }
                    (None, Some((key, _))) => {
                        pass.deleted += 1;
                        batch.add(table, key, None)?;
                    }
                    (None, None) => {}
                }
            }
        }
        batch.flush()?;
        Ok(pass)
    }

    /// Copies until a comparison finds nothing to do.
    pub(super) fn until_equal(&self, alive: &mut dyn FnMut()) -> Result<Pass, Error> {
        let mut done = Pass::default();
        for _ in 0..=ATTEMPTS {
            let pass = self.pass(alive)?;
            done = done.then(&pass);
            if pass.put == 0 && pass.deleted == 0 {
                return Ok(done);
            }
        }
        Err(self.to.error(PlaceHas::OtherRecords))
    }

    /// Counts the records there, and changes nothing.
    pub(super) fn count(&self) -> Result<Pass, Error> {
        let mut pass = Pass::default();
        for table in Table::ALL {
            let mut there = Pages::of(&*self.to.vault.backend, table);
            while there.first(&mut || ())?.is_some() {
                if let Some((key, record)) = there.page.pop_front() {
                    pass.count(&key, &record);
                }
            }
        }
        Ok(pass)
    }
}

/// The records of a table, page by page, without the header and what is in its place. Each page is of the state at the
/// time: no snapshot has to last.
struct Pages<'b> {
    backend: &'b dyn Backend,
    table: Table,
    page: VecDeque<Record>,
    after: Option<Vec<u8>>,
    is_last: bool,
}

impl<'b> Pages<'b> {
    fn of(backend: &'b dyn Backend, table: Table) -> Self {
        Self {
            backend,
            table,
            page: VecDeque::new(),
            after: None,
            is_last: false,
        }
    }

    /// The first record that was not taken from the page, which is read once it is used up.
    fn first(&mut self, alive: &mut dyn FnMut()) -> Result<Option<&Record>, Error> {
        while self.page.is_empty() && !self.is_last {
            alive();
            self.read()?;
        }
        Ok(self.page.front())
    }

    fn read(&mut self) -> Result<(), BackendError> {
        self.is_last = true;
        let Some(snapshot) = self.backend.read()? else {
            return Ok(());
        };
        let (mut count, mut bytes, mut last) = (0, 0, None);
        let all = Range::all(self.table);
        let range = self.after.as_ref().map_or(all, |key| all.after(key));
        snapshot.scan(range, &mut |key, record| {
            count += 1;
            bytes += key.len() + record.len();
            if self.table != Table::Meta || ![HEADER_KEY, MOVING_KEY].contains(&key) {
                self.page.push_back((key.to_vec(), record.to_vec()));
            }
            match count < PAGE_RECORDS && bytes < PAGE_BYTES {
                true => ControlFlow::Continue(()),
                false => {
                    last = Some(key.to_vec());
                    ControlFlow::Break(())
                }
            }
        })?;
        if last.is_some() {
            self.is_last = false;
            self.after = last;
        }
        Ok(())
    }
}

/// A record to put, or to delete.
type Change = (Table, Vec<u8>, Option<Vec<u8>>);

/// Changes that are committed together.
struct Batch<'v> {
    to: Target<'v>,
    header: &'v Header,
    mover: MoveId,
    operations: usize,
    bytes: usize,
    most_bytes: usize,
    changes: Vec<Change>,
}

impl<'v> Batch<'v> {
    fn of(copy: &Copy<'v>) -> Self {
        let limits = copy.to.vault.backend.limits();
        Self {
            to: copy.to,
            header: copy.header,
            mover: copy.mover,
            operations: limits.operations.unwrap_or(PAGE_RECORDS).min(PAGE_RECORDS),
            bytes: 0,
            most_bytes: limits.bytes.unwrap_or(usize::MAX),
            changes: Vec::new(),
        }
    }

    fn add(&mut self, table: Table, key: Vec<u8>, record: Option<Vec<u8>>) -> Result<(), Error> {
        let bytes = key.len() + record.as_ref().map_or(0, Vec::len);
        if bytes > self.most_bytes {
            let message = format!(
                "{} takes records of at most {} bytes, and one has {bytes}",
                self.to.place, self.most_bytes
            );
            return Err(BackendError::new(BackendErrorKind::Other, message).into());
        }
        let is_full = self.changes.len() >= self.operations
            || self.bytes + bytes > self.most_bytes.min(PAGE_BYTES);
        if is_full && !self.changes.is_empty() {
            self.flush()?;
        }
        self.bytes += bytes;
        self.changes.push((table, key, record));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        if self.changes.is_empty() {
            return Ok(());
        }
        self.to.commit(|transaction| {
            self.to
                .require_mover(&*transaction, self.header, self.mover)?;
            for (table, key, record) in &self.changes {
                match record {
                    Some(record) => transaction.put(*table, key, record)?,
                    None => transaction.delete(*table, key)?,
                }
            }
            Ok(())
        })?;
        self.changes.clear();
        self.bytes = 0;
        Ok(())
    }
}
