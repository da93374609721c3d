//! Of a value that is a file, the members and lines that are credentials are masked by themselves.

#![cfg(test)]

use mcplexer_mask::{Known, Masker, Scanner};

fn known(value: &str) -> [Known<'_>; 1] {
    [Known {
        label: "s/K".to_owned(),
        value: value.as_bytes(),
    }]
}

fn mask(value: &str, stream: &str) -> String {
    let mut masker = Masker::new(known(value));
    let mut shown = Vec::new();
    masker.feed(stream.as_bytes(), &mut shown);
    masker.flush(&mut shown);
    String::from_utf8(shown).unwrap()
}

/// Each of these lines is masked and found; the rest of what is printed stays.
#[track_caller]
fn assert_masks(value: &str, lines: &[(&str, &str)]) {
    for (line, expected) in lines {
        assert_eq!(&mask(value, line), expected, "of {value}");
        let found = Scanner::new(known(value)).scan(line.as_bytes()).unwrap();
        assert_eq!(!found.is_empty(), line != expected, "scan of {line}");
    }
}

const BODY: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
const LAST: &str = "n7kjEfYyjiWA4R4/M2bS1A==";

/// A member of JSON is printed as it is, in JSON, as a dictionary of Python, or line by line.
#[test]
fn members_of_json_are_masked() {
    let key = format!("-----BEGIN PRIVATE KEY-----\n{BODY}\n{LAST}\n-----END PRIVATE KEY-----\n");
    let account = serde_json::json!({
        "type": "service_account",
        "project_id": "shop-prod",
        "private_key": key,
        "password": "foobar99",
        "nested": { "db": [{ "passwd": "tra\"lala" }], "tokens": ["first-token-1", "second-token-2"] },
    });
    let escaped = key.replace('\n', "\\n");
    let in_python = format!("{{'private_key': '{escaped}', 'type': 'service_account'}}");
    for value in [
        account.to_string(),
        serde_json::to_string_pretty(&account).unwrap(),
    ] {
        assert_masks(
            &value,
            &[
                (&key, "[s/K]\n"),
                (&format!("  {BODY}"), "  [s/K]"),
                (LAST, "[s/K]"),
                (
                    &in_python,
                    "{'private_key': '[s/K]', 'type': 'service_account'}",
                ),
                (
                    "  \"password\": \"foobar99\",",
                    "  \"password\": \"[s/K]\",",
                ),
                ("pw is tra\"lala", "pw is [s/K]"),
                ("{\"passwd\":\"tra\\\"lala\"}", "{\"passwd\":\"[s/K]\"}"),
                ("first-token-1 or second-token-2", "[s/K] or [s/K]"),
                (
                    "type: service_account, project shop-prod",
                    "type: service_account, project shop-prod",
                ),
            ],
        );
    }
}

/// One line of a file is printed by itself.
#[test]
fn lines_of_files_are_masked() {
    assert_masks(
        "# the shop\nDB_PASSWORD=hunter2pass\nexport API_TOKEN='it''s' # new\nTLS_KEY=\"a\\nb-c-d\"\nPORT=8080\nDEBUG_TOKEN=true\nDATABASE_URL=postgres://me:s3cret@db/shop\n",
        &[
            ("DB_PASSWORD=hunter2pass", "DB_PASSWORD=[s/K]"),
            ("hunter2pass", "[s/K]"),
            ("it's", "[s/K]"),
            ("s3cret", "[s/K]"),
            (
                "listen 8080; debug: true; the shop",
                "listen 8080; debug: true; the shop",
            ),
        ],
    );
    assert_masks(
        "machine api.example login bob password hunter2pass\nmachine b\n  login c\n  password s3cr3tpw\n",
        &[
            (
                "machine api.example login bob password hunter2pass",
                "machine api.example login bob password [s/K]",
            ),
            ("  password s3cr3tpw", "  password [s/K]"),
        ],
    );
    assert_masks(
        "db.internal:5432:shop:bob:pg\\:pass\n",
        &[("it is pg:pass", "it is [s/K]")],
    );
    assert_masks(
        "users:\n- name: a\n  user:\n    token: kubetoken-abcdef123456\n    password: hunter22\n    client-key-data: |\n      first line\n",
        &[
            ("    token: kubetoken-abcdef123456", "    token: [s/K]"),
            ("hunter22", "[s/K]"),
            ("name: a, user", "name: a, user"),
        ],
    );
    assert_masks(
        "[default]\naws_access_key_id = AKIAQYLPMN5HHHFPZAM2\naws_secret_access_key = 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\n",
        &[
            ("wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzzzzzzKEY", "[s/K]"),
            ("[default]", "[default]"),
        ],
    );
    assert_masks(
        "<server><id>x</id><username>bob</username><password>maven-pw</password></server>",
        &[("maven-pw by bob", "[s/K] by bob")],
    );
    assert_masks(
        "Server=db;Database=shop;Password=pa55word;",
        &[("pa55word", "[s/K]")],
    );
    assert_masks(
        "{ user: \"bob\", password: 'it\\'s me', pin: 1 }",
        &[("it's me", "[s/K]")],
    );
}

/// A secret of Kubernetes, and the file of a container registry's users.
#[test]
fn members_in_base64_are_masked_decoded() {
    assert_masks(
        "kind: Secret\ndata:\n  password: aHVudGVyMnBhc3M=\n  note: aGVsbG8gd29ybGQh\n",
        &[
            ("aHVudGVyMnBhc3M=", "[s/K]"),
            ("hunter2pass", "[s/K]"),
            ("hello world!", "hello world!"),
        ],
    );
    assert_masks(
        "{\"auths\":{\"ghcr.io\":{\"auth\":\"Ym9iOmh1bnRlcjJwYXNz\"}}}",
        &[("bob and hunter2pass", "bob and [s/K]")],
    );
}

