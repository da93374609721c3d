//! Random files, and random configurations that are written and read again.

use std::iter;
use std::path::PathBuf;
use std::time::Duration;

use mcplexer_files::config::{
    Auth, AuthScope, Client, Config, Http, Problem, SearchPath, Server, ServerName, Start, Stdio,
    Transport, parse, parse_scopes,
};
use mcplexer_secrets::{ScopeId, ScopeKind, SecretName};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::TestCaseError;

use super::run;

/// A value where none belongs. It does not look like a credential.
const MARKER: &str = "M4rked-Value";

/// Text that looks more or less like a configuration, with the marker in it.
fn almost_yaml() -> impl Strategy<Value = String> {
    let pieces = vec![
        MARKER,
        "auth_scopes:",
        "- id: ",
        "id: a",
        "name: ",
        "type: ",
        "env",
        "token: ",
        "headers:",
        "redaction_hints: ",
        "keep_versions: ",
        "servers:",
        "clients:",
        "x:",
        "command: [a",
        "env: {A: ",
        "headers: {X-A: ",
        "url: https://h/",
        "mcplexer://",
        "mcplexer://a/B",
        "timeouts: ",
        "10s",
        "\n",
        "\n  ",
        "\n    ",
        "\n      ",
        "  - ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "\"",
        "'",
        "\\",
        "\\x",
        "|",
        ">-",
        "&",
        "*",
        "!",
        "#",
        " #",
        "---",
        "...",
        "%",
        "?",
        ": ",
        "<<: ",
        "\t",
        "\r",
        "\r\n",
        "\u{feff}",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "null",
        "7",
    ];
    let piece = prop_oneof![
        8 => select(pieces).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => Just(format!("{MARKER}: {MARKER}\n")),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// F22: no message repeats anything of the file, whatever the file holds.
#[test]
fn no_text_makes_it_panic_and_no_problem_repeats_the_marker() {
    let start = prop_oneof![
        Just(""),
        Just("auth_scopes:\n  - id: a\n    "),
        Just("servers:\n  a:\n    "),
        Just("servers:\n  a:\n    command: [a]\n    env:\n      "),
        Just("servers: {}\nclients:\n  a:\n    "),
    ];
    run(5000, &(start, almost_yaml()), |(start, rest)| {
        let text = format!("{start}{rest}");
        for problem in parse(text.as_bytes()).err().unwrap_or_default() {
            assert!(
                !format!("{problem} {problem:?}").contains("M4rked"),
                "{problem}"
            );
            let lines = text.split(['\n', '\r']).count() + 1;
            assert!((1..=lines).contains(&problem.line), "{problem}");
            assert!(
                (1..=text.chars().count() + 1).contains(&problem.column),
                "{problem}"
            );
        }
        Ok(())
    });
    run(500, &vec(any::<u8>(), 0..200), |bytes| {
        let _any = parse(&bytes);
        Ok(())
    });
}

/// Texts that mean something else in YAML.
const TRICKY: [&str; 41] = [
    "GitHub Token",
    " before",
    "after ",
    "a: b",
    "a #b",
    "#",
    "'",
    "\"",
    "\\",
    "null",
    "~",
    "yes",
    "No",
    "true",
    "007",
    "1e3",
    "0x1f",
    ".inf",
    "-",
    "- a",
    "[a]",
    "{a}",
    "&a",
    "*a",
    "!a",
    "|",
    ">",
    "%a",
    "@a",
    "`a`",
    "?",
    ": ",
    "---",
    "...",
    "ü",
    "🔑",
    "a\u{2028}b",
    "\u{202e}a",
    "\u{feff}",
    "\u{a0}a",
    "<<",
];

fn auth_scope() -> impl Strategy<Value = AuthScope> {
    let name = prop_oneof![
        select(TRICKY.to_vec()).prop_map(str::to_owned),
        "\\PC{1,40}",
        "[^\\p{Cc}]{1,128}",
    ];
    let hint = prop_oneof![
        select(vec![
            "SESSION",
            "X-Session",
            "null",
            "7",
            "#",
            "&a",
            "!",
            "*",
            "'",
            "`",
            "~",
            "|"
        ])
        .prop_map(str::to_owned),
        "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,20}",
    ];
    let hint = hint.prop_map(|hint| hint.parse::<SecretName>().unwrap());
    let kind = select(ScopeKind::ALL.to_vec());
    let keep_versions = prop_oneof![Just(5), 0..=100u8];
    let fields = (option::of(name), kind, vec(hint, 0..4), keep_versions);
    fields.prop_map(|(name, kind, redaction_hints, keep_versions)| AuthScope {
        id: "x".parse().unwrap(),
        name,
        kind,
        redaction_hints,
        keep_versions,
    })
}

/// A text of a server. It need not be one that passes.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        select(TRICKY.to_vec()).prop_map(str::to_owned),
        select(vec![
            "",
            "-y",
            "a\nb\n",
            "\t",
            "Bearer mcplexer://a/B",
            "{mcplexer://a/B}x"
        ])
        .prop_map(str::to_owned),
        "\\PC{0,40}",
    ]
}

