//! Runs tests in Linux namespaces (namespaces(7)): on a small disk, or as inside a container.

use std::path::PathBuf;
use std::process::Command;

use test_support::{STANDARD_PATH, restore_signals, skip, tool};

/// Set in a process that runs on a small disk, to the directory where it is mounted.
const MOUNT: &str = "MCPLEXER_TEST_SMALL_DISK";
/// Set in a process that runs where other users are listed.
const AMONG_USERS: &str = "MCPLEXER_TEST_AMONG_USERS";
/// Exit code of a script that lacks permission.
const REFUSED: i32 = 99;

/// Returns the directory of the small disk, if this process runs on one.
pub(crate) fn mounted() -> Option<PathBuf> {
    std::env::var_os(MOUNT).map(PathBuf::from)
}

/// Runs a test on a tmpfs with these options, or skips it where none can be mounted.
pub(crate) fn run_on_disk(options: &str, test: &str) {
    let mount = tempfile::tempdir().unwrap();
    let script = format!("mount -t tmpfs -o {options} tmpfs \"$0\" || exit {REFUSED}; exec \"$@\"");
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script).arg(mount.path());
    let Some(mut inside) = command_in(&["--mount"], &command) else {
        return;
    };
    inside.env(MOUNT, mount.path()).env("TMPDIR", mount.path());
    run(inside, test);
}

/// Runs a test as in a container without an init process: the processes outside cannot be seen, and
/// the session belongs to them. Skips it where that is not permitted.
pub(crate) fn run_in_container(test: &str) {
    let kinds = ["--pid", "--fork", "--kill-child", "--mount-proc"];
    if let Some(inside) = command_in(&kinds, &Command::new("env")) {
        run(inside, test);
    }
}

/// Runs a test where `/etc/passwd` lists these users, or skips it where that is not permitted.
pub(crate) fn run_among_users(users: &str, test: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), users).unwrap();
    let script = format!("mount --bind \"$0\" /etc/passwd || exit {REFUSED}; exec \"$@\"");
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script).arg(file.path());
    if let Some(mut inside) = command_in(&["--mount"], &command) {
        inside.env(AMONG_USERS, "1");
        run(inside, test);
    }
}

/// Runs a test where no file system in memory is at its usual place, or skips it where that is not permitted.
pub(crate) fn run_without_memory(test: &str) {
    let disk = tempfile::tempdir().unwrap();
    let script = format!(
        "for it in /dev/shm /run; do mount --bind \"$0\" $it || exit {REFUSED}; done; exec \"$@\""
    );
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script).arg(disk.path());
    if let Some(inside) = command_in(&["--mount"], &command) {
        run(inside, test);
    }
}

/// Returns whether this process runs among the users of [`run_among_users`].
pub(crate) fn is_among_users() -> bool {
    std::env::var_os(AMONG_USERS).is_some()
}

/// Starts a command in new namespaces, if there is a program that creates them.
fn command_in(kinds: &[&str], command: &Command) -> Option<Command> {
    let mut inside = Command::new(tool("unshare")?);
    inside.env("PATH", STANDARD_PATH);
    if !rustix::process::geteuid().is_root() {
        inside.args(["--user", "--map-root-user"]);
    }
    inside.args(kinds);
    inside.arg(command.get_program()).args(command.get_args());
    Some(inside)
}

fn run(mut inside: Command, test: &str) {
    restore_signals();
    let output = inside
        .arg(std::env::current_exe().unwrap())
        .args(["--include-ignored", "--exact", test, "--nocapture"])
        .output();
    let refused = output.as_ref().map_or(true, |output| {
        let said = text(&output.stderr);
        output.status.code() == Some(REFUSED) || said.starts_with("unshare: ")
    });
    if refused {
        let why = output.map_or_else(|it| it.to_string(), |it| text(&it.stderr));
        return skip(
            "namespaces",
            &format!("no namespaces can be made here: {}", why.trim()),
        );
    }
    let output = output.unwrap();
    let (said, warned) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}{warned}");
    assert!(said.contains("1 passed"), "{said}");
    println!("{said}");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
