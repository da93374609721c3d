//! `adopt --allow-arguments`: credentials within the arguments of a server.

use std::fs;

use serde_json::{Value, json};

use super::tokens;
use crate::home::{Home, finish, write_program};

/// Writes its arguments, each with a NUL byte after it.
const SERVER: &str = "#!/bin/sh\nprintf '%s\\0' \"$@\" >\"$HOME/given\"\n";

/// Returns a home with the program `server` in it.
fn with_server() -> Home {
    let home = Home::new();
    write_program(&home.root().join("server"), SERVER);
    home
}

/// Starts the entry `a` of an adopted file as a client does; returns the arguments that the server got.
fn started(home: &Home) -> Vec<String> {
    let text = fs::read_to_string(home.root().join("c.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let entry = &document["mcpServers"]["a"];
    let mut server = home.command_of(entry["command"].as_str().unwrap().as_ref());
    for (name, value) in entry["env"].as_object().into_iter().flatten() {
        server.env(name, value.as_str().unwrap());
    }
    let arguments = entry["args"].as_array().unwrap();
    finish(server.args(arguments.iter().map(|it| it.as_str().unwrap()))).succeeded();
    let given = fs::read_to_string(home.root().join("given")).unwrap();
    given.split_terminator('\0').map(str::to_owned).collect()
}

/// The arguments of a server, the text in them that must not stay, and the secret that it becomes.
fn forms() -> Vec<(Vec<String>, String, &'static str)> {
    let token = &tokens()["github"];
    let word = "tR4fK9wQ2xZ7mB5n";
    let form = |arguments: &[&str], value: &str, name| {
        let fill = |it: &&str| it.replace("{}", value);
        (arguments.iter().map(fill).collect(), value.to_owned(), name)
    };
    vec![
        form(&["--token={}"], token, "TOKEN"),
        form(&["--api-key", "{}", "--verbose"], word, "API_KEY"),
        form(&["-e", "GITHUB_TOKEN={}"], token, "GITHUB_TOKEN"),
        form(&["-u", "me:{}"], "Hunter-2!", "PASSWORD"),
        form(&["-H", "X-Api-Key: {}"], word, "X_API_KEY"),
        form(
            &["--header=Authorization: Bearer {}"],
            word,
            "AUTHORIZATION",
        ),
        form(&["postgres://me:{}@db/shop?a=b"], "s3cret-9", "PASSWORD"),
        form(&["https://h/mcp?api_key={}&zoom=3"], word, "API_KEY"),
        form(
            &["-c", "curl -H 'X-Key: {}' \"$0\" -d \"é \u{1f600}\""],
            word,
            "X_KEY",
        ),
        form(&["--", "{}"], token, "TOKEN"),
        form(
            &["--passphrase", "{}"],
            "correct horse battery staple",
            "PASSPHRASE",
        ),
        form(
            &["--passphrase={}"],
            "correct horse battery staple",
            "PASSPHRASE",
        ),
        form(
            &["-e", "SEED_PHRASE={}", "-y"],
            "correct horse battery staple",
            "SEED_PHRASE",
        ),
        form(&["--token={}", "--token", "{}"], token, "TOKEN"),
    ]
}

#[test]
fn a_credential_in_an_argument_moves_and_arrives() {
    for (arguments, value, name) in forms() {
        let home = with_server();
        let program = home.root().join("server");
        let entry = json!({"command": program, "args": arguments});
        let text = serde_json::to_string_pretty(&json!({"mcpServers": {"a": entry}})).unwrap();
        let path = home.root().join("c.json");
        fs::write(&path, &text).unwrap();
        let left = home.run(["adopt", "c.json", "--write"]).succeeded();
        assert!(
            left.text().contains("adopt --allow-arguments"),
            "{}",
            left.text()
        );
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            text,
            "without the option"
        );
        let run = home
            .run(["adopt", "c.json", "--allow-arguments"])
            .succeeded();
        let becomes = format!("→ a/{name}, visible to others while the server runs\n");
        assert!(run.text().contains(&becomes), "{}", run.text());
        let hint = "mcplexer adopt c.json --allow-arguments --write\n";
        assert!(run.stderr.contains(hint), "{}", run.stderr);
        home.run(["adopt", "c.json", "--allow-arguments", "--write"])
            .succeeded();
        let adopted = fs::read_to_string(&path).unwrap();
        assert!(!adopted.contains(&value), "{adopted}");
        assert_eq!(started(&home), arguments);
        // Nothing is left to do.
        let again = home
            .run(["adopt", "c.json", "--allow-arguments"])
            .succeeded();
        assert!(
            again.text().contains("already in the store  kept\n"),
            "{arguments:?} {}",
            again.text()
        );
        assert!(
            again.stderr.starts_with("0 credentials to move"),
            "{}",
            again.stderr
        );
        home.run(["adopt", "--undo", "c.json"]).succeeded();
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "undone");
    }
}

