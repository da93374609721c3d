//! Backups and copies of a store: every version comes along, and the newer value wins.

use mcplexer_secrets::{Change, RestoreAction, RestoreMode, SecretEdit, SecretInfo, SecretStore};

use super::{Place, expires, key, past_and_future, scope, version_of};

#[test]
fn a_backup_has_every_version_and_what_is_said() {
    let place = Place::new();
    let (_, future) = past_and_future();
    for value in ["one", "two", "\u{1f511}"] {
        place.put("K", value);
    }
    let edit = SecretEdit {
        note: Change::Set("\"quoted\" \\ é".parse().unwrap()),
        rotate_every: Change::Set("90d".parse().unwrap()),
        ..expires(future)
    };
    place.store.edit(&scope(), &key("K"), &edit).unwrap();
    place.put("L", "plain");
    place.keep(7);
    let backup = place.backup("b.age");
    let new = Place::new();
    assert_eq!(new.restore(&backup, RestoreMode::Merge), RestoreAction::Add);
    assert_eq!(new.versions("K"), place.versions("K"));
    assert_eq!(new.store.scope(&scope()).unwrap().keep_versions, 7);
    let without_revision = |mut info: SecretInfo| {
        info.revision = 0;
        info
    };
    for name in ["K", "L"] {
        assert_eq!(
            without_revision(new.info(name)),
            without_revision(place.info(name))
        );
    }
    new.check();
    let again = new.backup("again.age");
    place.restore(&again, RestoreMode::Replace);
    assert_eq!(new.versions("K"), place.versions("K"));
    place.check();
}

#[test]
fn a_scope_that_keeps_fewer_versions_takes_in_no_more() {
    let place = Place::new();
    for value in ["one", "two", "three"] {
        place.put("K", value);
    }
    let backup = place.backup("b.age");
    let new = Place::new();
    new.put("L", "makes the scope");
    new.keep(1);
    new.restore(&backup, RestoreMode::Merge);
    assert_eq!(
        new.versions("K"),
        [version_of(3, "three"), version_of(2, "two")]
    );
    new.check();
}

/// T10: between copies of one store the higher revision wins, whatever the clocks said.
#[test]
fn of_two_copies_of_a_store_the_higher_revision_wins() {
    let place = Place::new();
    place.put("K", "first");
    let copy = place.copied();
    copy.put("K", "in the copy");
    place.put("L", "moves the revision on");
    place.put("K", "here");
    // The copy is put last, and so its time is later.
    copy.put("K", "in the copy, later");
    assert!(copy.info("K").updated > place.info("K").updated);
    let revisions = (copy.info("K").revision, place.info("K").revision);
    assert_eq!(revisions.0, revisions.1);
    let theirs = copy.backup("theirs.age");
    assert_eq!(
        place.restore(&theirs, RestoreMode::Merge),
        RestoreAction::Keep
    );
    assert_eq!(place.get("K"), "here");
    let set_aside = place.versions("K");
    assert_eq!(set_aside[1].1, "in the copy, later");

    // So far that the next revision of this store is below.
    for _ in 0..5 {
        copy.put("K", "in the copy, further on");
    }
    let theirs = copy.backup("theirs.age");
    assert_eq!(
        place.restore(&theirs, RestoreMode::Merge),
        RestoreAction::Replace
    );
    assert_eq!(place.get("K"), "in the copy, further on");
    assert_eq!(
        place.versions("K")[1].1,
        "here",
        "what was replaced is kept"
    );
    assert_eq!(place.info("K").revision, copy.info("K").revision);
    // From here on, this store is ahead again with its next put.
    place.put("K", "newest");
    let ours = place.backup("ours.age");
    assert_eq!(
        copy.restore(&ours, RestoreMode::Merge),
        RestoreAction::Replace
    );
    assert_eq!(copy.get("K"), "newest");
    place.check();
    copy.check();
}

#[test]
fn what_is_restored_on_purpose_is_newer_than_what_it_replaces() {
    let place = Place::new();
    place.put("K", "old");
    let old = place.backup("old.age");
    place.put("K", "new");
    let new = place.backup("new.age");
    let before = place.info("K");
    place.restore(&old, RestoreMode::Replace);
    assert_eq!(place.get("K"), "old");
    let restored = place.info("K");
    assert!(restored.revision > before.revision);
    assert!(
        restored.updated >= before.updated,
        "the time never goes back"
    );
    assert_eq!(place.restore(&new, RestoreMode::Merge), RestoreAction::Keep);
    assert_eq!(place.get("K"), "old");
}
