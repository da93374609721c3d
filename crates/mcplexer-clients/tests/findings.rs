//! Which texts of a configuration look like credentials, and which do not.

#![cfg(test)]

use std::path::Path;

use mcplexer_clients::{
    Choice, ClientConfig, Destination, Finding, Outcome, Place, Stays, Syntax, Variables,
};
use serde_json::{Value, json};

/// Returns characters like those of a token. No file has them, so nobody mistakes them for one.
fn random(alphabet: &str, length: usize) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut state = 20_261_127_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        letters[usize::try_from(state >> 33).unwrap() % letters.len()]
    };
    (0..length).map(|_| next()).collect()
}

fn token(length: usize) -> String {
    random(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        length,
    )
}

fn hex(length: usize) -> String {
    random("0123456789abcdef", length)
}

/// Replaces `{R}` and `{H}` in a text with something random.
fn filled_in(text: &str) -> String {
    text.replace("{R}", &token(32)).replace("{H}", &hex(40))
}

fn findings(text: &str, syntax: Syntax, variables: Variables) -> Vec<Finding> {
    let config = ClientConfig::parse(text.as_bytes(), syntax).unwrap();
    let config = config.with_variables(variables);
    let destination = Destination {
        scopes: &[],
        holds_other: &|_, _| panic!("it has no scopes"),
    };
    let planned = config.plan(&destination, "mcplexer", &Choice::default());
    planned.unwrap().findings
}

fn credentials(text: &str) -> Vec<Finding> {
    let mut found = findings(text, Syntax::Json, Variables::Braced);
    found.retain(|it| it.reason.is_some());
    found
}

/// Returns the numbers of the arguments that are reported.
fn reported(arguments: &[&str]) -> Vec<usize> {
    let arguments: Vec<_> = arguments.iter().map(|it| filled_in(it)).collect();
    let text = json!({"mcpServers": {"a": {"command": "x", "args": arguments}}}).to_string();
    let number = |it: Finding| match it.place {
        Place::Argument(number) => number,
        place => panic!("{place} in {text}"),
    };
    credentials(&text).into_iter().map(number).collect()
}

#[test]
fn credentials_in_arguments_are_reported() {
    for (arguments, expected) in [
        (&["--header", "Authorization: Token abc-9931"][..], &[2][..]),
        (&["--header", "Authorization: ApiKey abc-9931"], &[2]),
        (&["--header", "Authorization: ApiKey {R}"], &[2]),
        (&["--header", "Authorization: Bearer acme-prod-9931"], &[2]),
        (&["--header", "Authorization:Bearer acme-prod-9931"], &[2]),
        (&["--header", "Authorization:acme-prod-9931"], &[2]),
        (&["--header=Authorization: Splunk acme-prod-9931"], &[1]),
        (&["--header=Authorization:Splunk acme-prod-9931"], &[1]),
        (&["-HAuthorization: Bearer acme-prod-9931"], &[1]),
        (&["-H", "X-Api-Key: acme-prod-9931"], &[2]),
        (&["-H", "Authorization:", "acme-prod-9931"], &[3]),
        (
            &[
                "-c",
                "curl -H 'Authorization: Bearer acme-prod-9931' https://example.com",
            ],
            &[2],
        ),
        (
            &[
                "-c",
                "curl -H \"Authorization: Key acme-prod-9931\" -o x && y",
            ],
            &[2],
        ),
        (&["server.js", "{R}"], &[2]),
        (&["{R}"], &[1]),
        (&["-k", "{R}"], &[2]),
        (&["-token", "acme-prod-9931"], &[2]),
        (&["server.js", "abc/def+{R}=="], &[2]),
        (&["https://example.com/t/{R}/mcp"], &[1]),
        (&["--url=https://example.com/t/{R}/mcp"], &[1]),
        (&["--url", "https://example.com/t/{R}"], &[2]),
        (&["wss://example.com/{R}"], &[1]),
        (&["--api-key-env", "acme-prod-9931"], &[2]),
    ] {
        assert_eq!(reported(arguments), expected, "{arguments:?}");
    }
    let text = filled_in(
        r#"{"mcpServers": {"a": {"url": "https://example.com/t/{R}/mcp"}, "b": {"url": "https://example.com/{H}"}}}"#,
    );
    let found = credentials(&text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].place, Place::Url);
}

