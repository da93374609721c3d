//! Measures a store in etcd: `measure ADDRESS [WRITERS [PUTS]]`, such as `measure etcd://localhost/test?tls=off`.
//!
//! Each writer has a secret of its own. First one alone puts and gets, then all at the same time: with handles of their own,
//! as several programs have them, and with one handle.

use std::error::Error;
use std::fmt;
use std::io::Write;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use mcplexer_etcd::{Address, EtcdBackend};
use mcplexer_secrets::audit::MemoryAudit;
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{NewScope, PutMode, SecretStore, SecretValue, Store};

type Failed = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let text = arguments.next().ok_or("which address?")?;
    let address: Address = text.parse()?;
    let writers: usize = arguments.next().map_or(Ok(16), |it| it.parse())?;
    let puts: usize = arguments.next().map_or(Ok(100), |it| it.parse())?;
    let identity = Identity::generate();
    let open = || -> Result<Store, Failed> {
        let keys = FixedKeys::new(vec![identity.clone()]);
        let store = Store::with_backend(EtcdBackend::new(address.clone(), None)?, keys)?;
        Ok(store.with_audit_log(MemoryAudit::new()?))
    };

    put(&open()?, "FIRST", 1)?;
    report("puts of one writer", &put(&open()?, "ALONE", puts)?)?;
    report("gets", &get(&open()?, puts)?)?;
    let stores = (0..writers)
        .map(|_| open())
        .collect::<Result<Vec<_>, _>>()?;
    let puts_of = |stores: &[&Store]| together(stores, puts);
    let all = puts_of(&stores.iter().collect::<Vec<_>>())?;
    report(&format!("{writers} writers, {all}"), &all.took)?;
    let one = open()?;
    let all = puts_of(&vec![&one; writers])?;
    report(
        &format!("{writers} threads of one handle, {all}"),
        &all.took,
    )
}

/// What several writers did at the same time.
struct Together {
    took: Vec<Duration>,
    begun: Instant,
    ended: Instant,
}

impl fmt::Display for Together {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let puts = u32::try_from(self.took.len()).unwrap_or(u32::MAX);
        let seconds = (self.ended - self.begun).as_secs_f64();
        write!(f, "{:.0} puts/s", f64::from(puts) / seconds)
    }
}

/// Puts so many times with each of these, all at the same time.
fn together(stores: &[&Store], puts: usize) -> Result<Together, Failed> {
    let begun = Instant::now();
    let (tell, told) = mpsc::channel();
    thread::scope(|threads| {
        for (writer, store) in stores.iter().enumerate() {
            let tell = tell.clone();
            threads.spawn(move || tell.send(put(store, &format!("KEY_{writer}"), puts)));
        }
        drop(tell);
        let mut took = Vec::new();
        for each in told {
            took.extend(each?);
        }
        let ended = Instant::now();
        Ok(Together { took, begun, ended })
    })
}

/// Puts a secret so many times, and returns how long each took.
fn put(store: &Store, name: &str, puts: usize) -> Result<Vec<Duration>, Failed> {
    let (scope, name) = (NewScope::env("s".parse()?), name.parse()?);
    let value = SecretValue::new(vec![7; 40])?;
    let mut took = Vec::with_capacity(puts);
    for _ in 0..puts {
        let begun = Instant::now();
        store.put(&scope, &name, &value, PutMode::Overwrite)?;
        took.push(begun.elapsed());
    }
    Ok(took)
}

/// Gets a secret so many times, and returns how long each took.
fn get(store: &Store, gets: usize) -> Result<Vec<Duration>, Failed> {
    let (scope, name) = ("s".parse()?, "FIRST".parse()?);
    let mut took = Vec::with_capacity(gets);
    for _ in 0..gets {
        let begun = Instant::now();
        store.get(&scope, &name)?;
        took.push(begun.elapsed());
    }
    Ok(took)
}

fn report(what: &str, took: &[Duration]) -> Result<(), Failed> {
    let mut sorted = took.to_vec();
    sorted.sort_unstable();
    let at = |part: usize| sorted.get(sorted.len() * part / 100).or(sorted.last());
    let of = |part| at(part).copied().unwrap_or_default();
    let (p50, p99, longest) = (of(50), of(99), of(100));
    let ratio = p99.as_secs_f64() / p50.as_secs_f64();
    let out = &mut std::io::stdout();
    writeln!(
        out,
        "{what}: p50 {p50:.1?}, p99 {p99:.1?} ({ratio:.1} times), longest {longest:.1?}"
    )?;
    Ok(())
}
