//! Measures a store on PostgreSQL beside the bare statements, in one run: `measure URL [SCOPES NAMES]`. It fills the
//! schemas `measure_store` and `measure_bare`, which must not exist, with so many scopes and secrets in each.

mod bare;
mod noted;

use std::error::Error;
use std::io::Write;
use std::sync::Barrier;
use std::time::{Duration, Instant};
use std::{io, thread};

use mcplexer_postgres::{Address, PostgresBackend};
use mcplexer_secrets::backend::Table;
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{
    NewScope, OnConflict, PutMode, RotateIdentity, SecretName, SecretStore, SecretValue, Store,
};

use crate::bare::Bare;
use crate::noted::{Noted, Notes, Place};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const PAIRS: usize = 1000;
const UNTIMED: usize = 50;
const WRITERS: usize = 16;
const PUTS: usize = 60;
const VALUE: usize = 40;
/// How many secrets are imported at once.
const IMPORTED: usize = 20_000;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments
        .next()
        .ok_or("usage: measure URL [SCOPES NAMES]")?;
    let mut count = |default| arguments.next().map_or(Ok(default), |it| it.parse());
    let (scopes, names) = (count(20)?, count(50)?);
    let identity = Identity::generate();
    let backend = || -> Result<PostgresBackend> {
        let address: Address = format!("{url}?schema=measure_store").parse()?;
        Ok(PostgresBackend::new(address)?)
    };
    let keys = || FixedKeys::new(vec![identity.clone()]);
    let open = || Ok(Store::with_backend(backend()?, keys())?);
    let store: Store = open()?;
    let mut out = io::stdout().lock();

    let filled = timed(|| fill(&store, scopes, names))?;
    writeln!(
        out,
        "{} secrets in {scopes} scopes, filled in {filled:.1?}",
        scopes * names
    )?;
    let bare = Bare::copy(&url)?;
    let notes = Notes::default();
    let noted = Noted {
        inner: backend()?,
        notes: notes.clone(),
    };
    let noted = Store::with_backend(noted, keys())?;
    measure_pairs(&mut out, &store, &noted, &notes, &bare, (scopes, names))?;
    measure_writers(&mut out, &open)?;
    let took = timed(|| {
        store.rotate(RotateIdentity::Keep, &mut |_| ())?;
        Ok(())
    })?;
    writeln!(out, "new keys for {} secrets: {took:.1?}", scopes * names)?;
    Ok(())
}

fn fill(store: &Store, scopes: usize, names: usize) -> Result<()> {
    let secrets = (0..names).map(|number| Ok((name(number)?, value()?)));
    let secrets = secrets.collect::<Result<Vec<_>>>()?;
    let all = (0..scopes).map(|number| Ok((scope(number)?, &*secrets)));
    let all = all.collect::<Result<Vec<_>>>()?;
    for imports in all.chunks((IMPORTED / names).max(1)) {
        store.import_all(imports, OnConflict::Fail)?;
    }
    Ok(())
}

/// Reads secrets of all scopes in turns with the bare statements, and then writes them.
fn measure_pairs(
    out: &mut impl Write,
    store: &Store,
    noted: &Store,
    notes: &Notes,
    bare: &Bare,
    (scopes, names): (usize, usize),
) -> Result<()> {
    let places = (0..PAIRS + UNTIMED).map(|turn| {
        // Far apart, and each in another scope than the one before.
        let number = turn * 7919 % (scopes * names);
        let (scope, name) = (scope(number % scopes)?, name(number / scopes)?);
        // The first get learns what the others have changed.
        get(noted, &scope, &name)?;
        notes.take();
        get(noted, &scope, &name)?;
        Ok((scope, name, notes.take()))
    });
    let places = places.collect::<Result<Vec<_>>>()?;
    let own = |places: &[Place]| -> Result<Place> {
        let mut places = places.iter();
        let own = places.find(|(table, _)| *table == Table::Secrets);
        Ok(own.ok_or("no secret was read")?.clone())
    };
    let (mut gets, mut selects, mut rows) = (vec![], vec![], vec![]);
    let mut records = 0;
    for (turn, (scope, name, places)) in places.iter().enumerate() {
        let mut of_store = || measure(turn, &mut gets, || get(store, scope, name));
        // What comes second finds the pages in the caches of the processor.
        if turn % 2 == 0 {
            of_store()?;
        }
        measure(turn, &mut selects, || {
            records += bare.select_many(places)?;
            Ok(())
        })?;
        if turn % 2 == 1 {
            of_store()?;
        }
        let own = own(places)?;
        measure(turn, &mut rows, || bare.select(&own).map(drop))?;
    }
    let (mut puts, mut upserts) = (vec![], vec![]);
    for (turn, (scope, name, places)) in places.iter().enumerate() {
        let own = own(places)?;
        let record = bare.select(&own)?;
        measure(turn, &mut puts, || put(store, scope, name))?;
        measure(turn, &mut upserts, || bare.upsert(&own, &record))?;
    }
    let get = report(out, "get", &mut gets)?;
    let select = report(out, "bare SELECT of the same records", &mut selects)?;
    let row = report(out, "bare SELECT of one of them", &mut rows)?;
    let put = report(out, "put", &mut puts)?;
    let upsert = report(out, "bare upsert", &mut upserts)?;
    writeln!(
        out,
        "records a get: {:.1}",
        ratio_of(records, PAIRS + UNTIMED)?
    )?;
    writeln!(
        out,
        "get / bare SELECT of the same records = {:.2}, of one = {:.2}; put / bare upsert = {:.2}",
        ratio(get, select),
        ratio(get, row),
        ratio(put, upsert)
    )?;
    Ok(())
}

fn measure_writers(out: &mut impl Write, open: &dyn Fn() -> Result<Store>) -> Result<()> {
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
        report(out, "  a put", &mut times)?;
    }
    Ok(())
}

fn ratio_of(one: usize, two: usize) -> Result<f64> {
    Ok(f64::from(u32::try_from(one)?) / f64::from(u32::try_from(two)?))
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
    store.put(scope, name, &value()?, PutMode::Overwrite)?;
    Ok(())
}

fn value() -> Result<SecretValue> {
    Ok(SecretValue::new(vec![b'x'; VALUE])?)
}

/// Measures what is done in a turn, unless it is one of the first.
fn measure(
    turn: usize,
    times: &mut Vec<Duration>,
    work: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let took = timed(work)?;
    times.extend((turn >= UNTIMED).then_some(took));
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
