//! Tool servers in `config.yaml`.

use std::fs;

use serde_json::json;

use super::{VALUE, document, scopes, with_config};

const SERVERS: &str = "\
# What the team uses
servers:
  github:
    command: [npx, -y, '@modelcontextprotocol/server-github']
    env: {GITHUB_TOKEN: mcplexer://github/TOKEN, LOG: info} # read-only
  figma:
    url: https://mcp.example.com/mcp
    headers: {X-Figma-Token: mcplexer://figma/TOKEN}
clients:
  cursor: {servers: [figma]}
";

#[test]
fn servers_are_counted_and_scopes_may_be_absent() {
    let home = with_config(SERVERS);
    let check = home.run(["config", "check"]).succeeded();
    assert!(
        check
            .text()
            .ends_with("config.yaml: 0 scopes, 2 servers, 2 warnings\n")
    );
    let check = document(&home.run(["config", "check", "--json"]).succeeded());
    assert_eq!(
        (&check["scopes"], &check["servers"]),
        (&json!(0), &json!(2))
    );
}

/// F17, for servers: a value is refused and not repeated, and the hint says where it belongs.
#[test]
fn a_value_of_a_server_is_refused() {
    for (given, place, command) in [
        (
            format!("command: [a]\n    env:\n      GITHUB_TOKEN: {VALUE}"),
            "servers.x.env",
            "mcplexer secret put x GITHUB_TOKEN stores a value; mcplexer://x/GITHUB_TOKEN takes its place",
        ),
        (
            format!("url: https://h/\n    headers: {{Authorization: Bearer {VALUE}}}"),
            "servers.x.headers",
            "mcplexer secret put x Authorization stores a value; mcplexer://x/Authorization takes its place",
        ),
        (
            format!("command: [a, --api-key, {VALUE}]"),
            "servers.x.command[2]",
            "mcplexer secret put x KEY stores a value",
        ),
        (
            format!("url: https://h/?api_key={VALUE}"),
            "servers.x.url",
            "mcplexer secret put x KEY stores a value",
        ),
    ] {
        let home = with_config(&format!("servers:\n  x:\n    {given}\n"));
        let said = format!("{place}: credentials are not allowed in this file: ");
        let hint = format!("mcplexer: hint: {command}\n");
        let check = home.run(["config", "check"]).failed(2, &[&said, &hint]);
        assert!(!check.stderr.contains(VALUE), "{}", check.stderr);
    }
}

#[test]
fn applying_scopes_leaves_servers_alone() {
    let file = format!("{SERVERS}auth_scopes: [{{id: github}}]\n");
    let home = with_config(&file);
    home.run(["config", "apply", "--prune", "--force"])
        .succeeded();
    assert_eq!(scopes(&home).len(), 1);
    assert_eq!(fs::read_to_string(home.path("config.yaml")).unwrap(), file);
}

#[test]
fn a_file_without_auth_scopes_does_not_delete_them() {
    let home = with_config(SERVERS);
    home.run(["secret", "put", "github", "TOKEN", "v"])
        .succeeded();
    home.run(["config", "apply", "--prune", "--force"])
        .failed(2, &["has no auth_scopes"]);
    home.run(["config", "apply"]).succeeded();
    assert_eq!(scopes(&home).len(), 1);
}

#[test]
fn show_prints_the_servers_of_the_file() {
    let home = with_config(SERVERS);
    home.run(["secret", "put", "github", "TOKEN", "v"])
        .succeeded();
    let shown = home.run(["config", "show"]).succeeded();
    let expected = r#"auth_scopes:
  - id: github
    type: env
servers:
  figma:
    url: "https://mcp.example.com/mcp"
    headers:
      X-Figma-Token: "mcplexer://figma/TOKEN"
  github:
    command: [npx, "-y", "@modelcontextprotocol/server-github"]
    env:
      GITHUB_TOKEN: "mcplexer://github/TOKEN"
      LOG: info
clients:
  cursor:
    servers: [figma]
"#;
    assert_eq!(shown.text(), expected);
    let json = document(&home.run(["config", "show", "--json"]).succeeded());
    assert_eq!(
        json["servers"]["figma"]["url"],
        "https://mcp.example.com/mcp"
    );
    assert_eq!(json["clients"]["cursor"]["servers"], json!(["figma"]));

    // To leave servers out would be to lose them where the output replaces the file.
    fs::write(home.path("config.yaml"), "servers: {x: {}}\n").unwrap();
    home.run(["config", "show"])
        .failed(2, &["servers.x: missing field command or url"]);
    fs::write(home.path("config.yaml"), "# nothing yet\n").unwrap();
    home.run(["config", "show"]).succeeded();
}

/// The hint on a value in the file can be followed while the value is still there.
#[test]
fn a_put_needs_the_scopes_of_the_file_alone() {
    let wrong = format!(
        "auth_scopes: [{{id: api, type: header}}]\nservers:\n  github:\n    command: npx\n    env: {{GITHUB_TOKEN: {VALUE}}}\nclients: []\n"
    );
    let home = with_config(&wrong);
    home.run(["config", "check"])
        .failed(2, &["mcplexer secret put github GITHUB_TOKEN"]);
    home.run(["secret", "put", "github", "GITHUB_TOKEN", "other-value"])
        .succeeded();
    let put = home
        .run(["secret", "put", "api", "X-Api-Key", "other-value"])
        .succeeded();
    assert!(
        put.stderr
            .contains("created scope api (header, from config.yaml)"),
        "{}",
        put.stderr
    );
    fs::write(
        home.path("config.yaml"),
        "auth_scopes: [{id: 7}]\nservers: {}\n",
    )
    .unwrap();
    home.run(["secret", "put", "new", "K", "other-value"])
        .failed(2, &["auth_scopes[0].id"]);
}
