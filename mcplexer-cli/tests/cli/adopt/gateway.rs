//! `adopt --gateway`: a client's servers in config.yaml, and back to the byte.

mod undo;

use std::fs;
use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};

use super::{config as of_tests, tokens};
use crate::home::{Home, Run};

const ARGUMENT: &str = "s3cr3t-T0ken-Value-99";

/// A file as Claude Code has it in a project, with five servers.
fn five() -> String {
    let (github, linear, long) = (&tokens()["github"], &tokens()["linear"], &tokens()["long"]);
    format!(
        r#"{{
  "mcpServers": {{
    "GitHub Tools": {{
      "command": "npx",
      "args": ["-y", "@modelcontextprotocol/server-github"],
      "env": {{ "GITHUB_PERSONAL_ACCESS_TOKEN": "{github}" }},
      "timeout": 60
    }},
    "git.repo": {{"command": "python3", "args": ["-m", "mcp_server_git"], "env": {{"API_KEY": "{long}"}}}},
    "arg": {{ "command": "npx", "args": ["srv", "--token", "{ARGUMENT}"] }},
    "remote": {{ "type": "http", "url": "https://example.com/mcp", "headers": {{ "Authorization": "Bearer {linear}", "X-Team": "a" }} }},
    "plain":   {{ "command": "npx", "args": ["-y", "server-memory"] }}
  }},
  "other": [1.0, 2e3]
}}
"#
    )
}

fn with_file(name: &str, text: &str) -> Home {
    let home = Home::new();
    let path = home.root().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    home
}

fn read(home: &Home, name: &str) -> String {
    fs::read_to_string(home.root().join(name)).unwrap()
}

fn config(home: &Home) -> String {
    fs::read_to_string(home.path("config.yaml")).unwrap_or_default()
}

fn document(run: &Run) -> Value {
    serde_json::from_slice(&run.stdout).unwrap()
}

fn names(home: &Home) -> String {
    let list = home.run(["server", "list"]).succeeded();
    String::from_utf8(list.stdout).unwrap()
}

#[test]
fn five_servers_become_one_and_come_back_to_the_byte() {
    let home = with_file(".mcp.json", &five());
    let plan = ["adopt", ".mcp.json", "--gateway"];
    let write = ["adopt", ".mcp.json", "--gateway", "--write"];
    let planned = home.run(plan).succeeded();
    assert!(
        planned.stderr.contains("--gateway --write"),
        "{}",
        planned.stderr
    );
    assert_eq!(read(&home, ".mcp.json"), five());
    assert_eq!(config(&home), "");

    let adopted = home.run(write).succeeded();
    let table = String::from_utf8(adopted.stdout).unwrap();
    for row in [
        "GitHub Tools  → config.yaml: github-tools; timeout is left out",
        "git.repo      → config.yaml: git-repo",
        "remote        header Authorization",
        "arg           kept: argument 3: other programs can see arguments",
    ] {
        assert!(table.contains(row), "{table}");
    }
    let entry = r#"{ "command": "mcplexer", "args": ["connect", "--client", "claude-code"] }"#;
    let after = read(&home, ".mcp.json");
    let file: Value = serde_json::from_str(&after).unwrap();
    let servers = file["mcpServers"].as_object().unwrap();
    assert_eq!(
        servers.keys().collect::<Vec<_>>(),
        ["arg", "mcplexer"],
        "{after}"
    );
    let command = servers["mcplexer"]["command"].as_str().unwrap();
    assert!(command.ends_with("/mcplexer"), "{command}");
    assert_eq!(
        servers["mcplexer"]["args"],
        serde_json::from_str::<Value>(entry).unwrap()["args"]
    );
    assert!(after.contains("\"other\": [1.0, 2e3]"), "{after}");

    home.run(["config", "check"]).succeeded();
    let list = document(&home.run(["server", "list", "--json"]).succeeded());
    let expected = json!([
        {"name": "git-repo", "command": ["python3", "-m", "mcp_server_git"], "env": {"API_KEY": "mcplexer://git.repo/API_KEY"}},
        {"name": "github-tools", "command": ["npx", "-y", "@modelcontextprotocol/server-github"],
            "env": {"GITHUB_PERSONAL_ACCESS_TOKEN": "mcplexer://github-tools/GITHUB_PERSONAL_ACCESS_TOKEN"}},
        {"name": "plain", "command": ["npx", "-y", "server-memory"]},
        {"name": "remote", "url": "https://example.com/mcp",
            "headers": {"Authorization": "Bearer mcplexer://remote/AUTHORIZATION", "X-Team": "a"}},
    ]);
    let normal = |text: &Value| text.to_string().replace("git.repo/", "git-repo/");
    assert_eq!(normal(&list["servers"]), normal(&expected));
    assert_eq!(
        home.get("remote", "AUTHORIZATION"),
        tokens()["linear"].as_bytes()
    );
    for value in ["github", "linear", "long"] {
        home.assert_no_trace_of(&tokens()[value]);
    }
    for kept in fs::read_dir(home.path("handed-over")).unwrap() {
        let kept = kept.unwrap();
        assert_eq!(kept.metadata().unwrap().mode() & 0o777, 0o600);
        let text = fs::read_to_string(kept.path()).unwrap();
        assert!(!text.contains(ARGUMENT), "{text}");
    }

    // Again, nothing changes.
    let configured = config(&home);
    let again = home.run(write).succeeded();
    assert!(
        again.stderr.contains("no servers to move"),
        "{}",
        again.stderr
    );
    assert_eq!(read(&home, ".mcp.json"), after);
    assert_eq!(config(&home), configured);

    let undone = home.run(["adopt", "--undo", ".mcp.json"]).succeeded();
    assert!(
        undone.stderr.contains("put 4 servers back"),
        "{}",
        undone.stderr
    );
    assert_eq!(read(&home, ".mcp.json"), five());
    assert_eq!(names(&home), "");
    let again = home.run(["adopt", "--undo", ".mcp.json"]).succeeded();
    assert!(again.stderr.contains("nothing changed"), "{}", again.stderr);
}

