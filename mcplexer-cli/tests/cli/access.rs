//! Who may read what.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use test_support::{STANDARD_PATH, skip};

use super::home::{BINARY, Home, Run, finish};

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// F26: 0600 in 0700, whatever the umask.
#[test]
fn every_file_is_private_under_any_umask() {
    for umask in ["000", "022", "077"] {
        let home = Home::new();
        let mut shell = home.command_of(Path::new("/bin/sh"));
        let script = format!("umask {umask}; exec \"$0\" secret put s K v");
        finish(shell.args(["-c", &script, BINARY])).succeeded();
        for file in ["age.key", "secrets.redb", "audit.log"] {
            assert_eq!(mode(&home.path(file)), 0o600, "{file} under umask {umask}");
        }
        assert_eq!(mode(&home.path("")), 0o700, "umask {umask}");
    }
}

/// F09: an exposed key is refused, and the error says how to fix it.
#[test]
fn an_exposed_key_is_refused() {
    let home = Home::with_secret("v");
    let key = home.path("age.key");
    set_mode(&key, 0o644);
    home.run(["secret", "get", "github-token", "TOKEN"]).failed(
        5,
        &[
            "age.key is open to others (mode 0644)",
            "hint: chmod 600 ~/.mcplexer/age.key",
        ],
    );
    home.run(["secret", "put", "github-token", "TOKEN", "x"])
        .failed(5, &["mode 0644"]);
    home.run(["key", "show"]).failed(5, &["mode 0644"]);
    set_mode(&key, 0o600);
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
}

/// F09: a key file that another user owns is refused: that user may have put their own key there.
#[test]
fn a_key_of_another_owner_is_refused() {
    if !is_superuser() {
        return skip("root", "only root can give a file away");
    }
    let home = Home::with_secret("v");
    let key = home.path("age.key");
    chown(&key, Some(NOBODY), None).unwrap();
    let said = [
        "~/.mcplexer/age.key belongs to another user (uid 65534)",
        "hint: make a copy of ~/.mcplexer/age.key that you own",
    ];
    for arguments in [
        &["secret", "get", "github-token", "TOKEN"][..],
        &["secret", "put", "github-token", "TOKEN", "x"],
        &["run", "--scope", "github-token", "touch", "started"],
        &["key", "show"],
    ] {
        home.run(arguments).failed(5, &said);
    }
    assert!(!home.root().join("started").exists());
    chown(&key, Some(0), None).unwrap();
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
}

/// F07, F35: a lost key is an error that names the path, the recipients and the fix.
#[test]
fn a_lost_key_is_not_replaced() {
    let home = Home::with_secret("v");
    let shown = home.run(["key", "show"]).succeeded();
    let recipient = shown
        .text()
        .split_whitespace()
        .find(|word| word.starts_with("age1"));
    let key = home.path("age.key");
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let store = fs::read(home.path("secrets.redb")).unwrap();
    for arguments in [
        &["secret", "get", "github-token", "TOKEN"][..],
        &["secret", "put", "github-token", "TOKEN", "x"],
        &["secret", "delete", "github-token", "TOKEN"],
        &["key", "show"],
    ] {
        home.run(arguments).failed(
            5,
            &[
                "no key opens this store",
                "age.key does not exist",
                recipient.unwrap(),
                "put that key back",
            ],
        );
    }
    assert!(!key.exists());
    assert!(fs::read(home.path("secrets.redb")).unwrap() == store);
    // Names need no key.
    assert_eq!(
        home.run(["secret", "list", "github-token"])
            .succeeded()
            .text(),
        "TOKEN\n"
    );
    fs::write(&key, kept).unwrap();
    set_mode(&key, 0o600);
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
}

#[test]
fn another_key_is_refused_by_name() {
    let home = Home::with_secret("v");
    let other = Home::with_secret("w");
    fs::copy(other.path("age.key"), home.path("age.key")).unwrap();
    home.run(["secret", "get", "github-token", "TOKEN"])
        .failed(5, &["is another key", "(vm) opens it"]);
    let shown = home.run(["key", "show"]).succeeded();
    assert!(shown.text().contains("this key does not open it"));
}

