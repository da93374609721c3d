//! T2 and T3: the store as a whole, or its audit log, or both, put back to an earlier moment or to one of another branch:
//! the next operation finds it, whichever it is, unless both are of one moment.

use std::fs;
use std::path::Path;

use mcplexer_secrets::audit::FileAudit;
use mcplexer_secrets::keys::{FixedKeys, Identity};
use mcplexer_secrets::{
    Error, ErrorKind, NewScope, PutMode, RotateIdentity, SecretStore, SecretValue, Store,
};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Operation, Records, Shared, apply, id, name, operation};

/// A moment of a history: the records, and the lines of the log.
#[derive(Debug, Clone)]
struct Moment {
    records: Records,
    log: Vec<String>,
}

/// A step of a history: a change, or a read.
#[derive(Debug, Clone, Copy)]
enum Step {
    Change(Operation),
    List,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => operation().prop_map(Step::Change),
        1 => Just(Step::List),
    ]
}

fn open(backend: &Shared, key: &Identity, log: &Path) -> Store {
    let keys = FixedKeys::new(vec![key.clone()]);
    let store = Store::with_backend(backend.clone(), keys).unwrap();
    store.with_audit_log(FileAudit::new(log))
}

/// Does the steps, and returns the moment after each.
fn live(backend: &Shared, key: &Identity, log: &Path, steps: &[Step]) -> Vec<Moment> {
    let store = open(backend, key, log);
    let moment = |step: &Step| {
        match step {
            Step::Change(operation) => apply(&store, *operation),
            Step::List => drop(store.scopes().unwrap()),
        }
        let text = fs::read_to_string(log).unwrap();
        Moment {
            records: backend.records(),
            log: text.lines().map(str::to_owned).collect(),
        }
    };
    steps.iter().map(moment).collect()
}

/// The number of the line of the last change that the log has at a moment.
fn last_change(moment: &Moment) -> usize {
    let changes = moment
        .log
        .iter()
        .rposition(|line| line.contains("\"pending\":true"));
    changes.unwrap() + 1
}

/// One of the operations that come next.
fn next(store: &Store, which: usize) -> Result<(), Error> {
    let value = SecretValue::copy_of(b"next").unwrap();
    let missing = |error: Error| match error.kind() {
        ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    };
    match which {
        0 => store.get(&id(0), &name(0)).map(drop).or_else(missing),
        1 => store.list(&id(0)).map(drop).or_else(missing),
        2 => store.scopes().map(drop),
        3 => store.delete(&id(0), &name(0)).or_else(missing),
        4 => {
            let scope = NewScope::env(id(0));
            store
                .put(&scope, &name(0), &value, PutMode::Overwrite)
                .map(drop)
        }
        5 => store.rotate(RotateIdentity::Keep, &mut |_| ()).map(drop),
        6 => store.compact(),
        _ => store.secret_names(&id(0)).map(drop).or_else(missing),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 100 } else { 2_000 }))]

    #[test]
    fn a_store_and_a_log_of_different_moments_do_not_go_together(
        before in vec(step(), 1..6),
        after in vec(step(), 1..6),
        branch in vec(step(), 0..4),
        of_store in any::<prop::sample::Index>(),
        of_log in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
        which in 0..8_usize,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (log, forked_log) = (directory.path().join("audit.log"), directory.path().join("fork/audit.log"));
        let key = Identity::generate();
        let backend = Shared::new();
        let first = [Step::Change(Operation::Put(0, 0, 0))];
        let mut moments = live(&backend, &key, &log, &first);
        moments.extend(live(&backend, &key, &log, &before));
        let common = moments.len();
        let forked = Shared::of(&backend.records());
        fs::create_dir(directory.path().join("fork")).unwrap();
        fs::copy(&log, &forked_log).unwrap();
        let branch = live(&forked, &key, &forked_log, &branch);
        moments.extend(live(&backend, &key, &log, &after));

        // The store is of any moment of either branch; the log is of one of this branch, perhaps cut off.
        let stores: Vec<_> = moments.iter().chain(&branch).collect();
        let at = of_store.index(stores.len());
        let store = stores[at];
        let mut lines = of_log.get(&moments).log.clone();
        if is_cut {
            lines.truncate(cut.index(lines.len() + 1));
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        match lines.is_empty() {
            true => fs::remove_file(&log).unwrap(),
            false => fs::write(&log, text).unwrap(),
        }

        // The lines from the change that led to this state up to the next one are those of one moment with it. The
        // next change may have been cut short before its commit.
        let from = last_change(store);
        let is_of_branch = at >= moments.len() && store.records != moments[common - 1].records;
        let later = moments.iter().filter(|it| last_change(it) > from);
        let until = later.map(last_change).min().unwrap_or(usize::MAX);
        let belongs = !is_of_branch && from <= lines.len() && lines.len() <= until;

        let opened = open(&Shared::of(&store.records), &key, &log);
        let done = next(&opened, which);
        match done {
            Ok(()) => prop_assert!(belongs, "{which} found nothing"),
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::Tampered, "{}", error);
                prop_assert!(!belongs, "{which}: {error}");
            }
        }
    }
}
