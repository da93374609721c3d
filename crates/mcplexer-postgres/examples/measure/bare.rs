//! The least that a program on PostgreSQL has to do.

use mcplexer_secrets::backend::Table;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls, Statement};

use crate::Result;
use crate::noted::Place;

/// As the store's connections: every statement finds rows by their keys.
const SETTINGS: &str = "SET jit = off; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
                        SET enable_hashjoin = off; SET enable_mergejoin = off";
const COPY: &str = "CREATE SCHEMA measure_bare; \
                    CREATE TABLE measure_bare.records (LIKE measure_store.{records} INCLUDING ALL); \
                    INSERT INTO measure_bare.records SELECT * FROM measure_store.{records}";
const SELECT: &str = "SELECT record FROM measure_bare.records WHERE tab = $1 AND key = $2";
const SELECT_MANY: &str = "SELECT p.position, r.record FROM unnest($1::smallint[], $2::bytea[]) \
                           WITH ORDINALITY AS p (tab, key, position) \
                           JOIN measure_bare.records AS r ON r.tab = p.tab AND r.key = p.key";
const UPSERT: &str = "INSERT INTO measure_bare.records VALUES ($1, $2, $3) \
                      ON CONFLICT (tab, key) DO UPDATE SET record = excluded.record";

/// A copy of the store's records in a table of the same layout, and prepared statements.
pub(crate) struct Bare {
    runtime: Runtime,
    client: Client,
    select: Statement,
    select_many: Statement,
    upsert: Statement,
}

impl Bare {
    pub(crate) fn copy(url: &str) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (client, select, select_many, upsert) = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            let head = "SELECT records FROM measure_store.head";
            let records: i64 = client.query_one(head, &[]).await?.try_get(0)?;
            let table = format!("records_{records}");
            client
                .batch_execute(&COPY.replace("{records}", &table))
                .await?;
            for table in [&*format!("measure_store.{table}"), "measure_bare.records"] {
                client
                    .batch_execute(&format!("VACUUM ANALYZE {table}"))
                    .await?;
            }
            client.batch_execute(SETTINGS).await?;
            let select = client.prepare(SELECT).await?;
            let select_many = client.prepare(SELECT_MANY).await?;
            let upsert = client.prepare(UPSERT).await?;
            Ok::<_, tokio_postgres::Error>((client, select, select_many, upsert))
        })?;
        Ok(Self {
            runtime,
            client,
            select,
            select_many,
            upsert,
        })
    }

    /// Reads one record.
    pub(crate) fn select(&self, (table, key): &Place) -> Result<Vec<u8>> {
        let tab = tab(*table)?;
        let row = self
            .runtime
            .block_on(self.client.query_one(&self.select, &[&tab, key]))?;
        Ok(row.try_get(0)?)
    }

    /// Reads records; returns how many there are.
    pub(crate) fn select_many(&self, places: &[Place]) -> Result<usize> {
        let tabs = places.iter().map(|(table, _)| tab(*table));
        let tabs = tabs.collect::<Result<Vec<_>>>()?;
        let keys: Vec<_> = places.iter().map(|(_, key)| &**key).collect();
        let rows = self
            .runtime
            .block_on(self.client.query(&self.select_many, &[&tabs, &keys]))?;
        let mut records = Vec::with_capacity(rows.len());
        for row in &rows {
            records.push(row.try_get::<_, Vec<u8>>(1)?);
        }
        Ok(records.len())
    }

    /// Writes a record.
    pub(crate) fn upsert(&self, (table, key): &Place, record: &[u8]) -> Result<()> {
        let tab = tab(*table)?;
        self.runtime
            .block_on(self.client.execute(&self.upsert, &[&tab, key, &record]))?;
        Ok(())
    }
}

fn tab(table: Table) -> Result<i16> {
    let at = Table::ALL.iter().position(|it| *it == table);
    Ok(i16::try_from(at.ok_or("an unknown table")?)?)
}
