//! What the server answers, as records.

use mcplexer_secrets::backend::{EachRecord, Range, Table};
use tokio_postgres::Row;

use crate::cause::Cause;
use crate::changes::end_of;
use crate::link::{Answer, Link};
use crate::param::Param;
use crate::sql::{LAYOUT, Sql, number};

/// How many records the first page of a scan may have.
const FIRST_PAGE: i64 = 32;
const LARGEST_PAGE: i64 = 4096;
/// How many bytes a page should have.
const PAGE_BYTES: usize = 1 << 20;

pub(crate) type Records = Vec<(Vec<u8>, Vec<u8>)>;
/// Returns the rows of a range after a key, so many at most.
pub(crate) type Page<'a> = dyn FnMut(Range<'_>, Option<&[u8]>, i64) -> Result<Vec<Row>, Cause> + 'a;
/// Adds what is not on the server to the records after a key, up to another one.
pub(crate) type Merge<'a> = dyn FnMut(Records, Option<&[u8]>, Option<&[u8]>) -> Records + 'a;

/// Which state of a store it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    revision: i64,
    /// The number of the table that has the records.
    pub(crate) records: i64,
}

impl State {
    /// Reads what [`Sql::get_many_with_head`] returns.
    pub(crate) fn of(rows: &[Row]) -> Result<Self, Cause> {
        let row = rows.first();
        let row = row.ok_or(Cause::Tables("the table head does not have one row"))?;
        Ok(Self {
            revision: row.try_get(2)?,
            records: row.try_get(3)?,
        })
    }
}

/// The state of a store, but for the records.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    revision: i64,
    /// The number of the table that has the records.
    pub(crate) records: i64,
    /// The tables that had records before, and are to be dropped.
    pub(crate) dropped: Vec<i64>,
    /// The table in which a replacement has kept the beginning of the next state.
    pub(crate) beginning: Option<i64>,
}

impl Head {
    /// Reads what [`Sql::head`] returns.
    pub(crate) fn of(rows: &[Row]) -> Result<Self, Cause> {
        let [row] = rows else {
            return Err(Cause::Tables("the table head does not have one row"));
        };
        let layout: i16 = row.try_get(0)?;
        if layout != LAYOUT {
            return Err(Cause::Tables(
                "the tables were made by another version of this program",
            ));
        }
        Ok(Self {
            revision: row.try_get(1)?,
            records: row.try_get(2)?,
            dropped: row.try_get(3)?,
            beginning: row.try_get(4)?,
        })
    }

    pub(crate) fn state(&self) -> State {
        State {
            revision: self.revision,
            records: self.records,
        }
    }
}

/// The number of a table, in the table of records.
pub(crate) fn tab(table: Table) -> Result<i16, Cause> {
    number(table).ok_or(Cause::Tables("this table is unknown here"))
}

/// What is asked of a table of records.
#[derive(Clone, Copy)]
pub(crate) enum Question<'a> {
    /// The records at these places.
    Many(&'a [(Table, &'a [u8])]),
    /// The records of a range after a key, so many at most.
    Page(Range<'a>, Option<&'a [u8]>, i64),
}

impl Question<'_> {
    /// Asks it.
    pub(crate) fn ask(
        self,
        link: &Link,
        sql: &Sql,
        records: i64,
    ) -> Result<Answer<Vec<Row>>, Cause> {
        match self {
            Self::Many(places) => Ok(link.query(sql.get_many(records), params_of(places)?)),
            Self::Page(range, after, limit) => ask_page(link, sql, records, range, after, limit),
        }
    }
}

/// Asks for the records at these places, and which state that is.
pub(crate) fn ask_with_head(
    link: &Link,
    sql: &Sql,
    records: i64,
    places: &[(Table, &[u8])],
) -> Result<Answer<Vec<Row>>, Cause> {
    Ok(link.query(sql.get_many_with_head(records), params_of(places)?))
}

fn params_of(places: &[(Table, &[u8])]) -> Result<Vec<Param>, Cause> {
    let tabs = places.iter().map(|(table, _)| tab(*table));
    let tabs = tabs.collect::<Result<_, _>>()?;
    let keys = places.iter().map(|(_, key)| key.to_vec()).collect();
    Ok(vec![Param::smalls(tabs), Param::byte_strings(keys)])
}

/// Puts the records into the order that was asked for.
pub(crate) fn in_order(rows: &[Row], count: usize) -> Result<Vec<Option<Vec<u8>>>, Cause> {
    let mut found = vec![None; count];
    for row in rows {
        let Some(position) = row.try_get::<_, Option<i64>>(0)? else {
            continue;
        };
        let index = usize::try_from(position - 1).ok();
        let place = index.and_then(|index| found.get_mut(index));
        *place.ok_or(Cause::Tables("a record was not asked for"))? = Some(row.try_get(1)?);
    }
    Ok(found)
}

/// Asks for the records of a range after a key.
fn ask_page(
    link: &Link,
    sql: &Sql,
    records: i64,
    range: Range<'_>,
    after: Option<&[u8]>,
    limit: i64,
) -> Result<Answer<Vec<Row>>, Cause> {
    let after = after.filter(|after| *after >= range.prefix);
    let end = end_of(range.prefix);
    let statement = sql.scan(records, after.is_some(), end.is_some());
    let mut params = vec![
        Param::small(tab(range.table)?),
        Param::big(limit),
        Param::bytes(after.unwrap_or(range.prefix).to_vec()),
    ];
    params.extend(end.map(Param::bytes));
    Ok(link.query(statement, params))
}

fn records_of(rows: &[Row]) -> Result<Records, Cause> {
    let record = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    rows.iter().map(record).collect()
}

/// How large the next page is to be, and where it begins.
pub(crate) struct Pages<'a> {
    range: Range<'a>,
    after: Option<Vec<u8>>,
    limit: i64,
}

impl<'a> Pages<'a> {
    pub(crate) fn of(range: Range<'a>) -> Self {
        Self {
            range,
            after: range.after.map(<[u8]>::to_vec),
            limit: FIRST_PAGE,
        }
    }

    /// Passes every record, a page at a time, until `each` breaks off. Nothing is borrowed while it runs, so that it may
    /// read as well.
    pub(crate) fn pass(
        mut self,
        page: &mut Page<'_>,
        merge: &mut Merge<'_>,
        each: &mut EachRecord<'_>,
    ) -> Result<(), Cause> {
        loop {
            let after = self.after.take();
            let rows = page(self.range, after.as_deref(), self.limit)?;
            let is_last = i64::try_from(rows.len()).is_ok_and(|it| it < self.limit);
            let found = records_of(&rows)?;
            self.grow(&found);
            let last = found.last().map(|(key, _)| key.clone());
            let to = last.as_deref().filter(|_| !is_last);
            for (key, record) in merge(found, after.as_deref(), to) {
                if each(&key, &record).is_break() {
                    return Ok(());
                }
            }
            if is_last {
                return Ok(());
            }
            self.after = last;
        }
    }

    /// Makes the next page as large as records of this size allow.
    fn grow(&mut self, found: &[(Vec<u8>, Vec<u8>)]) {
        let bytes: usize = found
            .iter()
            .map(|(key, record)| key.len() + record.len())
            .sum();
        let mean = bytes / found.len().max(1) + 1;
        let fitting = i64::try_from(PAGE_BYTES / mean).unwrap_or(LARGEST_PAGE);
        self.limit = fitting.clamp(1, LARGEST_PAGE).min(self.limit * 8);
    }
}
