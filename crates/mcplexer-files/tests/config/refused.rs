//! Files with something wrong in them, and every problem that is reported of each.

use super::{problems, reported};

/// What follows `auth_scopes:` and `  - id: a`, and every problem that is reported.
const BAD_SCOPES: [(&str, &[&str]); 35] = [
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
        &[
            "3:21: auth_scopes[0].name: credentials are not allowed in this file: its name is that of one",
        ],
    ),
    (
        "    type: env # token: 9f8e7d6c",
        &[
            "3:24: auth_scopes[0].type: credentials are not allowed in this file: its name is that of one",
        ],
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
        &[
            "3:5: auth_scopes[0]: unknown field; the fields are id, name, type, redaction_hints, keep_versions",
        ],
    ),
    (
        "    ? [M4rked-Value]\n    : x",
        &[
            "3:7: auth_scopes[0]: unknown field; the fields are id, name, type, redaction_hints, keep_versions",
        ],
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
        &["3:5: auth_scopes[1]: expected a map of id, name, type, redaction_hints, keep_versions"],
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
        "    keep_versions: 101",
        &["3:20: auth_scopes[0].keep_versions: expected a number from 0 to 100"],
    ),
    (
        "    keep_versions: -1",
        &["3:20: auth_scopes[0].keep_versions: expected a number from 0 to 100"],
    ),
    (
        "    keep_versions: 0x10",
        &["3:20: auth_scopes[0].keep_versions: expected a number from 0 to 100"],
    ),
    (
        "    keep_versions: M4rked-Value",
        &["3:20: auth_scopes[0].keep_versions: expected a number from 0 to 100"],
    ),
    (
        "    keep_versions: [5]",
        &["3:20: auth_scopes[0].keep_versions: expected a number from 0 to 100"],
    ),
    (
        "    redaction_hints: M4rked-Value",
        &["3:22: auth_scopes[0].redaction_hints: expected a list of names; [] is an empty list"],
    ),
    (
        "    redaction_hints: [OK, M4rked=Value]",
        &[
            "3:27: auth_scopes[0].redaction_hints[1]: invalid secret name: it is 1 to 128 of A-Z a-z 0-9 _, not beginning with a digit; in a header scope, also of ! # $ % & ' * + - . ^ ` | ~, beginning with any",
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
        &["1:1: the file names no scopes; use `auth_scopes: []` for an empty list"],
    ),
    (
        "# nothing\n",
        &["1:1: the file names no scopes; use `auth_scopes: []` for an empty list"],
    ),
    (
        "{}\n",
        &["1:1: missing field auth_scopes or servers; use `auth_scopes: []` for an empty list"],
    ),
    (
        "auth_scope: []\n",
        &[
            "1:1: unknown field; the fields are auth_scopes, servers, clients; did you mean auth_scopes?",
            "1:1: missing field auth_scopes or servers; use `auth_scopes: []` for an empty list",
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
    (
        "null\n",
        &["1:1: expected a map of auth_scopes, servers, clients"],
    ),
    (
        "- id: M4rked-Value\n",
        &["1:1: expected a map of auth_scopes, servers, clients"],
    ),
    (
        "M4rked-Value\n",
        &["1:1: expected a map of auth_scopes, servers, clients"],
    ),
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
