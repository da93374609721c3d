//! `scan`: finds values of the store in files, and keeps them out of commits.

mod files;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use test_support::tool;

use super::home::{Home, Run, finish};

pub(crate) const TOKEN: &str = "ghp_m4rked/T0ken+\"0123456789>?abcdefghij";

/// Creates a home with the token, and a directory `work` in which the command runs.
pub(crate) fn home() -> Home {
    let home = Home::with_secret(TOKEN);
    home.run(["secret", "put", "b", "PASSWORD", "pa$$ w0rd/1"])
        .succeeded();
    fs::create_dir(home.root().join("work")).unwrap();
    home
}

pub(crate) fn work(home: &Home) -> PathBuf {
    home.root().join("work")
}

pub(crate) fn write(home: &Home, name: impl AsRef<Path>, text: impl AsRef<[u8]>) {
    let path = work(home).join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Runs in the directory, and checks that no piece of a value is printed.
#[track_caller]
pub(crate) fn scan(home: &Home, arguments: &[&str]) -> Run {
    let mut command = home.command();
    let run = finish(command.arg("scan").args(arguments).current_dir(work(home)));
    assert_silent(&run);
    run
}

#[track_caller]
pub(crate) fn assert_silent(run: &Run) {
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), run.stderr);
    for piece in ["m4rked", "0123456789", "w0rd"] {
        assert!(!said.contains(piece), "{said}");
    }
}

#[track_caller]
pub(crate) fn assert_found(run: &Run, lines: &str) {
    assert_eq!(run.text(), lines, "{}", run.stderr);
    assert_eq!(
        run.code,
        if lines.is_empty() { 0 } else { 6 },
        "{}",
        run.stderr
    );
}

fn hex(value: &str) -> String {
    value.bytes().map(|byte| format!("{byte:02X}")).collect()
}

/// F42: in each form, on the line where it begins.
#[test]
fn every_form_is_found() {
    let home = home();
    let file = BASE64_STANDARD.encode(format!(
        "machine example.org\npassword {TOKEN}\nand some more"
    ));
    let wrapped: Vec<_> = file.as_bytes().chunks(76).collect();
    let json = TOKEN.replace('"', "\\\"").replace('/', "\\/");
    let percent = TOKEN
        .replace('+', "%2B")
        .replace('/', "%2f")
        .replace('"', "%22");
    write(&home, "a-raw", format!("one\ntwo\nkey: {TOKEN}\n"));
    write(&home, "b-hex", format!("\n{}\n", hex(TOKEN)));
    write(&home, "c-base64", BASE64_STANDARD.encode(TOKEN));
    write(
        &home,
        "d-url-safe",
        format!(
            "\n\n\n{}",
            BASE64_URL_SAFE_NO_PAD.encode(format!("xy{TOKEN}z"))
        ),
    );
    write(&home, "e-mime", wrapped.join(&b"\r\n"[..]));
    write(&home, "f.json", format!("{{\n\"token\": \"{json}\"\n}}"));
    write(
        &home,
        "g-url",
        format!("GET /?token={percent}&x\nGET /?p=pa%24%24+w0rd%2F1"),
    );
    write(
        &home,
        "h-binary",
        [b"\0\xff\n\0", TOKEN.as_bytes(), b"\0\xfe"].concat(),
    );
    write(&home, "i-nothing", "ghp_ and so on\n");
    write(
        &home,
        ".env",
        format!("A=\"pa$$ w0rd/1\" B={TOKEN} C={TOKEN}\n"),
    );
    let run = scan(&home, &[]);
    let token = "github-token/TOKEN";
    assert_found(
        &run,
        &format!(
            ".env:1: b/PASSWORD\n.env:1: {token}\na-raw:3: {token}\nb-hex:2: {token}\nc-base64:1: {token}\n\
             d-url-safe:4: {token}\ne-mime:1: {token}\nf.json:2: {token}\ng-url:1: {token}\ng-url:2: b/PASSWORD\n\
             h-binary:2: {token}\n"
        ),
    );
    assert!(
        run.stderr
            .starts_with("10 files, 2 secrets: 11 matches\nmcplexer: hint: "),
        "{}",
        run.stderr
    );
    let one_scope = scan(&home, &["--scope", "b", "g-url", "a-raw"]);
    assert_found(&one_scope, "g-url:2: b/PASSWORD\n");
}

/// F22: a search leaves no copy of a value anywhere.
#[test]
fn files_without_a_value_are_searched_silently_and_leave_no_trace() {
    let home = home();
    write(&home, "sub/a", "nothing here");
    let run = scan(&home, &[]);
    assert_found(&run, "");
    assert_eq!(run.stderr, "1 file, 2 secrets: no match\n");
    scan(&home, &["--json", "sub"]).succeeded();
    home.assert_no_trace_of(TOKEN);
    let quiet = finish(home.command().args(["scan", "-q"]).current_dir(work(&home)));
    assert_eq!(quiet.succeeded().stderr, "");
    let log = home.run(["audit", "show"]).succeeded().text().to_owned();
    assert_eq!(log.matches(" scan ").count(), 6, "{log}");
}

