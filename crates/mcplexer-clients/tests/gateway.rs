//! All servers of a file behind one that connects to the gateway, and back to the byte.

#![cfg(test)]

use std::fs;
use std::path::Path;

use mcplexer_clients::{ClientConfig, HandOverError, HandedOver, Syntax};

fn parse(text: &[u8], syntax: Syntax) -> ClientConfig {
    ClientConfig::parse(text, syntax).unwrap()
}

fn text(handed: &HandedOver) -> &str {
    str::from_utf8(&handed.text).unwrap()
}

#[test]
fn one_server_remains_in_the_notation_of_the_client() {
    for (syntax, before, after) in [
        (
            Syntax::Json,
            "{\n  // mine\n  \"mcpServers\": {\n    // a\n    \"a\": {\"command\": \"x\"},\n    \"b\": {\"url\": \"https://h\"}, // b\n  },\n  \"other\": 1\n}\n",
            "{\n  // mine\n  \"mcpServers\": {\n    // a\n    \"mcplexer\": { \"command\": \"/b/mcplexer\", \"args\": [\"connect\", \"--client\", \"c\"] }, // b\n  },\n  \"other\": 1\n}\n",
        ),
        (
            Syntax::Json,
            r#"{"servers":{"r":{"type":"http","url":"https://h"}}}"#,
            r#"{"servers":{"mcplexer": { "type": "stdio", "command": "/b/mcplexer", "args": ["connect", "--client", "c"] }}}"#,
        ),
        (
            Syntax::Json,
            r#"{"mcp": {"o": {"type": "local", "command": ["bun"], "enabled": false}}}"#,
            r#"{"mcp": {"mcplexer": { "type": "local", "command": ["/b/mcplexer", "connect", "--client", "c"], "enabled": true }}}"#,
        ),
        (
            Syntax::Json,
            r#"{"context_servers": {"z": {"source": "custom", "command": {"path": "x", "args": []}}}}"#,
            r#"{"context_servers": {"mcplexer": { "source": "custom", "command": { "path": "/b/mcplexer", "args": ["connect", "--client", "c"] } }}}"#,
        ),
        (
            Syntax::Yaml,
            "extensions:\n  # a\n  g:\n    type: stdio\n    cmd: uvx\n    args:\n      - x # y\n\n  h: {cmd: z}\n\n# other\nother: 1\n",
            "extensions:\n  # a\n  \"mcplexer\": { \"type\": \"stdio\", \"cmd\": \"/b/mcplexer\", \"args\": [\"connect\", \"--client\", \"c\"] }\n\n# other\nother: 1\n",
        ),
    ] {
        let handed = parse(before.as_bytes(), syntax).hand_over("/b/mcplexer", "c", &|_| true);
        let handed = handed.unwrap_or_else(|error| panic!("{error}: {before}"));
        assert_eq!(text(&handed), after);
        let back = parse(&handed.text, syntax).take_back("c", &handed.servers);
        assert_eq!(back.as_deref().map(Vec::as_slice), Ok(before.as_bytes()));
    }
}

/// Every file that the tests adopt is handed over and taken back to the byte, or refused as a whole.
#[test]
fn the_files_of_all_clients_come_back_to_the_byte() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mcplexer-cli/tests/adopt");
    let mut handed_over = Vec::new();
    for entry in directory.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let syntax = Syntax::of(&path);
        let before = fs::read(&path).unwrap();
        for before in [
            before.clone(),
            String::from_utf8_lossy(&before)
                .replace('\n', "\r\n")
                .into_bytes(),
        ] {
            let Ok(config) = ClientConfig::parse(&before, syntax) else {
                continue;
            };
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            match config.hand_over("mcplexer", "c", &|_| true) {
                Ok(handed) => {
                    let after = parse(&handed.text, syntax);
                    let entries = after.entries();
                    assert!(
                        entries.iter().all(mcplexer_clients::Entry::is_gateway),
                        "{name}"
                    );
                    let back = after.take_back("c", &handed.servers).unwrap();
                    assert_eq!(*back, before, "{name}");
                    handed_over.push(name);
                }
                Err(HandOverError::Notation | HandOverError::NoServers) => {}
                Err(error) => panic!("{name}: {error}"),
            }
        }
    }
    for client in [
        "claude-desktop.json",
        "claude-code-user.json",
        "cursor.json",
        "vscode-mcp.json",
        "zed.json",
        "goose.yaml",
        "opencode.jsonc",
        "comments.json",
    ] {
        assert!(
            handed_over.iter().any(|it| it == client),
            "{client} {handed_over:?}"
        );
    }
}

