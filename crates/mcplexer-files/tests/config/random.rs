//! Random files, and random configurations that are written and read again.

use std::collections::BTreeMap;

use mcplexer_files::config::{AuthScope, Config, Problem, parse};
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
