//! The statements, in the schema of one store. They keep to what CockroachDB and YugabyteDB speak too.

use std::fmt::Write as _;

use mcplexer_secrets::backend::Table;

/// The version of the tables, in their head.
pub(crate) const LAYOUT: i16 = 2;

/// The table of records that a new store begins with.
pub(crate) const FIRST: i64 = 1;

/// How many commits are kept, so that lost answers can be found out.
const KEPT_COMMITS: u32 = 512;

pub(crate) const BEGIN_TO_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Reads see one state, and a commit fails if another one has changed the head since. Each commit changes the head: so
/// they are serializable, without the price of the level that is called so, at which reads may fail as well.
pub(crate) const BEGIN_TO_WRITE: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE";

/// How a table is called in a table of records.
pub(crate) const fn number(table: Table) -> Option<i16> {
    match table {
        Table::Meta => Some(0),
        Table::Scopes => Some(1),
        Table::Secrets => Some(2),
        _ => None,
    }
}

/// The statements of one store.
#[derive(Debug, Clone)]
pub(crate) struct Sql {
    schema: String,
    /// By which writers queue.
    lock: i64,
}

impl Sql {
    pub(crate) fn new(schema: &str) -> Self {
        Self {
            schema: schema.to_owned(),
            lock: lock_number(schema),
        }
    }

    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    pub(crate) fn lock(&self) -> String {
        format!("SELECT pg_advisory_lock({})", self.lock)
    }

    pub(crate) fn unlock(&self) -> String {
        format!("SELECT pg_advisory_unlock({})", self.lock)
    }

    pub(crate) fn roll_back_and_unlock(&self) -> String {
        format!("ROLLBACK; {}", self.unlock())
    }

    /// Ends a session that has the lock. `$1` is its process.
    pub(crate) fn end_holder(&self) -> String {
        let lock = self.lock;
        format!(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 \
             AND ((classid::bigint << 32) | objid::bigint) = {lock} AND pid = $1::bigint"
        )
    }

    /// Returns the layout, the revision, the table of records, what is to be dropped and what was begun.
    pub(crate) fn head(&self) -> String {
        let schema = &self.schema;
        format!(
            "SELECT layout, revision, records, dropped, beginning FROM \"{schema}\".head WHERE one"
        )
    }

    pub(crate) fn revision(&self) -> String {
        format!("SELECT revision FROM \"{}\".head WHERE one", self.schema)
    }

