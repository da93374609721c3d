//! A value on the clipboard, through stand-ins for the programs of a desktop.

mod programs;

use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use test_support::{STANDARD_PATH, started_in};

use super::home::{Home, Run, finish, write_program};
use super::terminal::{end, spawn_at};

const MARKED: &str = "m4rked-clip-value-0123456789";

/// What each stand-in does: it records its arguments and its environment, and keeps what it copies in `held`. When the
/// process that clears asks it to paste, it says who asked, and goes on when that was read.
const STAND_IN: &str = r#"#!/bin/sh
echo "$(basename "$0") $*" >>"$HOME/calls"
env >>"$HOME/calls"
case "$(basename "$0") $*" in
  *--help*) echo "    --sensitive  Hint that the content is sensitive." ;;
  *paste*|*-out*)
    case "$(cat "/proc/$PPID/cmdline")" in
      *clear-clipboard*) test -e "$HOME/cleared" || echo "$PPID" >"$HOME/asked" ;;
    esac
    cat "$HOME/held" ;;
  *--clear*) : >"$HOME/held"; echo >>"$HOME/cleared" ;;
  *) cat >"$HOME/held"; test -s "$HOME/held" || echo >>"$HOME/cleared" ;;
esac
"#;

/// Finds a program that every system has.
fn standard(program: &str) -> PathBuf {
    let mut places = STANDARD_PATH
        .split(':')
        .map(|it| PathBuf::from(it).join(program));
    places.find(|it| it.is_file()).unwrap()
}

struct Desktop(Home);

impl Desktop {
    fn new(programs: &[&str]) -> Self {
        let home = Home::new();
        home.run(["secret", "put", "s", "K", MARKED]).succeeded();
        fs::create_dir(home.root().join("bin")).unwrap();
        let bin = home.root().join("bin");
        for program in programs {
            write_program(&bin.join(program), STAND_IN);
        }
        // What the stand-ins need, and no real program for a clipboard.
        for program in ["basename", "cat", "env"] {
            let real = standard(program);
            std::os::unix::fs::symlink(real, bin.join(program)).unwrap();
        }
        let mode = rustix::fs::Mode::RWXU;
        rustix::fs::mkfifoat(rustix::fs::CWD, home.root().join("asked"), mode).unwrap();
        Self(home)
    }

    /// Stores `s/K`.
    fn put(&self, value: impl AsRef<[u8]>) {
        fs::write(self.path("value"), value).unwrap();
        let put = ["secret", "put", "s", "K", "--file", "value"];
        self.0.run(put).succeeded();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.root().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn get(&self, display: &str, options: &[&str]) -> Command {
        let mut command = self.0.command();
        command
            .args(["secret", "get", "s", "K"])
            .args(options)
            .env("PATH", self.path("bin"))
            .env(display, ":7");
        command
    }

    /// Waits until the process that clears asks what the clipboard holds. Returns it.
    fn asked(&self) -> Pid {
        let mut asked = String::new();
        let mut pipe = File::open(self.path("asked")).unwrap();
        pipe.read_to_string(&mut asked).unwrap();
        Pid::from_raw(asked.trim().parse().unwrap()).unwrap()
    }
}

/// A number of seconds that no other test gives.
fn unique_seconds() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    (100_000 + std::process::id() * 100 + next).to_string()
}

/// The process that clears after so many seconds. It hides its environment.
fn clearing(program: &str, seconds: &str) -> Pid {
    let expected = format!("\0clear-clipboard\0{program}\0{seconds}\0");
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let mut found = entries.filter(|entry| {
        let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&words).contains(&expected)
    });
    let found = found.next().expect(&expected).file_name();
    Pid::from_raw(found.to_str().unwrap().parse().unwrap()).unwrap()
}

/// Waits until a process has ended.
fn wait(process: Option<rustix::fd::OwnedFd>) {
    let Some(process) = process else { return };
    poll(&mut [PollFd::new(&process, PollFlags::IN)], None).unwrap();
}

