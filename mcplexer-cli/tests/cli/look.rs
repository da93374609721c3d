//! What a terminal shows: colours, widths, local times and the pager.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::home::{BINARY, Home, finish, write_program};
use super::terminal::{end, expect, spawn_as};

const RED: &str = "\x1b[1m\x1b[31merror:\x1b[0m";

/// Runs a line of a shell on a terminal that shows colours. `mcplexer` is the command.
fn shown(home: &Home, line: &str, variables: &[(&str, &str)]) -> (String, i32) {
    let mut command = shell(home, line);
    command.envs(variables.iter().copied());
    let (text, code) = end(spawn_as(command, "xterm-256color"));
    // rexpect takes each byte for a character.
    let bytes = text.chars().map(|it| u8::try_from(it).unwrap()).collect();
    (String::from_utf8(bytes).unwrap(), code)
}

fn shell(home: &Home, line: &str) -> Command {
    let mut command = home.command_of(Path::new("/bin/sh"));
    command.args(["-c", &format!("mcplexer() {{ {BINARY} \"$@\"; }}\n{line}")]);
    command.env("PATH", test_support::STANDARD_PATH);
    command
}

#[test]
fn labels_headings_and_states_have_colours_on_a_terminal() {
    let home = Home::with_secret("v");
    let (text, code) = shown(&home, "mcplexer secret get github-token X", &[]);
    assert_eq!(code, 4, "{text}");
    assert!(
        text.starts_with(&format!("mcplexer: {RED} no secret X")),
        "{text:?}"
    );
    assert!(
        text.contains("mcplexer: \x1b[1m\x1b[36mhint:\x1b[0m "),
        "{text:?}"
    );
    let (text, _) = shown(&home, "mcplexer secret list github-token", &[]);
    assert!(
        text.starts_with("\x1b[1mKEY\x1b[0m    \x1b[1mVERSION"),
        "{text:?}"
    );
    let (text, _) = shown(&home, "mcplexer audit show --no-pager", &[]);
    assert!(text.contains("\x1b[32mok\x1b[0m"), "{text:?}");
    assert!(text.contains("\x1b[31mnot-found\x1b[0m"), "{text:?}");
    for help in ["mcplexer audit show --help", "mcplexer help audit show"] {
        let (text, _) = shown(&home, help, &[]);
        assert!(text.contains("\x1b[1mUsage:\x1b[0m"), "{text:?}");
        assert!(text.contains("\x1b[1mExamples:\x1b[0m"), "{text:?}");
    }
}

/// A person may ask for none, or for some where there is no terminal; each stream is judged for itself.
#[test]
fn colours_follow_the_environment_and_the_stream() {
    let home = Home::with_secret("v");
    let line = "mcplexer secret get github-token X";
    for (variables, is_coloured) in [
        (&[("NO_COLOR", "1")][..], false),
        (&[("NO_COLOR", "")], true),
        (&[("CLICOLOR", "0")], false),
        (&[("CLICOLOR", "1")], true),
        (&[("TERM", "dumb")], false),
    ] {
        let line = match variables {
            [("TERM", term)] => format!("TERM={term}; export TERM; {line}"),
            _ => line.to_owned(),
        };
        let (text, _) = shown(&home, &line, variables);
        assert_eq!(
            text.contains("\x1b["),
            is_coloured,
            "{variables:?}: {text:?}"
        );
    }
    // Standard error is a file, standard output the terminal; then the other way round.
    let (text, _) = shown(&home, "mcplexer secret get github-token X 2> said", &[]);
    assert_eq!(text, "");
    let said = fs::read_to_string(home.root().join("said")).unwrap();
    assert!(said.starts_with("mcplexer: error: no secret X"), "{said:?}");
    let (text, _) = shown(
        &home,
        "mcplexer audit show > log; mcplexer secret get s K",
        &[],
    );
    assert!(text.contains(RED), "{text:?}");
    let log = fs::read_to_string(home.root().join("log")).unwrap();
    assert!(log.contains("ok") && !log.contains('\x1b'), "{log:?}");
    for (variable, value, is_coloured) in [("CLICOLOR_FORCE", "1", true), ("CLICOLOR", "1", false)]
    {
        let run = finish(shell(&home, line).env(variable, value));
        assert_eq!(
            run.stderr.contains('\x1b'),
            is_coloured,
            "{variable}={value}"
        );
    }
}

