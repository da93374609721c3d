//! Keys of age plugins.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{PLUGIN, PLUGINS, answer, assert_opens, ends_well, run_with, start_with, write_key};
use crate::home::{Home, finish};

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
    assert_opens(&home, &key);
    run_with(&home, &key, &["key", "rotate"]).failed(5, &["cannot be replaced", "--keep-identity"]);
    run_with(&home, &own, &["key", "rotate"]).succeeded();
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
    let mut session = start_with(&home, &key, &get);
    answer(&mut session, "PIN of the test key: ", PIN);
    assert!(ends_well(session).contains('v'));
}
