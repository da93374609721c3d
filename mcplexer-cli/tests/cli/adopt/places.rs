//! Where files are looked for, and paths that lead to no configuration, a link, a pipe, or a file that cannot be
//! replaced.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use test_support::skip;

use super::{adopt, config, tokens};
use crate::home::{Home, finish};

/// A file that cannot be parsed is an error with its position. The error repeats no value, and nothing changes.
#[test]
fn what_is_no_configuration_is_told_and_left_alone() {
    let mark_16: Vec<u8> = "\u{feff}{}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    for (name, bytes, code, said) in [
        (
            "broken.json",
            config("broken.json").into_bytes(),
            2,
            "broken.json, line 3, column 96: expected comma",
        ),
        (
            "unterminated.json",
            config("unterminated.json").into_bytes(),
            2,
            "line 1, column 66: a string that is not JSON",
        ),
        (
            "broken.toml",
            config("broken.toml").into_bytes(),
            2,
            "broken.toml, line 3",
        ),
        (
            "no-servers.json",
            config("no-servers.json").into_bytes(),
            2,
            "no MCP servers",
        ),
        (
            "list.json",
            config("list.json").into_bytes(),
            2,
            "no MCP servers",
        ),
        ("empty.json", Vec::new(), 2, "no MCP servers"),
        ("utf-16.json", mark_16, 2, "it is not UTF-8 text"),
        (
            "latin.json",
            b"{\"mcpServers\": {\"\xe4\": {}}}".to_vec(),
            2,
            "it is not UTF-8 text",
        ),
        ("deep.json", deep.into_bytes(), 2, "deep.json, line 1"),
    ] {
        let home = Home::new();
        fs::write(home.root().join(name), &bytes).unwrap();
        for arguments in [
            &["adopt", name][..],
            &["adopt", name, "--write"],
            &["adopt", "--undo", name],
        ] {
            let run = home.run(arguments).failed(code, &[said]);
            assert!(!run.stderr.contains(&tokens()["github"]), "{name}");
        }
        assert!(fs::read(home.root().join(name)).unwrap() == bytes, "{name}");
        assert!(!home.path("secrets.redb").exists(), "{name}");
    }
    let home = Home::new();
    home.run(["adopt", "none.json"])
        .failed(1, &["cannot read none.json"]);
    home.run(["adopt", "none.json", "--write"])
        .failed(1, &["cannot read none.json"]);
    home.run(["adopt", "--write"])
        .failed(2, &["FILE is missing"]);
    fs::write(home.root().join("nothing.json"), config("nothing.json")).unwrap();
    let run = home.run(["adopt", "nothing.json", "--write"]).succeeded();
    assert!(
        run.stderr
            .contains("0 credentials to move; nothing changed"),
        "{}",
        run.stderr
    );
    let named = ["adopt", "nothing.json", "--server", "x"];
    home.run(named).failed(4, &["no server x in nothing.json"]);
}

#[test]
fn a_link_is_followed_and_stays_one() {
    let home = Home::new();
    let text = config("claude-desktop.json");
    fs::create_dir(home.root().join("dotfiles")).unwrap();
    let file = home.root().join("dotfiles/config.json");
    fs::write(&file, &text).unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    symlink("dotfiles/config.json", home.root().join("link.json")).unwrap();
    home.run(["adopt", "link.json", "--write"]).succeeded();
    assert!(home.root().join("link.json").is_symlink());
    assert!(
        fs::read_to_string(&file)
            .unwrap()
            .contains("mcplexer://github/")
    );
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    home.run(["adopt", "--undo", "link.json"]).succeeded();
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert!(home.root().join("link.json").is_symlink());
}

/// A file that cannot be replaced is an error before anything is stored. (Root may
/// write nearly everywhere, so these are special files.)
#[test]
fn a_file_that_cannot_be_replaced_keeps_its_values() {
    let home = Home::new();
    for place in ["/dev/null", "/proc/self/status"] {
        home.run(["adopt", place, "--write"])
            .failed(1, &["cannot write"]);
    }
    assert!(!home.path("secrets.redb").exists());
}

