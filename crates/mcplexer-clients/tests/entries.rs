//! What the files of clients say about their servers.

#![cfg(test)]

use mcplexer_clients::{ClientConfig, Reach, Syntax};

/// Returns each server of a file on a line.
fn entries(text: &str, syntax: Syntax) -> Vec<String> {
    let config = ClientConfig::parse(text.as_bytes(), syntax).unwrap();
    let shown = config.entries().into_iter().map(|entry| {
        let reach = match &entry.reach {
            Reach::Command { line, env } => format!("{line:?} {env:?}"),
            Reach::Url { url, headers } => format!("{url} {headers:?}"),
            _ => "?".to_owned(),
        };
        let mut shown = format!("{}: {reach}", entry.server.name);
        if let Some(directory) = entry.directory() {
            shown += &format!(" in {directory}");
        }
        if entry.is_disabled() {
            shown += " disabled";
        }
        for place in &entry.variables {
            shown += &format!(" ${place}");
        }
        for other in entry.others() {
            shown += &format!(" +{other}");
        }
        shown
    });
    shown.collect()
}

#[test]
fn servers_of_every_client_are_read() {
    let claude = r#"{"mcpServers": {
        "a": {"command": "npx", "args": ["-y", "srv", 8080], "env": {"K": "v", "N": 1, "Z": null}, "cwd": "/w"},
        "adopted": {"command": "/bin/mcplexer", "args": ["run", "npx", "-y"], "env": {"T": "mcplexer://s/T?adopted"}},
        "alone": {"command": "mcplexer", "args": ["run", "-q", "srv"]},
        "by hand": {"command": "mcplexer", "args": ["run", "--scope", "s", "--", "srv"]},
        "line": {"command": "npx -y srv"},
        "own": {"command": "srv", "args": ["--dir=${DIR}"], "env": {"T": "${TOKEN}", "U": "x"}, "envFile": ".env"}
    }}"#;
    assert_eq!(
        entries(claude, Syntax::Json),
        [
            r#"a: ["npx", "-y", "srv", "8080"] [("K", "v"), ("N", "1")] in /w"#,
            r#"adopted: ["npx", "-y"] [("T", "mcplexer://s/T")]"#,
            r#"alone: ["srv"] []"#,
            r#"by hand: ["mcplexer", "run", "--scope", "s", "--", "srv"] []"#,
            "line: ?",
            r#"own: ["srv", "--dir=${DIR}"] [("T", "${TOKEN}"), ("U", "x")] $argument 1 $env T +envFile"#,
        ]
    );
    let code = r#"{"servers": {"r": {"type": "http", "url": "https://h/mcp",
        "headers": {"Authorization": "Bearer mcplexer://r/T?moved", "X": "${input:key}"}, "disabled": true}}}"#;
    assert_eq!(
        entries(code, Syntax::Json),
        [
            r#"r: https://h/mcp [("Authorization", "Bearer mcplexer://r/T"), ("X", "${input:key}")] disabled $header X"#
        ]
    );
    let opencode = r#"{"mcp": {"o": {"type": "local", "command": ["bun", "x"], "environment": {"A": "b"}, "enabled": false}}}"#;
    assert_eq!(
        entries(opencode, Syntax::Json),
        [r#"o: ["bun", "x"] [("A", "b")] disabled"#]
    );
    let zed = r#"{"context_servers": {"z": {"command": {"path": "srv", "args": ["-x"], "env": {"A": "b"}}}}}"#;
    assert_eq!(
        entries(zed, Syntax::Json),
        [r#"z: ["srv", "-x"] [("A", "b")]"#]
    );
    let codex = "[mcp_servers.c]\ncommand = \"srv\"\nargs = []\nstartup_timeout_sec = 9\n[mcp_servers.c.env]\nA = 'b'\n";
    assert_eq!(
        entries(codex, Syntax::Toml),
        [r#"c: ["srv"] [("A", "b")] +startup_timeout_sec"#]
    );
    let goose =
        "extensions:\n  g:\n    cmd: uvx\n    args: [srv]\n    envs: {A: b}\n    enabled: true\n";
    assert_eq!(
        entries(goose, Syntax::Yaml),
        [r#"g: ["uvx", "srv"] [("A", "b")]"#]
    );
}

#[test]
fn debug_shows_no_value() {
    let text = r#"{"mcpServers": {"a": {"command": "hidden", "args": ["hidden"], "env": {"K": "hidden"}}}}"#;
    let config = ClientConfig::parse(text.as_bytes(), Syntax::Json).unwrap();
    let entry = &config.entries()[0];
    let shown = format!("{entry:?} {:?}", entry.reach);
    assert!(!shown.contains("hidden"), "{shown}");
}
