//! `-` in the place of a file is standard input, or an error. It never is a file of that name.
//!
//! Public faults: vault#5532, podman#27879.

use std::fs;

use mcplexer_secrets::keys::Identity;

use super::home::{Home, finish};
use super::terminal::{end, start_at};

/// A home with a file named `-`, which nothing may read or replace.
fn home() -> Home {
    let home = Home::with_secret("v");
    fs::write(home.root().join("-"), "decoy").unwrap();
    home
}

fn assert_untouched(home: &Home) {
    assert_eq!(fs::read(home.root().join("-")).unwrap(), b"decoy");
}

#[test]
fn a_value_comes_from_standard_input() {
    let home = home();
    for arguments in [
        &["secret", "put", "s", "K", "-"][..],
        &["secret", "put", "s", "K", "--", "-"],
        &["secret", "put", "s", "K", "--file", "-"],
        &["secret", "put", "s", "K", "--file=-"],
    ] {
        for (newline, stored) in [
            (&[][..], &b"piped"[..]),
            (&["--newline", "keep"], b"piped\n"),
            (&["--newline", "strip"], b"piped"),
        ] {
            // `--` ends the options.
            let all = [&arguments[..2], newline, &arguments[2..]].concat();
            let run = home.pipe(all, b"piped\n");
            assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
            assert_eq!(home.get("s", "K"), stored, "{arguments:?}");
        }
        home.pipe(arguments, b"")
            .failed(2, &["nothing was read from standard input"]);
    }
    assert_untouched(&home);
}

/// On a terminal the value is asked for, and not shown, as without the `-`.
#[test]
fn a_value_is_asked_for_on_a_terminal() {
    let home = home();
    for source in [&["-"][..], &["--file", "-"]] {
        let put = [&["secret", "put", "s", "K"], source].concat();
        let mut session = start_at(&home, &put);
        session.exp_string("Value of s/K (hidden): ").unwrap();
        session.send_line("typed-value").unwrap();
        let (text, code) = end(session);
        assert!(code == 0 && !text.contains("typed-value"), "{text}");
        assert_eq!(home.get("s", "K"), b"typed-value");
    }
}

#[test]
fn a_value_in_an_argument_has_no_line_end_to_keep() {
    let home = Home::new();
    home.run(["secret", "put", "s", "K", "x", "--newline", "keep"])
        .failed(2, &["--newline is for a value from a file"]);
}

#[test]
fn public_keys_come_from_standard_input() {
    let home = home();
    let key = format!("# bob\n{}\n", Identity::generate().name());
    home.pipe(
        ["key", "add", "--label", "bob", "--file", "-"],
        key.as_bytes(),
    )
    .succeeded();
    assert!(home.run(["key", "list"]).text().contains("bob"));
    home.pipe(["key", "add", "--file", "-"], b"")
        .failed(2, &["not a recipient"]);
    assert_untouched(&home);
}

#[test]
fn a_configuration_and_a_checkpoint_come_from_standard_input() {
    let home = home();
    let config = home.run(["config", "show"]).succeeded().stdout;
    home.pipe(["config", "check", "-"], &config).succeeded();
    home.pipe(["config", "apply", "-"], &config).succeeded();
    let checkpoint = home.run(["audit", "checkpoint"]).succeeded().stdout;
    let verify = ["audit", "verify", "--checkpoint", "-"];
    let verified = home.pipe(verify, &checkpoint).succeeded();
    assert!(verified.text().contains("up to the checkpoint"));
    home.pipe(verify, b"decoy").failed(2, &["not a checkpoint"]);
    assert_untouched(&home);
}

/// What is read twice, or replaced in one step, is a file.
#[test]
fn where_no_stream_will_do_it_is_an_error() {
    let home = home();
    home.run(["backup", "create", "b.age"]).succeeded();
    for arguments in [
        &["backup", "create", "-"][..],
        &["backup", "create", "--force", "-"],
        &["backup", "verify", "-"],
        &["backup", "restore", "-"],
        &["backup", "verify", "b.age", "--identity", "-"],
        &["backup", "restore", "b.age", "--identity", "-"],
        &["adopt", "-"],
    ] {
        home.run(arguments)
            .failed(2, &["takes the name of a file, not a stream"]);
    }
    for variable in ["MCPLEXER_HOME", "MCPLEXER_AGE_KEY", "MCPLEXER_AUDIT"] {
        let mut command = home.command();
        finish(command.env(variable, "-").args(["secret", "list"])).failed(2, &[variable]);
    }
    assert_untouched(&home);
    home.run(["backup", "create", "--force", "./-"]).succeeded();
    home.run(["backup", "verify", "./-"]).succeeded();
}