    /// Whether there is a schema of the name `$1`.
    pub(crate) fn has_schema() -> &'static str {
        "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = convert_from($1, 'UTF8'))"
    }

    pub(crate) fn create_schema(&self) -> String {
        format!("CREATE SCHEMA \"{}\"", self.schema)
    }

    /// Creates the tables of a new store.
    pub(crate) fn create(&self) -> String {
        let schema = &self.schema;
        let records = self.create_records(FIRST);
        format!(
            "CREATE TABLE \"{schema}\".head (one boolean PRIMARY KEY DEFAULT true CHECK (one), layout smallint NOT NULL, \
             revision bigint NOT NULL, records bigint NOT NULL, dropped bigint[] NOT NULL, beginning bigint); \
             CREATE TABLE \"{schema}\".commits (revision bigint PRIMARY KEY, id bytea NOT NULL); \
             {records}; \
             INSERT INTO \"{schema}\".head (layout, revision, records, dropped) VALUES ({LAYOUT}, 0, {FIRST}, ARRAY[]::bigint[])"
        )
    }

    pub(crate) fn create_records(&self, records: i64) -> String {
        format!(
            "CREATE TABLE {} (tab smallint NOT NULL, key bytea NOT NULL, record bytea NOT NULL, PRIMARY KEY (tab, key))",
            self.records(records)
        )
    }

    /// Drops a table of records, and forgets that it is to be dropped.
    pub(crate) fn drop_records(&self, records: i64) -> String {
        let (schema, table) = (&self.schema, self.records(records));
        format!(
            "DROP TABLE IF EXISTS {table}; UPDATE \"{schema}\".head SET dropped = array_remove(dropped, {records})"
        )
    }

    /// Drops a table of records that nobody reads.
    pub(crate) fn discard_records(&self, records: i64) -> String {
        format!("DROP TABLE {}", self.records(records))
    }

    fn records(&self, records: i64) -> String {
        format!("\"{}\".records_{records}", self.schema)
    }

    /// Returns the position in the arguments and the record, of each place that has one. `$1` are tables, `$2` keys.
    pub(crate) fn get_many(&self, records: i64) -> String {
        let records = self.records(records);
        format!(
            "SELECT p.position, r.record FROM unnest($1, $2) WITH ORDINALITY AS p (tab, key, position) \
             JOIN {records} AS r ON r.tab = p.tab AND r.key = p.key"
        )
    }

    /// As [`get_many`](Self::get_many), with the revision and the table of records in the head. Has a row with nothing
    /// but those if there is no record. One statement sees one state, also outside of a transaction.
    pub(crate) fn get_many_with_head(&self, records: i64) -> String {
        let (schema, found) = (&self.schema, self.get_many(records));
        format!(
            "SELECT found.position, found.record, head.revision, head.records FROM \"{schema}\".head AS head \
             LEFT JOIN ({found}) AS found ON true WHERE head.one"
        )
    }

    /// Returns keys and records. `$1` is the table, `$2` how many, `$3` the first key or, with `after`, the one before
    /// that, and `$4` the first key behind the range, if there is one.
    pub(crate) fn scan(&self, records: i64, after: bool, has_end: bool) -> String {
        let mut sql = format!(
            "SELECT key, record FROM {} WHERE tab = $1 AND key {} $3",
            self.records(records),
            if after { ">" } else { ">=" }
        );
        if has_end {
            sql.push_str(" AND key < $4");
        }
        sql.push_str(" ORDER BY key LIMIT $2");
        sql
    }

    /// `$1` is the table, `$2` the first key and `$3` the first one behind the range, if there is one.
    pub(crate) fn delete_range(&self, records: i64, has_end: bool) -> String {
        let mut sql = format!(
            "DELETE FROM {} WHERE tab = $1 AND key >= $2",
            self.records(records)
        );
        if has_end {
            sql.push_str(" AND key < $3");
        }
        sql
    }

    /// `$1` are tables, `$2` keys.
    pub(crate) fn delete(&self, records: i64) -> String {
        let records = self.records(records);
        format!(
            "DELETE FROM {records} AS r USING unnest($1, $2) AS p (tab, key) WHERE r.tab = p.tab AND r.key = p.key"
        )
    }

    /// `$1` are tables, `$2` keys, `$3` records.
    pub(crate) fn put(&self, records: i64) -> String {
        let records = self.records(records);
        format!(
            "INSERT INTO {records} (tab, key, record) SELECT * FROM unnest($1, $2, $3) \
             ON CONFLICT (tab, key) DO UPDATE SET record = excluded.record"
        )
    }

    /// Increases the revision and enters the commit of the name `$1`. Whatever else two changes do, they meet here.
    ///
    /// `records` is the table that has the records from now on, and `gone` one that is of no use any more.
    pub(crate) fn commit(&self, records: i64, gone: Option<i64>, notifies: bool) -> String {
        let schema = &self.schema;
        let notified = match notifies {
            true => format!(", pg_notify('{}', '')", self.channel()),
            false => String::new(),
        };
        let mut set = format!(", records = {records}, beginning = NULL");
        if let Some(gone) = gone {
            // Writing to a string cannot fail.
            let _written = write!(set, ", dropped = dropped || ARRAY[{gone}]::bigint[]");
        }
        format!(
            "WITH now AS (UPDATE \"{schema}\".head SET revision = revision + 1{set} RETURNING revision{notified}), \
             entered AS (INSERT INTO \"{schema}\".commits (revision, id) SELECT revision, $1 FROM now) \
             DELETE FROM \"{schema}\".commits WHERE revision <= (SELECT revision FROM now) - {KEPT_COMMITS}"
        )
    }

    /// On which each commit says that there was one. A name of this length is not cut, unlike that of a schema with more.
    fn channel(&self) -> String {
        format!("mcplexer_{:016x}", self.lock)
    }

    /// Hears of each commit after this one.
    pub(crate) fn listen(&self) -> String {
        format!("LISTEN {}", self.channel())
    }

    /// Lets other commits wait until this one is done, also where the lock does nothing. Returns what [`head`](Self::head)
    /// does.
    pub(crate) fn keep_writers_out(&self) -> String {
        format!("{} FOR UPDATE", self.head())
    }

    /// Enters the table in which a replacement keeps the beginning of the next state.
    pub(crate) fn begin(&self, records: i64) -> String {
        format!("UPDATE \"{}\".head SET beginning = {records}", self.schema)
    }

    /// Makes every transaction that began before a conflict.
    pub(crate) fn fence(&self) -> String {
        format!(
            "UPDATE \"{}\".head SET revision = revision + 1",
            self.schema
        )
    }

    /// Whether there is a commit of the name `$1`.
    pub(crate) fn was_committed(&self) -> String {
        format!(
            "SELECT EXISTS (SELECT 1 FROM \"{}\".commits WHERE id = $1)",
            self.schema
        )
    }

    /// Reads every byte of the records, and returns how many there are.
    pub(crate) fn read_all(&self, records: i64) -> String {
        format!(
            "SELECT count(sha256(record)) FROM {}",
            self.records(records)
        )
    }
}

/// Returns the number of the lock for a schema: FNV-1a, 64 bits.
fn lock_number(schema: &str) -> i64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in b"mcplexer/".iter().chain(schema.as_bytes()) {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    i64::from_ne_bytes(hash.to_ne_bytes())
}
