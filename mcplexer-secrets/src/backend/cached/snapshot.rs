//! A state that is read from the server, or from the copy.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::file::{Copy, Update};
use super::image::{Image, Place};
use super::remote::{Asked, Remote};
use super::seen::Seen;
use super::{CachedBackend, Copied, timestamp};
use crate::backend::{BackendError, BackendErrorKind, EachRecord, Range, Snapshot, Table};
use crate::record::Digest;

/// How many records are read again at once. Those that have come are kept, if the others take too long.
const AT_ONCE: usize = 512;

/// Where a state is read.
pub(super) enum Source<'a> {
    /// From the server, since there is no copy.
    Direct(Box<dyn Snapshot + 'a>),
    /// From the server, as long as that answers.
    Remote(Remote),
    /// From the copy, for this reason.
    Copy(Arc<BackendError>),
}

/// When a snapshot began, and which copy there was then.
pub(super) struct Began {
    at: SystemTime,
    digest: Option<Digest>,
    /// The revision that the server had told.
    revision: Option<u64>,
}

impl Began {
    pub(super) fn now(copy: Option<&Copy>, revision: Option<u64>) -> Self {
        Self {
            at: SystemTime::now(),
            digest: copy.map(|it| it.digest),
            revision,
        }
    }
}

/// A state. What is read of it is put into the copy when it is dropped.
pub(super) struct CachedSnapshot<'a> {
    from: &'a CachedBackend,
    source: RefCell<Source<'a>>,
    copy: Option<Copy>,
    began: Began,
    seen: RefCell<Seen>,
    /// Whether the server has answered.
    has_read: Cell<bool>,
}

impl<'a> CachedSnapshot<'a> {
    pub(super) fn new(
        from: &'a CachedBackend,
        source: Source<'a>,
        copy: Option<Copy>,
        began: Began,
    ) -> Self {
        Self {
            from,
            source: RefCell::new(source),
            copy,
            began,
            seen: RefCell::default(),
            has_read: Cell::new(false),
        }
    }

    /// The copy, if it is of the state that the server has shown, or that has shown nothing.
    fn same_state(&self) -> Option<&Image> {
        let image = &*self.copy.as_ref()?.image;
        let is_same = !self.has_read.get() || self.seen.borrow().header() == Some(image.header());
        is_same.then_some(image)
    }

    /// Asks the server. From then on the copy is read, if the server does not answer and the copy is of the same state.
    ///
    /// Waits as long as it takes unless the copy `has_it`. Returns `None` if the copy is read.
    fn ask<T>(
        &self,
        has_it: impl FnOnce(&Image) -> bool,
        ask: impl FnOnce(&Remote, bool) -> Asked<T>,
        direct: impl FnOnce(&dyn Snapshot) -> Result<T, BackendError>,
    ) -> Result<Option<T>, BackendError> {
        let since = Instant::now();
        // What a scan passes may read on.
        let answer = match &*self.source.borrow() {
            Source::Copy(_) => return Ok(None),
            Source::Direct(snapshot) => Asked::Answered(direct(&**snapshot)),
            Source::Remote(remote) => ask(remote, self.same_state().is_some_and(has_it)),
        };
        let why = match answer {
            Asked::Answered(Ok(found)) => {
                self.has_read.set(true);
                return Ok(Some(found));
            }
            Asked::Answered(Err(error)) => error,
            Asked::Silent => self.from.silent(),
        };
        if why.kind() != BackendErrorKind::Unreachable || self.same_state().is_none() {
            return Err(why);
        }
        match self.source.try_borrow_mut() {
            Ok(mut source) => {
                *source = Source::Copy(self.from.is_away(since, why));
                Ok(None)
            }
            Err(_) => Err(why),
        }
    }

    /// The copy, and why it is read.
    fn copy_read(&self) -> Result<(&Image, Arc<BackendError>), BackendError> {
        match (&*self.source.borrow(), &self.copy) {
            (Source::Copy(why), Some(copy)) => Ok((&copy.image, Arc::clone(why))),
            _ => Err(self.from.silent()),
        }
    }

    /// Reads again what the copy has of another state. The rest is for the next read, if not everything can be read.
    fn again(&self, image: &Image, seen: &Seen) -> Seen {
        let (places, ranges) = image.unseen(seen);
        let mut again = Seen::default();
        let _left = self.read_again(&places, &ranges, &mut again);
        again
    }

