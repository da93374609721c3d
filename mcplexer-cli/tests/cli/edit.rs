//! A value in the user's editor.

mod editors;
mod killed;
mod left;

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use tempfile::TempDir;
use test_support::{STANDARD_PATH, skip};

use super::home::{BINARY, Home, Run, finish, write_program};
use super::namespaces;

const MARKED: &str = "m4rked-old-value-0123456789";

/// A home, and a directory in memory for the values that are edited.
struct Desk {
    home: Home,
    runtime: TempDir,
}

impl Desk {
    /// `None` on a system without a file system in memory.
    fn new() -> Option<Self> {
        let mut builder = tempfile::Builder::new();
        let builder = builder.permissions(Permissions::from_mode(0o700));
        match builder.tempdir_in("/dev/shm") {
            Ok(runtime) => Some(Self {
                home: Home::new(),
                runtime,
            }),
            Err(_) => {
                skip("/dev/shm", "there is no /dev/shm");
                None
            }
        }
    }

    /// With `s/K`.
    fn with_secret(value: &str) -> Option<Self> {
        let desk = Self::new()?;
        desk.home
            .run(["secret", "put", "s", "K", value])
            .succeeded();
        Some(desk)
    }

    fn command(&self, editor: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
        let mut command = self.home.command();
        command
            .args(["secret", "edit"])
            .args(arguments)
            .env("PATH", STANDARD_PATH)
            .env("XDG_RUNTIME_DIR", self.runtime.path())
            .env("EDITOR", editor);
        command
    }

    /// Edits in an editor that may be a script of the test, which is not known.
    fn edit(&self, editor: impl AsRef<OsStr>, arguments: &[&str]) -> Run {
        let mut run = finish(&mut self.command(editor, arguments));
        let (first, rest) = run.stderr.split_once('\n').unwrap_or_default();
        if first.ends_with(" is not known to mcplexer, and may keep copies on the disk") {
            run.stderr = rest.to_owned();
        }
        self.assert_clean();
        run
    }

    /// Checks that nothing is left in memory.
    #[track_caller]
    fn assert_clean(&self) {
        let left = fs::read_dir(self.runtime.path()).unwrap();
        let left: Vec<_> = left.map(|it| it.unwrap().file_name()).collect();
        assert!(left.is_empty(), "{left:?}");
    }

    /// Writes a program to be used as the editor, and returns its path.
    fn script(&self, text: &str) -> String {
        let path = self.home.root().join("editor");
        write_program(&path, &format!("#!/bin/sh\nset -e\n{text}\n"));
        path.to_str().unwrap().to_owned()
    }
}

#[test]
fn a_value_is_changed_in_an_editor_with_arguments() {
    let Some(desk) = Desk::with_secret(MARKED) else {
        return;
    };
    let edited = desk.edit("sed -i s/old/new/", &["s", "K"]).succeeded();
    assert_eq!(edited.stderr, "stored s/K, version 2\n");
    assert_eq!(edited.text(), "");
    assert_eq!(desk.home.get("s", "K"), b"m4rked-new-value-0123456789");
    // VISUAL comes first, and one that is blank counts for nothing.
    let mut both = desk.command("false", &["s/K"]);
    let run = finish(both.env("VISUAL", "sed -i s/new/newer/")).succeeded();
    assert_eq!(run.stderr, "stored s/K, version 3\n");
    let mut blank = desk.command("sed -i s/newer/newest/", &["s/K"]);
    finish(blank.env("VISUAL", " ")).succeeded();
    assert_eq!(desk.home.get("s", "K"), b"m4rked-newest-value-0123456789");
    let log = desk.home.run(["audit", "show"]).succeeded();
    let acts = ["get", "put"].map(|act| log.text().matches(&format!(" {act} ")).count());
    assert!(acts[0] >= 3 && acts[1] == 4, "{}", log.text());
    desk.home.assert_no_trace_of("m4rked-");
}

/// The editor gets the name of a file, and none of mcplexer's own variables.
#[test]
fn the_file_is_private_and_the_value_is_nowhere_else() {
    let Some(desk) = Desk::with_secret(MARKED) else {
        return;
    };
    let editor = desk.script(
        r#"test $# = 1; grep -q m4rked "$1"
           stat -c '%a %n' "$1" "$(dirname "$1")" >"$HOME/modes"
           { tr '\0' '\n' </proc/$$/cmdline; env; cat /proc/$PPID/cmdline; } >"$HOME/seen"
           cp "$1" "$1~"; cp "$1" "$(mktemp)"; mkdir "$TMPDIR/deep"; cp "$1" "$TMPDIR/deep/.K.swp"
           printf new >"$1""#,
    );
    let mut command = desk.command(format!("umask 0; '{editor}'"), &["s", "K"]);
    finish(command.env("MCPLEXER_AUDIT", "off")).succeeded();
    desk.assert_clean();
    let modes = fs::read_to_string(desk.home.root().join("modes")).unwrap();
    let place = desk.runtime.path().join("mcplexer-edit-");
    let expected = format!("600 {}", place.display());
    let directory = format!("\n700 {}", place.display());
    assert!(
        modes.starts_with(&expected) && modes.contains(&directory),
        "{modes}"
    );
    assert!(modes.lines().next().unwrap().ends_with("/K"), "{modes}");
    let seen = fs::read(desk.home.root().join("seen")).unwrap();
    assert!(!String::from_utf8_lossy(&seen).contains("MCPLEXER_"));
    assert_eq!(desk.home.get("s", "K"), b"new");
    desk.home.assert_no_trace_of("m4rked-");
}

