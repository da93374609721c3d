//! Undoing after the client's file, or config.yaml, has changed: every server is in the file again, or nothing changes.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::{config, five, names, read, with_file};
use crate::adopt::tokens;
use crate::home::Home;

const WRITE: [&str; 4] = ["adopt", "mcp.json", "--gateway", "--write"];
const UNDO: [&str; 3] = ["adopt", "--undo", "mcp.json"];

/// All files but the store and its log.
fn state(home: &Home) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = home.files();
    let is_own = |path: &PathBuf| {
        path.extension()
            .is_some_and(|it| it == "json" || it == "yaml")
    };
    files.retain(|(path, _)| is_own(path));
    files.sort();
    files
}

/// Undoes what was adopted in a file that has this text now. Returns the file afterwards, if that succeeded; else
/// nothing has changed.
fn undone(home: &Home, name: &str, text: &str) -> Option<String> {
    fs::write(home.root().join(name), text).unwrap();
    let before = state(home);
    let run = home.run(["adopt", "--undo", name]);
    if run.code == 0 {
        return Some(read(home, name));
    }
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("nothing was changed"), "{}", run.stderr);
    assert_eq!(state(home), before, "{}", run.stderr);
    None
}

fn servers(text: &str) -> Value {
    serde_json::from_str::<Value>(text).unwrap()["mcpServers"].clone()
}

/// Somebody removes the one server by hand.
#[test]
fn servers_come_back_where_the_gateway_was_removed() {
    for (before, now) in [
        (
            "{\n  \"mcpServers\": {\n    \"a\": { \"command\": \"x\" }\n  }\n}\n",
            "{\n  \"mcpServers\": {\n  }\n}\n",
        ),
        (
            "{\"mcpServers\": {\"a\": {\"command\": \"x\"}, \"b\": {\"command\": \"y\", \"env\": {\"N\": \"1\"}}}}",
            "{ \"mcpServers\": { } }",
        ),
        (
            "{\"mcpServers\": {\"a\": {\"command\": \"x\"}, \"b\": {\"command\": \"y\"}}}",
            "{\"mcpServers\":{}}",
        ),
        (
            "{\"mcpServers\": {\"a\": {\"command\": \"x\"}, \"b\": {\"command\": \"y\"}}}",
            "{\"k\": 1, \"mcpServers\": { // none\n } }",
        ),
        (
            "{\"mcpServers\": {\"a\": {\"command\": \"x\"}}}",
            "{\"mcpServers\": {\n  \"new\": {\"command\": \"n\"}, // mine\n}}",
        ),
    ] {
        let home = with_file("mcp.json", before);
        home.run(WRITE).succeeded();
        let after = undone(&home, "mcp.json", now).unwrap_or_else(|| panic!("{now}"));
        let plain = after.replace("// none", "").replace(", // mine", "");
        let is = servers(&plain);
        for (name, server) in servers(before).as_object().unwrap() {
            assert_eq!(is[name], *server, "{after}");
        }
        assert_eq!(is.get("new").is_some(), now.contains("new"), "{after}");
        assert!(!after.contains("connect"), "{after}");
        assert_eq!(names(&home), "");
        assert!(!home.path("handed-over").read_dir().unwrap().any(|_| true));
    }
    let layout = "{\n  \"mcpServers\": {\n    \"a\": { \"command\": \"x\" }\n  }\n}\n";
    let home = with_file("mcp.json", layout);
    home.run(WRITE).succeeded();
    let emptied = layout.replace("    \"a\": { \"command\": \"x\" }\n", "");
    assert_eq!(undone(&home, "mcp.json", &emptied).as_deref(), Some(layout));
}

#[test]
fn credentials_come_back_where_the_gateway_was_removed() {
    let home = with_file("mcp.json", &five());
    home.run(WRITE).succeeded();
    let mut now: Value = serde_json::from_str(&read(&home, "mcp.json")).unwrap();
    now["mcpServers"]
        .as_object_mut()
        .unwrap()
        .remove("mcplexer");
    let after = undone(&home, "mcp.json", &now.to_string()).unwrap();
    assert_eq!(servers(&after), servers(&five()));
    assert_eq!(names(&home), "");
}

#[test]
fn yaml_servers_come_back_where_the_gateway_was_removed() {
    let before = "extensions:\n  a:\n    type: stdio\n    cmd: uvx\n    args:\n      - x\n  b: {type: stdio, cmd: z}\nother: 1\n";
    let home = with_file("config.yaml", before);
    home.run(["adopt", "config.yaml", "--gateway", "--write"])
        .succeeded();
    let now = "extensions:\n  new: {type: stdio, cmd: n}\n\nother: 1\n";
    let expected = "extensions:\n  new: {type: stdio, cmd: n}\n  a:\n    type: stdio\n    cmd: uvx\n    args:\n      - x\n  b: {type: stdio, cmd: z}\n\nother: 1\n";
    assert_eq!(undone(&home, "config.yaml", now).as_deref(), Some(expected));
    assert_eq!(names(&home), "");
}

