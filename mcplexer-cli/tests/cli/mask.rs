//! `run --mask`: the output contains no value, and everything else is unchanged.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread;

use pty_process::Size;
use pty_process::blocking::{Pts, Pty};
use rexpect::process::{Signal as PtySignal, WaitStatus};
use rexpect::session::spawn_command;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitOptions, waitpid};
use test_support::{Running, STANDARD_PATH, tool};

use super::home::{BINARY, Home};
use super::namespaces;
use super::outputs::in_shell;
use super::run::{WAYS, start};
use super::terminal::{PATIENCE, expect, start_at};

const MASKED: &[&str] = WAYS[1];

/// Reads until the bytes read end with these. Panics if the stream ends first.
#[track_caller]
pub(crate) fn read_until(stream: &mut impl Read, end: &[u8]) -> Vec<u8> {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        let mut byte = [0];
        let length = stream.read(&mut byte).unwrap_or(0);
        let shown = String::from_utf8_lossy(&read);
        assert!(length == 1, "the stream ends with {shown:?}");
        read.push(byte[0]);
    }
    read
}

fn masked(home: &Home, script: &str) -> super::home::Run {
    home.run([MASKED, &["sh", "-c", script]].concat())
}

/// F42: in each form, on both streams.
#[test]
fn both_streams_are_masked() {
    let home = Home::with_secret("gh+p_a/b:c d");
    let script = r#"
        echo "raw $TOKEN"; echo "raw $TOKEN" >&2
        printf %s "$TOKEN" | base64; printf %s "x$TOKEN" | base64; printf %s "xx$TOKEN" | base64 >&2
        printf %s "$TOKEN" | od -An -v -tx1 | tr -d ' \n'; echo
        echo 'gh%2Bp_a%2Fb%3Ac+d "gh+p_a\/b:c\u0020d"'
        printf 'gh+p_'; printf 'a/b:c d\n'
    "#;
    let run = masked(&home, script).succeeded();
    let label = "[github-token/TOKEN]";
    assert_eq!(
        String::from_utf8_lossy(&run.stdout),
        format!("raw {label}\n{label}\ne{label}\n{label}\n{label} \"{label}\"\n{label}\n")
    );
    assert_eq!(run.stderr, format!("raw {label}\neH{label}\n"));
}

#[test]
fn short_values_are_told_once_and_pass() {
    let home = Home::with_secret("abc");
    let run = masked(&home, "echo $TOKEN").succeeded();
    assert_eq!(run.text(), "abc\n");
    assert_eq!(
        run.stderr,
        "not masked (shorter than 4 bytes): github-token/TOKEN\n"
    );
}

/// Values that were not passed are masked as well: the command may get them from elsewhere.
#[test]
fn all_values_of_the_scopes_in_use_are_masked() {
    let home = Home::with_secret("value-1");
    home.run(["secret", "put", "github-token", "OTHER", "value-2"])
        .succeeded();
    home.run(["secret", "put", "b", "K", "value-3"]).succeeded();
    fs::write(home.root().join(".env"), "X=mcplexer://b/K").unwrap();
    let arguments = ["--only", "TOKEN", "--mask", "--env-file", ".env"];
    let script = "echo $TOKEN $OTHER value-2 $X";
    let run = [
        &["run", "--scope", "github-token"],
        &arguments[..],
        &["sh", "-c", script],
    ]
    .concat();
    let shown = home.run(run).succeeded().text().to_owned();
    assert_eq!(shown, "[github-token/TOKEN] [github-token/OTHER] [b/K]\n");
}

/// Text that may begin a value is printed once the command is quiet, while it still runs.
#[test]
fn a_prompt_that_begins_like_a_value_is_not_held_back() {
    let home = Home::with_secret("> token");
    let (mut child, mut stdin) =
        start(&home, MASKED, "printf '> '; read line; printf %s \"$line\"");
    let mut stdout = child.stdout.take().unwrap();
    read_until(&mut stdout, b"> ");
    stdin.write_all(b"bye\n").unwrap();
    read_until(&mut stdout, b"bye");
    assert!(child.wait().unwrap().success());
}

/// F40: a reader that closes its end stops the command, as without mcplexer.
#[test]
fn a_reader_that_goes_away_is_seen_by_the_command() {
    let home = Home::with_secret("value");
    for way in WAYS {
        let (mut child, _stdin) = start(&home, way, "exec yes");
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().signal(), Some(13), "{way:?}");
    }
}

