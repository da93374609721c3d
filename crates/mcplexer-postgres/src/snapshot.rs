//! One state, read in one statement or in one transaction that reads only.

use std::cell::RefCell;

use mcplexer_secrets::backend::{BackendError, EachRecord, Range, Snapshot, Table};
use tokio_postgres::Row;

use crate::backend::PostgresBackend;
use crate::cause::Cause;
use crate::link::Link;
use crate::reads::{Head, Pages, Question, State, ask_with_head, in_order};
use crate::sql::BEGIN_TO_READ;
use crate::turns::Turn;

/// How often to begin anew because the table of records was replaced meanwhile.
const ATTEMPTS: u32 = 5;

/// A state of the store. What is read first needs no transaction, since one statement sees one state. A transaction
/// begins with what is read next, and must find the same state.
pub(crate) struct PostgresSnapshot<'a> {
    backend: &'a PostgresBackend,
    /// Whether to begin a transaction with what is read first.
    is_careful: bool,
    reading: RefCell<Reading<'a>>,
}

#[derive(Default)]
struct Reading<'a> {
    begun: Option<Begun<'a>>,
    /// The state of which something has been given out.
    seen: Option<State>,
}

/// A transaction that shows one state.
struct Begun<'a> {
    link: Link,
    state: State,
    _turn: Turn<'a>,
}

impl<'a> PostgresSnapshot<'a> {
    /// Begins with what is read first.
    pub(crate) fn later(backend: &'a PostgresBackend, is_careful: bool) -> Self {
        Self {
            backend,
            is_careful,
            reading: RefCell::default(),
        }
    }

    /// Has begun.
    pub(crate) fn begun(
        backend: &'a PostgresBackend,
        turn: Turn<'a>,
        link: Link,
        state: State,
    ) -> Self {
        let begun = Begun {
            link,
            state,
            _turn: turn,
        };
        Self {
            backend,
            is_careful: true,
            reading: RefCell::new(Reading {
                begun: Some(begun),
                seen: None,
            }),
        }
    }

    /// Asks the state.
    fn ask(&self, question: Question<'_>) -> Result<Vec<Row>, Cause> {
        let mut reading = self.reading.borrow_mut();
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.attempt(&mut reading, question) {
                Ok((state, rows)) => {
                    reading.seen = Some(state);
                    return Ok(rows);
                }
                // Another state has taken its place, and nothing of this one has been given out.
                Err(cause)
                    if cause.is_missing() && reading.seen.is_none() && attempts < ATTEMPTS =>
                {
                    reading.begun = None;
                    self.backend.forget();
                }
                Err(cause) => {
                    reading.begun = None;
                    return Err(cause);
                }
            }
        }
    }

    fn attempt(
        &self,
        reading: &mut Reading<'a>,
        question: Question<'_>,
    ) -> Result<(State, Vec<Row>), Cause> {
        if let Some(Begun { link, state, .. }) = &mut reading.begun {
            let answer = question.ask(link, self.backend.sql(), state.records)?;
            return Ok((*state, link.wait(answer)?));
        }
        if !self.is_careful
            && reading.seen.is_none()
            && let (Question::Many(places), Some(records)) = (question, self.backend.records())
        {
            return self.read_once(places, records);
        }
        let (begun, rows) = self.begin(question, reading.seen)?;
        let state = begun.state;
        reading.begun = Some(begun);
        Ok((state, rows))
    }

    /// Reads without a transaction, from the table that had the records last.
    fn read_once(
        &self,
        places: &[(Table, &[u8])],
        mut records: i64,
    ) -> Result<(State, Vec<Row>), Cause> {
        let (pool, sql) = (self.backend.pool(), self.backend.sql());
        let _turn = pool.reader()?;
        for _ in 0..ATTEMPTS {
            let rows = pool.begin(|mut link| {
                let answer = ask_with_head(&link, sql, records, places)?;
                let rows = link.wait(answer);
                pool.keep(link);
                rows
            })?;
            let state = State::of(&rows)?;
            if state.records == records {
                return Ok((state, rows));
            }
            records = state.records;
            self.backend.remember(records);
        }
        Err(Cause::Replaced)
    }

    /// Begins a transaction, which must show the state that was seen before, if any was.
    fn begin(
        &self,
        question: Question<'_>,
        seen: Option<State>,
    ) -> Result<(Begun<'a>, Vec<Row>), Cause> {
        let (pool, sql) = (self.backend.pool(), self.backend.sql());
        let turn = pool.reader()?;
        let expected = seen.map(|it| it.records).or_else(|| self.backend.records());
        let (link, state, rows) = pool.begin(|mut link| {
            let begun = link.command(BEGIN_TO_READ);
            let head = link.query(sql.head(), Vec::new());
            let answer = expected.map(|records| question.ask(&link, sql, records));
            let answer = answer.transpose()?;
            link.wait(begun)?;
            let state = Head::of(&link.wait(head)?)?.state();
            if seen.is_some_and(|seen| seen != state) {
                let _unawaited = link.command("ROLLBACK");
                pool.keep(link);
                self.backend.be_careful();
                return Err(Cause::Overtaken);
            }
            let answer = match answer {
                Some(answer) if expected == Some(state.records) => answer,
                // One that fails has ended the transaction.
                Some(answer) => {
                    link.wait(answer)?;
                    question.ask(&link, sql, state.records)?
                }
                None => question.ask(&link, sql, state.records)?,
            };
            let rows = link.wait(answer)?;
            Ok((link, state, rows))
        })?;
        self.backend.remember(state.records);
        let begun = Begun {
            link,
            state,
            _turn: turn,
        };
        Ok((begun, rows))
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
        if let Some(Begun { link, .. }) = self.reading.get_mut().begun.take() {
            let _unawaited = link.command("ROLLBACK");
            self.backend.pool().keep(link);
        }
    }
}
