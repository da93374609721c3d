//! A change, as one transaction.

use std::cell::{Cell, RefCell};
use std::mem;

use mcplexer_secrets::backend::{
    BackendError, Commit, EachRecord, Range, Snapshot, Table, Transaction,
};
use tokio_postgres::Row;

use crate::backend::PostgresBackend;
use crate::cause::Cause;
use crate::changes::{Changes, end_of};
use crate::check::CommitName;
use crate::link::{Answer, Link};
use crate::param::Param;
use crate::reads::{Head, Pages, Question, Records, in_order, tab};
use crate::sql::{BEGIN_TO_WRITE, FIRST, Sql};
use crate::turns::Turn;

mod replacement;

/// How many bytes of changes are collected before they are sent.
const COLLECTED: usize = 8 << 20;
/// How many records a statement puts or deletes.
const RECORDS: usize = 4096;
/// How long tables that are no longer of use may be waited for.
const DROPPING: &str = "SET LOCAL lock_timeout = 50";

/// A change that is not committed yet.
pub(crate) struct PostgresTransaction<'a> {
    backend: &'a PostgresBackend,
    /// The connection, which has the lock of the writers; `None` after the commit.
    link: RefCell<Option<Link>>,
    /// Ends after the commit.
    _turn: Turn<'a>,
    /// What there was when it began; `None` if there was no store.
    head: Option<Head>,
    /// The table of records that it works on; `None` if that is not created yet.
    records: Option<i64>,
    changes: Changes,
    /// Another change was faster.
    is_overtaken: Cell<bool>,
}

impl<'a> PostgresTransaction<'a> {
    /// Waits for its turn, and begins.
    pub(crate) fn begin(backend: &'a PostgresBackend) -> Result<Self, Cause> {
        let sql = backend.sql();
        let turn = backend.pool().writer()?;
        let (link, head) = backend.pool().begin(|mut link| {
            let locked = link.command(sql.lock());
            let begun = link.command(BEGIN_TO_WRITE);
            // The state is that of the first statement that reads: after the wait.
            let process = (link.process() == 0)
                .then(|| link.query("SELECT pg_backend_pid()::bigint", Vec::new()));
            let head = link.query(sql.head(), Vec::new());
            link.wait(locked)?;
            link.wait(begun)?;
            if let Some(process) = process {
                let rows = link.wait(process)?;
                let row = rows
                    .first()
                    .ok_or(Cause::Tables("a question has no answer"))?;
                link.set_process(row.try_get(0)?);
            }
            let head = match link.wait(head) {
                Ok(rows) => Some(Head::of(&rows)?),
                Err(cause) if cause.is_missing() => {
                    let ended = link.command("ROLLBACK");
                    link.wait(ended)?;
                    None
                }
                Err(cause) => return Err(cause),
            };
            Ok((link, head))
        })?;
        Ok(Self {
            backend,
            link: RefCell::new(Some(link)),
            _turn: turn,
            records: head.as_ref().map(|it| it.records),
            head,
            changes: Changes::default(),
            is_overtaken: Cell::new(false),
        })
    }

