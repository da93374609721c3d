//! Creating, verifying and restoring backups, with the command and with stock age.

use std::fs;
use std::process::Command;

use mcplexer_secrets::keys::Identity;
use test_support::tool;

use super::access::set_mode;
use super::home::{BINARY, Home, finish};
use super::terminal::{end, start_at};

/// Two scopes with three secrets, one of them binary, and a backup of them.
fn home_with_backup() -> Home {
    let home = Home::new();
    home.run([
        "scope", "create", "api", "--kind", "header", "--name", "The API",
    ])
    .succeeded();
    home.run(["secret", "put", "api", "X-Key", "\"quoted\" \\ é"])
        .succeeded();
    home.run(["secret", "put", "s", "A", "1"]).succeeded();
    home.run(["secret", "put", "s", "A", "2"]).succeeded();
    home.pipe(
        ["secret", "put", "s", "BYTES", "--newline", "keep"],
        &[0, 255, 10],
    )
    .text();
    home.run(["backup", "create", "b.age"]).succeeded();
    home
}

fn json(run: &super::home::Run) -> serde_json::Value {
    serde_json::from_slice(&run.stdout).unwrap()
}

fn list(home: &Home) -> Vec<u8> {
    home.run(["scope", "show", "s", "--json"])
        .succeeded()
        .stdout
}

#[test]
fn the_stock_age_command_opens_a_backup() {
    let Some(age) = tool("age") else { return };
    let home = home_with_backup();
    let mut age = Command::new(age);
    let key = home.path("age.key");
    let age = age
        .current_dir(home.root())
        .args(["-d", "-i"])
        .arg(key)
        .arg("b.age");
    let run = finish(age).succeeded();
    let (document, maker) = run.text().trim_end().rsplit_once('\n').unwrap();
    assert!(maker.starts_with("{\"maker\":{"), "{maker}");
    let document: serde_json::Value = serde_json::from_str(document).unwrap();
    assert_eq!(document["format"], "mcplexer-backup");
    assert_eq!(document["scopes"][0]["display_name"], "The API");
    assert_eq!(
        document["scopes"][0]["secrets"][0]["value"]["text"],
        "\"quoted\" \\ é"
    );
    assert_eq!(
        document["scopes"][1]["secrets"][1]["value"]["base64"],
        "AP8K"
    );
}

/// Versions, times, kinds and every byte come back.
#[test]
fn a_backup_restores_what_was_there() {
    let home = home_with_backup();
    let new = Home::new();
    let backup = home.root().join("b.age");
    let key = home.path("age.key");
    let [backup, key] = [backup.to_str().unwrap(), key.to_str().unwrap()];

    let verified = new.run(["backup", "verify", backup, "--identity", key, "--json"]);
    let verified = json(&verified.succeeded());
    assert_eq!(
        (&verified["scopes"], &verified["secrets"]),
        (&2.into(), &3.into())
    );
    let dry = ["backup", "restore", backup, "--identity", key, "--dry-run"];
    let dry = new.run(dry).succeeded();
    assert_eq!(
        dry.text(),
        "add     api/X-Key\nadd     s/A\nadd     s/BYTES\n"
    );
    assert!(!new.path("").exists(), "a dry run has written something");

    new.run(["backup", "restore", backup, "--identity", key])
        .succeeded();
    assert_eq!(list(&new), list(&home));
    assert_eq!(new.get("s", "BYTES"), [0, 255, 10]);
    assert_eq!(new.get("api", "X-Key"), "\"quoted\" \\ é".as_bytes());
    let scope = new.run(["scope", "show", "api"]).succeeded();
    assert!(scope.text().contains("The API") && scope.text().contains("header"));
    new.run(["audit", "verify"]).succeeded();
    let (ours, theirs) = (fs::read(new.path("age.key")), fs::read(key));
    assert_ne!(ours.unwrap(), theirs.unwrap(), "it makes a key of its own");
}

