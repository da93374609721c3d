//! A value that was typed in the wrong place is not repeated, whichever command it is given to.

use super::*;
use crate::examples::commands_in;

/// Values of several kinds, none of them plainly a name.
const VALUES: [&str; 6] = [
    "ghp_Zq8Rt2Yw5Lk9Xc3Vb7Nm1Qp4Sd6Fg0Hj3KlM",
    "hunter2",
    "Tr0ub4dor&3",
    "c2VjcmV0IHZhbHVl",
    "7QXM-KD2P-9ZTR-4HVN-WC8L-3FGJ-5SUA-6EYK",
    "correct horse battery staple",
];

/// Commands that are refused: `V` is in the place of the value.
const REFUSED: &[&[&str]] = &[
    &["V"],
    &["MCPLEXER_AGE_IDENTITY=V"],
    &["--V"],
    &["secret", "V"],
    &["help", "V"],
    &["help", "secret", "V"],
    &["man", "V"],
    &["man", "secret", "V"],
    &["secret", "edit", "s", "KEY", "V"],
    &["secret", "edit", "s", "KEY", "--", "V"],
    &["secret", "edit", "s", "KEY", "--", "--V"],
    &["secret", "edit", "s", "KEY", "--V"],
    &["secret", "edit", "s", "KEY", "-gV"],
    &["secret", "edit", "s", "KEY", "--no-note=V"],
    &["secret", "edit", "s", "KEY", "--value=V"],
    &["secret", "edit", "s", "KEY", "--expires", "V"],
    &["secret", "edit", "s", "KEY", "--rotate-every", "V"],
    &["secret", "generate", "s", "KEY", "V"],
    &["secret", "generate", "s", "KEY", "--alphabet", "V"],
    &["secret", "generate", "s", "KEY", "--length", "V"],
    &["secret", "restore", "s", "KEY", "V"],
    &["secret", "restore", "s", "KEY", "--version", "V"],
    &["secret", "put", "s", "KEY", "--newline", "V"],
    &["secret", "put", "s", "KEY", "value", "V"],
    &["secret", "get", "s", "TOKEN", "--clip=V"],
    &["secret", "get", "s", "TOKEN", "--clear-after", "V"],
    &["secret", "get", "V=", "TOKEN"],
    &["secret", "list", "V="],
    &["secret", "list", "s", "V"],
    &["secret", "list", "--expiring", "V"],
    &["secret", "history", "s", "KEY", "V"],
    &["secret", "copy", "V", "s/KEY"],
    &["secret", "copy", "s", "V", "s", "B"],
    &["secret", "move", "s", "A", "s", "V"],
    &["secret", "rename", "s", "A", "B", "V"],
    &["secret", "rename", "s/A", "s/V"],
    &["secret", "rename", "s/V", "t/B"],
    &["scope", "create", "V="],
    &["scope", "create", "s", "V"],
    &["scope", "create", "s", "--kind", "V"],
    &["scope", "V"],
    &["scope", "delete", "s", "V"],
    &["run", "--scope", "s", "--only", "TOKEN=V", "true"],
    &["run", "--rename", "TOKEN=V!", "true"],
    &["run", "--rename", "V", "true"],
    &["run", "--scope", "V=x", "true"],
    &["scan", "--scope", "V="],
    &["scan", "--format", "V"],
    &["key", "recovery", "V"],
    &["key", "init", "V"],
    &["key", "recover", "V"],
    &["key", "add", "V"],
    &["key", "V"],
    &["backup", "create", "x", "--passphrase", "V"],
    &["backup", "create", "x", "--recipient", "V"],
    &["backup", "verify", "x", "V"],
    &["backup", "restore", "x", "--recovery-code", "V"],
    &["server", "add", "x", "https://u:V@h/"],
    &["server", "add", "x", "V"],
    &["server", "add", "x", "--env", "V", "--", "true"],
    &["server", "add", "x", "--scope", "V=", "--", "true"],
    &["server", "show", "V="],
    &["server", "remove", "V="],
    &["config", "show", "V"],
    &["config", "V"],
    &["audit", "show", "--last", "V"],
    &["audit", "verify", "V"],
    &["import", "V="],
    &["import", "github-token", "V"],
    &["import", "github-token", "KEY=V"],
    &["import", "github-token", "KEY=V", "--format", "json"],
    &["export", "s", "--format", "V"],
    &["export", "V="],
    &["inject", "--format", "V"],
    &["inject", "V"],
    &["hook", "V"],
    &["completions", "V"],
    &["init", "V"],
    &["doctor", "V"],
    &["compact", "V"],
    &["store", "move", "--to", "V"],
    &["store", "move", "V"],
    &["store", "keep", "V"],
    &["store", "delete-moved", "V"],
];

/// Commands that read a file of this name.
const NO_FILE: &[&[&str]] = &[
    &["import", "github-token", "V", "--format", "json"],
    &["secret", "put", "s", "KEY", "--file", "V"],
    &["run", "--env-file", "V", "--", "true"],
    &["inject", "-i", "V"],
    &["backup", "verify", "V"],
    &["backup", "restore", "V"],
    &["adopt", "V"],
    &["adopt", "--undo", "V"],
    &["config", "check", "V"],
    &["config", "apply", "V"],
    &["scan", "V"],
    &["scan", "--shapes", "V"],
    &["scan", "--shapes", "--baseline", "V"],
    &["trust", "V"],
    &["server", "add", "x", "--from", "V"],
    &["server", "add", "x", "--directory", "V", "--", "true"],
];

