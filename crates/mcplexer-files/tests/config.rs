//! `config.yaml`: a valid file is read, and every problem of an invalid one is reported with its place and
//! without a word of the file.

#![cfg(test)]

use std::collections::BTreeMap;

use mcplexer_files::config::{AuthScope, Config, MAX_CONFIG_LEN, Problem, parse, schema};
use mcplexer_secrets::{ScopeId, ScopeKind, SecretName};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::string::string_regex;
use proptest::test_runner::{Config as Cases, TestCaseError, TestRunner};

/// A value where none belongs. It does not look like a credential.
const MARKER: &str = "M4rked-Value";

#[track_caller]
fn problems(text: &str) -> Vec<Problem> {
    match parse(text.as_bytes()) {
        Ok(config) => panic!("{text}\nis {config:?}"),
        Err(problems) => problems,
    }
}

fn reported(text: &str) -> Vec<String> {
    problems(text).iter().map(Problem::to_string).collect()
}

/// What follows `auth_scopes:` and `  - id: a`, and every problem that is reported.
const BAD_SCOPES: [(&str, &[&str]); 30] = [
    (
        "    GITHUB_TOKEN: M4rked-Value",
        &["3:19: auth_scopes[0]: values are not allowed in this file"],
    ),
    (
        "    tokens: M4rked-Value",
        &["3:13: auth_scopes[0]: values are not allowed in this file"],
    ),
    (
        "    name: 'password=hunter2hunter2'",
        &["3:21: auth_scopes[0].name: credentials are not allowed in this file: its name says so"],
    ),
    (
        "    type: env # token: 9f8e7d6c",
        &["3:24: auth_scopes[0].type: credentials are not allowed in this file: its name says so"],
    ),
    (
        "    token: M4rked-Value",
        &["3:12: auth_scopes[0].token: values are not allowed in this file"],
    ),
    (
        "    Client-Secret: 'M4rked-Value'",
        &["3:20: auth_scopes[0].client_secret: values are not allowed in this file"],
    ),
    (
        "    env:\n      GITHUB_TOKEN: M4rked-Value\n      OTHER: ghp_0123456789abcdefghijABCDEFGHIJ012345\n    name: 1",
        &[
            "4:7: auth_scopes[0].env: values are not allowed in this file",
            "6:11: auth_scopes[0].name: expected text, found null, a boolean or a number; quote it",
        ],
    ),
    (
        "    headers: {Authorization: Bearer M4rked-Value}",
        &["3:14: auth_scopes[0].headers: values are not allowed in this file"],
    ),
    (
        "    secret:\n    value: |\n      M4rked-Value\n      ghp_0123456789abcdefghijABCDEFGHIJ012345\n    name: ghp_0123456789abcdefghijABCDEFGHIJ012345",
        &[
            "3:11: auth_scopes[0].secret: values are not allowed in this file",
            "5:7: auth_scopes[0].value: values are not allowed in this file",
            "7:11: auth_scopes[0].name: credentials are not allowed in this file: GitHub token (ghp_…)",
        ],
    ),
    (
        "    M4rked-Value: x",
        &["3:5: auth_scopes[0]: unknown field; the fields are id, name, type, redaction_hints"],
    ),
    (
        "    ? [M4rked-Value]\n    : x",
        &["3:7: auth_scopes[0]: unknown field; the fields are id, name, type, redaction_hints"],
    ),
    (
        "    <<: {type: M4rked-Value}",
        &["3:5: auth_scopes[0]: merge keys are not allowed"],
    ),
    (
        "    id: M4rked-Value",
        &["3:5: auth_scopes[0]: duplicate field; it is on line 2 too"],
    ),
    (
        "  - id: b\n  - id: a",
        &["4:9: auth_scopes[2].id: duplicate id; it is on line 2 too"],
    ),
    (
        "  - name: M4rked-Value",
        &["3:5: auth_scopes[1]: missing field id"],
    ),
    (
        "  - M4rked-Value",
        &["3:5: auth_scopes[1]: expected a map of id, name, type, redaction_hints"],
    ),
    (
        "    type: M4rked-Value",
        &["3:11: auth_scopes[0].type: invalid type: it is one of env, header, oauth2"],
    ),
    (
        "    type:",
        &["3:9: auth_scopes[0].type: expected text, found null, a boolean or a number; quote it"],
    ),
    (
        "    name: \"M4rked-Value\\e[2J\"",
        &[
            "3:11: auth_scopes[0].name: a display name is 1 to 128 characters, none of them a control character",
        ],
    ),
    (
        "    name: [M4rked-Value]",
        &["3:11: auth_scopes[0].name: expected text"],
    ),
    (
        "    redaction_hints: M4rked-Value",
        &["3:22: auth_scopes[0].redaction_hints: expected a list of names; [] is an empty list"],
    ),
    (
        "    redaction_hints: [OK, M4rked=Value]",
        &[
            "3:27: auth_scopes[0].redaction_hints[1]: invalid secret name: it is 1 to 128 of A-Z a-z 0-9 ! # $ % & ' * + - . ^ _ ` | ~ (an RFC 9110 field name)",
        ],
    ),
    (
        "  - id: M4rked-Value",
        &[
            "3:9: auth_scopes[1].id: invalid scope id: it is 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit",
        ],
    ),
    (
        "  - id: 007",
        &["3:9: auth_scopes[1].id: expected text, found null, a boolean or a number; quote it"],
    ),
    (
        "  - id: &M4rked-Value b\n  - *M4rked-Value",
        &["3:23: anchors and aliases are not allowed"],
    ),
    (
        "  - id: !M4rked-Value b",
        &["3:23: auth_scopes[1].id: tags are not allowed"],
    ),
    (
        "    # before: ghp_0123456789abcdefghijABCDEFGHIJ012345",
        &["3:15: credentials are not allowed in this file: GitHub token (ghp_…)"],
    ),
    (
        "    type: env # ghp_0123456789abcdefghijABCDEFGHIJ012345",
        &[
            "3:17: auth_scopes[0].type: credentials are not allowed in this file: GitHub token (ghp_…)",
        ],
    ),
    (
        "    name: \"\\x67hp_0123456789\\x61bcdefghij\\x41BCDEFGHIJ\\x3012345\"",
        &[
            "3:11: auth_scopes[0].name: credentials are not allowed in this file: GitHub token (ghp_…)",
        ],
    ),
    (
        "    name: \"ghp_0123\\\n      456789\\\n      abcdefghij\\\n      ABCDEFGHIJ\\\n      012345\"",
        &[
            "3:11: auth_scopes[0].name: credentials are not allowed in this file: GitHub token (ghp_…)",
        ],
    ),
];

