//! `run`: references in the arguments of the command.

use std::fs;

use super::home::{Home, Run};
use super::namespaces::{is_among_users, run_among_users};
use super::run::WAYS;

const ROOT: &str = "root:x:0:0:root:/root:/bin/sh\n";

fn home() -> Home {
    let home = Home::with_secret("t0ken \"pa$$\"");
    home.run(["scope", "create", "web", "--kind", "header"])
        .succeeded();
    home.run(["secret", "put", "web", "X-Api-Key", "m4rked"])
        .succeeded();
    home
}

fn print(home: &Home, options: &[&str], arguments: &[&str]) -> Run {
    home.run([&["run"], options, &["--", "printf", "<%s>"], arguments].concat())
}

/// Each reference in each argument is filled, byte by byte; the rest stays as it is.
#[test]
fn references_in_arguments_are_filled() {
    let home = home();
    let arguments = [
        "--header",
        "X-Api-Key: mcplexer://web/X-Api-Key",
        "https://u:mcplexer://github-token/TOKEN@example.org/?k=mcplexer://web/X-Api-Key&x",
        "mcplexer://github-token/TOKEN",
        "mcplexer:/no $TOKEN",
        "",
    ];
    let filled = "<--header><X-Api-Key: m4rked><https://u:t0ken \"pa$$\"@example.org/?k=m4rked&x>\
                  <t0ken \"pa$$\"><mcplexer:/no $TOKEN><>";
    for options in [&[][..], &["--scope", "github-token"], &["--clean-env"]] {
        let options = [&["--allow-arguments"], options].concat();
        let printed = print(&home, &options, &arguments).succeeded();
        assert_eq!(
            (printed.text(), &*printed.stderr),
            (filled, ""),
            "{options:?}"
        );
    }
    let masked = print(&home, &["--allow-arguments", "--mask"], &arguments[3..4]);
    assert_eq!(masked.succeeded().text(), "<[github-token/TOKEN]>");
}

#[test]
fn nothing_starts_without_all_its_arguments() {
    let home = home();
    fs::write(home.root().join("nul"), b"a\0b").unwrap();
    home.run(["secret", "put", "bad", "NUL", "--file", "nul"])
        .succeeded();
    for (argument, code, said) in [
        ("mcplexer://none/KEY", 4, "argument 2: no scope none"),
        (
            "x mcplexer://web/NONE",
            4,
            "argument 2: no secret NONE in scope web",
        ),
        ("x=mcplexer://web", 2, "argument 2: invalid reference"),
        (
            "x mcplexer://bad/NUL",
            2,
            "argument 2: an argument cannot have a NUL byte",
        ),
    ] {
        for way in WAYS {
            let way = [&way[..way.len() - 1], &["--allow-arguments", "--"]].concat();
            home.run([&way[..], &["touch", "started", argument]].concat())
                .failed(code, &[said]);
            assert!(!home.root().join("started").exists(), "{argument}");
        }
    }
}

/// The name of the program, which is recorded and shown, is not filled.
#[test]
fn the_program_is_no_argument() {
    let home = home();
    let run = home.run(["run", "--scope", "github-token", "mcplexer://web/X-Api-Key"]);
    run.failed(127, &["cannot start mcplexer://web/X-Api-Key"]);
}

#[test]
fn where_nobody_else_logs_in_no_option_is_needed() {
    const TEST: &str = "arguments::where_nobody_else_logs_in_no_option_is_needed";
    if !is_among_users() {
        let users = format!("{ROOT}www-data:x:33:33::/var/www:/usr/sbin/nologin\n");
        return run_among_users(&users, TEST);
    }
    let printed = print(&home(), &[], &["mcplexer://web/X-Api-Key"]);
    assert_eq!(printed.succeeded().text(), "<m4rked>");
}

#[test]
fn where_others_log_in_it_is_refused() {
    const TEST: &str = "arguments::where_others_log_in_it_is_refused";
    if !is_among_users() {
        let users = format!("{ROOT}ann:x:1000:1000::/home/ann:/bin/sh\n");
        return run_among_users(&users, TEST);
    }
    let home = home();
    let said = ["could be seen by other users", "--allow-arguments"];
    for options in [&[][..], &["--scope", "github-token"], &["--mask"]] {
        print(&home, options, &["x mcplexer://web/X-Api-Key"]).failed(2, &said);
    }
    let printed = print(&home, &["--allow-arguments"], &["mcplexer://web/X-Api-Key"]);
    assert_eq!(printed.succeeded().text(), "<m4rked>");
    // Without a reference in them, arguments are nobody's concern.
    print(&home, &["--scope", "github-token"], &["x"]).succeeded();
}

/// The log has the program, and neither its arguments nor what they become.
#[test]
fn arguments_are_not_recorded() {
    let home = home();
    let argument = "--key=mcplexer://web/X-Api-Key";
    print(&home, &["--allow-arguments"], &[argument]).succeeded();
    let log = home.run(["audit", "show", "--last", "1", "--json"]);
    let log = log.succeeded().text().to_owned();
    assert!(log.contains(r#""for": "printf""#), "{log}");
    assert!(!log.contains("--key") && !log.contains("m4rked"), "{log}");
}
