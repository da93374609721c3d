//! A backend that notes what is read.

use std::sync::{Arc, Mutex, PoisonError};

use mcplexer_postgres::PostgresBackend;
use mcplexer_secrets::backend::{
    Backend, BackendError, CommitId, EachRecord, Range, Replacement, Snapshot, Table, Transaction,
};

/// A table and a key.
pub(crate) type Place = (Table, Vec<u8>);

/// Where records were read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Vec<Place>>>);

impl Notes {
    fn note(&self, places: &[(Table, &[u8])]) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (table, key) in places {
            let place = (*table, key.to_vec());
            if !noted.contains(&place) {
                noted.push(place);
            }
        }
    }

    /// Returns the places that were read since, each once.
    pub(crate) fn take(&self) -> Vec<Place> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *noted)
    }
}

/// A store on PostgreSQL of which each read is noted.
#[derive(Debug)]
pub(crate) struct Noted {
    pub(crate) inner: PostgresBackend,
    pub(crate) notes: Notes,
}

struct NotedSnapshot<'a> {
    inner: Box<dyn Snapshot + 'a>,
    notes: &'a Notes,
}

impl Snapshot for NotedSnapshot<'_> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        self.notes.note(places);
        self.inner.get_many(places)
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        self.inner.scan(range, each)
    }
}

impl Backend for Noted {
    fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError> {
        let noted = |inner| NotedSnapshot {
            inner,
            notes: &self.notes,
        };
        let snapshot = self.inner.read()?;
        Ok(snapshot.map(|inner| Box::new(noted(inner)) as _))
    }

    fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError> {
        self.inner.write()
    }

    fn replace(&self) -> Result<Replacement<'_>, BackendError> {
        self.inner.replace()
    }

    fn settle(&self, commit: &CommitId) -> Result<bool, BackendError> {
        self.inner.settle(commit)
    }
}