#[test]
fn a_store_with_secrets_is_merged_or_replaced_only_when_told() {
    let home = home_with_backup();
    home.run(["secret", "put", "s", "A", "later"]).succeeded();
    home.run(["secret", "delete", "s", "BYTES"]).succeeded();
    home.run(["secret", "put", "t", "NEW", "n"]).succeeded();
    let before = home.run(["secret", "list", "--json"]).stdout;
    let restore =
        |arguments: &[&str]| home.run([&["backup", "restore", "b.age"], arguments].concat());

    restore(&[]).failed(
        8,
        &[
            "has secrets already",
            "--merge --dry-run",
            "--replace --dry-run",
        ],
    );
    let plan = restore(&["--merge", "--dry-run"]).succeeded();
    assert_eq!(plan.text(), "add     s/BYTES\n");
    assert!(
        plan.stderr.contains("1 secret to be kept"),
        "{}",
        plan.stderr
    );
    let plan = restore(&["--replace", "--dry-run"]).succeeded();
    assert_eq!(plan.text(), "replace s/A\nadd     s/BYTES\nremove  t/NEW\n");
    restore(&["--replace"]).failed(2, &["needs a confirmation", "--force"]);
    assert_eq!(home.run(["secret", "list", "--json"]).stdout, before);

    let merged = json(&restore(&["--merge", "--json"]).succeeded());
    assert_eq!(merged["secrets"][2]["action"], "add");
    assert_eq!(home.get("s", "A"), b"later");
    assert_eq!(home.get("s", "BYTES"), [0, 255, 10]);
    assert_eq!(home.get("t", "NEW"), b"n");

    restore(&["--replace", "--force"]).succeeded();
    assert_eq!(home.get("s", "A"), b"2");
    home.run(["secret", "get", "t", "NEW"]).failed(4, &[]);
    home.run(["audit", "verify"]).succeeded();
}

/// The commands that `restore` suggests next use the same backup and work.
#[test]
fn the_commands_that_a_restore_names_work() {
    let old = home_with_backup();
    let home = Home::with_secret("v");
    fs::copy(old.root().join("b.age"), home.root().join("my backup.age")).unwrap();
    fs::copy(old.path("age.key"), home.root().join("old.key")).unwrap();
    let restore = [
        "backup",
        "restore",
        "my backup.age",
        "--identity",
        "old.key",
    ];
    let refused = home.run(restore);
    let hints = refused.stderr.lines();
    let commands: Vec<_> = hints
        .filter_map(|line| line.strip_prefix("mcplexer: hint: mcplexer "))
        .map(|line| line.split_once(" shows").unwrap().0)
        .collect();
    assert_eq!(commands.len(), 2, "{}", refused.stderr);
    for command in commands {
        let mut shell = home.command_of("sh".as_ref());
        shell.args(["-c", &format!("{BINARY} {command}")]);
        finish(&mut shell).succeeded();
    }
}

/// A merge replaces an older secret with a newer one from the backup, and its version goes up.
#[test]
fn a_merge_takes_what_was_stored_later() {
    let home = home_with_backup();
    let copy = Home::new();
    fs::create_dir(copy.path("")).unwrap();
    set_mode(&copy.path(""), 0o700);
    for file in ["age.key", "secrets.redb", "audit.log"] {
        fs::copy(home.path(file), copy.path(file)).unwrap();
    }
    home.run(["secret", "put", "s", "A", "3"]).succeeded();
    home.run(["backup", "create", "b.age", "--force"])
        .succeeded();
    let backup = home.root().join("b.age");
    let arguments = [
        "backup",
        "restore",
        backup.to_str().unwrap(),
        "--merge",
        "--force",
    ];
    copy.run(arguments).succeeded();
    assert_eq!(copy.get("s", "A"), b"3");
    let list = copy.run(["secret", "list", "s", "--json"]).succeeded();
    assert_eq!(json(&list)["secrets"][0]["version"], 3);
}

