//! What is said about a secret, and which secrets are due.

use mcplexer_secrets::{Change, Due, Error, Purpose, SecretEdit, SecretStore, Select, Timestamp};

use super::{Place, expires, key, past_and_future, scope};

#[test]
fn a_put_keeps_what_is_said_but_for_an_expiry_that_has_passed() {
    let place = Place::new();
    let (past, future) = past_and_future();
    let edit = SecretEdit {
        note: Change::Set("a note".parse().unwrap()),
        rotate_every: Change::Set("90d".parse().unwrap()),
        ..expires(future)
    };
    place.put_with("K", "one", &edit);
    assert_eq!(place.put("K", "two").expiry_dropped, None);
    let info = place.info("K");
    assert_eq!(info.expires, Some(future));
    assert_eq!(info.note.unwrap().as_str(), "a note");
    assert_eq!(info.rotate_every.unwrap().days(), 90);

    let before = place.info("K");
    place
        .store
        .edit(&scope(), &key("K"), &expires(past))
        .unwrap();
    let edited = place.info("K");
    assert_eq!(
        (before.version, before.updated, before.revision),
        (edited.version, edited.updated, edited.revision),
        "an edit stores no value"
    );
    assert_eq!(place.get("K"), "two");
    assert_eq!(place.put("K", "three").expiry_dropped, Some(past));
    let info = place.info("K");
    assert_eq!((info.expires, info.rotate_every.is_some()), (None, true));

    place
        .store
        .edit(&scope(), &key("K"), &expires(past))
        .unwrap();
    let stored = place.put_with("K", "four", &expires(future));
    assert_eq!(stored.expiry_dropped, None, "it was replaced");
    assert_eq!(place.info("K").expires, Some(future));
    let nothing = SecretEdit {
        note: Change::Remove,
        expires: Change::Remove,
        rotate_every: Change::Remove,
    };
    let info = place.store.edit(&scope(), &key("K"), &nothing).unwrap();
    assert_eq!(
        (&info.note, info.expires, info.rotate_every),
        (&None, None, None)
    );
    assert_eq!(place.info("K"), info);
    place.check();
}

/// A time that cannot be written in a backup is refused at once.
#[test]
fn an_expiry_is_before_the_year_10000() {
    let place = Place::new();
    place.put("K", "one");
    let last: Timestamp = "9999-12-30T00:00:00Z".parse().unwrap();
    place
        .store
        .edit(&scope(), &key("K"), &expires(last))
        .unwrap();
    place.backup("b.age");
    let late = expires(Timestamp::from_micros(u64::MAX / 4));
    let edited = place.store.edit(&scope(), &key("K"), &late);
    assert!(matches!(edited, Err(Error::InvalidExpiry)));
}

#[test]
fn what_is_due_is_listed_and_named_with_the_values() {
    let place = Place::new();
    let (past, future) = past_and_future();
    place.put_with("FRESH", "v", &expires(future));
    place.put_with("EXPIRED", "v", &expires(past));
    place.put("PLAIN", "v");
    let now = Timestamp::now();
    let due = place.store.due(now).unwrap();
    let [expired] = &due[..] else {
        panic!("{due:?}")
    };
    assert_eq!(
        (&expired.scope, &expired.info.name),
        (&scope(), &key("EXPIRED"))
    );
    assert_eq!(expired.due, Due::Expires(past));
    assert_eq!(
        place.store.list_due(Some(&scope()), future).unwrap().len(),
        2
    );
    let missing = place.store.list_due(Some(&"x".parse().unwrap()), now);
    assert!(matches!(missing, Err(Error::ScopeNotFound { .. })));
    let names = [key("FRESH"), key("EXPIRED")];
    for (select, due) in [
        (Select::All, 1),
        (Select::Only(&names), 1),
        (Select::AnyOf(&names[..1]), 0),
    ] {
        let opened = place.store.credentials(&scope(), select, Purpose::Export);
        assert_eq!(opened.unwrap().due().len(), due, "{select:?}");
    }
}