#[test]
fn what_changes_meanwhile_stays_changed() {
    let before = "{\"mcpServers\": {\"a\": {\"command\": \"x\"}, \"b\": {\"command\": \"y\"}}}";
    let handed = parse(before.as_bytes(), Syntax::Json)
        .hand_over("mcplexer", "c", &|_| true)
        .unwrap();
    let changed = text(&handed).replace("}}}", "}, \"new\": {\"command\": \"n\"}}, \"k\": 1}");
    let config = parse(changed.as_bytes(), Syntax::Json);
    let back = config.take_back("c", &handed.servers).unwrap();
    let expected = "{\"mcpServers\": {\"a\": {\"command\": \"x\"}, \"b\": {\"command\": \"y\"}, \"new\": {\"command\": \"n\"}}, \"k\": 1}";
    assert_eq!(str::from_utf8(&back), Ok(expected));

    let refused = |text: &str, client: &str| {
        parse(text.as_bytes(), Syntax::Json).take_back(client, &handed.servers)
    };
    assert_eq!(refused(text(&handed), "other"), Err(HandOverError::Changed));
    assert_eq!(refused(before, "c"), Err(HandOverError::Changed));
    let again = parse(&handed.text, Syntax::Json).hand_over("mcplexer", "c", &|_| false);
    assert_eq!(again, Err(HandOverError::NoServers));
    let toml = parse(b"[mcp_servers.a]\ncommand = 'x'\n", Syntax::Toml);
    assert_eq!(
        toml.hand_over("mcplexer", "c", &|_| true),
        Err(HandOverError::Notation)
    );
    assert_eq!(format!("{handed:?}"), "HandedOver(1)");
}

#[test]
fn a_server_that_stays_is_in_no_text_that_is_kept() {
    let all = "{\"servers\": {\n  \"k0\": {},\n  \"a\": {\"command\": \"x\"}, // a\n  \"k1\": {\"command\": \"s3cret\"},\n  \"b\": {\"command\": \"y\"},\n  \"k2\": {\"command\": \"k\"}\n}}\n";
    let moves = |server: &mcplexer_clients::Server| !server.name.starts_with('k');
    let config = parse(all.as_bytes(), Syntax::Json);
    let handed = config.hand_over("m/mcplexer", "c", &moves).unwrap();
    let entry = "\"mcplexer\": { \"command\": \"m/mcplexer\", \"args\": [\"connect\", \"--client\", \"c\"] }";
    let after = format!(
        "{{\"servers\": {{\n  \"k0\": {{}},\n  {entry}, // a\n  \"k1\": {{\"command\": \"s3cret\"}},\n  \"k2\": {{\"command\": \"k\"}}\n}}}}\n"
    );
    assert_eq!(text(&handed), after);
    assert!(!handed.servers.iter().any(|it| it.contains("s3cret")));
    let back = |text: &str| {
        let back = parse(text.as_bytes(), Syntax::Json).take_back("c", &handed.servers);
        String::from_utf8(back.unwrap().to_vec()).unwrap()
    };
    assert_eq!(back(&after), all);
    // What has stayed may change, and a client may write the file anew.
    assert_eq!(
        back(&after.replace("s3cret", "new")),
        all.replace("s3cret", "new")
    );
    let anew = "{\"servers\":{\"mcplexer\":{\"command\":\"m/mcplexer\",\"args\":[\"connect\",\"--client\",\"c\"]},\"k1\":{}}}";
    let expected =
        "{\"servers\":{\"a\": {\"command\": \"x\"},\n  \"b\": {\"command\": \"y\"},\"k1\":{}}}";
    assert_eq!(back(anew), expected);

    // A file that gets another server is handed over once more.
    let more = after.replace(
        "{\n  \"k0\": {}",
        "{\n  \"k0\": {}, \"new\": {\"command\": \"z\"}",
    );
    let again = parse(more.as_bytes(), Syntax::Json);
    let again = again
        .hand_over("m/mcplexer", "c", &|it| it.name == "new")
        .unwrap();
    assert_eq!(text(&again).matches("connect").count(), 1);
    let first = parse(&again.text, Syntax::Json)
        .take_back("c", &again.servers)
        .unwrap();
    assert_eq!(str::from_utf8(&first), Ok(more.as_str()));

    let named = parse(
        b"{\"servers\": {\"a\": {\"command\": \"x\"}, \"mcplexer\": {}}}",
        Syntax::Json,
    );
    let named = named.hand_over("m", "c", &|it| it.name == "a");
    assert_eq!(named, Err(HandOverError::Name));
}
