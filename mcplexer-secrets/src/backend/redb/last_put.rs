//! Which commit it was: by the last record that it put. A sealed record is written only once.

use serde::{Deserialize, Serialize};

use crate::backend::{BackendError, CommitId, Snapshot, Table};

/// The last record that a transaction put.
#[derive(Serialize, Deserialize)]
pub(super) struct LastPut {
    table: String,
    key: Vec<u8>,
    record: Vec<u8>,
    /// The record that was there before.
    before: Option<Vec<u8>>,
}

impl LastPut {
    pub(super) fn new(table: Table, key: &[u8], record: &[u8], before: Option<Vec<u8>>) -> Self {
        Self {
            table: table.name().to_owned(),
            key: key.to_vec(),
            record: record.to_vec(),
            before,
        }
    }

    /// The name of the commit.
    pub(super) fn name(&self) -> CommitId {
        CommitId::new(postcard::to_allocvec(self).unwrap_or_default())
    }

    /// Reads the name of a commit.
    pub(super) fn named(commit: &CommitId) -> Option<Self> {
        postcard::from_bytes(commit.as_bytes()).ok()
    }

    /// Reads what is in its place.
    pub(super) fn read(&self, snapshot: &dyn Snapshot) -> Result<Option<Vec<u8>>, BackendError> {
        match Table::ALL.iter().find(|it| it.name() == self.table) {
            Some(table) => snapshot.get(*table, &self.key),
            None => Ok(None),
        }
    }

    /// Whether the commit was applied, by what is in its place now. `None` if that is somebody else's.
    pub(super) fn was_applied(&self, now: Option<&[u8]>) -> Option<bool> {
        match now {
            Some(record) if record == self.record => Some(true),
            now if now == self.before.as_deref() => Some(false),
            _ => None,
        }
    }
}
