//! The suite finds what is wrong with a backend that does not notice what others change.

#![cfg(test)]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

use mcplexer_secrets::backend::{
    Backend, BackendError, BackendErrorKind, Commit, CommitId, EachRecord, Range, Replacement,
    Snapshot, Successor, Table, Transaction,
};
use mcplexer_secrets::conformance::{self, Handles};

type Place = (Table, Vec<u8>);
type Records = BTreeMap<Place, Vec<u8>>;
type Backed<T = ()> = Result<T, BackendError>;

/// What a commit compares with the state that it began at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notices {
    Nothing,
    Records,
    RecordsAndRanges,
}

/// Records in memory. Nobody waits: a commit that comes too late is a conflict, if it is noticed.
#[derive(Debug)]
struct Loose {
    /// The number of commits, and the records.
    now: Mutex<(u64, Records)>,
    /// What a replacement has kept, and after how many commits.
    kept: Mutex<Option<(u64, Records)>>,
    notices: Notices,
    /// Whether what was kept is found again after another commit.
    keeps_for_ever: bool,
}

struct State<'a> {
    backend: &'a Loose,
    commits: u64,
    before: Records,
    records: Records,
    changed: BTreeSet<Place>,
    deleted: Vec<Place>,
    replaces: bool,
    reads: RefCell<Vec<Place>>,
    scans: RefCell<Vec<Place>>,
}

fn keys_of(records: &Records, (table, prefix): &Place) -> Vec<Vec<u8>> {
    let keys = records
        .keys()
        .filter(|(of, key)| of == table && key.starts_with(prefix));
    keys.map(|(_, key)| key.clone()).collect()
}

impl Loose {
    fn new(notices: Notices) -> Self {
        Self {
            now: Mutex::default(),
            kept: Mutex::default(),
            notices,
            keeps_for_ever: false,
        }
    }

    fn now(&self) -> MutexGuard<'_, (u64, Records)> {
        self.now.lock().unwrap()
    }

    fn state(&self) -> State<'_> {
        let (commits, records) = self.now().clone();
        State {
            backend: self,
            commits,
            before: records.clone(),
            records,
            changed: BTreeSet::new(),
            deleted: Vec::new(),
            replaces: false,
            reads: RefCell::default(),
            scans: RefCell::default(),
        }
    }
}

impl State<'_> {
    /// Whether a later state returns something else for what was read or scanned.
    fn is_overtaken(&self, now: &Records) -> bool {
        let reads = self.reads.borrow();
        let mut reads = reads.iter();
        let scans = self.scans.borrow();
        let mut scans = scans.iter();
        self.backend.notices != Notices::Nothing
            && (reads.any(|place| self.before.get(place) != now.get(place))
                || self.backend.notices == Notices::RecordsAndRanges
                    && scans.any(|range| keys_of(&self.before, range) != keys_of(now, range)))
    }
}

impl Backend for Loose {
    fn read(&self) -> Backed<Option<Box<dyn Snapshot + '_>>> {
        let state = self.state();
        Ok((state.commits > 0).then(|| Box::new(state) as _))
    }

    fn write(&self) -> Backed<Box<dyn Transaction + '_>> {
        Ok(Box::new(self.state()))
    }

    fn replace(&self) -> Backed<Replacement<'_>> {
        let mut new = self.state();
        new.replaces = true;
        new.records = match &*self.kept.lock().unwrap() {
            Some((at, kept)) if *at == new.commits || self.keeps_for_ever => kept.clone(),
            _ => Records::new(),
        };
        let everything = Table::ALL.map(|table| (table, Vec::new()));
        new.scans.borrow_mut().extend(everything);
        Ok(Replacement {
            old: self.read()?,
            new: Box::new(new),
        })
    }

    fn settle(&self, _commit: &CommitId) -> Backed<bool> {
        Err(BackendError::new(
            BackendErrorKind::Other,
            "none is unknown",
        ))
    }
}

