//! A store on a PostgreSQL server: two people, each with an own home and key.

use std::fs;

use test_support::PostgresServer;

use crate::home::{Home, Run, finish};

mod away;

/// What stands for a value in these tests.
const VALUE: &str = "m4rked-team-value";

fn run(home: &Home, url: &str, arguments: &[&str]) -> Run {
    let mut command = home.command();
    finish(command.env("MCPLEXER_STORE", url).args(arguments))
}

/// A server, and the URL of a store on it; `None` if PostgreSQL is not installed.
fn server() -> Option<(PostgresServer, String)> {
    let server = PostgresServer::start(&["fsync=off"])?;
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", server.port());
    Some((server, url))
}

#[test]
fn two_people_share_a_store_on_a_server() {
    let Some((server, url)) = server() else {
        return;
    };
    let (ann, bob) = (Home::new(), Home::new());
    let as_ann = |arguments: &[&str]| run(&ann, &url, arguments);
    let as_bob = |arguments: &[&str]| run(&bob, &url, arguments);

    let listed = as_ann(&["secret", "list"]).succeeded();
    assert!(
        listed.stderr.contains(&format!("no store at {url}")),
        "{}",
        listed.stderr
    );
    assert_eq!(
        server.sql("select count(*) from pg_namespace where nspname = 'mcplexer'"),
        "0"
    );
    as_ann(&["secret", "put", "github", "TOKEN", VALUE]).succeeded();
    assert!(!ann.path("secrets.redb").exists());
    assert_eq!(
        as_ann(&["secret", "get", "github", "TOKEN"])
            .succeeded()
            .text(),
        VALUE
    );

    let records =
        server.sql("select string_agg(encode(record, 'escape'), '') from mcplexer.records_1");
    assert!(!records.contains(VALUE));

    // Who has no key of it, or has not accepted it.
    for arguments in [
        &["secret", "get", "github", "TOKEN"][..],
        &["secret", "list"],
        &["secret", "list", "github"],
    ] {
        as_bob(arguments).failed(5, &["no key opens this store"]);
    }
    assert!(
        !bob.path("age.key").exists(),
        "no key is made beside a store"
    );
    let other = Home::with_secret("m4rked-other");
    fs::copy(other.path("age.key"), bob.path("age.key")).unwrap();
    let shown = other.run(["key", "show"]).succeeded();
    let mut lines = shown.text().lines();
    let recipient = lines.find_map(|it| it.strip_prefix("recipient")).unwrap();
    as_ann(&["key", "add", "--label", "bob", recipient.trim()]).succeeded();
    as_bob(&["secret", "list"]).failed(6, &["has not accepted it"]);
    as_bob(&["key", "accept"]).succeeded();
    assert_eq!(
        as_bob(&["secret", "get", "github", "TOKEN"])
            .succeeded()
            .text(),
        VALUE
    );

    // Both write; the logs of both stay whole.
    as_bob(&["secret", "put", "github", "OTHER", VALUE]).succeeded();
    as_ann(&["secret", "put", "github", "MORE", VALUE]).succeeded();
    let secrets = as_bob(&["secret", "list", "github"]).succeeded();
    assert_eq!(secrets.text(), "MORE\nOTHER\nTOKEN\n");
    as_ann(&["key", "remove", "bob"]).succeeded();
    as_bob(&["secret", "get", "github", "TOKEN"]).failed(5, &["no key opens this store"]);
    as_ann(&["doctor"]).succeeded();
    as_ann(&["audit", "verify"]).succeeded();
    as_bob(&["audit", "verify"]);
}

#[test]
fn a_server_that_is_not_there_and_a_wrong_url_lose_nothing() {
    let home = Home::new();
    let port = test_support::free_port();
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    run(&home, &url, &["secret", "put", "github", "TOKEN", VALUE])
        .failed(7, &["cannot be reached", "nothing was changed"]);
    for (url, code, said) in [
        (
            "postgres://ann:hunter2@db/team",
            2,
            "MCPLEXER_STORE has a password in it",
        ),
        ("/srv/store", 2, "MCPLEXER_STORE is not the URL of a store"),
        (
            "postgres://ann@db/team?sslmode=require",
            1,
            "sslmode=require does not check",
        ),
    ] {
        let run = run(&home, url, &["secret", "list"]).failed(code, &[said, "hint: "]);
        assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
    }
    assert!(!home.path("age.key").exists());
}
