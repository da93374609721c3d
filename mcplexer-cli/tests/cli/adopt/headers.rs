//! Header fields in the arguments of `mcp-remote`, which replaces `${NAME}` in them with a variable.

use std::fs;

use serde_json::{Value, json};

use super::tokens;
use crate::home::{Home, finish, write_program};

/// Stands in for `npx`: sends a header field as `mcp-remote` does, into a file, and keeps its arguments.
const NPX: &str = r#"#!/bin/bash
printf '%s\n' "$@" >"$HOME/given"
: >"$HOME/sent"
while [ $# -gt 0 ]; do
    if [ "$1" = --header ]; then
        name=${2%%:*} value=${2#*:}
        while [[ $value =~ ^([^$]*)\$\{([^}]+)\}(.*)$ ]]; do
            value=${BASH_REMATCH[1]}${!BASH_REMATCH[2]}${BASH_REMATCH[3]}
        done
        echo "$name: ${value# }" >>"$HOME/sent"
        shift
    fi
    shift
done
"#;

fn home() -> Home {
    let home = Home::new();
    fs::create_dir(home.root().join("bin")).unwrap();
    write_program(&home.root().join("bin/npx"), NPX);
    home
}

/// Starts an entry as a client does; returns the fields that it sends. No argument has any of their values.
fn sent(home: &Home, entry: &Value) -> String {
    let mut server = home.command_of(entry["command"].as_str().unwrap().as_ref());
    for (name, value) in entry["env"].as_object().into_iter().flatten() {
        server.env(name, value.as_str().unwrap());
    }
    let arguments = entry["args"].as_array().unwrap();
    finish(server.args(arguments.iter().map(|it| it.as_str().unwrap()))).succeeded();
    let given = fs::read_to_string(home.root().join("given")).unwrap();
    assert!(
        given.contains("Authorization:${AUTHORIZATION}\n"),
        "{given}"
    );
    fs::read_to_string(home.root().join("sent")).unwrap()
}

#[test]
fn a_field_becomes_a_variable_of_the_server() {
    let token = &tokens()["github"];
    let bearer = format!("Bearer {token}");
    for (fields, environment) in [
        (vec![format!("Authorization: {bearer}")], json!(null)),
        (vec![format!("Authorization:{bearer}")], json!({})),
        (
            vec![format!("Authorization: {token}")],
            json!({"LOG": "debug"}),
        ),
        (
            vec![
                format!("Authorization: {bearer}"),
                format!("X-Api-Key:{token}1"),
            ],
            json!({"LOG": "debug", "A_TOKEN": token}),
        ),
        (
            vec![
                format!("Authorization: {bearer}"),
                format!("X-Api-Key: {token}1"),
            ],
            json!(null),
        ),
        (
            vec![
                format!("X-Api-Key: {token}1"),
                format!("Authorization: {bearer}"),
            ],
            json!({}),
        ),
    ] {
        for is_pretty in [false, true] {
            let home = home();
            let npx = home.root().join("bin/npx");
            let mut arguments = vec!["-y", "mcp-remote@0.1.29", "https://mcp.example.org/mcp"];
            for field in &fields {
                arguments.extend(["--header", field]);
            }
            let mut entry = json!({"command": npx, "args": arguments});
            if !environment.is_null() {
                entry["env"] = environment.clone();
            }
            let file = json!({"mcpServers": {"a": entry, "b": {"command": "x"}}});
            let text = match is_pretty {
                true => serde_json::to_string_pretty(&file).unwrap(),
                false => file.to_string(),
            };
            let path = home.root().join("c.json");
            fs::write(&path, &text).unwrap();
            let run = home.run(["adopt", "c.json", "--write"]).succeeded();
            assert!(run.text().contains("→ a/AUTHORIZATION\n"), "{}", run.text());
            let adopted = fs::read_to_string(&path).unwrap();
            assert!(!adopted.contains(token.as_str()), "{adopted}");
            assert!(!adopted.contains("--allow-arguments"), "{adopted}");
            let document: Value = serde_json::from_str(&adopted).unwrap();
            let expected = fields.iter().map(|field| {
                let (name, value) = field.split_once(':').unwrap();
                format!("{name}: {}\n", value.trim())
            });
            let sent = sent(&home, &document["mcpServers"]["a"]);
            assert_eq!(sent, expected.collect::<String>(), "{adopted}");
            let again = home.run(["adopt", "c.json"]).succeeded();
            assert!(
                again.stderr.starts_with("0 credentials to move"),
                "{}",
                again.text()
            );
            home.run(["adopt", "--undo", "c.json"]).succeeded();
            assert_eq!(fs::read_to_string(&path).unwrap(), text, "{adopted}");
        }
    }
}

/// In every format, each with variables or without.
#[test]
fn fields_of_every_format_move_and_come_back() {
    let token = tokens()["github"].clone();
    for (name, text) in [
        (
            "a.toml",
            "[mcp_servers.a]\ncommand = \"npx\"\nargs = [\"mcp-remote\", \"https://h/mcp\", \"--header\", 'Authorization: Bearer @@'] # why\n",
        ),
        (
            "b.toml",
            "[mcp_servers.a]\ncommand = \"npx\"\nargs = [\"mcp-remote\", \"https://h/mcp\", \"--header\", \"Authorization:@@\"]\n\n[mcp_servers.a.env]\n# more\nLOG = \"debug\"\n",
        ),
        (
            "c.toml",
            "[mcp_servers.a]\ncommand = \"npx\"\nenv = { LOG = \"debug\" }\nargs = [\"mcp-remote\", \"https://h/mcp\", \"--header\", \"Authorization:@@\"]\n",
        ),
        (
            "d.toml",
            "[mcp_servers]\na.command = \"npx\"\na.env.LOG = \"debug\"\na.args = [\"mcp-remote\", \"https://h/mcp\", \"--header\", \"Authorization:@@\"]\n",
        ),
        (
            "a.yaml",
            "mcpServers:\n  - name: a\n    command: npx\n    args:\n      - mcp-remote\n      - https://h/mcp\n      - --header\n      - \"Authorization: Bearer @@\"\n",
        ),
        (
            "b.yaml",
            "mcpServers:\n  a:\n    args: [mcp-remote, \"https://h/mcp\", --header, \"Authorization: Bearer @@\"]\n    command: npx\n    env:\n      # more\n      LOG: debug\n",
        ),
        (
            "c.yaml",
            "mcpServers:\n  - args: [mcp-remote, \"https://h/mcp\", --header, \"Authorization: Bearer @@\"]\n    command: npx\n    name: a\n",
        ),
        (
            "goose.yaml",
            "extensions:\n  a:\n    cmd: npx\n    args:\n    - mcp-remote\n    - https://h/mcp\n    - --header\n    - 'Authorization: Bearer @@'\n    envs: {}\n",
        ),
        (
            "opencode.json",
            "{\"mcp\": {\"a\": {\"type\": \"local\",\n  \"command\": [\"npx\", \"mcp-remote\", \"https://h/mcp\", \"--header\", \"Authorization: Bearer @@\"]\n}}}",
        ),
        (
            "crlf.json",
            "{\"mcpServers\": {\"a\": {\r\n\t\"command\": \"npx\", // npx\r\n\t\"args\": [\"mcp-remote\", \"https://h/mcp\", \"--header\", \"Authorization: Bearer @@\"],\r\n\t\"env\": {\r\n\t\t\"LOG\": \"debug\"\r\n\t}\r\n}}}",
        ),
        (
            "adopted.json",
            "{\"mcpServers\": {\"a\": {\"command\": \"mcplexer\", \"args\": [\"run\", \"npx\", \"mcp-remote\", \"https://h/mcp\", \"--header\", \"Authorization: Bearer @@\"], \"env\": { }}}}",
        ),
    ] {
        let home = Home::new();
        let text = text.replace("@@", &token);
        let path = home.root().join(name);
        fs::write(&path, &text).unwrap();
        let run = home.run(["adopt", name, "--write"]).succeeded();
        let adopted = fs::read_to_string(&path).unwrap();
        assert!(!adopted.contains(&token), "{name}: {}{adopted}", run.text());
        assert!(
            adopted.contains("Authorization:${AUTHORIZATION}"),
            "{adopted}"
        );
        home.run(["adopt", "--undo", name]).succeeded();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            text,
            "{name}: {adopted}"
        );
    }
}