#[test]
fn ordinary_arguments_are_not_reported() {
    for arguments in [
        &[
            "-y",
            "@modelcontextprotocol/server-filesystem@2025.1.14",
            "/home/jane/Documents",
        ][..],
        &["-y", "mcp-remote@0.1.29", "https://mcp.example.com/v1/sse"],
        &["--from", "git+https://github.com/owner/name@{H}", "name"],
        &["run", "-i", "--rm", "ghcr.io/owner/name@sha256:{H}{H}"],
        &["run", "-i", "--rm", "alpine@sha256:{H}{H}", "sh"],
        &["run", "ghcr.io/owner/name:sha-{H}"],
        &["run", "registry.example.com:5000/secret/token:v1.2.3-rc4"],
        &["run", "-v", "/srv/token:/run/secrets/token42:ro", "image"],
        &["run", "-e", "GITHUB_PERSONAL_ACCESS_TOKEN", "image"],
        &["--rev", "{H}"],
        &["--commit={H}"],
        &["--session-id", "72f988bf-86f1-41af-91ab-2d7cd011db47"],
        &["72f988bf-86f1-41af-91ab-2d7cd011db47"],
        &["01JC3ZV8Q4T5N6W7X8Y9Z0A1B2"],
        &["/nix/store/{H}-node-20.11.1/bin/node"],
        &["./build/{H}/index.js"],
        &["build/{H}/index.js"],
        &["~/.cache/{R}/index.js"],
        &["--cache", "/home/jane/.cache/{R}/x"],
        &["https://github.com/owner/name/blob/{H}/mcp.json"],
        &["https://github.com/owner/name/archive/{H}.tar.gz"],
        &["https://codeload.github.com/owner/name/tar.gz/{H}"],
        &["https://files.example.org/packages/ab/cd/{H}{H}/name-1.2.3-py3-none-any.whl"],
        &["https://registry.npmjs.org/@scope/name/-/name-1.2.3-beta.20240102.tgz"],
        &["https://docs.google.com/spreadsheets/d/{R}/edit#gid=0"],
        &["https://drive.google.com/drive/folders/{R}"],
        &["https://example.com/72f988bf-86f1-41af-91ab-2d7cd011db47/mcp"],
        &["https://example.com/app.{R}.js"],
        &["https://example.com/AbstractSingletonProxyFactoryBeanConfiguration/x"],
        &["file:///home/jane/{R}/x"],
        &["--header", "Authorization: Bearer ${TOKEN}"],
        &["--header", "Authorization:${AUTH_HEADER}"],
        &["--header", "Authorization: Bearer {{token}}"],
        &["--header", "Authorization: Splunk ${TOKEN}"],
        &["--header", "Accept: application/json"],
        &["--header", "X-Trace: on"],
        &["--api-key-env", "OPENAI_API_KEY"],
        &["--api-key-env=OPENAI_API_KEY"],
        &["--token-var", "GH_TOKEN_2"],
        &["AbstractSingletonProxyFactoryBeanConfigurationAdapter"],
        &["--model", "meta-llama/Llama-3.3-70B-Instruct-Turbo-Free"],
        &["--integrity", "sha512-{R}{R}"],
        &["--key-file", "/etc/x.pem", "--token-file=/run/t"],
        &["-c", "git checkout {H} && npm ci"],
        &["npm:@scope/name@1.2.3", "github:owner/name#{H}"],
        &["-token", "-v"],
    ] {
        assert_eq!(reported(arguments), [0; 0], "{arguments:?}");
    }
}

fn env(variables: &Value) -> String {
    json!({"mcpServers": {"a": {"command": "x", "args": [], "env": variables}}}).to_string()
}