#[test]
fn nothing_is_overwritten_and_nothing_damaged_is_taken_in() {
    let home = home_with_backup();
    let whole = fs::read(home.root().join("b.age")).unwrap();
    home.run(["backup", "create", "b.age"])
        .failed(8, &["b.age already exists", "--force"]);
    assert_eq!(fs::read(home.root().join("b.age")).unwrap(), whole);
    home.run(["backup", "create", "nowhere/b.age"])
        .failed(1, &["nowhere/b.age"]);

    let before = home.run(["secret", "list", "--json"]).stdout;
    let arguments = ["backup", "restore", "damaged.age", "--replace", "--force"];
    let damaged = home.root().join("damaged.age");
    let mut lengths: Vec<_> = (0..whole.len()).step_by(37).collect();
    lengths.push(whole.len() - 1);
    for len in lengths {
        fs::write(&damaged, &whole[..len]).unwrap();
        let run = home.run(arguments);
        assert!(
            run.code == 6 || run.code == 5,
            "{}: {}",
            run.code,
            run.stderr
        );
    }
    for at in (0..whole.len()).step_by(41) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        fs::write(&damaged, flipped).unwrap();
        let run = home.run(["backup", "verify", "damaged.age"]);
        assert!(
            run.code == 6 || run.code == 5,
            "{at}: {}: {}",
            run.code,
            run.stderr
        );
    }
    home.run(["backup", "verify", "none.age"])
        .failed(1, &["none.age"]);
    fs::write(&damaged, "text").unwrap();
    home.run(arguments).failed(6, &["not an age file"]);
    assert_eq!(home.run(["secret", "list", "--json"]).stdout, before);
}

