//! `export --for`: a `.env` file is written as the program reads it that it is for, or not at all.

use std::fs;
use std::process::Command;

use test_support::STANDARD_PATH;

use super::home::{Home, finish};

fn filled(values: &[(&str, &str)]) -> Home {
    let home = Home::new();
    for (key, value) in values {
        let put = ["-q", "secret", "put", "s", key, "--newline", "keep"];
        home.pipe(put, value.as_bytes()).succeeded();
    }
    home
}

/// Has a shell read `.env`, and returns the variables that are named.
fn in_shell(home: &Home, names: &[&str]) -> String {
    let print: String = names.iter().map(|name| format!(" \"${name}\"")).collect();
    let script = format!("set -a; . ./.env; printf '[%s]'{print}");
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &script]).current_dir(home.root());
    command.env_clear().env("PATH", STANDARD_PATH);
    finish(&mut command).succeeded().text().to_owned()
}

/// phpdotenv#470: a value with a quote was written between backticks, which a shell runs.
#[test]
fn no_exported_file_runs_a_value() {
    let values = [
        ("A", "touch pwned #'"),
        ("B", "it's"),
        ("C", "'; touch pwned; '"),
        ("D", "$(touch pwned)"),
        ("E", "`touch pwned`"),
        ("F", "a\ntouch pwned\n"),
    ];
    let home = filled(&values);
    home.run(["export", "s", "--for", "sh", "-o", ".env"])
        .succeeded();
    let names = values.map(|(name, _)| name);
    let expected: String = values
        .iter()
        .map(|(_, value)| format!("[{value}]"))
        .collect();
    assert_eq!(in_shell(&home, &names), expected);
    fs::remove_file(home.root().join(".env")).unwrap();
    for (key, value) in values {
        let run = home.run(["export", "s", "--only", key, "-o", ".env"]);
        let said = format!(
            "no notation for s/{key} in a .env file is read alike by node, python, docker and sh"
        );
        let run = run.failed(
            2,
            &[
                &said,
                "--for",
                "--format json and --format yaml take every value",
            ],
        );
        assert!(!run.stderr.contains(value), "{}", run.stderr);
        assert!(!home.root().join(".env").exists());
    }
    assert!(!home.root().join("pwned").exists());
}

#[test]
fn a_value_that_has_no_notation_writes_nothing_and_names_who_can_have_it() {
    let home = filled(&[
        ("PLAIN", "ghp_abc123"),
        ("LINES", "m4rked\nline"),
        ("SPACE", "m4rked #x"),
    ]);
    fs::write(home.root().join(".env"), "old").unwrap();
    for (options, said, hint) in [
        (
            &[][..],
            "s/LINES, s/SPACE in a .env file is read alike",
            "--for node, --for python or --for sh",
        ),
        (
            &["--for", "docker"],
            "s/LINES in a .env file is read by docker",
            "--for node, --for python or --for sh",
        ),
        (
            &["--only", "SPACE"],
            "s/SPACE",
            "--for node, --for python, --for docker or --for sh",
        ),
    ] {
        let run = home.run(["export", "s", "-o", ".env"].iter().chain(options));
        let run = run.failed(2, &[said, hint]);
        assert!(!run.stderr.contains("m4rked"), "{}", run.stderr);
        assert_eq!(fs::read_to_string(home.root().join(".env")).unwrap(), "old");
    }
    fs::remove_file(home.root().join(".env")).unwrap();
    for (reader, file) in [
        (
            "node",
            "LINES='m4rked\nline'\nPLAIN=ghp_abc123\nSPACE='m4rked #x'\n",
        ),
        (
            "python",
            "LINES='m4rked\nline'\nPLAIN=ghp_abc123\nSPACE='m4rked #x'\n",
        ),
        (
            "sh",
            "LINES='m4rked\nline'\nPLAIN=ghp_abc123\nSPACE='m4rked #x'\n",
        ),
    ] {
        let run = home.run(["export", "s", "--for", reader]).succeeded();
        assert_eq!(run.text(), file, "{reader}");
    }
    let docker = home.run(["export", "s", "--for", "docker", "--only", "SPACE,PLAIN"]);
    assert_eq!(
        docker.succeeded().text(),
        "PLAIN=ghp_abc123\nSPACE=m4rked #x\n"
    );
    let plain = home.run(["export", "s", "--only", "PLAIN"]).succeeded();
    assert_eq!(plain.text(), "PLAIN=ghp_abc123\n");
    for format in ["json", "yaml", "shell"] {
        home.run(["export", "s", "--format", format]).succeeded();
        home.run(["export", "s", "--format", format, "--for", "node"])
            .failed(2, &["--for node is for .env files", "--format dotenv"]);
    }
    home.run(["export", "s", "--for", "ruby"])
        .failed(2, &["possible values: node, python, docker, sh"]);
}

/// Bytes that a reader has no notation for are no base64 in its file.
#[test]
fn a_value_that_no_environment_holds_is_an_error_for_a_reader() {
    let home = filled(&[("NUL", "a\0b"), ("TOKEN", "ghp_abc123")]);
    for reader in ["node", "python", "docker", "sh"] {
        home.run(["export", "s", "--for", reader])
            .failed(2, &["no notation for s/NUL", "--format json"]);
    }
    let all = home.run(["export", "s"]).succeeded();
    assert_eq!(all.text(), "NUL=mcplexer+base64:YQBi\nTOKEN=ghp_abc123\n");
}
