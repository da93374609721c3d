//! Places that a store is not moved to.

use mcplexer_secrets::backend::Table;
use mcplexer_secrets::{Error, PlaceHas};

use super::observed::{Failing, Observed};
use super::{Fixture, NEW, get, put, without_header};

fn has(fixture: &Fixture) -> Option<PlaceHas> {
    let before = fixture.new.records();
    let has = match fixture.go() {
        Err(Error::Place { place, has }) => {
            assert_eq!(place, NEW);
            Some(has)
        }
        Err(error) => panic!("{error}"),
        Ok(_) => return None,
    };
    assert_eq!(fixture.new.records(), before);
    put(&fixture.at_old(), "a", "NEW", "v").unwrap();
    has
}

/// The same fixture with another new place.
fn to(new: &Observed) -> Fixture {
    Fixture {
        new: new.clone(),
        ..Fixture::new()
    }
}

#[test]
fn nothing_is_moved_over_another_store() {
    let other = Fixture::new();
    assert_eq!(has(&to(&other.old)), Some(PlaceHas::OtherStore));
    get(&other.at_old(), "a", "K1").unwrap();
}

#[test]
fn nothing_is_moved_to_where_another_store_is_being_moved() {
    let other = Fixture::new();
    other.new.fail_at(1, Failing::Before);
    other.go().unwrap_err();
    other.new.fail_never();
    assert_eq!(has(&to(&other.new)), Some(PlaceHas::OtherMove));
    other.go().unwrap();
}

#[test]
fn nothing_is_moved_over_records_of_no_store() {
    let stray = Observed::new();
    stray.tamper(|it| it.put(Table::Secrets, b"k", b"record").unwrap());
    assert_eq!(has(&to(&stray)), Some(PlaceHas::NoHeader));
}

#[test]
fn nothing_is_moved_over_a_copy_that_takes_changes_or_over_itself() {
    let fixture = Fixture::new();
    let itself = Fixture {
        new: fixture.old.clone(),
        ..fixture
    };
    assert_eq!(has(&itself), Some(PlaceHas::SameStore));
    let copy = Observed::new();
    let records = itself.old.records();
    copy.tamper(|it| {
        for (table, key, record) in &records {
            it.put(*table, key, record).unwrap();
        }
    });
    let copied = Fixture {
        new: copy,
        ..itself
    };
    assert_eq!(has(&copied), Some(PlaceHas::SameStore));
}

#[test]
fn a_first_secret_makes_no_store_where_one_is_being_moved() {
    let fixture = Fixture::new();
    let empty = fixture.at_new();
    fixture.new.fail_at(1, Failing::Before);
    fixture.go().unwrap_err();
    fixture.new.fail_never();
    let before = fixture.new.records();
    // Opened before there was anything.
    let refused = put(&empty, "a", "K1", "v");
    assert!(matches!(refused, Err(Error::MoveUnfinished)), "{refused:?}");
    assert!(matches!(empty.init(), Ok(false)));
    assert!(matches!(
        fixture.at(&fixture.new),
        Err(Error::MoveUnfinished)
    ));
    assert_eq!(fixture.new.records(), before);
}

#[test]
fn a_record_that_does_not_stay_as_it_was_put_is_found_before_the_store_is_moved() {
    let changed = Observed::changing(|table, key, record| {
        let mut record = record.to_vec();
        if (table, key) == (Table::Secrets, b"b\0K9") {
            record[20] ^= 1;
        }
        record
    });
    let fixture = Fixture::between(Observed::new(), changed);
    assert!(matches!(
        fixture.go(),
        Err(Error::Place {
            has: PlaceHas::OtherRecords,
            ..
        })
    ));
    put(&fixture.at_old(), "a", "K1", "v").unwrap();
    fixture.check(&fixture.at_old());
    assert!(matches!(
        fixture.at(&fixture.new),
        Err(Error::MoveUnfinished)
    ));
}

#[test]
fn records_that_were_tampered_with_meanwhile_are_put_again() {
    let fixture = Fixture::new();
    // What was copied stays, and the old place is not marked.
    fixture.old.fail_at(0, Failing::Before);
    fixture.go().unwrap_err();
    fixture.old.fail_never();
    fixture.new.tamper(|it| {
        it.put(Table::Secrets, b"b\0K9", b"other").unwrap();
        it.put(Table::Scopes, b"stray", b"record").unwrap();
        it.delete(Table::Secrets, b"c\0K9").unwrap();
    });
    let moved = fixture.go().unwrap();
    assert_eq!((moved.put, moved.deleted), (2, 1));
    assert_eq!(without_header(&fixture.old), without_header(&fixture.new));
    fixture.check(&fixture.at_new());
}

#[test]
fn a_store_with_a_record_that_does_not_open_is_not_moved() {
    let fixture = Fixture::new();
    fixture
        .old
        .tamper(|it| it.delete(Table::Secrets, b"b\0K9").unwrap());
    assert!(matches!(fixture.go(), Err(Error::Tampered { .. })));
    assert!(fixture.new.records().is_empty());
    put(&fixture.at_old(), "a", "K1", "v").unwrap();
}