/// JSON written by another program, encrypted to a key of this store.
#[test]
fn a_backup_by_hand_is_checked_to_its_last_member() {
    let home = Home::with_secret("v");
    let key = fs::read_to_string(home.path("age.key")).unwrap();
    let identity: age::x25519::Identity = key.lines().last().unwrap().parse().unwrap();
    let verify = |text: &str| {
        let file = age::encrypt(&identity.to_public(), text.as_bytes()).unwrap();
        fs::write(home.root().join("hand.age"), file).unwrap();
        home.run(["backup", "verify", "hand.age"])
    };
    let time = "2026-11-24T11:51:26Z";
    let secret = |name: &str, value: &str| {
        format!(
            r#"{{"name":"{name}","version":1,"created":"{time}","updated":"{time}","revision":1,"value":{value}}}"#
        )
    };
    let document = |secrets: &str| {
        format!(
            r#"{{"format":"mcplexer-backup","version":1,"created":"{time}","store":"x","scopes":[{{"id":"s","kind":"env","display_name":null,"keep_versions":5,"created":"{time}","secrets":[{secrets}]}}]}}"#
        )
    };
    let (a, b) = (
        secret("A", r#"{"text":"hunter2"}"#),
        secret("B", r#"{"base64":"eA=="}"#),
    );
    verify(&document(&format!("{a},{b}"))).succeeded();
    for wrong in [
        document(&format!("{b},{a}")),
        document(&format!("{a},{a}")),
        document(&secret("A", r#"{"text":""}"#)),
        document(&secret("A", r#"{"base64":"hunter2!"}"#)),
        document(&secret("A", r#"{"text":"hunter2","base64":"eA=="}"#)),
        document(&a).replace(
            "\"version\":1,\"created\":\"2026-11-24T11:51:26Z\",\"store\"",
            "\"version\":2,\"created\":\"2026-11-24T11:51:26Z\",\"store\"",
        ),
        document(&a).replace("mcplexer-backup", "other"),
        document(&a).replace("\"store\"", "\"hunter2\""),
        "{}".to_owned(),
        "hunter2".to_owned(),
    ] {
        let run = verify(&wrong).failed(6, &["not a backup"]);
        assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
    }
    verify(&document(&secret("not-env", r#"{"text":"v"}"#))).failed(2, &["env scope"]);
}

#[test]
fn a_backup_can_be_for_others() {
    let home = home_with_backup();
    let [bob, eve] = [Identity::generate(), Identity::generate()];
    let bob = bob.name();
    home.run([
        "backup",
        "create",
        "bob.age",
        "--recipient",
        &bob,
        "--recipient",
        &eve.name(),
    ])
    .succeeded();
    home.run(["backup", "verify", "bob.age"]).failed(
        5,
        &["none of your keys opens", "--identity", "--recovery-code"],
    );
    home.run([
        "backup",
        "create",
        "c.age",
        "--recipient",
        "AGE-SECRET-KEY-1X",
    ])
    .failed(2, &["private key"]);
}

/// The recovery code also opens backups, on a machine that has neither key nor store.
#[test]
fn the_recovery_code_opens_a_backup() {
    let home = home_with_backup();
    let code = home.run(["key", "recovery"]).succeeded().stdout;
    home.run(["backup", "create", "b.age", "--force"])
        .succeeded();
    let backup = home.root().join("b.age");
    let new = Home::new();
    let arguments = [
        "backup",
        "restore",
        backup.to_str().unwrap(),
        "--recovery-code",
    ];
    new.pipe(arguments, &code).succeeded();
    assert_eq!(new.get("s", "A"), b"2");
}

/// F36: after a wrong passphrase, the command asks again. F37: without a terminal, it fails at once.
#[test]
fn a_backup_can_have_a_passphrase() {
    let home = home_with_backup();
    let mut session = start_at(&home, &["backup", "create", "p.age", "--passphrase"]);
    session.exp_string("new passphrase: ").unwrap();
    session.send_line("correct horse").unwrap();
    session.exp_string("repeat passphrase: ").unwrap();
    session.send_line("correct horse").unwrap();
    let (text, code) = end(session);
    assert_eq!(code, 0, "{text}");

    let mut session = start_at(&home, &["backup", "verify", "p.age"]);
    session.exp_string("passphrase for p.age: ").unwrap();
    session.send_line("wrong").unwrap();
    session.exp_string("that was wrong; passphrase").unwrap();
    session.send_line("correct horse").unwrap();
    let (text, code) = end(session);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("is intact: 2 scopes, 3 secrets"), "{text}");

    home.run(["backup", "verify", "p.age"])
        .failed(5, &["p.age needs a passphrase", "no way to ask"]);
    home.run(["backup", "create", "q.age", "--passphrase"])
        .failed(5, &["no terminal to ask on"]);
    assert!(!home.root().join("q.age").exists());
}

#[test]
fn without_a_store_there_is_nothing_to_save() {
    let home = Home::new();
    home.run(["backup", "create", "b.age"])
        .failed(4, &["no store yet"]);
    home.run(["compact"]).failed(4, &["no store yet"]);
    home.run(["key", "rotate"]).failed(4, &["no store yet"]);
    assert!(!home.path("").exists() && !home.root().join("b.age").exists());
}

/// A backup that came by mail, or through an editor.
#[test]
fn an_armored_backup_may_have_something_before_it() {
    let home = home_with_backup();
    let binary = fs::read(home.root().join("b.age")).unwrap();
    let format = age::armor::Format::AsciiArmor;
    let mut armor = age::armor::ArmoredWriter::wrap_output(Vec::new(), format).unwrap();
    std::io::Write::write_all(&mut armor, &binary).unwrap();
    let armored = String::from_utf8(armor.finish().unwrap()).unwrap();
    for before in ["", "\n\n", " \r\n", "\u{feff}", "\u{feff}\r\n"] {
        fs::write(home.root().join("a.age"), format!("{before}{armored}")).unwrap();
        home.run(["backup", "verify", "a.age"]).succeeded();
    }
    fs::write(home.root().join("a.age"), format!("x\n{armored}")).unwrap();
    home.run(["backup", "verify", "a.age"])
        .failed(6, &["it is not an age file"]);
}

/// The key file that was given is the one to look at, not those that were not.
#[test]
fn a_key_file_that_opens_nothing_is_named() {
    let home = Home::with_secret("v");
    home.run(["backup", "create", "b.age"]).succeeded();
    let other = Home::with_secret("v");
    fs::copy(other.path("age.key"), home.root().join("lost.key")).unwrap();
    home.run(["backup", "verify", "b.age", "--identity", "lost.key"])
        .failed(
            5,
            &["lost.key does not open b.age", "names another key file"],
        );
    home.run(["audit", "verify", "--checkpoint", "nosuch"])
        .failed(2, &["there is no file nosuch, and it is no checkpoint"]);
}

#[test]
fn a_value_is_not_read_from_a_directory() {
    let home = Home::with_secret("v");
    home.run(["secret", "put", "s", "K", "--file", "."])
        .failed(1, &["it is a directory: give a file in it"]);
    home.run(["secret", "put", "s", "K", "--file", "nosuch"])
        .failed(1, &["check the path nosuch"]);
}
