//! Secrets and scopes at other places.

use std::fs;

use super::home::Home;

const VALUE: &str = "m4rked-value-that-moves";

/// A home with `shop/TOKEN` in two versions, with a note.
fn with_versions() -> Home {
    let home = Home::new();
    for value in ["m4rked-value-of-before", VALUE] {
        home.run(["secret", "put", "shop", "TOKEN", value])
            .succeeded();
    }
    let note = ["secret", "edit", "shop/TOKEN", "--note", "for CI"];
    home.run(note).succeeded();
    home
}

#[test]
fn a_value_is_copied_and_none_is_overwritten_unless_forced() {
    let home = with_versions();
    let copied = home
        .run(["secret", "copy", "shop/TOKEN", "web/KEY"])
        .succeeded();
    assert_eq!(
        copied.stderr,
        "created scope web (env)\ncopied shop/TOKEN to web/KEY, version 1\n"
    );
    assert_eq!(home.get("web", "KEY"), VALUE.as_bytes());
    let long = home.run(["secret", "list", "web", "--long"]).succeeded();
    assert!(long.text().contains("for CI"), "{}", long.text());
    let again = ["secret", "cp", "mcplexer://shop/TOKEN", "web/KEY"];
    home.run(again).failed(
        8,
        &[
            "web/KEY already exists, at version 1",
            "--force replaces it",
        ],
    );
    home.run([&again[..], &["--force"]].concat()).succeeded();
    assert_eq!(home.get("shop", "TOKEN"), VALUE.as_bytes());
    home.run(["secret", "copy", "shop/TOKEN", "shop/TOKEN", "--force"])
        .failed(8, &["shop/TOKEN already exists"]);
    home.run(["secret", "copy", "shop/TOKN", "web/X"])
        .failed(4, &["no secret TOKN", "did you mean TOKEN?"]);
    home.run(["secret", "copy", "shop", "web/X"])
        .failed(2, &["shop is not SCOPE/KEY: the key is missing"]);
}

#[test]
fn a_secret_is_moved_and_renamed_with_its_versions() {
    let home = with_versions();
    let moved = home
        .run(["secret", "move", "shop/TOKEN", "web/KEY"])
        .succeeded();
    for said in [
        "moved shop/TOKEN to web/KEY, version 2, with 1 earlier version\n",
        "what refers to mcplexer://shop/TOKEN",
    ] {
        assert!(moved.stderr.contains(said), "{}", moved.stderr);
    }
    home.run(["secret", "get", "shop/TOKEN"])
        .failed(4, &["no secret TOKEN"]);
    home.run(["secret", "rename", "web", "KEY", "TOKEN"])
        .succeeded();
    home.run(["secret", "rename", "web/TOKEN", "NAME"])
        .succeeded();
    let earlier = home.run(["secret", "get", "web/NAME", "--version", "1"]);
    assert_eq!(earlier.succeeded().text(), "m4rked-value-of-before");
    home.run(["secret", "put", "web", "OTHER", "m4rked-other-value"])
        .succeeded();
    home.run(["secret", "rename", "web", "OTHER", "NAME"])
        .failed(
            8,
            &[
                "web/NAME already exists, at version 2",
                "--force replaces it",
            ],
        );
    assert_eq!(home.get("web", "NAME"), VALUE.as_bytes());
    home.run(["secret", "mv", "web/OTHER", "web/NAME", "--force"])
        .succeeded();
    assert_eq!(home.get("web", "NAME"), b"m4rked-other-value");
    home.run(["audit", "verify"]).succeeded();
}

#[test]
fn versions_that_the_new_scope_does_not_keep_are_told() {
    let home = with_versions();
    home.run(["scope", "create", "web", "--keep-versions", "0"])
        .succeeded();
    let moved = home
        .run(["secret", "move", "shop/TOKEN", "web/TOKEN"])
        .succeeded();
    let said = "1 earlier version more than scope web keeps: deleted";
    assert!(moved.stderr.contains(said), "{}", moved.stderr);
}

#[test]
fn a_scope_is_renamed_with_everything_in_it() {
    let home = with_versions();
    let renamed = home.run(["scope", "rename", "shop", "store"]).succeeded();
    let said = "renamed scope shop to store, with 1 secret\n";
    assert!(renamed.stderr.starts_with(said), "{}", renamed.stderr);
    assert_eq!(home.get("store", "TOKEN"), VALUE.as_bytes());
    let history = home.run(["secret", "history", "store/TOKEN"]).succeeded();
    assert_eq!(history.text().lines().count(), 3);
    home.run(["scope", "rename", "shop", "web"])
        .failed(4, &["no scope shop"]);
    home.run(["scope", "create", "web"]).succeeded();
    home.run(["scope", "rename", "store", "web"])
        .failed(8, &["scope web already exists"]);
}

#[test]
fn what_the_configuration_refers_to_keeps_its_name() {
    let home = with_versions();
    let config = "\
servers:
  one:
    command: [printenv]
    env: {TOKEN: 'mcplexer://shop/TOKEN', OTHER: 'mcplexer://web/TOKEN'}
  two:
    command: [printenv]
    scopes: [shop]
auth_scopes: [{id: shop, type: env}]
";
    fs::write(home.path("config.yaml"), config).unwrap();
    let rename = ["scope", "rename", "shop", "store"];
    home.run(rename).failed(
        2,
        &[
            "config.yaml refers to scope shop: servers.one.env.TOKEN, servers.two.scopes, auth_scopes",
            "write the new name there first",
        ],
    );
    home.run(["secret", "rename", "shop", "TOKEN", "KEY"])
        .failed(
            2,
            &["config.yaml refers to shop/TOKEN: servers.one.env.TOKEN\n"],
        );
    assert_eq!(home.get("shop", "TOKEN"), VALUE.as_bytes());
    home.run([
        "secret",
        "rename",
        "shop",
        "TOKEN",
        "KEY",
        "--leave-references",
    ])
    .succeeded();
    home.run(["secret", "rename", "shop", "KEY", "NAME"])
        .succeeded();
    home.run([&rename[..], &["--leave-references"]].concat())
        .succeeded();
    assert_eq!(home.get("store", "NAME"), VALUE.as_bytes());
    assert_eq!(
        fs::read_to_string(home.path("config.yaml")).unwrap(),
        config
    );
}