/// Line ends of a private key may be written as `\n`.
#[test]
fn a_private_key_in_one_line_is_masked_in_lines() {
    let value =
        format!("-----BEGIN PRIVATE KEY-----\\n{BODY}\\n{LAST}\\n-----END PRIVATE KEY-----\\n");
    assert_masks(
        &value,
        &[
            (&value.replace("\\n", "\n"), "[s/K]\n"),
            (BODY, "[s/K]"),
            (LAST, "[s/K]"),
        ],
    );
    let in_file = format!("KEY=\"{value}\"\nTOKEN_TTL=30\n");
    assert_masks(
        &in_file,
        &[(&value.replace("\\n", "\n"), "[s/K]\n"), (LAST, "[s/K]")],
    );
}

/// If a member is a value of its own, it has the label of that.
#[test]
fn a_member_that_is_a_value_has_its_own_label() {
    let values = [
        ("s/FILE", "TOKEN=abc12345xyz\n"),
        ("s/TOKEN", "abc12345xyz"),
    ];
    let known = values.map(|(label, value)| Known {
        label: label.to_owned(),
        value: value.as_bytes(),
    });
    let mut masker = Masker::new(known);
    let mut shown = Vec::new();
    masker.feed(b"abc12345xyz TOKEN=abc12345xyz", &mut shown);
    masker.flush(&mut shown);
    assert_eq!(String::from_utf8(shown).unwrap(), "[s/TOKEN] [s/FILE]");
}

/// Whatever a value is, looking for its members ends soon.
#[test]
fn large_and_odd_values_are_read_in_bounded_time() {
    for piece in [
        "a=\"",
        "a='b\\",
        "k: [\"",
        "<a>",
        "{\"a\":",
        "a: |\n ",
        "password=x ",
        "\\n=",
        ":::",
    ] {
        let value = piece.repeat(5_000);
        assert_eq!(mask(&value, "nothing"), "nothing");
    }
}

/// `jq -r` prints what the escapes stand for.
#[test]
fn members_with_escapes_are_masked_unescaped() {
    for (value, line, expected) in [
        (
            r#"{"password": "caf\u00e9\u002fNoir-99"}"#,
            "café/Noir-99",
            "[s/K]",
        ),
        (
            r#"{"a": [{"apiKey": "k\u0065y-\ud83d\udd11-4711"}]}"#,
            "key: key-🔑-4711",
            "key: [s/K]",
        ),
        (
            r#"{"config": "{\"token\": \"abc\\u002d1234\"}"}"#,
            "abc-1234",
            "[s/K]",
        ),
    ] {
        assert_masks(value, &[(line, expected)]);
    }
}

#[test]
fn members_in_flow_style_are_masked() {
    for value in [
        "db: {user: me, password: foobar99, port: 5432}",
        "db: {password: 'foobar99'}",
        "{user: me, password: foobar99}",
        "users: [{name: me, password: foobar99}, {name: you, password: x}]",
        "passwords: [foobar99, barfoo99]",
        "a:\n  tokens: [first, foobar99]\n",
        "passwords: [\n  foobar99,\n  barfoo99,\n]",
    ] {
        assert_masks(value, &[("foobar99\n", "[s/K]\n")]);
    }
}

#[test]
fn texts_of_several_lines_and_lists_of_toml_are_masked() {
    for value in [
        "password = \"\"\"\nfoobar99\"\"\"\n",
        "password = '''\nfoobar99\n'''\n",
        "password = \"\"\"\\\n  foobar99\\\n  \"\"\"\n",
        "passwords = [\n  \"barfoo99\", # old\n  \"foobar99\",\n]\n",
        "passwords = ['barfoo99', 'foobar99']\n",
        "db = { user = \"me\", password = \"foobar99\" }\n",
    ] {
        assert_masks(value, &[("it is foobar99.", "it is [s/K].")]);
    }
}

#[test]
fn quoted_passwords_of_netrc_are_masked() {
    for value in [
        "machine a.io login me password \"foo bar 99\"\n",
        "machine a.io\n  login me\n  password \"foo bar 99\"\nmachine b.io login me password barfoo99\n",
        "default login me password \"foo bar 99\"",
        "machine a.io login \"the user\" account x password \"foo bar 99\" macdef y\n",
    ] {
        assert_masks(value, &[("it is foo bar 99.", "it is [s/K].")]);
    }
    let escaped = r#"machine a.io login me password "foo\"bar 99""#;
    assert_masks(escaped, &[("foo\"bar 99", "[s/K]")]);
}

/// The value of a header field has a scheme before the credential, which programs print without it.
#[test]
fn a_credential_after_its_scheme_is_masked_without_it() {
    for (value, credential) in [
        ("Bearer tR4fK9wQ2xZ7mB5n", "tR4fK9wQ2xZ7mB5n"),
        ("token hunter2-hunter2\n", "hunter2-hunter2"),
        ("Basic bWU6aHVudGVyMi1odW50ZXIy", "bWU6aHVudGVyMi1odW50ZXIy"),
    ] {
        let line = format!("sending {credential} to h");
        assert_masks(value, &[(&line, "sending [s/K] to h")]);
    }
    for (value, line) in [
        ("correct horse", "horse"),
        ("token of the day", "of the day"),
        ("Bearer true", "it is true"),
    ] {
        assert_masks(value, &[(line, line)]);
    }
}