#[test]
fn names_of_variables_and_null_are_not_credentials() {
    let text = env(&json!({
        "API_TOKEN_ENV": "MY_TOKEN", "SECRET_VAR": "DB_SECRET_2", "apiKeyEnv": "OPENAI_API_KEY",
        "B_TOKEN": null, "C_TOKEN": true, "HOST": "${HOST:-localhost}", "D_TOKEN": "${TOKEN:-}",
        "E_TOKEN": "${TOKEN:-${OTHER_TOKEN}}", "F_TOKEN": "${TOKEN:-changeme}", "PORT": "${PORT:-8080}",
        "SETTINGS": "{\"theme\": \"dark-2024\", \"tokens\": 4096, \"token\": \"${TOKEN_2024}\"}",
    }));
    assert_eq!(credentials(&text), []);
    let all = findings(&text, Syntax::Json, Variables::Braced);
    let of_null = all
        .iter()
        .find(|it| it.place == Place::Env("B_TOKEN".to_owned()));
    assert_eq!(of_null, None);
    let codex = "[mcp_servers.a]\nurl = \"https://example.org/mcp\"\nbearer_token_env_var = \"A_TOKEN_2\"\n\
        env_http_headers = { \"Authorization\" = \"AUTH_TOKEN_2\", \"X-Api-Key\" = \"API_KEY\" }\nenv_vars = [\"A_TOKEN_3\"]\n";
    let found = findings(codex, Syntax::Toml, Variables::Braced);
    assert_eq!(found, []);
    let literal = codex.replace("AUTH_TOKEN_2", "acme-prod-9931");
    assert_eq!(findings(&literal, Syntax::Toml, Variables::Braced).len(), 1);
}

