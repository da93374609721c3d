//! A filled template is what it was, with the values in it, or an error.

#![cfg(test)]

use std::path::Path;

use mcplexer_files::dotenv;
use mcplexer_files::reference::Reference;
use mcplexer_files::template::{FillError, Syntax, Template};
use proptest::prelude::*;

/// Fills in a template whose only reference is `mcplexer://s/K`.
fn fill(syntax: Syntax, template: &str, value: &[u8]) -> Result<String, FillError> {
    let template = Template::parse(template.as_bytes()).unwrap();
    let filled = template.fill(syntax, |_: &Reference| Some(value))?;
    Ok(String::from_utf8(filled.expose().to_vec()).unwrap())
}

const VALUES: [&str; 34] = [
    "ghp_abc123",
    "it's",
    "say \"hi\"",
    "a\nb",
    "a\r\nb\n",
    "back\\slash\\",
    "\\n",
    "a: b",
    "a #b",
    "#a",
    "- a",
    "{a}",
    "[a]",
    "&a *b !c",
    "%a",
    "@a",
    "`a`",
    "| x",
    " a ",
    "\ta",
    "\u{1}\u{7f}\u{85}\u{2028}\u{feff}",
    "\u{e0041}😀ü",
    "8080",
    "0123",
    "true",
    "null",
    "~",
    "yes",
    "1e5",
    "\"\"\"'''",
    "*/ x",
    "a,b",
    "---",
    "-----BEGIN KEY-----\nMC4C\nAw==\n-----END KEY-----\n",
];

/// What a program reads from the members `k` and `o` of a file.
fn members(syntax: Syntax, text: &str) -> (String, String) {
    let both = |value: serde_json::Value| {
        let text = |name: &str| match &value[name] {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Null => panic!("no {name} in {text:?}"),
            other => format!("literal {other}"),
        };
        (text("k"), text("o"))
    };
    match syntax {
        Syntax::Json => {
            both(serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text:?}")))
        }
        Syntax::Yaml => {
            both(serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}: {text:?}")))
        }
        Syntax::Toml => {
            let document = text.parse::<toml_edit::DocumentMut>();
            let document = document.unwrap_or_else(|error| panic!("{error}: {text:?}"));
            let text = |name: &str| match document[name].as_str() {
                Some(text) => text.to_owned(),
                None => format!("literal {}", document[name].to_string().trim()),
            };
            (text("k"), text("o"))
        }
        _ => {
            let variables = dotenv::parse(text.as_bytes());
            let variables = variables.unwrap_or_else(|error| panic!("{error}: {text:?}"));
            assert_eq!(variables.len(), 2, "{text:?}");
            let value = |at: usize| String::from_utf8(variables[at].value().to_vec()).unwrap();
            (value(0), value(1))
        }
    }
}

/// Templates, what the member `k` is with `V` for the value, and whether they hold every text.
const TEMPLATES: [(Syntax, &str, &str, bool); 21] = [
    (
        Syntax::Json,
        "{\"k\": \"mcplexer://s/K\", \"o\": \"x\"}",
        "V",
        true,
    ),
    (
        Syntax::Json,
        "{\"k\": \"<{mcplexer://s/K}x>\", \"o\": \"x\"}",
        "<Vx>",
        true,
    ),
    (Syntax::Yaml, "k: \"mcplexer://s/K\"\no: x\n", "V", true),
    (Syntax::Yaml, "k: mcplexer://s/K\no: x\n", "V", true),
    (Syntax::Yaml, "k: mcplexer://s/K # c\no: x\n", "V", true),
    (Syntax::Yaml, "{k: mcplexer://s/K, o: x}\n", "V", true),
    (Syntax::Yaml, "k: 'mcplexer://s/K'\no: x\n", "V", false),
    (Syntax::Yaml, "k: |\n  mcplexer://s/K\no: x\n", "V\n", false),
    (
        Syntax::Yaml,
        "k: |-\n  a {mcplexer://s/K}b\no: x\n",
        "a Vb",
        false,
    ),
    (Syntax::Yaml, "k: >\n  mcplexer://s/K\no: x\n", "V\n", false),
    (
        Syntax::Yaml,
        "k: a:{mcplexer://s/K}@b\no: x\n",
        "a:V@b",
        false,
    ),
    (
        Syntax::Toml,
        "k = \"mcplexer://s/K\"\no = \"x\"\n",
        "V",
        true,
    ),
    (
        Syntax::Toml,
        "k = \"\"\"a\nmcplexer://s/K\"\"\"\no = \"x\"\n",
        "a\nV",
        true,
    ),
    (
        Syntax::Toml,
        "k = 'mcplexer://s/K'\no = \"x\"\n",
        "V",
        false,
    ),
    (
        Syntax::Toml,
        "k = '''mcplexer://s/K'''\no = \"x\"\n",
        "V",
        false,
    ),
    (Syntax::Toml, "k = mcplexer://s/K\no = \"x\"\n", "V", false),
    (Syntax::Dotenv, "k=mcplexer://s/K\no=x\n", "V", false),
    (Syntax::Dotenv, "k='mcplexer://s/K'\no=x\n", "V", false),
    (
        Syntax::Dotenv,
        "export k=\"mcplexer://s/K\" # c\no=x\n",
        "V",
        false,
    ),
    (Syntax::Dotenv, "k=`mcplexer://s/K`\no=x\n", "V", false),
    (Syntax::Dotenv, "k=a{mcplexer://s/K}b\no=x\n", "aVb", false),
];

