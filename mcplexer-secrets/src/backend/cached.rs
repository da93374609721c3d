//! A copy of what was read, for when the server cannot be reached.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::{
    Backend, BackendError, BackendErrorKind, CommitId, Limits, Replacement, Snapshot, Transaction,
};
use crate::Timestamp;

mod file;
mod image;
mod remote;
mod seen;
mod snapshot;
mod transaction;
mod wanted;

use self::file::{Copy, CopyFile, Update};
use self::remote::{Asked, Remote};
use self::snapshot::{Began, CachedSnapshot, Source};
use self::transaction::CachedTransaction;

/// How far in the future the time of a copy may be, since clocks differ.
const AHEAD: Duration = Duration::from_secs(300);

/// How long to wait for a server that does not answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A [`Backend`] that keeps a copy of the records that were read, in a file, and answers from it while the server
/// cannot be reached.
///
/// * The server is asked each time. Only if the error is [`BackendErrorKind::Unreachable`], or no answer comes for 5
///   seconds, the copy is used. Such a snapshot says so: [`Snapshot::copied`].
/// * The copy has records of one state, as they are on the server: sealed. It has up to 4096 records and 4 MiB; those go
///   that were used longest ago. Once the state has changed, the first read of the next one reads them all again. What could not be read then is
///   read by a later one.
/// * What the copy does not have is not found in it either: that is the error of the server. So is a scan of a whole
///   table, which is not kept.
/// * Changes need the server. A change that was made here is in the copy as well.
/// * Processes may share the file. It has mode 0600, and is not created where there is no directory for it.
pub struct CachedBackend {
    inner: Arc<dyn Backend>,
    /// What the server is called.
    of: String,
    file: CopyFile,
    max_age: Option<Duration>,
    patience: Duration,
    /// Until when the server is not asked again, and why.
    away: Mutex<Option<(Instant, Arc<BackendError>)>>,
    /// How often the server was not there.
    misses: AtomicU64,
    last: Mutex<Last>,
}

/// The revision that the server told last, and the header that was read since.
#[derive(Debug, Default)]
struct Last {
    revision: Option<u64>,
    header: Option<Vec<u8>>,
}

/// Says that a state is read from a copy.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Copied {
    /// When the copy was last the state of the store, to a minute.
    pub at: Timestamp,
    /// Why the store itself cannot be read.
    pub why: Arc<BackendError>,
}

impl CachedBackend {
    /// Keeps a copy of what is read from `inner` in the file at `path`. `of` says to people which store it is, and tells
    /// the copy from one of another store.
    #[must_use]
    pub fn new(inner: Arc<dyn Backend>, of: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        let of = of.into();
        Self {
            inner,
            file: CopyFile::new(path.into(), of.clone()),
            of,
            max_age: None,
            patience: PATIENCE,
            away: Mutex::default(),
            misses: AtomicU64::new(0),
            last: Mutex::default(),
        }
    }

    /// Returns which store the file at `path` has a copy of, as [`new`](Self::new) was given its name. `None` if there
    /// is no copy, or a damaged one.
    #[must_use]
    pub fn store_of(path: &Path) -> Option<String> {
        file::store_of(path)
    }

    /// Does not use a copy that was last the state of the store longer ago than this.
    #[must_use]
    pub fn with_max_age(mut self, max_age: Option<Duration>) -> Self {
        self.max_age = max_age;
        self
    }

    /// Waits so long for an answer if there is a copy. The default is 5 seconds.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Returns the file with the copy, which need not exist.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Returns when the copy was last the state of the store, and how many records it has; `None` if there is no copy
    /// that can be used.
    #[must_use]
    pub fn copy(&self) -> Option<(Timestamp, u64)> {
        let copy = self.file.load().filter(|it| self.is_usable(it))?;
        Some((timestamp(copy.at), copy.image.count()))
    }

    /// Returns a number that increases each time that the server was not there. What is read between two times with the
    /// same number is what the server has.
    #[must_use]
    pub fn misses(&self) -> u64 {
        self.misses.load(Ordering::Acquire)
    }

