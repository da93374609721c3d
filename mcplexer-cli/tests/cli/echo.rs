//! What is typed at a hidden prompt is not shown: from before the question is seen until the answer was checked.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};

use pty_process::blocking::{Command, Pty};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, tcgetattr};
use test_support::{STANDARD_PATH, tool};

use super::home::{BINARY, Home};
use super::keys::write_key;
use super::terminal::{expect, spawn_at};

const STOP_OUTPUT: u8 = 0x13;
const START_OUTPUT: u8 = 0x11;
const CTRL_C: u8 = 0x03;
const CTRL_BACKSLASH: u8 = 0x1c;

/// A command on a terminal of its own.
struct Screen {
    pty: Pty,
    child: Child,
    shown: String,
}

impl Screen {
    /// Starts the command on a terminal that has got these bytes.
    fn start(home: &Home, arguments: &[&str], typed: &[u8]) -> Self {
        let (mut pty, pts) = pty_process::blocking::open().unwrap();
        pty.write_all(typed).unwrap();
        let mut command = home.command();
        command.env("TERM", "dumb").args(arguments);
        let child = Command::from(command).spawn(pts).unwrap();
        Self {
            pty,
            child,
            shown: String::new(),
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn modes(&self) -> LocalModes {
        tcgetattr(&self.pty).unwrap().local_modes
    }

    fn shows_what_is_typed(&self) -> bool {
        self.modes().contains(LocalModes::ECHO)
    }

    /// Whether an answer is being checked: keys interrupt, and nothing is shown.
    fn checks(&self) -> bool {
        !self.shows_what_is_typed() && self.modes().contains(LocalModes::ICANON | LocalModes::ISIG)
    }

    /// Returns once this is so. A command that never does it ends the test by ending itself.
    #[track_caller]
    fn wait_until(&mut self, is_so: impl Fn(&Self) -> bool) {
        while !is_so(self) {
            assert!(self.child.try_wait().unwrap().is_none(), "{}", self.shown);
            std::thread::yield_now();
        }
    }

    fn press(&mut self, bytes: &[u8]) {
        self.pty.write_all(bytes).unwrap();
    }

    /// Reads until this is shown. If `always` is given, it holds at each look.
    #[track_caller]
    fn read_until(&mut self, text: &str, always: impl Fn(&Self) -> bool) {
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        while !self.shown.contains(text) {
            assert!(always(self), "before {text:?}: {:?}", self.shown);
            let mut waiting = [PollFd::new(&self.pty, PollFlags::IN)];
            if poll(&mut waiting, Some(&at_once)).unwrap() == 0 {
                std::thread::yield_now();
                continue;
            }
            let mut bytes = [0; 1024];
            match self.pty.read(&mut bytes) {
                Ok(read) if read > 0 => self
                    .shown
                    .push_str(&String::from_utf8_lossy(&bytes[..read])),
                _ => panic!("no {text:?} in {:?}", self.shown),
            }
        }
        self.shown.clear();
    }

    fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    #[track_caller]
    fn ends_by(&mut self, signal: Signal) {
        assert_eq!(
            self.wait().signal(),
            Some(signal.as_raw()),
            "{}",
            self.shown
        );
        self.assert_restored();
    }

    #[track_caller]
    fn assert_restored(&self) {
        let modes = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        assert!(self.modes().contains(modes), "{:?}", self.modes());
    }
}

/// A home with a key file whose passphrase takes 2^factor steps to try.
fn home_with_passphrase(factor: u8) -> Home {
    let home = Home::with_secret("v");
    let passphrase = age::secrecy::SecretString::from("right".to_owned());
    let mut recipient = age::scrypt::Recipient::new(passphrase);
    recipient.set_work_factor(factor);
    let key = fs::read(home.path("age.key")).unwrap();
    let sealed = age::encrypt(&recipient, &key).unwrap();
    write_key(&home, ".mcplexer/age.key", sealed);
    home
}

const GET: &[&str] = &["secret", "get", "github-token", "TOKEN"];

/// An answer that comes with the question, from a program or a fast typist, is not shown. The terminal is
/// kept from showing the question until it no longer shows what is typed.
#[test]
fn the_terminal_is_silent_before_a_question_is_seen() {
    let home = home_with_passphrase(2);
    for (arguments, question) in [
        (&["secret", "put", "s", "K"][..], "Value of s/K (hidden): "),
        (GET, "passphrase for ~/.mcplexer/age.key: "),
        (
            &["backup", "create", "b.age", "--passphrase"],
            "new passphrase: ",
        ),
        (&["key", "add", "--passphrase"], "new passphrase: "),
    ] {
        let mut screen = Screen::start(&home, arguments, &[STOP_OUTPUT]);
        screen.wait_until(|it| !it.shows_what_is_typed());
        screen.press(&[START_OUTPUT]);
        screen.read_until(question, |it| !it.shows_what_is_typed());
        screen.press(&[CTRL_C]);
        screen.ends_by(Signal::INT);
    }
}

/// What is typed while an answer is checked, or between two questions, is not shown either.
#[test]
fn the_terminal_is_silent_until_the_answer_was_checked() {
    let home = home_with_passphrase(12);
    let silent = |it: &Screen| !it.shows_what_is_typed();
    let mut screen = Screen::start(&home, GET, b"");
    screen.read_until("age.key: ", |_| true);
    for _ in 0..2 {
        screen.press(b"wrong\r");
        screen.read_until(
            "that was wrong; passphrase for ~/.mcplexer/age.key: ",
            silent,
        );
    }
    screen.press(b"right\r");
    screen.read_until("v\r\n", |_| true);
    assert!(screen.wait().success());
    screen.assert_restored();

    let mut screen = Screen::start(&home, GET, b"");
    screen.read_until("age.key: ", |_| true);
    for after in ["that was wrong; ", "that was wrong; ", "mcplexer: error: "] {
        screen.press(b"wrong\r");
        let may_be_over = after.starts_with("mcplexer");
        screen.read_until(after, |it| may_be_over || silent(it));
    }
    assert_eq!(screen.wait().code(), Some(5));
    screen.assert_restored();

    let mut screen = Screen::start(&home, &["backup", "create", "b.age", "--passphrase"], b"");
    screen.read_until("new passphrase: ", |_| true);
    screen.press(b"\r");
    screen.read_until("that was empty; new passphrase: ", silent);
    screen.press(b"one\r");
    screen.read_until("repeat passphrase: ", silent);
    screen.press(b"other\r");
    screen.read_until("differ", |_| true);
    assert_eq!(screen.wait().code(), Some(2));
    screen.assert_restored();
}

/// However a command ends, the terminal shows again what is typed.
#[test]
fn a_signal_restores_the_terminal() {
    let home = home_with_passphrase(18);
    let question = "age.key: ";
    for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT] {
        let mut screen = Screen::start(&home, GET, b"");
        screen.read_until(question, |_| true);
        kill_process(screen.pid(), signal).unwrap();
        screen.ends_by(signal);
    }
    for (key, signal) in [(CTRL_C, Signal::INT), (CTRL_BACKSLASH, Signal::QUIT)] {
        let mut screen = Screen::start(&home, GET, b"");
        screen.read_until(question, |_| true);
        screen.press(b"wrong\r");
        screen.wait_until(Screen::checks);
        screen.press(&[key]);
        screen.ends_by(signal);
    }
}

/// Where no shell could continue the command, nothing stops it, and the answer goes on.
#[test]
fn without_a_shell_a_question_is_not_stopped() {
    let home = home_with_passphrase(2);
    let mut screen = Screen::start(&home, GET, b"");
    screen.read_until("age.key: ", |_| true);
    screen.press(b"ri\x1aght\r");
    screen.read_until("v\r\n", |_| true);
    assert!(screen.wait().success());
    let mut screen = Screen::start(&home, GET, b"");
    screen.read_until("age.key: ", |_| true);
    kill_process(screen.pid(), Signal::TSTP).unwrap();
    screen.read_until("age.key: ", |it| !it.shows_what_is_typed());
    screen.press(b"right\r");
    screen.read_until("v\r\n", |_| true);
    assert!(screen.wait().success());
    screen.assert_restored();
}

/// Waits until the command that a shell has started is stopped. The shell says so when the first process of the job is.
fn wait_until_stopped(shell: &str) {
    // State and session of a process (proc(5)).
    let is_stopped = |stat: String| {
        let (program, fields) = stat.rsplit_once(") ")?;
        let mut fields = fields.split(' ');
        let (state, session) = (fields.next()?, fields.nth(2)?);
        Some(program.ends_with("(mcplexer") && state == "T" && session == shell)
    };
    let some_is = || {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let mut stats = processes.filter_map(|it| fs::read_to_string(it.path().join("stat")).ok());
        stats.any(|it| is_stopped(it) == Some(true))
    };
    while cfg!(target_os = "linux") && !some_is() {
        std::thread::yield_now();
    }
}

/// What is typed behind Ctrl-Z is for the shell, which shows it. The command that goes on asks anew.
#[test]
fn a_question_is_stopped_and_continued_by_the_shell() {
    let Some(bash) = tool("bash") else { return };
    let home = Home::new();
    let mut command = home.command_of(&bash);
    command
        .args(["--norc", "--noediting", "-i"])
        .env("PS1", "PROMPT> ")
        .env("PATH", STANDARD_PATH);
    let mut session = spawn_at(command);
    // The terminals of these tests do not show what is typed.
    session.send_line("stty echo; echo shell''=$$=").unwrap();
    let (_, shell) = session.exp_regex("shell=[0-9]+=").unwrap();
    let shell = shell.trim_start_matches("shell=").trim_end_matches('=');
    let put = format!("{BINARY} secret put s");
    for (line, key, susp) in [
        (format!("{put} K1"), "K1", '\x1a'),
        (format!("sh -c '{put} K2; echo after'"), "K2", '\x1a'),
        (format!("stty susp ^X; {put} K3"), "K3", '\x18'),
    ] {
        let question = format!("Value of s/{key} (hidden): ");
        session.send_line(&line).unwrap();
        expect(&mut session, &question);
        for round in ["one", "two"] {
            session.send(&format!("lost{susp}")).unwrap();
            session
                .send_line(&format!("stty -a; echo {round}''-{key}"))
                .unwrap();
            expect(&mut session, "Stopped");
            expect(&mut session, "isig icanon iexten echo ");
            expect(&mut session, &format!("{round}-{key}"));
            wait_until_stopped(shell);
            session.send_line("fg").unwrap();
            expect(&mut session, &question);
        }
        session.send_line("answer").unwrap();
        expect(&mut session, &format!("stored s/{key}, version 1"));
        assert_eq!(home.get("s", key), b"answer");
    }
    session.send_line("exit").unwrap();
    session.exp_eof().unwrap();
}

/// The other keys that signal, amid an answer.
#[test]
fn a_key_ends_a_question() {
    let home = home_with_passphrase(2);
    for (key, signal) in [(CTRL_C, Signal::INT), (CTRL_BACKSLASH, Signal::QUIT)] {
        let mut screen = Screen::start(&home, GET, b"");
        screen.read_until("age.key: ", |_| true);
        screen.press(&[b'r', key, b'x', b'\r']);
        screen.ends_by(signal);
    }
}

/// A signal that was ignored from the beginning, as by nohup, stays ignored.
#[test]
fn an_ignored_signal_does_not_end_a_question() {
    let home = home_with_passphrase(2);
    let (pty, pts) = pty_process::blocking::open().unwrap();
    let mut shell = home.command_of("/bin/sh".as_ref());
    shell.args(["-c", "trap '' HUP; exec \"$@\"", "sh", BINARY]);
    shell.args(GET).env("TERM", "dumb");
    let child = Command::from(shell).spawn(pts).unwrap();
    let shown = String::new();
    let mut screen = Screen { pty, child, shown };
    screen.read_until("age.key: ", |_| true);
    kill_process(screen.pid(), Signal::HUP).unwrap();
    screen.press(b"right\r");
    screen.read_until("v\r\n", |_| true);
    assert!(screen.wait().success());
}