/// Fills in each template: what a program reads then is what it read, with the value. Returns how many hold it.
fn check(value: &str) -> Result<usize, TestCaseError> {
    let mut held = 0;
    for (syntax, template, expected, holds_all) in TEMPLATES {
        match fill(syntax, template, value.as_bytes()) {
            Ok(filled) => {
                let (k, o) = members(syntax, &filled);
                // A block ends with one line end, whether the value has one or not.
                let in_block = template.contains("|\n");
                let value = value
                    .strip_suffix('\n')
                    .filter(|_| in_block)
                    .unwrap_or(value);
                let expected = expected.replace('V', value);
                // Outside of quotes, a value may be a number or a truth value.
                let is_literal = k == format!("literal {value}");
                prop_assert!(
                    k == expected || is_literal,
                    "{filled:?}: {k:?} {expected:?}"
                );
                prop_assert_eq!(&o, "x", "{:?}", filled);
                held += 1;
            }
            Err(error) => {
                prop_assert!(!holds_all, "{template:?} {value:?}: {error}");
                let text = error.to_string();
                let said = "mcplexer://s/K cannot be written here: ";
                prop_assert!(text.starts_with("line ") && text.contains(said), "{text}");
            }
        }
    }
    Ok(held)
}

/// Infisical#3135: a quote or a line end in a value made another file of it.
#[test]
fn a_value_changes_nothing_else_in_a_file() {
    for value in VALUES {
        assert!(check(value).unwrap() >= 8, "{value:?}");
    }
    assert_eq!(check("ghp_abc123").unwrap(), 20);
    assert_eq!(check("8080").unwrap(), 21);
}