/// Whole files, and every problem that is reported.
const BAD_FILES: [(&str, &[&str]); 17] = [
    // With --prune such a file would delete everything.
    (
        "",
        &["1:1: the file names no scopes; `auth_scopes: []` says that there are none"],
    ),
    (
        "# nothing\n",
        &["1:1: the file names no scopes; `auth_scopes: []` says that there are none"],
    ),
    (
        "{}\n",
        &["1:1: missing field auth_scopes; `auth_scopes: []` says that there are none"],
    ),
    (
        "auth_scope: []\n",
        &[
            "1:1: unknown field; the fields are auth_scopes",
            "1:1: missing field auth_scopes; `auth_scopes: []` says that there are none",
        ],
    ),
    (
        "auth_scopes:\n",
        &["1:12: auth_scopes: expected a list of scopes; [] is an empty list"],
    ),
    (
        "auth_scopes: {M4rked-Value: x}\n",
        &["1:14: auth_scopes: expected a list of scopes; [] is an empty list"],
    ),
    ("null\n", &["1:1: expected a map of auth_scopes"]),
    (
        "- id: M4rked-Value\n",
        &["1:1: expected a map of auth_scopes"],
    ),
    ("M4rked-Value\n", &["1:1: expected a map of auth_scopes"]),
    (
        "auth_scopes: []\npassword: M4rked-Value\n",
        &["2:11: password: values are not allowed in this file"],
    ),
    (
        "auth_scopes: []\nauth_scopes: []\n",
        &["2:1: duplicate field; it is on line 1 too"],
    ),
    (
        "auth_scopes: []\n---\nM4rked-Value\n",
        &["2:1: only one document is allowed"],
    ),
    (
        "%YAML 2.0\n---\nauth_scopes: []\n",
        &["1:1: not YAML: unsupported YAML major version"],
    ),
    (
        "auth_scopes: [\"M4rked-Value\n",
        &["1:15: not YAML: unclosed quote"],
    ),
    (
        "auth_scopes:\n  - id: a\n   name: M4rked-Value\n",
        &["3:4: not YAML: while parsing a block collection, did not find expected '-' indicator"],
    ),
    (
        "auth_scopes:\n\t- id: a\n",
        &["2:2: not YAML: tabs disallowed within this context (block indentation)"],
    ),
    (
        "auth_scopes: [\n# ghp_0123456789abcdefghijABCDEFGHIJ012345\n",
        &[
            "1:14: not YAML: unclosed bracket '['",
            "2:3: credentials are not allowed in this file: GitHub token (ghp_…)",
        ],
    ),
];

