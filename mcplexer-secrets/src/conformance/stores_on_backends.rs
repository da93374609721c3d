//! What a store does on a backend that several programs change at the same time.

use std::sync::mpsc;
use std::thread;

use super::lost::{Later, LosesAnswers};
use super::{Check, Handles};
use crate::audit::MemoryAudit;
use crate::backend::Backend;
use crate::keys::{FixedKeys, Identity};
use crate::{
    Error, ErrorKind, NewScope, PutMode, RotateIdentity, ScopeId, SecretName, SecretStore,
    SecretValue, Store,
};

pub(super) const CHECKS: &[Check<Handles>] = &checks![
    no_compare_and_swap_is_lost,
    a_scope_is_deleted_beside_puts,
    keys_are_replaced_beside_puts,
    answers_that_were_lost_are_found_out,
    what_cannot_be_found_out_is_called_unknown,
];

const WRITERS: u32 = 4;
const PUTS: u32 = 12;

fn id(text: &str) -> ScopeId {
    text.parse().expect("a scope id")
}

fn name(text: &str) -> SecretName {
    text.parse().expect("a secret name")
}

fn value(number: u32) -> SecretValue {
    SecretValue::new(number.to_string().into_bytes()).expect("a value")
}

fn number(store: &dyn SecretStore, secret: &str) -> u32 {
    let value = store.get(&id("s"), &name(secret)).expect("a value");
    let text = std::str::from_utf8(value.expose()).expect("a number");
    text.parse().expect("a number")
}

/// One owner's store in several programs, each with its own audit log.
struct Programs<'h> {
    handles: &'h Handles,
    identity: Identity,
}

impl<'h> Programs<'h> {
    fn new(handles: &'h Handles) -> Self {
        let programs = Self {
            handles,
            identity: Identity::generate(),
        };
        put(&programs.store(), "COUNT", 0).expect("a first put");
        programs
    }

    fn store(&self) -> Store {
        self.store_on((self.handles)())
    }

    fn store_on(&self, backend: impl Backend + 'static) -> Store {
        let keys = FixedKeys::new(vec![self.identity.clone()]);
        let store = Store::with_backend(backend, keys).expect("a store");
        store.with_audit_log(MemoryAudit::new().expect("a log"))
    }
}

fn check(store: &Store) {
    let checked = store.check(&mut |found| panic!("{found}"), &mut |_| {});
    checked.expect("a store that opens");
}

fn put(store: &Store, secret: &str, number: u32) -> Result<u64, Error> {
    let scope = NewScope::env(id("s"));
    let put = store.put(&scope, &name(secret), &value(number), PutMode::Overwrite);
    put.map(|stored| stored.version)
}

/// Adds one, if nobody else does meanwhile. Returns whether it did.
fn increment(store: &Store) -> Result<bool, Error> {
    let secret = name("COUNT");
    let info = store.secret_info(&id("s"), &secret)?;
    let version = info.version;
    let old = store.get_version(&id("s"), &secret, version);
    let old = match old {
        Err(Error::VersionNotFound { .. }) => return Ok(false),
        old => old?,
    };
    let old = std::str::from_utf8(old.expose()).expect("a number");
    let next = value(old.parse::<u32>().expect("a number") + 1);
    let mode = PutMode::Replace { version };
    match store.put(&NewScope::env(id("s")), &secret, &next, mode) {
        Ok(_) => Ok(true),
        Err(Error::VersionMismatch { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn no_compare_and_swap_is_lost(handles: &Handles) {
    let programs = Programs::new(handles);
    thread::scope(|scope| {
        for _ in 0..WRITERS {
            let store = programs.store();
            scope.spawn(move || {
                let mut left = PUTS;
                while left > 0 {
                    left -= u32::from(increment(&store).expect("an increment, or another's"));
                }
            });
        }
    });
    let store = programs.store();
    assert_eq!(number(&store, "COUNT"), WRITERS * PUTS);
    check(&store);
}

/// Neither a put nor the deletion is refused, and no record stays that is not listed.
fn a_scope_is_deleted_beside_puts(handles: &Handles) {
    let programs = Programs::new(handles);
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let store = programs.store();
            scope.spawn(move || {
                for number in 0..PUTS {
                    put(&store, &format!("KEY_{writer}_{number}"), number).expect("a put");
                }
            });
        }
        let store = programs.store();
        scope.spawn(move || {
            for _ in 0..PUTS {
                match store.delete_scope(&id("s")) {
                    Ok(_) | Err(Error::ScopeNotFound { .. }) => {}
                    Err(error) => panic!("delete_scope: {error}"),
                }
            }
        });
    });
    let store = programs.store();
    put(&store, "LAST", 1).expect("a put");
    check(&store);
}

fn keys_are_replaced_beside_puts(handles: &Handles) {
    let programs = Programs::new(handles);
    let (rotations, puts) = thread::scope(|scope| {
        let (done, rotated) = mpsc::channel::<()>();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let store = programs.store();
                scope.spawn(move || {
                    for number in 0..PUTS {
                        put(&store, &format!("KEY_{writer}"), number).expect("a put");
                    }
                })
            })
            .collect();
        let store = programs.store();
        let rotating = scope.spawn(move || {
            for _ in 0..3 {
                let rotated = store.rotate(RotateIdentity::Keep, &mut |_| {});
                rotated.expect("a rotation beside puts");
            }
            drop(done);
        });
        let puts = writers.into_iter().all(|it| it.join().is_ok());
        let rotations = rotating.join().is_ok() && rotated.recv().is_err();
        (rotations, puts)
    });
    assert!(rotations && puts, "rotations: {rotations}, puts: {puts}");
    let store = programs.store();
    for writer in 0..WRITERS {
        assert_eq!(number(&store, &format!("KEY_{writer}")), PUTS - 1);
    }
    check(&store);
}

fn answers_that_were_lost_are_found_out(handles: &Handles) {
    let programs = Programs::new(handles);
    thread::scope(|scope| {
        for _ in 0..WRITERS {
            let store = programs.store_on(LosesAnswers::new(handles(), Later::Answers));
            scope.spawn(move || {
                let mut left = PUTS;
                while left > 0 {
                    left -= u32::from(increment(&store).expect("an increment, or another's"));
                }
            });
        }
    });
    let store = programs.store();
    assert_eq!(number(&store, "COUNT"), WRITERS * PUTS, "each counts once");
    check(&store);
}

/// What was acknowledged is there, and of the rest only what was called unknown may be.
fn what_cannot_be_found_out_is_called_unknown(handles: &Handles) {
    let programs = Programs::new(handles);
    let store = programs.store_on(LosesAnswers::new(handles(), Later::NeverAnswers));
    let keys: Vec<_> = (0..9).map(|number| format!("KEY_{number}")).collect();
    let (mut acknowledged, mut unknown) = (vec!["COUNT"], 0);
    for key in &keys {
        match put(&store, key, 1) {
            Ok(_) => acknowledged.push(key),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
                unknown += 1;
            }
        }
    }
    let store = programs.store();
    let there = store.secret_names(&id("s")).expect("the names");
    for key in &acknowledged {
        assert!(there.iter().any(|it| it.as_str() == *key), "{key}");
    }
    let extra = there.len() - acknowledged.len();
    // Two answers of three are lost, one of them on the way back.
    assert_eq!((unknown, extra), (6, 3));
    check(&store);
}