fn waiting() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (1..=604_800_000u64).prop_map(Duration::from_millis),
        (1_000_000..=604_800_000_000_000u64).prop_map(Duration::from_nanos),
        (1..=168u64).prop_map(|hours| Duration::from_secs(hours * 3600)),
    ]
}

fn server_name() -> impl Strategy<Value = ServerName> {
    let name = prop_oneof![
        select(vec![
            "null", "true", "yes", "n", "7", "1e3", "0x1f", "a-", "a"
        ])
        .prop_map(str::to_owned),
        "[a-z0-9][a-z0-9-]{0,12}",
    ];
    name.prop_map(|name| name.parse().unwrap())
}

fn scope_id() -> impl Strategy<Value = ScopeId> {
    let id = prop_oneof![
        select(vec![
            "null", "true", "yes", "n", "7", "1e3", "0x1f", "1.5", "a.b", "a-", "a."
        ])
        .prop_map(str::to_owned),
        "[a-z0-9][a-z0-9._-]{0,12}",
    ];
    id.prop_map(|id| id.parse().unwrap())
}

fn server() -> impl Strategy<Value = Server> {
    let names = "[A-Za-z_][A-Za-z0-9_]{0,8}";
    let directory = prop_oneof![Just("~".to_owned()), "~/\\PC{0,8}", "/\\PC{0,8}"];
    let path = select(vec![SearchPath::Inherit, SearchPath::Login]);
    let stdio = (
        (text(), vec(text(), 0..4)),
        btree_map(names, text(), 0..3),
        vec(scope_id(), 0..3),
        option::of(directory),
        path,
    );
    let stdio = stdio.prop_map(|((program, arguments), env, scopes, directory, path)| {
        let command = iter::once(program).chain(arguments).collect();
        Transport::Stdio(Stdio {
            env,
            scopes,
            directory: directory.map(PathBuf::from),
            path,
            ..Stdio::new(command)
        })
    });
    let url = prop_oneof![
        "https://[a-z]{1,8}(:[1-9][0-9]{0,3})?(/[a-z?=&%]{0,8})?",
        Just("http://[::1]:80/a".to_owned()),
    ];
    let kind = select(vec![ScopeKind::Header, ScopeKind::OAuth2]);
    let auth = (scope_id(), kind).prop_map(|(scope, kind)| Auth { scope, kind });
    let headers = btree_map("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,8}", text(), 0..3);
    let http = (url, headers, option::of(auth)).prop_map(|(url, headers, auth)| {
        Transport::Http(Http {
            headers,
            auth,
            ..Http::new(url)
        })
    });
    let transport = prop_oneof![stdio, http];
    let start = select(vec![Start::Lazy, Start::Eager]);
    let timeouts = option::of((waiting(), waiting(), waiting(), waiting()));
    let fields = (
        transport,
        start,
        option::of(waiting()),
        timeouts,
        any::<bool>(),
    );
    fields.prop_map(|(transport, start, idle_stop, waits, disabled)| {
        let mut server = Server::new(transport);
        server.start = start;
        server.idle_stop = idle_stop;
        server.disabled = disabled;
        if let Some((connect, start, call, total)) = waits {
            server.timeouts.connect = connect;
            server.timeouts.start = start;
            server.timeouts.call = call;
            server.timeouts.total = total;
        }
        server
    })
}

#[test]
fn what_is_written_is_read_again() {
    let scopes = option::of(btree_map(scope_id(), auth_scope(), 0..5));
    let scopes = scopes.prop_map(|scopes| {
        let scopes = scopes?.into_iter();
        let scopes = scopes.map(|(id, scope)| AuthScope { id, ..scope });
        Some(scopes.collect::<Vec<_>>())
    });
    let servers = btree_map(server_name(), server(), 0..4);
    let clients = btree_map(server_name(), (any::<bool>(), 16..=128u16), 0..3);
    run(
        400,
        &(scopes, servers, clients),
        |(auth_scopes, servers, clients)| {
            let clients = clients.into_iter().map(|(name, (sees_all, most))| {
                let mut client = Client::default();
                client.servers = (!sees_all).then(|| servers.keys().cloned().collect());
                client.max_tool_name = most;
                (name, client)
            });
            let config = Config {
                clients: clients.collect(),
                auth_scopes,
                servers,
            };
            let text = config.to_string();
            assert!(
                !text.contains(|c: char| c != '\n' && c.is_control()),
                "{text}"
            );
            match parse(text.as_bytes()) {
                Ok(again) => {
                    assert_eq!(again, config, "{text}");
                    let scopes = parse_scopes(text.as_bytes()).unwrap();
                    assert_eq!(scopes, config.auth_scopes.unwrap_or_default());
                }
                Err(problems) => {
                    // By chance a text looks like a credential, or a name is one that servers may not have.
                    let is_chance =
                        |it: &Problem| CHANCES.iter().any(|chance| it.message.contains(chance));
                    assert!(problems.iter().all(is_chance), "{text}\n{problems:?}");
                    return Err(TestCaseError::reject("refused by chance"));
                }
            }
            Ok(())
        },
    );
}

const CHANCES: [&str; 7] = [
    "credentials ",
    "is not allowed",
    "one line, without control characters",
    "the program has no name",
    "mcplexer sets this header field itself",
    "in another case",
    "invalid URL",
];
