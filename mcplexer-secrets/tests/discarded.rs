//! A backend that keeps history may discard a state while it is read.

#![cfg(test)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mcplexer_secrets::backend::{
    Backend, BackendError, BackendErrorKind, CommitId, EachRecord, Range, RedbBackend, Replacement,
    Snapshot, Table, Transaction,
};
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{ErrorKind, NewScope, PutMode, ScopeId, SecretStore, SecretValue, Store};

/// Discards each state as long as there are reads to fail.
#[derive(Debug, Clone)]
struct Discards {
    inner: Arc<RedbBackend>,
    failures: Arc<AtomicU32>,
}

struct Discarded<'a> {
    inner: Box<dyn Snapshot + 'a>,
    failures: &'a AtomicU32,
    reads: AtomicU32,
}

impl Backend for Discards {
    fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError> {
        let snapshot = self.inner.read()?;
        Ok(snapshot.map(|inner| {
            Box::new(Discarded {
                inner,
                failures: &self.failures,
                reads: AtomicU32::new(0),
            }) as _
        }))
    }

    fn write(&self) -> Result<Box<dyn Transaction + '_>, BackendError> {
        self.inner.write()
    }

    fn replace(&self) -> Result<Replacement<'_>, BackendError> {
        self.inner.replace()
    }

    fn settle(&self, commit: &CommitId) -> Result<bool, BackendError> {
        self.inner.settle(commit)
    }
}

impl Discarded<'_> {
    /// The first read of a state succeeds.
    fn check(&self) -> Result<(), BackendError> {
        if self.reads.fetch_add(1, Ordering::Relaxed) == 0 {
            return Ok(());
        }
        let fail = |left: u32| left.checked_sub(1);
        let order = Ordering::Relaxed;
        match self.failures.fetch_update(order, order, fail) {
            Ok(_) => Err(BackendError::new(BackendErrorKind::Busy, "discarded")),
            Err(_) => Ok(()),
        }
    }
}

impl Snapshot for Discarded<'_> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        self.check()?;
        self.inner.get_many(places)
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        self.check()?;
        self.inner.scan(range, each)
    }
}

#[test]
fn a_discarded_state_is_not_an_error_but_the_next_one_is_read() {
    let backend = Discards {
        inner: Arc::new(RedbBackend::in_memory().unwrap()),
        failures: Arc::default(),
    };
    let identity = Identity::generate();
    let keys = || FixedKeys::new(vec![identity.clone()]);
    let open = || Store::with_backend(backend.clone(), keys()).unwrap();
    let (scope, name): (ScopeId, _) = ("s".parse().unwrap(), "K".parse().unwrap());
    let value = SecretValue::copy_of(b"value").unwrap();
    let new = NewScope::env(scope.clone());
    open().put(&new, &name, &value, PutMode::Create).unwrap();

    // A handle that does not know the store yet reads twice, at least.
    let discard = || backend.failures.store(2, Ordering::Relaxed);
    let left = || backend.failures.load(Ordering::Relaxed);
    discard();
    assert_eq!(open().get(&scope, &name).unwrap().expose(), b"value");
    assert_eq!(left(), 0);
    discard();
    assert_eq!(open().secret_names(&scope).unwrap(), [name]);
    let missing = open().scope(&"other".parse().unwrap()).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}
