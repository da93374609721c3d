//! The server that connects to the gateway, in the own file of each client.

#![cfg(test)]

use mcplexer_clients::{
    ClientConfig, Directories, Install, InstallError, Syntax, Uninstall, client_id, client_of,
    install_place, installable,
};

const PROGRAM: &str = "/b/mcplexer";

fn installed(id: &str, file: Option<&str>) -> Result<String, InstallError> {
    match install_place(id)
        .unwrap()
        .install(file.map(str::as_bytes), PROGRAM)?
    {
        Install::Write(bytes) => Ok(String::from_utf8(bytes.to_vec()).unwrap()),
        _ => Ok("already".to_owned()),
    }
}

fn removed(id: &str, file: &str) -> Option<String> {
    match install_place(id)
        .unwrap()
        .uninstall(file.as_bytes())
        .unwrap()
    {
        Uninstall::Write(bytes) => Some(String::from_utf8(bytes.to_vec()).unwrap()),
        Uninstall::Delete => Some("deleted".to_owned()),
        _ => None,
    }
}

#[test]
fn every_client_gets_a_file_that_connects() {
    for id in installable() {
        let place = install_place(id).unwrap();
        if place.is_by_hand() {
            assert_eq!(installed(id, None), Err(InstallError::ByHand));
            let syntax = if id == "codex" {
                Syntax::Toml
            } else {
                Syntax::Yaml
            };
            let config = ClientConfig::parse(place.snippet(PROGRAM).as_bytes(), syntax).unwrap();
            assert!(config.connects(id), "{id}");
            continue;
        }
        let file = installed(id, None).unwrap();
        let config = ClientConfig::parse(file.as_bytes(), Syntax::Json).unwrap();
        assert!(config.connects(id), "{id}: {file}");
        assert_eq!(removed(id, &file).as_deref(), Some("deleted"));
        assert_eq!(installed(id, Some(&file)).unwrap(), "already");
    }
    assert!(installable().is_sorted());
}

#[test]
fn a_file_comes_back_to_the_byte() {
    for before in [
        "",
        "\n",
        "{}",
        "{ }",
        "{\n}\n",
        "\u{feff}{}",
        "{ // c\n}",
        "{\"mcpServers\": {}}",
        "{ \"mcpServers\": {} }",
        "{\"mcpServers\":{\n  }}",
        "{\"mcpServers\": { /* c */ }, \"a\": 1}",
        "{\n  \"theme\": \"dark\"\n}\n",
        "{\"a\":1}",
        "{\r\n\t\"a\": {}\r\n}\r\n",
        "{\n  \"mcpServers\": {\n    // first\n    \"a\": {\"command\": \"x\"},\n  }, // c\n}",
        "{\"mcpServers\":{\"a\":{\"command\":\"x\"}}}",
        "// c\n{ \"b\": [1.0], \"mcpServers\": { \"a\": {\"url\": \"https://h\"} } }",
    ] {
        let after = installed("cursor", Some(before)).unwrap_or_else(|it| panic!("{it}: {before}"));
        let config = ClientConfig::parse(after.as_bytes(), Syntax::Json).unwrap();
        assert!(config.connects("cursor"), "{after}");
        assert_eq!(
            removed("cursor", &after).as_deref(),
            Some(before),
            "{after}"
        );
        assert_eq!(installed("cursor", Some(&after)).unwrap(), "already");
    }
    let after = installed(
        "cursor",
        Some("{\n  \"mcpServers\": {\n    \"a\": {\"command\": \"x\"}\n  }\n}\n"),
    );
    let expected = "{\n  \"mcpServers\": {\n    \"mcplexer\": { \"command\": \"/b/mcplexer\", \"args\": [\"connect\", \"--client\", \"cursor\"] },\n    \"a\": {\"command\": \"x\"}\n  }\n}\n";
    assert_eq!(after.as_deref(), Ok(expected));
}

#[test]
fn what_a_client_writes_anew_loses_the_server_alone() {
    let server = "\"mcplexer\":{\"command\":\"/old/mcplexer\",\"args\":[\"connect\",\"--client\",\"cursor\"]}";
    for (before, after) in [
        (
            format!("{{\"mcpServers\":{{\"a\":{{\"command\":\"x\"}},{server}}}}}"),
            "{\"mcpServers\":{\"a\":{\"command\":\"x\"}}}",
        ),
        (
            format!("{{\"mcpServers\":{{{server},\"a\":{{\"command\":\"x\"}}}}}}"),
            "{\"mcpServers\":{\"a\":{\"command\":\"x\"}}}",
        ),
        (
            format!("{{\"mcpServers\":{{{server}}},\"b\":1}}"),
            "{\"mcpServers\":{},\"b\":1}",
        ),
    ] {
        assert_eq!(installed("cursor", Some(&before)).unwrap(), "already");
        assert_eq!(removed("cursor", &before).as_deref(), Some(after));
    }
}

#[test]
fn other_servers_and_other_files_are_refused() {
    for (file, error) in [
        ("[]", InstallError::Invalid),
        ("{", InstallError::Invalid),
        ("{\"mcpServers\": []}", InstallError::Invalid),
        (
            "{\"mcpServers\": {\"mcplexer\": {\"command\": \"x\"}}}",
            InstallError::Taken,
        ),
        (
            "{\"mcpServers\": {\"mcplexer\": {\"command\": \"mcplexer\", \"args\": [\"connect\", \"--client\", \"zed\"]}}}",
            InstallError::Taken,
        ),
    ] {
        assert_eq!(installed("cursor", Some(file)), Err(error), "{file}");
    }
    assert_eq!(
        removed(
            "cursor",
            "{\"mcpServers\": {\"mcplexer\": {\"command\": \"x\"}}}"
        ),
        None
    );
    assert!(install_place("emacs").is_none());
}

/// What moves the servers of a client's file calls the client as `client install` does.
#[test]
fn a_client_has_one_name() {
    let directories = Directories {
        home: Some("/h".into()),
        settings: Some("/s".into()),
        config: Some("/x".into()),
        codex: Some("/c".into()),
        project: Some("/w".into()),
    };
    for id in installable() {
        let path = install_place(id).unwrap().path(&directories).unwrap();
        let client = client_of(&path).unwrap_or_else(|| panic!("{}", path.display()));
        assert_eq!(client_id(client), Some(id), "{}", path.display());
    }
    for (path, id) in [
        ("/w/.vscode/mcp.json", "vscode"),
        ("/w/.warp/.mcp.json", "warp"),
        ("/w/.mcp.json", "claude-code"),
    ] {
        assert_eq!(
            client_of(path.as_ref()).and_then(client_id),
            Some(id),
            "{path}"
        );
    }
}