/// Names are made valid and unique, what is the same is there once, and what was changed since stays.
#[test]
fn servers_share_config_yaml() {
    let file = r#"{"mcpServers": {"A b": {"command": "x"}, "a.B": {"command": "y"}, "same": {"command": "s"}, "other": {"command": "new"}}}"#;
    let home = with_file("one/mcp.json", file);
    for (name, program) in [("same", "s"), ("other", "old")] {
        home.run(["server", "add", name, "--", program]).succeeded();
    }
    fs::create_dir(home.root().join("two")).unwrap();
    fs::write(home.root().join("two/mcp.json"), file).unwrap();
    let adopted = home.run(["adopt", "one/mcp.json", "--gateway", "--write"]);
    let table = String::from_utf8(adopted.succeeded().stdout).unwrap();
    for row in [
        "A b    → config.yaml: a-b",
        "a.B    → config.yaml: a-b-2",
        "same   → config.yaml: same, which is there already",
        "other  → config.yaml: other-2",
    ] {
        assert!(table.contains(row), "{table}");
    }
    // The second file has nothing new, and needs what the first one has added.
    home.run(["adopt", "two/mcp.json", "--gateway", "--write"])
        .succeeded();
    assert_eq!(names(&home), "a-b\na-b-2\nother\nother-2\nsame\n");
    let undone = home.run(["adopt", "--undo", "one/mcp.json"]).succeeded();
    assert!(
        undone
            .stderr
            .contains("a-b-2 stays in config.yaml too: another"),
        "{}",
        undone.stderr
    );
    assert_eq!(read(&home, "one/mcp.json"), file);
    assert_eq!(names(&home), "a-b\na-b-2\nother\nother-2\nsame\n");
    home.run(["server", "add", "other-2", "--replace", "--", "changed"])
        .succeeded();
    let undone = home.run(["adopt", "--undo", "two/mcp.json"]).succeeded();
    for said in [
        "other-2 stays in config.yaml too: it was changed since",
        "same stays in config.yaml too: it was there before",
    ] {
        assert!(undone.stderr.contains(said), "{}", undone.stderr);
    }
    assert_eq!(read(&home, "two/mcp.json"), file);
    assert_eq!(names(&home), "other\nother-2\nsame\n");
}

/// The files of all clients go behind the gateway and come back, or are refused without a change.
#[test]
fn every_client_comes_back_to_the_byte() {
    let mut moved = Vec::new();
    for name in [
        "adopted.json",
        "amp.json",
        "arguments.json",
        "claude-code-project.json",
        "claude-code-user.json",
        "claude-desktop.json",
        "codex.toml",
        "comments.json",
        "continue.yaml",
        "cursor.json",
        "gemini.json",
        "goose.yaml",
        "librechat.yaml",
        "list.json",
        "minified.json",
        "opencode.jsonc",
        "shared-token.json",
        "vscode-mcp.json",
        "windsurf.json",
        "zed.json",
    ] {
        let home = with_file(name, &of_tests(name));
        let run = home.run(["adopt", name, "--gateway", "--write"]);
        if run.code != 0 {
            assert_eq!(run.code, 2, "{name}: {}", run.stderr);
            assert_eq!(config(&home), "", "{name}");
        } else if read(&home, name).contains("connect") {
            moved.push(name);
            home.run(["config", "check"]).succeeded();
        }
        if run.code == 0 {
            home.run(["adopt", "--undo", name]).succeeded();
        }
        let before = match name {
            // It was adopted before.
            "adopted.json" => continue,
            _ => of_tests(name),
        };
        assert_eq!(read(&home, name), before, "{name}");
    }
    for client in [
        "claude-desktop.json",
        "cursor.json",
        "vscode-mcp.json",
        "zed.json",
        "goose.yaml",
    ] {
        assert!(moved.contains(&client), "{client} {moved:?}");
    }
}

