//! A passphrase opens however the keyboard writes its accents. Public fault: borg#1048.

use std::fs;

use super::ssh::ssh_key;
use super::{answer, ends_well, start_with, write_key};
use crate::home::Home;
use crate::terminal::start_at;

/// One character, and a letter with a mark of its own.
const FORMS: [&str; 2] = ["caf\u{e9}", "cafe\u{301}"];
/// Both in one word, as a file may have been sealed with by another program.
const MIXED: &str = "\u{e9}e\u{301}";
const GET: [&str; 4] = ["secret", "get", "github-token", "TOKEN"];

#[test]
fn a_key_file_is_opened_by_each_form() {
    let home = Home::with_secret("v");
    let plain = fs::read(home.path("age.key")).unwrap();
    for (used, typed) in [
        (FORMS[0], FORMS[0]),
        (FORMS[0], FORMS[1]),
        (FORMS[1], FORMS[0]),
        (FORMS[1], FORMS[1]),
        (MIXED, MIXED),
    ] {
        let mut recipient = age::scrypt::Recipient::new(used.to_owned().into());
        recipient.set_work_factor(2);
        let key = write_key(&home, "sealed", age::encrypt(&recipient, &plain).unwrap());
        let mut session = start_with(&home, &key, &GET);
        answer(&mut session, "passphrase for ~/sealed: ", typed);
        assert!(ends_well(session).contains('v'), "{used:?} {typed:?}");
    }
}

#[test]
fn a_rotation_keeps_the_form_that_opened_the_file() {
    let home = Home::with_secret("v");
    let plain = fs::read(home.path("age.key")).unwrap();
    let mut recipient = age::scrypt::Recipient::new(FORMS[1].to_owned().into());
    recipient.set_work_factor(2);
    let key = write_key(&home, "sealed", age::encrypt(&recipient, &plain).unwrap());
    let mut session = start_with(&home, &key, &["key", "rotate"]);
    answer(&mut session, "passphrase for ~/sealed: ", FORMS[0]);
    ends_well(session);
    let identity = age::scrypt::Identity::new(FORMS[1].to_owned().into());
    age::decrypt(&identity, &fs::read(&key).unwrap()).unwrap();
}

#[test]
fn an_ssh_key_is_opened_by_each_form() {
    for (used, typed) in [(FORMS[0], FORMS[1]), (FORMS[1], FORMS[0])] {
        let home = Home::new();
        let Some(key) = ssh_key(&home, "id", &["ed25519"], used) else {
            return;
        };
        let put = ["secret", "put", "github-token", "TOKEN", "v"];
        let mut session = start_with(&home, &key, &put);
        answer(&mut session, "passphrase for ~/id: ", typed);
        ends_well(session);
    }
}

/// What mcplexer encrypts is opened by the form that most systems type, also by the age command.
#[test]
fn a_backup_is_made_with_one_form_and_opened_by_each() {
    let home = Home::with_secret("v");
    let mut session = start_at(&home, &["backup", "create", "b.age", "--passphrase"]);
    answer(&mut session, "new passphrase: ", FORMS[1]);
    answer(&mut session, "repeat passphrase: ", FORMS[1]);
    ends_well(session);
    let mut identity = age::scrypt::Identity::new(FORMS[0].to_owned().into());
    identity.set_max_work_factor(30);
    age::decrypt(&identity, &fs::read(home.root().join("b.age")).unwrap()).unwrap();
    let mut session = start_at(&home, &["backup", "verify", "b.age"]);
    answer(&mut session, "passphrase for b.age: ", FORMS[1]);
    ends_well(session);
}

#[test]
fn a_passphrase_of_the_store_is_made_with_one_form_and_opened_by_each() {
    let home = Home::with_secret("v");
    let mut session = start_at(&home, &["key", "add", "--passphrase"]);
    answer(&mut session, "new passphrase: ", FORMS[1]);
    answer(&mut session, "repeat passphrase: ", FORMS[1]);
    ends_well(session);
    fs::rename(home.path("age.key"), home.root().join("away")).unwrap();
    for typed in FORMS {
        let mut session = start_at(&home, &GET);
        answer(
            &mut session,
            "passphrase of the store (passphrase): ",
            typed,
        );
        assert!(ends_well(session).contains('v'), "{typed:?}");
    }
}