/// The server starts through `mcplexer run` already: by an earlier adoption, or by hand, with the option or
/// without.
#[test]
fn a_server_that_was_adopted_before_is_allowed_to_take_arguments() {
    let token = &tokens()["github"];
    let (early, late) = (format!("--token={token}"), "--api-key=tR4fK9wQ2xZ7mB5n");
    for started_by in [
        &[][..],
        &["run"],
        &["run", "--allow-arguments"],
        &["run", "--clean-env", "--allow-arguments", "--"],
    ] {
        let home = with_server();
        let program = home.root().join("server");
        let program = program.to_str().unwrap();
        let mut arguments = vec![early.as_str(), late];
        let command = match started_by.is_empty() {
            true => program,
            false => {
                arguments = [started_by, &[program], &arguments[..]].concat();
                crate::home::BINARY
            }
        };
        let entry = json!({"command": command, "args": arguments, "env": {"A_TOKEN": token}});
        let text = serde_json::to_string(&json!({"mcpServers": {"a": entry}})).unwrap();
        let path = home.root().join("c.json");
        fs::write(&path, &text).unwrap();
        home.run(["adopt", "c.json", "--write"]).succeeded();
        let first = fs::read_to_string(&path).unwrap();
        assert!(first != text && first.contains(late), "{first}");
        home.run(["adopt", "c.json", "--allow-arguments", "--write"])
            .succeeded();
        let second = fs::read_to_string(&path).unwrap();
        assert_eq!(second.matches("--allow-arguments").count(), 1, "{second}");
        assert!(
            !second.contains(late) && !second.contains(token.as_str()),
            "{second}"
        );
        assert_eq!(started(&home), [early.as_str(), late]);
        home.run(["adopt", "--undo", "c.json"]).succeeded();
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "{started_by:?}");
    }
}

/// TOML and YAML, lists of lines, command lists; with comments, escapes and all kinds of quotes.
#[test]
fn arguments_of_every_format_move_and_come_back() {
    let token = tokens()["github"].clone();
    for (name, text) in [
        (
            "c.toml",
            "[mcp_servers.a]\ncommand = \"x\"\nargs = ['-y', # why\n  '--token={}', \"\"\"--b\"\"\"]\n",
        ),
        (
            "d.toml",
            "[mcp_servers.a]\nargs = [\"--token\", \"{}\"]\ncommand = \"x\"\n",
        ),
        (
            "c.yaml",
            "mcpServers:\n  - name: a\n    command: x\n    args:\n      - -y\n      - --token={}\n      - 'it''s'\n",
        ),
        (
            "d.yaml",
            "mcpServers:\n  a:\n    command: x\n    args: [-y, '--token={}', \"\\u00e9\"]\n",
        ),
        (
            "e.yaml",
            "extensions:\n  a:\n    cmd: x\n    args:\n    - https://h/?token={}&b=c\n",
        ),
        (
            "c.json",
            "{\"mcpServers\": {\"a\": {\"command\": \"x\", \"args\": [ /* c */ \"-H\", \"X-Key:\\u0020{}\" ,], }}}",
        ),
        (
            "opencode.json",
            "{\"mcp\": {\"a\": {\"type\": \"local\", \"command\": [\n\"x\",\n\"--token={}\"\n]}}}",
        ),
        (
            "d.json",
            "{\"mcpServers\": {\"a\": {\"command\": \"x\", \"args\": [\"https:\\/\\/me:{}@h\\/x\"]}}}",
        ),
    ] {
        let home = Home::new();
        let text = text.replace("{}", &token);
        let path = home.root().join(name);
        fs::write(&path, &text).unwrap();
        let run = home
            .run(["adopt", name, "--allow-arguments", "--write"])
            .succeeded();
        let adopted = fs::read_to_string(&path).unwrap();
        let escapes_space = text.contains("\\u0020");
        if escapes_space {
            // Nothing tells how such a string was written.
            assert!(
                run.text().contains("its escapes could not be put back"),
                "{}",
                run.text()
            );
            assert_eq!(adopted, text);
            continue;
        }
        assert!(!adopted.contains(&token), "{name}: {}{adopted}", run.text());
        assert!(adopted.contains("--allow-arguments"), "{adopted}");
        home.run(["adopt", "--undo", name]).succeeded();
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "{name}");
    }
}

#[test]
fn an_argument_that_cannot_move_is_reported_with_its_reason() {
    let token = &tokens()["github"];
    for (arguments, reason) in [
        (
            json!(["-c", format!("A_TOKEN={token} B_TOKEN={token}1 x")]),
            "kept: there are several credentials in the argument\n",
        ),
        (
            json!(format!("--token={token}")),
            "kept: the server starts no command",
        ),
    ] {
        let home = Home::new();
        let entry = json!({"command": "x", "args": arguments});
        let text = json!({"mcpServers": {"a": entry}}).to_string();
        fs::write(home.root().join("c.json"), &text).unwrap();
        let run = home
            .run(["adopt", "c.json", "--allow-arguments", "--write"])
            .succeeded();
        assert!(run.text().contains(reason), "{}", run.text());
        assert_eq!(
            fs::read_to_string(home.root().join("c.json")).unwrap(),
            text
        );
    }
}

/// Its variable and its arguments say the same name of different values.
#[test]
fn values_of_one_name_become_secrets_of_their_own() {
    let token = &tokens()["github"];
    let home = with_server();
    let arguments = ["", "1", "2", "1"].map(|end| format!("--token={token}{end}"));
    let entry = json!({
        "command": home.root().join("server"),
        "args": &arguments[1..],
        "env": {"TOKEN": token},
    });
    let text = json!({"mcpServers": {"a": entry}}).to_string();
    fs::write(home.root().join("c.json"), &text).unwrap();
    let run = home.run(["adopt", "c.json", "--allow-arguments", "--write"]);
    run.succeeded();
    assert_eq!(home.get("a", "TOKEN"), token.as_bytes());
    let list = home.run(["secret", "list", "a"]).succeeded();
    assert_eq!(list.text(), "TOKEN\nTOKEN_2\nTOKEN_3\n");
    assert_eq!(started(&home), arguments[1..]);
    home.run(["adopt", "--undo", "c.json"]).succeeded();
    let undone = fs::read_to_string(home.root().join("c.json")).unwrap();
    assert_eq!(undone, text);
}
