//! What a commit has room for, where the engine limits it, and changes that are cut into several commits.

use std::collections::BTreeMap;
use std::ops;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Error;
use crate::backend::{
    BackendError, BackendErrorKind, Commit, EachRecord, Limits, Range, Snapshot, Table, Transaction,
};

/// The most operations that storing a new secret is expected to take: its record, and a part of the page that lists it.
const OPERATIONS_EACH: usize = 2;
/// What a record has beside its value, about: its key, what is said about it, and its line in a page.
pub(super) const BYTES_EACH: usize = 512;
/// What the header may grow by after it was measured: the seal of a line in the log, and its proof.
const HEADER_GROWS: usize = 1024;

/// What is left of a commit's limits.
#[derive(Clone)]
pub(super) struct Room {
    limits: Limits,
    used: Arc<Mutex<Used>>,
}

/// What a change has so far.
#[derive(Default)]
struct Used {
    /// How many bytes each of them puts.
    places: BTreeMap<(Table, Vec<u8>), usize>,
    prefixes: usize,
    bytes: usize,
}

impl Room {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            used: Arc::default(),
        }
    }

    /// Whether there are no limits.
    pub(super) fn is_endless(&self) -> bool {
        self.limits == Limits::NONE
    }

    /// Fails unless so much more fits.
    pub(super) fn require(&self, operations: usize, bytes: usize) -> Result<(), BackendError> {
        if self.is_endless() {
            return Ok(());
        }
        self.check(&self.used(), operations, bytes)
    }

    /// Fails unless the header, which has this length now, fits.
    pub(super) fn require_header(&self, len: usize) -> Result<(), BackendError> {
        self.require(1, len + HEADER_GROWS)
    }

    fn check(&self, used: &Used, operations: usize, bytes: usize) -> Result<(), BackendError> {
        let fits = |limit: Option<usize>, used: usize, more| {
            limit.is_none_or(|it| used.saturating_add(more) <= it)
        };
        let counted = used.places.len() + used.prefixes;
        match fits(self.limits.operations, counted, operations)
            && fits(self.limits.bytes, used.bytes, bytes)
        {
            true => Ok(()),
            false => Err(too_large(self.limits)),
        }
    }

    fn add_place(&self, table: Table, key: &[u8], bytes: usize) -> Result<(), BackendError> {
        if self.is_endless() {
            return Ok(());
        }
        let mut used = self.used();
        let place = (table, key.to_vec());
        let before = used.places.get(&place).copied();
        let more = bytes.saturating_sub(before.unwrap_or(0));
        self.check(&used, usize::from(before.is_none()), more)?;
        used.bytes = used.bytes - before.unwrap_or(0) + bytes;
        used.places.insert(place, bytes);
        Ok(())
    }

    fn add_prefix(&self) -> Result<(), BackendError> {
        self.require(1, 0)?;
        self.used().prefixes += 1;
        Ok(())
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_large(limits: Limits) -> BackendError {
    let most = match (limits.operations, limits.bytes) {
        (Some(records), Some(bytes)) => format!("{records} records and {bytes} bytes"),
        (Some(records), None) => format!("{records} records"),
        (None, bytes) => format!("{} bytes", bytes.unwrap_or(usize::MAX)),
    };
    let message = format!("the change is too large: one commit of this store has at most {most}");
    BackendError::new(BackendErrorKind::TooLarge, message)
}

/// Whether a change was refused because it is larger than a commit may be.
pub(super) fn is_too_large(error: &Error) -> bool {
    matches!(error, Error::Backend(error) if error.kind() == BackendErrorKind::TooLarge)
}

/// A transaction that refuses what its engine cannot commit at once.
pub(super) struct Bounded<T> {
    inner: T,
    room: Room,
}

impl<T> Bounded<T> {
    pub(super) fn new(inner: T, room: Room) -> Self {
        Self { inner, room }
    }
}

impl<T: Snapshot> Snapshot for Bounded<T> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        self.inner.get_many(places)
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        self.inner.scan(range, each)
    }
}

