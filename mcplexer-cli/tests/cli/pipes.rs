//! A pipe in the place of a file: an error where nobody passes one on purpose, and read where somebody does. A test
//! that fails here may wait for ever.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use test_support::{Running, tool};

use super::home::{BINARY, Home, Run, finish};

const NOT_A_FILE: &str = "it is not a regular file";

/// Puts a named pipe in the place of a file.
fn make_pipe(home: &Home, path: &Path) {
    // There may be no file yet.
    let _missing = fs::remove_file(path);
    finish(
        home.command_of("mkfifo".as_ref())
            .args(["-m", "600"])
            .arg(path),
    )
    .succeeded();
}

/// T11: a named pipe as the log made `audit` and `doctor` wait.
#[test]
fn a_pipe_is_not_a_log() {
    let home = Home::with_secret("v");
    make_pipe(&home, &home.path("audit.log"));
    for arguments in [
        &["audit", "show"][..],
        &["audit", "verify"],
        &["secret", "get", "github-token", "TOKEN"],
        &["secret", "put", "github-token", "TOKEN", "w"],
        &["secret", "list"],
    ] {
        home.run(arguments).failed(1, &["audit.log", NOT_A_FILE]);
    }
    let doctor = home.run(["doctor"]);
    assert!(
        doctor.code == 1 && doctor.text().contains(NOT_A_FILE),
        "{doctor:?}"
    );
}

#[test]
fn a_pipe_is_not_a_store_nor_a_key() {
    for (name, code) in [("secrets.redb", 1), ("age.key", 5)] {
        let home = Home::with_secret("v");
        make_pipe(&home, &home.path(name));
        home.run(["secret", "get", "github-token", "TOKEN"])
            .failed(code, &[name, NOT_A_FILE]);
        let doctor = home.run(["doctor"]);
        assert!(
            doctor.code == 1 && doctor.text().contains(NOT_A_FILE),
            "{doctor:?}"
        );
    }
}

/// The file of a home is read by commands to which nobody named it.
#[test]
fn a_pipe_is_not_the_configuration_of_a_home() {
    let home = Home::with_secret("v");
    make_pipe(&home, &home.path("config.yaml"));
    fs::write(home.root().join("in.env"), "A=1\n").unwrap();
    for arguments in [
        &["config", "check"][..],
        &["config", "apply"],
        &["import", "new", "in.env"],
        &["secret", "put", "new", "K", "v"],
    ] {
        home.run(arguments).failed(1, &["config.yaml", NOT_A_FILE]);
    }
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
}

#[test]
fn a_pipe_is_neither_a_backup_nor_the_configuration_of_a_client() {
    let home = Home::with_secret("v");
    make_pipe(&home, &home.root().join("pipe"));
    for arguments in [
        &["backup", "verify", "pipe"][..],
        &["backup", "restore", "pipe", "--merge"],
        &["adopt", "pipe"],
        &["adopt", "pipe", "--write"],
        &["adopt", "pipe", "--undo"],
    ] {
        home.run(arguments).failed(1, &["pipe", NOT_A_FILE]);
    }
}

/// Runs a script with process substitutions.
fn bash(home: &Home, bash: &Path, script: &str) -> Run {
    let mut command = home.command_of(bash);
    command.env("PATH", test_support::STANDARD_PATH);
    finish(command.args(["-c", script, BINARY]))
}

#[test]
fn what_is_passed_on_purpose_is_read() {
    let Some(shell) = tool("bash") else { return };
    let home = Home::with_secret("v");
    for (script, expected) in [
        (
            "\"$0\" import s --format dotenv <(echo A=1) && \"$0\" secret get s A",
            "1",
        ),
        (
            "echo A=2 | \"$0\" import s --overwrite --format dotenv /dev/stdin && \"$0\" secret get s A",
            "2",
        ),
        (
            "\"$0\" inject -i <(printf %s mcplexer://github-token/TOKEN)",
            "v",
        ),
        (
            "printf %s mcplexer://github-token/TOKEN | \"$0\" inject -i /dev/stdin",
            "v",
        ),
        (
            "\"$0\" run --env-file <(echo B=mcplexer://github-token/TOKEN) -- sh -c 'echo $B'",
            "v\n",
        ),
        (
            "\"$0\" config check <(echo 'auth_scopes: []') | grep -c 'no problems'",
            "1\n",
        ),
    ] {
        let got = bash(&home, &shell, script);
        assert_eq!((got.code, got.text()), (0, expected), "{script}: {got:?}");
    }
}

/// Shells without `/dev/fd` make a named pipe for `<(…)`.
#[test]
fn a_named_pipe_with_a_writer_is_read() {
    let home = Home::with_secret("v");
    let pipe = home.root().join("pipe");
    make_pipe(&home, &pipe);
    for (arguments, expected) in [
        (&["inject", "-i", "pipe"][..], "A=v\n"),
        (
            &[
                "run",
                "--env-file",
                "pipe",
                "--",
                "/bin/sh",
                "-c",
                "echo A=$A",
            ],
            "A=v\n",
        ),
    ] {
        let mut command = home.command();
        command.args(arguments).stdout(Stdio::piped());
        let reader = Running::start(&mut command).unwrap();
        // Waits until the command has opened it.
        let mut writer = OpenOptions::new().write(true).open(&pipe).unwrap();
        writer
            .write_all(b"A=mcplexer://github-token/TOKEN\n")
            .unwrap();
        drop(writer);
        let output = reader.wait_with_output().unwrap();
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            expected,
            "{arguments:?}"
        );
    }
}
