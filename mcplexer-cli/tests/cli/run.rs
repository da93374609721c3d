//! `run`: the command gets the secrets in its environment, and sees no other difference.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, Stdio};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use super::damage::tamper;
use super::home::{Home, Run, finish};
use super::terminal::{encrypt_key, end, start_at};

/// The two ways to run a command: it replaces mcplexer, or mcplexer relays its output.
pub(crate) const WAYS: [&[&str]; 2] = [
    &["run", "--scope", "github-token", "--"],
    &["run", "--scope", "github-token", "--mask", "--"],
];

fn run(home: &Home, arguments: &[&str], command: &[&str]) -> Run {
    home.run([&["run"], arguments, &["--"], command].concat())
}

fn shell(home: &Home, arguments: &[&str], script: &str) -> Run {
    run(home, arguments, &["sh", "-c", script])
}

/// Starts a process with pipes for its standard streams.
pub(crate) fn start(home: &Home, way: &[&str], script: &str) -> (Child, ChildStdin) {
    let mut command = home.command();
    command.args(way).args(["sh", "-c", script]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
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

/// F04, F05: every byte arrives unchanged, even if it is not text.
#[test]
fn a_value_arrives_unchanged() {
    let home = Home::new();
    for value in [
        &b"pa$$w0rd ${HOME} $(id) `id` \\n %s"[..],
        b"\xff\xfe=\n\n",
        b" x\r\n",
    ] {
        fs::write(home.root().join("value"), value).unwrap();
        home.run(["secret", "put", "s", "K", "--file", "value"])
            .succeeded();
        let got = run(&home, &["--scope", "s"], &["printenv", "-0", "K"]).succeeded();
        assert_eq!(got.stdout.strip_suffix(b"\0").unwrap(), value);
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

#[test]
fn a_clean_environment_has_what_every_command_needs() {
    let home = Home::with_secret("v");
    let mut command = home.command();
    command
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C")
        .env("AWS_SECRET_ACCESS_KEY", "x")
        .args(["run", "--scope", "github-token", "--clean-env", "env"]);
    let env = finish(&mut command).succeeded().text().to_owned();
    let mut names: Vec<_> = env
        .lines()
        .map(|line| line.split_once('=').unwrap().0)
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["HOME", "LC_ALL", "PATH", "TOKEN"]);
}

fn filled() -> Home {
    let home = Home::new();
    for (scope, key, value) in [
        ("a", "ONE", "a-1"),
        ("a", "TWO", "a-2"),
        ("b", "TWO", "b-2"),
        ("b", "THREE", "b-3"),
    ] {
        home.run(["secret", "put", scope, key, value]).succeeded();
    }
    home.run(["scope", "create", "web", "--kind", "header"])
        .succeeded();
    home.run(["secret", "put", "web", "X-Api-Key", "w-1"])
        .succeeded();
    home.run(["scope", "create", "empty"]).succeeded();
    fs::write(home.root().join("nul"), b"a\0b").unwrap();
    home.run(["secret", "put", "bad", "NUL", "--file", "nul"])
        .succeeded();
    fs::write(home.root().join("long"), vec![b'x'; 131_072]).unwrap();
    home.run(["secret", "put", "long", "K", "--file", "long"])
        .succeeded();
    home
}

#[test]
fn secrets_are_chosen_and_renamed() {
    let home = filled();
    let print = "echo $ONE/$TWO/$THREE/$X";
    for (arguments, expected) in [
        (&["--scope", "a"][..], "a-1/a-2//\n"),
        (&["--scope", "a", "--scope", "a"], "a-1/a-2//\n"),
        (&["--scope", "a", "--only", "TWO"], "/a-2//\n"),
        (
            &["--scope", "a", "--only", "ONE", "--only", "a/TWO"],
            "a-1/a-2//\n",
        ),
        (
            &["--scope", "a", "--scope", "b", "--only", "ONE,THREE"],
            "a-1//b-3/\n",
        ),
        (
            &["--scope", "a", "--scope", "b", "--only", "ONE,b/TWO"],
            "a-1/b-2//\n",
        ),
        (
            &["--scope", "a", "--scope", "b", "--rename", "b/TWO=X"],
            "a-1/a-2/b-3/b-2\n",
        ),
        (&["--scope", "web", "--rename", "X-Api-Key=X"], "///w-1\n"),
    ] {
        let got = shell(&home, arguments, print).succeeded();
        assert_eq!(got.text(), expected, "{arguments:?}");
    }
}

/// F11, F43: a secret that cannot be passed as asked is an error that names it, before the command
/// starts.
#[test]
fn nothing_starts_without_all_that_it_is_to_have() {
    let home = filled();
    let long = "x".repeat(200);
    for (arguments, code, said) in [
        (&["--scope", "none"][..], 4, "no scope none"),
        (&["--scope", "a", "--scope", "none"], 4, "no scope none"),
        (&["--scope", "empty"], 4, "scope empty has no secrets"),
        (
            &["--scope", "none", "--scope", "a", "--only", "a/ONE"],
            4,
            "no scope none",
        ),
        (
            &["--scope", "a", "--rename", "ONE=X", "--rename", "a/ONE=Y"],
            2,
            "a/ONE is renamed twice",
        ),
        (
            &["--scope", "a", "--rename", "ONE=MCPLEXER_HOME"],
            2,
            "MCPLEXER_HOME is mcplexer's own",
        ),
        (
            &["--scope", "a", "--only", "NONE"],
            4,
            "no secret NONE in scope a",
        ),
        (&["--scope", "a", "--only", "b/TWO"], 4, "no secret b/TWO"),
        (
            &["--scope", "a", "--scope", "b", "--only", "NONE"],
            4,
            "none of a, b has a secret NONE to pass",
        ),
        (
            &["--scope", "a", "--scope", "b", "--only", "a/THREE"],
            4,
            "no secret THREE in scope a",
        ),
        (
            &["--scope", "a", "--rename", "THREE=X"],
            4,
            "a has no secret THREE to rename",
        ),
        (
            &["--scope", "a", "--only", "ONE", "--rename", "TWO=X"],
            2,
            "--rename names TWO, which --only leaves out",
        ),
        (
            &["--scope", "a", "--scope", "b"],
            2,
            "TWO is set twice: by a/TWO and by b/TWO",
        ),
        (
            &["--scope", "a", "--rename", "ONE=TWO"],
            2,
            "TWO is set twice",
        ),
        (
            &["--scope", "bad"],
            2,
            "bad/NUL cannot be an environment variable: it has a NUL byte",
        ),
        (
            &["--scope", "long"],
            2,
            "long/K cannot be an environment variable: it is longer",
        ),
        (
            &["--scope", "web"],
            2,
            "web is a header scope: X-Api-Key needs --rename X-Api-Key=NAME",
        ),
        (&["--scope", "a", "--rename", "ONE=9"], 2, "invalid value"),
        (&["--scope", "A"], 2, "invalid value"),
        (&["--only", "ONE"], 2, "--scope <SCOPE>"),
        (&["--env-file", "none"], 1, "cannot read none"),
        (&["--scope", &long], 2, "invalid value"),
    ] {
        for mask in [&[][..], &["--mask"]] {
            let run = run(&home, &[arguments, mask].concat(), &["touch", "started"]);
            run.failed(code, &[said]);
            assert!(!home.root().join("started").exists(), "{arguments:?}");
        }
    }
    let mut command = home.command();
    command.env("MCPLEXER_AGE_KEY", home.root().join("none"));
    command.args(["run", "--scope", "a", "touch", "started"]);
    finish(&mut command).failed(5, &["no key opens this store"]);
    assert!(!home.root().join("started").exists());
}

/// F11: if one value does not open, nothing starts and nothing is written.
#[test]
fn nothing_starts_with_a_value_that_does_not_open() {
    let home = filled();
    tamper(&home, b"a\0TWO");
    fs::write(home.root().join("t"), "mcplexer://a/ONE mcplexer://a/TWO").unwrap();
    fs::write(home.root().join(".env"), "X=mcplexer://a/TWO\n").unwrap();
    let before = home.files().len();
    for arguments in [
        &["run", "--scope", "a", "touch", "made"][..],
        &["run", "--scope", "a", "--mask", "touch", "made"],
        &[
            "run",
            "--scope",
            "b",
            "--scope",
            "a",
            "--only",
            "a/TWO,THREE",
            "touch",
            "made",
        ],
        &["run", "--env-file", ".env", "touch", "made"],
        &["inject", "-i", "t", "-o", "made"],
        &["inject", "-i", "t", "--reveal"],
        &["export", "a", "-o", "made"],
        &["export", "a", "--reveal"],
    ] {
        home.run(arguments)
            .failed(6, &["secret a/TWO does not open"]);
        assert_eq!(home.files().len(), before, "{arguments:?}");
    }
    let mut command = home.command();
    command.env("X", "mcplexer://a/TWO");
    finish(command.args(["run", "touch", "made"])).failed(6, &["secret a/TWO does not open"]);
    assert_eq!(home.files().len(), before);
    let got = shell(&home, &["--scope", "a", "--only", "ONE"], "echo $ONE");
    assert_eq!(got.succeeded().text(), "a-1\n");
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
        "trap 'echo caught; kill $!; exit 9' HUP INT TERM USR1; sleep 100 & echo ready; wait";
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

/// F38: any number of scopes and references takes one unlock, and one audit line for each scope.
#[test]
fn one_run_unlocks_once_and_records_each_scope_once() {
    let home = filled();
    fs::write(
        home.root().join(".env"),
        "X=mcplexer://b/TWO\nY=mcplexer://b/THREE\n",
    )
    .unwrap();
    encrypt_key(&home, "right");
    let arguments = [
        "run",
        "--scope",
        "a",
        "--env-file",
        ".env",
        "sh",
        "-c",
        "echo [$ONE $X $Y]",
    ];
    let mut session = start_at(&home, &arguments);
    session
        .exp_string("passphrase for ~/.mcplexer/age.key: ")
        .unwrap();
    session.send_line("right").unwrap();
    let (text, code) = end(session);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("[a-1 b-2 b-3]") && !text.contains("passphrase"),
        "{text}"
    );
    let log = fs::read_to_string(home.path("audit.log")).unwrap();
    let lines: Vec<_> = log
        .lines()
        .filter(|line| line.contains("\"inject\""))
        .collect();
    let [first, second] = &lines[..] else {
        panic!("{log}");
    };
    assert!(
        first.contains("\"scope\":\"a\"") && second.contains("\"scope\":\"b\""),
        "{log}"
    );
}

#[test]
fn an_env_file_gives_variables_and_secrets() {
    let home = filled();
    let file = "# a comment with mcplexer://nowhere/X\nexport PLAIN='pa$$ #1'\nONE=mcplexer://b/TWO\nURL=\"db://u:mcplexer://a/TWO@h\"\nPLAIN=last\n";
    fs::write(home.root().join(".env"), file).unwrap();
    let print = "echo \"$PLAIN|$ONE|$URL|$THREE\"";
    let got = shell(&home, &["--env-file", ".env"], print).succeeded();
    assert_eq!(got.text(), "last|b-2|db://u:a-2@h|\n");
    let both = ["--env-file", ".env", "--scope", "b", "--only", "THREE"];
    let got = shell(&home, &both, print).succeeded();
    assert_eq!(got.text(), "last|b-2|db://u:a-2@h|b-3\n");
    shell(&home, &["--env-file", ".env", "--scope", "a"], print)
        .failed(2, &["ONE is set twice: by a/ONE and by .env, line 3 (ONE)"]);
    for (file, code, said) in [
        (
            "A=1\nB=mcplexer://a/NONE\n",
            4,
            ".env, line 2 (B): no secret NONE in scope a",
        ),
        ("B=mcplexer://none/X", 4, ".env, line 1 (B): no scope none"),
        ("B=mcplexer://a", 2, ".env, line 1 (B): not a reference"),
        ("A=1\nghp_abc\n", 2, ".env, line 2: NAME=value is expected"),
        (
            "B=mcplexer://bad/NUL",
            2,
            ".env, line 1 (B): cannot be an environment variable",
        ),
    ] {
        fs::write(home.root().join(".env"), file).unwrap();
        run(&home, &["--env-file", ".env"], &["touch", "started"]).failed(code, &[said]);
        assert!(!home.root().join("started").exists(), "{file}");
    }
}

/// As in a client's configuration: the secret replaces the reference.
#[test]
fn references_in_the_environment_are_replaced() {
    let home = filled();
    let with = |variables: &[(&str, &str)], arguments: &[&str], command: &[&str]| {
        let mut run = home.command();
        run.envs(variables.iter().copied());
        finish(run.args([&["run"], arguments, &["--"], command].concat()))
    };
    let print = ["sh", "-c", "echo \"$ONE|$X|$TEXT|$PLAIN\""];
    let variables = [
        ("X", "mcplexer://b/TWO"),
        ("ONE", "mcplexer://web/X-Api-Key"),
        ("TEXT", "see mcplexer://b/TWO"),
        ("PLAIN", "stays"),
    ];
    let text = "see mcplexer://b/TWO";
    let got = with(&variables, &[], &print).succeeded();
    assert_eq!(got.text(), format!("w-1|b-2|{text}|stays\n"));
    let got = with(&variables, &["--clean-env"], &print).succeeded();
    assert_eq!(got.text(), "w-1|b-2||\n");
    home.run(["secret", "put", "c", "K", "c-value"]).succeeded();
    let masked = with(&[("X", "mcplexer://c/K")], &["--mask"], &print);
    assert_eq!(masked.succeeded().text(), "|[c/K]||\n");
    // A secret that is named replaces an inherited variable, as it does without references.
    let got = with(&variables, &["--scope", "a"], &print).succeeded();
    assert_eq!(got.text(), format!("a-1|b-2|{text}|stays\n"));
    for (value, code, said) in [
        (
            "mcplexer://b/NONE",
            4,
            "environment variable X: no secret NONE in scope b",
        ),
        (
            "mcplexer://none/K",
            4,
            "environment variable X: no scope none",
        ),
        ("mcplexer://b", 2, "environment variable X: not a reference"),
        (
            "mcplexer://b/TWO ",
            2,
            "environment variable X: not a reference",
        ),
        ("mcplexer://bad/NUL", 2, "it has a NUL byte"),
    ] {
        with(&[("X", value)], &[], &["touch", "started"]).failed(code, &[said]);
        assert!(!home.root().join("started").exists(), "{value}");
    }
    with(&[], &[], &["touch", "started"]).failed(2, &["nothing to pass to the command", "--scope"]);
    assert!(!home.root().join("started").exists());
}

/// F27: the next run gets the new value, or fails if it is gone. A running command keeps its environment,
/// as any process does, and the help says so.
#[test]
fn a_change_is_seen_from_the_next_run_on() {
    let home = Home::with_secret("old");
    let next = || shell(&home, &["--scope", "github-token"], "echo $TOKEN");
    for (change, then) in [
        (
            &["secret", "put", "github-token", "TOKEN", "new"][..],
            "new\n",
        ),
        (&["secret", "delete", "github-token", "TOKEN"], ""),
    ] {
        let before = next().succeeded();
        let (mut child, stdin) = start(&home, WAYS[0], "echo ready; read line; echo $TOKEN");
        let mut stdout = child.stdout.take().unwrap();
        super::mask::read_until(&mut stdout, b"ready\n");
        home.run(change).succeeded();
        drop(stdin);
        super::mask::read_until(&mut stdout, &before.stdout);
        child.wait().unwrap();
        assert_eq!(next().text(), then, "{change:?}");
    }
    next().failed(4, &["scope github-token has no secrets"]);
    let help = home.run(["run", "--help"]).succeeded();
    assert!(help.text().contains("keeps the values it was started with"));
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
