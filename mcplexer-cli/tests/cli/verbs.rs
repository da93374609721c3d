//! The commands by the names that people type.

use std::fs;

use super::home::Home;
use super::usage::assert_refused;

#[test]
fn a_command_goes_by_the_names_that_people_try() {
    let home = Home::new();
    home.run(["secret", "set", "tls", "K", "v1"]).succeeded();
    home.run(["secret", "add", "tls/K", "v2"]).succeeded();
    for name in ["show", "read"] {
        let shown = home.run(["secret", name, "tls/K"]).succeeded();
        assert_eq!(shown.text(), "v2", "{name}");
    }
    let exec = home.run(["exec", "--scope", "tls", "printenv", "K"]);
    assert_eq!(exec.succeeded().text(), "v2\n");
    let version = home.run(["version"]).succeeded();
    assert_eq!(version.text(), home.run(["-V"]).succeeded().text());
    home.run(["secret", "remove", "tls", "K"]).succeeded();
    // Under each name, a value in pieces is not repeated.
    for name in ["put", "set", "add"] {
        assert_refused(&home.run(["secret", name, "api", "K", "Bearer", "ghp_x"]));
    }
}

#[test]
fn key_and_value_in_one_word_are_told_apart_and_not_repeated() {
    let home = Home::new();
    for arguments in [
        &["put", "api", "K=ghp_x"][..],
        &["put", "api", "ghp_x=y", "z"],
        &["put", "api/K=ghp_x"],
        &["put", "K=ghp_x"],
        &["set", "api", "K=ghp_x"],
    ] {
        let run = home.run(["secret"].iter().chain(arguments));
        assert_refused(&run);
        run.failed(
            2,
            &[
                "KEY and VALUE are one word",
                "mcplexer secret put SCOPE KEY",
            ],
        );
    }
    assert_eq!(home.files().len(), 0, "something was stored");
}

#[test]
fn init_creates_what_is_missing_and_never_over_a_loss() {
    let home = Home::new();
    let created = home.run(["init"]).succeeded();
    for said in [
        "Created your key ~/.mcplexer/age.key",
        "mcplexer secret put SCOPE KEY",
    ] {
        assert!(created.stderr.contains(said), "{}", created.stderr);
    }
    let files = home.files();
    let again = home.run(["init"]).succeeded();
    assert_eq!(again.stderr, "~/.mcplexer has a key and a store already\n");
    assert_eq!(home.files(), files);
    home.run(["secret", "put", "s", "K", "v"]).succeeded();
    let away = home.root().join("away");
    fs::rename(home.path("age.key"), &away).unwrap();
    home.run(["init"]).failed(5, &["age.key"]);
    assert!(!home.path("age.key").exists(), "a key over a loss");
    fs::rename(&away, home.path("age.key")).unwrap();
    fs::remove_file(home.path("secrets.redb")).unwrap();
    home.run(["init"]).failed(6, &["audit"]);
    assert!(!home.path("secrets.redb").exists(), "a store over a loss");
}