/// F17: a value is refused, not ignored, and not repeated. F18: names are checked at the edge.
#[test]
fn every_problem_is_reported_with_its_place_and_without_a_value() {
    let scopes = BAD_SCOPES.iter().map(|(rest, expected)| {
        let file = format!("auth_scopes:\n  - id: a\n{rest}\n");
        (file, expected)
    });
    let files = BAD_FILES.iter().map(|(file, it)| ((*file).to_owned(), it));
    for (file, expected) in scopes.chain(files) {
        assert_eq!(reported(&file), **expected, "{file}");
        for ends in ["\r\n", "\n\n"] {
            let file = file.replace('\n', ends);
            assert_eq!(reported(&file).len(), expected.len(), "{file}");
        }
        assert!(!format!("{:?}", problems(&file)).contains("M4rked"));
    }
}

/// What a person reads is what is applied.
#[test]
fn invisible_characters_must_be_escaped() {
    for c in ['\u{200b}', '\u{202e}', '\u{2066}', '\u{feff}'] {
        let file = format!("\u{feff}auth_scopes:\n  - id: a\n    name: a{c}b # {c}\n");
        let said = "an invisible character; write it as \\u and four digits, in double quotes";
        assert_eq!(
            reported(&file),
            [format!("3:12: {said}")],
            "{}",
            c.escape_unicode()
        );
        let escape = format!("\"a\\u{:04X}b\" #", u32::from(c));
        let file = file.replace(&format!("a{c}b # {c}"), &escape);
        let name = format!("a{c}b");
        assert_eq!(
            parse(file.as_bytes()).unwrap().auth_scopes[0].name,
            Some(name)
        );
    }
    assert!(parse("auth_scopes: [{id: a, name: می\u{200c}خواهم}]".as_bytes()).is_ok());
}

#[test]
fn comments_may_have_addresses_and_variables() {
    let hex = "0123456789abcdef".repeat(3);
    let digest = &hex[..40];
    for comment in [
        format!("see https://github.com/o/r/blob/{digest}/x.json"),
        format!("see (https://github.com/o/r/commit/{digest})"),
        format!("see: https://example.com/{digest}"),
        "token: ${TOKEN_2026}".to_owned(),
        "token_env: GITHUB_TOKEN_2".to_owned(),
        "\"token\": \"2 words and more\"".to_owned(),
    ] {
        let file = format!("# {comment}\nauth_scopes: []\n");
        assert_eq!(parse(file.as_bytes()), Ok(Config::default()), "{file}");
    }
    for comment in [
        "\"password\": \"hunter2hunter2\",",
        "Authorization: Bearer hunter2hunter2",
        "'api_key' = 'hunter2hunter2'",
    ] {
        let file = format!("# {comment}\nauth_scopes: []\n");
        assert_eq!(reported(&file).len(), 1, "{file}");
    }
}

#[test]
fn a_problem_says_where_a_value_belongs() {
    let place = |text: &str| {
        let problems = problems(text);
        let place = problems[0].instead.clone().unwrap();
        let name = place.name.map(|name| name.to_string());
        (place.scope.map(|scope| scope.to_string()), name)
    };
    let some = |text: &str| Some(text.to_owned());
    let scope = "auth_scopes:\n  - id: github-token\n";
    let token = place(&format!("{scope}    token: x\n"));
    assert_eq!(token, (some("github-token"), some("TOKEN")));
    let env = place(&format!("{scope}    env: {{A: x}}\n"));
    assert_eq!(env, (some("github-token"), None));
    let named = place(&format!(
        "{scope}    name: ghp_0123456789abcdefghijABCDEFGHIJ012345\n"
    ));
    assert_eq!(named, (some("github-token"), None));
    let nowhere = place("auth_scopes: []\napi_key: x\n");
    assert_eq!(nowhere, (None, some("API_KEY")));
    // An id that is a credential is no id to show.
    let hex = "0123456789abcdef0123456789abcdef";
    let id = place(&format!("auth_scopes:\n  - id: {hex}\n    token: x\n"));
    assert_eq!(id, (None, None));
}

