//! Several writers of one store at the same time, and a reader beside them: how long each put and each get takes.
//!
//! `writers COUNT PUTS` runs COUNT processes first, each of which puts PUTS times, and then as many threads of one
//! process, each with a store that it opened itself. The reader goes on until the writers are done.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mcplexer_benches::{open, target, value};
use mcplexer_secrets::audit::FileAudit;
use mcplexer_secrets::{NewScope, PutMode, SecretStore, Store};

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match *arguments.as_slice() {
        ["put", home, puts] => {
            for took in put(Path::new(home), puts.parse()?)? {
                writeln!(io::stdout(), "{}", took.as_micros())?;
            }
            Ok(())
        }
        [writers, puts] => measure(writers.parse()?, puts),
        _ => Err("usage: writers COUNT PUTS".into()),
    }
}

fn measure(writers: usize, puts: &str) -> Result<(), Failure> {
    let heading = "             times   median      p99    worst  p99 / median";
    writeln!(io::stdout(), "{heading}")?;
    let directory = tempfile::tempdir()?;
    let home = directory.path();
    put(home, 1)?;
    let processes = beside_reader(home, || {
        let run = |_| {
            let program = std::env::current_exe()?;
            Command::new(program)
                .args(["put".as_ref(), home.as_os_str(), puts.as_ref()])
                .stdout(Stdio::piped())
                .spawn()
        };
        let children: Vec<_> = (0..writers).map(run).collect::<Result<_, _>>()?;
        let took = children.into_iter().map(times);
        Ok(took.collect::<Result<Vec<_>, _>>()?.concat())
    });
    report("processes", processes?)?;
    let puts = puts.parse()?;
    let threads = beside_reader(home, || {
        thread::scope(|scope| {
            let run = |_| scope.spawn(|| put(home, puts));
            let threads: Vec<_> = (0..writers).map(run).collect();
            let took = threads
                .into_iter()
                .map(|it| it.join().map_err(|_| "a thread panicked")?);
            Ok(took.collect::<Result<Vec<_>, Failure>>()?.concat())
        })
    });
    report("threads", threads?)
}

fn store(home: &Path) -> Result<Store, Failure> {
    Ok(open(home)?.with_audit_log(FileAudit::new(home.join("audit.log"))))
}

/// Puts so many times, and returns how long each took.
fn put(home: &Path, puts: usize) -> Result<Vec<Duration>, Failure> {
    let store = store(home)?;
    let (scope, name) = target()?;
    let (scope, value) = (NewScope::env(scope), value()?);
    let mut took = Vec::with_capacity(puts);
    for _ in 0..puts {
        let begin = Instant::now();
        store.put(&scope, &name, &value, PutMode::Overwrite)?;
        took.push(begin.elapsed());
    }
    Ok(took)
}

/// What a process says about its puts.
fn times(mut child: Child) -> Result<Vec<Duration>, Failure> {
    let output = child.stdout.take().ok_or("no output")?;
    let mut took = Vec::new();
    for line in BufReader::new(output).lines() {
        took.push(Duration::from_micros(line?.parse()?));
    }
    match child.wait()?.success() {
        true => Ok(took),
        false => Err("a writer failed".into()),
    }
}

/// Lets a reader get again and again while the writers write, and reports how long it took.
fn beside_reader(
    home: &Path,
    writers: impl FnOnce() -> Result<Vec<Duration>, Failure>,
) -> Result<Vec<Duration>, Failure> {
    let store = store(home)?;
    let (scope, name) = target()?;
    let are_done = AtomicBool::new(false);
    thread::scope(|threads| {
        let reader = threads.spawn(|| {
            let mut took = Vec::new();
            while !are_done.load(Ordering::Relaxed) {
                let begin = Instant::now();
                store.get(&scope, &name)?;
                took.push(begin.elapsed());
                thread::sleep(Duration::from_millis(2));
            }
            Ok::<_, Failure>(took)
        });
        let written = writers();
        are_done.store(true, Ordering::Relaxed);
        let read = reader.join().map_err(|_| "the reader panicked")??;
        report("gets beside", read)?;
        written
    })
}

fn report(what: &str, mut took: Vec<Duration>) -> Result<(), Failure> {
    took.sort_unstable();
    let at = |part: usize| took.get(took.len() * part / 100).copied();
    let (Some(median), Some(p99), Some(worst)) = (at(50), at(99), took.last()) else {
        return Err("nothing was measured".into());
    };
    let ms = |it: Duration| it.as_secs_f64() * 1000.0;
    writeln!(
        io::stdout(),
        "{what:<12} {:5} {:5.2} ms {:5.2} ms {:5.1} ms {:13.1}",
        took.len(),
        ms(median),
        ms(p99),
        ms(*worst),
        ms(p99) / ms(median),
    )?;
    Ok(())
}
