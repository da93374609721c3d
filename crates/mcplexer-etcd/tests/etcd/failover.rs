//! The leader of three nodes is killed or stopped while several programs write.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use mcplexer_secrets::audit::MemoryAudit;
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{
    Error, ErrorKind, NewScope, PutMode, ScopeId, SecretName, SecretStore, SecretValue, Store,
};
use rustix::process::Signal;

use crate::cluster::Cluster;

/// How long all writers may take until each has done its share.
const PATIENCE: Duration = Duration::from_secs(180);

/// How the leader fails.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// It is killed, and started again later.
    Killed,
    /// It is stopped, and goes on later, as if nothing had been.
    Stopped,
}

/// What a writer was told about its puts.
#[derive(Debug, Default)]
struct Told {
    acknowledged: u64,
    unknown: u64,
    failed: Vec<Error>,
    longest: Duration,
}

/// A store that several programs write to, each a secret of its own.
struct Load<'c> {
    cluster: &'c Cluster,
    prefix: String,
    identity: Identity,
    is_over: AtomicBool,
}

impl Load<'_> {
    fn store(&self) -> Store {
        let keys = FixedKeys::new(vec![self.identity.clone()]);
        let store = Store::with_backend(self.cluster.open(&self.prefix), keys);
        let log = MemoryAudit::new().unwrap();
        store.unwrap().with_audit_log(log)
    }

    /// Puts until it is over, and tells of each put that was acknowledged.
    fn write(&self, secret: &SecretName, acknowledged: &Sender<SecretName>) -> Told {
        let store = self.store();
        let mut told = Told::default();
        let mut number = 0_u64;
        while !self.is_over.load(Ordering::Relaxed) {
            number += 1;
            let begun = Instant::now();
            let value = SecretValue::new(number.to_string().into_bytes()).unwrap();
            let scope = NewScope::env(scope());
            match store.put(&scope, secret, &value, PutMode::Overwrite) {
                Ok(_) => {
                    told.acknowledged += 1;
                    let _nobody_counts = acknowledged.send(secret.clone());
                }
                Err(error) if error.kind() == ErrorKind::OutcomeUnknown => told.unknown += 1,
                Err(error) => told.failed.push(error),
            }
            told.longest = told.longest.max(begun.elapsed());
        }
        told
    }
}

fn scope() -> ScopeId {
    "s".parse().unwrap()
}

/// Waits until each of so many writers had so many puts acknowledged.
fn wait_for_puts(acknowledged: &Receiver<SecretName>, writers: usize, puts: usize) {
    let mut done = BTreeMap::<SecretName, usize>::new();
    let until = Instant::now() + PATIENCE;
    while done.values().filter(|it| **it >= puts).count() < writers {
        let left = until.saturating_duration_since(Instant::now());
        let Ok(secret) = acknowledged.recv_timeout(left) else {
            panic!("a writer does not go on: {done:?}");
        };
        *done.entry(secret).or_default() += 1;
    }
}

/// Returns how many puts were acknowledged.
fn round(cluster: &mut Cluster, fault: Fault, writers: usize, puts: usize) -> u64 {
    let names: Vec<SecretName> = (0..writers)
        .map(|writer| format!("KEY_{writer}").parse().unwrap())
        .collect();
    let leader = cluster.leader();
    let pid = cluster.pid(leader);
    let (tell, acknowledged) = channel();
    let load = Load {
        prefix: cluster.new_prefix(),
        cluster,
        identity: Identity::generate(),
        is_over: AtomicBool::new(false),
    };
    let told: Vec<Told> = thread::scope(|threads| {
        let write = |secret| {
            let (load, tell) = (&load, tell.clone());
            threads.spawn(move || load.write(secret, &tell))
        };
        let running: Vec<_> = names.iter().map(write).collect();
        wait_for_puts(&acknowledged, writers, puts);
        let signal = match fault {
            Fault::Killed => Signal::KILL,
            Fault::Stopped => Signal::STOP,
        };
        rustix::process::kill_process(pid, signal).unwrap();
        wait_for_puts(&acknowledged, writers, puts);
        if let Fault::Stopped = fault {
            rustix::process::kill_process(pid, Signal::CONT).unwrap();
            wait_for_puts(&acknowledged, writers, puts);
        }
        load.is_over.store(true, Ordering::Relaxed);
        running.into_iter().map(|it| it.join().unwrap()).collect()
    });

    let store = load.store();
    for (name, told) in names.iter().zip(&told) {
        // Each put that was applied makes a version.
        let applied = store.secret_info(&scope(), name).unwrap().version;
        let acknowledged = told.acknowledged;
        let what = format!("{name}: {applied} were applied, and {told:?}");
        assert!(applied >= acknowledged, "a put was lost. {what}");
        let most = acknowledged + told.unknown;
        assert!(applied <= most, "a put that failed was applied. {what}");
    }
    store
        .check(&mut |found| panic!("{found}"), &mut |_| {})
        .unwrap();
    let count = |count: fn(&Told) -> u64| told.iter().map(count).sum::<u64>();
    let acknowledged = count(|it| it.acknowledged);
    let longest = told.iter().map(|it| it.longest).max().unwrap();
    println!(
        "{fault:?} leader, {writers} writers: {acknowledged} puts acknowledged, {} unknown, {} failed, the longest took {longest:?}",
        count(|it| it.unknown),
        count(|it| it.failed.len() as u64),
    );
    drop(store);
    if let Fault::Killed = fault {
        cluster.restart(leader);
    }
    acknowledged
}

#[test]
fn no_put_is_lost_with_the_leader() {
    let Some(mut cluster) = Cluster::start(3) else {
        return;
    };
    round(&mut cluster, Fault::Killed, 4, 5);
    round(&mut cluster, Fault::Stopped, 4, 5);
}

#[test]
#[ignore = "takes minutes"]
fn no_put_is_lost_with_the_leader_in_ten_rounds() {
    let Some(mut cluster) = Cluster::start(3) else {
        return;
    };
    let mut acknowledged = 0;
    for number in 0..10 {
        let writers = if number % 2 == 0 { 4 } else { 16 };
        acknowledged += round(&mut cluster, Fault::Killed, writers, 30);
        acknowledged += round(&mut cluster, Fault::Stopped, writers, 30);
    }
    println!("{acknowledged} puts acknowledged, none lost, none applied that failed");
}
