//! A move that is killed at any point, and run again or given up.

use std::sync::Arc;

use mcplexer_secrets::backend::{Backend, Limits, Table};
use mcplexer_secrets::keys::FixedKeys;
use mcplexer_secrets::{Error, PlaceHas, Store};

use super::observed::{Failing, Observed};
use super::{Fixture, NEW, get, is_moved, put, without_header};

/// At most one of the two places takes changes, and the new one says if it is not finished.
fn check_both(fixture: &Fixture, how: &str) {
    let at_old = put(&fixture.at_old(), "a", "PROBE", how);
    let new = fixture.at(&fixture.new);
    match (&at_old, &new) {
        (Ok(()), Err(Error::MoveUnfinished)) => fixture.check(&fixture.at_old()),
        // Nothing was put there yet.
        (Ok(()), Ok(new)) => assert!(!has_any(&fixture.new), "{how}: {new:?}"),
        (Err(Error::Moved { to }), _) => {
            assert_eq!(to, NEW);
            assert_eq!(get(&fixture.at_old(), "b", "K7").unwrap(), "second");
            fixture.check(&fixture.at_old());
            if let Ok(new) = new {
                put(&new, "a", "PROBE", how).unwrap();
                fixture.check(&new);
            }
        }
        (old, new) => panic!("{how}: {old:?}, {new:?}"),
    }
}

fn has_any(place: &Observed) -> bool {
    place.read().unwrap().is_some()
}

/// Fails the commit of each number at one of the places, until a move has no more commits; each time runs the move again.
fn at_each_commit(place: impl Fn(&Fixture) -> Observed, how: Failing) -> usize {
    for commit in 0.. {
        let small = Observed::limited(Limits::new(Some(50), None));
        let fixture = Fixture::between(Observed::new(), small);
        place(&fixture).fail_at(commit, how);
        let failed = fixture.go();
        place(&fixture).fail_never();
        if failed.is_ok() {
            return commit;
        }
        let how = format!("{how:?} {commit}");
        check_both(&fixture, &how);
        match fixture.go() {
            Ok(moved) => assert!(moved.secrets >= 120, "{how}"),
            // It was finished, and changed at the new place.
            Err(Error::Moved { .. }) => {}
            Err(error) => panic!("{how}: {error}"),
        }
        let new = fixture.at_new();
        assert_eq!(get(&new, "b", "K7").unwrap(), "second");
        assert_eq!(get(&new, "a", "PROBE").ok().is_some(), has_probe(&fixture));
        put(&new, "a", "LAST", "v").unwrap();
        fixture.check(&new);
        assert!(is_moved(&put(&fixture.at_old(), "a", "LAST", "v"), NEW));
    }
    unreachable!()
}

/// Whether the change between the two attempts was made anywhere.
fn has_probe(fixture: &Fixture) -> bool {
    let records = [&fixture.old, &fixture.new].map(without_header);
    let is_probe = |(table, key, _): &(Table, Vec<u8>, Vec<u8>)| {
        (*table, &**key) == (Table::Secrets, b"a\0PROBE")
    };
    records.iter().flatten().any(is_probe)
}

#[test]
fn a_move_that_is_killed_at_any_commit_leaves_one_store_and_goes_on() {
    for how in [Failing::Before, Failing::After] {
        let commits = at_each_commit(|it| it.new.clone(), how);
        assert!(commits >= 6, "{commits}");
        assert_eq!(at_each_commit(|it| it.old.clone(), how), 1);
    }
}

#[test]
fn what_was_copied_is_not_copied_again() {
    let fixture = Fixture::new();
    // The revision with which the old place is marked.
    let mut marks = 0;
    let counted = fixture.new.clone();
    fixture.new.on_commit(move |puts| {
        let is_mark = puts.iter().any(|(_, key, _)| key == b"moving");
        marks += usize::from(is_mark);
        if marks == 2 {
            counted.fail_at(0, Failing::Before);
        }
    });
    fixture.go().unwrap_err();
    fixture.new.on_commit(|_| ());
    fixture.new.fail_never();
    put(&fixture.at_old(), "a", "K1", "changed").unwrap();
    let moved = fixture.go().unwrap();
    assert!((1..10).contains(&moved.put), "{moved:?}");
    assert_eq!(get(&fixture.at_new(), "a", "K1").unwrap(), "changed");
}

/// Puts records to another place as they are.
fn copy(records: &[(Table, Vec<u8>, Vec<u8>)], to: &Observed) {
    to.tamper(|it| {
        for (table, key, record) in records {
            it.put(*table, key, record).unwrap();
        }
    });
}

