//! One state of the store, to read.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use mcplexer_secrets::backend::{BackendError, EachRecord, Range, Snapshot, Table};

use crate::backend::EtcdBackend;
use crate::failure::Failure;
use crate::layout::Span;
use crate::reading::{self, Moment, Page};
use crate::shared::{Shared, lock};

/// A revision that is not discarded by this handle.
pub(crate) struct Kept {
    shared: Arc<Shared>,
    revision: i64,
}

impl Kept {
    fn new(shared: &Arc<Shared>, revision: i64) -> Self {
        shared.history.begin(revision);
        Self {
            shared: Arc::clone(shared),
            revision,
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.shared.history.end(self.revision);
    }
}

/// One state of the store.
pub(crate) struct State<'a> {
    backend: &'a EtcdBackend,
    now: Mutex<(Moment, Kept)>,
    /// Something was read, so that everything else has to be of the same state.
    is_read: AtomicBool,
}

impl<'a> State<'a> {
    pub(crate) fn new(backend: &'a EtcdBackend, moment: Moment) -> Self {
        let kept = Kept::new(backend.shared(), moment.revision);
        Self {
            backend,
            now: Mutex::new((moment, kept)),
            is_read: AtomicBool::new(false),
        }
    }

    /// Reads. If etcd has discarded this state, and nothing was read of it, that of now is as good.
    fn read<T: Send + 'static, F>(
        &self,
        read: impl Fn(Arc<Shared>, Moment) -> F,
    ) -> Result<T, BackendError>
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        loop {
            let moment = lock(&self.now).0;
            let found = self
                .backend
                .run(read(Arc::clone(self.backend.shared()), moment));
            match found {
                Err(failure) if failure.is_discarded() && !self.is_read.load(Ordering::Relaxed) => {
                    let Some(moment) = self.backend.moment()? else {
                        return Err(self.backend.error("read from", failure));
                    };
                    *lock(&self.now) = (moment, Kept::new(self.backend.shared(), moment.revision));
                }
                Err(failure) => return Err(self.backend.error("read from", failure)),
                Ok(found) => {
                    self.is_read.store(true, Ordering::Relaxed);
                    return Ok(found);
                }
            }
        }
    }
}

impl Snapshot for State<'_> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        let places = owned(places);
        self.read(|shared, moment| {
            let (places, until) = (places.clone(), self.backend.until());
            async move { reading::records(&shared, until, moment, &places).await }
        })
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        let mut after = range.after.map(<[u8]>::to_vec);
        loop {
            let page = self.read(|shared, moment| {
                let (table, prefix) = (range.table, range.prefix.to_vec());
                let (after, until) = (after.clone(), self.backend.until());
                async move {
                    let span = span(&shared, moment.epoch, table, &prefix, after.as_deref());
                    reading::page(&shared, until, moment, table, &span).await
                }
            })?;
            for (key, record) in &page.records {
                if each(key, record).is_break() {
                    return Ok(());
                }
            }
            match next(page) {
                Some(last) => after = Some(last),
                None => return Ok(()),
            }
        }
    }
}

/// The key after which a scan goes on.
pub(crate) fn next(page: Page) -> Option<Vec<u8>> {
    let last = page.records.into_iter().next_back();
    last.filter(|_| page.more).map(|(key, _)| key)
}

pub(crate) fn owned(places: &[(Table, &[u8])]) -> Vec<(Table, Vec<u8>)> {
    let places = places.iter();
    places.map(|(table, key)| (*table, key.to_vec())).collect()
}

/// The keys of etcd that a scan passes.
pub(crate) fn span(
    shared: &Shared,
    epoch: u64,
    table: Table,
    prefix: &[u8],
    after: Option<&[u8]>,
) -> Span {
    let mut span = Span::prefix(shared.layout.record(epoch, table, prefix));
    if let Some(after) = after {
        let after = Span::key(shared.layout.record(epoch, table, after)).end;
        span.start = span.start.max(after);
    }
    span
}
