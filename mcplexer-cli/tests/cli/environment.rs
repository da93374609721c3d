//! `run`: which variables the command gets.

use std::fs;

use super::damage::tamper;
use super::home::{Home, Run, finish, write_program};
use super::run::{WAYS, start};
use super::terminal::{encrypt_key, end, start_at};

fn run(home: &Home, arguments: &[&str], command: &[&str]) -> Run {
    home.run([&["run"], arguments, &["--"], command].concat())
}

fn shell(home: &Home, arguments: &[&str], script: &str) -> Run {
    run(home, arguments, &["sh", "-c", script])
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

/// A header field or a credential of OAuth 2.0 has no variable. It does not keep the others from the command,
/// unless it was asked for by name, or is all there is.
#[test]
fn what_has_no_variable_is_left_out() {
    let home = filled();
    home.run(["scope", "create", "oa", "--kind", "oauth2"])
        .succeeded();
    for (scope, key) in [("oa", "client_secret"), ("web", "X-Other")] {
        home.run(["secret", "put", scope, key, "v-2"]).succeeded();
    }
    fs::write(home.root().join(".env"), "LEVEL=debug").unwrap();
    let web = "web/X-Api-Key (header scope), web/X-Other (header scope)";
    let all = format!("oa/client_secret (oauth2 scope), {web}");
    let print = "echo $ONE/$TWO/$X";
    for (arguments, expected, left_out, first) in [
        (
            &["--scope", "a", "--scope", "web"][..],
            "a-1/a-2/\n",
            web,
            "web/X-Api-Key",
        ),
        (
            &["--scope", "web", "--scope", "a", "--scope", "oa"],
            "a-1/a-2/\n",
            &all,
            "oa/client_secret",
        ),
        (
            &["--scope", "web", "--rename", "X-Other=X"],
            "//v-2\n",
            "web/X-Api-Key (header scope)",
            "web/X-Api-Key",
        ),
        (
            &["--scope", "web", "--env-file", ".env"],
            "//\n",
            web,
            "web/X-Api-Key",
        ),
    ] {
        let told = format!(
            "not passed: no variable for {left_out}\nmcplexer: hint: --rename {first}=NAME passes it\n"
        );
        let got = shell(&home, arguments, print).succeeded();
        assert_eq!(
            (got.text(), &*got.stderr),
            (expected, &*told),
            "{arguments:?}"
        );
    }
    for arguments in [
        &["--scope", "web"][..],
        &[
            "--scope",
            "a",
            "--scope",
            "web",
            "--only",
            "ONE,X-Api-Key,X-Other",
        ],
    ] {
        let error = format!("no variable for {web}");
        shell(&home, arguments, print).failed(2, &[&error, "--rename web/X-Api-Key=NAME"]);
    }
}

/// A name that makes the command run other code is not passed by mistake, whatever sets it.
#[test]
fn names_that_take_over_the_command_are_refused() {
    let home = Home::new();
    for key in ["NODE_OPTIONS", "LD_PRELOAD", "PLAIN", "PATH"] {
        home.run(["secret", "put", "s", key, "/m4rked"]).succeeded();
    }
    let file = "GIT_SSH_COMMAND=x mcplexer://s/PLAIN\nBASH_ENV=/plain\n";
    fs::write(home.root().join(".env"), file).unwrap();
    let print = ["/usr/bin/env"];
    let plain = ["--scope", "s", "--only", "PLAIN"];
    let renamed = [&plain[..], &["--rename", "PLAIN=PYTHONSTARTUP"]].concat();
    let cases: [(&[&str], &[&str]); 4] = [
        (&["--scope", "s"], &["LD_PRELOAD", "NODE_OPTIONS", "PATH"]),
        (&["--scope", "s", "--only", "PATH"], &["PATH"]),
        (&renamed, &["PYTHONSTARTUP"]),
        (&["--env-file", ".env"], &["GIT_SSH_COMMAND"]),
    ];
    for (arguments, names) in cases {
        let hint = format!(
            "mcplexer run --allow-env {} {} -- /usr/bin/env passes it",
            names.join(","),
            arguments.join(" ")
        );
        let said = [&["a secret would take over the command", &hint], names].concat();
        run(&home, arguments, &print).failed(2, &said);
        let allow = ["--allow-env", names[0]];
        let given = run(&home, &[arguments, &allow].concat(), &print);
        match names {
            [name] => assert!(given.succeeded().text().contains(&format!("{name}="))),
            // One of several is not enough.
            _ => assert_eq!(given.code, 2),
        }
    }
    let mut command = home.command();
    command.env("BASH_ENV", "mcplexer://s/PLAIN");
    command.args(["run", "--"]).args(print);
    finish(&mut command).failed(2, &["BASH_ENV, from mcplexer://s/PLAIN, "]);
    // What is no secret is no matter.
    fs::write(home.root().join(".env"), "PATH=/bin\nX=mcplexer://s/PLAIN").unwrap();
    for arguments in [&plain[..], &["--env-file", ".env"]] {
        let given = run(&home, arguments, &print).succeeded();
        assert!(given.text().contains("=/m4rked\n"), "{}", given.text());
    }
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
            4,
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
            "no variable for web/X-Api-Key (header scope)",
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

/// F11: if one value cannot be decrypted, nothing starts and nothing is written.
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
            .failed(6, &["secret a/TWO is not what was last written"]);
        assert_eq!(home.files().len(), before, "{arguments:?}");
    }
    let mut command = home.command();
    command.env("X", "mcplexer://a/TWO");
    finish(command.args(["run", "touch", "made"]))
        .failed(6, &["secret a/TWO is not what was last written"]);
    assert_eq!(home.files().len(), before);
    let got = shell(&home, &["--scope", "a", "--only", "ONE"], "echo $ONE");
    assert_eq!(got.succeeded().text(), "a-1\n");
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
        ("B=mcplexer://a", 2, ".env, line 1 (B): invalid reference"),
        ("A=1\nghp_abc\n", 2, ".env, line 2: expected NAME=value"),
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

/// The secret replaces a reference in a variable, as in a client's configuration.
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
    // A named secret replaces an inherited variable, with or without references.
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
        (
            "mcplexer://b",
            2,
            "environment variable X: invalid reference",
        ),
        (
            "mcplexer://b/TWO ",
            2,
            "environment variable X: invalid reference",
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

/// A variable given instead of a command may be a secret: neither the error nor the log repeats it.
#[test]
fn a_variable_in_the_place_of_the_command_is_not_repeated() {
    let home = filled();
    let assignment = "PASSWORD=m4rked-hunter2";
    run(&home, &["--scope", "a"], &[assignment, "env"]).failed(
        127,
        &["cannot start PASSWORD=…: that is a variable, not a command"],
    );
    for command in [assignment, "m4rked-hunter2", "./m4rked-hunter2"] {
        run(&home, &["--scope", "a"], &[command]);
    }
    run(&home, &["--scope", "a"], &["true"]).succeeded();
    let log = fs::read_to_string(home.path("audit.log")).unwrap();
    assert!(!log.contains("m4rked"), "{log}");
    assert!(log.contains("\"for\":\"true\""), "{log}");
}

/// Each program that was given a value is in the log, however it was started, and its arguments are not.
#[test]
fn the_log_names_the_program_that_got_a_value() {
    let home = filled();
    write_program(&home.root().join("my tool"), "exit 0");
    fs::write(home.root().join(".env"), "X=mcplexer://a/ONE").unwrap();
    let cases: [(&[&str], &[&str], &str); 5] = [
        (&["--scope", "a"], &["true", "m4rked"], "a true"),
        (
            &["--scope", "a", "--only", "ONE"],
            &["/bin/sh", "-c", ": m4rked"],
            "a/ONE sh",
        ),
        (
            &["--env-file", ".env"],
            &["./my tool", "m4rked"],
            "a/ONE my tool",
        ),
        (
            &["--scope", "a", "--mask"],
            &["env", "true", "m4rked"],
            "a env",
        ),
        (
            &["--allow-arguments"],
            &["printf", "m4rked mcplexer://a/TWO"],
            "a/TWO printf",
        ),
    ];
    for (options, command, expected) in cases {
        run(&home, options, command).succeeded();
        let shown = home.run(["audit", "show", "--last", "1"]).succeeded();
        let shown = shown.text().trim_end();
        let (subject, program) = expected.split_once(' ').unwrap();
        assert!(
            shown.contains(&format!("  inject  {subject}  ok  ")),
            "{shown}"
        );
        assert!(shown.ends_with(&format!("] for {program}")), "{shown}");
    }
    let log = fs::read_to_string(home.path("audit.log")).unwrap();
    assert!(!log.contains("m4rked"), "{log}");
}
