//! `mcplexer client install`: the one server in a client's own file.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use serde_json::{Value, json};

use super::home::{Home, Run};

fn install<const N: usize>(home: &Home, arguments: [&str; N]) -> Run {
    home.run([&["client", "install"][..], &arguments].concat())
}

#[test]
fn a_file_gets_the_server_and_comes_back_to_the_byte() {
    for (id, file, text) in [
        ("claude-code", ".claude.json", "{\n  \"numStartups\": 3\n}"),
        (
            "claude-code",
            ".claude.json",
            "{\"mcpServers\": {\"a\": {\"command\": \"x\"}}}\n",
        ),
        (
            "cursor",
            ".cursor/mcp.json",
            "{\n  // mine\n  \"mcpServers\": {\n  },\n}\n",
        ),
        (
            "vscode",
            ".config/Code/User/mcp.json",
            "{\"servers\": {}, \"inputs\": []}",
        ),
        (
            "zed",
            ".config/zed/settings.json",
            "// c\n{\n  \"theme\": \"One\", // d\n}\n",
        ),
        ("opencode", ".config/opencode/opencode.json", ""),
    ] {
        let home = Home::new();
        let path = home.root().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let shown = install(&home, [id]).succeeded();
        assert!(
            String::from_utf8(shown.stdout)
                .unwrap()
                .contains("\"--client\""),
            "{id}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), text);

        let written = install(&home, [id, "--write"]).succeeded();
        assert!(
            written
                .stderr
                .contains(&format!("client install {id} --undo")),
            "{}",
            written.stderr
        );
        let after = fs::read_to_string(&path).unwrap();
        assert!(
            after.contains(&format!("\"connect\", \"--client\", \"{id}\"]")),
            "{after}"
        );
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        let again = install(&home, [id, "--write"]).succeeded();
        assert!(again.stderr.contains("already"), "{}", again.stderr);
        assert_eq!(fs::read_to_string(&path).unwrap(), after);

        install(&home, [id, "--undo"]).succeeded();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        let again = install(&home, [id, "--undo"]).succeeded();
        assert!(again.stderr.contains("nothing changed"), "{}", again.stderr);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn a_missing_file_is_created_and_deleted_again() {
    let home = Home::new();
    let path = home
        .root()
        .join(".config/Claude/claude_desktop_config.json");
    install(&home, ["claude-desktop"]).succeeded();
    assert!(!path.exists());
    let run = install(&home, ["claude-desktop", "--write", "--json"]).succeeded();
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(report["change"], "create");
    assert_eq!(report["written"], true);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    let file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let server = &file["mcpServers"]["mcplexer"];
    assert_eq!(
        server["args"],
        json!(["connect", "--client", "claude-desktop"])
    );
    install(&home, ["claude-desktop", "--undo"]).succeeded();
    assert!(!path.exists());
    install(&home, ["claude-desktop", "--undo"]).succeeded();
}

#[test]
fn what_cannot_be_written_is_said() {
    let home = Home::new();
    for (id, line) in [
        ("codex", "[mcp_servers.mcplexer]"),
        ("goose", "extensions:"),
        ("continue", "  - name: mcplexer"),
    ] {
        let run = install(&home, [id, "--write"]).succeeded();
        assert!(run.stderr.contains("by hand"), "{}", run.stderr);
        assert!(
            String::from_utf8(run.stdout).unwrap().contains(line),
            "{id}"
        );
        let undo = install(&home, [id, "--undo"]).succeeded();
        assert!(undo.stderr.contains("by hand"), "{}", undo.stderr);
    }
    let snippet = install(&home, ["codex"]).succeeded().stdout;
    fs::create_dir(home.root().join(".codex")).unwrap();
    fs::write(home.root().join(".codex/config.toml"), snippet).unwrap();
    let run = install(&home, ["codex"]).succeeded();
    assert!(run.stderr.contains("already"), "{}", run.stderr);

    install(&home, ["emacs"]).failed(4, &["no client is called emacs", "claude-code, "]);
    install(&home, ["cursor", "--write", "--undo"]).failed(2, &["cannot be used with"]);
    fs::create_dir(home.root().join(".cursor")).unwrap();
    let path = home.root().join(".cursor/mcp.json");
    for (text, code) in [
        ("{", 2),
        ("[]", 2),
        ("{\"mcpServers\": []}", 2),
        (
            "{\"mcpServers\": {\"mcplexer\": {\"command\": \"other\"}}}",
            8,
        ),
    ] {
        fs::write(&path, text).unwrap();
        install(&home, ["cursor", "--write"]).failed(code, &[".cursor/mcp.json"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

/// What `adopt --gateway` has written is put back by `adopt --undo`, which has the other servers.
#[test]
fn the_server_of_an_adopted_file_is_left_to_adopt() {
    let home = Home::new();
    fs::create_dir(home.root().join(".cursor")).unwrap();
    let path = home.root().join(".cursor/mcp.json");
    let text = "{\"mcpServers\": {\"a\": {\"command\": \"x\"}}}";
    fs::write(&path, text).unwrap();
    home.run(["adopt", ".cursor/mcp.json", "--gateway", "--write"])
        .succeeded();
    let run = install(&home, ["cursor", "--write"]).succeeded();
    assert!(run.stderr.contains("already"), "{}", run.stderr);
    install(&home, ["cursor", "--undo"])
        .failed(8, &["behind the gateway", "mcplexer adopt --undo"]);
    home.run(["adopt", "--undo", ".cursor/mcp.json"])
        .succeeded();
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    // Here the server was there before, and stays.
    install(&home, ["cursor", "--write"]).succeeded();
    let both = fs::read_to_string(&path).unwrap();
    home.run(["adopt", ".cursor/mcp.json", "--gateway", "--write"])
        .succeeded();
    home.run(["adopt", "--undo", ".cursor/mcp.json"])
        .succeeded();
    assert_eq!(fs::read_to_string(&path).unwrap(), both);
    install(&home, ["cursor", "--undo"]).succeeded();
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_list_without_clients_says_so() {
    let home = Home::new();
    let list = home.run(["client", "list"]).succeeded();
    assert_eq!(list.text(), "");
    assert!(
        list.stderr.contains("no client has a token"),
        "{}",
        list.stderr
    );
    assert_eq!(
        home.run(["client", "list", "--json"]).succeeded().stderr,
        ""
    );
    assert_eq!(home.run(["-q", "client", "list"]).succeeded().stderr, "");
}
