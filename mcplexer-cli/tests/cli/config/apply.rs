//! `config apply`: which scopes it creates, updates and deletes.

use std::fs;

use serde_json::json;

use super::{SCOPES, VALUE, document, outside, scopes, with_config};
use crate::home::Home;
use crate::terminal::{end, start_at};

/// The store and the log, byte for byte.
fn bytes(home: &Home) -> (Vec<u8>, Vec<u8>) {
    let read = |name| fs::read(home.path(name)).unwrap();
    (read("secrets.redb"), read("audit.log"))
}

/// F17: the scopes that the file names are created.
#[test]
fn scopes_of_the_file_are_made_once_and_not_again() {
    let home = with_config(SCOPES);
    let check = home.run(["config", "check"]).succeeded();
    assert_eq!(
        check.text(),
        "~/.mcplexer/config.yaml: 3 scopes, no problems\n"
    );
    let before = bytes(&home);
    let planned = home.run(["config", "apply", "--dry-run"]).succeeded();
    let expected = "would create scope 007 (oauth2)\nwould create scope api (header)\nwould create scope github-token (env)\n";
    assert_eq!(planned.stderr, expected);
    assert!(bytes(&home) == before, "a dry run changed something");

    let applied = home.run(["config", "apply"]).succeeded();
    assert_eq!(applied.stderr, expected.replace("would create", "created"));
    let shown = home.run(["scope", "show", "api", "--json"]).succeeded();
    let shown = document(&shown);
    assert_eq!(shown["kind"], "header");
    assert_eq!(shown["name"], "The API: \"v2\"");
    assert_eq!(shown["redaction_hints"], json!(["X-Session"]));
    let table = home.run(["scope", "show", "api"]).succeeded();
    assert!(
        table.text().contains("hints    X-Session\n"),
        "{}",
        table.text()
    );
    assert_eq!(scopes(&home), ["007", "api", "github-token"]);

    let before = bytes(&home);
    let again = home.run(["config", "apply"]).succeeded();
    assert_eq!(
        again.stderr,
        "the store matches ~/.mcplexer/config.yaml; nothing to change\n"
    );
    assert!(bytes(&home) == before, "the second time changed something");
    home.run(["audit", "verify"]).succeeded();
}

/// F18: names and kinds are checked before the first change.
#[test]
fn a_kind_that_cannot_carry_what_is_there_changes_nothing() {
    let home = with_config(SCOPES);
    home.run(["secret", "put", "api", "X-Api-Key", "v"])
        .succeeded();
    let text = "auth_scopes: [{id: a}, {id: api, type: env}, {id: z}]\n";
    let before = home.run(["config", "show"]).succeeded();
    home.pipe(
        ["config", "apply", "-", "--prune", "--force"],
        text.as_bytes(),
    )
    .failed(
        2,
        &[
            "scope api cannot become env: it holds X-Api-Key",
            "mcplexer secret delete api X-Api-Key",
        ],
    );
    for id in ["A", "", "a b", "a\\n"] {
        let text = format!("auth_scopes: [{{id: \"{id}\"}}]");
        home.pipe(["config", "apply", "-"], text.as_bytes())
            .failed(2, &["invalid scope id: it is 1 to 64 of a-z"]);
    }
    assert_eq!(home.run(["config", "show"]).succeeded(), before);
    // Once the secret is deleted, the kind can change back.
    home.run(["secret", "delete", "api", "X-Api-Key"])
        .succeeded();
    let applied = home.pipe(["config", "apply", "-"], text.as_bytes());
    assert_eq!(
        applied.succeeded().stderr,
        "created scope a (env)\nchanged scope api (env)\ncreated scope z (env)\n"
    );
}

