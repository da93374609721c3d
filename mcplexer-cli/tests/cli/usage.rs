//! Invalid input: exit 2, a helpful message, and nothing stored.

use std::fs;
use std::os::unix::fs::symlink;

use super::home::{Home, Run, finish};

mod documented;
mod meant;
mod named;
mod unsaid;

/// Checks that the command line was refused without repeating anything that may be a value.
#[track_caller]
pub(super) fn assert_refused(run: &Run) {
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(!run.stderr.contains("ghp_"), "{}", run.stderr);
    assert!(
        run.stderr.starts_with("mcplexer: error: "),
        "{}",
        run.stderr
    );
}

/// F03: no argument is dropped.
#[test]
fn a_value_in_pieces_is_refused_and_not_repeated() {
    let home = Home::new();
    let pieces: [&[&str]; 10] = [
        &["api", "K", "-hghp_x"],
        &["api", "K", "-qhghp_x"],
        &["api", "Authorization", "Bearer", "ghp_x"],
        &["api", "K", "-ghp_x"],
        &["api", "K", "--ghp_x"],
        &["api", "K", "--value=ghp_x"],
        &["api", "K", "--create=ghp_x"],
        &["api", "K", "--newline", "ghp_x"],
        &["api", "K", "--if-version", "ghp_x"],
        &["api", "ghp_x=y", "z"],
    ];
    for arguments in pieces {
        assert_refused(&home.run(["secret", "put"].iter().chain(arguments)));
    }
    assert_eq!(home.files().len(), 0, "something was stored");
}

/// F18: key names are checked at the edge.
#[test]
fn a_name_that_cannot_be_one_is_refused() {
    let home = Home::new();
    let long_id = "x".repeat(65);
    let long_name = "x".repeat(129);
    for (scope, key, said) in [
        (
            "GitHub",
            "K",
            "scope id has 'G' at character 1; it is 1 to 64 of a-z",
        ),
        ("", "K", "empty scope id"),
        ("a\nb", "K", "scope id has '\\n' at character 2"),
        (long_id.as_str(), "K", "65 bytes is too long"),
        ("s", "", "empty secret name"),
        ("s", "a\nb", "secret name has '\\n' at character 2"),
        (
            "s",
            "9K",
            "secret name in an env scope has '9' at character 1",
        ),
        ("s", "X-Api-Key", "secret name in an env scope has '-'"),
        ("s", long_name.as_str(), "129 bytes is too long"),
    ] {
        home.run(["secret", "put", scope, key, "v"])
            .failed(2, &[said, "hint: mcplexer "]);
    }
    assert!(!home.path("age.key").exists() || home.run(["secret", "list"]).text().is_empty());
    home.run(["scope", "create", "api", "--kind", "header"])
        .succeeded();
    home.run(["secret", "put", "api", "X-Api-Key", "v"])
        .succeeded();
    assert_eq!(home.get("api", "X-Api-Key"), b"v");
}

/// F34: a missing scope or secret is exit 4.
#[test]
fn what_is_not_there_is_named_and_what_may_be_meant_is_suggested() {
    let home = Home::with_secret("v");
    home.run(["secret", "get", "github-tokn", "TOKEN"]).failed(
        4,
        &["no scope github-tokn", "hint: did you mean github-token?"],
    );
    home.run(["secret", "get", "github-token", "TOKE"]).failed(
        4,
        &[
            "no secret TOKE in scope github-token",
            "did you mean TOKEN?",
        ],
    );
    home.run(["secret", "get", "github-token", "OTHER"])
        .failed(4, &["mcplexer secret list github-token"]);
    home.run(["secret", "list", "zzz"])
        .failed(4, &["no scope zzz", "mcplexer scope list"]);
    home.run(["secret", "delete", "github-token", "X"])
        .failed(4, &["no secret X"]);
    home.run(["scope", "show", "zzz"])
        .failed(4, &["no scope zzz"]);
    home.run(["scope", "delete", "zzz", "--force"])
        .failed(4, &["no scope zzz"]);
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
    let empty = Home::new();
    empty
        .run(["secret", "get", "s", "K"])
        .failed(4, &["no scope s", "there is no store in ~/.mcplexer"]);
    assert_eq!(empty.files().len(), 0, "asking made something");
}