    fn sql(&self) -> &'a Sql {
        self.backend.sql()
    }

    /// Uses the connection.
    fn talk<T>(&self, work: impl FnOnce(&mut Link) -> Result<T, Cause>) -> Result<T, Cause> {
        let mut link = self.link.borrow_mut();
        let link = link.as_mut().ok_or(Cause::Closed)?;
        work(link).inspect_err(|cause| {
            if cause.is_conflict() {
                self.is_overtaken.set(true);
            }
        })
    }

    /// Asks the server, which does not know the changes that are not sent yet.
    fn ask(&self, question: Question<'_>) -> Result<Vec<Row>, Cause> {
        let Some(records) = self.records else {
            return Ok(Vec::new());
        };
        self.talk(|link| {
            let answer = question.ask(link, self.sql(), records)?;
            link.wait(answer)
        })
        .map_err(|cause| match cause.is_missing() {
            // Where the lock does nothing.
            true => Cause::Replaced,
            false => cause,
        })
    }

    fn read_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, Cause> {
        let known: Vec<_> = places
            .iter()
            .map(|(table, key)| self.changes.get(*table, key))
            .collect();
        let known_or_not = || places.iter().zip(&known);
        let asked: Vec<_> = known_or_not()
            .filter(|(_, known)| known.is_none())
            .map(|(place, _)| *place)
            .collect();
        let mut found = Vec::new();
        if !asked.is_empty() {
            let rows = self.ask(Question::Many(&asked))?;
            found = in_order(&rows, asked.len())?;
        }
        let mut found = found.into_iter();
        let merged = known.into_iter().map(|known| match known {
            Some(record) => record.map(<[u8]>::to_vec),
            None => found.next().flatten(),
        });
        Ok(merged.collect())
    }

    /// Adds the changes to what the server has in a range, after one key and up to another.
    fn merge(
        &self,
        mut found: Records,
        range: Range<'_>,
        after: Option<&[u8]>,
        to: Option<&[u8]>,
    ) -> Records {
        found.retain(|(key, _)| self.changes.get(range.table, key).is_none());
        let own = self.changes.within(range, after, to);
        found.extend(
            own.into_iter()
                .filter_map(|(key, record)| Some((key, record?))),
        );
        found.sort_unstable();
        found
    }

    /// Creates the tables. The transaction begins again with that, under the same lock.
    fn create(&mut self) -> Result<i64, Cause> {
        let sql = self.sql();
        self.talk(|link| {
            let begun = link.command(BEGIN_TO_WRITE);
            let schema = Param::bytes(sql.schema().as_bytes().to_vec());
            let has_schema = link.query(Sql::has_schema(), vec![schema]);
            link.wait(begun)?;
            let rows = link.wait(has_schema)?;
            let row = rows
                .first()
                .ok_or(Cause::Tables("a question has no answer"))?;
            if !row.try_get::<_, bool>(0)? {
                let created = link.command(sql.create_schema());
                link.wait(created)?;
            }
            let created = link.command(sql.create());
            link.wait(created)
        })
        .inspect_err(|cause| {
            if cause.is_duplicate() {
                self.is_overtaken.set(true);
            }
        })?;
        self.records = Some(FIRST);
        Ok(FIRST)
    }

    /// Sends what was collected.
    fn send(&mut self) -> Result<(), Cause> {
        let records = self.records.map_or_else(|| self.create(), Ok)?;
        let changes = mem::take(&mut self.changes);
        let sql = self.sql();
        self.talk(|link| {
            let sent = send(link, sql, records, changes)?;
            sent.into_iter().try_for_each(|it| link.wait(it).map(drop))
        })
    }

    fn send_if_many(&mut self) -> Result<(), BackendError> {
        if self.changes.bytes() < COLLECTED {
            return Ok(());
        }
        let backend = self.backend;
        self.send().map_err(|cause| backend.failure("write", cause))
    }

    fn finish(&mut self) -> Result<Commit, BackendError> {
        let (backend, sql) = (self.backend, self.sql());
        let failure = |cause| backend.failure("write", cause);
        let created = self.records.map_or_else(|| self.create(), Ok);
        let records = match created {
            Err(_) if self.is_overtaken.get() => return Ok(Commit::Conflict),
            created => created.map_err(failure)?,
        };
        let mut name = CommitName {
            id: [0; 16],
            process: 0,
        };
        getrandom::fill(&mut name.id).map_err(|it| failure(std::io::Error::from(it).into()))?;
        let head = self.head.as_ref();
        // The state that is replaced; or else what a replacement of it has kept, which is of no use after another commit.
        let gone = head.and_then(|it| match it.records == records {
            true => it.beginning,
            false => Some(it.records),
        });
        let mut dropped = head.map_or(Vec::new(), |it| it.dropped.clone());
        dropped.extend(gone);
        let changes = mem::take(&mut self.changes);
        let link = self.link.get_mut().take();
        let mut link = link.ok_or_else(|| failure(Cause::Closed))?;
        name.process = link.process();

        let mut answers = send(&link, sql, records, changes).map_err(failure)?;
        let committed = sql.commit(records, gone, link.can_notify());
        answers.push(link.query(committed, vec![Param::bytes(name.id.to_vec())]));
        let committed = link.command("COMMIT");
        if dropped.is_empty() {
            let _unawaited = link.command(sql.unlock());
        }
        let applied = answers
            .into_iter()
            .try_for_each(|answer| link.wait(answer).map(drop))
            .and_then(|()| link.wait(committed));
        match applied {
            Ok(()) => {
                backend.has_committed(records);
                if !dropped.is_empty() {
                    drop_tables(&mut link, sql, &dropped);
                }
                backend.pool().keep(link);
                Ok(Commit::Applied)
            }
            // The server has refused a statement, and everything after it.
            Err(cause) if cause.is_certain() => {
                let _unawaited = link.command(sql.roll_back_and_unlock());
                backend.pool().keep(link);
                match cause.is_conflict() || cause.is_duplicate() {
                    true => Ok(Commit::Conflict),
                    false => Err(failure(cause)),
                }
            }
            Err(cause) => Ok(Commit::Unknown(name.to_id(), failure(cause))),
        }
    }
}