/// Output that is lost is told, and a command that is done has failed. One that failed keeps its code.
#[test]
fn output_that_is_lost_is_a_failure() {
    let home = Home::with_secret("value");
    let run = |line, script| in_shell(&home, line, &[MASKED, &["sh", "-c", script]].concat());
    for (script, code) in [
        ("echo hi", 1),
        ("echo hi; exit 3", 3),
        ("echo \"$TOKEN\"; echo err >&2", 1),
        ("exec 2>&-; printf hi", 1),
    ] {
        for line in ["exec \"$@\" >/dev/full", "exec \"$@\" 1</dev/null"] {
            let run = run(line, script);
            assert_eq!(run.code, code, "{script}: {}", run.stderr);
            let said = "mcplexer: error: cannot write to standard output: ";
            assert!(run.stderr.contains(said), "{script}: {}", run.stderr);
        }
    }
    for line in ["exec \"$@\" 2>/dev/full", "exec \"$@\" >/dev/full 2>&1"] {
        assert_eq!(run(line, "echo hi >&2").code, 1, "{line}");
    }
}

/// F40: when the command closes its output early, the reader sees it, and the command continues.
#[test]
fn an_output_that_the_command_closes_is_closed() {
    let home = Home::with_secret("value");
    for way in WAYS {
        let script = "echo first; exec >&-; read line; exit 4";
        let (mut child, stdin) = start(&home, way, script);
        let mut text = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "first\n", "{way:?}");
        assert!(child.try_wait().unwrap().is_none(), "{way:?}");
        drop(stdin);
        assert_eq!(child.wait().unwrap().code(), Some(4), "{way:?}");
    }
}

/// F40: when the command closes its input, the writer sees it.
#[test]
fn an_input_that_the_command_closes_is_closed() {
    let home = Home::with_secret("value");
    for way in WAYS {
        let script = "exec <&-; echo closed; trap 'exit 0' TERM; kill -STOP $$";
        let (mut child, mut stdin) = start(&home, way, script);
        read_until(child.stdout.as_mut().unwrap(), b"closed\n");
        // A process between them closes its end a little later.
        let time = Timespec {
            tv_sec: 30,
            tv_nsec: 0,
        };
        poll(&mut [PollFd::new(&stdin, PollFlags::ERR)], Some(&time)).unwrap();
        let gone = stdin.write_all(b"x").unwrap_err();
        assert_eq!(gone.kind(), std::io::ErrorKind::BrokenPipe, "{way:?}");
        super::run::send(&child, Signal::KILL);
        child.wait().unwrap();
    }
}

/// Lines that a command writes to both streams stay whole where both lead to one place (secrethub-cli#196), and
/// those of each stream in order. A value is masked although the other stream's line was written in the middle of it.
#[test]
fn streams_that_lead_to_one_place_keep_their_lines() {
    let home = Home::with_secret("t0ken-t0ken-t0ken");
    let script = r#"
        for i in 1 2 3 4 5 6 7 8 9; do
            echo "out $i"; echo "err $i" >&2
            printf t0ken-t0k; echo "mid $i" >&2; echo en-t0ken
        done
        echo "$TOKEN" >&2; awk 'BEGIN { for (i = 0; i < 20000; i++) print "more" }'; echo end >&2
    "#;
    let check = |text: &str| {
        let of =
            |stream: fn(&str) -> bool| text.lines().filter(|line| stream(line)).collect::<Vec<_>>();
        let label = "[github-token/TOKEN]";
        let err: Vec<_> = (1..10)
            .flat_map(|i| [format!("err {i}"), format!("mid {i}")])
            .collect();
        let found = of(|line| line.starts_with("err") || line.starts_with("mid"));
        assert_eq!(found, err, "{text}");
        let out: Vec<_> = (1..10).map(|i| format!("out {i}")).collect();
        assert_eq!(of(|line| line.starts_with("out")), out, "{text}");
        assert_eq!(of(|line| line == "more").len(), 20_000);
        let labels = text.lines().filter(|line| *line == label).count();
        assert_eq!(labels, 10, "{text}");
        assert_eq!(text.lines().count(), 9 * 4 + 1 + 20_000 + 1);
    };
    let run = |stdout: Stdio, stderr: Stdio| {
        let mut command = home.command();
        command.args(MASKED).args(["sh", "-c", script]);
        let mut child = Running::start(command.stdout(stdout).stderr(stderr)).unwrap();
        child.wait().unwrap()
    };
    let path = home.root().join("log");
    let append = || {
        let file = File::options().append(true).create(true).open(&path);
        file.unwrap()
    };
    let log = append();
    let files = [(log.try_clone().unwrap(), log), (append(), append())];
    for (stdout, stderr) in files {
        assert!(run(stdout.into(), stderr.into()).success());
        check(&fs::read_to_string(&path).unwrap());
        fs::write(&path, "").unwrap();
    }
    let (mut reader, writer) = std::io::pipe().unwrap();
    let (mut peer, socket) = UnixStream::pair().unwrap();
    let socket = OwnedFd::from(socket);
    let streams: [(&mut dyn Read, Stdio, Stdio); 2] = [
        (
            &mut reader,
            writer.try_clone().unwrap().into(),
            writer.into(),
        ),
        (&mut peer, socket.try_clone().unwrap().into(), socket.into()),
    ];
    for (end, stdout, stderr) in streams {
        let mut text = String::new();
        thread::scope(|scope| {
            let running = scope.spawn(|| run(stdout, stderr));
            end.read_to_string(&mut text).unwrap();
            assert!(running.join().unwrap().success());
        });
        check(&text);
    }
}

