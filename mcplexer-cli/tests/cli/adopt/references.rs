//! What `adopt` says of references that the file has already.

use std::fs;

use super::{config, tokens};
use crate::home::{Home, Run};

/// Returns what `adopt` says of a server with these members.
fn server(home: &Home, members: &str) -> Run {
    let text = format!("{{\"mcpServers\": {{\"gg\": {{{members}}}}}}}");
    fs::write(home.root().join("c.json"), text).unwrap();
    home.run(["adopt", "c.json"]).succeeded()
}

fn assert_says(run: &Run, row: &str) {
    assert!(run.text().contains(row), "{row} in {}", run.text());
}

fn with_secret() -> Home {
    let home = Home::new();
    home.pipe(["secret", "put", "gg", "GG_TOKEN"], b"acme-9931")
        .succeeded();
    home
}

#[test]
fn a_reference_to_a_secret_that_was_deleted_is_reported() {
    for delete in [
        &["scope", "delete", "gg", "--force"][..],
        &["secret", "delete", "gg", "GG_TOKEN"],
    ] {
        let home = Home::new();
        let token = &tokens()["github"];
        server(
            &home,
            &format!(r#""command": "sh", "env": {{"GG_TOKEN": "{token}"}}"#),
        );
        home.run(["adopt", "c.json", "--write"]).succeeded();
        let run = home.run(["adopt", "c.json"]).succeeded();
        assert_says(&run, "gg  env GG_TOKEN  already in the store  kept\n");
        home.run(delete).succeeded();
        let run = home.run(["adopt", "c.json"]).succeeded();
        assert_says(
            &run,
            "gg  env GG_TOKEN  refers to gg/GG_TOKEN, which does not exist  kept\n",
        );
        let hint = "mcplexer: hint: mcplexer secret put gg GG_TOKEN\n";
        assert!(run.stderr.contains(hint), "{}", run.stderr);
        let run = home.run(["adopt", "c.json", "--json"]).succeeded();
        assert_says(&run, "it refers to gg/GG_TOKEN, which does not exist");
    }
}

#[test]
fn a_reference_is_looked_up_in_the_store() {
    let home = with_secret();
    for (reference, row) in [
        ("mcplexer://gg/GG_TOKEN", "already in the store"),
        ("mcplexer://gg/GG_TOKEN?moved", "already in the store"),
        (
            "mcplexer://gg/OTHER",
            "refers to gg/OTHER, which does not exist",
        ),
        (
            "mcplexer://no/GG_TOKEN",
            "refers to no/GG_TOKEN, which does not exist",
        ),
        (
            "mcplexer://gg",
            "kept: invalid reference; expected mcplexer://scope/KEY",
        ),
    ] {
        let run = server(
            &home,
            &format!(
                r#""command": "mcplexer", "args": ["run", "sh"], "env": {{"A": "{reference}"}}"#
            ),
        );
        assert_says(&run, row);
    }
    // That store is another one.
    let run = server(
        &home,
        r#""command": "mcplexer", "args": ["run", "sh"], "env": {"A": "mcplexer://no/K", "MCPLEXER_HOME": "/srv/m"}"#,
    );
    assert_says(&run, "kept: the server has a home of its own");
}

#[test]
fn a_reference_of_a_server_that_starts_directly_is_reported() {
    let home = with_secret();
    let environment = r#""env": {"GG_TOKEN": "mcplexer://gg/GG_TOKEN?adopted"}"#;
    let unresolved = "gg  env GG_TOKEN  refers to gg/GG_TOKEN  kept: the server does not start through mcplexer run\n";
    for start in [
        r#""command": "sh""#,
        r#""command": "npx", "args": ["-y", "gg-mcp"]"#,
        r#""command": "x", "args": ["--key=mcplexer://gg/GG_TOKEN"]"#,
        r#""command": ["uvx", "gg-mcp"]"#,
        r#""url": "https://mcp.example.org/mcp""#,
    ] {
        let run = server(&home, &format!("{start}, {environment}"));
        assert_says(&run, unresolved);
        let hint = r#"hint: start gg with "command": "mcplexer", "args": ["run", COMMAND, …]"#;
        assert!(run.stderr.contains(hint), "{}", run.stderr);
    }
    for start in [
        r#""command": "/usr/bin/mcplexer", "args": ["run", "--mask", "sh"]"#,
        r#""command": "env", "args": ["mcplexer", "run", "sh"]"#,
        r#""command": "sh", "args": ["-c", "exec mcplexer run gg-mcp"]"#,
        r#""command": ["mcplexer", "run", "gg-mcp"]"#,
    ] {
        let run = server(&home, &format!("{start}, {environment}"));
        assert_says(&run, "already in the store");
    }
    // Another variable moves, so the server is to start through mcplexer run.
    let token = &tokens()["github"];
    let run = server(
        &home,
        &format!(
            r#""command": "sh", "env": {{"A": "mcplexer://gg/GG_TOKEN", "B_TOKEN": "{token}", "C": "mcplexer://gg/B_TOKEN"}}"#
        ),
    );
    assert_eq!(run.text().matches("already in the store").count(), 2);
}

/// A server whose command was put back by hand does not start through mcplexer, and undoing does not say so.
#[test]
fn undoing_does_not_claim_that_a_server_starts_through_mcplexer() {
    let home = with_secret();
    server(
        &home,
        r#""command": "sh", "env": {"GG_TOKEN": "mcplexer://gg/GG_TOKEN?adopted"}"#,
    );
    let run = home.run(["adopt", "--undo", "c.json"]).succeeded();
    assert!(run.stderr.starts_with("put 1 value back"), "{}", run.stderr);
    assert!(!run.stderr.contains("still starts"), "{}", run.stderr);
}

#[test]
fn the_reason_why_a_credential_stays_is_that_of_its_place() {
    let home = Home::new();
    let token = &tokens()["github"];
    let command = format!(r#""command": "x", "args": ["--token", "{token}"]"#);
    let header =
        format!(r#""url": "https://a.example", "headers": {{"Authorization": "Bearer {token}"}}"#);
    let url = format!(r#""url": "https://a.example/?key={token}""#);
    let member = format!(r#""command": "x", "auth": {{"clientSecret": "{token}"}}"#);
    for (members, reason) in [
        (
            command,
            "kept: other programs can see arguments; use a variable, or adopt --allow-arguments",
        ),
        (
            header,
            "kept: the client sends it itself; mcp-remote can take it from a variable",
        ),
        (
            url,
            "kept: the client connects itself; start mcp-remote through mcplexer run",
        ),
        (
            member,
            "kept: the client reads it itself, and not through mcplexer",
        ),
    ] {
        assert_says(&server(&home, &members), reason);
    }
    fs::write(home.root().join("c.json"), config("elsewhere.json")).unwrap();
    let run = home.run(["adopt", "c.json"]).succeeded();
    assert_says(
        &run,
        "kept: it is in no server; delete it if nothing reads it",
    );
}

/// `mcplexer run` refuses such variables, and the server would not start.
#[test]
fn a_variable_that_takes_over_the_command_stays() {
    let home = Home::new();
    let file = home.root().join("c.json");
    for name in ["NODE_OPTIONS", "LD_PRELOAD", "PATH"] {
        let config = format!(
            r#"{{"mcpServers":{{"p":{{"command":"printenv","args":["{name}"],"env":{{"{name}":"--token=ghp_16C7e42F292c6912E7710c838347Ae178B4a"}}}}}}}}"#
        );
        fs::write(&file, &config).unwrap();
        let only = ["adopt", "c.json", "--only", name, "--write"];
        let run = home.run(only);
        assert!(run.text().contains("kept: the variable "), "{}", run.text());
        assert_eq!(fs::read_to_string(&file).unwrap(), config);
    }
}