fn any_text() -> impl Strategy<Value = String> {
    let pieces = proptest::sample::select(&[
        "'",
        "\"",
        "\\",
        "\n",
        "\r",
        " ",
        "#",
        ":",
        "-",
        "{",
        "}",
        "a",
        "B9",
        "$",
        "`",
        "\t",
        "ü",
        "\u{85}",
        "\0",
        "!",
        "&",
        "*",
        "?",
        "|",
        ">",
        "%",
        "@",
        ",",
        "[",
        "]",
        "~",
        "=",
        "\u{e0041}",
    ]);
    let texts = proptest::collection::vec(pieces, 1..8).prop_map(|it| it.concat());
    prop_oneof![
        texts,
        any::<String>().prop_filter("not empty", |it| !it.is_empty())
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_value_changes_nothing_else(value in any_text()) {
        check(&value)?;
    }

    #[test]
    fn no_template_makes_it_panic(pieces in proptest::collection::vec(proptest::sample::select(&[
        "mcplexer://s/K", "{mcplexer://s/K}", "{mcplexer://}", "\"", "'", "\n", " ", "#", "//", "/*", "*/", "=", ": ", "- ",
        "|\n", "\"\"\"", "'''", "\\", "a", "{", "}", "[", "]", ",", "`", "%", "---\n", "\t", "&a ", "*a",
    ]), 0..14), value in any_text()) {
        let text = pieces.concat();
        if let Ok(template) = Template::parse(text.as_bytes()) {
            for syntax in Syntax::ALL {
                let _ = template.fill(syntax, |_| Some(value.as_bytes()));
            }
        }
    }
}

#[test]
fn what_is_written_looks_as_people_write_it() {
    for (syntax, template, value, filled) in [
        (Syntax::Yaml, "k: mcplexer://s/K", "a\"b", "k: \"a\\\"b\""),
        (Syntax::Yaml, "k: mcplexer://s/K", "ghp_abc", "k: ghp_abc"),
        (Syntax::Yaml, "k: mcplexer://s/K", "8080", "k: 8080"),
        (Syntax::Yaml, "k: mcplexer://s/K", "0123", "k: \"0123\""),
        (Syntax::Yaml, "k: mcplexer://s/K", "null", "k: \"null\""),
        (Syntax::Yaml, "k: 'mcplexer://s/K'", "it's", "k: 'it''s'"),
        (
            Syntax::Yaml,
            "k: |\n    mcplexer://s/K\n",
            "a\nb\n",
            "k: |\n    a\n    b\n",
        ),
        (
            Syntax::Yaml,
            "a: &x mcplexer://s/K\n---\nb: c # mcplexer://s/K\n",
            "v",
            "a: &x v\n---\nb: c # v\n",
        ),
        (
            Syntax::Json,
            "{\"k\": mcplexer://s/K}",
            "8080",
            "{\"k\": 8080}",
        ),
        (
            Syntax::Json,
            "{\"k\": mcplexer://s/K}",
            "{\"a\": [1]}",
            "{\"k\": {\"a\": [1]}}",
        ),
        (
            Syntax::Json,
            "// it's mcplexer://s/K\n{'k': 'mcplexer://s/K'}",
            "a'\"b",
            "// it's a'\"b\n{'k': 'a\\'\\\"b'}",
        ),
        (
            Syntax::Toml,
            "k = \"mcplexer://s/K\"",
            "a\nb",
            "k = \"a\\nb\"",
        ),
        (Syntax::Toml, "k = mcplexer://s/K", "8080", "k = 8080"),
        (
            Syntax::Ini,
            "[a]\nk = mcplexer://s/K\n",
            "it's; #1",
            "[a]\nk = it's; #1\n",
        ),
        (
            Syntax::Text,
            "k = \"mcplexer://s/K\"",
            "a\nb\"",
            "k = \"a\nb\"\"",
        ),
    ] {
        assert_eq!(fill(syntax, template, value.as_bytes()).unwrap(), filled);
    }
}

#[test]
fn what_cannot_be_written_is_an_error_with_its_place() {
    for (syntax, template, value, place) in [
        (
            Syntax::Json,
            "{\"a\": 1,\n \"k\": mcplexer://s/K}",
            &b"a b"[..],
            "line 2, column 7",
        ),
        (
            Syntax::Json,
            "\"mcplexer://s/K\"",
            b"\xff",
            "line 1, column 2",
        ),
        (
            Syntax::Json,
            "// mcplexer://s/K\n{}",
            b"a\nb",
            "line 1, column 4",
        ),
        (
            Syntax::Json,
            "/* mcplexer://s/K */ {}",
            b"a*/b",
            "line 1, column 4",
        ),
        (
            Syntax::Yaml,
            "k: 'mcplexer://s/K'",
            b"a\nb",
            "line 1, column 5",
        ),
        (
            Syntax::Yaml,
            "a: b\nk: p:mcplexer://s/K",
            b"a: b",
            "line 2, column 6",
        ),
        (
            Syntax::Yaml,
            "k: v # mcplexer://s/K",
            b"a\nb",
            "line 1, column 8",
        ),
        (
            Syntax::Yaml,
            "k: \"mcplexer://s/K\"",
            b"\xff",
            "line 1, column 5",
        ),
        (
            Syntax::Toml,
            "k = mcplexer://s/K",
            b"text",
            "line 1, column 5",
        ),
        (
            Syntax::Toml,
            "k = 'mcplexer://s/K'",
            b"it's",
            "line 1, column 6",
        ),
        (
            Syntax::Dotenv,
            "A=mcplexer://s/K",
            b"a b",
            "line 1, column 3",
        ),
        (
            Syntax::Dotenv,
            "A=\"mcplexer://s/K\"",
            b"$(id)",
            "line 1, column 4",
        ),
        (
            Syntax::Ini,
            "k = mcplexer://s/K",
            b"a\nb = c",
            "line 1, column 5",
        ),
        (
            Syntax::Ini,
            "k = \"mcplexer://s/K\"",
            b"a\"",
            "line 1, column 6",
        ),
    ] {
        let error = fill(syntax, template, value).unwrap_err().to_string();
        let said = format!("{place}: mcplexer://s/K cannot be written here: ");
        assert!(error.starts_with(&said), "{template}: {error}");
    }
    let error = fill(Syntax::Yaml, "a: [b\n\nk: mcplexer://s/K", b"v").unwrap_err();
    assert!(matches!(error, FillError::NotThis { .. }), "{error}");
}

#[test]
fn the_name_of_a_file_says_its_syntax() {
    for (path, syntax) in [
        ("a.json", Some(Syntax::Json)),
        ("a.json.tmpl", Some(Syntax::Json)),
        ("b/a.yml.in", Some(Syntax::Yaml)),
        ("app.toml.in", Some(Syntax::Toml)),
        (".env", Some(Syntax::Dotenv)),
        (".env.in", Some(Syntax::Dotenv)),
        (".env.local", Some(Syntax::Dotenv)),
        ("a.ini", Some(Syntax::Ini)),
        ("database.conf", None),
        ("netrc.in", None),
        ("a", None),
    ] {
        assert_eq!(Syntax::of_path(Path::new(path)), syntax, "{path}");
    }
    for syntax in Syntax::ALL {
        assert_eq!(syntax.as_str().parse(), Ok(syntax));
    }
}
