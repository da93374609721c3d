//! Writers that keep count of what was acknowledged, while answers get lost.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;

use mcplexer_postgres::{Address, PostgresBackend};
use mcplexer_secrets::audit::MemoryAudit;
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{
    Error, ErrorKind, NewScope, PutMode, ScopeId, SecretName, SecretStore, SecretValue, Store,
};

/// What one writer was told.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Told {
    /// Changes that were acknowledged.
    pub(crate) acknowledged: u32,
    /// Changes of which nobody knows.
    pub(crate) unknown: u32,
    /// Changes that were refused, and not made.
    pub(crate) failed: u32,
}

/// How many changes were acknowledged so far.
#[derive(Default)]
pub(crate) struct Progress {
    acknowledged: Mutex<u32>,
    more: Condvar,
    has_ended: AtomicU32,
}

impl Progress {
    fn add(&self) {
        *self.acknowledged.lock().unwrap() += 1;
        self.more.notify_all();
    }

    /// Waits until so many changes were acknowledged.
    pub(crate) fn wait_for(&self, count: u32) {
        let acknowledged = self.acknowledged.lock().unwrap();
        let is_less = |it: &mut u32| *it < count && self.has_ended.load(Ordering::Relaxed) == 0;
        drop(self.more.wait_while(acknowledged, is_less).unwrap());
    }
}

fn id() -> ScopeId {
    "s".parse().unwrap()
}

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

fn value(number: u32) -> SecretValue {
    SecretValue::new(number.to_string().into_bytes()).unwrap()
}

fn open(address: &Address, identity: &Identity) -> Store {
    loop {
        let backend = PostgresBackend::new(address.clone()).unwrap();
        let keys = FixedKeys::new(vec![identity.clone()]);
        // It looks whether there is a store, which may fail as everything else.
        if let Ok(store) = Store::with_backend(backend, keys) {
            return store.with_audit_log(MemoryAudit::new().unwrap());
        }
    }
}

fn number(store: &Store, secret: &str) -> Result<(u32, u64), Error> {
    let version = store.secret_info(&id(), &name(secret))?.version;
    let value = store.get_version(&id(), &name(secret), version)?;
    let text = std::str::from_utf8(value.expose()).unwrap();
    Ok((text.parse().unwrap(), version))
}

/// Adds one, if nobody else does meanwhile.
fn increment(store: &Store, secret: &str) -> Result<(), Error> {
    let (now, version) = number(store, secret)?;
    let mode = PutMode::Replace { version };
    let put = store.put(&NewScope::env(id()), &name(secret), &value(now + 1), mode);
    put.map(drop)
}

/// Lets so many writers increment a number of their own and one of all, each until `count` changes were acknowledged,
/// while `trouble` does its work. Checks the numbers against what the writers were told.
///
/// `calm` is an address at which nothing gets lost.
pub(crate) fn survive(
    calm: &Address,
    address: &Address,
    writers: u32,
    count: u32,
    trouble: impl FnOnce(&Progress),
) -> Told {
    let identity = Identity::generate();
    let store = open(calm, &identity);
    let scope = NewScope::env(id());
    let own = |writer: u32| format!("COUNT_{writer}");
    for secret in (0..writers).map(own).chain(["COUNT".to_owned()]) {
        store
            .put(&scope, &name(&secret), &value(0), PutMode::Overwrite)
            .unwrap();
    }
    let progress = Progress::default();
    let told: Vec<[Told; 2]> = thread::scope(|scope| {
        let working: Vec<_> = (0..writers)
            .map(|writer| {
                let (progress, identity) = (&progress, &identity);
                scope.spawn(move || {
                    let _end = End(progress);
                    let store = open(address, identity);
                    let secrets = [own(writer), "COUNT".to_owned()];
                    let mut told = [Told::default(); 2];
                    while told.iter().map(|it| it.acknowledged).sum::<u32>() < count {
                        for (secret, told) in secrets.iter().zip(&mut told) {
                            tell(increment(&store, secret), told, progress);
                        }
                    }
                    told
                })
            })
            .collect();
        trouble(&progress);
        working.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let mut sum = Told::default();
    let mut require = |secret: &str, told: Told| {
        let (number, version) = number(&store, secret).unwrap();
        let range = told.acknowledged..=told.acknowledged + told.unknown;
        assert!(range.contains(&number), "{secret}: {number}, but {told:?}");
        assert_eq!(version, u64::from(number) + 1, "{secret}: one version each");
        sum = add(sum, told);
    };
    let mut of_all = Told::default();
    for (writer, [own_told, shared]) in (0..writers).zip(&told) {
        require(&own(writer), *own_told);
        of_all = add(of_all, *shared);
    }
    require("COUNT", of_all);
    let checked = store.check(&mut |found| panic!("{found}"), &mut |_| {});
    checked.unwrap();
    sum
}

fn add(one: Told, two: Told) -> Told {
    Told {
        acknowledged: one.acknowledged + two.acknowledged,
        unknown: one.unknown + two.unknown,
        failed: one.failed + two.failed,
    }
}

fn tell(result: Result<(), Error>, told: &mut Told, progress: &Progress) {
    match result {
        Ok(()) => {
            told.acknowledged += 1;
            progress.add();
        }
        Err(Error::VersionMismatch { .. } | Error::VersionNotFound { .. }) => {}
        Err(error) if error.kind() == ErrorKind::OutcomeUnknown => told.unknown += 1,
        Err(Error::Backend { .. }) => told.failed += 1,
        Err(error) => panic!("{error:?}"),
    }
}

/// Tells that a writer has ended, also if it panics.
struct End<'a>(&'a Progress);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.has_ended.fetch_add(1, Ordering::Relaxed);
        let _awake = self.0.acknowledged.lock();
        self.0.more.notify_all();
    }
}
