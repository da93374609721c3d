//! Calls that come together, and what they cost.

use std::thread;

use tokio::runtime::Builder;

use super::*;

/// Calls from so many tasks at the same time, so often from each.
async fn call_at_once(client: &Arc<Client>, tasks: usize, calls: usize) {
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let client = Arc::clone(client);
            tokio::spawn(async move {
                for _ in 0..calls {
                    let call = client.tool().await;
                    call.finish(&answer(r#"{"id":1,"result":{}}"#));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Many at once, from each of so many threads: each is in the log when its call returns, and they share their writes.
fn burst(threads: usize, many: usize) {
    let directory = tempfile::tempdir().unwrap();
    let client = Arc::new(Client::new(&directory));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let runtime = Builder::new_current_thread().build().unwrap();
                runtime.block_on(call_at_once(&client, many, 20));
            });
        }
    });
    client.calls.stop();
    let lines = lines(&directory);
    assert_eq!(lines.len(), 40 * threads * many);
    let mut open = std::collections::HashSet::new();
    for line in lines {
        let id = line.call.unwrap().id;
        match line.operation {
            AuditOperation::Call => assert!(open.insert(id)),
            _ => assert!(open.remove(&id)),
        }
    }
    assert!(open.is_empty());
    let store = home(&directory);
    let log = directory.path().join("home/audit.log");
    store.store().verify_audit(&log, None).unwrap();
}

#[test]
fn a_burst_is_recorded_whole() {
    burst(1, 32);
}

#[test]
fn a_burst_of_several_threads_is_recorded_whole() {
    burst(4, 8);
}

#[tokio::test]
async fn calls_that_come_together_are_written_together() {
    let directory = tempfile::tempdir().unwrap();
    let client = Arc::new(Client::new(&directory));
    // The thread has begun the log.
    drop(client.tool().await);
    let held = client.tool().await;
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let client = Arc::clone(&client);
            tokio::spawn(async move { client.tool().await })
        })
        .collect();
    let before = client.calls.shared.writer.writes();
    for task in tasks {
        task.await
            .unwrap()
            .finish(&answer(r#"{"id":1,"result":{}}"#));
    }
    drop(held);
    let writes = client.calls.shared.writer.writes() - before;
    assert!(writes <= 4, "{writes} writes");
}

/// What one call costs. `cargo nextest run -p mcplexer-gateway --release --run-ignored only -- figures --nocapture`
#[tokio::test]
#[ignore = "prints figures"]
async fn figures() {
    let directory = tempfile::tempdir().unwrap();
    let client = Arc::new(Client::new(&directory));
    let mut times = Vec::new();
    for _ in 0..20_000 {
        let begun = Instant::now();
        let recorded = client.tool().await;
        recorded.finish(&answer(r#"{"id":1,"result":{}}"#));
        times.push(begun.elapsed());
    }
    times.sort();
    let of = |thousandth: usize| times[times.len() * thousandth / 1000];
    println!(
        "one: p50 {:?}, p99 {:?}, max {:?}",
        of(500),
        of(990),
        times.last()
    );
    let begun = Instant::now();
    call_at_once(&client, 32, 2000).await;
    let each = begun.elapsed() / 64_000;
    println!("32 at once: {each:?} each");
    let begun = Instant::now();
    client.calls.stop();
    println!("stop: {:?}", begun.elapsed());
    // What another process pays that looks for the last line with the state of the store.
    let scope = mcplexer_secrets::NewScope::env("s".parse().unwrap());
    let store = home(&directory);
    store.store().create_scope(&scope).unwrap();
    let opened = || {
        let mut times: Vec<_> = (0..500)
            .map(|_| {
                let begun = Instant::now();
                home(&directory).store().scope_names().unwrap();
                begun.elapsed()
            })
            .collect();
        times.sort();
        times[250]
    };
    println!("another process, after a change: {:?}", opened());
    let client = Client::new(&directory);
    for _ in 0..127 {
        drop(client.tool().await);
    }
    client.calls.stop();
    println!("another process, after 127 calls: {:?}", opened());
}