fn marked() -> Fixture {
    let fixture = Fixture::new();
    mark(&fixture);
    fixture
}

/// Interrupts a move after the old place says that the store was moved.
fn mark(fixture: &Fixture) {
    fixture.old.fail_at(0, Failing::After);
    fixture.go().unwrap_err();
    fixture.old.fail_never();
    assert!(is_moved(&put(&fixture.at_old(), "a", "K1", "v"), NEW));
    assert!(matches!(
        fixture.at(&fixture.new),
        Err(Error::MoveUnfinished)
    ));
}

fn keep(fixture: &Fixture) -> Result<bool, Error> {
    let new: Arc<dyn Backend> = Arc::new(fixture.new.clone());
    fixture.at_old().keep_here(Some((new, NEW)))
}

fn has<T>(result: &Result<T, Error>, expected: PlaceHas) -> bool {
    matches!(result, Err(Error::Place { has, .. }) if *has == expected)
}

#[test]
fn a_move_that_was_not_finished_can_be_given_up() {
    let fixture = marked();
    assert!(keep(&fixture).unwrap());
    let old = fixture.at_old();
    put(&old, "a", "K1", "kept").unwrap();
    fixture.check(&old);
    assert!(!keep(&fixture).unwrap());
    // The new place can be moved to again.
    fixture.go().unwrap();
    assert_eq!(get(&fixture.at_new(), "a", "K1").unwrap(), "kept");
    fixture.check(&fixture.at_new());
}

#[test]
fn a_move_is_given_up_or_finished_and_not_both() {
    let fixture = marked();
    // Killed after the new place was told.
    fixture.old.fail_at(0, Failing::Before);
    keep(&fixture).unwrap_err();
    fixture.old.fail_never();
    let finished = fixture.go();
    assert!(matches!(
        finished,
        Err(Error::Place {
            has: PlaceHas::MoveGivenUp,
            ..
        })
    ));
    assert!(keep(&fixture).unwrap());
    put(&fixture.at_old(), "a", "K1", "kept").unwrap();

    // The other way round.
    let fixture = marked();
    fixture.go().unwrap();
    let kept = keep(&fixture);
    assert!(matches!(
        kept,
        Err(Error::Place {
            has: PlaceHas::SameStore,
            ..
        })
    ));
}

#[test]
fn a_move_that_is_given_up_while_it_is_being_finished_is_not_finished() {
    let fixture = Arc::new(marked());
    let (other, new) = (Arc::clone(&fixture), fixture.new.clone());
    // The first commit says once more with which revision the store was moved. What follows is compared, and then put.
    let mut is_first = true;
    fixture.new.on_commit(move |_| {
        if std::mem::take(&mut is_first) {
            let other = Arc::clone(&other);
            new.on_read(move || assert!(keep(&other).unwrap()));
        }
    });
    let finished = fixture.go();
    assert!(matches!(
        finished,
        Err(Error::Place {
            has: PlaceHas::MoveGivenUp,
            ..
        })
    ));
    put(&fixture.at_old(), "a", "K1", "kept").unwrap();
    assert!(matches!(
        fixture.at(&fixture.new),
        Err(Error::MoveUnfinished)
    ));
}

#[test]
fn what_an_unfinished_move_has_put_is_let_go_of_where_it_was_begun() {
    let fixture = Fixture::new();
    // Killed while it copies.
    fixture.old.fail_at(0, Failing::Before);
    fixture.go().unwrap_err();
    fixture.old.fail_never();
    let old = fixture.at_old();
    assert!(!old.keep_here(None).unwrap());
    old.let_go_of(fixture.new.clone(), NEW).unwrap();
    fixture.check(&old);
    let other = Fixture::new();
    let refused = other.at_old().let_go_of(fixture.new.clone(), NEW);
    assert!(has(&refused.map(|()| true), PlaceHas::OtherMove));

    // One that says at the old place that the store was moved is given up first.
    let fixture = marked();
    let old = fixture.at_old();
    let refused = old.let_go_of(fixture.new.clone(), NEW);
    assert!(is_moved(&refused, NEW));
    assert!(keep(&fixture).unwrap());
    old.let_go_of(fixture.new.clone(), NEW).unwrap();
}