/// Where the servers belong cannot be told, so that the advice says what to write.
#[test]
fn files_without_a_place_for_the_servers_are_refused() {
    let two = r#"{"projects": {"/p": {"mcpServers": {"a": {"command": "x"}}}, "/q": {"mcpServers": {"b": {"command": "y"}}}}}"#;
    let one = r#"{"mcpServers": {"a": {"command": "x"}, "b": {"command": "y"}}}"#;
    for (before, now) in [
        (one, ""),
        (one, "{}"),
        (one, "{\"other\": 1}"),
        (one, "{\"mcpServers\": null}"),
        (
            one,
            "{\"mcpServers\": {\"renamed\": {\"command\": \"mcplexer\", \"args\": [\"connect\", \"--client\", \"mcp\"]}}}",
        ),
        (one, "{\"mcpServers\": {\"a\": {\"command\": \"x\"}}}"),
        (
            one,
            "{\"mcpServers\": {\"mcplexer\": {\"command\": \"other\"}}}",
        ),
        (
            two,
            r#"{"projects": {"/p": {"mcpServers": {}}, "/q": {"mcpServers": {}}}}"#,
        ),
        (
            two,
            r#"{"projects": {"/p": {"mcpServers": {"mcplexer": {"command": "mcplexer", "args": ["connect", "--client", "mcp"]}}}, "/q": {"mcpServers": {}}}}"#,
        ),
    ] {
        let home = with_file("mcp.json", before);
        home.run(WRITE).succeeded();
        let handed = read(&home, "mcp.json");
        assert_eq!(undone(&home, "mcp.json", now), None, "{now}");
        assert_eq!(names(&home), "a\nb\n");
        // With the file as it was left, it works.
        assert_eq!(undone(&home, "mcp.json", &handed).as_deref(), Some(before));
        assert_eq!(names(&home), "");
    }
    let home = with_file("mcp.json", one);
    home.run(WRITE).succeeded();
    fs::write(home.root().join("mcp.json"), "{}").unwrap();
    home.run(UNDO).failed(
        2,
        &["does not connect to the gateway for mcp", r#"put "mcplexer": { "command": "mcplexer", "args": ["connect", "--client", "mcp"] } back"#],
    );
    fs::remove_file(home.root().join("mcp.json")).unwrap();
    let before = state(&home);
    assert_ne!(home.run(UNDO).code, 0);
    assert_eq!(state(&home), before);
}

/// A server that is in the file again by hand does not come twice.
#[test]
fn servers_that_are_back_by_hand_stay_as_they_are() {
    let before = r#"{"mcpServers": {"a": {"command": "x"}, "b": {"command": "y"}}}"#;
    let home = with_file("mcp.json", before);
    home.run(WRITE).succeeded();
    let by_hand =
        r#"{"mcpServers": {"b": {"command": "y"}, "a": {"command": "x", "args": ["new"]}}}"#;
    assert_eq!(undone(&home, "mcp.json", by_hand).as_deref(), Some(by_hand));
    assert_eq!(names(&home), "");

    home.run(WRITE).succeeded();
    let both = read(&home, "mcp.json").replace(
        "{\"mcpServers\": {",
        "{\"mcpServers\": {\"a\": {\"command\": \"x\"}, ",
    );
    assert_eq!(undone(&home, "mcp.json", &both), None);
}

/// The file is adopted again after the first connection was removed: both times are undone.
#[test]
fn what_was_adopted_before_the_gateway_was_removed_comes_back() {
    let home = with_file("mcp.json", r#"{"mcpServers": {"a": {"command": "x"}}}"#);
    home.run(WRITE).succeeded();
    fs::write(
        home.root().join("mcp.json"),
        r#"{"mcpServers": {"b": {"command": "y"}}}"#,
    )
    .unwrap();
    home.run(WRITE).succeeded();
    home.run(UNDO).succeeded();
    let expected = r#"{"mcpServers": {"b": {"command": "y"}, "a": {"command": "x"}}}"#;
    assert_eq!(read(&home, "mcp.json"), expected);
    assert_eq!(names(&home), "");
}

/// Values are written into the file only if the servers can leave config.yaml.
#[test]
fn a_broken_config_file_is_found_before_the_first_write() {
    let home = with_file("mcp.json", &five());
    home.run(WRITE).succeeded();
    let (handed, good) = (read(&home, "mcp.json"), config(&home));
    for broken in [
        "servers: [",
        "servers: {}\nserver: 1\n",
        &format!("{good}bad: [\n"),
    ] {
        fs::write(home.path("config.yaml"), broken).unwrap();
        let before = state(&home);
        let run = home.run(UNDO);
        assert_ne!(run.code, 0);
        assert!(run.stderr.contains("config.yaml"), "{}", run.stderr);
        assert_eq!(state(&home), before, "{}", run.stderr);
    }
    fs::write(home.path("config.yaml"), &good).unwrap();
    let other = home.path("handed-over/0123456789abcdef0123456789abcdef.json");
    fs::write(&other, "{").unwrap();
    let before = state(&home);
    assert_ne!(home.run(UNDO).code, 0);
    assert_eq!(state(&home), before);
    fs::remove_file(other).unwrap();
    assert_eq!(read(&home, "mcp.json"), handed);
    for value in ["github", "linear", "long"] {
        home.assert_no_trace_of(&tokens()[value]);
    }
    home.run(UNDO).succeeded();
    assert_eq!(read(&home, "mcp.json"), five());
}
