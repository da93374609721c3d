//! Several keys at once, and what they are called.

use std::fs;

use mcplexer_secrets::keys::Identity;
use test_support::tool;

use super::ssh::ssh_key;
use super::write_key;
use crate::home::{Home, Run};

fn labels(home: &Home) -> Vec<String> {
    let list = home.run(["key", "list", "--json"]).succeeded();
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    let keys = list["keys"].as_array().unwrap().iter();
    keys.map(|key| key["label"].as_str().unwrap().to_owned())
        .skip(1)
        .collect()
}

fn add_file(home: &Home, text: &str, more: &[&str]) -> Run {
    fs::write(home.root().join("keys"), text).unwrap();
    home.run([&["key", "add", "--file", "keys"], more].concat())
}

/// Public fault: sops#966.
#[test]
fn all_keys_of_a_file_are_added() {
    let [ann, bob] = [Identity::generate(), Identity::generate()];
    let (first, second) = (ann.name(), bob.name());
    for text in [
        format!("{first}\n{second}\n"),
        format!("\u{feff}# two\r\n\r\n{first}\r\n  {second}"),
        format!("{first}\n{second}\n{first}\n"),
    ] {
        let home = Home::with_secret("v");
        let added = add_file(&home, &text, &["--json"]).succeeded();
        let json: serde_json::Value = serde_json::from_slice(&added.stdout).unwrap();
        assert_eq!(json["keys"].as_array().unwrap().len(), 2, "{json}");
        assert_eq!(labels(&home), ["owner", "owner 2"]);
        let list = home.run(["key", "list", "--json"]).succeeded();
        assert!(list.text().contains(&first) && list.text().contains(&second));
    }
    let home = Home::with_secret("v");
    home.run(["key", "add", &first, &second]).succeeded();
    assert_eq!(labels(&home), ["owner", "owner 2"]);
    let home = Home::with_secret("v");
    let both = format!("{first}\n{second}\n");
    add_file(&home, &both, &["--label", "bob"]).succeeded();
    assert_eq!(labels(&home), ["bob", "bob 2"]);
}

#[test]
fn none_is_added_if_one_is_wrong() {
    let home = Home::with_secret("v");
    let names: Vec<_> = (0..3).map(|_| Identity::generate().name()).collect();
    let [ann, bob, eve] = &names[..] else {
        panic!("three were made")
    };
    let damaged = &bob[..bob.len() - 1];
    for (text, code, said) in [
        (
            format!("{ann}\n{damaged}\n"),
            2,
            "keys, line 2: not a recipient",
        ),
        (
            format!("{ann}\n\n{bob} {eve}\n"),
            2,
            "keys, line 3: not a recipient",
        ),
        (
            format!("{ann}\nAGE-SECRET-KEY-1QQ\n"),
            2,
            "that is a private key",
        ),
        ("# nobody\n".to_owned(), 2, "not a recipient"),
    ] {
        add_file(&home, &text, &[]).failed(code, &[said]);
        assert!(labels(&home).is_empty());
    }
    // The label of a code that does not exist yet.
    let reserved = ["key", "add", ann, "--label", "recovery code"];
    home.run(reserved)
        .failed(8, &["the label recovery code is taken"]);
    home.run(["key", "add", ann, damaged])
        .failed(2, &["not a recipient"]);
    assert!(labels(&home).is_empty());
    home.run(["key", "add", ann, "--label", "ann"]).succeeded();
    add_file(&home, &format!("{bob}\n{ann}\n"), &[]).failed(8, &["ann already opens this store"]);
    assert_eq!(labels(&home), ["ann"]);
}

/// Of the keys that a person has published at a forge, each often has the same comment.
#[test]
fn ssh_keys_are_called_by_their_comments() {
    let home = Home::with_secret("v");
    let mut text = String::new();
    for name in ["a", "b"] {
        let Some(key) = ssh_key(&home, name, &["ed25519"], "") else {
            return;
        };
        text.push_str(&fs::read_to_string(key.with_extension("pub")).unwrap());
    }
    add_file(&home, &text, &[]).succeeded();
    assert_eq!(labels(&home), ["ann@host", "ann@host 2"]);
    // One alone says that its label is taken.
    let Some(key) = ssh_key(&home, "c", &["ed25519"], "") else {
        return;
    };
    let public = key.with_extension("pub");
    let add = ["key", "add", "--file", public.to_str().unwrap()];
    home.run(add).failed(
        8,
        &["the label ann@host is taken by another key", "--label"],
    );
    // In one line, as a shell joins them, the second would be the comment of the first.
    let home = Home::with_secret("v");
    let words: Vec<_> = text.split_whitespace().collect();
    home.run([&["key", "add", "--label", "ann"], &words[..]].concat())
        .failed(2, &["more than one public key"]);
    home.run(["key", "add", "--label", "ann", &words.join(" ")])
        .failed(2, &["more than one public key"]);
    let lines: Vec<_> = text.lines().collect();
    home.run([&["key", "add"], &lines[..]].concat()).succeeded();
    assert_eq!(labels(&home), ["ann@host", "ann@host 2"]);
}

#[test]
fn a_label_does_not_look_like_a_key() {
    let home = Home::with_secret("v");
    let [ann, bob] = [Identity::generate().name(), Identity::generate().name()];
    for label in [
        &*ann,
        &ann[..12],
        &ann.to_uppercase(),
        "ssh-ed25519 AAAA",
        "ssh-rsa",
    ] {
        home.run(["key", "add", &bob, "--label", label]).failed(
            2,
            &["must not look like a public key", "--label gives another"],
        );
    }
    home.run(["key", "add", &bob, "--label", "bob"]).succeeded();
    home.run(["key", "add", &ann, "--label", "ann"]).succeeded();
    home.run(["key", "remove", &ann]).succeeded();
    assert_eq!(labels(&home), ["bob"]);
}

/// What a key cannot do is said of its own kind.
#[test]
fn a_public_key_that_cannot_open_a_store_is_refused_with_its_reason() {
    let home = Home::with_secret("v");
    let hardware = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t bob";
    add_file(&home, hardware, &[]).failed(2, &["keys, line 1: an SSH key on a security key"]);
    if tool("ssh-keygen").is_none() {
        return;
    }
    for (kind, said) in [
        (&["ecdsa"][..], "keys of this type cannot decrypt"),
        (&["rsa", "-b", "1024"], "less than 2048 bits"),
        (&["rsa", "-b", "4104"], "more than 4096 bits"),
    ] {
        let name = kind.join("");
        let key = ssh_key(&home, &name, kind, "").unwrap();
        let public = key.with_extension("pub");
        home.run(["key", "add", "--file", public.to_str().unwrap()])
            .failed(2, &[said, "ssh-keygen -t ed25519"]);
    }
    let key = ssh_key(&home, "whole", &["ed25519"], "").unwrap();
    let public = fs::read_to_string(key.with_extension("pub")).unwrap();
    add_file(&home, &public[..60], &[])
        .failed(2, &["is cut off or damaged", "copy the whole line"]);
    let with_mark = write_key(&home, "bom.pub", format!("\u{feff}{public}"));
    home.run(["key", "add", "--file", with_mark.to_str().unwrap()])
        .succeeded();
    assert_eq!(labels(&home), ["ann@host"]);
}