/// Somebody who wants to finish the first of two moves may be late.
#[test]
fn a_move_that_was_given_up_and_begun_again_is_not_finished_as_the_first_one() {
    let fixture = marked();
    let first = fixture.old.records();
    assert!(keep(&fixture).unwrap());
    put(&fixture.at_old(), "a", "K1", "kept").unwrap();
    fixture.old.fail_at(0, Failing::After);
    fixture.go().unwrap_err();
    fixture.old.fail_never();
    let late = Observed::new();
    copy(&first, &late);
    let keys = FixedKeys::new(vec![fixture.identity.clone()]);
    let late = Store::with_backend(late, keys).unwrap();
    let finished = late.move_to(fixture.new.clone(), NEW, &mut |_| ());
    assert!(has(&finished, PlaceHas::Gone));
    fixture.go().unwrap();
    assert_eq!(get(&fixture.at_new(), "a", "K1").unwrap(), "kept");
    fixture.check(&fixture.at_new());
}

#[test]
fn a_store_whose_new_place_is_gone_is_kept_without_it() {
    let fixture = Fixture::new();
    fixture.go().unwrap();
    let new = fixture.at_new();
    put(&new, "a", "K1", "lost").unwrap();
    // One change alone could have been cut short, as far as the log tells.
    put(&new, "a", "K1", "lost").unwrap();
    let old = fixture.at_old();
    assert!(has(&keep(&fixture), PlaceHas::SameStore));
    let emptied = Fixture {
        new: Observed::new(),
        ..fixture
    };
    assert!(has(&keep(&emptied), PlaceHas::Gone));
    assert!(emptied.new.records().is_empty());
    assert!(is_moved(&put(&old, "a", "K1", "v"), NEW));
    assert!(old.keep_here(None).unwrap());
    put(&old, "a", "K1", "kept").unwrap();
    emptied.check(&old);
}

#[test]
fn a_store_is_not_kept_if_another_one_is_at_its_new_place_or_it_was_moved_on() {
    let fixture = marked();
    let other = Fixture::new();
    let taken = Arc::new(other.old.clone());
    let kept = fixture.at_old().keep_here(Some((taken, NEW)));
    assert!(has(&kept, PlaceHas::Gone));
    fixture.go().unwrap();
    let further = Observed::new();
    let new = fixture.at_new();
    new.move_to(further, "etcd://further", &mut |_| ()).unwrap();
    let kept = keep(&fixture).map(drop);
    assert!(is_moved(&kept, "etcd://further"));
}

/// The names of places are the same on many machines.
#[test]
fn a_move_does_not_go_on_at_another_place_of_the_same_name() {
    for is_finished in [false, true] {
        let fixture = Fixture::new();
        let other_old = Observed::new();
        copy(&fixture.old.records(), &other_old);
        mark(&fixture);
        if is_finished {
            fixture.go().unwrap();
        }
        let real = fixture.new.clone();
        let emptied = Fixture {
            new: Observed::new(),
            ..fixture
        };
        assert!(has(&emptied.go(), PlaceHas::Gone));
        assert!(emptied.new.records().is_empty());
        // Somebody else has begun to move the same store to there.
        other_old.fail_at(0, Failing::Before);
        let keys = FixedKeys::new(vec![emptied.identity.clone()]);
        let other = Store::with_backend(other_old, keys).unwrap();
        let begun = other.move_to(emptied.new.clone(), NEW, &mut |_| ());
        begun.unwrap_err();
        let before = emptied.new.records();
        assert!(!before.is_empty());
        assert!(has(&emptied.go(), PlaceHas::Gone));
        assert!(has(&keep(&emptied), PlaceHas::Gone));
        assert_eq!(emptied.new.records(), before);
        assert!(is_moved(&put(&emptied.at_old(), "a", "K1", "v"), NEW));

        let fixture = Fixture {
            new: real,
            ..emptied
        };
        assert_eq!(fixture.go().unwrap().was_done, is_finished);
        fixture.check(&fixture.at_new());
    }
}

#[test]
fn a_mover_that_was_stopped_puts_nothing_behind_another_one() {
    let fixture = Arc::new(Fixture::new());
    let (other, new) = (Arc::clone(&fixture), fixture.new.clone());
    let mut is_first = true;
    fixture.new.on_commit(move |_| {
        if std::mem::take(&mut is_first) {
            let other = Arc::clone(&other);
            // The first mover has read the old place, and not yet the new one.
            new.on_read(move || {
                put(&other.at_old(), "a", "K7", "third").unwrap();
                other.old.fail_at(0, Failing::After);
                other.go().unwrap_err();
                other.old.fail_never();
            });
        }
    });
    let stopped = fixture.go();
    assert!(has(&stopped, PlaceHas::OtherMover));
    let mut there = without_header(&fixture.new);
    there.retain(|(_, key, _)| key != b"moving");
    assert_eq!(there, without_header(&fixture.old));
    fixture.go().unwrap();
    assert_eq!(get(&fixture.at_new(), "a", "K7").unwrap(), "third");
    fixture.check(&fixture.at_new());
}