    /// Whether a copy is not too old.
    fn is_usable(&self, copy: &Copy) -> bool {
        let Some(max) = self.max_age else {
            return true;
        };
        match SystemTime::now().duration_since(copy.at) {
            Ok(age) => age <= max,
            Err(ahead) => ahead.duration() <= AHEAD,
        }
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the server was at a revision at a time. If it was before a read, and is now, what was read is still
    /// its state.
    fn is_at(&self, revision: Option<u64>, at: SystemTime) {
        let mut last = self.last();
        if revision.is_none() || last.revision != revision {
            *last = Last {
                revision,
                header: None,
            };
            return;
        }
        let header = last.header.clone();
        drop(last);
        if let Some(header) = header {
            self.file.confirm(at, self.file.load().as_ref(), &header);
        }
    }

    /// Notes the header of a state that was read since the server was at a revision.
    fn has_read(&self, header: &[u8], since: Option<u64>) {
        let mut last = self.last();
        if since.is_some() && last.revision == since {
            last.header = Some(header.to_vec());
        }
    }

    /// Why the server is not asked now.
    fn why_away(&self) -> Option<Arc<BackendError>> {
        let away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, why) = away.as_ref()?;
        (Instant::now() < *until).then(|| {
            self.misses.fetch_add(1, Ordering::Release);
            Arc::clone(why)
        })
    }

    /// Remembers that the server could not be reached. If that took long to find out, it is not asked again for as long:
    /// a command reads more than once.
    fn is_away(&self, since: Instant, why: BackendError) -> Arc<BackendError> {
        self.misses.fetch_add(1, Ordering::Release);
        let (why, now) = (Arc::new(why), Instant::now());
        let took = now.saturating_duration_since(since);
        if took >= self.patience / 10 {
            let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
            *away = Some((now + took, Arc::clone(&why)));
        }
        why
    }

    fn silent(&self) -> BackendError {
        let message = format!(
            "cannot read the store on {}: the server does not answer",
            self.of
        );
        BackendError::new(BackendErrorKind::Unreachable, message)
    }

    fn snapshot<'a>(
        &'a self,
        source: Source<'a>,
        copy: Option<Copy>,
        began: Began,
    ) -> Box<dyn Snapshot + 'a> {
        Box::new(CachedSnapshot::new(self, source, copy, began))
    }
}

impl fmt::Debug for CachedBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedBackend")
            .field("inner", &self.inner)
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let micros = since.map_or(0, |it| u64::try_from(it.as_micros()).unwrap_or(u64::MAX));
    Timestamp::from_micros(micros)
}

impl Backend for CachedBackend {
    fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError> {
        let copy = self.file.load();
        let began = Began::now(copy.as_ref(), self.last().revision);
        let copy = copy.filter(|it| self.is_usable(it));
        let remote = match &copy {
            None => None,
            Some(_) => match self.why_away() {
                Some(why) => return Ok(Some(self.snapshot(Source::Copy(why), copy, began))),
                // Without a thread it takes as long as it takes.
                None => Remote::begin(Arc::clone(&self.inner)).ok(),
            },
        };
        let Some(remote) = remote else {
            let snapshot = self.inner.read()?;
            return Ok(snapshot.map(|it| self.snapshot(Source::Direct(it), copy, began)));
        };
        let since = Instant::now();
        let why = match remote.has_state(self.patience) {
            Asked::Answered(Ok(true)) => {
                return Ok(Some(self.snapshot(Source::Remote(remote), copy, began)));
            }
            Asked::Answered(Ok(false)) => return Ok(None),
            Asked::Answered(Err(error)) if error.kind() != BackendErrorKind::Unreachable => {
                return Err(error);
            }
            Asked::Answered(Err(error)) => error,
            Asked::Silent => self.silent(),
        };
        let source = Source::Copy(self.is_away(since, why));
        Ok(Some(self.snapshot(source, copy, began)))
    }

    fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError> {
        let inner = self.inner.write()?;
        Ok(Box::new(CachedTransaction::change(inner, &self.file)))
    }

    fn replace(&self) -> Result<Replacement<'_>, BackendError> {
        let Replacement { old, new } = self.inner.replace()?;
        let new = Box::new(CachedTransaction::replacement(new, &self.file));
        Ok(Replacement { old, new })
    }

    fn settle(&self, commit: &CommitId) -> Result<bool, BackendError> {
        let applied = self.inner.settle(commit)?;
        if applied {
            self.file.update(SystemTime::now(), |_| Update::Discard);
        }
        Ok(applied)
    }

    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    /// Returns `None` while the server cannot be reached: the copy does not tell.
    fn revision(&self) -> Result<Option<u64>, BackendError> {
        if self.why_away().is_some() {
            return Ok(None);
        }
        let (since, at) = (Instant::now(), SystemTime::now());
        let why = match remote::revision(Arc::clone(&self.inner), self.patience) {
            Asked::Answered(Err(error)) if error.kind() == BackendErrorKind::Unreachable => error,
            Asked::Answered(answer) => {
                let revision = answer?;
                self.is_at(revision, at);
                return Ok(revision);
            }
            Asked::Silent => self.silent(),
        };
        let _why = self.is_away(since, why);
        Ok(None)
    }

    fn check(&self) -> Result<(), BackendError> {
        self.inner.check()
    }
}
