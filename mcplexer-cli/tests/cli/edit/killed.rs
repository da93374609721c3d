//! Signals while the editor is open.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use test_support::Running;

use super::super::home::finish;
use super::super::terminal::{end, expect, spawn_at};
use super::{Desk, MARKED};

/// An editor that says that it is open, and waits.
struct Open {
    edit: Running,
    go_on: PathBuf,
}

impl Open {
    fn start(desk: &Desk, before: &str, then: &str) -> Self {
        let (ready, go_on) = (desk.home.root().join("ready"), desk.home.root().join("go"));
        for pipe in [&ready, &go_on] {
            let mode = rustix::fs::Mode::RWXU;
            rustix::fs::mkfifoat(rustix::fs::CWD, pipe, mode).unwrap();
        }
        let editor = desk.script(&format!(
            "{before}\ncp \"$1\" \"$1~\"\necho >\"$HOME/ready\"\nread _ <\"$HOME/go\"\n{then}"
        ));
        let mut command = desk.command(editor, &["s", "K"]);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let edit = Running::start(command).unwrap();
        // Returns when the editor has closed its end.
        let mut said = Vec::new();
        File::open(&ready).unwrap().read_to_end(&mut said).unwrap();
        fs::remove_file(ready).unwrap();
        Self { edit, go_on }
    }

    fn send(&self, signal: Signal) {
        let edit = Pid::from_child(&self.edit);
        kill_process(edit, signal).unwrap();
    }

    /// Lets the editor go on.
    fn go_on(&self) {
        let mut pipe = File::options().write(true).open(&self.go_on).unwrap();
        pipe.write_all(b"\n").unwrap();
    }
}

/// No process can do anything about its own end by this signal.
#[test]
fn doctor_erases_what_a_killed_command_has_left() {
    let Some(desk) = Desk::with_secret(MARKED) else {
        return;
    };
    let doctor = |options: &[&str]| {
        let mut command = desk.home.command();
        command.env("XDG_RUNTIME_DIR", desk.runtime.path());
        finish(command.arg("doctor").args(options))
    };
    let open = Open::start(&desk, "", "true");
    assert!(!doctor(&[]).text().contains("value-left"));
    open.send(Signal::KILL);
    open.go_on();
    open.edit.wait_with_output().unwrap();
    let runtime = desk.runtime.path().to_str().unwrap();
    let said = format!("{runtime}/mcplexer-edit-");
    let found = doctor(&["--fix", "--json"]);
    assert!(found.text().contains("\"value-left\""), "{}", found.text());
    assert!(found.text().contains(&said) && !found.text().contains("m4rked"));
    desk.assert_clean();
    assert!(!doctor(&[]).text().contains("value-left"));
}

#[test]
fn a_signal_ends_the_editor_and_erases_the_file() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT] {
        let Some(desk) = Desk::with_secret(MARKED) else {
            return;
        };
        let open = Open::start(&desk, "", "printf new >\"$1\"");
        open.send(signal);
        let output = open.edit.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{signal:?}: {said}");
        assert!(said.contains("the editor was ended by signal"), "{said}");
        desk.assert_clean();
        assert_eq!(desk.home.get("s", "K"), MARKED.as_bytes());
    }
}

/// Nobody can erase the file when the process is killed. The next edit does.
#[test]
fn what_a_killed_process_left_is_erased_by_the_next_edit() {
    let Some(desk) = Desk::with_secret(MARKED) else {
        return;
    };
    let mut open = Open::start(&desk, "", "true");
    let other = desk.command("sed -i s/old/new/", &["s", "K"]).output();
    assert!(other.unwrap().status.success());
    let left = || fs::read_dir(desk.runtime.path()).unwrap().count();
    assert_eq!(left(), 1, "the directory in use stays");
    open.send(Signal::KILL);
    open.edit.wait().unwrap();
    assert_eq!(left(), 1);
    desk.edit("true", &["s", "K"]).succeeded();
    open.go_on();
}

/// The terminal sends Ctrl-C to both; an editor that goes on is waited for.
#[test]
fn ctrl_c_is_left_to_the_editor() {
    let Some(desk) = Desk::with_secret(MARKED) else {
        return;
    };
    let editor = desk.script(
        "trap 'printf new >\"$1\"; exit 0' INT\nstty -echo\necho open\nwhile read _; do :; done",
    );
    let mut session = spawn_at(desk.command(editor, &["s", "K"]));
    expect(&mut session, "open");
    session.send_control('c').unwrap();
    let (text, code) = end(session);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("stored s/K, version 2"), "{text}");
    assert_eq!(desk.home.get("s", "K"), b"new");
    desk.assert_clean();
}

/// An editor that is killed cannot put the terminal back as it was.
#[test]
fn the_terminal_is_as_before_after_an_editor_that_failed() {
    for (ends, said) in [
        ("kill -KILL $$", "the editor was ended by signal 9"),
        ("exit 7", "the editor ended with exit code 7"),
    ] {
        let Some(desk) = Desk::with_secret(MARKED) else {
            return;
        };
        let editor = desk.script(&format!("stty raw -echo\n{ends}"));
        let edit = desk.command(editor, &["s", "K"]);
        let mut shell = desk.home.command_of("/bin/sh".as_ref());
        shell.envs(
            edit.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        let script = "stty -g >before; \"$@\"; stty -g >after";
        shell.args(["-c", script, "sh"]).arg(edit.get_program());
        shell.args(edit.get_args()).current_dir(desk.home.root());
        let (text, _) = end(spawn_at(shell));
        assert!(text.contains(said), "{text}");
        let settings = |name| fs::read_to_string(desk.home.root().join(name)).unwrap();
        assert!(!settings("before").is_empty());
        assert_eq!(settings("before"), settings("after"), "{ends}");
    }
}
