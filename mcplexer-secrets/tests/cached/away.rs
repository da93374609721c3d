//! A server that can be made unreachable, and what a store on it has.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use mcplexer_secrets::audit::FileAudit;
use mcplexer_secrets::backend::{
    Backend, BackendError, BackendErrorKind, CachedBackend, Commit, CommitId, EachRecord, Range,
    RedbBackend, Replacement, Snapshot, Table, Transaction,
};
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{
    Error, ErrorKind, NewScope, Purpose, PutMode, SecretStore, SecretValue, Select, Store,
};
use tempfile::TempDir;

/// How a server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Network {
    Works,
    /// It cannot be connected to.
    Refuses,
    /// It is connected to, and then gone.
    Breaks,
    /// Nothing comes back.
    Hangs,
    /// Changes are made, and their answers lost.
    LosesCommits,
}

/// A server, and the way there.
#[derive(Debug)]
pub(crate) struct Server {
    records: RedbBackend,
    network: AtomicU8,
    /// Every so many reads one fails because of a change meanwhile; never if 0.
    overtaken_every: AtomicU64,
    reads: AtomicU64,
    revision: AtomicU64,
    never: (Mutex<()>, Condvar),
}

impl Server {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            records: RedbBackend::in_memory().unwrap(),
            network: AtomicU8::new(Network::Works as u8),
            overtaken_every: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            revision: AtomicU64::new(1),
            never: (Mutex::default(), Condvar::new()),
        })
    }

    pub(crate) fn is(&self, network: Network) {
        self.network.store(network as u8, Ordering::Relaxed);
    }

    /// Fails every so many reads from now on; none if 0.
    pub(crate) fn is_overtaken_every(&self, reads: u64) {
        self.overtaken_every.store(reads, Ordering::Relaxed);
        self.reads.store(0, Ordering::Relaxed);
    }

    fn meets(&self, network: Network) -> bool {
        self.network.load(Ordering::Relaxed) == network as u8
    }

    fn connect(&self) -> Result<(), BackendError> {
        if self.meets(Network::Hangs) {
            let never = self.never.0.lock().unwrap();
            let _nobody_wakes_it = self.never.1.wait_while(never, |()| true).unwrap();
        }
        match self.meets(Network::Refuses) {
            true => Err(unreachable()),
            false => Ok(()),
        }
    }

    fn answer<T>(
        &self,
        answer: impl FnOnce() -> Result<T, BackendError>,
    ) -> Result<T, BackendError> {
        match self.meets(Network::Breaks) {
            true => Err(unreachable()),
            false => self.connect().and_then(|()| answer()),
        }
    }

    fn read_answer<T>(
        &self,
        answer: impl FnOnce() -> Result<T, BackendError>,
    ) -> Result<T, BackendError> {
        let every = self.overtaken_every.load(Ordering::Relaxed);
        let reads = self.reads.fetch_add(1, Ordering::Relaxed) + 1;
        if every > 0 && reads.is_multiple_of(every) {
            let message = "cannot read the store on db: it was changed meanwhile";
            return Err(BackendError::new(BackendErrorKind::Busy, message));
        }
        self.answer(answer)
    }
}

fn unreachable() -> BackendError {
    let message = "cannot read the store on db: the server cannot be reached";
    BackendError::new(BackendErrorKind::Unreachable, message).with_source("no route to host")
}

struct Via<'a, T: ?Sized> {
    inner: Box<T>,
    server: &'a Server,
}

impl Backend for Server {
    fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError> {
        self.connect()?;
        let inner = self.records.read()?;
        Ok(inner.map(|inner| {
            Box::new(Via {
                inner,
                server: self,
            }) as _
        }))
    }

    fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError> {
        self.connect()?;
        let inner = self.records.write()?;
        Ok(Box::new(Via {
            inner,
            server: self,
        }))
    }

    fn replace(&self) -> Result<Replacement<'_>, BackendError> {
        self.connect()?;
        self.records.replace()
    }

    fn settle(&self, _: &CommitId) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn revision(&self) -> Result<Option<u64>, BackendError> {
        self.answer(|| Ok(Some(self.revision.load(Ordering::Relaxed))))
    }
}

