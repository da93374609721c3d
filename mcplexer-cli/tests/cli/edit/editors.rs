//! Editors that people use. Each copies what it edits, and none of the copies may come to the disk.

use std::fs;

use test_support::{find, tool};

use super::super::terminal::{end, spawn_at};
use super::{Desk, MARKED};

/// Settings with which vim and nano keep copies in other directories.
fn keep_copies(desk: &Desk) {
    let root = desk.home.root();
    fs::create_dir(root.join("copies")).unwrap();
    let vim = "set nocompatible backup writebackup undofile directory=~/copies backupdir=~/copies undodir=~/copies\n\
               set viminfo='100,<50,s10,h,n~/copies/viminfo\n";
    fs::write(root.join(".vimrc"), vim).unwrap();
    let nano = "set backup\nset backupdir \"~/copies\"\nset historylog\n";
    fs::write(root.join(".nanorc"), nano).unwrap();
}

#[test]
fn vim_keeps_no_copy() {
    for name in ["vim", "vi"] {
        let (Some(vim), Some(desk)) = (tool(name), Desk::with_secret(MARKED)) else {
            continue;
        };
        keep_copies(&desk);
        // A line that is deleted goes into a register.
        let editor = format!(
            "{} -c 'normal yyp' -c 's/old/new/' -c '1d' -c x",
            vim.display()
        );
        let (text, code) = end(spawn_at(desk.command(editor, &["s", "K"])));
        assert_eq!(code, 0, "{text}");
        assert_eq!(desk.home.get("s", "K"), b"m4rked-new-value-0123456789");
        desk.assert_clean();
        desk.home.assert_no_trace_of("m4rked-");
    }
}

/// Without the options that it is given, vim would have kept some.
#[test]
#[should_panic(expected = "is in")]
fn vim_keeps_copies_otherwise() {
    let desk = match (find("vim"), Desk::with_secret(MARKED)) {
        (Some(_), Some(desk)) => desk,
        _ => panic!("nothing to check, as if a copy is in a file"),
    };
    keep_copies(&desk);
    let editor = desk.script("exec vim -c 'normal yyp' -c 's/old/new/' -c '1d' -c x \"$1\"");
    end(spawn_at(desk.command(editor, &["s", "K"])));
    desk.home.assert_no_trace_of("m4rked-");
}

#[test]
fn nano_keeps_no_copy() {
    let (Some(nano), Some(desk)) = (tool("nano"), Desk::with_secret(MARKED)) else {
        return;
    };
    keep_copies(&desk);
    let mut command = desk.command(&nano, &["s", "K"]);
    command.env("TERM", "xterm");
    let mut session = spawn_at(command);
    session.exp_string("m4rked").unwrap();
    session.send("new-").unwrap();
    session.send_control('s').unwrap();
    session.send_control('x').unwrap();
    let (text, code) = end(session);
    assert_eq!(code, 0, "{text}");
    let edited = [b"new-", MARKED.as_bytes()].concat();
    assert_eq!(desk.home.get("s", "K"), edited);
    desk.assert_clean();
    desk.home.assert_no_trace_of("m4rked-");
}

#[test]
fn ed_edits_a_value_and_its_copy_is_warned_of() {
    let (Some(ed), Some(desk)) = (tool("ed"), Desk::with_secret(MARKED)) else {
        return;
    };
    let editor = format!("printf 's/old/new/\\nw\\nq\\n' | {} -s", ed.display());
    let script = desk.script(&format!("{editor} \"$1\""));
    desk.edit(script, &["s", "K"]).succeeded();
    assert_eq!(desk.home.get("s", "K"), b"m4rked-new-value-0123456789");
    let warned = desk.edit(ed, &["s", "K"]).succeeded();
    assert!(
        warned.stderr.contains("ed keeps the text"),
        "{}",
        warned.stderr
    );
}