#[test]
fn scopes_that_the_file_does_not_name_stay_unless_told_otherwise() {
    let home = Home::with_secret(VALUE);
    let (_directory, path) = outside("auth_scopes: [{id: web}]\n");
    let path = path.to_str().unwrap();
    let applied = home.run(["config", "apply", path]).succeeded();
    assert_eq!(
        applied.stderr,
        "created scope web (env)\n1 scope is not in the file (kept; --prune deletes it)\n"
    );
    let prune = ["config", "apply", path, "--prune"];
    // F37: the command does not wait for an answer.
    home.run(prune)
        .failed(2, &["needs a confirmation", "--force"]);
    let planned = home.run([prune.as_slice(), &["--dry-run"]].concat());
    assert_eq!(
        planned.succeeded().stderr,
        "would delete scope github-token with 1 secret\n"
    );
    assert_eq!(home.get("github-token", "TOKEN"), VALUE.as_bytes());
    let pruned = home.run([prune.as_slice(), &["--force", "--json"]].concat());
    let expected = json!({
        "dry_run": false,
        "scopes": [
            { "scope": "github-token", "action": "delete", "secrets": 1 },
            { "scope": "web", "action": "same", "secrets": 0 },
        ],
    });
    assert_eq!(document(&pruned.succeeded()), expected);
    assert_eq!(scopes(&home), ["web"]);
    let log = home.run(["audit", "show", "--scope", "github-token"]);
    assert!(log.succeeded().text().contains("delete-scope"));
    // An empty list is valid.
    home.pipe(
        ["config", "apply", "-", "--prune", "--force"],
        b"auth_scopes: []",
    )
    .succeeded();
    assert!(scopes(&home).is_empty());
}

#[test]
fn pruning_asks_and_says_what_goes() {
    let home = Home::with_secret("v");
    home.run(["secret", "put", "old", "A", "v"]).succeeded();
    home.run(["secret", "put", "old", "B", "v"]).succeeded();
    home.run(["scope", "create", "stays"]).succeeded();
    fs::write(home.path("config.yaml"), "auth_scopes: [{id: stays}]\n").unwrap();
    for (answer, code) in [("n", 3), ("y", 0)] {
        let mut session = start_at(&home, &["config", "apply", "--prune"]);
        for line in [
            "not in ~/.mcplexer/config.yaml:",
            "  github-token with 1 secret",
            "  old with 2 secrets",
            "delete 2 scopes and 3 secrets? [y/N] ",
        ] {
            session.exp_string(line).unwrap();
        }
        session.send_line(answer).unwrap();
        let (text, ended) = end(session);
        assert_eq!(ended, code, "{text}");
        let left: &[&str] = match code {
            0 => &["stays"],
            _ => &["github-token", "old", "stays"],
        };
        assert_eq!(scopes(&home), left, "{text}");
    }
}

#[test]
fn what_is_shown_can_be_applied_and_changes_nothing() {
    let home = with_config(SCOPES);
    home.run(["config", "apply"]).succeeded();
    for (id, name) in [("n1", " yes "), ("n2", "#: [ü] \u{202e}🔑"), ("n3", "null")] {
        home.run(["scope", "create", id, "--name", name])
            .succeeded();
    }
    let shown = home.run(["config", "show"]).succeeded();
    assert!(!shown.text().contains('\u{202e}'), "it steers a terminal");
    fs::write(home.path("config.yaml"), &shown.stdout).unwrap();
    let before = bytes(&home);
    let applied = home.run(["config", "apply", "--prune"]).succeeded();
    assert!(
        applied.stderr.contains("nothing to change"),
        "{}",
        applied.stderr
    );
    assert!(bytes(&home) == before);
    // In another home it creates the same scopes.
    let other = Home::new();
    other
        .pipe(["config", "apply", "-"], &shown.stdout)
        .succeeded();
    assert_eq!(
        other.run(["config", "show"]).succeeded().stdout,
        shown.stdout
    );
    let empty = Home::new().run(["config", "show"]).succeeded();
    assert_eq!(empty.text(), "auth_scopes: []\n");
}