#[test]
fn what_is_there_is_not_made_again() {
    let home = Home::with_secret("v");
    home.run(["scope", "create", "github-token"])
        .failed(8, &["already exists"]);
    home.run(["key", "init"])
        .failed(8, &["already exists", "mcplexer key show"]);
    let fresh = Home::new();
    let made = fresh.run(["key", "init"]).succeeded();
    assert!(made.stderr.contains("Created your key ~/.mcplexer/age.key"));
    assert!(fresh.run(["secret", "list"]).succeeded().text().is_empty());
}

/// F37: no command waits for an answer.
#[test]
fn without_a_terminal_a_question_fails() {
    let home = Home::with_secret("v");
    home.run(["scope", "delete", "github-token"])
        .failed(2, &["needs a confirmation", "--force"]);
    home.run(["secret", "list", "--bogus"])
        .failed(2, &["--bogus"]);
    home.run(["scope", "create", "s", "--name", "\u{1b}[2J"])
        .failed(2, &["display name"]);
    home.run(["secret", "put", "s", "K", "--file", "missing"])
        .failed(1, &["cannot read", "missing"]);
    home.run(["secret", "put", "s", "K", "--file", "."])
        .failed(1, &["cannot read"]);
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
}

#[test]
fn quiet_says_nothing_but_errors() {
    let home = Home::new();
    let put = home.run(["-q", "secret", "put", "s", "K", "v"]).succeeded();
    assert_eq!(put.stderr, "");
    home.run(["secret", "get", "s", "X", "--quiet"])
        .failed(4, &["no secret X"]);
}

#[test]
fn a_secret_can_be_named_in_one_word() {
    let home = Home::new();
    home.run(["secret", "put", "tls/K", "v1"]).succeeded();
    home.run(["secret", "put", "mcplexer://tls/K", "v2"])
        .succeeded();
    for command in ["get", "edit --note 'x'", "restore --version 1", "history"] {
        let words = command.split(' ');
        let arguments = ["secret"].into_iter().chain(words).chain(["tls/K"]);
        home.run(arguments).succeeded();
    }
    let get = home.run(["secret", "get", "tls/K"]).succeeded();
    assert_eq!(get.text(), "v1");
    home.run(["secret", "get", "tls/"])
        .failed(2, &["scope id has '/' at character 4"]);
    home.run(["secret", "rm", "tls/K"]).succeeded();
    home.run(["secret", "get", "tls/K"])
        .failed(4, &["no secret K in scope tls"]);
}

#[test]
fn what_is_wrong_with_an_argument_is_told_with_what_is_wanted() {
    let home = Home::with_secret("v");
    home.run(["secret", "put", "tls", "K", "v"]).succeeded();
    home.run(["secret", "get", "tsl", "K"])
        .failed(4, &["did you mean tls?"]);
    let get = home.run(["secret", "get"]);
    get.failed(2, &["SCOPE and KEY are missing"]);
    for arguments in [
        &["audit", "show", "--last", "x"][..],
        &["secret", "put", "s", "K", "v", "--if-version", "x"],
    ] {
        home.run(arguments)
            .failed(2, &[" takes a number, such as 3"]);
    }
    fs::write(home.root().join("plain"), "A=b").unwrap();
    for file in ["shop.env", "./shop.env", ".env", "plain"] {
        let import = home.run(["import", file]);
        import.failed(2, &[&format!("hint: mcplexer import SCOPE {file}")]);
    }
    let import = ["import", "shop.env", "--format", "dotenv"];
    home.pipe(import, b"A=b").succeeded();
}

#[test]
fn a_file_that_is_not_there_is_called_as_everywhere_else() {
    let home = Home::with_secret("v");
    home.run(["backup", "verify", "nope.age"])
        .failed(1, &["cannot read nope.age: No such file or directory"]);
    let create = home.run(["backup", "create", "nope/x.age"]);
    let create = create.failed(1, &["cannot write nope/x.age: No such file or directory"]);
    assert!(!create.stderr.contains("mcplexer-new"), "{}", create.stderr);
}

