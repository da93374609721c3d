//! SSH private keys, with a passphrase and without.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use test_support::tool;

use super::{answer, assert_opens, ends_well, run_with, start_with, write_key};
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

/// PKCS#8, which OpenSSL writes, and OpenSSH's own format where something stands before it.
#[test]
fn other_formats_of_an_ssh_private_key() {
    let home = Home::new();
    let Some(rsa) = ssh_key(&home, "rsa", &["rsa", "-b", "2048", "-m", "PKCS8"], "") else {
        return;
    };
    let pem = fs::read_to_string(&rsa).unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----"), "{pem}");
    // RFC 8410, section 10.3.
    let ed25519 = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
";
    let own = ssh_key(&home, "own", &["ed25519"], "").unwrap();
    let own = fs::read_to_string(own).unwrap();
    for (name, text) in [
        ("rsa", pem.clone()),
        (
            "rsa-windows",
            format!("\u{feff}\r\n{}", pem.replace('\n', "\r\n")),
        ),
        ("ed25519", ed25519.to_owned()),
        ("blank-first", format!("\n\n{own}")),
        ("mark-first", format!("\u{feff}{own}")),
    ] {
        let home = Home::new();
        let key = write_key(&home, name, text);
        let put = ["secret", "put", "github-token", "TOKEN", "v"];
        run_with(&home, &key, &put).succeeded();
        assert_opens(&home, &key);
    }
    // The public half is the one that ssh-keygen knows.
    let home = Home::with_secret("v");
    let public = fs::read_to_string(rsa.with_extension("pub")).unwrap();
    home.run(
        [
            &["key", "add"],
            &public.split_whitespace().collect::<Vec<_>>()[..],
        ]
        .concat(),
    )
    .succeeded();
    run_with(&home, &rsa, &["key", "accept"]).succeeded();
    assert_opens(&home, &rsa);
}

/// What is wrong with a private key is said of its own kind, with what to do.
#[test]
fn an_ssh_private_key_that_cannot_open_a_store_is_refused_with_its_reason() {
    let home = Home::with_secret("v");
    let refused = |key: &PathBuf, said: &[&str]| {
        run_with(&home, key, &["secret", "get", "github-token", "TOKEN"]).failed(5, said);
    };
    for (name, kind, passphrase, said) in [
        (
            "short",
            &["rsa", "-b", "1024"][..],
            "",
            "less than 2048 bits",
        ),
        ("long", &["rsa", "-b", "4104"], "", "more than 4096 bits"),
        ("ecdsa", &["ecdsa"], "", "keys of this type cannot decrypt"),
        (
            "sealed",
            &["ecdsa"],
            "right",
            "keys of this type cannot decrypt",
        ),
        (
            "pem",
            &["ecdsa", "-m", "PEM"],
            "",
            "keys of this type cannot decrypt",
        ),
        (
            "cbc",
            &["ed25519", "-Z", "aes128-cbc"],
            "right",
            "a cipher that age does not know",
        ),
        (
            "old",
            &["rsa", "-b", "2048", "-m", "PEM"],
            "right",
            "an older format",
        ),
        (
            "old8",
            &["rsa", "-b", "2048", "-m", "PKCS8"],
            "right",
            "an older format",
        ),
    ] {
        let Some(key) = ssh_key(&home, name, kind, passphrase) else {
            return;
        };
        let hint = match passphrase {
            "right" if name != "sealed" => format!("ssh-keygen -p -f ~/{name}"),
            _ => "ssh-keygen -t ed25519".to_owned(),
        };
        refused(&key, &[said, &hint]);
    }
    let whole = ssh_key(&home, "whole", &["ed25519"], "").unwrap();
    let whole = fs::read_to_string(whole).unwrap();
    let cut = write_key(&home, "cut", &whole[..whole.len() / 2]);
    refused(&cut, &["is cut off or damaged"]);
}