impl<T: Snapshot + ?Sized> Snapshot for Via<'_, T> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        self.server.read_answer(|| self.inner.get_many(places))
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        self.server.read_answer(|| self.inner.scan(range, each))
    }
}

impl<'t> Transaction for Via<'_, dyn Transaction + 't> {
    fn is_first(&self) -> bool {
        self.inner.is_first()
    }

    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Result<(), BackendError> {
        self.inner.put(table, key, record)
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), BackendError> {
        self.inner.delete(table, key)
    }

    fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Result<(), BackendError> {
        self.inner.delete_prefix(table, prefix)
    }

    fn commit(self: Box<Self>) -> Result<Commit, BackendError> {
        let commit = self.inner.commit()?;
        self.server.revision.fetch_add(1, Ordering::Relaxed);
        match self.server.meets(Network::LosesCommits) {
            true => Ok(Commit::Unknown(CommitId::new("lost"), unreachable())),
            false => Ok(commit),
        }
    }
}

/// A machine of a team: its key, its log and its copy.
pub(crate) struct Machine {
    pub(crate) directory: TempDir,
    server: Arc<Server>,
    keys: Identity,
    /// Machines of one person have logs of different names.
    log: &'static str,
}

impl Machine {
    pub(crate) fn of(server: &Arc<Server>) -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            server: Arc::clone(server),
            keys: Identity::generate(),
            log: "audit.log",
        }
    }

    /// Another machine with the same key.
    pub(crate) fn another(&self) -> Self {
        Self {
            keys: self.keys.clone(),
            log: "other.log",
            ..Self::of(&self.server)
        }
    }

    pub(crate) fn copy(&self) -> PathBuf {
        self.directory.path().join("store.cache")
    }

    pub(crate) fn backend(&self) -> CachedBackend {
        let server = Arc::clone(&self.server) as Arc<dyn Backend>;
        // No test waits for that, and none fails because it took long.
        CachedBackend::new(server, "db", self.copy()).with_patience(Duration::from_secs(3600))
    }

    /// A process that begins.
    pub(crate) fn store(&self) -> Store {
        self.store_on(self.backend())
    }

    pub(crate) fn store_on(&self, backend: CachedBackend) -> Store {
        let keys = FixedKeys::new(vec![self.keys.clone()]);
        let store = Store::with_backend(backend, keys).unwrap();
        store.with_audit_log(FileAudit::new(self.directory.path().join(self.log)))
    }

    pub(crate) fn get(&self, name: &str) -> Result<String, Error> {
        get(&self.store(), name)
    }

    pub(crate) fn put(&self, name: &str, value: &str) -> Result<(), Error> {
        put(&self.store(), name, value)
    }
}

pub(crate) fn get(store: &Store, name: &str) -> Result<String, Error> {
    let value = store.get(&"web".parse()?, &name.parse()?)?;
    Ok(str::from_utf8(value.expose()).unwrap().to_owned())
}

pub(crate) fn put(store: &Store, name: &str, value: &str) -> Result<(), Error> {
    let value = SecretValue::copy_of(value.as_bytes()).unwrap();
    let scope = NewScope::env("web".parse()?);
    let put = store.put(&scope, &name.parse()?, &value, PutMode::Overwrite);
    put.map(drop)
}

/// The names and values of the whole scope, as a server gets them.
pub(crate) fn all(store: &Store) -> Result<Vec<(String, String)>, Error> {
    let purpose = Purpose::Inject { program: None };
    let opened = store.credentials(&"web".parse()?, Select::All, purpose)?;
    let all = opened.iter().map(|it| {
        let value = str::from_utf8(it.value.expose()).unwrap().to_owned();
        (it.name.to_string(), value)
    });
    Ok(all.collect())
}

/// The message of an error that says that the server cannot be reached.
#[track_caller]
pub(crate) fn away<T>(result: Result<T, Error>) -> String {
    let Err(error) = result else {
        panic!("the server is away");
    };
    let Error::Backend(inner) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(inner.kind(), BackendErrorKind::Unreachable);
    assert_eq!(error.kind(), ErrorKind::Busy);
    inner.to_string()
}
