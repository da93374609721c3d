//! Editors that people use. Each copies what it edits, and none of the copies may come to the disk.

use std::fs;

use test_support::{find, tool};

use super::super::home::finish;
use super::super::terminal::{end, spawn_at};
use super::{Desk, MARKED};

/// Settings with which vim and nano keep copies in other directories.
fn keep_copies(desk: &Desk, overrides: bool) {
    let root = desk.home.root();
    fs::create_dir(root.join("copies")).unwrap();
    let vim = "autocmd!\n\
               set nocompatible backup writebackup undofile directory=~/copies backupdir=~/copies undodir=~/copies\n\
               set viminfo='100,<50,s10,h,n~/copies/viminfo\n";
    let overriding = "set updatecount=1 viminfofile=~/copies/info\n\
                      autocmd BufReadPre,BufReadPost,BufWritePre * setlocal undofile swapfile\n\
                      autocmd BufWritePre * set backup writebackup backupdir=~/copies undodir=~/copies\n\
                      autocmd VimLeavePre * set viminfofile=~/copies/leaving\n\
                      autocmd VimEnter * set viminfofile=~/copies/entering\n\
                      autocmd CursorMoved,BufWritePost * wviminfo!\n";
    let vim = [vim, if overrides { overriding } else { "" }].concat();
    fs::write(root.join(".vimrc"), vim).unwrap();
    let nano = "set backup\nset backupdir \"~/copies\"\nset historylog\n";
    fs::write(root.join(".nanorc"), nano).unwrap();
}

/// Neither with settings that are there from the start nor with those that an event brings, however the editor is named.
#[test]
fn vim_keeps_no_copy() {
    for (name, overrides) in [("vim", false), ("vim", true), ("vi", true)] {
        let Some(vim) = tool(name) else { continue };
        for before in ["", "LANG=C ", "env A=b ", "command ", "exec ", "\\"] {
            let Some(desk) = Desk::with_secret(MARKED) else {
                return;
            };
            keep_copies(&desk, overrides);
            // A line that is deleted goes into a register.
            let swap = "call writefile([swapname(0)], expand(\"~/swap\"))";
            let editor = format!(
                "{before}{} -c 'normal yyp' -c '{swap}' -c 's/old/new/' -c '1d' -c x",
                vim.display()
            );
            let (text, code) = end(spawn_at(desk.command(&editor, &["s", "K"])));
            assert_eq!(code, 0, "{text}");
            assert!(!text.contains("is not known"), "{text}");
            assert_eq!(desk.home.get("s", "K"), b"m4rked-new-value-0123456789");
            desk.assert_clean();
            desk.home.assert_no_trace_of("m4rked-");
            let copies = fs::read_dir(desk.home.root().join("copies")).unwrap();
            assert_eq!(copies.count(), 0, "{editor}");
            let swap = fs::read_to_string(desk.home.root().join("swap")).unwrap();
            assert!(!swap.contains("copies"), "{swap}");
        }
    }
}

/// Settings may come as late as when vim is left.
#[test]
fn vim_keeps_no_copy_in_a_session() {
    let (Some(vim), Some(desk)) = (tool("vim"), Desk::with_secret(MARKED)) else {
        return;
    };
    keep_copies(&desk, true);
    let mut command = desk.command(&vim, &["s", "K"]);
    command.env("TERM", "xterm");
    let mut session = spawn_at(command);
    session.exp_string("m4rked").unwrap();
    session.send(":normal yyp\r:s/old/new/\r:1d\r:x\r").unwrap();
    session.flush().unwrap();
    let (text, code) = end(session);
    assert_eq!(code, 0, "{text}");
    assert_eq!(desk.home.get("s", "K"), b"m4rked-new-value-0123456789");
    desk.assert_clean();
    desk.home.assert_no_trace_of("m4rked-");
    let copies = fs::read_dir(desk.home.root().join("copies")).unwrap();
    assert_eq!(copies.count(), 0);
}

/// One line says so, unless the editor is known.
#[test]
fn an_editor_that_is_not_known_is_warned_of() {
    let Some(desk) = Desk::with_secret(MARKED) else {
        return;
    };
    for (editor, warned) in [
        ("sed -i s/x/y/", None),
        ("LANG=C sed -i s/x/y/", None),
        ("PATH=/bin:/usr/bin sed -i s/x/y/", None),
        ("true --wait", Some("true")),
        ("LANG=C env true", Some("true")),
        ("sed -i s/x/y/ \"$1\" && test -f", Some("this editor")),
        ("true; sed -i s/x/y/", Some("this editor")),
    ] {
        let run = finish(&mut desk.command(editor, &["s", "K"])).succeeded();
        let warning = warned.map_or_else(String::new, |name| {
            format!(
                "mcplexer: warning: {name} is not known to mcplexer, and may keep copies on the disk\n"
            )
        });
        let expected = format!("{warning}s/K is unchanged; nothing was stored\n");
        assert_eq!(run.stderr, expected, "{editor}");
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
    keep_copies(&desk, false);
    let editor = desk.script("exec vim -c 'normal yyp' -c 's/old/new/' -c '1d' -c x \"$1\"");
    end(spawn_at(desk.command(editor, &["s", "K"])));
    desk.home.assert_no_trace_of("m4rked-");
}

#[test]
fn nano_keeps_no_copy() {
    let (Some(nano), Some(desk)) = (tool("nano"), Desk::with_secret(MARKED)) else {
        return;
    };
    keep_copies(&desk, false);
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