#[test]
fn a_file_in_a_directory_that_may_not_be_written_keeps_its_values() {
    if rustix::process::geteuid().is_root() {
        return skip("a user", "root is not refused to write");
    }
    let home = Home::new();
    let directory = home.root().join("closed");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("config.json"), config("claude-desktop.json")).unwrap();
    fs::set_permissions(&directory, PermissionsExt::from_mode(0o500)).unwrap();
    home.run(["adopt", "closed/config.json", "--write"])
        .failed(1, &["cannot write"]);
    assert!(!home.path("secrets.redb").exists());
    fs::set_permissions(&directory, PermissionsExt::from_mode(0o700)).unwrap();
}

/// The command does not wait for a pipe, neither as the file itself nor next to it.
#[test]
fn a_pipe_is_no_configuration() {
    let home = Home::new();
    let pipe = |name: &str| {
        let made = finish(home.command_of("mkfifo".as_ref()).arg(name));
        made.succeeded();
    };
    pipe(".mcp.json");
    home.run(["adopt", ".mcp.json"])
        .failed(1, &["not a regular file"]);
    home.run(["adopt", ".mcp.json", "--write"])
        .failed(1, &["not a regular file"]);
    home.run(["adopt"]).failed(1, &["cannot read .mcp.json"]);
    fs::write(home.root().join("c.json"), config("minified.json")).unwrap();
    pipe(".c.json-abcdef.mcplexer-new");
    fs::create_dir(home.root().join(".c.json-ghijkl.mcplexer-new")).unwrap();
    home.run(["adopt", "c.json", "--write"]).succeeded();
}