#[test]
fn what_cannot_move_stays_with_its_reason() {
    let header = format!("Bearer {}", tokens()["github"]);
    let file = json!({"servers": {
        "ok": {"command": "x"},
        "own": {"command": "x", "args": ["${input:dir}"]},
        "line": {"command": "npx -y x"},
        "file": {"command": "x", "envFile": ".env"},
        "日本": {"command": "x"},
        "ask": {"url": "https://h/mcp", "headers": {"X-Key": "${input:key}", "Authorization": header}},
        "query": {"url": format!("https://h/mcp?api_key={ARGUMENT}")},
    }})
    .to_string();
    let home = with_file("mcp.json", &file);
    let run = home
        .run(["adopt", "mcp.json", "--gateway", "--write"])
        .succeeded();
    let table = String::from_utf8(run.stdout).unwrap();
    for row in [
        "own    kept: the client fills in variables: argument 1",
        "line   kept: it has no command and no URL",
        "file   kept: envFile",
        "日本   kept: no name",
        "ask    kept: ",
        "query  kept: url",
    ] {
        let is_row = |line: &str| {
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            words(line).starts_with(&words(row))
        };
        assert!(table.lines().any(is_row), "{row} in {table}");
    }
    assert_eq!(names(&home), "ok\n");
    // A client sends its header fields itself.
    let after = read(&home, "mcp.json");
    assert!(after.contains(&header), "{after}");
    home.run(["adopt", "--undo", "mcp.json", "--server", "ok"])
        .failed(2, &["put back together", "leave out --server"]);
    home.run(["adopt", "--undo", "mcp.json"]).succeeded();
    assert_eq!(read(&home, "mcp.json"), file);
}

#[test]
fn wrong_input_changes_nothing() {
    let token = &tokens()["github"];
    let toml = of_tests("codex.toml");
    let list = of_tests("continue.yaml");
    let comment = format!(
        "{{\"mcpServers\": {{\n \"a\": {{\"command\": \"x\"}}, // {token}\n \"b\": {{\"command\": \"y\"}}}}}}"
    );
    for (name, text, said) in [
        ("c.toml", toml.as_str(), "not in a map of JSON or YAML"),
        ("l.yaml", &list, "not in a map of JSON or YAML"),
        (
            "m.json",
            &comment,
            "line 2: a credential is between the servers",
        ),
        ("b.json", "{", "b.json"),
        ("n.json", "{}", "no"),
    ] {
        let home = with_file(name, text);
        let run = home
            .run(["adopt", name, "--gateway", "--write"])
            .failed(2, &[said]);
        assert!(!run.stderr.contains(token.as_str()), "{}", run.stderr);
        assert_eq!(read(&home, name), text);
        assert_eq!(config(&home), "");
        assert!(!home.path("handed-over").exists());
    }
    let home = with_file("m.json", &five());
    for arguments in [
        &["adopt", "--gateway"][..],
        &["adopt", "m.json", "--gateway", "--only", "A"],
        &["adopt", "m.json", "--gateway", "--skip", "A"],
    ] {
        home.run(arguments).failed(2, &[]);
    }
    home.run(["adopt", "m.json", "--gateway", "--server", "gone"])
        .failed(4, &["no server gone"]);
    fs::write(home.path("config.yaml"), "servers: [").unwrap_or_else(|_| {
        fs::create_dir(home.path("")).unwrap();
        fs::write(home.path("config.yaml"), "servers: [").unwrap();
    });
    assert_ne!(
        home.run(["adopt", "m.json", "--gateway", "--write"]).code,
        0
    );
    assert_eq!(read(&home, "m.json"), five());
}

