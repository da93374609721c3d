//! What an editor leaves in the directory in memory.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::geteuid;
use test_support::{STANDARD_PATH, tools};

use super::super::home::{Home, finish};
use super::super::namespaces::run_on_disk;
use super::{Desk, MARKED};

/// Makes directories that their owner cannot change.
const CLOSED: &str = r#"cd "$TMPDIR"
mkdir -p none/deep readable
for it in none/deep readable; do cp "$1" $it/copy; chmod 400 $it/copy; done
chmod 000 none/deep none
chmod 500 readable"#;

/// Returns the command as a user for whom modes count: for root they do not.
fn without_privileges(home: &Home, command: &Command) -> Option<Command> {
    let mut plain = match geteuid().is_root() {
        true if !tools(&["setpriv"]) => return None,
        true => home.command_of(Path::new("setpriv")),
        false => home.command_of(Path::new("env")),
    };
    if geteuid().is_root() {
        plain.args(["--bounding-set", "-all", "--inh-caps", "-all", "--"]);
    }
    for (name, value) in command.get_envs() {
        plain.env(name, value.unwrap_or_default());
    }
    plain.arg(command.get_program()).args(command.get_args());
    Some(plain)
}

#[test]
fn directories_that_the_editor_has_closed_are_erased() {
    for ends in ["printf new >\"$1\"", "exit 1", "chmod 000 \"$TMPDIR\""] {
        let Some(desk) = Desk::with_secret(MARKED) else {
            return;
        };
        let editor = desk.script(&format!("{CLOSED}\n{ends}"));
        let edit = desk.command(editor, &["s", "K"]);
        let Some(mut edit) = without_privileges(&desk.home, &edit) else {
            return;
        };
        let run = finish(&mut edit);
        assert_eq!(run.code == 0, ends.starts_with("printf"), "{}", run.stderr);
        assert!(!run.stderr.contains("cannot be erased"), "{}", run.stderr);
        desk.assert_clean();
    }
}

/// The editor has ended mcplexer.
#[test]
fn the_next_edit_erases_closed_directories() {
    let Some(desk) = Desk::with_secret(MARKED) else {
        return;
    };
    let editor = desk.script(&format!(
        "{CLOSED}\nchmod 000 \"$TMPDIR\"\nkill -KILL $PPID"
    ));
    let edit = desk.command(editor, &["s", "K"]);
    let Some(mut edit) = without_privileges(&desk.home, &edit) else {
        return;
    };
    finish(&mut edit);
    assert_eq!(fs::read_dir(desk.runtime.path()).unwrap().count(), 1);
    let next = desk.command("sed -i s/old/new/", &["s", "K"]);
    finish(&mut without_privileges(&desk.home, &next).unwrap()).succeeded();
    desk.assert_clean();
}

#[test]
fn what_cannot_be_erased_is_warned_of() {
    run_on_disk("size=16m", "edit::left::inside_a_mount_is_left");
}

#[test]
#[ignore = "run by what_cannot_be_erased_is_warned_of"]
fn inside_a_mount_is_left() {
    let Some(desk) = Desk::with_secret(MARKED) else {
        return;
    };
    let editor = desk.script(
        "cd \"$TMPDIR\"; mkdir kept; mount -t tmpfs tmpfs kept\n\
         cp \"$1\" kept/copy; cp \"$1\" copy; printf new >\"$1\"",
    );
    let run = finish(&mut desk.command(editor, &["s", "K"])).succeeded();
    let mut left = fs::read_dir(desk.runtime.path()).unwrap();
    let directory = left.next().unwrap().unwrap().path();
    let kept = directory.join("kept");
    let warning = format!(
        "mcplexer: warning: {} cannot be erased, and may hold a copy of the value: remove it\n",
        kept.display()
    );
    assert!(run.stderr.contains(&warning), "{}", run.stderr);
    assert!(run.stderr.ends_with("stored s/K, version 2\n"));
    // What is mounted belongs to somebody else; all that is beside it is gone.
    assert_eq!(fs::read(kept.join("copy")).unwrap(), MARKED.as_bytes());
    assert_eq!(fs::read_dir(directory).unwrap().count(), 1);
    let again = finish(&mut desk.command("sed -i s/e/i/", &["s", "K"])).succeeded();
    assert!(again.stderr.contains(&warning), "{}", again.stderr);
    let mut umount = Command::new("umount");
    umount.env("PATH", STANDARD_PATH).arg(&kept);
    assert!(umount.status().unwrap().success());
    let last = finish(&mut desk.command("sed -i s/i/e/", &["s", "K"])).succeeded();
    assert!(!last.stderr.contains("warning"), "{}", last.stderr);
    desk.assert_clean();
}