/// Without a file, `adopt` also looks where a `*` stands for a profile, and says which files have credentials
/// and no servers. `--places` lists where it looks.
#[test]
fn profiles_and_files_without_servers_are_looked_at() {
    let home = Home::new();
    let token = &tokens()["github"];
    let settings = format!("{{\n  \"editor.tabSize\": 2,\n  \"shop.token\": \"{token}\"\n}}\n");
    for (place, text) in [
        (
            ".config/Code/User/profiles/3f2a/mcp.json",
            config("vscode-mcp.json"),
        ),
        (
            ".config/Code - Insiders/User/settings.json",
            config("vscode-settings.json"),
        ),
        (".continue/mcpServers/mine.yaml", config("continue.yaml")),
        (".config/goose/config.yaml", config("goose.yaml")),
        (".config/amp/settings.json", settings.clone()),
        (
            "librechat.yaml",
            "version: 1.2.1\nendpoints: {}\n".to_owned(),
        ),
    ] {
        let path = home.root().join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let run = home.run(["adopt"]).succeeded();
    for said in [
        "~/.config/Code/User/profiles/3f2a/mcp.json (VS Code)\n",
        "~/.config/Code - Insiders/User/settings.json (VS Code Insiders)\n",
        "~/.continue/mcpServers/mine.yaml (Continue)\n",
        "~/.config/goose/config.yaml (Goose)\n",
    ] {
        assert!(run.text().contains(said), "{said} in {}", run.text());
    }
    let said = "~/.config/amp/settings.json (Amp) has no MCP servers, but 1 credential (line 3)\n";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert!(!run.stderr.contains("librechat"), "{}", run.stderr);
    let json = home.run(["adopt", "--json"]).succeeded();
    let json: serde_json::Value = serde_json::from_str(json.text()).unwrap();
    assert_eq!(json["files"].as_array().unwrap().len(), 4);
    assert_eq!(json["without_servers"][0]["lines"], serde_json::json!([3]));
    assert_eq!(json["places"]["Goose"].as_array().unwrap().len(), 1);

    // A file that is named says the same, with its place.
    fs::write(home.root().join("named.json"), settings).unwrap();
    let named = home.run(["adopt", "named.json"]);
    let named = named.failed(2, &["no MCP servers, but a credential (line 3, column"]);
    let two = format!("{{\"a\": \"{token}\", \"token\": \"acme-prod-9931\"}}\n");
    fs::write(home.root().join("two.json"), two).unwrap();
    let said = "but 2 credentials (line 1, column 8; line 1, column ";
    home.run(["adopt", "two.json"]).failed(2, &[said]);
    let lines = format!("{{\n\"a\": \"{token}\",\n\"b\": \"{token}\"\n}}\n");
    fs::write(home.root().join("lines.json"), lines).unwrap();
    let said = "but 2 credentials (line 2, column 7; line 3, column 7)";
    home.run(["adopt", "lines.json"]).failed(2, &[said]);
    assert!(!named.stderr.contains(token), "{}", named.stderr);
    let places = home.run(["adopt", "--places"]).succeeded();
    for said in [
        "Goose",
        "~/.config/goose/config.yaml",
        "~/.config/Code/User/profiles/*/mcp.json",
    ] {
        assert!(places.text().contains(said), "{}", places.text());
    }
    home.run(["adopt", "--places", "--write"])
        .failed(2, &["--places"]);
}

/// What a value of the environment depends on outside of its text keeps it in the file.
#[test]
fn shared_nodes_and_other_homes_keep_their_values() {
    let token = &tokens()["github"];
    for (name, text, moved, said) in [
        (
            "alias.yaml",
            format!(
                "mcpServers:\n  a: {{command: x, env: &env {{A_TOKEN: {token}}}}}\n  b: {{command: x, env: *env}}\n"
            ),
            0,
            "kept: an alias elsewhere in the file refers to it",
        ),
        (
            "command.yaml",
            format!(
                "mcpServers:\n  a: {{command: &c x, env: {{A_TOKEN: {token}}}}}\n  b: {{command: *c}}\n"
            ),
            0,
            "kept: an alias elsewhere in the file refers to its command",
        ),
        (
            "arguments.yaml",
            format!(
                "mcpServers:\n  a: {{command: x, args: &a [y], env: {{A_TOKEN: {token}}}}}\n  b: {{command: z, args: *a}}\n"
            ),
            0,
            "kept: an alias elsewhere in the file refers to its command",
        ),
        (
            "merge.yaml",
            format!(
                "extensions:\n  a: &g\n    cmd: x\n    args: [y]\n    envs:\n      A_TOKEN: {token}\n  b:\n    <<: *g\n    cmd: z\n"
            ),
            0,
            "kept: an alias elsewhere in the file refers to it\n",
        ),
        (
            "anchor.yaml",
            format!("mcpServers:\n  a: {{command: x, env: &env {{A_TOKEN: &t {token}}}}}\n"),
            1,
            "→ a/A_TOKEN",
        ),
        (
            "home.json",
            format!(
                r#"{{"mcpServers": {{"a": {{"command": "x", "env": {{"HOME": "/srv/x", "A_TOKEN": "{token}"}}}}}}}}"#
            ),
            0,
            "kept: the server has a HOME of its own",
        ),
        (
            "file.json",
            r#"{"servers": {"a": {"command": "x", "envFile": "${workspaceFolder}/.env"}}}"#
                .to_owned(),
            0,
            "kept: the client reads variables from that file",
        ),
    ] {
        let home = Home::new();
        fs::write(home.root().join(name), &text).unwrap();
        let run = home.run(["adopt", name]).succeeded();
        assert!(run.text().contains(said), "{}", run.text());
        assert_eq!(
            adopt(&home, &[name, "--write"]).moved.len(),
            moved,
            "{name}"
        );
        home.run(["adopt", "--undo", name]).succeeded();
        assert_eq!(fs::read_to_string(home.root().join(name)).unwrap(), text);
    }
    // The home directory that it has anyway is no other one.
    let home = Home::new();
    let root = home.root().display();
    let text = format!(
        r#"{{"mcpServers": {{"a": {{"command": "x", "env": {{"HOME": "{root}", "A_TOKEN": "{token}"}}}}}}}}"#
    );
    fs::write(home.root().join("home.json"), text).unwrap();
    assert_eq!(adopt(&home, &["home.json"]).moved, ["a/A_TOKEN"]);
}

#[test]
fn a_file_of_variables_is_for_import() {
    let home = Home::new();
    for (name, text) in [
        ("x.env", "A_TOKEN=acme-9931\n"),
        (".env", ""),
        (".env.local", "# none\n"),
    ] {
        fs::write(home.root().join(name), text).unwrap();
        let hint = format!("hint: mcplexer import SCOPE {name} stores its secrets\n");
        home.run(["adopt", name]).failed(2, &[&hint]);
    }
}
