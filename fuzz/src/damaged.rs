//! Stores that were changed by somebody without the key.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use arbitrary::{Arbitrary, Unstructured};
use mcplexer_secrets::audit::MemoryAudit;
use mcplexer_secrets::backend::{Backend, BackendError, Commit, Range, RedbBackend, Table};
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{ErrorKind, NewScope, PutMode, ScopeId, SecretStore, SecretValue, Store};

use crate::faulty::Faulty;

const SECRETS: [(&str, &str, &[u8]); 4] = [
    ("a", "K", b"first"),
    ("a", "L", b"second"),
    ("b", "K", b"third"),
    ("c", "M", b"fourth"),
];

/// A table, and a key in it.
type Place = (usize, Vec<u8>);
type Records = BTreeMap<Place, Vec<u8>>;

/// Damage to one record of a store.
#[derive(Debug, Arbitrary)]
enum Damage {
    Flip {
        record: u8,
        at: u16,
        bits: u8,
    },
    Cut {
        record: u8,
        at: u16,
    },
    Extend {
        record: u8,
        bytes: Vec<u8>,
    },
    Replace {
        record: u8,
        bytes: Vec<u8>,
    },
    Splice {
        record: u8,
        at: u16,
        bytes: Vec<u8>,
    },
    Copy {
        from: u8,
        to: u8,
    },
    Rename {
        record: u8,
        table: u8,
        key: Vec<u8>,
    },
    Remove {
        record: u8,
    },
    Add {
        table: u8,
        key: Vec<u8>,
        bytes: Vec<u8>,
    },
}

/// Damages, moves, deletes and adds records of a store. The store then returns the right value or
/// an error. It never returns another value, and never says that an existing secret does not exist.
/// If a check finds nothing, everything is right.
pub fn damaged_store(bytes: &[u8]) {
    let (identity, whole) = whole();
    let mut records = whole.clone();
    let mut input = Unstructured::new(bytes);
    for damage in input
        .arbitrary_iter::<Damage>()
        .into_iter()
        .flatten()
        .flatten()
        .take(8)
    {
        damage.apply(&mut records);
    }
    if records.is_empty() {
        return;
    }
    let backend = holding(&records).expect("there is memory");
    let Ok(store) = Store::with_backend(backend, FixedKeys::new(vec![identity.clone()])) else {
        return assert_ne!(records, *whole);
    };
    let mut wrong = 0;
    let check = store.check(&mut |_| wrong += 1, &mut |_| {});
    let sound = check.is_ok() && wrong == 0;
    assert!(
        sound || records != *whole,
        "whole, and yet a check says otherwise"
    );

    for (scope, name, value) in SECRETS {
        let (scope, name) = (scope.parse().expect("id"), name.parse().expect("name"));
        match store.get(&scope, &name) {
            Ok(opened) => assert!(opened.expose() == value, "opens to another value"),
            Err(error) => {
                assert!(!sound, "a check found nothing: {error}");
                assert_ne!(error.kind(), ErrorKind::NotFound, "{error}");
            }
        }
        let _ = store.list(&scope);
        let none = store.get(&scope, &"NONE".parse().expect("name"));
        assert!(none.is_err(), "made up");
    }
    let _ = (store.scopes(), store.slots(), store.compact());
    let value = SecretValue::copy_of(b"value").expect("is a value");
    let (scope, name): (ScopeId, _) = ("a".parse().expect("id"), "K".parse().expect("name"));
    if store
        .put(
            &NewScope::env(scope.clone()),
            &name,
            &value,
            PutMode::Overwrite,
        )
        .is_ok()
    {
        assert!(store.get(&scope, &name).expect("was put").expose() == b"value");
    }
}

/// Returns the records of an undamaged store with all the secrets, and the identity that opens it.
fn whole() -> &'static (Identity, Records) {
    static WHOLE: OnceLock<(Identity, Records)> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let identity = Identity::generate();
        let backend = Faulty::new(RedbBackend::in_memory().expect("there is memory"));
        let keys = FixedKeys::new(vec![identity.clone()]);
        let store = Store::with_backend(backend.clone(), keys).expect("opens");
        let store = store.with_audit_log(MemoryAudit::new().expect("opens"));
        for (scope, name, value) in SECRETS {
            let (scope, name): (ScopeId, _) =
                (scope.parse().expect("id"), name.parse().expect("name"));
            let value = SecretValue::copy_of(value).expect("is a value");
            let put = store.put(
                &NewScope::env(scope.clone()),
                &name,
                &value,
                PutMode::Overwrite,
            );
            put.expect("is put");
        }
        (identity, records(&backend).expect("reads"))
    })
}

fn records(backend: &dyn Backend) -> Result<Records, BackendError> {
    let mut records = Records::new();
    let snapshot = backend.read()?;
    for (at, table) in Table::ALL.into_iter().enumerate() {
        if let Some(snapshot) = &snapshot {
            snapshot.try_scan(Range::all(table), |key, record| {
                records.insert((at, key.to_vec()), record.to_vec());
                Ok::<(), BackendError>(())
            })?;
        }
    }
    Ok(records)
}

fn holding(records: &Records) -> Result<RedbBackend, BackendError> {
    let backend = RedbBackend::in_memory()?;
    let mut transaction = backend.write()?;
    for ((table, key), record) in records {
        transaction.put(Table::ALL[*table], key, record)?;
    }
    assert!(matches!(transaction.commit()?, Commit::Applied));
    Ok(backend)
}

impl Damage {
    fn apply(self, records: &mut Records) {
        match self {
            Self::Flip { record, at, bits } => change(records, record, |bytes| {
                let at = usize::from(at) % bytes.len().max(1);
                bytes
                    .iter_mut()
                    .skip(at)
                    .take(1)
                    .for_each(|byte| *byte ^= bits);
            }),
            Self::Cut { record, at } => change(records, record, |bytes| {
                bytes.truncate(usize::from(at) % bytes.len().max(1));
            }),
            Self::Extend {
                record,
                bytes: more,
            } => {
                change(records, record, |bytes| bytes.extend(more));
            }
            Self::Replace {
                record,
                bytes: other,
            } => change(records, record, |bytes| *bytes = other),
            Self::Splice {
                record,
                at,
                bytes: other,
            } => change(records, record, |bytes| {
                let at = usize::from(at) % (bytes.len() + 1);
                let end = bytes.len().min(at + other.len());
                bytes.splice(at..end, other);
            }),
            Self::Copy { from, to } => {
                if let Some(other) = place(records, from).and_then(|it| records.get(&it).cloned()) {
                    change(records, to, |bytes| *bytes = other);
                }
            }
            Self::Rename { record, table, key } => {
                if let Some(bytes) = place(records, record).and_then(|it| records.remove(&it)) {
                    records.insert((usize::from(table) % Table::ALL.len(), key), bytes);
                }
            }
            Self::Remove { record } => {
                place(records, record).and_then(|it| records.remove(&it));
            }
            Self::Add { table, key, bytes } => {
                records.insert((usize::from(table) % Table::ALL.len(), key), bytes);
            }
        }
    }
}

fn place(records: &Records, record: u8) -> Option<Place> {
    let at = usize::from(record).checked_rem(records.len())?;
    records.keys().nth(at).cloned()
}

fn change(records: &mut Records, record: u8, change: impl FnOnce(&mut Vec<u8>)) {
    if let Some(bytes) = place(records, record).and_then(|it| records.get_mut(&it)) {
        change(bytes);
    }
}