impl Snapshot for State<'_> {
    fn get_many(&self, places: &[(Table, &[u8])]) -> Backed<Vec<Option<Vec<u8>>>> {
        let places = places.iter().map(|(table, key)| (*table, key.to_vec()));
        let found = places.map(|place| {
            let record = self.records.get(&place).cloned();
            self.reads.borrow_mut().push(place);
            record
        });
        Ok(found.collect())
    }

    fn scan(&self, range: Range<'_>, each: &mut EachRecord<'_>) -> Backed {
        let place = (range.table, range.prefix.to_vec());
        let all = keys_of(&self.records, &place).into_iter();
        self.scans.borrow_mut().push(place);
        let _stopped = all
            .filter(|key| range.after.is_none_or(|after| &**key > after))
            .map(|key| (range.table, key))
            .try_for_each(|place| each(&place.1, &self.records[&place]));
        Ok(())
    }
}

impl Transaction for State<'_> {
    fn is_first(&self) -> bool {
        self.commits == 0
    }

    fn put(&mut self, table: Table, key: &[u8], record: &[u8]) -> Backed {
        let place = (table, key.to_vec());
        self.changed.insert(place.clone());
        self.records.insert(place, record.to_vec());
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Backed {
        let place = (table, key.to_vec());
        self.changed.insert(place.clone());
        self.records.remove(&place);
        Ok(())
    }

    fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Backed {
        let range = (table, prefix.to_vec());
        for key in keys_of(&self.records, &range) {
            self.delete(table, &key)?;
        }
        self.deleted.push(range);
        Ok(())
    }

    fn commit(self: Box<Self>) -> Backed<Commit> {
        let mut now = self.backend.now();
        if self.is_overtaken(&now.1) {
            return Ok(Commit::Conflict);
        }
        now.0 += 1;
        if self.replaces {
            now.1 = self.records;
            return Ok(Commit::Applied);
        }
        if self.backend.notices == Notices::RecordsAndRanges {
            let is_deleted = |(of, key): &Place| {
                let mut ranges = self.deleted.iter();
                ranges.any(|(table, prefix)| of == table && key.starts_with(prefix))
            };
            now.1.retain(|place, _| !is_deleted(place));
        }
        for place in &self.changed {
            match self.records.get(place) {
                Some(record) => now.1.insert(place.clone(), record.clone()),
                None => now.1.remove(place),
            };
        }
        Ok(Commit::Applied)
    }
}

impl Successor for State<'_> {
    fn keep(&mut self) -> Backed {
        *self.backend.kept.lock().unwrap() = Some((self.commits, self.records.clone()));
        Ok(())
    }
}

/// The names of the checks that fail.
fn failing(notices: Notices) -> BTreeSet<&'static str> {
    failing_on(&|| Loose::new(notices))
}

fn failing_on(new: &dyn Fn() -> Loose) -> BTreeSet<&'static str> {
    let checks = conformance::BACKEND.iter();
    let failing = checks.filter(|check| {
        let backend = Arc::new(new());
        let handles: Box<Handles> = Box::new(move || Box::new(Arc::clone(&backend)));
        catch_unwind(AssertUnwindSafe(|| check.run(&*handles))).is_err()
    });
    failing.map(conformance::Check::name).collect()
}

const OVER_RANGES: [&str; 3] = [
    "a_record_that_comes_into_a_scanned_range_is_noticed",
    "a_record_that_leaves_a_scanned_range_is_noticed",
    "a_deleted_prefix_takes_what_came_meanwhile",
];

#[test]
fn a_backend_that_notices_everything_conforms() {
    assert!(failing(Notices::RecordsAndRanges).is_empty());
}

#[test]
fn a_backend_without_phantom_protection_fails_where_ranges_are_scanned() {
    let failing = failing(Notices::Records);
    let expected = OVER_RANGES
        .into_iter()
        .chain(["a_replacement_loses_no_commit"]);
    assert_eq!(failing, expected.collect());
}

#[test]
fn a_backend_without_conflict_detection_fails() {
    let failing = failing(Notices::Nothing);
    let expected = OVER_RANGES.into_iter().chain([
        "a_decision_over_two_records_is_not_skewed",
        "a_replacement_loses_no_commit",
        "no_increment_is_lost",
    ]);
    assert_eq!(failing, expected.collect());
}

#[test]
fn a_backend_that_keeps_a_beginning_for_ever_fails() {
    let failing = failing_on(&|| Loose {
        keeps_for_ever: true,
        ..Loose::new(Notices::RecordsAndRanges)
    });
    let expected = ["a_beginning_is_found_again_until_the_next_commit"];
    assert_eq!(failing, BTreeSet::from(expected));
}