#[test]
fn tables_fit_the_terminal_and_are_whole_in_a_pipe() {
    let home = Home::new();
    let note = "a note about 幅 that is longer than any terminal in this test has columns for it";
    home.run(["secret", "put", "s", "K", "v", "--note", note])
        .succeeded();
    let list = "mcplexer secret list s --long";
    for line in [
        format!("stty cols 70; {list}"),
        format!("stty cols 200; COLUMNS=70; export COLUMNS; {list}"),
    ] {
        let (text, _) = shown(&home, &line, &[("NO_COLOR", "1")]);
        let row = text.lines().nth(1).unwrap();
        assert!(
            row.contains("  a note ab") && row.ends_with("for it"),
            "{text:?}"
        );
        assert!(row.contains('…') && row.chars().count() <= 70, "{text:?}");
    }
    // A part of a time says nothing.
    let (text, _) = shown(
        &home,
        "stty cols 60; mcplexer audit show --no-pager --utc",
        &[("NO_COLOR", "1")],
    );
    let mut times = text.lines().filter(|it| it.starts_with("time: "));
    assert!(
        times.clone().count() > 0 && times.all(|it| it.ends_with(" UTC")),
        "{text}"
    );
    let (text, _) = shown(&home, &format!("stty cols 200; {list}"), &[]);
    assert!(text.contains(note), "{text:?}");
    let piped = "COLUMNS=20 mcplexer secret list s --long | cat";
    let (text, _) = shown(&home, piped, &[]);
    assert!(text.contains(note), "{text:?}");
}

/// Columns that say nothing take no room from the names; and where columns do not fit, each row is a block of lines.
#[test]
fn a_narrow_terminal_shows_whole_names() {
    let home = Home::new();
    let name = "A_NAME_OF_FORTY_CHARACTERS_THAT_IS_COPIED";
    home.run(["secret", "put", "a-scope", name, "v"])
        .succeeded();
    let (text, _) = shown(
        &home,
        "stty cols 80; mcplexer secret list --all --long",
        &[("NO_COLOR", "1")],
    );
    assert!(text.contains(&format!("a-scope/{name}  1 ")), "{text}");
    assert!(
        !text.contains("ROTATE BY") && !text.contains("EXPIRES") && !text.contains("NOTE"),
        "{text}"
    );
    let (text, _) = shown(
        &home,
        "stty cols 60; mcplexer audit show --no-pager",
        &[("NO_COLOR", "1")],
    );
    assert!(
        text.contains(&format!("\r\nsubject:   a-scope/{name}\r\n")),
        "{text}"
    );
    assert!(text.lines().all(|it| it.chars().count() <= 60), "{text}");
}

#[test]
fn times_are_local_on_a_terminal() {
    let home = Home::with_secret("v");
    let zone = [("TZ", "XYZ-05:45"), ("NO_COLOR", "1")];
    for line in [
        "mcplexer secret history github-token TOKEN",
        "mcplexer audit show --no-pager",
    ] {
        let (text, _) = shown(&home, line, &zone);
        assert!(text.contains(" +05:45"), "{line}: {text}");
        let (text, _) = shown(&home, &format!("{line} --utc"), &zone);
        assert!(
            text.contains(" UTC") && !text.contains("+05:45"),
            "{line}: {text}"
        );
    }
    let run = finish(shell(&home, "mcplexer audit show").envs(zone));
    assert!(
        run.text().lines().all(|line| line.contains("Z  ")),
        "{}",
        run.text()
    );
    let run = finish(shell(&home, "mcplexer secret history github-token TOKEN").envs(zone));
    assert!(run.text().contains(" UTC\n"), "{}", run.text());
    // No place is on two days at once that are this far apart.
    let long = "mcplexer secret list github-token --long";
    let day = |zone: &str| shown(&home, long, &[("TZ", zone), ("NO_COLOR", "1")]).0;
    assert_ne!(day("AAA-23"), day("BBB23"));
    let utc = |zone: &str| shown(&home, &format!("{long} --utc"), &[("TZ", zone)]).0;
    assert_eq!(utc("AAA-23"), utc("BBB23"));
}