/// T11: the log is not another file of the home, which would wait for itself or be taken for a damaged log.
#[test]
fn an_audit_log_that_is_the_store_or_the_key_is_refused() {
    let home = Home::with_secret("v");
    fs::hard_link(home.path("secrets.redb"), home.path("linked")).unwrap();
    for (file, what) in [
        ("secrets.redb", "the store"),
        ("linked", "the store"),
        ("age.key", "the key file"),
    ] {
        let before = fs::read(home.path(file)).unwrap();
        let mut command = home.command();
        command.env("MCPLEXER_AUDIT", home.path(file));
        finish(command.args(["secret", "put", "s", "K", "w"])).failed(
            2,
            &[
                &format!("{file} is the same file as {what}"),
                "name another file with MCPLEXER_AUDIT",
            ],
        );
        assert_eq!(fs::read(home.path(file)).unwrap(), before, "{file}");
    }
    // The log of the home itself, put there as a link.
    for (is_symbolic, same) in [
        (true, "audit.log is the same file as the store"),
        (false, "age.key is the same file as the audit log"),
    ] {
        let home = Home::with_secret("v");
        fs::remove_file(home.path("audit.log")).unwrap();
        match is_symbolic {
            true => symlink("secrets.redb", home.path("audit.log")).unwrap(),
            false => fs::hard_link(home.path("age.key"), home.path("audit.log")).unwrap(),
        }
        for command in [
            "secret list",
            "secret put s K w",
            "audit verify",
            "key accept",
        ] {
            home.run(command.split(' ')).failed(2, &[same]);
        }
    }
}

/// Public fault: openshift/installer#1821. No shell has read a variable of a systemd unit or an AI client.
#[test]
fn a_path_does_not_depend_on_the_working_directory() {
    let home = Home::new();
    for directory in ["one", "two"] {
        fs::create_dir(home.root().join(directory)).unwrap();
    }
    let run = |directory: &str, variable: &str, path: &str, arguments: &[&str]| {
        let mut command = home.command();
        command.current_dir(home.root().join(directory));
        finish(command.env(variable, path).args(arguments))
    };
    let (put, get) = (
        ["secret", "put", "s", "K", "v"],
        ["secret", "get", "s", "K"],
    );
    for (variable, path, made) in [
        ("MCPLEXER_HOME", "~/x/y", "x/y/secrets.redb"),
        ("MCPLEXER_AGE_KEY", "~/k.key", "k.key"),
        ("MCPLEXER_AUDIT", "~/a.log", "a.log"),
    ] {
        run("one", variable, path, &put).succeeded();
        assert_eq!(run("two", variable, path, &get).succeeded().stdout, b"v");
        assert!(home.root().join(made).exists(), "{made}");
        let _ended = fs::remove_dir_all(home.path(""));
    }
    for variable in [
        "MCPLEXER_HOME",
        "MCPLEXER_AGE_KEY",
        "MCPLEXER_AUDIT",
        "HOME",
    ] {
        for path in ["x", "./x", "~root/x", "~+", "$HOME/x"] {
            run("one", variable, path, &put).failed(2, &[variable, path, "begins with / or ~/"]);
        }
    }
    for directory in ["one", "two"] {
        let mut made = fs::read_dir(home.root().join(directory)).unwrap();
        assert!(made.next().is_none());
    }
}

/// Services often run with the home `/nonexistent`.
#[test]
fn the_home_directory_of_the_user_is_not_made() {
    let home = Home::new();
    let none = home.root().join("none");
    for (variable, path) in [
        ("MCPLEXER_HOME", "".to_owned()),
        ("MCPLEXER_HOME", "~/m".to_owned()),
        ("MCPLEXER_HOME", none.join("deep/m").display().to_string()),
    ] {
        let mut command = home.command();
        command.env("HOME", &none).env(variable, path);
        finish(command.args(["secret", "put", "s", "K", "v"]))
            .failed(2, &["does not exist", "MCPLEXER_HOME"]);
        assert!(!none.exists());
    }
    let mut command = home.command();
    command
        .env("HOME", &none)
        .env("MCPLEXER_HOME", home.root().join("m"));
    finish(command.args(["secret", "put", "s", "K", "v"])).succeeded();
}

/// A mistyped `off` is noticed.
#[test]
fn a_new_audit_log_is_told_and_its_directory_is_not_made() {
    let home = Home::with_secret("v");
    let run = |log: &str| {
        let get = ["secret", "get", "github-token", "TOKEN"];
        finish(home.command().env("MCPLEXER_AUDIT", log).args(get))
    };
    run("~/nope/a").failed(2, &["MCPLEXER_AUDIT names ~/nope/a", "does not exist"]);
    assert!(!home.root().join("nope").exists());
    run("of").failed(2, &["MCPLEXER_AUDIT names of"]);
    let told = run("~/log").succeeded().stderr;
    assert_eq!(
        told,
        "created the audit log ~/log, which MCPLEXER_AUDIT names\n"
    );
    assert_eq!(run("~/log").succeeded().stderr, "");
}