#[test]
fn nothing_is_stored_if_nothing_was_changed_or_the_editor_fails() {
    let Some(desk) = Desk::with_secret(MARKED) else {
        return;
    };
    let same = desk.edit("true", &["s", "K"]).succeeded();
    assert_eq!(same.stderr, "s/K is unchanged; nothing was stored\n");
    desk.edit(r#"sed -i "\$a\\""#, &["s", "K"]).succeeded();
    for (editor, code, said) in [
        ("sed -i d", 3, "the file is empty; nothing was stored"),
        (
            "sed -i s/old/new/ \"$1\"; exit 7;",
            1,
            "the editor ended with exit code 7; nothing was stored",
        ),
        ("kill -KILL $$;", 1, "the editor was ended by signal 9"),
        ("rm", 1, "the editor has removed the file"),
        ("ln -sf /etc/passwd", 1, "cannot read the file back: "),
        (
            "head -c 2000000 /dev/zero >",
            1,
            "larger than a value may be",
        ),
    ] {
        desk.edit(editor, &["s", "K"]).failed(code, &[said]);
        assert_eq!(desk.home.get("s", "K"), MARKED.as_bytes(), "{editor}");
    }
    let none = desk.edit("no-such-editor", &["s", "K"]);
    assert!(none.code == 1 && none.stderr.contains("ended with exit code 127"));
    let history = desk.home.run(["secret", "history", "s", "K"]).succeeded();
    assert_eq!(history.text().lines().count(), 2, "{}", history.text());
}

/// Editors end a text with a line end of the kind that the text has.
#[test]
fn only_a_line_end_that_the_editor_adds_is_left_out() {
    let Some(desk) = Desk::new() else { return };
    for (old, editor, stored) in [
        (&b"a"[..], "printf 'b\\n' >", &b"b"[..]),
        (b"a", "printf 'b\\n\\n' >", b"b\n"),
        (b"a\n", "printf 'b\\n' >", b"b\n"),
        (b"a\n", "printf b >", b"b"),
        (b"a\r\nb", "printf '\\r\\n' >>", b"a\r\nb"),
        (b"a\r\nb", "printf '\\n' >>", b"a\r\nb"),
        (b"a\r\nb", "printf 'c\\r\\nd\\r\\n' >", b"c\r\nd"),
        (b"a\r\nb\r\n", "printf 'c\\r\\n' >>", b"a\r\nb\r\nc\r\n"),
        (b"\xff\xfe\0\n1", "printf '\\377\\0\\n2' >", b"\xff\0\n2"),
    ] {
        let file = desk.home.root().join("value");
        fs::write(&file, old).unwrap();
        desk.home
            .run(["secret", "put", "s", "K", "--file", "value"])
            .succeeded();
        desk.edit(editor, &["s", "K"]).succeeded();
        assert_eq!(desk.home.get("s", "K"), stored, "{editor}");
    }
}

#[test]
fn a_new_secret_begins_empty() {
    let Some(desk) = Desk::new() else { return };
    let editor = desk.script("test ! -s \"$1\"; printf 'made\\n' >\"$1\"");
    let run = desk.edit(&editor, &["new", "K"]).succeeded();
    assert!(run.stderr.ends_with("stored new/K, version 1\n"));
    assert_eq!(desk.home.get("new", "K"), b"made");
    desk.edit("true", &["new", "L"])
        .failed(3, &["the file is empty; nothing was stored"]);
    assert_eq!(desk.home.run(["secret", "get", "new", "L"]).code, 4);
}

#[test]
fn what_was_replaced_meanwhile_is_not_overwritten() {
    let Some(desk) = Desk::with_secret(MARKED) else {
        return;
    };
    for act in ["put s K theirs", "delete s K", "put s K theirs"] {
        let editor = desk.script(&format!("{BINARY} -q secret {act}; printf mine >\"$1\""));
        desk.edit(&editor, &["s", "K"]).failed(
            8,
            &[
                "it was replaced or deleted while you edited it; nothing was stored",
                "mcplexer secret edit s K opens what is there now",
            ],
        );
        let left = desk.home.run(["secret", "get", "s", "K"]);
        assert_ne!(left.stdout, b"mine");
    }
}

#[test]
fn no_editor_is_opened_where_nobody_edits() {
    let Some(desk) = Desk::with_secret(MARKED) else {
        return;
    };
    desk.edit("true", &["s", "K", "--no-input"]).failed(
        2,
        &["--no-input forbids opening an editor", "secret put s K"],
    );
    desk.edit("", &["s", "K"])
        .failed(2, &["neither VISUAL nor EDITOR names an editor"]);
    let mut agent = desk.command("cat", &["s", "K"]);
    finish(agent.env("CLAUDECODE", "1")).failed(3, &["Claude Code", "secret put s K"]);
    let mut agent = desk.command("cat", &["s", "K", "--reveal"]);
    let shown = finish(agent.env("CLAUDECODE", "1")).succeeded();
    assert_eq!(shown.text(), MARKED);
    desk.edit("true", &["s", "K", "--reveal", "--no-note"])
        .failed(2, &["cannot be used with"]);
}

/// Without memory, nothing is written to a disk either.
#[test]
fn without_a_file_system_in_memory_nothing_is_opened() {
    namespaces::run_without_memory("edit::inside_without_memory");
}

#[test]
#[ignore = "run by without_a_file_system_in_memory_nothing_is_opened"]
fn inside_without_memory() {
    let home = Home::new();
    home.run(["secret", "put", "s", "K", MARKED]).succeeded();
    let mut edit = home.command();
    edit.args(["secret", "edit", "s", "K"])
        .env("PATH", STANDARD_PATH)
        .env("XDG_RUNTIME_DIR", home.root())
        .env("EDITOR", "sed -i s/old/new/");
    finish(&mut edit).failed(2, &["there is no file system in memory", "secret put s K"]);
    assert_eq!(home.get("s", "K"), MARKED.as_bytes());
}
