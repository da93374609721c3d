//! Opening a store without a key file: with its passphrase or its recovery code.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use mcplexer_secrets::keys::Identity;

use super::{answer, ends_well};
use crate::home::{Home, finish};
use crate::terminal::{end, start_at};

/// F37: without a terminal, a command that needs a passphrase fails at once and changes nothing.
#[test]
fn a_passphrase_of_the_store() {
    let home = Home::with_secret("v");
    home.run(["key", "add", "--passphrase"])
        .failed(5, &["no terminal to ask on"]);
    let add = ["key", "add", "--passphrase", "--label", "team"];
    let mut session = start_at(&home, &add);
    answer(&mut session, "new passphrase: ", "right");
    answer(&mut session, "repeat passphrase: ", "other");
    let (text, code) = end(session);
    assert!(code == 2 && text.contains("differ"), "{text}");
    let mut session = start_at(&home, &add);
    answer(&mut session, "new passphrase: ", "right");
    answer(&mut session, "repeat passphrase: ", "right");
    ends_well(session);

    home.run(["key", "rotate"]).succeeded();
    fs::rename(home.path("age.key"), home.root().join("away")).unwrap();
    let get = ["secret", "get", "github-token", "TOKEN"];
    let mut session = start_at(&home, &get);
    answer(&mut session, "passphrase of the store (team): ", "wrong");
    answer(
        &mut session,
        "that was wrong; passphrase of the store",
        "right",
    );
    assert!(ends_well(session).contains('v'));
    let mut session = start_at(&home, &["key", "rotate", "--keep-identity"]);
    answer(&mut session, "passphrase of the store (team): ", "right");
    ends_well(session);
    home.run(get).failed(
        5,
        &[
            "age.key does not exist",
            "with the passphrase team: run the command on a terminal",
        ],
    );
    home.run([&["--no-input"], get.as_slice()].concat())
        .failed(5, &["age.key does not exist"]);
}

/// The recovery code and the store are enough.
#[test]
fn a_recovery_code() {
    let home = Home::with_secret("v");
    let made = home.run(["key", "recovery"]).succeeded();
    let code = made.text().trim().to_owned();
    assert_eq!((code.len(), code.matches('-').count()), (39, 7), "{code}");
    assert!(!made.stderr.contains(&code) && made.stderr.contains("write it down"));
    home.assert_no_trace_of(&code);
    home.run(["key", "recovery"])
        .failed(8, &["has a recovery code already"]);

    fs::remove_file(home.path("age.key")).unwrap();
    let get = home.run(["secret", "get", "github-token", "TOKEN"]);
    get.failed(5, &["age.key does not exist", "mcplexer key recover"]);
    let recover = |code: &str| home.pipe(["key", "recover"], code.as_bytes());
    let store = fs::read(home.path("secrets.redb")).unwrap();
    let wrong = match code.starts_with('Q') {
        true => code.replacen('Q', "P", 1),
        false => code.replacen(|_| true, "Q", 1),
    };
    recover(&wrong).failed(2, &["typing error"]);
    recover("too short").failed(2, &["32 letters and digits"]);
    let other = Home::with_secret("x").run(["key", "recovery"]).stdout;
    recover(str::from_utf8(&other).unwrap()).failed(5, &["does not open the store"]);
    assert!(!home.path("age.key").exists());
    assert!(fs::read(home.path("secrets.redb")).unwrap().len() == store.len());

    let mut session = start_at(&home, &["key", "recover"]);
    answer(&mut session, "recovery code: ", &wrong);
    session.exp_string("typing error").unwrap();
    answer(
        &mut session,
        "recovery code: ",
        &code.to_lowercase().replace('-', " "),
    );
    let text = ends_well(session);
    assert!(
        text.contains("new key age1") && !text.contains(&code),
        "{text}"
    );
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
    let mode = fs::metadata(home.path("age.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
    // The code stays valid until it is removed.
    fs::remove_file(home.path("age.key")).unwrap();
    recover(&code).succeeded();
    home.run(["key", "remove", "recovery code"]).succeeded();
    recover(&code).failed(5, &["has no recovery code"]);
}

/// A coding agent that reads the code could open everything.
#[test]
fn a_recovery_code_is_not_shown_to_a_coding_agent() {
    let home = Home::with_secret("v");
    let run = |arguments: &[&str]| finish(home.command().env("CLAUDECODE", "1").args(arguments));
    run(&["key", "recovery"]).failed(3, &["Claude Code is running this command", "--reveal"]);
    run(&["key", "recovery", "--reveal"]).succeeded();
}

/// Errors that do not depend on the code are reported before anybody has to type it.
#[test]
fn what_needs_no_recovery_code_is_found_before_it_is_asked_for() {
    let home = Home::with_secret("v");
    let recover = |lost: &[&str]| home.run(["key", "recover"].iter().chain(lost));
    recover(&[]).failed(5, &["has no recovery code"]);
    home.run(["key", "recovery"]).succeeded();
    recover(&[]).failed(2, &["32 letters and digits"]);
    let other = Identity::generate().name();
    home.run(["key", "add", &other, "--label", "bob"])
        .succeeded();
    recover(&[]).failed(2, &["several keys match", "bob", "--lost LABEL"]);
    recover(&["--lost", "age1"]).failed(2, &["several keys match"]);
    recover(&["--lost", "eve"]).failed(4, &["no key eve opens this store"]);
    recover(&["--lost", "bob"]).failed(2, &["32 letters and digits"]);
    recover(&["--lost", &other]).failed(2, &["32 letters and digits"]);
}
