//! One state, read in one transaction that reads only.

use std::cell::RefCell;
use std::ops::ControlFlow;

use mcplexer_secrets::backend::{BackendError, Range, Snapshot, Table};
use tokio_postgres::Row;

use crate::backend::PostgresBackend;
use crate::cause::Cause;
use crate::link::{Answer, Link};
use crate::reads::{Head, Pages, ask, ask_page, in_order};
use crate::sql::BEGIN_TO_READ;

/// How often to begin anew because the table of records was replaced meanwhile.
const ATTEMPTS: u32 = 5;

/// Asks something of a table of records.
type Question<'a> = dyn Fn(&Link, i64) -> Result<Answer<Vec<Row>>, Cause> + 'a;

/// A state of the store. The transaction begins with the first read, in the same message.
pub(crate) struct PostgresSnapshot<'a> {
    backend: &'a PostgresBackend,
    reading: RefCell<Reading>,
}

#[derive(Default)]
struct Reading {
    /// The connection with the transaction, and the table of records; `None` before the first read.
    begun: Option<(Link, i64)>,
    /// Whether anything of this state has been given out.
    has_read: bool,
}

impl<'a> PostgresSnapshot<'a> {
    /// Begins with the first read.
    pub(crate) fn later(backend: &'a PostgresBackend) -> Self {
        Self {
            backend,
            reading: RefCell::default(),
        }
    }

    /// Has begun.
    pub(crate) fn begun(backend: &'a PostgresBackend, link: Link, records: i64) -> Self {
        let begun = Some((link, records));
        Self {
            backend,
            reading: RefCell::new(Reading {
                begun,
                has_read: false,
            }),
        }
    }

    /// Asks the state.
    fn ask(&self, question: &Question<'_>) -> Result<Vec<Row>, Cause> {
        let mut reading = self.reading.borrow_mut();
        let mut attempts = 0;
        loop {
            let answer = self.attempt(&mut reading, question);
            attempts += 1;
            match answer {
                // Another state has taken its place, and nothing of this one has been given out.
                Err(cause) if cause.is_missing() && !reading.has_read && attempts < ATTEMPTS => {
                    reading.begun = None;
                    self.backend.forget();
                }
                Err(cause) => {
                    reading.begun = None;
                    return Err(cause);
                }
                Ok(rows) => {
                    reading.has_read = true;
                    return Ok(rows);
                }
            }
        }
    }

    fn attempt(&self, reading: &mut Reading, question: &Question<'_>) -> Result<Vec<Row>, Cause> {
        if let Some((link, records)) = &mut reading.begun {
            let answer = question(link, *records)?;
            return link.wait(answer);
        }
        if reading.has_read {
            // The transaction is gone, and another one would show another state.
            return Err(Cause::Closed);
        }
        let begun = self.backend.pool().begin(|mut link| {
            let expected = self.backend.records();
            let begun = link.command(BEGIN_TO_READ);
            let head = link.query(self.backend.sql().head(), Vec::new());
            let asked = expected.map(|it| question(&link, it)).transpose()?;
            link.wait(begun)?;
            let head = Head::of(&link.wait(head)?)?;
            let answer = asked.map(|it| link.wait(it)).transpose();
            Ok((link, head, expected, answer))
        });
        let (mut link, head, expected, answer) = begun?;
        self.backend.remember(head.records);
        let rows = match answer? {
            Some(rows) if expected == Some(head.records) => rows,
            _ => {
                let answer = question(&link, head.records)?;
                link.wait(answer)?
            }
        };
        reading.begun = Some((link, head.records));
        Ok(rows)
    }
}

impl Snapshot for PostgresSnapshot<'_> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let sql = self.backend.sql();
        let rows = self.ask(&|link, records| ask(link, sql, records, places));
        let found = rows.and_then(|rows| in_order(&rows, places.len()));
        found.map_err(|cause| self.backend.failure("read", cause))
    }

    fn scan(
        &self,
        range: Range<'_>,
        each: &mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), BackendError> {
        let sql = self.backend.sql();
        let passed = Pages::of(range).pass(
            &mut |range, after, limit| {
                self.ask(&|link, records| ask_page(link, sql, records, range, after, limit))
            },
            &mut |found, _, _| found,
            each,
        );
        passed.map_err(|cause| self.backend.failure("read", cause))
    }
}

impl Drop for PostgresSnapshot<'_> {
    fn drop(&mut self) {
        if let Some((link, _)) = self.reading.get_mut().begun.take() {
            let _unawaited = link.command("ROLLBACK");
            self.backend.pool().keep(link);
        }
    }
}
