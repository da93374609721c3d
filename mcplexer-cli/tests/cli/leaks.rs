//! No value appears outside the sealed records, except where it was asked for.

use super::home::{Home, Run};

const MARKED: &str = "m4rked-S3cret-value-0123456789";

#[track_caller]
fn assert_silent(run: &Run) {
    assert!(!run.stderr.contains("m4rked"), "{}", run.stderr);
    let stdout = String::from_utf8_lossy(&run.stdout);
    assert!(!stdout.contains("m4rked"), "{stdout}");
}

/// F22, F44: after any sequence of commands, valid or not, no file and no message contains the value.
#[test]
fn no_file_and_no_message_has_the_value() {
    let home = Home::new();
    let spaced = format!("{MARKED} and more");
    let outside = tempfile::tempdir().unwrap();
    let config = outside.path().join("config.yaml");
    let text = format!("auth_scopes: [{{id: s, token: {MARKED}, {MARKED}: [{MARKED}]}}]");
    std::fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let commands: [(i32, &[&str]); 64] = [
        (0, &["secret", "put", "s", "K", MARKED]),
        (0, &["secret", "put", "s", "K", MARKED]),
        (8, &["secret", "put", "s", "K", MARKED, "--create"]),
        (8, &["secret", "put", "s", "K", MARKED, "--if-version", "7"]),
        (2, &["secret", "put", "s", "K", "x", MARKED]),
        (2, &["secret", "put", "s", "K", "--", "x", &spaced]),
        (2, &["secret", "put", "s", "X-Y", MARKED]),
        (2, &["secret", "put", "S", "K", MARKED]),
        (2, &["secret", "put", "s", "a b", MARKED]),
        (2, &["secret", "put", "s", "K", MARKED, "--file", "x"]),
        (0, &["secret", "put", "s", "L", MARKED]),
        (
            0,
            &[
                "secret",
                "put",
                "s",
                "L",
                MARKED,
                "--note",
                "n",
                "--expires",
                "1h",
            ],
        ),
        (2, &["secret", "put", "s", "L", MARKED, "--expires", MARKED]),
        (
            2,
            &["secret", "put", "s", "L", MARKED, "--rotate-every", MARKED],
        ),
        (0, &["secret", "edit", "s", "L", "--rotate-every", "1d"]),
        (2, &["secret", "edit", "s", "L"]),
        (1, &["secret", "get", "s", "L", "--clip"]),
        (0, &["secret", "restore", "s", "L", "--version", "1"]),
        (4, &["secret", "restore", "s", "L", "--version", "9"]),
        (4, &["secret", "get", "s", "L", "--version", "9"]),
        (0, &["secret", "history", "s", "L"]),
        (0, &["secret", "history", "s", "L", "--json"]),
        (0, &["secret", "list", "--expiring", "30d"]),
        (0, &["secret", "list", "s", "--long"]),
        (0, &["secret", "list", "s"]),
        (0, &["secret", "list", "s", "--json"]),
        (0, &["secret", "list"]),
        (0, &["scope", "show", "s"]),
        (0, &["key", "show"]),
        (0, &["audit", "show"]),
        (0, &["run", "--scope", "s", "--", "true"]),
        (0, &["run", "--scope", "s", "--mask", "--", "true"]),
        (0, &["run", "--scope", "s", "--mask", "--", "printenv", "K"]),
        (4, &["run", "--scope", "s", "--only", "NONE", "--", "true"]),
        (2, &["run", "--scope", "s", "--rename", "K=L", "--", "true"]),
        (2, &["run", "--env-file", ".mcplexer/age.key", "--", "true"]),
        (127, &["run", "--scope", "s", "--", "no-such-command"]),
        (1, &["inject", "-i", "none", "-o", "out"]),
        (2, &["import", "s", ".mcplexer/age.key"]),
        (
            2,
            &["import", "s", ".mcplexer/age.key", "--format", "dotenv"],
        ),
        (
            2,
            &["import", "s", ".mcplexer/age.key", "--format", "shell"],
        ),
        (2, &["import", "s", ".mcplexer/age.key", "--format", "yaml"]),
        (4, &["export", "none", "--reveal"]),
        (4, &["export", "s", "--only", "NONE", "-o", "out"]),
        (0, &["scan"]),
        (0, &["scan", "--scope", "s", "--json", "--no-ignore"]),
        (0, &["key", "rotate"]),
        (2, &["key", "add", MARKED]),
        (4, &["key", "remove", "none"]),
        (0, &["key", "list", "--json"]),
        (0, &["backup", "create", "b.age"]),
        (0, &["backup", "verify", "b.age"]),
        (0, &["backup", "restore", "b.age", "--replace", "--dry-run"]),
        (0, &["backup", "restore", "b.age", "--replace", "--force"]),
        (2, &["config", "check", config]),
        (2, &["config", "check", config, "--json"]),
        (2, &["config", "apply", config, "--prune", "--force"]),
        (0, &["config", "show"]),
        (1, &["config", "apply"]),
        (0, &["compact"]),
        (0, &["doctor", "--fix"]),
        (0, &["secret", "delete", "s", "K"]),
        (0, &["scope", "delete", "s", "--force"]),
        (0, &["audit", "verify"]),
    ];
    for (code, arguments) in commands {
        let run = home.run(arguments);
        assert_eq!(run.code, code, "{arguments:?}: {}", run.stderr);
        assert_silent(&run);
        home.assert_no_trace_of(MARKED);
    }
}

#[test]
fn no_debug_setting_brings_the_value_out() {
    let home = Home::new();
    for (code, arguments) in [
        (0, &["secret", "put", "s", "K", MARKED][..]),
        (0, &["secret", "list", "s"]),
        (4, &["secret", "get", "s", "NOTHING"]),
    ] {
        let mut command = home.command();
        command
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "full");
        let run = super::home::finish(command.args(arguments));
        assert_eq!(run.code, code, "{arguments:?}: {}", run.stderr);
        assert_silent(&run);
    }
    home.assert_no_trace_of(MARKED);
}

/// The search finds a value that is in a file.
#[test]
#[should_panic(expected = "is in")]
fn a_value_in_a_file_would_be_found() {
    let home = Home::new();
    std::fs::write(home.root().join("leak"), format!("x{MARKED}")).unwrap();
    home.assert_no_trace_of(MARKED);
}

/// F22: every test that puts a value searches for it when it ends.
#[test]
#[should_panic(expected = "audit.log")]
fn a_value_that_a_test_leaves_in_the_log_is_found() {
    let home = Home::with_secret(MARKED);
    let log = home.path("audit.log");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(log, format!("{text}{MARKED}\n")).unwrap();
}
