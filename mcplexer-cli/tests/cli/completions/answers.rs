//! What the command answers to the script of a shell.

use std::fs;
use std::sync::Arc;

use mcplexer_secrets::audit::{Actor, CallId, CallRecord, CallStep, FileAudit};
use mcplexer_secrets::keys::FileKeys;
use mcplexer_secrets::{Store, Timestamp};

use super::{add_owner, ask};
use crate::home::{Home, finish};

/// Returns the candidates, without what is said about them.
fn candidates(home: &Home, words: &[&str]) -> Vec<String> {
    let run = ask(home, words).succeeded();
    assert_eq!(run.stderr, "", "{words:?}");
    let lines = run.text().lines();
    let names = lines.map(|it| it.split('\t').next().unwrap_or_default().to_owned());
    names.collect()
}

#[test]
fn each_argument_has_the_names_that_it_takes() {
    let home = Home::new();
    for (scope, key) in [("web", "A"), ("web", "B"), ("db", "C")] {
        home.run(["secret", "put", scope, key, "v"]).succeeded();
    }
    home.run(["server", "add", "files", "--", "true"])
        .succeeded();
    let config = fs::read_to_string(home.path("config.yaml")).unwrap();
    let clients = format!("{config}clients:\n  cursor:\n    servers: [files]\n");
    fs::write(home.path("config.yaml"), clients).unwrap();
    home.run(["client", "add", "bot"]).succeeded();
    add_owner(&home, "alice");
    let log = FileAudit::new(home.path("audit.log"));
    let keys = FileKeys::new(home.path("age.key"));
    let store = Store::open(home.path("secrets.redb"), keys).unwrap();
    let call = CallRecord {
        time: Timestamp::now(),
        id: CallId::new(1),
        actor: Arc::new(Actor::this_process().with_client("zed")),
        server: "removed".into(),
        step: CallStep::Begun {
            method: "ping".into(),
            object: None,
            secrets: Vec::new().into(),
            arguments: None,
        },
    };
    store.with_audit_log(log).record_calls(&[call]).unwrap();
    for (words, expected) in [
        (&["scope", "show", ""][..], &["db", "web"][..]),
        (&["scope", "create", ""], &[]),
        (&["secret", "list", "w"], &["web"]),
        (&["secret", "list", "web/"], &[]),
        (&["import", ""], &["db", "web"]),
        (&["export", ""], &["db", "web"]),
        (&["export", "-o", "x", "web", "--only", ""], &["A", "B"]),
        (&["export", "web", "--only", "A,"], &["A,A", "A,B"]),
        (&["audit", "show", "--scope", ""], &["db", "web"]),
        (&["calls", "--server", ""], &["files", "removed"]),
        (&["calls", "--client", ""], &["cursor", "zed"]),
        (&["secret", "delete", "web", ""], &["A", "B"]),
        (&["-q", "secret", "get", "--version", "3", "db", ""], &["C"]),
        (&["secret", "get", "none", ""], &[]),
        (&["secret", "get", "web/"], &["web/A", "web/B"]),
        (
            &["secret", "get", "mcplexer://"],
            &["mcplexer://db/", "mcplexer://web/"],
        ),
        (
            &["run", "--scope", "web", "--scope=db", "--only", ""],
            &["A", "B", "C"],
        ),
        (&["run", "--scope", "web", "--only", "w/"], &[]),
        (
            &["run", "--scope", "web", "--only", "web/"],
            &["web/A", "web/B"],
        ),
        (&["run", "--scope", "db", "--rename", ""], &["C="]),
        (&["run", "--scope", "db", "--rename", "C=x"], &[]),
        (&["server", "logs", ""], &["files"]),
        (&["serve", "--server", ""], &["files"]),
        (&["connect", "--client", ""], &["cursor"]),
        (&["client", "remove", ""], &["bot"]),
        (
            &["client", "install", "claude"],
            &["claude-code", "claude-desktop"],
        ),
        (&["key", "remove", "al"], &["alice"]),
        (&["key", "recover", "--lost", "al"], &["alice"]),
        (
            &["import", "web", "--format", ""],
            &["dotenv", "json", "yaml"],
        ),
        (&["man", "secret", "p"], &["put"]),
        (&["server", "add", "x", ""], &[]),
        (&["secret", "get", "web", "A", ""], &["A", "B"]),
        (&["secret", "put", "web", "A", ""], &[]),
    ] {
        assert_eq!(candidates(&home, words), expected, "{words:?}");
    }
}

#[test]
fn hidden_commands_and_options_are_not_offered() {
    let home = Home::new();
    let commands = candidates(&home, &[""]);
    assert!(commands.contains(&"secret".into()), "{commands:?}");
    assert!(!commands.contains(&"exit-codes".into()), "{commands:?}");
    assert_eq!(candidates(&home, &["exit"]), [""; 0]);
    assert_eq!(candidates(&home, &["secret", "l"]), ["list"]);
    assert_eq!(candidates(&home, &["secret", "ls"]), [""; 0]);
    assert_eq!(candidates(&home, &["serve", "--back"]), [""; 0]);
    fs::write(home.root().join(".hidden"), "").unwrap();
    assert_eq!(candidates(&home, &["scan", ""]), [""; 0]);
    assert_eq!(candidates(&home, &["scan", ".h"]), [".hidden"]);
}

/// A file that is damaged, exposed or not a store at all says nothing at a prompt.
#[test]
fn what_cannot_be_read_has_no_names() {
    let words = ["secret", "get", ""];
    let home = Home::with_secret("v");
    let store = home.path("secrets.redb");
    let whole = fs::read(&store).unwrap();
    assert_eq!(candidates(&home, &words), ["github-token"]);
    for (at, byte) in [(0, 0), (4096, 0xff), (whole.len() / 2, 0xff)] {
        let mut damaged = whole.clone();
        damaged[at..].fill(byte);
        fs::write(&store, damaged).unwrap();
        assert_eq!(candidates(&home, &words), [""; 0]);
    }
    fs::write(home.path("config.yaml"), "servers: 3\n").unwrap();
    assert_eq!(candidates(&home, &["server", "show", ""]), [""; 0]);
}

/// Text that another owner has written could steer the terminal.
#[test]
fn names_that_steer_a_terminal_are_not_offered() {
    let home = Home::new();
    for name in ["a\u{1b}[2J", "b\nc", "plain"] {
        fs::write(home.root().join(name), "").unwrap();
    }
    assert_eq!(candidates(&home, &["scan", ""]), ["plain"]);
}

#[test]
fn the_variable_alone_changes_no_command() {
    let home = Home::with_secret("v");
    let mut command = home.command();
    command.args(["secret", "list"]);
    let run = finish(command.env("MCPLEXER_COMPLETE", "bash")).succeeded();
    assert_eq!(run.text(), "github-token\n");
    let mut command = home.command();
    command.args(["--", "mcplexer", "sec"]);
    let run = finish(command.env("MCPLEXER_COMPLETE", "tcsh"));
    assert_eq!(run.code, 2, "{}", run.stderr);
}
