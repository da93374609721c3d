//! The next state, in a table of its own.

use std::mem;

use mcplexer_secrets::backend::{BackendError, Successor, Table};

use super::{PostgresTransaction, send};
use crate::backend::PostgresBackend;
use crate::cause::Cause;
use crate::changes::Changes;
use crate::reads::Head;
use crate::sql::BEGIN_TO_WRITE;

/// How often to begin a replacement.
const ATTEMPTS: u32 = 100;

impl<'a> PostgresTransaction<'a> {
    /// Begins to replace the state. Others that write where there is no lock may be faster for a while.
    pub(crate) fn begin_replacement(backend: &'a PostgresBackend) -> Result<Self, Cause> {
        let mut attempts = 0;
        loop {
            let begun = Self::begin(backend).and_then(Self::into_replacement);
            attempts += 1;
            match begun {
                Err(cause) if cause.is_conflict() && attempts < ATTEMPTS => {}
                begun => return begun,
            }
        }
    }

    /// Begins a new state, in a table of its own, if there is one to replace; or goes on with what another replacement of
    /// it has kept.
    fn into_replacement(mut self) -> Result<Self, Cause> {
        let Some(head) = &self.head else {
            return Ok(self);
        };
        let (sql, begun) = (self.backend.sql(), head.beginning);
        let new = begun.map_or_else(new_number, Ok)?;
        self.talk(|link| {
            let kept_out = link.command(sql.keep_writers_out());
            let created = begun
                .is_none()
                .then(|| link.command(sql.create_records(new)));
            link.wait(kept_out)?;
            created.map_or(Ok(()), |created| link.wait(created))
        })?;
        self.records = Some(new);
        Ok(self)
    }

    /// Drops what a replacement has so far, and what another one has kept.
    fn take_another_table(&mut self) -> Result<(), Cause> {
        self.changes = Changes::default();
        let (Some(_), Some(records)) = (&self.head, self.records) else {
            // There is nothing to replace.
            for table in Table::ALL {
                self.changes.delete_prefix(table, b"");
            }
            return Ok(());
        };
        let (sql, new) = (self.sql(), new_number()?);
        self.talk(|link| {
            let discarded = link.command(sql.discard_records(records));
            let created = link.command(sql.create_records(new));
            link.wait(discarded)?;
            link.wait(created)
        })?;
        self.records = Some(new);
        Ok(())
    }

    /// Commits what a replacement has so far in its own table, which the head does not name as that of the records, and
    /// goes on. The lock of the writers is that of the session, not of the transaction.
    fn keep_beginning(&mut self) -> Result<(), Cause> {
        let (Some(_), Some(records)) = (&self.head, self.records) else {
            // There is nothing to replace.
            return Ok(());
        };
        let (sql, changes) = (self.sql(), mem::take(&mut self.changes));
        let rows = self.talk(|link| {
            let mut answers = send(link, sql, records, changes)?;
            // Where the lock does nothing, this is a conflict if there was another commit.
            answers.push(link.query(sql.begin(records), Vec::new()));
            let committed = link.command("COMMIT");
            let begun = link.command(BEGIN_TO_WRITE);
            let head = link.query(sql.keep_writers_out(), Vec::new());
            answers
                .into_iter()
                .try_for_each(|it| link.wait(it).map(drop))?;
            link.wait(committed)?;
            link.wait(begun)?;
            link.wait(head)
        })?;
        let head = Head::of(&rows)?;
        // So it is if there was another commit since.
        if head.beginning != Some(records) {
            self.is_overtaken.set(true);
            return Err(Cause::Replaced);
        }
        self.head = Some(head);
        Ok(())
    }
}

impl Successor for PostgresTransaction<'_> {
    fn keep(&mut self) -> Result<(), BackendError> {
        let kept = self.keep_beginning();
        kept.map_err(|cause| self.backend.failure("write", cause))
    }

    /// Takes another table: what is deleted from one stays in its files for a while.
    fn clear(&mut self) -> Result<(), BackendError> {
        let cleared = self.take_another_table();
        cleared.map_err(|cause| self.backend.failure("write", cause))
    }
}

/// A number for a table of records. Nobody else works on a table of this number, even where there is no lock.
fn new_number() -> Result<i64, Cause> {
    let mut number = [0; 8];
    getrandom::fill(&mut number).map_err(std::io::Error::from)?;
    Ok(i64::from_be_bytes(number) & i64::MAX | 1 << 62)
}
