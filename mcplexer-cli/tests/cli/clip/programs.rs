//! The programs of the clipboard: which are started, those that fail or hang, and the real ones.

use std::fs;
use std::process::{Command, Stdio};

use rustix::process::{Signal, kill_process};
use test_support::{Running, STANDARD_PATH, started_in, tool};

use super::super::home::{finish, write_program};
use super::{Desktop, MARKED, clearing, opened, standard, unique_seconds, wait};

#[test]
fn a_program_that_fails_is_named_and_its_failure_too() {
    let desktop = Desktop::new(&[]);
    write_program(
        &desktop.path("bin/xclip"),
        "#!/bin/sh\ncat >/dev/null; exit 3\n",
    );
    finish(&mut desktop.get("DISPLAY", &["--clip"]))
        .failed(1, &["nothing was copied: xclip failed (exit status: 3)"]);
    assert!(started_in(desktop.0.root()).is_empty());
    // An old wl-copy keeps what it serves in /tmp.
    write_program(
        &desktop.path("bin/wl-copy"),
        "#!/bin/sh\ncat >>\"$HOME/held\"\n",
    );
    write_program(&desktop.path("bin/wl-paste"), "#!/bin/sh\n");
    let mut old = desktop.get("WAYLAND_DISPLAY", &["--clip"]);
    if !super::super::home::is_in_memory("/tmp".as_ref()) {
        finish(&mut old).failed(1, &["keep the value in a file in /tmp", "wl-clipboard 2.3"]);
        assert_eq!(desktop.read("held"), "");
    }
    desktop.put(b"\xff");
    finish(&mut desktop.get("DISPLAY", &["--clip"])).failed(2, &["s/K is not text"]);
}

/// Checks that a program that waits is ended, with all that it has started. `sleep` stands for a desktop that does not
/// answer.
fn assert_ended_in_time(length: usize) {
    let desktop = Desktop::new(&[]);
    desktop.put("x".repeat(length));
    let sleep = standard("sleep");
    let hangs = format!("#!/bin/sh\n{} 1000\n", sleep.display());
    write_program(&desktop.path("bin/xclip"), &hangs);
    finish(&mut desktop.get("DISPLAY", &["--clip"]))
        .failed(1, &["nothing was copied: xclip did not end within 10 s"]);
    for process in started_in(desktop.0.root()) {
        wait(opened(process));
    }
}

#[test]
fn a_program_that_hangs_is_ended() {
    assert_ended_in_time(1);
}

/// The value does not fit into the pipe.
#[test]
fn a_program_that_does_not_read_is_ended() {
    assert_ended_in_time(1 << 20);
}

/// A value is given to no program that lies in the working directory.
#[test]
fn only_programs_at_absolute_places_are_started() {
    let desktop = Desktop::new(&["xclip"]);
    let (bin, here) = (desktop.path("bin"), desktop.path("here"));
    fs::create_dir(&here).unwrap();
    let taken = "#!/bin/sh\ncat >>\"$HOME/taken\"\n";
    write_program(&here.join("xsel"), taken);
    write_program(&here.join("xclip"), taken);
    for before in ["", ".", "../here"] {
        let seconds = unique_seconds();
        let mut get = desktop.get("DISPLAY", &["--clip", "--clear-after", &seconds]);
        get.current_dir(&here);
        finish(get.env("PATH", before)).failed(1, &["install xclip or xsel"]);
        get.env("PATH", format!("{before}:{}", bin.display()));
        finish(&mut get).succeeded();
        assert_eq!(desktop.read("held"), MARKED);
        // The process that clears starts the same one.
        let clearing = clearing("xclip", &seconds);
        let process = opened(clearing);
        kill_process(clearing, Signal::TERM).unwrap();
        assert_eq!(desktop.asked(), clearing);
        wait(process);
        assert_eq!(desktop.read("held"), "");
        fs::remove_file(desktop.path("cleared")).unwrap();
    }
    assert!(!desktop.path("taken").exists());
}

/// The real programs, on an X server without a screen.
#[test]
fn real_programs_of_x11_copy_and_clear() {
    let Some(xvfb) = tool("Xvfb") else { return };
    for program in ["xclip", "xsel"] {
        let Some(real) = tool(program) else { continue };
        let desktop = Desktop::new(&[]);
        let mut server = Command::new(&xvfb);
        let server = server.args(["-displayfd", "1", "-nolisten", "tcp"]);
        let server = server.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = Running::start(server).unwrap();
        let mut number = String::new();
        let mut out = std::io::BufReader::new(server.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut number).unwrap();
        let display = format!(":{}", number.trim());
        std::os::unix::fs::symlink(real, desktop.path("bin").join(program)).unwrap();
        let seconds = unique_seconds();
        let mut get = desktop.get("DISPLAY", &["--clip", "--clear-after", &seconds]);
        finish(get.env("DISPLAY", &display)).succeeded();
        let held = || {
            let words = match program {
                "xclip" => &["-selection", "clipboard", "-out"][..],
                _ => &["--clipboard", "--output"],
            };
            let mut paste = desktop.0.command_of(program.as_ref());
            let paste = paste.args(words).env("DISPLAY", &display);
            paste.env("PATH", STANDARD_PATH).output().unwrap().stdout
        };
        assert_eq!(held(), MARKED.as_bytes(), "{program}");
        let clearing = clearing(program, &seconds);
        let process = opened(clearing);
        kill_process(clearing, Signal::TERM).unwrap();
        wait(process);
        assert_eq!(held(), b"", "{program}");
    }
}