/// The client or a shell would replace the variable, or the command would not get it.
#[test]
fn a_field_stays_where_something_else_would_replace_the_variable() {
    let token = &tokens()["github"];
    let field = format!("Authorization: Bearer {token}");
    for (name, command) in [
        (".claude.json", &["npx", "mcp-remote"][..]),
        (".mcp.json", &["npx", "mcp-remote"]),
        (".kiro/settings/mcp.json", &["npx", "mcp-remote"]),
        (".factory/mcp.json", &["npx", "mcp-remote"]),
        ("c.json", &["docker", "run", "mcp-remote"]),
        ("c.json", &["sh", "mcp-remote"]),
        ("c.json", &["npx", "another"]),
    ] {
        let home = Home::new();
        let path = home.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let arguments = [&command[1..], &["https://h/mcp", "--header", &field]].concat();
        let entry = json!({"command": command[0], "args": arguments});
        let text = json!({"mcpServers": {"a": entry}}).to_string();
        fs::write(&path, &text).unwrap();
        let run = home.run(["adopt", name, "--write"]).succeeded();
        let kept = "kept: other programs can see arguments";
        assert!(
            run.text().contains(kept),
            "{name} {command:?}: {}",
            run.text()
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        home.run(["adopt", name, "--write", "--allow-arguments"])
            .succeeded();
        let adopted = fs::read_to_string(&path).unwrap();
        assert!(!adopted.contains(token.as_str()) && adopted.contains("Bearer mcplexer://"));
        home.run(["adopt", name, "--undo"]).succeeded();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}