#[test]
fn entries_of_the_log_can_be_chosen() {
    let home = Home::with_secret("v");
    home.run(["secret", "put", "s", "K", "v"]).succeeded();
    home.run(["secret", "get", "s", "MISSING"]);
    home.run(["secret", "get", "s", "K"]).succeeded();
    let show = |options: &[&str]| {
        let run = home.run([&["audit", "show"], options].concat()).succeeded();
        let rows = run.text().lines().map(|line| {
            let words: Vec<_> = line.split_whitespace().skip(2).take(3).collect();
            words.join(" ")
        });
        rows.collect::<Vec<_>>()
    };
    assert_eq!(show(&["--failed"]), ["get s/MISSING not-found"]);
    assert_eq!(show(&["--key", "K"]), ["put s/K ok", "get s/K ok"]);
    assert_eq!(show(&["--op", "get", "--key", "K"]), ["get s/K ok"]);
    let both = show(&["--op", "put", "--since", "1h"]);
    assert_eq!(both, ["put github-token/TOKEN ok", "put s/K ok"]);
    assert_eq!(show(&["--op", "put", "--last", "1"]), ["put s/K ok"]);
    assert_eq!(show(&["--until", "1h"]), [""; 0]);
    assert_eq!(show(&["--since", "2020-01-01"]), show(&[]));
    assert_eq!(show(&["--until", "2020-01-01"]), [""; 0]);
    let json = home
        .run(["audit", "show", "--failed", "--json"])
        .succeeded();
    assert_eq!(json.text().matches("\"line\"").count(), 1);
    let said = "takes an operation as the log names it";
    home.run(["audit", "show", "--op", "nonsense"])
        .failed(2, &[said]);
    home.run(["audit", "show", "--since", "yesterday"]).failed(
        2,
        &["takes a date (2027-01-31)", "or a time ago (30d, 12h)"],
    );
}

#[test]
fn a_pager_shows_the_log_on_a_terminal() {
    let home = Home::with_secret("v");
    let pager = home.root().join("pager");
    let script = "#!/bin/sh\necho \"PAGED with LESS=$LESS and key=$MCPLEXER_AGE_IDENTITY\"\ncat\n";
    write_program(&pager, script);
    let line = "PAGER=./pager; export PAGER; mcplexer audit show";
    let (text, code) = shown(&home, line, &[]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.starts_with("PAGED with LESS=FRX and key=\r\n"),
        "{text:?}"
    );
    assert!(
        text.contains("TIME") && text.contains("github-token/TOKEN"),
        "{text:?}"
    );
    let key = fs::read_to_string(home.path("age.key")).unwrap();
    let (text, _) = shown(
        &home,
        line,
        &[("MCPLEXER_AGE_IDENTITY", &key), ("LESS", "S")],
    );
    assert!(text.contains("PAGED with LESS=S and key=\r\n"), "{text:?}");
    for line in [
        "PAGER=./pager; export PAGER; mcplexer audit show --no-pager",
        "PAGER=./pager; export PAGER; mcplexer audit show | cat",
        "PAGER=; export PAGER; mcplexer audit show",
        "PAGER=./missing; export PAGER; mcplexer audit show",
    ] {
        let (text, code) = shown(&home, line, &[]);
        assert_eq!(code, 0, "{text}");
        assert!(
            text.contains("github-token/TOKEN") && !text.contains("PAGED"),
            "{line}: {text:?}"
        );
    }
    // A reader who has seen enough.
    write_program(&pager, "#!/bin/sh\nhead -n 1\n");
    let (text, code) = shown(&home, line, &[]);
    assert!(code == 0 && text.contains("TIME"), "{text:?}");
}

/// Nobody can say how long it takes to read a pipe.
#[test]
fn what_takes_long_says_that_it_goes_on() {
    let home = Home::with_secret("m4rked-value");
    let pipe = home.root().join("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let start = |line: &str| spawn_as(shell(&home, line), "xterm-256color");
    let mut session = start("mcplexer scan - < pipe");
    let mut writer = OpenOptions::new().write(true).open(&pipe).unwrap();
    expect(&mut session, "\r\x1b[Ksearching");
    expect(&mut session, " 1 s");
    writer.write_all(b"nothing").unwrap();
    drop(writer);
    let (text, code) = end(session);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("\r\x1b[K") && text.contains("no match"),
        "{text:?}"
    );
}
