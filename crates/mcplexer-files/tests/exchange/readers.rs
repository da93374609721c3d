//! What is read from `.env`, JSON and YAML files, and what is refused.

use mcplexer_files::exchange::{self, Format};

use super::{assert_read, assert_refused};

#[test]
fn json_is_one_object_of_names_and_texts() {
    let json = |text: &str, expected: &[(&str, &str)]| assert_read(Format::Json, text, expected);
    json("{}", &[]);
    json("\u{feff} {\"A\":\"b\"} \n", &[("A", "b")]);
    json(
        "{\"A\":1.50,\"B\":-1E3,\"C\":true,\"D\":false}",
        &[("A", "1.50"), ("B", "-1E3"), ("C", "true"), ("D", "false")],
    );
    json(
        "{\"A\":18446744073709551616000}",
        &[("A", "18446744073709551616000")],
    );
    json(
        r#"{"A":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}"#,
        &[("A", "\"\\/\u{8}\u{c}\n\r\té😀")],
    );
    json(r#"{"\u0041":""}"#, &[("A", "")]);
    for (text, said) in [
        ("", "line 1: not JSON"),
        (
            "[\"s3cret\"]",
            "line 1: expected one object of names and values",
        ),
        (
            "\"s3cret\"",
            "line 1, column 8: expected one object of names and values",
        ),
        ("{\"A\":\n\"s3cret\",}", "line 2, column 10: not JSON"),
        ("{\"A\":\"s3cret\"} x", "line 1, column 16: not JSON"),
        ("{\"A\":\"s3cret\n\"}", "line 1, column 12: not JSON"),
        ("{\"A\":s3cret}", "line 1, column 6: not JSON"),
        ("{\"A\":01}", "line 1, column 7: not JSON"),
        (
            "{\"A\":\"1\",\n \"B\":null}",
            "line 2, column 6 (B): null is not a value",
        ),
        (
            "{\"B\":[\"s3cret\"]}",
            "line 1, column 6 (B): expected a string, found an array or an object",
        ),
        (
            "{\"B\":{}}",
            "line 1, column 6 (B): expected a string, found an array or an object",
        ),
        (
            "{\"s3cret x\":null}",
            "line 1, column 13: null is not a value",
        ),
        (
            "{\"A\":\"1\",\n\"A\":\"1\"}",
            "line 2 (A): duplicate name; the first is on line 1",
        ),
        (
            r#"{"A":"\ud83d"}"#,
            "line 1, column 6 (A): half of a surrogate pair",
        ),
        (
            r#"{"A":"\ude00x"}"#,
            "line 1, column 6 (A): half of a surrogate pair",
        ),
        (
            r#"{"A":"\ud83d\u0041"}"#,
            "line 1, column 6 (A): half of a surrogate pair",
        ),
        (
            "{\"A\":\"mcplexer+base64:s3cret!\"}",
            "line 1 (A): invalid base64 after mcplexer+base64:",
        ),
        (
            "{\"A\":\"mcplexer+base64:AA\"}",
            "line 1 (A): invalid base64 after mcplexer+base64:",
        ),
    ] {
        assert_refused(Format::Json, text.as_bytes(), said);
    }
    assert_refused(
        Format::Json,
        b"{\"A\":\n\"\xff\"}",
        "line 2, column 2: not UTF-8 text",
    );
}

#[test]
fn yaml_is_one_mapping_of_names_and_scalars() {
    let yaml = |text: &str, expected: &[(&str, &str)]| assert_read(Format::Yaml, text, expected);
    yaml("A: b", &[("A", "b")]);
    yaml("\u{feff}# x\n---\nA: b # c\n...\n", &[("A", "b")]);
    yaml("{}", &[]);
    yaml("{A: 1, \"B\": 'it''s'}", &[("A", "1"), ("B", "it's")]);
    for plain in [
        "8080",
        "yes",
        "1e3",
        "0x1F",
        "1_000",
        "2001-12-14",
        "12:30:45",
        "True",
        "b c",
        "0o7",
        ".inf",
        "=",
        "nullx",
    ] {
        yaml(&format!("A: {plain}\n"), &[("A", plain)]);
    }
    yaml(
        "A: \"a\\tb\\n\\u00e9\\x41\"\nB: |\n  x\n  y\nC: >-\n  x\n  y\n",
        &[("A", "a\tb\né\u{41}"), ("B", "x\ny\n"), ("C", "x y")],
    );
    yaml(
        "A: !!str 8080\nB: !!str null\nC: 'null'\nD: ''\nE: !!binary |\n  aGVs\n  bG8=\n",
        &[
            ("A", "8080"),
            ("B", "null"),
            ("C", "null"),
            ("D", ""),
            ("E", "hello"),
        ],
    );
    yaml(
        "%TAG !y! tag:yaml.org,2002:\n---\nA: !y!str b",
        &[("A", "b")],
    );
    for (text, said) in [
        (
            "",
            "line 1, column 1: expected one mapping of names and values",
        ),
        (
            "s3cret",
            "line 1, column 1: expected one mapping of names and values",
        ),
        (
            "- s3cret",
            "line 1, column 1: expected one mapping of names and values",
        ),
        (
            "A: s3cret: x",
            "line 1, column 10: not YAML: mapping values are not allowed in this context",
        ),
        ("A: 's3cret", "line 1, column 4: not YAML: unclosed quote"),
        ("A: 1\nB:\n", "line 2, column 2 (B): null is not a value"),
        ("B: ~", "line 1, column 4 (B): null is not a value"),
        ("B: Null", "line 1, column 4 (B): null is not a value"),
        (
            "B:\n  - s3cret",
            "line 2, column 3 (B): expected a scalar value, found a sequence or a mapping",
        ),
        (
            "B:\n  s3cret: x",
            "line 2, column 3 (B): expected a scalar value, found a sequence or a mapping",
        ),
        (
            "A: &s3cret x\nB: *s3cret",
            "line 1, column 12: anchors and aliases are not allowed",
        ),
        (
            "A: *s3cret",
            "line 1, column 4: anchors and aliases are not allowed",
        ),
        (
            "&s3cret A: b",
            "line 1, column 9: anchors and aliases are not allowed",
        ),
        (
            "&s3cret\nA: b",
            "line 2, column 1: anchors and aliases are not allowed",
        ),
        (
            "? [s3cret]\n: x",
            "line 1, column 3: expected a name: a scalar without a tag",
        ),
        (
            "A: !!int 3",
            "line 1, column 10 (A): only the tags !!str and !!binary are allowed",
        ),
        (
            "A: !s3cret x",
            "line 1, column 12 (A): only the tags !!str and !!binary are allowed",
        ),
        (
            "A: ! x",
            "line 1, column 6 (A): only the tags !!str and !!binary are allowed",
        ),
        (
            "A: !!binary s3cret!",
            "line 1, column 13 (A): invalid base64 after !!binary",
        ),
        (
            "A: b\nA: c",
            "line 2 (A): duplicate name; the first is on line 1",
        ),
        (
            "A: b\n---\nB: s3cret",
            "line 2, column 1: only one document is allowed",
        ),
        (
            "A: b\n---\n",
            "line 2, column 1: only one document is allowed",
        ),
    ] {
        assert_refused(Format::Yaml, text.as_bytes(), said);
    }
}

#[test]
fn a_dotenv_file_is_read_with_its_lines() {
    let file = b"# x\nexport A='b\nc' # d\nB=mcplexer+base64:/wA=";
    let entries = exchange::read(file, Format::Dotenv).unwrap();
    let told: Vec<_> = entries
        .iter()
        .map(|it| (it.name.as_str(), it.line, it.value()))
        .collect();
    assert_eq!(told, [("A", 2, &b"b\nc"[..]), ("B", 4, &b"\xff\0"[..])]);
    assert_refused(
        Format::Dotenv,
        b"A=b\ns3cret\n",
        "line 2: expected NAME=value; a value of several lines must be in quotes",
    );
}

/// The package takes such a quote for a part of the value, and nobody means that.
#[test]
fn a_quote_that_is_not_closed_is_refused() {
    for (text, quote) in [
        ("A=\"s3cret", '"'),
        ("A='s3cret\nB=c", '\''),
        ("A=`s3cret # c", '`'),
        ("A: \" s3cret\r\n", '"'),
        ("A='", '\''),
    ] {
        let said = format!("line 1 (A): the quote {quote} is not closed");
        assert_refused(Format::Dotenv, text.as_bytes(), &said);
    }
    for (text, value) in [
        ("A=\"b\nc\"", "b\nc"),
        ("A='b' c", "'b' c"),
        ("A=b\"c", "b\"c"),
        ("A=it's", "it's"),
    ] {
        assert_read(Format::Dotenv, text, &[("A", value)]);
    }
}
