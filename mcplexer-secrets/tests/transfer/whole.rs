//! A move that is not interrupted, and what is at both places afterwards.

use std::sync::{Arc, Mutex};
use std::thread;

use mcplexer_secrets::Error;
use mcplexer_secrets::audit::AuditOperation;
use mcplexer_secrets::backend::{Limits, Table};

use super::observed::Observed;
use super::{Fixture, NEW, OLD, get, is_moved, put, without_header};

#[test]
fn a_store_is_moved_record_by_record_and_takes_changes_at_the_new_place_only() {
    let fixture = Fixture::new();
    let before = fixture.at_old();
    let moved = fixture.go().unwrap();
    assert!(!moved.was_done);
    assert_eq!((moved.scopes, moved.secrets), (3, 120));
    assert_eq!(moved.put, moved.records);
    assert_eq!(moved.records, without_header(&fixture.new).len() as u64);
    assert_eq!(without_header(&fixture.old), without_header(&fixture.new));

    let (old, new) = (fixture.at_old(), fixture.at_new());
    for store in [&old, &new, &before] {
        assert_eq!(get(store, "b", "K7").unwrap(), "second");
        fixture.check(store);
    }
    let version = new.get_version(&"b".parse().unwrap(), &"K7".parse().unwrap(), 1);
    assert_eq!(version.unwrap().expose(), b"first");
    for store in [&old, &before] {
        assert!(is_moved(&put(store, "a", "NEW", "v"), NEW));
        assert_eq!(store.moved_to().unwrap().as_deref(), Some(NEW));
        assert_eq!(store.seen_moved_to().as_deref(), Some(NEW));
    }
    assert_eq!(new.moved_to().unwrap(), None);

    // Once the store was changed, the old place is behind the log, and says why.
    put(&new, "a", "NEW", "v").unwrap();
    put(&new, "a", "NEW", "w").unwrap();
    fixture.check(&new);
    let behind = get(&old, "a", "K1").map(drop);
    assert!(is_moved(&behind, NEW), "{behind:?}");
    let log = fixture.directory.path().join("audit.log");
    assert!(is_moved(&old.verify_audit(&log, None).map(drop), NEW));
    assert!(is_moved(&fixture.go().map(drop), NEW));
}

#[test]
fn no_change_of_any_kind_is_made_where_a_store_was_moved_from() {
    let fixture = Fixture::new();
    fixture.go().unwrap();
    let old = fixture.at_old();
    let before = fixture.old.records();
    let scope = "a".parse().unwrap();
    let nothing: &mut dyn FnMut(_) = &mut |_| ();
    for changed in [
        put(&old, "a", "K1", "v"),
        mcplexer_secrets::SecretStore::delete_scope(&old, &scope).map(drop),
        old.rotate(mcplexer_secrets::RotateIdentity::Keep, nothing)
            .map(drop),
        old.rotate(mcplexer_secrets::RotateIdentity::Replace, nothing)
            .map(drop),
        old.accept(true).map(drop),
        old.add_recovery_code().map(drop),
        old.move_to(Observed::new(), "elsewhere", nothing).map(drop),
    ] {
        assert!(is_moved(&changed, NEW), "{changed:?}");
    }
    assert_eq!(fixture.old.records(), before);
    fixture.check(&fixture.at_new());
}

#[test]
fn a_store_that_is_moved_already_is_not_moved_again() {
    let fixture = Fixture::new();
    let first = fixture.go().unwrap();
    let commits = (fixture.old.commits(), fixture.new.commits());
    let again = fixture.go().unwrap();
    assert!(again.was_done);
    assert_eq!((again.put, again.deleted), (0, 0));
    assert_eq!(
        (again.records, again.bytes, again.secrets, again.revision),
        (first.records, first.bytes, first.secrets, first.revision)
    );
    assert_eq!((fixture.old.commits(), fixture.new.commits()), commits);
}

#[test]
fn a_store_is_moved_back_with_what_has_changed() {
    let fixture = Fixture::new();
    fixture.go().unwrap();
    let new = fixture.at_new();
    put(&new, "b", "K7", "third").unwrap();
    mcplexer_secrets::SecretStore::delete(&new, &"c".parse().unwrap(), &"K3".parse().unwrap())
        .unwrap();
    let moved = fixture.go_back().unwrap();
    assert!(moved.put < 10, "{moved:?}");
    assert_eq!(moved.deleted, 1);
    let old = fixture.at_old();
    assert_eq!(get(&old, "b", "K7").unwrap(), "third");
    put(&old, "a", "NEW", "v").unwrap();
    fixture.check(&old);
    assert!(is_moved(&put(&new, "a", "NEW", "v"), OLD));
    // There and back again.
    fixture.go().unwrap();
    assert_eq!(get(&fixture.at_new(), "a", "NEW").unwrap(), "v");
    fixture.check(&fixture.at_new());
}