/// A client may write its file anew, and gain servers; a killed command leaves all servers somewhere.
#[test]
fn files_that_change_meanwhile_come_back() {
    let home = with_file("mcp.json", &five());
    let write = ["adopt", "mcp.json", "--gateway", "--write"];
    let one = [
        "adopt",
        "mcp.json",
        "--gateway",
        "--write",
        "--server",
        "plain",
    ];
    home.run(one).succeeded();
    assert_eq!(names(&home), "plain\n");
    home.run(write).succeeded();
    let handed: Value = serde_json::from_str(&read(&home, "mcp.json")).unwrap();
    home.run(["adopt", "--undo", "mcp.json"]).succeeded();
    assert_eq!(read(&home, "mcp.json"), five());
    assert_eq!(names(&home), "");

    // Before the file was written, a command was killed: the next one does it, and undoing is still exact.
    home.run(write).succeeded();
    fs::write(home.root().join("mcp.json"), five()).unwrap();
    home.run(write).succeeded();
    assert_eq!(
        serde_json::from_str::<Value>(&read(&home, "mcp.json")).unwrap(),
        handed
    );
    home.run(["adopt", "--undo", "mcp.json"]).succeeded();
    assert_eq!(read(&home, "mcp.json"), five());
    assert_eq!(names(&home), "");

    // Written anew, with its servers in another order.
    home.run(write).succeeded();
    fs::write(home.root().join("mcp.json"), handed.to_string()).unwrap();
    home.run(["adopt", "--undo", "mcp.json"]).succeeded();
    let back: Value = serde_json::from_str(&read(&home, "mcp.json")).unwrap();
    assert_eq!(back, serde_json::from_str::<Value>(&five()).unwrap());
    assert_eq!(names(&home), "");
}

/// What is behind the gateway is put back together: the advice has no `--server`, which would be refused.
#[test]
fn the_advice_for_undoing_works() {
    let home = with_file("mcp.json", &five());
    let chosen = ["adopt", "mcp.json", "--gateway", "--server", "plain"];
    let run = home.run([&chosen[..], &["--write"]].concat()).succeeded();
    let advice = "mcplexer adopt --undo mcp.json puts it back\n";
    assert!(run.stderr.contains(advice), "{}", run.stderr);
    home.run(["adopt", "--undo", "mcp.json"]).succeeded();
    assert_eq!(read(&home, "mcp.json"), five());
}

/// `mcp-remote` fills in what adopting gives it, so that the server moves as it is.
#[test]
fn a_server_behind_mcp_remote_moves_with_its_header_field() {
    let header = format!("Authorization: Bearer {}", tokens()["github"]);
    let file = json!({"mcpServers": {
        "r": {"command": "npx", "args": ["mcp-remote", "https://h/mcp", "--header", header]},
    }})
    .to_string();
    let home = with_file("mcp.json", &file);
    for adopts_first in [false, true] {
        if adopts_first {
            home.run(["adopt", "mcp.json", "--write"]).succeeded();
        }
        home.run(["adopt", "mcp.json", "--gateway", "--write"])
            .succeeded();
        let list = document(&home.run(["server", "list", "--json"]).succeeded());
        let expected = json!([{
            "name": "r",
            "command": ["npx", "mcp-remote", "https://h/mcp", "--header", "Authorization:${AUTHORIZATION}"],
            "env": {"AUTHORIZATION": "mcplexer://r/AUTHORIZATION"},
        }]);
        assert_eq!(list["servers"], expected);
        home.run(["config", "check"]).succeeded();
        home.run(["adopt", "--undo", "mcp.json"]).succeeded();
        assert_eq!(read(&home, "mcp.json"), file);
    }
}

/// Reasons number the arguments as the file has them, and name no option that changes nothing.
#[test]
fn reasons_are_those_of_the_file() {
    let token = &tokens()["github"];
    let file = json!({"mcpServers": {
        "own": {"command": "x", "args": ["a", "${input:dir}"], "env": {"TOKEN": token}},
        "arg": {"command": "x", "args": ["--token", ARGUMENT]},
    }});
    let home = with_file("mcp.json", &file.to_string());
    let run = home.run(["adopt", "mcp.json", "--gateway"]).succeeded();
    let table = String::from_utf8(run.stdout).unwrap();
    assert!(
        table.contains("own  kept: the client fills in variables: argument 2\n"),
        "{table}"
    );
    assert!(
        table.contains("arg  kept: argument 2: other programs can see arguments; give it"),
        "{table}"
    );
    assert!(!table.contains("--allow-arguments"), "{table}");
    let run = home.run(["adopt", "mcp.json"]).succeeded();
    assert!(
        run.text().contains("or adopt --allow-arguments"),
        "{}",
        run.text()
    );
}
