//! T11: inputs are bounded, and the message says the bound. Nothing is read without end or tried for hours.

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use test_support::tool;

use super::home::{BINARY, Home, Run, finish};
use super::keys::write_key;
use super::terminal::{encrypt_key, end, expect, start_at};

/// The most that is read of a file of secrets or a template.
const MAX_TEXT: usize = 16 << 20;
/// Enough memory for the tests' build to read as much as it may, in KiB.
const MEMORY: u32 = 256 << 10;

/// Runs the command with little memory, and with an endless standard input.
fn run(home: &Home, arguments: &[&str]) -> Run {
    let script = format!("ulimit -v {MEMORY} && exec \"$0\" \"$@\" < /dev/zero");
    let mut shell = home.command_of(Path::new("/bin/sh"));
    finish(shell.args(["-c", &script, BINARY]).args(arguments))
}

fn run_with_key(home: &Home, key: &Path, arguments: &[&str]) -> Run {
    finish(home.command().env("MCPLEXER_AGE_KEY", key).args(arguments))
}

/// Makes a file of this many bytes that takes no room on the disk.
fn sparse(home: &Home, name: &str, len: u64) {
    let file = File::create(home.root().join(name)).unwrap();
    file.set_len(len).unwrap();
}

#[test]
fn an_input_that_is_too_large_is_an_error_that_says_the_bound() {
    let home = Home::with_secret("v");
    sparse(&home, "large.env", 1 << 30);
    sparse(&home, "little.pub", (1 << 20) + 1);
    let text = "larger than 16 MiB";
    for (arguments, code, said) in [
        (&["import", "s", "large.env"][..], 2, text),
        (&["import", "s", "--format", "json"], 2, text),
        (&["import", "s", "--format", "yaml", "/dev/stdin"], 2, text),
        (&["inject", "-i", "large.env", "-o", "out"], 2, text),
        (&["inject", "-o", "out"], 2, text),
        (
            &["run", "--env-file", "large.env", "--", "touch", "out"],
            2,
            text,
        ),
        (
            &["run", "--env-file", "/dev/zero", "--", "touch", "out"],
            2,
            text,
        ),
        (&["config", "check", "large.env"], 2, "longer than 1 MiB"),
        (&["config", "apply", "-"], 2, "longer than 1 MiB"),
        (
            &["key", "add", "--file", "little.pub"],
            2,
            "larger than 1 MiB",
        ),
        (
            &["key", "add", "--file", "/dev/zero"],
            2,
            "larger than 1 MiB",
        ),
        (
            &["secret", "put", "s", "K", "--file", "large.env"],
            2,
            "longer than 1 MiB",
        ),
        (&["secret", "put", "s", "K"], 2, "longer than 1 MiB"),
        (&["adopt", "large.env"], 2, "larger than 64 MiB"),
        (
            &["backup", "restore", "large.env", "--merge"],
            6,
            "not a backup",
        ),
    ] {
        run(&home, arguments).failed(code, &[said]);
        assert!(!home.root().join("out").exists(), "{arguments:?}");
    }
    // The input is named.
    run(&home, &["import", "s", "large.env"]).failed(2, &["large.env", "split it"]);
    run(&home, &["inject"]).failed(2, &["standard input", "split it"]);
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
}

#[test]
fn an_input_of_just_the_bound_is_read() {
    let home = Home::with_secret("v");
    let end = b"mcplexer://github-token/TOKEN";
    let mut text = vec![b'x'; MAX_TEXT - end.len() - 1];
    text.push(b'\n');
    text.extend(end);
    fs::write(home.root().join("in"), &text).unwrap();
    for arguments in [&["inject", "-i", "in"][..], &["inject", "-i", "/dev/stdin"]] {
        let mut command = home.command();
        command.stdin(File::open(home.root().join("in")).unwrap());
        let filled = finish(command.args(arguments)).succeeded().stdout;
        assert!(filled == [&text[..text.len() - end.len()], b"v"].concat());
    }
    text.push(b'.');
    fs::write(home.root().join("in"), &text).unwrap();
    home.run(["inject", "-i", "in"])
        .failed(2, &["in: it is larger than 16 MiB"]);
}

#[test]
fn a_key_file_is_bounded() {
    let home = Home::with_secret("v");
    let key = write_key(&home, "key", "");
    sparse(&home, "key", 1 << 30);
    let get = ["secret", "get", "github-token", "TOKEN"];
    run_with_key(&home, &key, &get).failed(5, &["cannot read ~/key: it is larger than 1 MiB"]);
}

