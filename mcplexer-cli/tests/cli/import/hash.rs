//! A `#` right behind a value: for npm's dotenv it begins a comment, for python-dotenv, docker and shells it does not.

use std::fs;

use crate::home::Home;
use crate::terminal::start_at;

const FILE: &str = "A=m4rked#def # x\nB=m4rked\nC=#m4rked\nD=m4rked # def\nE='m4rked#def' # x\n";

/// dotenvx#553: `abc#def` was cut without a word.
#[test]
fn it_is_kept_with_a_warning_unless_the_user_says_otherwise() {
    let warning = "mcplexer: warning: .env, line 1 (A), line 3 (C): the # right behind the value";
    for (options, a, warned) in [
        (&[][..], "m4rked#def", true),
        (&["--no-input"], "m4rked#def", true),
        (&["--hash", "keep"], "m4rked#def", false),
        (&["--hash", "cut", "--blank", "skip"], "m4rked", false),
    ] {
        let home = Home::new();
        fs::write(home.root().join(".env"), FILE).unwrap();
        let dry = home.run(["import", "s", ".env", "--dry-run"].iter().chain(options));
        let run = home.run(["import", "s", ".env"].iter().chain(options));
        fs::remove_file(home.root().join(".env")).unwrap();
        for run in [dry, run] {
            let run = run.succeeded();
            assert_eq!(run.stderr.contains(warning), warned, "{}", run.stderr);
            assert_eq!(
                run.stderr
                    .contains(" --hash cut --overwrite takes it for a comment"),
                warned,
                "{}",
                run.stderr
            );
            assert!(!run.stderr.contains("m4rked"), "{}", run.stderr);
        }
        assert_eq!(home.get("s", "A"), a.as_bytes());
        if a == "m4rked" {
            home.run(["secret", "get", "s", "C"]).failed(4, &[]);
        } else {
            assert_eq!(home.get("s", "C"), b"#m4rked");
        }
        for (key, value) in [("B", "m4rked"), ("D", "m4rked"), ("E", "m4rked#def")] {
            assert_eq!(home.get("s", key), value.as_bytes(), "{key}");
        }
    }
    let home = Home::new();
    let import = ["import", "s", "--format", "dotenv", "--hash", "other"];
    home.pipe(import, b"A=b")
        .failed(2, &["possible values: keep, cut"]);
}

#[test]
fn a_terminal_is_asked() {
    for (answers, value) in [
        (&[""][..], "abc#def"),
        (&["y"], "abc#def"),
        (&["n"], "abc"),
        (&["what", "n"], "abc"),
    ] {
        let home = Home::new();
        fs::write(home.root().join(".env"), "A=abc#def\n").unwrap();
        let mut terminal = start_at(&home, &["import", "s", ".env"]);
        let question = ".env, line 1 (A): is the # right behind the value a part of it? [Y/n] ";
        let questions = [question, "please answer y or n: "];
        for (question, answer) in questions.into_iter().zip(answers) {
            terminal.exp_string(question).unwrap();
            terminal.send_line(answer).unwrap();
        }
        let (text, ended) = crate::terminal::end(terminal);
        assert_eq!(ended, 0, "{text}");
        assert!(!text.contains("warning"), "{text}");
        assert_eq!(home.get("s", "A"), value.as_bytes());
    }
}

/// `run --env-file` reads the file as dotenv does, and says where that differs.
#[test]
fn an_env_file_that_is_cut_is_warned_of() {
    let home = Home::new();
    fs::write(home.root().join(".env"), "A=m4rked#def\nB='m4rked#def'\n").unwrap();
    let print = ["run", "--env-file", ".env", "--", "sh", "-c", "echo $A $B"];
    let run = home.run(print).succeeded();
    assert_eq!(run.text(), "m4rked m4rked#def\n");
    assert_eq!(
        run.stderr,
        "mcplexer: warning: .env, line 1 (A): the value ends at the # right behind it; in quotes, it goes on\n"
    );
}