#[test]
fn commits_are_as_small_as_the_new_place_wants_them() {
    let limits = Limits::new(Some(3), Some(8_000));
    let fixture = Fixture::between(Observed::new(), Observed::limited(limits));
    fixture.go().unwrap();
    fixture.check(&fixture.at_new());
    let small = Fixture::between(
        Observed::new(),
        Observed::limited(Limits::new(None, Some(400))),
    );
    let error = small.go().unwrap_err().to_string();
    assert!(
        error.contains("takes records of at most 400 bytes"),
        "{error}"
    );
    put(&small.at_old(), "a", "NEW", "v").unwrap();
}

#[test]
fn others_read_during_a_move_and_a_change_waits_and_is_refused() {
    let fixture = Fixture::new();
    let (reader, writer) = (fixture.at_old(), Arc::new(fixture.at_old()));
    let waiting = Arc::new(Mutex::new(None));
    let mut marks = 0;
    fixture.new.on_commit({
        let waiting = Arc::clone(&waiting);
        move |puts| {
            assert_eq!(get(&reader, "a", "K7").unwrap(), "second");
            // The second time, the turn of the writers is held until the old place says that the store was moved.
            let is_mark = |(table, key, _): &(Table, Vec<u8>, Vec<u8>)| {
                (*table, &**key) == (Table::Meta, b"moving")
            };
            marks += usize::from(puts.iter().any(is_mark));
            if marks == 2 && waiting.lock().unwrap().is_none() {
                let writer = Arc::clone(&writer);
                let put = thread::spawn(move || put(&writer, "a", "LATE", "v"));
                *waiting.lock().unwrap() = Some(put);
            }
        }
    });
    fixture.go().unwrap();
    let put = waiting.lock().unwrap().take().unwrap();
    let put = put.join().unwrap();
    assert!(is_moved(&put, NEW), "{put:?}");
    let late = get(&fixture.at_new(), "a", "LATE");
    assert!(matches!(late, Err(Error::SecretNotFound { .. })));
    fixture.check(&fixture.at_new());
}

#[test]
fn what_is_changed_while_the_records_are_copied_is_moved_too() {
    let fixture = Fixture::new();
    let writer = fixture.at_old();
    let mut is_done = false;
    fixture.new.on_commit(move |puts| {
        // The first commit with records.
        if !is_done && puts.iter().any(|(table, ..)| *table == Table::Secrets) {
            is_done = true;
            put(&writer, "a", "K1", "changed").unwrap();
            put(&writer, "new", "K1", "v").unwrap();
            mcplexer_secrets::SecretStore::delete_scope(&writer, &"c".parse().unwrap()).unwrap();
        }
    });
    let moved = fixture.go().unwrap();
    assert!(moved.deleted > 40, "{moved:?}");
    let new = fixture.at_new();
    assert_eq!(get(&new, "a", "K1").unwrap(), "changed");
    assert_eq!(get(&new, "new", "K1").unwrap(), "v");
    assert_eq!(without_header(&fixture.old), without_header(&fixture.new));
    fixture.check(&new);
}

#[test]
fn the_log_has_a_line_of_the_move_which_the_store_vouches_for_at_both_places() {
    let fixture = Fixture::new();
    fixture.go().unwrap();
    let log = fixture.directory.path().join("audit.log");
    let text = std::fs::read_to_string(log).unwrap();
    let moves = text
        .lines()
        .filter(|it| it.contains(r#""op":"move-store""#));
    let moves: Vec<_> = moves.collect();
    assert_eq!(moves.len(), 1);
    assert!(moves[0].contains(r#""pending":true"#));
    let name = serde_json::to_value(AuditOperation::MoveStore).unwrap();
    assert_eq!(name, "move-store");
}

#[test]
fn what_is_left_of_a_store_is_let_go_of_only_if_it_was_moved() {
    let fixture = Fixture::new();
    let has = |result: Result<(), Error>| match result {
        Err(Error::Place { has, .. }) => has.to_string(),
        other => format!("{other:?}"),
    };
    fixture.go().unwrap();
    let new = fixture.at_new();
    put(&new, "a", "NEW", "v").unwrap();
    new.let_go_of(fixture.old.clone(), OLD).unwrap();
    assert_eq!(new.seen_moved_to(), None);
    fixture.check(&new);
    let other = Fixture::new();
    assert_eq!(
        has(new.let_go_of(other.old.clone(), OLD)),
        "has another store"
    );
    assert_eq!(has(new.let_go_of(other.new.clone(), OLD)), "has no store");
    let itself = has(new.let_go_of(fixture.new.clone(), NEW));
    assert!(itself.contains("takes changes there"), "{itself}");
    let gone = fixture.at_old().let_go_of(fixture.new.clone(), NEW);
    assert!(is_moved(&gone, NEW));
}