/// A log cannot end like this after a crash, so it is tampered with for every command, and the hint gets the user
/// on.
#[test]
fn zeros_at_the_end_of_the_log_are_found_by_every_command() {
    let home = Home::with_secret("v");
    let log = home.path("audit.log");
    let len = fs::metadata(&log).unwrap().len();
    let file = OpenOptions::new().write(true).open(&log).unwrap();
    file.set_len(len + (500 << 20)).unwrap();
    for arguments in [
        &["audit", "verify"][..],
        &["secret", "get", "github-token", "TOKEN"],
        &["secret", "put", "github-token", "TOKEN", "w"],
        &["secret", "list"],
        &["compact"],
    ] {
        run(&home, arguments).failed(
            6,
            &[
                "~/.mcplexer/audit.log",
                "at most 8 KiB",
                "hint: mv ~/.mcplexer/audit.log",
            ],
        );
    }
    let doctor = run(&home, &["doctor"]);
    assert!(
        doctor.code == 1 && doctor.text().contains("[audit]"),
        "{doctor:?}"
    );
    fs::rename(&log, home.path("audit.log.old")).unwrap();
    home.run(["key", "accept"]).succeeded();
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
    home.run(["secret", "put", "github-token", "TOKEN", "w"])
        .succeeded();
    home.run(["audit", "verify"]).succeeded();
}

#[test]
fn a_key_file_that_takes_too_much_work_is_not_tried() {
    let home = Home::with_secret("v");
    encrypt_key(&home, "right");
    let encrypted = fs::read(home.path("age.key")).unwrap();
    let with_factor = |factor: &str| {
        let at = encrypted.windows(3).position(|it| it == b" 2\n").unwrap();
        let (before, after) = (&encrypted[..at], &encrypted[at + 3..]);
        let key = [before, format!(" {factor}\n").as_bytes(), after].concat();
        fs::write(home.path("age.key"), key).unwrap();
        let mut session = start_at(&home, &["secret", "get", "github-token", "TOKEN"]);
        expect(&mut session, "passphrase for ~/.mcplexer/age.key: ");
        session.send_line("right").unwrap();
        end(session)
    };
    let (text, code) = with_factor("2");
    assert!(code == 0 && text.contains('v'), "{text}");
    let (text, code) = with_factor("23");
    let said = "age.key takes a scrypt work factor of 23, and 22 is the most that is tried";
    assert!(
        code == 5 && text.contains(said) && text.contains("hint: encrypt the key again"),
        "{text}"
    );
}

#[test]
fn a_backup_that_takes_too_much_work_is_not_tried() {
    let home = Home::with_secret("v");
    let passphrase = age::secrecy::SecretString::from("right".to_owned());
    let mut recipient = age::scrypt::Recipient::new(passphrase);
    recipient.set_work_factor(2);
    let backup = age::encrypt(&recipient, b"{}").unwrap();
    let at = backup.windows(3).position(|it| it == b" 2\n").unwrap();
    let backup = [&backup[..at], b" 23\n", &backup[at + 3..]].concat();
    fs::write(home.root().join("b.age"), backup).unwrap();
    let mut session = start_at(&home, &["backup", "verify", "b.age"]);
    expect(&mut session, "passphrase");
    session.send_line("right").unwrap();
    let (text, code) = end(session);
    let said = "a scrypt work factor of 23, and 22 is the most that is tried";
    assert_eq!(code, 6, "{text}");
    assert!(text.contains(said), "{text}");
}

#[test]
fn an_ssh_key_that_takes_too_many_rounds_is_not_tried() {
    let Some(keygen) = tool("ssh-keygen") else {
        return;
    };
    let home = Home::with_secret("v");
    let key = home.root().join("id");
    let mut keygen = home.command_of(&keygen);
    let keygen = keygen.args(["-q", "-t", "ed25519", "-a", "3", "-N", "right", "-f"]);
    finish(keygen.arg(&key)).succeeded();
    home.run(["key", "add", "--file", "id.pub"]).succeeded();

    let text = fs::read_to_string(&key).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let [begin, body @ .., end] = lines.as_slice() else {
        panic!("{text}")
    };
    let mut bytes = BASE64_STANDARD.decode(body.concat()).unwrap();
    // The rounds are the last field of the options, before the number of keys, which is 1.
    let rounds = bytes
        .windows(8)
        .position(|it| it == [0, 0, 0, 3, 0, 0, 0, 1])
        .unwrap();
    bytes[rounds..rounds + 4].copy_from_slice(&1025_u32.to_be_bytes());
    let body = BASE64_STANDARD.encode(&bytes);
    let key = write_key(&home, "id", format!("{begin}\n{body}\n{end}\n"));
    let get = ["secret", "get", "github-token", "TOKEN"];
    run_with_key(&home, &key, &get).failed(
        5,
        &[
            "its passphrase takes 1025 rounds of bcrypt, and 1024 are the most that are tried",
            "hint: ssh-keygen -p -a 16 -f ~/id",
        ],
    );
    // At the bound, somebody is asked for the passphrase.
    bytes[rounds..rounds + 4].copy_from_slice(&1024_u32.to_be_bytes());
    let body = BASE64_STANDARD.encode(&bytes);
    let key = write_key(&home, "id", format!("{begin}\n{body}\n{end}\n"));
    run_with_key(&home, &key, &get).failed(5, &["id needs a passphrase"]);
}