impl<'t> Transaction for Bounded<Box<dyn Transaction + 't>> {
    fn is_first(&self) -> bool {
        self.inner.is_first()
    }

    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Result<(), BackendError> {
        self.room.add_place(table, key, key.len() + record.len())?;
        self.inner.put(table, key, record)
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), BackendError> {
        self.room.add_place(table, key, 0)?;
        self.inner.delete(table, key)
    }

    fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Result<(), BackendError> {
        self.room.add_prefix()?;
        self.inner.delete_prefix(table, prefix)
    }

    fn commit(self: Box<Self>) -> Result<Commit, BackendError> {
        self.inner.commit()
    }
}

/// Makes a change in as few commits as the limits allow. Each item of it puts a value of about so many bytes, as `sizes` says.
/// `commit` makes the change for a range of them. If that is too large, it is called again for half of it.
///
/// # Errors
/// That of `commit`, which is too large only for a single item; as [`Error::PartlyMade`] if something was committed before.
pub(super) fn in_parts(
    limits: Limits,
    sizes: &[usize],
    mut commit: impl FnMut(ops::Range<usize>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut most = limits
        .operations
        .map_or(usize::MAX, |it| (it / OPERATIONS_EACH).max(1));
    let mut from = 0;
    loop {
        let to = from + fitting(limits, sizes.get(from..).unwrap_or_default(), most);
        match commit(from..to) {
            Ok(()) if to >= sizes.len() => return Ok(()),
            Ok(()) => from = to,
            Err(error) if is_too_large(&error) && to - from > 1 => most = (to - from) / 2,
            Err(error) if from == 0 => return Err(error),
            Err(error) => {
                return Err(Error::PartlyMade {
                    source: Box::new(error),
                });
            }
        }
    }
}

/// How many of the next items to try: at least one, if there is one.
fn fitting(limits: Limits, sizes: &[usize], most: usize) -> usize {
    let mut left = limits.bytes.unwrap_or(usize::MAX);
    let fit = sizes.iter().take(most).take_while(|size| {
        let needed = size.saturating_add(BYTES_EACH);
        let fits = needed <= left;
        left = left.saturating_sub(needed);
        fits
    });
    fit.count().max(1).min(sizes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(limits: Limits, sizes: &[usize], largest: usize) -> Result<Vec<usize>, Error> {
        let mut parts = Vec::new();
        in_parts(limits, sizes, |part| {
            if part.len() > largest {
                return Err(too_large(limits).into());
            }
            assert_eq!(part.start, parts.iter().sum::<usize>());
            parts.push(part.len());
            Ok(())
        })?;
        Ok(parts)
    }

    #[test]
    fn without_limits_a_change_is_one_commit() {
        assert_eq!(parts(Limits::NONE, &[1; 5000], 5000).unwrap(), [5000]);
        assert_eq!(parts(Limits::NONE, &[], 1).unwrap(), [0]);
    }

    #[test]
    fn what_is_put_again_counts_once() {
        let room = Room::new(Limits::new(Some(2), Some(10)));
        for bytes in [3, 9, 2, 8] {
            room.add_place(Table::Meta, b"k", bytes).unwrap();
        }
        room.require(1, 2).unwrap();
        for (operations, bytes) in [(2, 0), (1, 3)] {
            let refused = room.require(operations, bytes).unwrap_err();
            assert_eq!(refused.kind(), BackendErrorKind::TooLarge);
        }
        room.add_prefix().unwrap();
        assert!(room.add_prefix().is_err());
    }

    #[test]
    fn a_change_is_cut_by_operations_and_by_bytes_and_again_if_that_was_not_enough() {
        let operations = Limits::new(Some(20), None);
        assert_eq!(parts(operations, &[1; 25], 25).unwrap(), [10, 10, 5]);
        assert_eq!(parts(operations, &[1; 7], 3).unwrap(), [3, 3, 1]);
        let bytes = Limits::new(None, Some(4 * BYTES_EACH));
        let sizes = [BYTES_EACH, BYTES_EACH, BYTES_EACH, 9 * BYTES_EACH, 0];
        assert_eq!(parts(bytes, &sizes, 9).unwrap(), [2, 1, 1, 1]);
        let refused = parts(bytes, &sizes, 0).unwrap_err();
        assert!(is_too_large(&refused));
        assert!(refused.to_string().ends_with("at most 2048 bytes"));
    }
}
