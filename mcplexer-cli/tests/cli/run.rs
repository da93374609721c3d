//! `run` starts, stops and ends the command as it would be without mcplexer.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, Stdio};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use test_support::Running;

use super::home::{Home, finish, write_program};
use super::terminal::start_at;

/// The two ways to run a command: it replaces mcplexer, or mcplexer relays its output.
pub(crate) const WAYS: [&[&str]; 2] = [
    &["run", "--scope", "github-token", "--"],
    &["run", "--scope", "github-token", "--mask", "--"],
];

/// Starts a process with pipes for its standard streams.
pub(crate) fn start(home: &Home, way: &[&str], script: &str) -> (Running, ChildStdin) {
    let mut command = home.command();
    command.args(way).args(["sh", "-c", script]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = Running::start(&mut command).unwrap();
    let stdin = child.stdin.take().unwrap();
    (child, stdin)
}

pub(crate) fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn the_command_takes_the_place_of_mcplexer() {
    let home = Home::with_secret("v");
    let (child, stdin) = start(&home, WAYS[0], "echo $$ $TOKEN; exit 7");
    drop(stdin);
    let id = child.id();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{id} v\n"));
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn what_cannot_be_started_has_the_exit_codes_of_a_shell() {
    let home = Home::with_secret("value");
    for way in WAYS {
        let run = |program: &str| home.run([way, &[program]].concat());
        run("no-such-command").failed(127, &["cannot start no-such-command", "PATH"]);
        run("/").failed(126, &["cannot start /"]);
    }
}

/// A file that the kernel cannot start is a script, as for a shell: execvp(3).
#[test]
fn a_script_without_a_first_line_is_run_by_the_shell() {
    let home = Home::with_secret("v4lue");
    fs::create_dir(home.root().join("bin")).unwrap();
    for (name, script) in [
        ("plain", "test $TOKEN && echo \"ran $1 $#\""),
        ("empty-first-line", "\n\necho \"ran $1 $#\"\n"),
        ("comment", "# echo no\necho \"ran $1 $#\"; exit 0"),
    ] {
        write_program(&home.root().join("bin").join(name), script);
        for way in WAYS {
            let path = format!("./bin/{name}");
            let by_path = home.run([way, &[&path, "a b", "c"]].concat());
            let mut command = home.command();
            command.env("PATH", "bin:/usr/bin:/bin");
            let by_name = finish(command.args(way).args([name, "a b", "c"]));
            for run in [by_path, by_name] {
                assert_eq!(run.succeeded().text(), "ran a b 2\n", "{way:?} {name}");
            }
        }
        let path = format!("./bin/{name}");
        let session = start_at(&home, &[WAYS[1], &[&path, "a b", "c"]].concat());
        let (text, code) = super::terminal::end(session);
        assert!(code == 0 && text == "ran a b 2\r\n", "{text:?}");
    }
}

/// F40: the exit code and the signals are the command's own.
#[test]
fn a_command_that_a_signal_ends_is_seen_to_end_by_it() {
    let home = Home::with_secret("v");
    for way in WAYS {
        for signal in [1, 2, 9, 15] {
            let script = format!("kill -{signal} $$");
            let mut command = home.command();
            let status = command
                .args(way)
                .args(["sh", "-c", &script])
                .status()
                .unwrap();
            assert_eq!(status.signal(), Some(signal), "{way:?}");
        }
    }
}

/// F40: SIGINT, SIGTERM and SIGHUP reach the command, which may handle them as it likes.
#[test]
fn a_signal_reaches_the_command() {
    let home = Home::with_secret("v");
    let script =
        "trap 'echo caught; kill -KILL $!; exit 9' HUP INT TERM USR1; sleep 100 & echo ready; wait";
    for way in WAYS {
        for signal in [Signal::HUP, Signal::INT, Signal::TERM, Signal::USR1] {
            let (mut child, _stdin) = start(&home, way, script);
            let mut stdout = child.stdout.take().unwrap();
            super::mask::read_until(&mut stdout, b"ready\n");
            send(&child, signal);
            super::mask::read_until(&mut stdout, b"caught\n");
            assert_eq!(child.wait().unwrap().code(), Some(9), "{way:?} {signal:?}");
        }
    }
}

/// F40: when the command stops, mcplexer stops, and both continue together.
#[test]
fn a_stopped_command_is_continued() {
    let home = Home::with_secret("v");
    for way in WAYS {
        let (mut child, _stdin) = start(&home, way, "kill -STOP $$; echo back");
        let id = Pid::from_child(&child);
        let (_, status) = waitpid(Some(id), WaitOptions::UNTRACED).unwrap().unwrap();
        assert!(status.stopped(), "{way:?}");
        send(&child, Signal::CONT);
        super::mask::read_until(child.stdout.as_mut().unwrap(), b"back\n");
        assert_eq!(child.wait().unwrap().code(), Some(0), "{way:?}");
    }
}

/// A signal that nohup has ignored stays ignored.
#[test]
fn an_ignored_signal_stays_ignored() {
    let home = Home::with_secret("v");
    for way in WAYS {
        let mut command = home.command_of("sh".as_ref());
        command.args(["-c", "trap '' HUP; exec \"$@\"", "sh", super::home::BINARY]);
        command
            .args(way)
            .args(["sh", "-c", "kill -HUP $$; echo alive"]);
        assert_eq!(finish(&mut command).succeeded().text(), "alive\n");
    }
}

/// The command gets the default action for SIGPIPE, even if the shell before ignored it.
#[test]
fn a_broken_pipe_ends_the_command_unless_it_says_otherwise() {
    let home = Home::with_secret("v");
    let kill = ["sh", "-c", "kill -PIPE $$; echo alive"];
    let guarded = ["sh", "-c", "trap \"\" PIPE; exec \"$0\" \"$@\""];
    for way in WAYS {
        let mut command = home.command_of("sh".as_ref());
        command.args(["-c", "trap '' PIPE; exec \"$@\"", "sh", super::home::BINARY]);
        command.args(way).args(kill);
        let status = command.status().unwrap();
        assert_eq!(status.signal(), Some(13), "{way:?}");
        let guarded = home.run([way, &guarded, &kill].concat());
        assert_eq!(guarded.succeeded().text(), "alive\n", "{way:?}");
    }
}

/// F44: while the command runs, the value is in its environment and nowhere else.
#[test]
fn no_other_process_and_no_file_has_the_value() {
    const MARKED: &str = "m4rked-value-of-a-run-0123456789";
    let home = Home::new();
    home.pipe(
        ["secret", "put", "github-token", "TOKEN"],
        MARKED.as_bytes(),
    )
    .succeeded();
    let (mut child, stdin) = start(&home, WAYS[0], "echo ready; read line; exit 0");
    super::mask::read_until(child.stdout.as_mut().unwrap(), b"ready\n");
    let has = |path: std::path::PathBuf| {
        let bytes = fs::read(path).unwrap_or_default();
        bytes
            .windows(MARKED.len())
            .any(|window| window == MARKED.as_bytes())
    };
    let own = child.id().to_string();
    assert!(
        has(format!("/proc/{own}/environ").into()),
        "the search finds nothing"
    );
    for entry in fs::read_dir("/proc").unwrap() {
        let process = entry.unwrap();
        if process
            .file_name()
            .as_bytes()
            .iter()
            .all(u8::is_ascii_digit)
        {
            assert!(!has(process.path().join("cmdline")), "{process:?}");
            let is_own = process.file_name() == *own;
            assert!(
                is_own || !has(process.path().join("environ")),
                "{process:?}"
            );
        }
    }
    home.assert_no_trace_of(MARKED);
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

/// The command does not inherit the limits that mcplexer sets for itself.
#[test]
fn the_command_may_dump_core_as_before() {
    let home = Home::with_secret("v");
    let limit = finish(
        home.command_of("sh".as_ref())
            .args(["-c", "ulimit -c; ulimit -Hc"]),
    );
    for way in WAYS {
        let mut command: Command = home.command();
        let got = finish(
            command
                .args(way)
                .args(["sh", "-c", "ulimit -c; ulimit -Hc"]),
        );
        assert_eq!(got.succeeded().text(), limit.text(), "{way:?}");
    }
}

/// F19: mcplexer's own variables do not reach the command.
#[test]
fn the_key_and_every_other_variable_of_mcplexer_stay_behind() {
    let home = Home::with_secret("v");
    let identity = fs::read_to_string(home.path("age.key")).unwrap();
    let identity = identity.lines().last().unwrap();
    for way in WAYS {
        let mut command = home.command();
        command
            .env("MCPLEXER_AGE_IDENTITY", identity)
            .env("MCPLEXER_AGE_KEY", "")
            .env("MCPLEXER_HOME", home.path(""))
            .env("MCPLEXER_AUDIT", "off")
            .env("MCPLEXER_ANYTHING", "x")
            .env("OTHER", "stays");
        let env = finish(command.args(way).arg("env"))
            .succeeded()
            .text()
            .to_owned();
        assert!(
            !env.contains("MCPLEXER") && !env.contains("AGE-SECRET-KEY"),
            "{env}"
        );
        assert!(env.contains("OTHER=stays\n"), "{env}");
    }
}

/// A directory in PATH helps nobody who typed a path.
#[test]
fn a_path_that_leads_to_no_command_is_not_looked_up() {
    let home = Home::with_secret("v");
    let run = home
        .run(["run", "--scope", "github-token", "--", "./nofile"])
        .failed(127, &["cannot start ./nofile", "check the path"]);
    assert!(!run.stderr.contains("PATH"), "{}", run.stderr);
}

/// To leave out what takes over the command is the better way, so it comes first.
#[test]
fn a_secret_that_takes_over_the_command_can_be_left_out_or_deleted() {
    let home = Home::with_secret("v");
    home.run(["secret", "put", "github-token", "PATH", "/nowhere"])
        .succeeded();
    let run = home
        .run(["run", "--scope", "github-token", "--", "true"])
        .failed(2, &["a secret would take over the command"]);
    let hints: Vec<_> = run.stderr.lines().skip(1).collect();
    assert_eq!(
        hints,
        [
            "mcplexer: hint: --only KEY,… without PATH leaves it out; mcplexer secret delete github-token PATH removes it",
            "mcplexer: hint: mcplexer run --allow-env PATH --scope github-token -- true passes it"
        ]
    );
}
