//! No value outside the sealed records and the one place it was asked for.

use super::home::{Home, Run};

const MARKED: &str = "m4rked-S3cret-value-0123456789";

#[track_caller]
fn assert_silent(run: &Run) {
    assert!(!run.stderr.contains("m4rked"), "{}", run.stderr);
    let stdout = String::from_utf8_lossy(&run.stdout);
    assert!(!stdout.contains("m4rked"), "{stdout}");
}

/// F22, F44: after any sequence of commands, right or wrong, the value is in no file and no
/// message.
#[test]
fn no_file_and_no_message_has_the_value() {
    let home = Home::new();
    let spaced = format!("{MARKED} and more");
    let outside = tempfile::tempdir().unwrap();
    let config = outside.path().join("config.yaml");
    let text = format!("auth_scopes: [{{id: s, token: {MARKED}, {MARKED}: [{MARKED}]}}]");
    std::fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let commands: [&[&str]; 51] = [
        &["secret", "put", "s", "K", MARKED],
        &["secret", "put", "s", "K", MARKED],
        &["secret", "put", "s", "K", MARKED, "--create"],
        &["secret", "put", "s", "K", MARKED, "--if-version", "7"],
        &["secret", "put", "s", "K", "x", MARKED],
        &["secret", "put", "s", "K", "--", "x", &spaced],
        &["secret", "put", "s", "X-Y", MARKED],
        &["secret", "put", "S", "K", MARKED],
        &["secret", "put", "s", "a b", MARKED],
        &["secret", "put", "s", "K", MARKED, "--file", "x"],
        &["secret", "put", "s", "L", MARKED],
        &["secret", "list", "s"],
        &["secret", "list", "s", "--json"],
        &["secret", "list"],
        &["scope", "show", "s"],
        &["key", "show"],
        &["audit", "show"],
        &["run", "--scope", "s", "--", "true"],
        &["run", "--scope", "s", "--mask", "--", "true"],
        &["run", "--scope", "s", "--mask", "--", "printenv", "K"],
        &["run", "--scope", "s", "--only", "NONE", "--", "true"],
        &["run", "--scope", "s", "--rename", "K=L", "--", "true"],
        &["run", "--env-file", "age.key", "--", "true"],
        &["run", "--scope", "s", "--", "no-such-command"],
        &["inject", "-i", "none", "-o", "out"],
        &["import", "s", ".mcplexer/age.key"],
        &["import", "s", ".mcplexer/age.key", "--format", "dotenv"],
        &["import", "s", ".mcplexer/age.key", "--format", "shell"],
        &["import", "s", ".mcplexer/age.key", "--format", "yaml"],
        &["export", "none", "--reveal"],
        &["export", "s", "--only", "NONE", "-o", "out"],
        &["scan"],
        &["scan", "--scope", "s", "--json", "--no-ignore"],
        &["key", "rotate"],
        &["key", "add", MARKED],
        &["key", "remove", "none"],
        &["key", "list", "--json"],
        &["backup", "create", "b.age"],
        &["backup", "verify", "b.age"],
        &["backup", "restore", "b.age", "--replace", "--dry-run"],
        &["backup", "restore", "b.age", "--replace", "--force"],
        &["config", "check", config],
        &["config", "check", config, "--json"],
        &["config", "apply", config, "--prune", "--force"],
        &["config", "show"],
        &["config", "apply"],
        &["compact"],
        &["doctor", "--fix"],
        &["secret", "delete", "s", "K"],
        &["scope", "delete", "s", "--force"],
        &["audit", "verify"],
    ];
    for arguments in commands {
        assert_silent(&home.run(arguments));
        home.assert_no_trace_of(MARKED);
    }
}

#[test]
fn no_debug_setting_brings_the_value_out() {
    let home = Home::new();
    for arguments in [
        &["secret", "put", "s", "K", MARKED][..],
        &["secret", "list", "s"],
        &["secret", "get", "s", "NOTHING"],
    ] {
        let mut command = home.command();
        command
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "full");
        assert_silent(&super::home::finish(command.args(arguments)));
    }
    home.assert_no_trace_of(MARKED);
}

/// The search itself finds what it should.
#[test]
#[should_panic(expected = "is in")]
fn a_value_in_a_file_would_be_found() {
    let home = Home::new();
    std::fs::write(home.root().join("leak"), format!("x{MARKED}")).unwrap();
    home.assert_no_trace_of(MARKED);
}