/// `None` if it has ended already.
fn opened(process: Pid) -> Option<rustix::fd::OwnedFd> {
    pidfd_open(process, PidfdFlags::empty()).ok()
}

#[track_caller]
fn assert_silent(run: &Run) {
    assert_eq!(run.stdout, b"");
    assert!(!run.stderr.contains("m4rked"), "{}", run.stderr);
}

#[test]
fn a_value_is_copied_and_cleared() {
    for (display, programs, copied) in [
        (
            "WAYLAND_DISPLAY",
            &["wl-copy", "wl-paste"][..],
            "wl-copy --type text/plain;charset=utf-8 --sensitive\n",
        ),
        ("DISPLAY", &["xclip"], "xclip -selection clipboard -in\n"),
        ("DISPLAY", &["xsel"], "xsel --clipboard --input\n"),
    ] {
        let desktop = Desktop::new(programs);
        let run = finish(&mut desktop.get(display, &["--clip", "--clear-after", "1"]));
        let run = run.succeeded();
        assert_silent(&run);
        assert_eq!(
            run.stderr,
            "copied s/K to the clipboard; it is cleared in 1 s\n"
        );
        wait(opened(desktop.asked()));
        assert_eq!(desktop.read("held"), "", "{programs:?}");
        assert_eq!(desktop.read("cleared"), "\n", "{programs:?}");
        let calls = desktop.read("calls");
        assert!(calls.contains(copied), "{calls}");
        assert!(!calls.contains("m4rked") && !calls.contains("MCPLEXER_"));
        desktop.0.assert_no_trace_of(MARKED);
    }
}

/// Somebody who has copied something else since then keeps it.
#[test]
fn what_was_copied_later_stays() {
    for (held, code_path) in [
        ("something else", "shorter"),
        (&"x".repeat(2 << 20), "longer"),
    ] {
        let desktop = Desktop::new(&["wl-copy", "wl-paste"]);
        let seconds = unique_seconds();
        let mut get = desktop.get("WAYLAND_DISPLAY", &["--clip", "--clear-after", &seconds]);
        finish(&mut get).succeeded();
        fs::write(desktop.path("held"), held).unwrap();
        let clearing = clearing("wl-copy", &seconds);
        let process = opened(clearing);
        // It looks at once when the session ends.
        kill_process(clearing, Signal::TERM).unwrap();
        assert_eq!(desktop.asked(), clearing);
        wait(process);
        assert_eq!(desktop.read("held"), *held, "{code_path}");
        assert!(!desktop.path("cleared").exists());
    }
}

/// The process that clears has no value in its arguments, and outlives the terminal.
#[test]
fn the_end_of_the_terminal_clears() {
    let desktop = Desktop::new(&["xclip"]);
    let seconds = unique_seconds();
    let get = desktop.get("DISPLAY", &["--clip", "--clear-after", &seconds]);
    let (text, code) = end(spawn_at(get));
    assert_eq!(code, 0, "{text}");
    let told = format!("it is cleared in {seconds} s");
    assert!(text.contains(&told) && !text.contains("m4rked"), "{text}");
    let clearing = clearing("xclip", &seconds);
    let process = opened(clearing);
    kill_process(clearing, Signal::HUP).unwrap();
    assert_eq!(desktop.asked(), clearing);
    wait(process);
    assert_eq!(desktop.read("held"), "");
}