#[test]
fn json_has_every_place() {
    let home = home();
    write(&home, "a\u{1b}[31m\n", format!("\n  {TOKEN}\n"));
    let run = scan(&home, &["--json"]);
    assert_eq!(run.code, 6);
    let expected = r#"{
  "files": 1,
  "findings": [
    {
      "file": "a\u001b[31m\n",
      "line": 2,
      "column": 3,
      "scope": "github-token",
      "key": "TOKEN"
    }
  ]
}
"#;
    assert_eq!(run.text(), expected);
    write(&home, "a\u{1b}[31m\n", "");
    let run = scan(&home, &["--json", "-q"]).succeeded();
    assert_eq!(run.text(), "{\n  \"files\": 1,\n  \"findings\": []\n}\n");
    assert_eq!(run.stderr, "");
}

#[test]
fn a_file_name_does_not_steer_the_terminal() {
    let home = home();
    write(&home, "a\u{1b}[31m\nb", TOKEN);
    let raw = OsStr::from_bytes(b"z\xff");
    write(&home, raw, TOKEN);
    assert_found(
        &scan(&home, &[]),
        "a\\u{1b}[31m\\nb:1: github-token/TOKEN\nz\u{fffd}:1: github-token/TOKEN\n",
    );
}

/// An incomplete search is a failure.
#[test]
fn what_cannot_be_read_is_told() {
    let home = home();
    write(&home, "a", "nothing");
    let run = scan(&home, &["a", "none"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("mcplexer: error: cannot read none: "),
        "{}",
        run.stderr
    );
    write(&home, "b", TOKEN);
    let run = scan(&home, &["b", "none"]);
    assert!(
        run.stderr.contains("mcplexer: error: cannot read none: "),
        "{}",
        run.stderr
    );
    assert_found(&run, "b:1: github-token/TOKEN\n");
    write(&home, "closed", TOKEN);
    fs::set_permissions(work(&home).join("closed"), PermissionsExt::from_mode(0o000)).unwrap();
    if fs::read(work(&home).join("closed")).is_ok() {
        // Root can read everything.
        return;
    }
    let run = scan(&home, &["a", "closed"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("cannot read closed: Permission denied"),
        "{}",
        run.stderr
    );
}

/// The value crosses the end of a read.
#[test]
fn a_value_in_the_middle_of_a_large_file_is_found() {
    let home = home();
    for before in [256, 512, 1024] {
        for back in [1, 20, 39, 2000] {
            let mut text = vec![b'\n'; before * 1024 - back];
            text.extend(TOKEN.bytes());
            text.resize(3 << 20, b'x');
            write(&home, "large", text);
            let line = before * 1024 - back + 1;
            assert_found(
                &scan(&home, &[]),
                &format!("large:{line}: github-token/TOKEN\n"),
            );
        }
    }
}

#[test]
fn without_secrets_there_is_nothing_to_look_for() {
    let home = Home::new();
    fs::create_dir(work(&home)).unwrap();
    home.run(["scope", "create", "empty"]).succeeded();
    let run = scan(&home, &[]).succeeded();
    assert_eq!(
        run.stderr,
        "~/.mcplexer/secrets.redb has no secrets to look for\n"
    );
    let home = Home::with_secret("abc");
    fs::create_dir(work(&home)).unwrap();
    write(&home, "a", "abc");
    let run = scan(&home, &[]).succeeded();
    assert_eq!(
        run.stderr,
        "skipped (shorter than 4 bytes): github-token/TOKEN\n1 file, 0 secrets: no match\n"
    );
    scan(&home, &["--scope", "nil"]).failed(4, &["no scope nil"]);
    scan(&home, &["--staged", "a"]).failed(2, &["--staged"]);
}

/// Runs git in the directory, as a user does.
pub(crate) fn git(home: &Home, arguments: &[&str]) -> Run {
    finish(git_in(home, &work(home)).args(arguments))
}

pub(crate) fn git_in(home: &Home, directory: &Path) -> Command {
    let mut command = home.command_of("git".as_ref());
    command
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .current_dir(directory)
        .args(["-c", "user.name=A", "-c", "user.email=a@example.org"]);
    command
}

/// Creates a home with a repository; reports the test as skipped if there is no git.
pub(crate) fn repository() -> Option<Home> {
    tool("git")?;
    let home = home();
    git(&home, &["init", "-q", "-b", "main"]).succeeded();
    Some(home)
}

/// A search for the values of a store that is not there would seem to be a good result.
#[test]
fn without_a_store_nothing_is_searched() {
    let home = Home::new();
    fs::create_dir(work(&home)).unwrap();
    for arguments in [&[][..], &["."], &["-"], &["--staged"]] {
        scan(&home, arguments).failed(
            4,
            &[
                "there is no store in ~/.mcplexer, so nothing was searched",
                "mcplexer scan --shapes needs no store; MCPLEXER_HOME names another directory",
            ],
        );
    }
    assert_eq!(home.files().len(), 0, "asking made something");
    let missing = scan(&home, &["nosuch"]);
    assert_eq!(missing.code, 1, "{}", missing.stderr);
    assert!(
        missing.stderr.contains("cannot read nosuch: "),
        "{}",
        missing.stderr
    );

    home.run(["scope", "create", "empty"]).succeeded();
    let missing = scan(&home, &["nosuch"]);
    assert_eq!(missing.code, 1, "{}", missing.stderr);
    assert!(
        missing.stderr.contains("cannot read nosuch: "),
        "{}",
        missing.stderr
    );
}
