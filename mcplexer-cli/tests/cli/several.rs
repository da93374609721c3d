//! Several secrets at once, and those of all scopes.

use super::home::{Home, Run, finish};

fn with_four() -> Home {
    let home = Home::new();
    for (scope, key, value) in [
        ("shop", "DB_USER", "m4rked-shop-user"),
        ("shop", "DB_PASSWORD", "m4rked-shop-password"),
        ("shop", "API_KEY", "m4rked-shop-key"),
        ("web", "TOKEN", "m4rked-web-token"),
    ] {
        home.run(["secret", "put", scope, key, value]).succeeded();
    }
    let note = ["secret", "edit", "web/TOKEN", "--note", "Read-only, for CI"];
    home.run(note).succeeded();
    home
}

fn json(run: &Run) -> serde_json::Value {
    serde_json::from_slice(&run.stdout).unwrap()
}

#[test]
fn several_secrets_are_deleted_together_or_not_at_all() {
    let home = with_four();
    home.run(["secret", "delete", "shop", "DB_USER", "DB_PASWORD"])
        .failed(
            4,
            &[
                "no secret DB_PASWORD in scope shop",
                "did you mean DB_PASSWORD?",
            ],
        );
    let names = || {
        home.run(["secret", "list", "shop"])
            .succeeded()
            .text()
            .to_owned()
    };
    assert_eq!(names(), "API_KEY\nDB_PASSWORD\nDB_USER\n");
    home.run(["secret", "delete", "shop", "DB_USER", "DB_USER"])
        .failed(4, &["no secret DB_USER"]);
    assert_eq!(names(), "API_KEY\nDB_PASSWORD\nDB_USER\n");
    let deleted = home.run(["secret", "rm", "shop/DB_USER", "shop/DB_PASSWORD"]);
    assert_eq!(
        deleted.succeeded().stderr,
        "deleted shop/DB_USER\ndeleted shop/DB_PASSWORD\n"
    );
    assert_eq!(names(), "API_KEY\n");
    let other = ["secret", "rm", "shop/API_KEY", "web/TOKEN"];
    home.run(other).failed(2, &["secret name has '/'"]);
    assert_eq!(names(), "API_KEY\n");
}

#[test]
fn values_are_printed_as_json_with_what_is_said_about_them() {
    let home = with_four();
    let one = json(
        &home
            .run(["secret", "get", "web", "TOKEN", "--json"])
            .succeeded(),
    );
    assert_eq!(one["scope"], "web");
    assert_eq!(one["key"], "TOKEN");
    assert_eq!(one["version"], 1);
    assert_eq!(one["value"], "m4rked-web-token");
    assert_eq!(one["note"], "Read-only, for CI");
    assert!(one["base64"].is_null());
    let two = ["secret", "get", "shop/DB_USER", "shop/API_KEY", "--json"];
    let two = json(&home.run(two).succeeded());
    assert_eq!(two["secrets"][0]["key"], "DB_USER");
    assert_eq!(two["secrets"][1]["value"], "m4rked-shop-key");
    assert_eq!(two["secrets"][2], serde_json::Value::Null);
    home.run(["secret", "get", "shop", "DB_USER", "X", "--json"])
        .failed(4, &["no secret X"]);

    let binary = home.pipe(["secret", "put", "web", "TOKEN"], b"\xff\x00\n\n");
    binary.succeeded();
    let binary = json(
        &home
            .run(["secret", "get", "web/TOKEN", "--json"])
            .succeeded(),
    );
    assert!(binary["value"].is_null());
    assert_eq!(binary["base64"], "/wAK");
    let earlier = ["secret", "get", "web/TOKEN", "--version", "1", "--json"];
    let earlier = json(&home.run(earlier).succeeded());
    assert_eq!(earlier["version"], 1);
    assert_eq!(earlier["value"], "m4rked-web-token");
    assert!(earlier["updated"].as_str() < binary["updated"].as_str());
}

#[test]
fn several_values_need_json_and_an_agent_sees_none() {
    let home = with_four();
    home.run(["secret", "get", "shop", "DB_USER", "API_KEY"])
        .failed(2, &["could not be told apart", "--json"]);
    let version = [
        "secret",
        "get",
        "shop",
        "A",
        "B",
        "--json",
        "--version",
        "1",
    ];
    home.run(version)
        .failed(2, &["--version is for one secret"]);
    let mut command = home.command();
    command.env("CLAUDECODE", "1");
    let get = ["secret", "get", "shop", "DB_USER", "API_KEY", "--json"];
    let run = finish(command.args(get));
    let run = run.failed(
        3,
        &[
            "Claude Code is running this command",
            "mcplexer run --scope shop --only DB_USER,API_KEY -- COMMAND",
        ],
    );
    assert!(!format!("{run:?}").contains("m4rked"));
    let revealed = finish(command.arg("--reveal")).succeeded();
    assert!(revealed.text().contains("m4rked-shop-user"));
}

#[test]
fn the_secrets_of_all_scopes_are_listed_and_found() {
    let home = with_four();
    let lines = |arguments: &[&str]| home.run(arguments).succeeded().text().to_owned();
    let all = "shop/API_KEY\nshop/DB_PASSWORD\nshop/DB_USER\nweb/TOKEN\n";
    assert_eq!(lines(&["secret", "list", "--all"]), all);
    for (pattern, found) in [
        ("db_", "shop/DB_PASSWORD\nshop/DB_USER\n"),
        ("SHOP", "shop/API_KEY\nshop/DB_PASSWORD\nshop/DB_USER\n"),
        ("for ci", "web/TOKEN\n"),
        ("*_key", "shop/API_KEY\n"),
        ("web/t?ken", "web/TOKEN\n"),
    ] {
        assert_eq!(lines(&["secret", "find", pattern]), found, "{pattern}");
    }
    let long = lines(&["secret", "find", "ci", "--long"]);
    assert!(long.starts_with("SECRET     VERSION  STORED"), "{long}");
    assert!(long.contains("Read-only, for CI"), "{long}");
    for arguments in [
        &["secret", "list", "--all", "--json"][..],
        &["secret", "find", "token", "--json"],
    ] {
        let found = json(&home.run(arguments).succeeded());
        let last = found["secrets"].as_array().unwrap().last().unwrap();
        assert_eq!(
            (&last["scope"], &last["name"]),
            (&"web".into(), &"TOKEN".into())
        );
    }
    // Values are not searched.
    let nothing = home.run(["secret", "find", "m4rked"]);
    nothing.failed(
        4,
        &[
            "no secret matches the pattern",
            "mcplexer secret list --all",
        ],
    );
    let nothing = home.run(["secret", "find", "m4rked", "--json"]);
    assert_eq!(
        (nothing.code, json(&nothing)),
        (4, serde_json::json!({"secrets": []}))
    );
    home.run(["secret", "list", "shop", "--all"])
        .failed(2, &["cannot be used with"]);
    home.run(["secret", "list", "--long"]).failed(2, &["--all"]);
    let empty = Home::new();
    let listed = empty.run(["secret", "list", "--all"]).succeeded();
    assert!(
        listed.stderr.starts_with("there is no store in"),
        "{}",
        listed.stderr
    );
    let scopes = empty.run(["secret", "list"]).succeeded();
    assert_eq!(listed.stderr, scopes.stderr);
}

#[test]
fn run_takes_a_scope_in_short() {
    let home = with_four();
    let run = home.run([
        "run", "-s", "shop", "-s", "web", "--", "printenv", "DB_USER", "TOKEN",
    ]);
    assert_eq!(
        run.succeeded().text(),
        "m4rked-shop-user\nm4rked-web-token\n"
    );
}