#[test]
fn a_configuration_is_read() {
    let text = "\u{feff}# yaml-language-server: $schema=config.schema.json
---
auth_scopes:
  - id: github-token
    name: GitHub Token
  - {\"id\": 'api', type: header, redaction_hints: [X-Session, \"SESSION\"], name: \"yes\"}
  - id: '007'
    name: >-
      two
      lines
    type: oauth2
    redaction_hints: []
...
";
    let scope = |id: &str, name: &str, kind, hints: &[&str]| AuthScope {
        id: id.parse().unwrap(),
        name: Some(name.to_owned()),
        kind,
        redaction_hints: hints.iter().map(|hint| hint.parse().unwrap()).collect(),
    };
    let expected = [
        scope("github-token", "GitHub Token", ScopeKind::Env, &[]),
        scope("api", "yes", ScopeKind::Header, &["X-Session", "SESSION"]),
        scope("007", "two lines", ScopeKind::OAuth2, &[]),
    ];
    assert_eq!(parse(text.as_bytes()).unwrap().auth_scopes, expected);
    assert_eq!(parse(b"auth_scopes: []").unwrap(), Config::default());
}

#[test]
fn limits_are_enforced() {
    let long = format!("auth_scopes: [] #{}", "x".repeat(MAX_CONFIG_LEN));
    assert_eq!(reported(&long), ["1:1: the file is longer than 1 MiB"]);
    assert!(parse(&long.as_bytes()[..MAX_CONFIG_LEN]).is_ok());
    let nested = format!("auth_scopes: {}", "[".repeat(100_000));
    assert_eq!(reported(&nested).len(), 1);
    let hints = format!(
        "auth_scopes: [{{id: a, redaction_hints: [{}]}}]",
        "A,".repeat(65)
    );
    let expected = "1:40: auth_scopes[0].redaction_hints: expected at most 64 names";
    assert_eq!(reported(&hints), [expected]);
    let many = "auth_scopes:\n".to_owned()
        + &"- {token: ghp_0123456789abcdefghijABCDEFGHIJ012345}\n".repeat(20_000);
    assert_eq!(reported(&many).len(), 100);
    // Each line is nine times the line before.
    let mut bomb = "auth_scopes:\n- &a0 [x]\n".to_owned();
    for at in 1..30 {
        let aliases = vec![format!("*a{}", at - 1); 9].join(",");
        bomb += &format!("- &a{at} [{aliases}]\n");
    }
    assert!(reported(&bomb)[0].ends_with("anchors and aliases are not allowed"));
}

#[test]
fn bytes_that_are_not_text_are_reported_with_their_place() {
    let problems = parse(b"auth_scopes:\n  - id: \xfc\xff").unwrap_err();
    assert_eq!(problems[0].to_string(), "2:9: not UTF-8 text");
    assert_eq!(problems.len(), 1);
}

fn run<S: Strategy>(
    cases: u32,
    strategy: &S,
    test: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let mut runner = TestRunner::new(Cases {
        cases,
        failure_persistence: None,
        ..Cases::default()
    });
    runner.run(strategy, test).unwrap();
}

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
    let start = prop_oneof![Just(""), Just("auth_scopes:\n  - id: a\n    ")];
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

fn auth_scope() -> impl Strategy<Value = AuthScope> {
    let tricky = [
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
    let name = prop_oneof![
        select(tricky.to_vec()).prop_map(str::to_owned),
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
    (option::of(name), kind, vec(hint, 0..4)).prop_map(|(name, kind, redaction_hints)| AuthScope {
        id: "x".parse().unwrap(),
        name,
        kind,
        redaction_hints,
    })
}

#[test]
fn what_is_written_is_read_again() {
    let id = prop_oneof![
        select(vec![
            "null", "true", "yes", "n", "7", "1e3", "0x1f", "1.5", "a.b", "a-", "a."
        ])
        .prop_map(str::to_owned),
        "[a-z0-9][a-z0-9._-]{0,12}",
    ];
    let id = id.prop_map(|id| id.parse::<ScopeId>().unwrap());
    run(
        2000,
        &btree_map(id, auth_scope(), 0..5),
        |scopes: BTreeMap<_, _>| {
            let scopes = scopes
                .into_iter()
                .map(|(id, scope)| AuthScope { id, ..scope });
            let config = Config {
                auth_scopes: scopes.collect(),
            };
            let text = config.to_string();
            match parse(text.as_bytes()) {
                Ok(again) => assert_eq!(again, config, "{text}"),
                Err(problems) => {
                    let chance = |it: &Problem| it.message.starts_with("credentials ");
                    assert!(problems.iter().all(chance), "{text}\n{problems:?}");
                    return Err(TestCaseError::reject("looks like a credential by chance"));
                }
            }
            assert!(
                !text.contains(|c: char| c != '\n' && c.is_control()),
                "{text}"
            );
            Ok(())
        },
    );
}

/// Returns whether a scope with this field is read.
fn is_read(id: &str, field: &str, value: &serde_json::Value) -> bool {
    let scope = serde_json::json!({ "auth_scopes": [{ "id": id, field: value }] });
    // JSON is YAML. A random text may look like a credential by chance, which the schema cannot know.
    match parse(scope.to_string().as_bytes()) {
        Ok(_) => true,
        Err(problems) => problems
            .iter()
            .all(|it| it.message.starts_with("credentials ")),
    }
}

#[test]
fn the_schema_allows_what_is_read() {
    let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
    let scope = &schema["$defs"]["AuthScope"];
    for (fields, message) in [
        (
            &scope["properties"],
            reported("auth_scopes: [{id: a, x: 1}]"),
        ),
        (&schema["properties"], reported("auth_scopes: []\nx: 1")),
    ] {
        let known = message[0].split_once("the fields are ").unwrap().1;
        let mut known: Vec<_> = known.split(", ").collect();
        known.sort_unstable();
        let fields: Vec<_> = fields.as_object().unwrap().keys().collect();
        assert_eq!(fields, known);
    }
    for object in [scope, &schema] {
        assert_eq!(object["additionalProperties"], false);
    }
    assert_eq!(scope["required"], serde_json::json!(["id"]));
    assert_eq!(schema["required"], serde_json::json!(["auth_scopes"]));

    let fields = &scope["properties"];
    let kinds = fields["type"]["oneOf"].as_array().unwrap().iter();
    let kinds: Vec<_> = kinds.map(|it| it["const"].as_str().unwrap()).collect();
    assert_eq!(kinds, ScopeKind::ALL.map(ScopeKind::as_str));
    assert_eq!(fields["type"]["default"], ScopeKind::default().as_str());

    let hints = &fields["redaction_hints"];
    let most = hints["maxItems"].as_u64().unwrap();
    for (field, limits) in [
        ("name", &fields["name"]),
        ("redaction_hints", &hints["items"]),
    ] {
        let value = |length: u64| {
            let text = "a".repeat(usize::try_from(length).unwrap()).into();
            if field == "name" {
                text
            } else {
                serde_json::Value::Array(vec![text])
            }
        };
        let (min, max) = (&limits["minLength"], limits["maxLength"].as_u64().unwrap());
        assert_eq!(*min, 1);
        assert!(!is_read("a", field, &value(0)) && is_read("a", field, &value(1)));
        assert!(is_read("a", field, &value(max)) && !is_read("a", field, &value(max + 1)));
    }
    let many = |count| serde_json::json!(vec!["A"; usize::try_from(count).unwrap()]);
    assert!(is_read("a", "redaction_hints", &many(most)));
    assert!(!is_read("a", "redaction_hints", &many(most + 1)));

    let pattern = |limits: &serde_json::Value| {
        let pattern = limits["pattern"].as_str().unwrap();
        let inner = pattern
            .strip_prefix('^')
            .unwrap()
            .strip_suffix('$')
            .unwrap();
        string_regex(inner).unwrap()
    };
    let texts = (
        pattern(&fields["id"]),
        pattern(&hints["items"]),
        pattern(&fields["name"]),
    );
    run(500, &texts, |(id, hint, name)| {
        assert!(
            is_read(&id, "redaction_hints", &serde_json::json!([hint])),
            "{id:?} {hint:?}"
        );
        let is_invisible = parse(format!("# {name}\nauth_scopes: []").as_bytes()).is_err();
        assert!(name.is_empty() || is_invisible || is_read("a", "name", &name.into()));
        Ok(())
    });
    for bad in ["", "A", "-a", "a b", "ä"] {
        assert!(
            !is_read(bad, "redaction_hints", &serde_json::json!([])),
            "{bad:?}"
        );
    }
}