    fn read_again(
        &self,
        places: &[Place],
        ranges: &[Place],
        again: &mut Seen,
    ) -> Result<(), BackendError> {
        let gone = || self.from.silent();
        for places in places.chunks(AT_ONCE) {
            let wanted: Vec<_> = places.iter().map(|(table, key)| (*table, &**key)).collect();
            let found = match &*self.source.borrow() {
                Source::Copy(_) => return Err(gone()),
                Source::Direct(snapshot) => snapshot.get_many(&wanted)?,
                Source::Remote(remote) => {
                    match remote.get_many(&wanted, Some(self.from.patience)) {
                        Asked::Answered(found) => found?,
                        Asked::Silent => return Err(gone()),
                    }
                }
            };
            for ((table, key), record) in wanted.into_iter().zip(&found) {
                again.add(table, key, record.as_deref());
            }
        }
        for (table, prefix) in ranges {
            let range = Range::prefix(*table, prefix);
            let mut each = |key: &[u8], record: &[u8]| {
                again.add(*table, key, Some(record));
                ControlFlow::Continue(())
            };
            match &*self.source.borrow() {
                Source::Copy(_) => return Err(gone()),
                Source::Direct(snapshot) => snapshot.scan(range, &mut each)?,
                Source::Remote(remote) => {
                    match remote.scan(range, Some(self.from.patience), &mut each) {
                        Asked::Answered(scanned) => scanned?,
                        Asked::Silent => return Err(gone()),
                    }
                }
            }
            again.add_range(range);
        }
        Ok(())
    }

    /// Puts what was read into the copy.
    fn keep(&self) {
        let seen = self.seen.take();
        // Without its header, nothing says which state it was.
        let Some(header) = seen.header().map(<[u8]>::to_vec) else {
            return;
        };
        let file = &self.from.file;
        let began = &self.began;
        self.from.has_read(&header, began.revision);
        let now = file.load();
        let next = match now.as_ref().map(|it| &it.image) {
            Some(image) => {
                let again = self.again(image, &seen);
                if image.header() == header && again.is_empty() && image.has(&seen) {
                    file.confirm(began.at, now.as_ref(), &header);
                    return;
                }
                image.renewed(again, seen)
            }
            None => Image::of_seen(seen),
        };
        let Some(next) = next else {
            return;
        };
        file.update(began.at, |copy| {
            let digest = copy.map(|it| it.digest);
            let is_unchanged = digest == now.as_ref().map(|it| it.digest);
            match copy {
                _ if is_unchanged && digest == began.digest => Update::Replace(Box::new(next)),
                // Somebody has changed it since this snapshot began, and may know of a later state.
                Some(copy) if is_unchanged && copy.image.header() == header => {
                    Update::Replace(Box::new(next))
                }
                Some(copy) if is_later(&header, copy.image.header()) => {
                    Update::Replace(Box::new(next))
                }
                _ => Update::Keep,
            }
        });
    }
}

/// Whether a state is a later one of the same store than another.
pub(super) fn is_later(one: &[u8], other: &[u8]) -> bool {
    match (Image::revision(one), Image::revision(other)) {
        (Some((store, generation, revision)), Some((of, other_generation, other_revision))) => {
            store == of && (generation, revision) > (other_generation, other_revision)
        }
        _ => false,
    }
}

impl Snapshot for CachedSnapshot<'_> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        let patience = self.from.patience;
        let found = self.ask(
            |image| image.get_many(places).is_some(),
            |remote, has_it| remote.get_many(places, has_it.then_some(patience)),
            |snapshot| snapshot.get_many(places),
        )?;
        if let Some(found) = found {
            let mut seen = self.seen.borrow_mut();
            for ((table, key), record) in places.iter().zip(&found) {
                seen.add(*table, key, record.as_deref());
            }
            return Ok(found);
        }
        let (image, why) = self.copy_read()?;
        image.get_many(places).ok_or_else(|| lacks(why))
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        let patience = self.from.patience;
        let (mut has_passed, mut was_left) = (false, false);
        let mut passing = |key: &[u8], record: &[u8]| {
            has_passed = true;
            self.seen.borrow_mut().add(range.table, key, Some(record));
            let flow = each(key, record);
            was_left = flow == ControlFlow::Break(());
            flow
        };
        let passing = RefCell::new(&mut passing as &mut EachRecord<'_>);
        let scanned = self.ask(
            |image| image.covers(range.table, range.prefix),
            |remote, has_it| {
                let patience = has_it.then_some(patience);
                remote.scan(range, patience, &mut **passing.borrow_mut())
            },
            |snapshot| snapshot.scan(range, &mut **passing.borrow_mut()),
        )?;
        if scanned.is_some() {
            if !was_left {
                self.seen.borrow_mut().add_range(range);
            }
            return Ok(());
        }
        let (image, why) = self.copy_read()?;
        // What was passed cannot be taken back, and may be passed once only.
        if has_passed || !image.covers(range.table, range.prefix) {
            return Err(lacks(why));
        }
        image.scan(range, each);
        Ok(())
    }

    fn copied(&self) -> Option<Copied> {
        let (_, why) = self.copy_read().ok()?;
        let at = timestamp(self.copy.as_ref()?.at);
        Some(Copied { at, why })
    }
}

/// The error for what the copy does not have.
fn lacks(why: Arc<BackendError>) -> BackendError {
    BackendError::because(why, ", and the copy of it here does not have this")
}

impl Drop for CachedSnapshot<'_> {
    fn drop(&mut self) {
        self.keep();
    }
}
