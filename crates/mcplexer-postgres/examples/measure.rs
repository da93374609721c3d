//! Measures a store on PostgreSQL beside the bare statements, in one run: `measure URL`. It fills the schemas
//! `measure_store` and `measure_bare`, which must not exist.

use std::error::Error;
use std::io::Write;
use std::sync::Barrier;
use std::time::{Duration, Instant};
use std::{io, thread};

use mcplexer_postgres::{Address, PostgresBackend};
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{NewScope, PutMode, SecretName, SecretStore, SecretValue, Store};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls, Statement};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const SCOPES: usize = 20;
const NAMES: usize = 50;
const PAIRS: usize = 1000;
const WRITERS: usize = 16;
const PUTS: usize = 60;
const VALUE: usize = 40;
/// About what a record of a value of 40 bytes has.
const RECORD: usize = 400;

fn main() -> Result<()> {
    let url = std::env::args().nth(1).ok_or("usage: measure URL")?;
    let at = |schema: &str| format!("{url}?schema={schema}");
    let identity = Identity::generate();
    let open = || -> Result<Store> {
        let address: Address = at("measure_store").parse()?;
        let keys = FixedKeys::new(vec![identity.clone()]);
        Ok(Store::with_backend(PostgresBackend::new(address)?, keys)?)
    };
    let store = open()?;
    for number in 0..SCOPES * NAMES {
        put(&store, &scope(number / NAMES)?, &name(number % NAMES)?)?;
    }
    let bare = Bare::new(&url)?;
    let mut out = io::stdout().lock();

    let (mut gets, mut selects, mut puts, mut upserts) = (vec![], vec![], vec![], vec![]);
    for turn in 0..PAIRS + 50 {
        let (scope, name) = (&scope(turn * 7 % SCOPES)?, &name(turn * 3 % NAMES)?);
        let key = format!("{turn}").into_bytes();
        let took = [
            timed(|| get(&store, scope, name))?,
            timed(|| bare.select(&key))?,
            timed(|| put(&store, scope, name))?,
            timed(|| bare.upsert(&key))?,
        ];
        if turn >= 50 {
            for (all, took) in [&mut gets, &mut selects, &mut puts, &mut upserts]
                .into_iter()
                .zip(took)
            {
                all.push(took);
            }
        }
    }
    let all = [
        ("get", &mut gets),
        ("bare SELECT", &mut selects),
        ("put", &mut puts),
        ("bare upsert", &mut upserts),
    ];
    let mut medians = Vec::new();
    for (what, times) in all {
        medians.push(report(&mut out, what, times)?);
    }
    if let [get, select, put, upsert] = &*medians {
        let (reads, writes) = (ratio(*get, *select), ratio(*put, *upsert));
        writeln!(
            out,
            "get / bare SELECT = {reads:.2}, put / bare upsert = {writes:.2}"
        )?;
    }

    for (what, own) in [("in one scope", false), ("in scopes of their own", true)] {
        let barrier = Barrier::new(WRITERS + 1);
        let (mut times, took) = thread::scope(|threads| -> Result<_> {
            let mut writers = Vec::new();
            for writer in 0..WRITERS {
                let (store, scope) = (open()?, scope(if own { writer } else { 0 })?);
                let (barrier, name) = (&barrier, name(writer)?);
                writers.push(threads.spawn(move || -> Result<Vec<Duration>> {
                    put(&store, &scope, &name)?;
                    barrier.wait();
                    (0..PUTS)
                        .map(|_| timed(|| put(&store, &scope, &name)))
                        .collect()
                }));
            }
            barrier.wait();
            let begin = Instant::now();
            let mut times = Vec::new();
            for writer in writers {
                times.extend(writer.join().map_err(|_| "a writer panicked")??);
            }
            Ok((times, begin.elapsed()))
        })?;
        let rate = f64::from(u32::try_from(times.len())?) / took.as_secs_f64();
        writeln!(out, "{WRITERS} writers {what}: {rate:.0} puts/s")?;
        report(&mut out, "  a put", &mut times)?;
    }
    Ok(())
}

fn scope(number: usize) -> Result<NewScope> {
    Ok(NewScope::env(format!("scope-{number}").parse()?))
}

fn name(number: usize) -> Result<SecretName> {
    Ok(format!("KEY_{number}").parse()?)
}

fn get(store: &Store, scope: &NewScope, name: &SecretName) -> Result<()> {
    store.get(&scope.id, name)?;
    Ok(())
}

fn put(store: &Store, scope: &NewScope, name: &SecretName) -> Result<()> {
    let value = SecretValue::new(vec![b'x'; VALUE])?;
    store.put(scope, name, &value, PutMode::Overwrite)?;
    Ok(())
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let begin = Instant::now();
    work()?;
    Ok(begin.elapsed())
}

fn ratio(one: Duration, two: Duration) -> f64 {
    one.as_secs_f64() / two.as_secs_f64()
}

/// Prints the median, the 99th percentile and the maximum; returns the median.
fn report(out: &mut impl Write, what: &str, times: &mut [Duration]) -> Result<Duration> {
    times.sort_unstable();
    let at = |part: usize| {
        times
            .get((times.len() - 1) * part / 100)
            .copied()
            .ok_or("nothing was measured")
    };
    let (median, late, last) = (at(50)?, at(99)?, at(100)?);
    writeln!(
        out,
        "{what}: p50 {median:.1?}, p99 {late:.1?}, max {last:.1?}"
    )?;
    Ok(median)
}

/// The least that a program on PostgreSQL has to do.
struct Bare {
    runtime: Runtime,
    client: Client,
    select: Statement,
    upsert: Statement,
}

impl Bare {
    fn new(url: &str) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (client, select, upsert) = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            client
                .batch_execute(
                    "CREATE SCHEMA measure_bare; CREATE TABLE measure_bare.records (key bytea PRIMARY KEY, record bytea NOT NULL)",
                )
                .await?;
            let select = client.prepare("SELECT record FROM measure_bare.records WHERE key = $1").await?;
            let upsert = client
                .prepare("INSERT INTO measure_bare.records VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET record = excluded.record")
                .await?;
            Ok::<_, tokio_postgres::Error>((client, select, upsert))
        })?;
        let bare = Self {
            runtime,
            client,
            select,
            upsert,
        };
        for number in 0..PAIRS + 50 {
            bare.upsert(format!("{number}").as_bytes())?;
        }
        Ok(bare)
    }

    fn select(&self, key: &[u8]) -> Result<()> {
        let rows = self
            .runtime
            .block_on(self.client.query(&self.select, &[&key]))?;
        rows.first()
            .ok_or("the record is missing")?
            .try_get::<_, Vec<u8>>(0)?;
        Ok(())
    }

    fn upsert(&self, key: &[u8]) -> Result<()> {
        let record = vec![b'x'; RECORD];
        self.runtime
            .block_on(self.client.execute(&self.upsert, &[&key, &record]))?;
        Ok(())
    }
}
