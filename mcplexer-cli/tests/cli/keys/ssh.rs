//! SSH private keys, with a passphrase and without.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use test_support::tool;

use super::{answer, assert_opens, ends_well, run_with, start_with};
use crate::home::Home;

/// Creates an SSH key pair and returns the path of the private key; `None` if there is no ssh-keygen.
pub(super) fn ssh_key(home: &Home, name: &str, kind: &[&str], passphrase: &str) -> Option<PathBuf> {
    let path = home.root().join(name);
    let mut keygen = Command::new(tool("ssh-keygen")?);
    let keygen = keygen.args(["-q", "-C", "ann@host", "-N", passphrase, "-t"]);
    let output = keygen.args(kind).arg("-f").arg(&path).output();
    assert!(output.unwrap().status.success());
    Some(path)
}

#[test]
fn an_ssh_private_key() {
    for (kind, name) in [
        (["ed25519"].as_slice(), "ssh-ed25519"),
        (&["rsa", "-b", "2048"], "ssh-rsa"),
    ] {
        let home = Home::with_secret("v");
        let Some(key) = ssh_key(&home, "id", kind, "") else {
            return;
        };
        let public = fs::read_to_string(key.with_extension("pub")).unwrap();
        let words: Vec<_> = public.split_whitespace().collect();
        home.run([&["key", "add"], words.as_slice()].concat())
            .succeeded();
        let list = home.run(["key", "list"]).succeeded();
        assert!(list.text().contains("ann@host  ssh"), "{}", list.text());
        run_with(&home, &key, &["secret", "get", "github-token", "TOKEN"])
            .failed(6, &["has not accepted it"]);
        run_with(&home, &key, &["key", "accept"]).succeeded();
        assert_opens(&home, &key);
        run_with(&home, &key, &["key", "rotate"]).failed(5, &[name, "--keep-identity"]);
        // The other owner's rotation keeps it.
        home.run(["key", "rotate"]).succeeded();
        assert_opens(&home, &key);
    }
}

/// F36, F37, F38 for an SSH key.
#[test]
fn an_ssh_private_key_with_a_passphrase() {
    for kind in [["ed25519"].as_slice(), &["rsa", "-b", "2048"]] {
        let home = Home::with_secret("v");
        let Some(key) = ssh_key(&home, "id", kind, "right") else {
            return;
        };
        let public = key.with_extension("pub");
        home.run([
            "key",
            "add",
            "--file",
            public.to_str().unwrap(),
            "--label",
            "ann",
        ])
        .succeeded();
        let get = ["secret", "get", "github-token", "TOKEN"];
        let mut session = start_with(&home, &key, &["key", "accept"]);
        answer(&mut session, "passphrase for ~/id: ", "right");
        ends_well(session);
        let mut session = start_with(&home, &key, &get);
        answer(&mut session, "passphrase for ~/id: ", "wrong");
        answer(
            &mut session,
            "that was wrong; passphrase for ~/id: ",
            "right",
        );
        assert!(ends_well(session).contains('v'));
        let mut session = start_with(&home, &key, &["key", "rotate", "--keep-identity"]);
        answer(&mut session, "passphrase for ~/id: ", "right");
        assert!(!ends_well(session).contains("passphrase"));
        run_with(&home, &key, &get).failed(5, &["id needs a passphrase"]);
        run_with(&home, &key, &["--no-input", "key", "rotate"])
            .failed(5, &["id needs a passphrase"]);
    }
}

#[test]
fn a_store_can_be_made_for_an_ssh_key() {
    let home = Home::new();
    let Some(key) = ssh_key(&home, "id", &["ed25519"], "") else {
        return;
    };
    run_with(
        &home,
        &key,
        &["secret", "put", "github-token", "TOKEN", "v"],
    )
    .succeeded();
    assert!(!home.path("age.key").exists());
    assert_opens(&home, &key);
    let Some(other) = ssh_key(&home, "other", &["ecdsa"], "") else {
        return;
    };
    run_with(&home, &other, &["secret", "get", "github-token", "TOKEN"])
        .failed(5, &["only ssh-ed25519 and ssh-rsa keys"]);
}
