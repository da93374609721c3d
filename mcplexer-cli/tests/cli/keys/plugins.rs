//! Keys of age plugins.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{
    PLUGIN, PLUGINS, answer, assert_opens, command, ends_well, run_with, start_with, write_key,
};
use crate::home::{Home, finish, write_program};

/// The PIN that a test key asks for.
const PIN: &str = "1234";

/// Creates a key file with the test plugin, and returns its path and recipient.
fn plugin_key(home: &Home, name: &str, arguments: &[&str]) -> (PathBuf, String) {
    let mut plugin = Command::new(PLUGINS.join(PLUGIN));
    let made = finish(plugin.arg("--generate").args(arguments)).succeeded();
    let recipient = made
        .text()
        .split_whitespace()
        .find(|it| it.starts_with("age1"));
    (
        write_key(home, name, &made.stdout),
        recipient.unwrap().to_owned(),
    )
}

#[test]
fn a_plugin() {
    let home = Home::with_secret("v");
    let (key, recipient) = plugin_key(&home, "plugin.key", &[]);
    let own = home.path("age.key");
    run_with(&home, &own, &["key", "add", &recipient, "--label", "stick"]).succeeded();
    let list = home.run(["key", "list"]).succeeded();
    assert!(list.text().contains("stick  plugin"), "{}", list.text());
    let get = ["secret", "get", "github-token", "TOKEN"];
    run_with(&home, &key, &get).failed(6, &["has not accepted it"]);
    run_with(&home, &key, &["key", "accept"]).succeeded();
    assert_opens(&home, &key);
    run_with(&home, &key, &["key", "rotate"]).failed(5, &["cannot be replaced", "--keep-identity"]);
    // What it re-encrypts itself it need not accept again; what another key re-encrypts it must, because its private
    // key is not at hand.
    run_with(&home, &key, &["key", "rotate", "--keep-identity"]).succeeded();
    assert_opens(&home, &key);
    assert_opens(&home, &own);
    run_with(&home, &own, &["key", "rotate"]).succeeded();
    run_with(&home, &key, &get).failed(6, &["has not accepted it"]);
    run_with(&home, &key, &["key", "accept"]).succeeded();
    assert_opens(&home, &key);

    // Without the plugin program, a command that needs it names it, and changes nothing.
    let mut without = home.command();
    let without =
        without
            .env("MCPLEXER_AGE_KEY", &key)
            .args(["secret", "get", "github-token", "TOKEN"]);
    finish(without).failed(
        5,
        &[
            "age-plugin-mcplexertest is not in PATH",
            "install age-plugin-mcplexertest",
        ],
    );
    home.run(["key", "rotate"])
        .failed(5, &["age-plugin-mcplexertest is not in PATH"]);
    assert_opens(&home, &key);
    let other = plugin_key(&home, "other.key", &[]).0;
    run_with(&home, &other, &["secret", "get", "github-token", "TOKEN"])
        .failed(5, &["no key opens"]);
}

#[test]
fn a_store_can_be_made_for_a_plugin() {
    let home = Home::new();
    let (key, recipient) = plugin_key(&home, "plugin.key", &[]);
    run_with(
        &home,
        &key,
        &["secret", "put", "github-token", "TOKEN", "v"],
    )
    .succeeded();
    assert_opens(&home, &key);
    let list = home.run(["key", "list", "--json"]).succeeded();
    assert!(list.text().contains(&recipient), "{}", list.text());

    let nameless = fs::read_to_string(&key).unwrap();
    let nameless = write_key(&home, "nameless", nameless.lines().last().unwrap());
    assert_opens(&home, &nameless);
    let new = Home::new();
    run_with(&new, &nameless, &["secret", "put", "s", "K", "v"])
        .failed(5, &["does not name its recipient"]);
    assert!(!new.path("secrets.redb").exists());
}