/// Commands that start `V`, which is found nowhere.
const NOT_STARTED: &[&[&str]] = &[
    &["run", "-s", "github-token", "--", "KEY=V"],
    &["run", "-s", "github-token", "--", "my-key=V"],
    &["run", "-s", "github-token", "--", "my.key=V"],
];

/// Commands that find nothing.
const NOT_FOUND: &[&[&str]] = &[
    &["key", "remove", "V"],
    &["secret", "find", "V="],
    &["secret", "find", "V"],
    &["client", "install", "V"],
];

#[cfg(feature = "serve")]
const OF_THE_GATEWAY: &[&[&str]] = &[
    &["client", "add", "V="],
    &["client", "V"],
    &["serve", "--http", "V"],
    &["calls", "V"],
    &["status", "V"],
    &["ui", "V"],
    &["connect", "V"],
];
#[cfg(not(feature = "serve"))]
const OF_THE_GATEWAY: &[&[&str]] = &[];

#[test]
fn a_value_in_the_place_of_a_file_or_a_command_is_not_repeated() {
    let home = Home::with_secret("v");
    fs::write(home.root().join("t"), "text").unwrap();
    for value in VALUES {
        for arguments in NO_FILE {
            let code = match arguments {
                ["server", .., "--directory", _, _, _] => 2,
                _ => 1,
            };
            assert_unsaid(&home, arguments, value, code);
        }
        for arguments in NOT_STARTED {
            assert_unsaid(&home, arguments, value, 127);
        }
    }
    let token = VALUES[0];
    assert_unsaid(&home, &["run", "-s", "github-token", "--", "V"], token, 127);
    let front = ["run", "-s", "github-token", "--", "V", "--", "true"];
    assert_unsaid(&home, &front, token, 127);
    let name = &*format!("{token}=x");
    assert_unsaid(&home, &["run", "-s", "github-token", "--", "V"], name, 127);
    assert_unsaid(&home, &["secret", "edit", "s", "V"], "hunter2SECRET", 2);
}

/// What exists, or has the form of a path, is named.
#[test]
fn a_path_is_repeated() {
    let home = Home::with_secret("v");
    fs::create_dir(home.root().join("Folder2")).unwrap();
    for path in ["Folder2", "./Nope2", "Nope2.env", "/nope/Nope2", "nope"] {
        let run = home.run(["import", "s", path, "--format", "json"]);
        run.failed(1, &[&format!("cannot read {path}: ")]);
    }
}

#[track_caller]
fn assert_unsaid(home: &Home, arguments: &[&str], value: &str, code: i32) {
    let arguments = arguments.iter().map(|it| it.replace('V', value));
    let arguments: Vec<_> = arguments.collect();
    let run = home.run(&arguments);
    assert_eq!(run.code, code, "{arguments:?}: {}", run.stderr);
    let said = format!("{}{}", run.stderr, String::from_utf8_lossy(&run.stdout));
    for piece in value.split([' ', '-']).filter(|it| it.len() > 2) {
        assert!(!said.contains(piece), "{arguments:?}: {said}");
    }
}

#[test]
fn a_value_in_the_wrong_place_is_not_repeated() {
    let home = Home::with_secret("v");
    for value in VALUES {
        for arguments in REFUSED.iter().chain(OF_THE_GATEWAY) {
            assert_unsaid(&home, arguments, value, 2);
        }
        for arguments in NOT_FOUND {
            assert_unsaid(&home, arguments, value, 4);
        }
    }
}

/// Checks a command and those below it. Returns how many they are.
fn check_options(home: &Home, path: &[&str]) -> usize {
    for value in &VALUES[..2] {
        for option in ["--V", "--V=x", "--x=V"] {
            assert_unsaid(home, &[path, &[option]].concat(), value, 2);
        }
    }
    let help = home.run([path, &["--help"]].concat()).succeeded();
    let names = commands_in(help.text()).into_iter();
    let below = names.map(|name| check_options(home, &[path, &[name]].concat()));
    1 + below.sum::<usize>()
}

#[test]
fn a_value_that_looks_like_an_option_is_not_repeated_by_any_command() {
    assert!(check_options(&Home::new(), &[]) > 50);
}

#[test]
fn what_is_plainly_a_name_is_repeated() {
    let home = Home::with_secret("v");
    for (arguments, said) in [
        (&["otp"][..], "there is no command mcplexer otp"),
        (&["man", "otp"], "there is no command mcplexer otp"),
        (
            &["secret", "list", "--lnog"],
            "unexpected argument '--lnog' found",
        ),
        (&["secret", "list", "-x"], "unexpected argument '-x' found"),
        (
            &["export", "s", "--format", "xml"],
            "invalid value 'xml' for '--format <FORMAT>' [possible values: dotenv, ",
        ),
        (&["export", "s", "--format", "y4ml"], "did you mean yaml?"),
        (
            &["secret", "edit", "s", "K", "x"],
            "unexpected argument: secret edit takes SCOPE and KEY\n",
        ),
        (
            &["key", "recovery", "x"],
            "unexpected argument: key recovery takes no argument\n",
        ),
        (&["secret", "--x"], "unexpected argument '--x' found"),
    ] {
        home.run(arguments).failed(2, &[said]);
    }
}