/// F10: if the key cannot be saved, no store is created.
#[test]
fn a_key_that_cannot_be_written_is_an_error() {
    let home = Home::new();
    let mut command = home.command();
    command.env("MCPLEXER_AGE_KEY", "/dev/null/age.key");
    finish(command.args(["secret", "put", "s", "K", "v"])).failed(5, &["/dev/null/age.key"]);
    assert!(home.run(["secret", "list"]).succeeded().text().is_empty());
}

/// A copy of the command that an unprivileged user can run, and a home that the user owns. Root would
/// not be refused anything.
pub(crate) struct Unprivileged {
    pub(crate) home: Home,
    binary: PathBuf,
}

pub(crate) const NOBODY: u32 = 65534;

impl Unprivileged {
    pub(crate) fn new() -> Self {
        let home = Home::new();
        let binary = home.root().join("mcplexer");
        // Another process writes it, as in `write_program`.
        finish(
            Command::new("cp")
                .env("PATH", STANDARD_PATH)
                .arg(BINARY)
                .arg(&binary),
        )
        .succeeded();
        set_mode(&binary, 0o755);
        set_mode(home.root(), 0o755);
        if is_superuser() {
            chown(home.root(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        Self { home, binary }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let mut command: Command = self.home.command_of(&self.binary);
        if is_superuser() {
            command.uid(NOBODY).gid(NOBODY);
        }
        finish(command.args(arguments))
    }
}

pub(crate) fn is_superuser() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn an_unreadable_home_is_named() {
    let user = Unprivileged::new();
    user.run(&["secret", "put", "s", "K", "v"]).succeeded();
    let directory = user.home.path("");
    set_mode(&directory, 0o000);
    user.run(&["secret", "get", "s", "K"]).failed(
        1,
        &["cannot open", ".mcplexer/secrets.redb", "ermission denied"],
    );
    user.run(&["secret", "put", "s", "K", "w"])
        .failed(1, &["cannot open"]);
    set_mode(&directory, 0o700);
    assert_eq!(
        user.run(&["secret", "get", "s", "K"]).succeeded().stdout,
        b"v"
    );
    let key = user.home.path("age.key");
    set_mode(&key, 0o000);
    user.run(&["secret", "get", "s", "K"])
        .failed(5, &["cannot read", "age.key", "ermission denied"]);
}

#[test]
fn a_home_that_cannot_be_made_is_named() {
    let user = Unprivileged::new();
    set_mode(user.home.root(), 0o555);
    user.run(&["secret", "put", "s", "K", "v"]).failed(
        1,
        &["cannot open", ".mcplexer/secrets.redb", "ermission denied"],
    );
    set_mode(user.home.root(), 0o755);
}

/// F23: an audit log that cannot be written stops the operation.
#[test]
fn an_unwritable_log_stops_the_operation() {
    let user = Unprivileged::new();
    user.run(&["secret", "put", "s", "K", "v"]).succeeded();
    set_mode(&user.home.path("audit.log"), 0o400);
    for arguments in [
        &["secret", "get", "s", "K"][..],
        &["secret", "put", "s", "K", "w"],
        &["secret", "list", "s"],
    ] {
        user.run(arguments).failed(
            1,
            &["cannot write the audit log", "audit.log", "MCPLEXER_AUDIT"],
        );
    }
    set_mode(&user.home.path("audit.log"), 0o600);
    assert_eq!(
        user.run(&["secret", "get", "s", "K"]).succeeded().stdout,
        b"v"
    );
}

/// The kernel lets no other process of the same user read a hardened one's memory; `/dev/fd` still
/// works for it.
#[test]
fn an_unprivileged_user_can_put_from_a_descriptor() {
    let user = Unprivileged::new();
    let mut shell = user.home.command_of(Path::new("/bin/sh"));
    if is_superuser() {
        shell.uid(NOBODY).gid(NOBODY);
    }
    let script = "printf piped | \"$0\" secret put s K --file /dev/fd/0";
    finish(shell.arg("-c").arg(script).arg(&user.binary)).succeeded();
    assert_eq!(
        user.run(&["secret", "get", "s", "K"]).succeeded().stdout,
        b"piped"
    );
}