/// What the last copy says counts, also that it is never cleared.
#[test]
fn a_value_that_is_copied_again_lasts_its_own_time() {
    let desktop = Desktop::new(&["xclip"]);
    let copy = |seconds: &str| {
        let mut get = desktop.get("DISPLAY", &["--clip", "--clear-after", seconds]);
        finish(&mut get).succeeded();
    };
    let (first, second) = (unique_seconds(), unique_seconds());
    copy(&first);
    let earlier = opened(clearing("xclip", &first));
    copy(&second);
    wait(earlier);
    assert_eq!(desktop.read("held"), MARKED);
    let later = clearing("xclip", &second);
    let process = opened(later);
    kill_process(later, Signal::TERM).unwrap();
    assert_eq!(desktop.asked(), later);
    wait(process);
    assert_eq!(desktop.read("held"), "");
    fs::remove_file(desktop.path("cleared")).unwrap();
    let third = unique_seconds();
    copy(&third);
    let earlier = opened(clearing("xclip", &third));
    copy("0");
    wait(earlier);
    assert_eq!(desktop.read("held"), MARKED);
    assert!(!desktop.path("cleared").exists());
}

#[test]
fn without_a_time_nobody_clears() {
    let desktop = Desktop::new(&["xclip"]);
    let run = finish(&mut desktop.get("DISPLAY", &["--clip", "--clear-after", "0"])).succeeded();
    assert_eq!(run.stderr, "copied s/K to the clipboard\n");
    assert_eq!(desktop.read("held"), MARKED);
    assert!(started_in(desktop.0.root()).is_empty());
}

/// A coding agent sees nothing of what is copied; what goes to its terminal it sees.
#[test]
fn an_agent_may_copy_for_the_desktop() {
    let desktop = Desktop::new(&["xclip"]);
    let clip = ["--clip", "--clear-after", "0"];
    let mut get = desktop.get("DISPLAY", &clip);
    assert_silent(&finish(get.env("CLAUDECODE", "1")).succeeded());
    let mut get = desktop.get("DISPLAY", &["--clip=terminal"]);
    finish(get.env("CLAUDECODE", "1")).failed(3, &["--reveal"]);
}

#[test]
fn what_is_missing_is_named() {
    for (display, programs, code, options, said) in [
        (
            "OTHER",
            &[][..],
            1,
            &["--clip"][..],
            "neither WAYLAND_DISPLAY nor DISPLAY is set",
        ),
        (
            "WAYLAND_DISPLAY",
            &[],
            1,
            &["--clip"],
            "install wl-clipboard",
        ),
        (
            "DISPLAY",
            &["wl-copy"],
            1,
            &["--clip"],
            "install xclip or xsel",
        ),
        (
            "DISPLAY",
            &["xclip"],
            2,
            &["--clip", "--json"],
            "cannot be used with",
        ),
        ("DISPLAY", &["xclip"], 2, &["--clear-after", "5"], "--clip"),
        (
            "DISPLAY",
            &["xclip"],
            2,
            &["L", "--clip"],
            "--clip copies one secret",
        ),
        (
            "DISPLAY",
            &["xclip"],
            2,
            &["--clip=terminal", "--clear-after", "5"],
            "--clear-after is for the clipboard of the desktop",
        ),
    ] {
        let desktop = Desktop::new(programs);
        finish(&mut desktop.get(display, options)).failed(code, &[said]);
        assert!(!desktop.path("held").exists());
    }
}

/// OSC 52 of xterm's control sequences.
#[test]
fn a_terminal_is_asked_to_copy() {
    let desktop = Desktop::new(&[]);
    let (text, code) = end(spawn_at(desktop.get("OTHER", &["--clip=terminal"])));
    assert_eq!(code, 0, "{text}");
    let asked = "\x1b]52;c;bTRya2VkLWNsaXAtdmFsdWUtMDEyMzQ1Njc4OQ==\x07";
    assert!(text.starts_with(asked), "{text:?}");
    assert!(text.contains("asked the terminal to copy s/K"), "{text:?}");
    desktop.put("x".repeat(74_995));
    let (text, code) = end(spawn_at(desktop.get("OTHER", &["--clip=terminal"])));
    assert!(
        code == 1 && text.contains("longer than the 74,994 bytes"),
        "{text:?}"
    );
}