/// A line that the command writes in one piece goes on in one piece, although its end may begin a value: what other
/// processes, or its other stream, write to the same terminal does not come between.
#[test]
fn a_whole_line_goes_on_whole() {
    let home = Home::with_secret("1\n-rest of a value");
    for text in ["out line 1\n", "\u{1b}[31m1", "first\r\nsecond 1\n"] {
        let (mut child, _stdin) = start(&home, MASKED, &format!("printf '{text}'; read line"));
        let stdout = child.stdout.as_mut().unwrap();
        let mut read = Vec::new();
        while read.len() < text.len() {
            let mut piece = [0; 64];
            let length = stdout.read(&mut piece).unwrap();
            read.extend_from_slice(&piece[..length]);
            assert!(read.ends_with(b"\n") || read == text.as_bytes(), "{read:?}");
        }
        assert_eq!(str::from_utf8(&read).unwrap(), text);
    }
}

/// Where both streams lead to one place, its reader sees that the command has closed both.
#[test]
fn an_output_of_both_streams_is_closed_with_them() {
    let home = Home::with_secret("value");
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut command = home.command();
    let script = "echo first; exec >&- 2>&-; read line; exit 4";
    command.args(MASKED).args(["sh", "-c", script]);
    command.stdin(Stdio::piped());
    command.stdout(writer.try_clone().unwrap()).stderr(writer);
    let mut child = Running::start(&mut command).unwrap();
    drop(command);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "first\n");
    assert!(child.try_wait().unwrap().is_none());
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(4));
}

/// A script whose end is seen: `alive` is open for as long as it lives.
const OUTLIVES: &str = "exec 9>alive; echo ready; read line <go; echo survived >&9";

fn with_pipes(home: &Home) {
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    for name in ["alive", "go"] {
        rustix::fs::mkfifoat(rustix::fs::CWD, home.root().join(name), mode).unwrap();
    }
}

/// `kill -9` ends a masked command as one that has taken the place of mcplexer.
#[test]
fn a_command_dies_with_the_mcplexer_that_is_killed() {
    for way in WAYS {
        let home = Home::with_secret("value");
        with_pipes(&home);
        let alive = opened_by_reader(&home);
        let (mut child, _stdin) = start(&home, way, OUTLIVES);
        read_until(child.stdout.as_mut().unwrap(), b"ready\n");
        super::run::send(&child, Signal::KILL);
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        assert_eq!(alive.join().unwrap(), "", "{way:?}");
    }
}

/// On a terminal, so does the process that leads the session.
#[test]
fn a_command_dies_with_the_mcplexer_that_is_killed_on_a_terminal() {
    let home = Home::with_secret("value");
    with_pipes(&home);
    let alive = opened_by_reader(&home);
    let script = format!("trap '' HUP; {OUTLIVES}");
    let mut session = start_at(&home, &[MASKED, &["sh", "-c", &script]].concat());
    expect(&mut session, "ready");
    session.process_mut().kill(PtySignal::SIGKILL).unwrap();
    assert_eq!(alive.join().unwrap(), "");
}

/// Reads from `alive` until its writer is gone.
fn opened_by_reader(home: &Home) -> thread::JoinHandle<String> {
    let path = home.root().join("alive");
    thread::spawn(move || fs::read_to_string(path).unwrap())
}

