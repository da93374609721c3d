//! Tool servers and clients.

use std::path::Path;
use std::time::Duration;

use mcplexer_files::config::{
    Client, Config, MAX_TOOL_NAME, SearchPath, Server, ServerName, Start, Stdio, Timeouts,
    Transport, parse,
};
use mcplexer_secrets::ScopeKind;

use super::{problems, reported};

#[track_caller]
fn config(text: &str) -> Config {
    parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{text}\n{problems:?}"))
}

fn name(text: &str) -> ServerName {
    text.parse().unwrap()
}

fn stdio(server: &Server) -> &Stdio {
    match &server.transport {
        Transport::Stdio(stdio) => stdio,
        other => panic!("{other:?}"),
    }
}

#[test]
fn servers_and_clients_are_read() {
    let text = r#"
servers:
  github:
    command: [npx, -y, "@modelcontextprotocol/server-github"]
    env: { GITHUB_PERSONAL_ACCESS_TOKEN: mcplexer://github-token/GITHUB_PERSONAL_ACCESS_TOKEN, LOG: info }
    scopes: [github-extra]
    directory: ~/work
    path: login
    start: eager
    idle_stop: never
    timeouts: { connect: 10s, start: 90s, call: 500ms, total: 1h 30m }
    disabled: true
  plain: { command: [server] }
  figma:
    url: https://mcp.example.com/mcp
    headers: { X-Figma-Token: mcplexer://figma/TOKEN, Authorization: Bearer mcplexer://x/Y }
    auth: { scope: linear, type: oauth2 }
    idle_stop: 1h
clients:
  claude-code: { servers: [github, figma], max_tool_name: 49 }
  cursor: {}
"#;
    let config = config(text);
    assert_eq!(config.auth_scopes, None);
    let github = &config.servers[&name("github")];
    let program = stdio(github);
    assert_eq!(
        program.command,
        ["npx", "-y", "@modelcontextprotocol/server-github"]
    );
    let token = "GITHUB_PERSONAL_ACCESS_TOKEN";
    assert_eq!(
        program.env[token],
        format!("mcplexer://github-token/{token}")
    );
    assert_eq!(program.env["LOG"], "info");
    assert_eq!(program.scopes, ["github-extra".parse().unwrap()]);
    assert_eq!(program.directory.as_deref(), Some(Path::new("~/work")));
    assert_eq!(program.path, SearchPath::Login);
    assert_eq!(github.start, Start::Eager);
    assert_eq!(github.idle_stop, None);
    let waits = github.timeouts;
    let seconds = [waits.connect, waits.start, waits.call, waits.total].map(|it| it.as_secs_f64());
    assert_eq!(seconds, [10.0, 90.0, 0.5, 5400.0]);
    assert!(github.disabled);

    let plain = Transport::Stdio(Stdio::new(vec!["server".to_owned()]));
    assert_eq!(config.servers[&name("plain")], Server::new(plain));
    assert_eq!(Server::IDLE_STOP, Duration::from_secs(600));
    assert_eq!(Timeouts::default().call, Duration::from_secs(300));

    let figma = &config.servers[&name("figma")];
    let Transport::Http(http) = &figma.transport else {
        panic!("{figma:?}")
    };
    assert_eq!(http.url, "https://mcp.example.com/mcp");
    assert_eq!(http.headers["Authorization"], "Bearer mcplexer://x/Y");
    let auth = http.auth.as_ref().unwrap();
    assert_eq!(
        (auth.scope.as_str(), auth.kind),
        ("linear", ScopeKind::OAuth2)
    );
    assert_eq!(figma.idle_stop, Some(Duration::from_secs(3600)));

    let claude = &config.clients[&name("claude-code")];
    assert_eq!(claude.servers, Some(vec![name("github"), name("figma")]));
    assert_eq!(claude.max_tool_name, 49);
    let cursor = &config.clients[&name("cursor")];
    assert_eq!(*cursor, Client::default());
    assert_eq!(cursor.max_tool_name, MAX_TOOL_NAME);

    let again = config.to_string();
    assert_eq!(parse(again.as_bytes()), Ok(config), "{again}");
}

#[test]
fn ordinary_servers_pass() {
    let mut wrong = Vec::new();
    for server in [
        "{command: [uvx, 'mcp-server-git==2025.1.14', --repository, /srv/shop]}",
        "{command: [docker, run, -i, --rm, -e, GITHUB_TOKEN, 'ghcr.io/github/github-mcp-server:v0.9.1']}",
        "{command: [npx, -y, mcp-remote@0.1.18, 'https://mcp.example.com/sse', --port, '8080']}",
        "{command: [node, '/home/ann/src/a1b2c3d4e5f6/dist/index.js', '--max-tokens=4096']}",
        "{command: [a], env: {API_URL: 'https://api.example.com/v1', MAX_TOKENS: '4096', REGION: eu-west-1}}",
        "{command: [a], env: {GITHUB_TOKEN: 'mcplexer://github/TOKEN?adopted'}}",
        "{command: [a], env: {DB: 'postgres://me:mcplexer://db/PASSWORD@db.example.com/shop'}}",
        "{command: [a], env: {TOKEN: 'x-mcplexer://a/B', JSON: '{\"token\": \"{mcplexer://a/B}\"}'}}",
        "{command: [a], env: {GITHUB_TOKEN: '${GITHUB_TOKEN}', EMPTY: ''}}",
        "{url: 'http://localhost:8931/mcp', headers: {Authorization: 'Basic {mcplexer://a/B}'}}",
        "{url: 'http://127.0.0.1/mcp', headers: {Cookie: 'sid=mcplexer://a/B; theme=dark'}}",
        "{url: 'http://[::1]:1/', headers: {X-Api-Key: mcplexer://a/B, User-Agent: mcplexer}}",
        "{url: 'https://mcp.example.com:8443/mcp?toolsets=repos,issues', auth: {scope: a, type: header}}",
    ] {
        let file = format!("servers:\n  x: {server}\n");
        match parse(file.as_bytes()) {
            Ok(read) => {
                let again = read.to_string();
                assert_eq!(parse(again.as_bytes()), Ok(read), "{again}");
            }
            Err(problems) => wrong.push(format!("{server}\n{problems:#?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a server has, and every problem that is reported; each begins with the column.
const BAD_SERVERS: &[(&str, &[&str])] = &[
    (
        "{command: [a], env: {TOKEN: 'mcplexer://a/B M4rk3dValue'}}",
        &["34: servers.x.env: credentials are not allowed in this file: its name is that of one"],
    ),
    (
        "{command: [sh, -c, 'npx srv --api-key hunter2']}",
        &[
            "25: servers.x.command[2]: credentials are not allowed in this file: its name is that of one",
        ],
    ),
    ("{}", &["6: servers.x: missing field command or url"]),
    (
        "~",
        &[
            "6: servers.x: expected a map of command, env, scopes, directory, path, url, headers, auth, start, idle_stop, timeouts, disabled",
        ],
    ),
    (
        "{command: [a], url: 'https://h/'}",
        &["21: servers.x: a server has either a command or a url"],
    ),
    (
        "{command: npx -y server}",
        &[
            "16: servers.x.command: expected a list of the program and its arguments, such as [npx, -y, SERVER]; a line is not split",
        ],
    ),
    (
        "{command: []}",
        &[
            "16: servers.x.command: expected a list of the program and its arguments, such as [npx, -y, SERVER]; a line is not split",
        ],
    ),
    (
        "{command: ['']}",
        &["17: servers.x.command[0]: the program has no name"],
    ),
    (
        "{command: [a, 8080]}",
        &["20: servers.x.command[1]: expected text, found null, a boolean or a number; quote it"],
    ),
    (
        "{command: [a, 'mcplexer://a/B']}",
        &[
            "20: servers.x.command[1]: a reference is not allowed in a command, which other users can see; use env",
        ],
    ),
    (
        "{command: [a, --token, hunter2]}",
        &[
            "29: servers.x.command[2]: credentials are not allowed in this file: its name is that of one",
        ],
    ),
    (
        "{command: [a, --token=hunter2]}",
        &[
            "20: servers.x.command[1]: credentials are not allowed in this file: its name is that of one",
        ],
    ),
    (
        "{command: [a, -e, API_KEY=hunter2]}",
        &[
            "24: servers.x.command[2]: credentials are not allowed in this file: its name is that of one",
        ],
    ),
    (
        "{command: [a, -H, 'Authorization: Bearer hunter2']}",
        &[
            "24: servers.x.command[2]: credentials are not allowed in this file: its name is that of one",
        ],
    ),
    (
        "{command: [a, ghp_0123456789abcdefghijABCDEFGHIJ012345]}",
        &[
            "20: servers.x.command[1]: credentials are not allowed in this file: GitHub token (ghp_…)",
        ],
    ),
    (
        "{command: [a, 'postgres://me:hunter2@db/shop']}",
        &[
            "20: servers.x.command[1]: credentials are not allowed in this file: a password in a URL",
        ],
    ),
    (
        "{command: [a], headers: {X-A: b}}",
        &["21: servers.x.headers: this field is for a server with a url"],
    ),
    (
        "{url: 'https://h/', env: {A: b}, scopes: [a]}",
        &[
            "26: servers.x.env: this field is for a server with a command",
            "39: servers.x.scopes: this field is for a server with a command",
        ],
    ),
    (
        "{command: [a], env: {GITHUB_TOKEN: hunter2}}",
        &["41: servers.x.env: credentials are not allowed in this file: its name is that of one"],
    ),
    (
        "{command: [a], env: {A: ghp_0123456789abcdefghijABCDEFGHIJ012345, API_KEY: hunter2}}",
        &[
            "30: servers.x.env: credentials are not allowed in this file: GitHub token (ghp_…)",
            "81: servers.x.env: credentials are not allowed in this file: its name is that of one",
        ],
    ),
    (
        "{command: [a], env: {A: 'x ghp_0123456789abcdefghijABCDEFGHIJ012345 mcplexer://a/B'}}",
        &["30: servers.x.env: credentials are not allowed in this file: GitHub token (ghp_…)"],
    ),
    (
        "{command: [a], env: {A: 'x mcplexer://A'}}",
        &["33: servers.x.env: invalid reference; expected mcplexer://scope/KEY"],
    ),
    (
        "{command: [a], env: {A: mcplexer://a}}",
        &["30: servers.x.env: invalid reference; expected mcplexer://scope/KEY"],
    ),
    (
        "{command: [a], env: {A: 1}}",
        &["30: servers.x.env: expected text, found null, a boolean or a number; quote it"],
    ),
    (
        "{command: [a], env: [A]}",
        &["26: servers.x.env: expected a map of variables by name; {} is an empty map"],
    ),
    (
        "{command: [a], env: {A-B: x}}",
        &[
            "27: servers.x.env: invalid name of a variable: it is 1 to 128 of A-Z a-z 0-9 _, not beginning with a digit",
        ],
    ),
    (
        "{command: [a], env: {MCPLEXER_HOME: x}}",
        &["27: servers.x.env: the variables MCPLEXER_… are mcplexer's own"],
    ),
    (
        "{command: [a], env: {LD_PRELOAD: x}}",
        &["27: servers.x.env: a variable that names code that every program loads is not allowed"],
    ),
    (
        "{command: [a], env: {NODE_OPTIONS: x}}",
        &["27: servers.x.env: a variable that names code that Node.js or Bun loads is not allowed"],
    ),
    (
        "{command: [a], env: {PATH: x}}",
        &[
            "27: servers.x.env: a variable that says where programs are found is not allowed; `path: login` takes it from the login shell",
        ],
    ),
    (
        "{command: [a], env: {A: x, A: y}}",
        &["33: servers.x.env: duplicate name; it is on line 2 too"],
    ),
    (
        "{command: [a], env: {A: \"\\0\"}}",
        &["30: servers.x.env: a NUL character is not allowed"],
    ),
    (
        "{command: [a], scopes: a}",
        &["29: servers.x.scopes: expected a list of ids of scopes; [] is an empty list"],
    ),
    (
        "{command: [a], directory: work}",
        &["32: servers.x.directory: a directory begins with / or ~/"],
    ),
    (
        "{command: [a], directory: ~ann/work}",
        &["32: servers.x.directory: a directory begins with / or ~/"],
    ),
    (
        "{command: [a], path: /bin}",
        &["27: servers.x.path: invalid path: it is one of inherit, login"],
    ),
    (
        "{command: [a], start: now}",
        &["28: servers.x.start: invalid start: it is one of lazy, eager"],
    ),
    (
        "{command: [a], idle_stop: 0s}",
        &[
            "32: servers.x.idle_stop: expected a duration such as 500ms, 10s, 5m or 1h 30m, at least 1ms and at most 168h; or never",
        ],
    ),
    (
        "{command: [a], timeouts: {call: never}}",
        &[
            "38: servers.x.timeouts.call: expected a duration such as 500ms, 10s, 5m or 1h 30m, at least 1ms and at most 168h",
        ],
    ),
    (
        "{command: [a], timeouts: {calls: 1s}}",
        &[
            "32: servers.x.timeouts: unknown field; the fields are connect, start, call, total; did you mean call?",
        ],
    ),
    (
        "{comand: [a]}",
        &[
            "6: servers.x: missing field command or url",
            "7: servers.x: unknown field; the fields are command, env, scopes, directory, path, url, headers, auth, start, idle_stop, timeouts, disabled; did you mean command?",
        ],
    ),
    (
        "{command: [a], timeouts: {call: 5}}",
        &[
            "38: servers.x.timeouts.call: expected text, found null, a boolean or a number; quote it",
        ],
    ),
    (
        "{command: [a], disabled: 'yes'}",
        &["31: servers.x.disabled: expected true or false"],
    ),
    (
        "{command: [a], token: M4rked-Value}",
        &["28: servers.x.token: values are not allowed in this file"],
    ),
    (
        "{command: [a], tools: []}",
        &[
            "21: servers.x: unknown field; the fields are command, env, scopes, directory, path, url, headers, auth, start, idle_stop, timeouts, disabled",
        ],
    ),
    (
        "{url: ftp://h/}",
        &["12: servers.x.url: invalid URL: it begins with https://"],
    ),
    (
        "{url: mcp.example.com}",
        &["12: servers.x.url: invalid URL: it begins with https://"],
    ),
    ("{url: 'https://h h/'}", &["12: servers.x.url: invalid URL"]),
    (
        "{url: 'http://example.com/'}",
        &[
            "12: servers.x.url: http is for this machine only (localhost, 127.0.0.1, [::1]); use https",
        ],
    ),
    (
        "{url: 'http://localhost.example.com/'}",
        &[
            "12: servers.x.url: http is for this machine only (localhost, 127.0.0.1, [::1]); use https",
        ],
    ),
    (
        "{url: 'http://127.0.0.1.example.com/'}",
        &[
            "12: servers.x.url: http is for this machine only (localhost, 127.0.0.1, [::1]); use https",
        ],
    ),
    (
        "{url: 'https://h:99999/'}",
        &["12: servers.x.url: invalid URL: the port is a number from 1 to 65535"],
    ),
    (
        "{url: 'https://h/#f'}",
        &["12: servers.x.url: a URL has a host and no fragment"],
    ),
    (
        "{url: 'https://ann@h/'}",
        &["12: servers.x.url: a URL has no user and no password; use headers"],
    ),
    (
        "{url: 'https://h/mcp?k=mcplexer://a/B'}",
        &["12: servers.x.url: a reference is not allowed in a URL; use headers"],
    ),
    (
        "{url: 'https://h/mcp?api_key=9f8e7d6c5b4a'}",
        &["12: servers.x.url: credentials are not allowed in this file: a password in a URL"],
    ),
    (
        "{url: 'https://h/', headers: {Host: h}}",
        &["36: servers.x.headers: mcplexer sets this header field itself"],
    ),
    (
        "{url: 'https://h/', headers: {mcp-session-id: h, ACCEPT: a}}",
        &[
            "36: servers.x.headers: mcplexer sets this header field itself",
            "55: servers.x.headers: mcplexer sets this header field itself",
        ],
    ),
    (
        "{url: 'https://h/', headers: {'X A': h}}",
        &[
            "36: servers.x.headers: invalid name of a header field: it is 1 to 128 of A-Z a-z 0-9 ! # $ % & ' * + - . ^ _ ` | ~ (an RFC 9110 field name)",
        ],
    ),
    (
        "{url: 'https://h/', headers: {X-A: a, x-a: b}}",
        &["44: servers.x.headers: duplicate name; it is on line 2 too, in another case"],
    ),
    (
        "{url: 'https://h/', headers: {X-A: \"a\\r\\nHost: b\"}}",
        &["41: servers.x.headers: a header field has one line, without control characters"],
    ),
    (
        "{url: 'https://h/', headers: {Authorization: Bearer hunter2}}",
        &[
            "51: servers.x.headers: credentials are not allowed in this file: its name is that of one",
        ],
    ),
    (
        "{url: 'https://h/', auth: {scope: a}}",
        &["32: servers.x.auth: missing field type"],
    ),
    (
        "{url: 'https://h/', auth: {scope: a, type: env}}",
        &["49: servers.x.auth.type: invalid type: it is one of header, oauth2"],
    ),
];

#[test]
fn every_problem_of_a_server_is_reported_with_its_place() {
    let mut wrong = Vec::new();
    for (server, expected) in BAD_SERVERS {
        let file = format!("servers:\n  x: {server}\n");
        let expected: Vec<_> = expected.iter().map(|it| format!("2:{it}")).collect();
        let reported = reported(&file);
        if reported != expected {
            wrong.push(format!("{server}\n{reported:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (file, expected) in [
        (
            "servers:\n",
            "1:8: servers: expected a map of servers by name; {} is an empty map",
        ),
        (
            "servers: [a]\n",
            "1:10: servers: expected a map of servers by name; {} is an empty map",
        ),
        (
            "servers: {M4rked-Value: {command: [a]}}\n",
            "1:11: servers[0]: invalid name: it is 1 to 32 of a-z, 0-9, - and _, begins with a letter or a digit, and has no __",
        ),
        (
            "servers: {a: {command: [a]}, a: {command: [b]}}\n",
            "1:30: servers.a: duplicate name; it is on line 1 too",
        ),
        (
            "servers: {7: {command: [a]}}\n",
            "1:11: servers.7: expected text, found null, a boolean or a number; quote it",
        ),
        (
            "clients: {}\n",
            "1:1: missing field auth_scopes or servers; use `auth_scopes: []` for an empty list",
        ),
        (
            "servers: {}\nclients: {c: {servers: [gone]}}\n",
            "2:25: clients.c.servers[0]: no server has this name",
        ),
        (
            "servers: {}\nclients: {c: }\n",
            "2:12: clients.c: expected a map of servers, max_tool_name",
        ),
        (
            "servers: {}\nclients: {c: {max_tool_name: 15}}\n",
            "2:30: clients.c.max_tool_name: expected a number from 16 to 128",
        ),
        (
            "servers: {}\nclients: {c: {max_tool_name: 129}}\n",
            "2:30: clients.c.max_tool_name: expected a number from 16 to 128",
        ),
    ] {
        assert_eq!(reported(file), [expected], "{file}");
    }
}

#[test]
fn a_value_of_a_server_belongs_in_the_scope_of_its_name() {
    let file = "servers:
  github:
    command: [npx, --api-key, hunter2hunter2]
    env:
      GITHUB_TOKEN: hunter2
      other: ghp_0123456789abcdefghijABCDEFGHIJ012345
";
    let places = problems(file).into_iter().map(|problem| {
        let place = problem.instead.unwrap();
        let scope = place.scope.map(|it| it.to_string());
        let name = place.name.map(|it| it.to_string());
        (problem.line, scope.unwrap(), name, place.takes_reference)
    });
    let github = || "github".to_owned();
    let expected = [
        (3, github(), None, false),
        (5, github(), Some("GITHUB_TOKEN".to_owned()), true),
        (6, github(), None, true),
    ];
    assert_eq!(places.collect::<Vec<_>>(), expected);
}