/// F37: a plugin that asks for a PIN fails at once without a terminal.
#[test]
fn a_plugin_that_asks_for_a_pin() {
    let home = Home::with_secret("v");
    let (key, recipient) = plugin_key(&home, "plugin.key", &["--pin"]);
    run_with(&home, &home.path("age.key"), &["key", "add", &recipient]).succeeded();
    let get = ["secret", "get", "github-token", "TOKEN"];
    run_with(&home, &key, &get).failed(5, &["age-plugin-mcplexertest failed", "no PIN"]);
    // Listing needs no key and asks for nothing.
    run_with(&home, &key, &["secret", "list", "github-token"]).succeeded();
    let other = fs::read_to_string(Home::with_secret("x").path("age.key")).unwrap();
    let both = format!("{}{other}", fs::read_to_string(&key).unwrap());
    let both = write_key(&home, "both.key", both);
    run_with(&home, &both, &["secret", "list", "github-token"]).succeeded();
    for command in [["key", "accept"].as_slice(), &get] {
        let mut session = start_with(&home, &key, command);
        answer(&mut session, "PIN of the test key: ", PIN);
        let said = ends_well(session);
        assert!(said.contains('v'), "{said}");
    }
}

/// The age crate prints what it exchanges with a plugin, private keys included, if this variable asks for it.
#[test]
fn a_plugin_is_not_run_while_its_keys_would_be_printed() {
    let home = Home::with_secret("v");
    let (key, recipient) = plugin_key(&home, "plugin.key", &[]);
    let own = home.path("age.key");
    let debugged = |key: &PathBuf, arguments: &[&str], value: &str| {
        finish(command(&home, key, arguments).env("AGEDEBUG", value))
    };
    let add = ["key", "add", &recipient, "--label", "stick"];
    let said = [
        "AGEDEBUG is set, with which age-plugin-mcplexertest would print private keys",
        "hint: unset AGEDEBUG",
    ];
    debugged(&own, &add, "plugin").failed(5, &said);
    debugged(&own, &add, "").succeeded();
    debugged(&key, &["key", "accept"], "").succeeded();
    let get = ["secret", "get", "github-token", "TOKEN"];
    for value in ["plugin", "1"] {
        let run = debugged(&key, &get, value).failed(5, &said);
        assert_eq!(run.stderr.lines().count(), 2, "{}", run.stderr);
    }
    assert_eq!(debugged(&key, &get, "").succeeded().stdout, b"v");
    // Without a plugin, nothing is printed.
    assert_eq!(
        debugged(&own, &["secret", "list"], "plugin")
            .succeeded()
            .stderr,
        ""
    );
}

/// The message of the age crate recommends to have private keys printed.
#[test]
fn a_plugin_that_ends_early_is_named() {
    let home = Home::with_secret("v");
    let (key, recipient) = plugin_key(&home, "plugin.key", &[]);
    let own = home.path("age.key");
    run_with(&home, &own, &["key", "add", &recipient, "--label", "stick"]).succeeded();
    let broken = home.root().join("broken");
    fs::create_dir(&broken).unwrap();
    let (_, other) = plugin_key(&home, "other.key", &[]);
    let first_phase =
        "while read -r line; do [ \"$line\" = '-> done' ] && break; done; read -r line\n";
    let ends = [
        // While it is written to, or before; then when it is to answer; then when what it asks is answered.
        "read -r line\n".to_owned(),
        first_phase.to_owned(),
        format!("{first_phase}exec <&-\nprintf -- '-> unknown\\n\\n'\n"),
    ];
    for end in ends {
        write_program(&broken.join(PLUGIN), &format!("#!/bin/sh\n{end}"));
        let run = |key: &PathBuf, arguments: &[&str]| {
            let run = finish(command(&home, key, arguments).env("PATH", &broken));
            let run = run.failed(5, &["the program ended before it answered"]);
            assert!(!run.stderr.contains("AGEDEBUG"), "{}", run.stderr);
        };
        run(&key, &["secret", "get", "github-token", "TOKEN"]);
        run(&own, &["key", "add", &other, "--label", "other"]);
    }
}