#[test]
fn defaults_of_variables_and_settings_in_json_are_looked_into() {
    let text = env(&json!({
        "DB_PASSWORD": "${DB_PASSWORD:-hunter2default}",
        "API_TOKEN_ENV": "acme-prod-9931",
        "CONFIG": "{\"region\": \"eu-1\", \"auth\": {\"api_key\": \"acme-prod-9931\"}}",
        "HEADERS": "{\"Authorization\": \"Token acme-prod-9931\"}",
    }));
    let found = credentials(&text);
    let stays: Vec<_> = found
        .iter()
        .map(|it| match &it.outcome {
            Outcome::Stays(stays) => Some(stays.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(stays, [None, None, Some(Stays::Expanded), None]);
}

/// Gemini CLI replaces `$NAME` anywhere in a value, so its servers get another value.
#[test]
fn what_gemini_replaces_stays() {
    let text = env(&json!({
        "A_TOKEN": "acme-prod-9931", "B_PASSWORD": "pa$$w0rd-${x", "C_PASSWORD": "pre-$db_pass-9931",
        "URL": "postgres://me:$db_pass@db/shop", "D_TOKEN": "$my_token",
    }));
    let moved = |path: &str| -> Vec<String> {
        let found = findings(&text, Syntax::Json, Variables::of(Path::new(path)));
        let is_moved = |it: &&Finding| matches!(it.outcome, Outcome::Secret(_));
        let names = found.iter().filter(is_moved);
        names.map(|it| it.place.to_string()).collect()
    };
    for path in [
        "/home/jane/.gemini/settings.json",
        ".gemini/settings.json",
        "gemini-extension.json",
    ] {
        assert_eq!(moved(path), ["env A_TOKEN"], "{path}");
    }
    assert_eq!(
        moved("/home/jane/.cursor/mcp.json"),
        [
            "env A_TOKEN",
            "env B_PASSWORD",
            "env C_PASSWORD",
            "env D_TOKEN",
            "env URL"
        ]
    );
    let found = findings(&text, Syntax::Json, Variables::Bare);
    let one = found
        .iter()
        .find(|it| it.place == Place::Env("D_TOKEN".to_owned()));
    assert_eq!(one.unwrap().reason, None);
}

/// Each client's own notation stays in its file, alone and within a value.
#[test]
fn what_each_client_replaces_stays() {
    for (path, notations) in [
        (".gemini/settings.json", &["$T", "${T}"][..]),
        (".qwen/settings.json", &["$T", "${T}"]),
        (".copilot/mcp-config.json", &["$T", "${T}", "${T:-d}"]),
        (".github/mcp.json", &["$T"]),
        ("shop/.mcp.json", &["$T", "${T}", "${T:-d}"]),
        (
            ".config/crush/crush.json",
            &["$T", "${T}", "$(pass show t)"],
        ),
        (".cursor/mcp.json", &["${env:T}"]),
        ("settings/cline_mcp_settings.json", &["${env:T}"]),
        (".vscode/mcp.json", &["${input:t}", "$input:t"]),
        ("opencode.json", &["{env:T}", "{file:~/t}"]),
        ("kilo.jsonc", &["{env:T}", "{file:t}"]),
        (".kiro/settings/mcp.json", &["${T}"]),
        (
            "librechat.yaml",
            &["${T}", "{{T}}", "{{LIBRECHAT_USER_ID}}"],
        ),
        (".continue/config.yaml", &["${{ secrets.T }}"]),
        (".config/amp/settings.json", &["${T}"]),
    ] {
        for notation in notations {
            let text = env(
                &json!({ "A_TOKEN": notation, "B_TOKEN": format!("acme-9931-{notation}"), "C_TOKEN": "acme-9931" }),
            );
            let found = findings(&text, Syntax::Json, Variables::of(Path::new(path)));
            let moved = found
                .iter()
                .filter(|it| matches!(it.outcome, Outcome::Secret(_)));
            let moved: Vec<_> = moved.map(|it| it.place.to_string()).collect();
            assert_eq!(moved, ["env C_TOKEN"], "{path} {notation}");
            let alone = found
                .iter()
                .find(|it| it.place.to_string() == "env A_TOKEN");
            assert_eq!(alone.unwrap().reason, None, "{path} {notation}");
        }
    }
    // Crush is known by the form of its file, too.
    let text = r#"{"mcp": {"a": {"command": "x", "env": {"A_TOKEN": "acme-$db_pass"}}}}"#;
    let found = findings(text, Syntax::Json, Variables::of(Path::new("x.json")));
    assert_eq!(found[0].outcome, Outcome::Stays(Stays::Expanded));
}

#[test]
fn logins_and_passwords_after_short_options_are_reported() {
    for (arguments, expected) in [
        (&["-u", "me:X3Ks4WdqtGH0"][..], &[2][..]),
        (&["--user", "me:Summer24!"], &[2]),
        (&["--basic-auth", "me:sesame"], &[2]),
        (&["--basic-auth=me:sesame"], &[1]),
        (&["-pX3Ks4WdqtGH0"], &[1]),
        (&["-phunter2"], &[1]),
        (&["-p", "X3Ks4WdqtGH0"], &[2]),
        (
            &[
                "--mnemonic",
                "legal winner thank year wave sausage worth useful legal winner thank yellow",
            ],
            &[2],
        ),
        (&["--db=mysql://me:a#b/c?d@db/shop"], &[1]),
        (&["https://mcp.example.com/sse#{R}"], &[1]),
        (&["https://mainnet.infura.io/v3/{R}"], &[1]),
        (
            &["https://mcp.example.com/v2/4ce0b439a72e53aef0906027a6527f36"],
            &[1],
        ),
        (&["-u", "1000:1000"], &[]),
        (&["-u", "node:node"], &[]),
        (&["--user", "jane:staff"], &[]),
        (&["-p", "8080:80"], &[]),
        (&["-p8080"], &[]),
        (&["-python3"], &[]),
        (&["-profile1"], &[]),
        (
            &[
                "--spreadsheet",
                "1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms",
            ],
            &[],
        ),
        (&["--db=postgres://db:5432/shop?user=me@example.com"], &[]),
        (
            &["https://www.notion.so/acme/Roadmap-2025-4ce0b439a72e53aef0906027a6527f36"],
            &[],
        ),
    ] {
        assert_eq!(reported(arguments), expected, "{arguments:?}");
    }
}

#[test]
fn the_innermost_name_of_an_argument_counts() {
    for (arguments, expected) in [
        (
            &["--env=API_AUTH=Token 86536b481fdfb6fafbfc99fafaf1e9b62ce2e21c"][..],
            &[1][..],
        ),
        (
            &["--env=NETRC=machine h login me password X3Ks4WdqtGH0"],
            &[1],
        ),
        (&["API_KEY=X3Ks4WdqtGH0"], &[1]),
        (&["--milvus-token", "root:X3Ks4WdqtGH0"], &[2]),
        (&["--es-cloud-id", "acme:{R}"], &[]),
        (&["-e", "ES_CLOUD_ID=acme:{R}"], &[]),
        (&["--env=ES_CLOUD_ID=acme:{R}"], &[]),
        (&["--header", "X-Es-Cloud-Id: acme:{R}"], &[]),
        (
            &["--env=SECRET_ARN=arn:aws:secretsmanager:eu:1:secret:prod/shop-a1B2c3"],
            &[],
        ),
        (
            &[
                "--header",
                "X-Secret-Arn: arn:aws:secretsmanager:eu:1:secret:a-b1C2d3",
            ],
            &[],
        ),
        (&["--env=A_TOKEN=$(op read op://dev/token)"], &[]),
        (&["A_TOKEN=`pass show dev/token`"], &[]),
        (&["--host-key", "ecdsa-sha2-nistp256 AAAAE2VjZHNh{R}="], &[]),
        (
            &[
                "--json-schema",
                r#"{"properties":{"token":{"type":"string"}}}"#,
            ],
            &[],
        ),
    ] {
        assert_eq!(reported(arguments), expected, "{arguments:?}");
    }
}

#[test]
fn credentials_elsewhere_are_reported_by_their_names() {
    let text = filled_in(
        r##"{
  // "MYSVC_API_KEY": "{R}",
  /* API_TOKEN=acme-prod-9931 */
  "openai.apiKey": "{R}",
  "terminal": { "env": { "DB_PASSWORD": "hunter2hunter2" } },
  "inputs": [{ "id": "key", "default": "{R}" }],
  "auth": "{\"client_secret\": \"acme-prod-9931\"}",
  // Authorization: Token acme-prod-9931
  // see https://github.com/owner/name/blob/{H}/x.json for the token: it has 40 characters
  "telemetry.machineId": "{H}{H}", "commit": "{H}", "default": "8080", "maxTokens": 16384000,
  "workbench.colorTheme": "dark-2026", "editor.tokenColor": "#1f2f3f4f", "passwordUrl": "https://example.com/2",
  "key": "ctrl+shift+alt+f12", "lastTokenDate": "2026-11-27", "token": "${input:token-2026}",
  "mcpServers": { "a": { "command": "x", "description": "the token: two words", "env": { "A_TOKEN": "acme-prod-1" } } }
}"##,
    );
    let found = credentials(&text);
    let elsewhere = found.iter().filter(|it| it.place == Place::Elsewhere);
    let lines: Vec<_> = elsewhere.map(|it| it.position.line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6, 7, 8]);
    let first = found.iter().find(|it| it.position.line == 2).unwrap();
    assert_eq!(first.position.column, 24);
    let toml = "# API_TOKEN = 'acme-prod-9931'\n[mcp_servers.a]\ncommand = 'x'\n";
    let found = findings(toml, Syntax::Toml, Variables::Braced);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].position.line, 1);
}

/// If the cost were not linear in the length, a line like this would take minutes.
#[test]
fn a_long_line_is_looked_through_once() {
    let token = format!("ghp_{}", token(36));
    let servers: serde_json::Map<_, _> = (0..1_000)
        .map(|at| {
            let arguments = [
                format!("--token={token}"),
                "https://example.org/?a=b&c=d".to_owned(),
            ];
            let entry = json!({"command": "x", "args": arguments, "note": "a:b=c:d".repeat(20)});
            (format!("s{at}"), entry)
        })
        .collect();
    let text = json!({"mcpServers": servers}).to_string();
    assert_eq!(credentials(&text).len(), 1_000);
    let text =
        json!({"a": "token:".repeat(10_000), "b": "x://y@?&=;".repeat(10_000), "mcpServers": {}});
    assert_eq!(credentials(&text.to_string()), []);
}