/// A reader that takes nothing does not keep the command from stopping or ending.
#[test]
fn a_reader_that_stalls_does_not_hold_the_command() {
    let home = Home::with_secret("value");
    for way in WAYS {
        let (mut child, _stdin) = start(&home, way, "exec yes");
        let mut stdout = child.stdout.take().unwrap();
        read_until(&mut stdout, b"y\ny\n");
        super::run::send(&child, Signal::TERM);
        assert_eq!(child.wait().unwrap().signal(), Some(15), "{way:?}");
    }
    // The command stops itself while its output is full, which it is once `yes` waits to write.
    let script = "yes & while ! grep -q ') S' /proc/$!/stat; do :; done; kill -STOP $$; kill $!; wait $!; exit 5";
    let (mut child, _stdin) = start(&home, MASKED, script);
    let mut stdout = child.stdout.take().unwrap();
    let id = Pid::from_child(&child);
    let (_, status) = waitpid(Some(id), WaitOptions::UNTRACED).unwrap().unwrap();
    assert!(status.stopped());
    super::run::send(&child, Signal::CONT);
    let reader = thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
    assert_eq!(child.wait().unwrap().code(), Some(5));
    reader.join().unwrap().unwrap();
}

/// F40: an output that another process has made non-blocking, as Node.js does, gets everything.
#[test]
fn a_non_blocking_output_gets_everything() {
    let home = Home::with_secret("value");
    let (mut reader, writer) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    let mut command = home.command();
    command
        .args(MASKED)
        .args(["sh", "-c", "seq 1 100000; exit 3"]);
    let mut child = Running::start(command.stdout(writer)).unwrap();
    drop(command);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!((text.len(), text.lines().count()), (588_895, 100_000));
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

/// F40: signals that were blocked at the start are unblocked.
#[test]
fn blocked_signals_do_not_matter() {
    let home = Home::with_secret("value");
    let mut command = home.command_of("env".as_ref());
    command.args(["--block-signal=CHLD", "--block-signal=TERM", BINARY]);
    command
        .args(MASKED)
        .args(["sh", "-c", "echo $TOKEN; kill $$"]);
    let output = command.output().unwrap();
    assert_eq!(output.stdout, b"[github-token/TOKEN]\n");
    assert_eq!(output.status.signal(), Some(15));
}

/// mcplexer does not wait for processes that the command leaves running.
#[test]
fn a_process_that_stays_behind_is_not_waited_for() {
    let home = Home::with_secret("value");
    let script = "yes & echo $! >&2; exit 3";
    let (mut child, _stdin) = start(&home, MASKED, script);
    let mut stdout = child.stdout.take().unwrap();
    let reader = thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
    assert_eq!(child.wait().unwrap().code(), Some(3));
    reader.join().unwrap().unwrap();
}

/// F41: the command gets a terminal of the right size, and colours pass.
#[test]
fn the_command_sees_a_terminal() {
    let home = Home::with_secret("t0ken");
    let script = r#"test -t 0 && test -t 1 && test -t 2 && printf '\033[31m%s\033[0m\n' "$TOKEN" && printf '%s' "$TOKEN" > /dev/tty; exit 6"#;
    let session = start_at(&home, &[MASKED, &["sh", "-c", script]].concat());
    let (text, code) = super::terminal::end(session);
    assert_eq!(code, 6, "{text:?}");
    let label = "[github-token/TOKEN]";
    assert!(
        text.ends_with(&format!("\u{1b}[31m{label}\u{1b}[0m\r\n{label}")),
        "{text:?}"
    );
}

#[test]
fn a_new_window_size_reaches_the_command() {
    let home = Home::with_secret("t0ken");
    let script = "trap 'stty size; kill -KILL $!; exit 0' WINCH; sleep 100 & stty size; wait";
    let (mut pty, mut child) = start_in_window(&home, script);
    read_until(&mut pty, b"20 70\r\n");
    pty.resize(Size::new(33, 99)).unwrap();
    read_until(&mut pty, b"33 99\r\n");
    assert!(child.wait().unwrap().success());
}

/// F40: a key reaches the command even if it is typed before the command is in the foreground. (Some of
/// that many are typed at that moment.)
#[test]
fn an_early_key_is_not_lost() {
    let home = Home::with_secret("t0ken");
    let interrupt = || {
        let (mut pty, mut child) = start_in_window(&home, "echo ready; exec sleep 100");
        read_until(&mut pty, b"ready\r\n");
        pty.write_all(b"\x03").unwrap();
        child.wait().unwrap().signal()
    };
    thread::scope(|scope| {
        let started: Vec<_> = (0..16).map(|_| scope.spawn(interrupt)).collect();
        for ended in started {
            assert_eq!(ended.join().unwrap(), Some(2));
        }
    });
}

/// Starts a shell, masked, in a window of 20 lines of 70 characters.
fn start_in_window(home: &Home, script: &str) -> (Pty, Running) {
    let (pty, pts) = pty_process::blocking::open().unwrap();
    pty.resize(Size::new(20, 70)).unwrap();
    let mut command: Command = home.command();
    command.args(MASKED).args(["sh", "-c", script]);
    // Elsewhere the home's commands have no standard input; here it is the terminal.
    command
        .stdin(pts_of(&pts))
        .stdout(pts_of(&pts))
        .stderr(pts_of(&pts));
    let child = pty_process::blocking::Command::from(command).spawn(pts);
    (pty, child.unwrap().into())
}

fn pts_of(pts: &Pts) -> Stdio {
    std::os::fd::AsFd::as_fd(pts)
        .try_clone_to_owned()
        .unwrap()
        .into()
}

/// F40: Ctrl-C and what is typed reach the command through the terminal.
#[test]
fn keys_reach_the_command() {
    let home = Home::with_secret("t0ken");
    let mut session = start_at(
        &home,
        &[
            MASKED,
            &["sh", "-c", "read line; echo \"<$line>\"; read line"],
        ]
        .concat(),
    );
    session.send_line("typed t0ken").unwrap();
    expect(&mut session, "<typed [github-token/TOKEN]>");
    session.send_control('c').unwrap();
    session.exp_eof().unwrap();
    let status = session.process().wait().unwrap();
    assert!(
        matches!(status, WaitStatus::Signaled(_, PtySignal::SIGINT, _)),
        "{status:?}"
    );
}

/// F40: without a shell that could continue it, as at the other end of `ssh -t`, Ctrl-Z does not stop it.
#[test]
fn without_a_shell_nothing_stops() {
    let home = Home::with_secret("t0ken");
    let mut session = start_at(
        &home,
        &[MASKED, &["sh", "-c", "echo ready; exec cat"]].concat(),
    );
    expect(&mut session, "ready");
    session.send_control('z').unwrap();
    session.send_line("still t0ken").unwrap();
    expect(&mut session, "still [github-token/TOKEN]");
    session.send_control('c').unwrap();
    session.exp_eof().unwrap();
}

/// In a container, a session from outside has the id 0.
#[test]
fn in_a_container_without_an_init_it_is_the_same() {
    namespaces::run_in_container("mask::without_a_shell_nothing_stops");
}

/// A process that the command leaves running outlives the terminal.
#[test]
fn a_process_that_stays_behind_outlives_its_terminal() {
    let home = Home::with_secret("t0ken");
    let script = "mkfifo go; (read line < go; echo late > late; echo done > go) & echo started";
    let session = start_at(&home, &[MASKED, &["sh", "-c", script]].concat());
    let (text, code) = super::terminal::end(session);
    assert!(text.contains("started") && code == 0, "{text}");
    let fifo = home.root().join("go");
    fs::write(&fifo, "go\n").unwrap();
    assert_eq!(fs::read_to_string(&fifo).unwrap(), "done\n");
    assert_eq!(
        fs::read_to_string(home.root().join("late")).unwrap(),
        "late\n"
    );
}

/// F40: under a shell, a masked command is a job like any other.
#[test]
fn a_job_is_stopped_and_continued_by_the_shell() {
    let Some(bash) = tool("bash") else { return };
    let home = Home::with_secret("t0ken");
    let mut command = home.command_of(&bash);
    command
        .args(["--norc", "--noediting", "-i"])
        .env("PS1", "PROMPT> ")
        .env("PATH", STANDARD_PATH)
        .stdin(Stdio::inherit());
    let mut session = spawn_command(command, Some(PATIENCE)).unwrap();
    let masked = format!("{} {}", BINARY, MASKED.join(" "));
    session
        .send_line(&format!("{masked} sh -c 'echo re''ady; exec cat'"))
        .unwrap();
    expect(&mut session, "ready");
    session.send_control('z').unwrap();
    expect(&mut session, "Stopped");
    session.send_line("jobs; echo 'still 't0ken").unwrap();
    expect(&mut session, "Stopped");
    expect(&mut session, "still t0ken");
    session.send_line("fg").unwrap();
    session.send_line("a t0ken").unwrap();
    expect(&mut session, "a [github-token/TOKEN]");
    session.send_control('c').unwrap();
    expect(&mut session, "PROMPT> ");
    session.send_line("echo code=$?").unwrap();
    expect(&mut session, "code=130");
    session.send_line("exit").unwrap();
    session.exp_eof().unwrap();
}
