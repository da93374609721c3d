//! States that are read while others change the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mcplexer_postgres::{Address, PostgresBackend};
use mcplexer_secrets::backend::{
    Backend, BackendError, BackendErrorKind, Commit, CommitId, EachRecord, Range, Replacement,
    Snapshot, Table, Transaction,
};
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{NewScope, PutMode, SecretStore, SecretValue, Store};

use crate::server::{backend, place};

const PLACE: (Table, &[u8]) = (Table::Meta, b"k");

fn put(backend: &dyn Backend, record: &[u8]) {
    let mut transaction = backend.write().unwrap();
    transaction.put(PLACE.0, PLACE.1, record).unwrap();
    assert!(matches!(transaction.commit(), Ok(Commit::Applied)));
}

fn get(snapshot: &dyn Snapshot) -> Result<Vec<u8>, BackendErrorKind> {
    let record = snapshot.get(PLACE.0, PLACE.1);
    record.map(Option::unwrap).map_err(|error| error.kind())
}

#[test]
fn a_state_that_was_replaced_between_two_reads_is_busy_and_the_next_one_is_kept() {
    let Some(place) = place() else { return };
    let (one, two) = (backend(&place), backend(&place));
    put(&two, b"1");
    // It knows which table has the records.
    assert_eq!(get(&*one.read().unwrap().unwrap()), Ok(b"1".to_vec()));
    let snapshot = one.read().unwrap().unwrap();
    assert_eq!(get(&*snapshot), Ok(b"1".to_vec()));
    assert_eq!(get(&*snapshot), Ok(b"1".to_vec()), "nothing has changed");
    put(&two, b"2");
    assert_eq!(
        get(&*snapshot),
        Ok(b"1".to_vec()),
        "a transaction has begun"
    );

    let snapshot = one.read().unwrap().unwrap();
    assert_eq!(get(&*snapshot), Ok(b"2".to_vec()));
    put(&two, b"3");
    assert_eq!(get(&*snapshot), Err(BackendErrorKind::Busy));
    assert_eq!(get(&*snapshot), Err(BackendErrorKind::Busy), "still");

    let snapshot = one.read().unwrap().unwrap();
    assert_eq!(get(&*snapshot), Ok(b"3".to_vec()));
    put(&two, b"4");
    assert_eq!(
        get(&*snapshot),
        Ok(b"3".to_vec()),
        "begun with the first read"
    );
}

/// A backend of which each state is overtaken after the first read.
#[derive(Debug)]
struct Overtaken {
    inner: PostgresBackend,
    others: Arc<Others>,
}

/// Others who change the store.
#[derive(Debug)]
struct Others {
    store: Store,
    count: AtomicU32,
}

struct OvertakenSnapshot<'a> {
    inner: Box<dyn Snapshot + 'a>,
    others: &'a Others,
    reads: AtomicU32,
}

impl Others {
    fn put(&self) {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let value = SecretValue::new(count.to_string().into_bytes()).unwrap();
        let (scope, name) = (
            NewScope::env("s".parse().unwrap()),
            "OTHER".parse().unwrap(),
        );
        self.store
            .put(&scope, &name, &value, PutMode::Overwrite)
            .unwrap();
    }
}

impl Snapshot for OvertakenSnapshot<'_> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        let found = self.inner.get_many(places);
        if self.reads.fetch_add(1, Ordering::Relaxed) == 0 {
            self.others.put();
        }
        found
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Result<(), BackendError> {
        self.inner.scan(range, each)
    }
}

impl Backend for Overtaken {
    fn read(&self) -> Result<Option<Box<dyn Snapshot + '_>>, BackendError> {
        let snapshot = self.inner.read()?;
        Ok(snapshot.map(|inner| {
            Box::new(OvertakenSnapshot {
                inner,
                others: &self.others,
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

#[test]
fn a_reader_beside_busy_writers_does_not_starve() {
    let Some(place) = place() else { return };
    let identity = Identity::generate();
    let open = |backend: Box<dyn Backend>| {
        Store::with_backend(backend, FixedKeys::new(vec![identity.clone()])).unwrap()
    };
    let postgres = |place: &Address| backend(place);
    let others = Arc::new(Others {
        store: open(Box::new(postgres(&place))),
        count: AtomicU32::new(0),
    });
    let scope = NewScope::env("s".parse().unwrap());
    let (name, value) = (
        "OWN".parse().unwrap(),
        SecretValue::new(b"own".to_vec()).unwrap(),
    );
    others
        .store
        .put(&scope, &name, &value, PutMode::Overwrite)
        .unwrap();
    others.put();
    let store = open(Box::new(Overtaken {
        inner: postgres(&place),
        others: Arc::clone(&others),
    }));
    for _ in 0..100 {
        // What it knows of the store is old each time, so that it takes a second read.
        let before = others.count.load(Ordering::Relaxed);
        let found = store.get(&scope.id, &name).unwrap();
        assert_eq!(found.expose(), value.expose());
        let attempts = others.count.load(Ordering::Relaxed) - before;
        assert!(attempts <= 2, "{attempts} attempts");
    }
}