/// Sends changes, in the order in which they have to be made.
fn send(
    link: &Link,
    sql: &Sql,
    records: i64,
    changes: Changes,
) -> Result<Vec<Answer<Vec<Row>>>, Cause> {
    let mut answers = Vec::new();
    for (table, prefix) in changes.prefixes {
        let end = end_of(&prefix);
        let statement = sql.delete_range(records, end.is_some());
        let mut params = vec![Param::small(tab(table)?), Param::bytes(prefix)];
        params.extend(end.map(Param::bytes));
        answers.push(link.query(statement, params));
    }
    let (mut tabs, mut keys, mut put) = (Vec::new(), Vec::new(), Vec::new());
    let (mut gone_tabs, mut gone) = (Vec::new(), Vec::new());
    for ((table, key), record) in changes.records {
        match record {
            Some(record) => {
                tabs.push(tab(table)?);
                keys.push(key);
                put.push(record);
            }
            None => {
                gone_tabs.push(tab(table)?);
                gone.push(key);
            }
        }
        if keys.len() == RECORDS {
            answers.push(link.query(sql.put(records), puts(&mut tabs, &mut keys, &mut put)));
        }
    }
    if !gone.is_empty() {
        let params = vec![Param::smalls(gone_tabs), Param::byte_strings(gone)];
        answers.push(link.query(sql.delete(records), params));
    }
    if !keys.is_empty() {
        answers.push(link.query(sql.put(records), puts(&mut tabs, &mut keys, &mut put)));
    }
    Ok(answers)
}

fn puts(tabs: &mut Vec<i16>, keys: &mut Vec<Vec<u8>>, records: &mut Vec<Vec<u8>>) -> Vec<Param> {
    vec![
        Param::smalls(mem::take(tabs)),
        Param::byte_strings(mem::take(keys)),
        Param::byte_strings(mem::take(records)),
    ]
}

/// Drops tables that had the records before, and releases the lock. Who still reads one keeps it from being dropped: then
/// a later commit does.
fn drop_tables(link: &mut Link, sql: &Sql, tables: &[i64]) {
    let mut answers = Vec::new();
    for table in tables {
        let statements = [
            BEGIN_TO_WRITE,
            DROPPING,
            &sql.drop_records(*table),
            "COMMIT",
        ];
        answers.push(link.command(statements.join("; ")));
        answers.push(link.command("ROLLBACK"));
    }
    let _unawaited = link.command(sql.unlock());
    for answer in answers {
        // What is still there is in the head as well.
        let _later = link.wait(answer);
    }
}

impl Snapshot for PostgresTransaction<'_> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        self.read_many(places)
            .map_err(|cause| self.backend.failure("read", cause))
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        let passed = Pages::of(range).pass(
            &mut |range, after, limit| self.ask(Question::Page(range, after, limit)),
            &mut |found, after, to| self.merge(found, range, after, to),
            each,
        );
        passed.map_err(|cause| self.backend.failure("read", cause))
    }
}

impl Transaction for PostgresTransaction<'_> {
    fn is_first(&self) -> bool {
        self.head.is_none()
    }

    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Result<(), BackendError> {
        self.changes.put(table, key, record);
        self.send_if_many()
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), BackendError> {
        self.changes.delete(table, key);
        self.send_if_many()
    }

    fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Result<(), BackendError> {
        self.changes.delete_prefix(table, prefix);
        Ok(())
    }

    fn commit(mut self: Box<Self>) -> Result<Commit, BackendError> {
        if self.is_overtaken.get() {
            return Ok(Commit::Conflict);
        }
        self.finish()
    }
}

impl Drop for PostgresTransaction<'_> {
    fn drop(&mut self) {
        if let Some(link) = self.link.get_mut().take() {
            let _unawaited = link.command(self.sql().roll_back_and_unlock());
            self.backend.pool().keep(link);
        }
    }
}
