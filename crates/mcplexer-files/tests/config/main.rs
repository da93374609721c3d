//! `config.yaml`: a valid file is read, and every problem of an invalid one is reported with its place and
//! without a word of the file.

#![cfg(test)]

mod edited;
mod random;
mod refused;
mod schema;
mod servers;

use mcplexer_files::config::{AuthScope, MAX_CONFIG_LEN, Problem, parse};
use mcplexer_secrets::ScopeKind;
use proptest::prelude::Strategy;
use proptest::test_runner::{Config as Cases, TestCaseError, TestRunner};

#[track_caller]
fn scopes(text: &str) -> Vec<AuthScope> {
    let config = parse(text.as_bytes()).unwrap();
    config.auth_scopes.unwrap()
}

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
        assert_eq!(scopes(&file)[0].name, Some(name));
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
        assert_eq!(scopes(&file), [], "{file}");
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
  - {\"id\": 'api', type: header, redaction_hints: [X-Session, \"SESSION\"], name: \"yes\", keep_versions: 0}
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
        keep_versions: if id == "api" { 0 } else { 5 },
    };
    let expected = [
        scope("github-token", "GitHub Token", ScopeKind::Env, &[]),
        scope("api", "yes", ScopeKind::Header, &["X-Session", "SESSION"]),
        scope("007", "two lines", ScopeKind::OAuth2, &[]),
    ];
    assert_eq!(scopes(text), expected);
    assert_eq!(scopes("auth_scopes: []"), []);
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
