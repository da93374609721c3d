//! One state, read in one transaction that reads only.

use std::cell::RefCell;

use mcplexer_secrets::backend::{BackendError, EachRecord, Range, Snapshot, Table};
use tokio_postgres::Row;

use crate::backend::PostgresBackend;
use crate::cause::Cause;
use crate::link::Link;
use crate::reads::{Head, Pages, Question, ask_with_head, in_order, records_now};
use crate::sql::BEGIN_TO_READ;
use crate::turns::Turn;

/// How often to begin anew because the table of records was replaced meanwhile.
const ATTEMPTS: u32 = 5;

/// The connection, the table that has the records, and what was read from it already.
type Begun = (Link, i64, Option<Vec<Row>>);

/// A state of the store. The transaction begins with the first read, in the same message.
pub(crate) struct PostgresSnapshot<'a> {
    backend: &'a PostgresBackend,
    reading: RefCell<Reading<'a>>,
}

#[derive(Default)]
struct Reading<'a> {
    /// The connection with the transaction, and the table of records; `None` before the first read.
    begun: Option<(Link, i64)>,
    turn: Option<Turn<'a>>,
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
    pub(crate) fn begun(
        backend: &'a PostgresBackend,
        turn: Turn<'a>,
        link: Link,
        records: i64,
    ) -> Self {
        let begun = Some((link, records));
        Self {
            backend,
            reading: RefCell::new(Reading {
                begun,
                turn: Some(turn),
                has_read: false,
            }),
        }
    }

    /// Asks the state.
    fn ask(&self, question: Question<'_>) -> Result<Vec<Row>, Cause> {
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

    fn attempt(
        &self,
        reading: &mut Reading<'a>,
        question: Question<'_>,
    ) -> Result<Vec<Row>, Cause> {
        if let Some((link, records)) = &mut reading.begun {
            let answer = question.ask(link, self.backend.sql(), *records)?;
            return link.wait(answer);
        }
        if reading.has_read {
            // The transaction is gone, and another one would show another state.
            return Err(Cause::Closed);
        }
        let pool = self.backend.pool();
        if reading.turn.is_none() {
            reading.turn = Some(pool.reader()?);
        }
        let (mut link, records, expected) = match (self.backend.records(), question) {
            (Some(records), Question::Many(places)) => {
                pool.begin(|link| self.begin_with(link, records, places))?
            }
            _ => pool.begin(|link| self.begin(link))?,
        };
        self.backend.remember(records);
        let rows = match expected {
            Some(rows) => rows,
            None => {
                let answer = question.ask(&link, self.backend.sql(), records)?;
                link.wait(answer)?
            }
        };
        reading.begun = Some((link, records));
        Ok(rows)
    }

    fn begin(&self, mut link: Link) -> Result<Begun, Cause> {
        let begun = link.command(BEGIN_TO_READ);
        let head = link.query(self.backend.sql().head(), Vec::new());
        link.wait(begun)?;
        let head = Head::of(&link.wait(head)?)?;
        Ok((link, head.records, None))
    }

    /// Begins, and reads from the table that had the records last.
    fn begin_with(
        &self,
        mut link: Link,
        records: i64,
        places: &[(Table, &[u8])],
    ) -> Result<Begun, Cause> {
        let begun = link.command(BEGIN_TO_READ);
        let answer = ask_with_head(&link, self.backend.sql(), records, places)?;
        link.wait(begun)?;
        let rows = link.wait(answer)?;
        let now = records_now(&rows)?;
        Ok((link, now, (now == records).then_some(rows)))
    }
}

impl Snapshot for PostgresSnapshot<'_> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.ask(Question::Many(places));
        let found = rows.and_then(|rows| in_order(&rows, places.len()));
        found.map_err(|cause| self.backend.failure("read", cause))
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        let passed = Pages::of(range).pass(
            &mut |range, after, limit| self.ask(Question::Page(range, after, limit)),
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
