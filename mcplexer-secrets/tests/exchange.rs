//! Files of secrets: what is written is read again, here and by the programs it is meant for.

#![cfg(test)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use mcplexer_secrets::exchange::{self, Format};
use mcplexer_secrets::{Credentials, Error, NotCarried, ScopeKind, SecretName, SecretValue};
use proptest::prelude::*;

type Pairs = Vec<(String, Vec<u8>)>;

fn credentials(pairs: &Pairs) -> Credentials {
    let secrets = pairs.iter().map(|(name, value)| {
        let name: SecretName = name.parse().unwrap();
        (name, SecretValue::copy_of(value).unwrap())
    });
    Credentials::new("s".parse().unwrap(), ScopeKind::Header, secrets.collect())
}

fn written(pairs: &Pairs, format: Format) -> Vec<u8> {
    let written = exchange::write(&credentials(pairs), format).unwrap();
    written.expose().to_vec()
}

fn read(text: &[u8], format: Format) -> Result<Pairs, String> {
    let entries = exchange::read(text, format).map_err(|error| error.to_string())?;
    let pairs = entries
        .into_iter()
        .map(|it| (it.name.clone(), it.value().to_vec()));
    Ok(pairs.collect())
}

fn pairs(values: &[&[u8]]) -> Pairs {
    let values = values.iter().enumerate();
    values
        .map(|(at, value)| (format!("K{at}"), value.to_vec()))
        .collect()
}

/// Values that some format has trouble with.
const VALUES: [&[u8]; 48] = [
    b"ghp_abc123",
    b" ",
    b" a ",
    b"\n",
    b"a\n",
    b"\r",
    b"a\r\nb",
    b"\t",
    b"'",
    b"\"",
    b"`",
    b"''",
    b"it's",
    b"it's \"b\"",
    b"it's \"b\" `c`",
    b"it's \"b\" `c` # d",
    b"it's `b`\\n",
    b"'`\\",
    b"#",
    b"a # b",
    b"\\",
    b"a\\",
    b"'a\\",
    b" '\"`",
    b"a'\"`\\",
    b"\\n",
    b"'`\\n\\r",
    b"pa$$w0rd ${HOME} $(id) `id` !!",
    b"~",
    b"a:~",
    b"{a,b}",
    b"*",
    b"-",
    b"=",
    b"null",
    b"yes",
    b"1e3",
    b"\xff",
    b"\0",
    b"a\0b",
    b"mcplexer+base64:",
    b"mcplexer+base64:AAAA",
    b"mcplexer+base64",
    "ü€😀".as_bytes(),
    "\u{85}\u{a0}\u{2028}\u{2029}\u{feff}".as_bytes(),
    "'`\"\u{2028}x".as_bytes(),
    "\u{1}\u{7f}\u{80}\u{9f}\u{fffe}\u{ffff}\u{10ffff}".as_bytes(),
    b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----\n",
];

/// F05: bytes come back unchanged.
#[test]
fn what_is_written_is_read_again() {
    let mut all = pairs(&VALUES);
    for byte in 0..=255 {
        all.push((format!("B{byte}"), vec![byte]));
        all.push((format!("C{byte}"), vec![b'a', byte, b'\'']));
    }
    for format in Format::ALL {
        assert!(
            read(&written(&all, format), format).unwrap() == all,
            "{format}"
        );
        assert_eq!(read(&written(&Vec::new(), format), format).unwrap(), []);
    }
}

#[test]
fn the_longest_value_is_read_again() {
    let text: Vec<u8> = b"a\"'\\\n".iter().copied().cycle().take(1 << 20).collect();
    let all = pairs(&[&text, &vec![0xff; 1 << 20], &vec![b'x'; 1 << 20]]);
    for format in Format::ALL {
        assert!(
            read(&written(&all, format), format).unwrap() == all,
            "{format}"
        );
    }
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let bytes = proptest::collection::vec(any::<u8>(), 1..40);
    let tricky = proptest::sample::select(&[
        "'",
        "\"",
        "`",
        "\\",
        "\\n",
        "$",
        "#",
        " ",
        "\n",
        "\r",
        "\t",
        ":",
        "~",
        "=",
        "a",
        "ü",
        "\u{2028}",
        "\u{feff}",
        "mcplexer+base64:",
        "{",
        "}",
        "- ",
        "? ",
        "!",
        "&",
        "*",
        "|",
        "%",
        "@",
        "\u{1b}",
    ]);
    let texts = proptest::collection::vec(tricky, 1..12).prop_map(|it| it.concat().into_bytes());
    let any_text = proptest::collection::vec(any::<char>(), 1..20)
        .prop_map(|it| it.into_iter().collect::<String>().into_bytes());
    prop_oneof![bytes, texts, any_text]
}

/// Names as header fields have them, as `.env` files, and as variables.
fn names(characters: &'static [u8], first: &'static [u8]) -> impl Strategy<Value = String> {
    let rest = proptest::collection::vec(proptest::sample::select(characters), 0..12);
    (proptest::sample::select(first), rest)
        .prop_map(|(first, rest)| std::iter::once(first).chain(rest).map(char::from).collect())
}

const TCHARS: &[u8] = b"ABYZabnoyz0189!#$%&'*+-.^_`|~";
const DOTENV: &[u8] = b"ABYZabnoyz0189._-";
const VARIABLE: &[u8] = b"ABYZabnoyz0189_";
const LETTERS: &[u8] = b"ABYZabnoyz_";

fn any_pairs(name: impl Strategy<Value = String>) -> impl Strategy<Value = Pairs> {
    let map = proptest::collection::btree_map(name, value(), 0..6);
    map.prop_map(|it| it.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_values_are_read_again_from_json_and_yaml(all in any_pairs(names(TCHARS, TCHARS))) {
        for format in [Format::Json, Format::Yaml] {
            prop_assert!(read(&written(&all, format), format).unwrap() == all, "{}", format);
        }
    }

    #[test]
    fn any_values_are_read_again_from_a_dotenv_file(all in any_pairs(names(DOTENV, DOTENV))) {
        prop_assert!(read(&written(&all, Format::Dotenv), Format::Dotenv).unwrap() == all);
    }

    #[test]
    fn any_values_are_read_again_from_a_shell_script(all in any_pairs(names(VARIABLE, LETTERS))) {
        prop_assert!(read(&written(&all, Format::Shell), Format::Shell).unwrap() == all);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), text in value()) {
        for format in Format::ALL {
            let _ = exchange::read(&bytes, format);
            let _ = exchange::read(&text, format);
        }
    }
}

/// What another program makes of a file: each value, with a NUL byte behind it.
fn values_of(program: &str, arguments: &[&str], file: &[u8]) -> Option<Vec<Vec<u8>>> {
    let child = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = match child {
        Err(_) => return None,
        Ok(child) => child,
    };
    child.stdin.take().unwrap().write_all(file).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}");
    let values = output
        .stdout
        .strip_suffix(b"\0")
        .unwrap()
        .split(|&byte| byte == 0);
    Some(values.map(<[u8]>::to_vec).collect())
}

/// The values that are texts in this format, and the file.
fn texts(format: Format) -> (Pairs, Vec<u8>) {
    let is_text = |value: &&&[u8]| {
        let one = written(&pairs(&[value]), format);
        !one.windows(16).any(|it| it == b"mcplexer+base64:")
    };
    let values: Vec<&[u8]> = VALUES.iter().filter(is_text).copied().collect();
    let all = pairs(&values);
    let file = written(&all, format);
    (all, file)
}

fn values(pairs: &Pairs) -> Vec<Vec<u8>> {
    pairs.iter().map(|(_, value)| value.clone()).collect()
}

#[test]
fn shells_read_the_same_values() {
    let (all, file) = texts(Format::Shell);
    assert!(all.len() > 40);
    let print: String = all
        .iter()
        .map(|(name, _)| format!(" \"${name}\""))
        .collect();
    // Sourced as a file, and then shown as `export -p` does, and that read again.
    let script = format!("cat > \"$1\"; . \"$1\"; printf '%s\\0'{print}");
    let exports = "cat > \"$1\"; . \"$1\"; export -p; printf '\\0'";
    let mut shells = 0;
    for shell in ["sh", "bash", "dash", "zsh"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let path = path.to_str().unwrap();
        let Some(found) = values_of(shell, &["-c", &script, "x", path], &file) else {
            continue;
        };
        assert!(found == values(&all), "{shell}");
        let printed = values_of(shell, &["-c", exports, "x", path], &file).unwrap();
        let mut again = read(&printed[0], Format::Shell).unwrap();
        again.retain(|(name, _)| all.iter().any(|(it, _)| it == name));
        let mut sorted = all.clone();
        sorted.sort();
        again.sort();
        assert!(again == sorted, "{shell}");
        shells += 1;
    }
    assert!(shells >= 2, "sh and bash at least");
}

#[test]
fn python_reads_the_same_values() {
    for (format, import, load) in [
        (Format::Json, "json", "json.loads(f)"),
        (Format::Yaml, "yaml", "yaml.safe_load(f)"),
    ] {
        let has = Command::new("python3")
            .args(["-c", &format!("import {import}")])
            .output();
        if !has.is_ok_and(|it| it.status.success()) {
            eprintln!("skipped: python3 has no {import}");
            continue;
        }
        let (mut all, _) = texts(format);
        all.extend(
            ["NO", "null", "1", "~", "*a", "&a", "!a", "'a"]
                .map(|it| (it.to_owned(), b"v".to_vec())),
        );
        let file = written(&all, format);
        let script = format!(
            "import sys, {import}\nf = sys.stdin.buffer.read().decode()\nfor k, v in {load}.items():\n  sys.stdout.buffer.write(k.encode() + b'=' + v.encode() + b'\\0')"
        );
        let found = values_of("python3", &["-c", &script], &file).unwrap();
        let expected = all
            .iter()
            .map(|(name, value)| [name.as_bytes(), b"=", value].concat());
        assert!(found == expected.collect::<Vec<_>>(), "{format}");
    }
}

#[test]
fn the_npm_package_dotenv_reads_the_same_values() {
    let Some(place) = std::env::var_os("MCPLEXER_TEST_SERVERS") else {
        eprintln!("skipped: MCPLEXER_TEST_SERVERS names no directory");
        return;
    };
    let (all, file) = texts(Format::Dotenv);
    assert!(all.len() > 30);
    let script = "for (const v of Object.values(require(process.argv[1]).parse(require('fs').readFileSync(0)))) process.stdout.write(v + '\\0')";
    let package = Path::new(&place).join("node_modules/dotenv");
    let found = values_of("node", &["-e", script, package.to_str().unwrap()], &file).unwrap();
    assert!(found == values(&all));
}

#[test]
fn files_look_as_people_write_them() {
    let all: Pairs = [
        ("A", "ghp_abc"),
        ("B", "it's"),
        ("C", "a b\nc"),
        ("D", "\u{0}"),
    ]
    .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
    .into();
    for (format, text) in [
        (
            Format::Dotenv,
            "A=ghp_abc\nB=`it's`\nC='a b\nc'\nD=mcplexer+base64:AA==\n",
        ),
        (
            Format::Json,
            "{\n  \"A\": \"ghp_abc\",\n  \"B\": \"it's\",\n  \"C\": \"a b\\nc\",\n  \"D\": \"mcplexer+base64:AA==\"\n}\n",
        ),
        (
            Format::Yaml,
            "\"A\": \"ghp_abc\"\n\"B\": \"it's\"\n\"C\": \"a b\\nc\"\n\"D\": \"mcplexer+base64:AA==\"\n",
        ),
        (
            Format::Shell,
            "export A='ghp_abc'\nexport B='it'\\''s'\nexport C='a b\nc'\nexport D=mcplexer+base64:AA==\n",
        ),
    ] {
        let file = exchange::write(&credentials(&all), format).unwrap();
        assert_eq!(str::from_utf8(file.expose()).unwrap(), text);
        assert_eq!(file.encoded, 1);
        assert_eq!(format!("{file:?}"), "Written([REDACTED])");
    }
}

#[test]
fn a_name_that_a_format_has_not_is_an_error_that_names_it() {
    for (format, name, fits) in [
        (Format::Dotenv, "X-Api.Key_1", true),
        (Format::Dotenv, "X!", false),
        (Format::Shell, "X_1", true),
        (Format::Shell, "X-Api-Key", false),
        (Format::Shell, "1", false),
        (Format::Json, "!#$%&'*+-.^_`|~", true),
        (Format::Yaml, "!#$%&'*+-.^_`|~", true),
    ] {
        let all = vec![
            ("A".to_owned(), b"v".to_vec()),
            (name.to_owned(), b"v".to_vec()),
        ];
        match exchange::write(&credentials(&all), format) {
            Ok(file) => {
                assert!(fits, "{name}");
                assert!(read(file.expose(), format).unwrap() == all);
            }
            Err(Error::NotCarried {
                name: told, reason, ..
            }) => {
                assert!(!fits && told.as_str() == name);
                assert!(matches!(
                    reason,
                    NotCarried::NoDotenvName | NotCarried::NoShellName
                ));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[track_caller]
fn assert_read(format: Format, text: &str, expected: &[(&str, &str)]) {
    let found = read(text.as_bytes(), format);
    let owned = expected
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
    assert_eq!(found, Ok(owned.collect()), "{text:?}");
}

/// It is an error, says this, and repeats nothing.
#[track_caller]
fn assert_refused(format: Format, text: &[u8], said: &str) {
    let error = read(text, format).unwrap_err();
    assert_eq!(error, said, "{}", String::from_utf8_lossy(text));
    assert!(!error.contains("s3cret"), "{error}");
}

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
            "line 1: one object is expected, of names and values",
        ),
        (
            "\"s3cret\"",
            "line 1, column 8: one object is expected, of names and values",
        ),
        ("{\"A\":\n\"s3cret\",}", "line 2, column 10: not JSON"),
        ("{\"A\":\"s3cret\"} x", "line 1, column 16: not JSON"),
        ("{\"A\":\"s3cret\n\"}", "line 1, column 12: not JSON"),
        ("{\"A\":s3cret}", "line 1, column 6: not JSON"),
        ("{\"A\":01}", "line 1, column 7: not JSON"),
        (
            "{\"A\":\"1\",\n \"B\":null}",
            "line 2, column 6 (B): null is no value",
        ),
        (
            "{\"B\":[\"s3cret\"]}",
            "line 1, column 6 (B): a value is a string, and no array or object",
        ),
        (
            "{\"B\":{}}",
            "line 1, column 6 (B): a value is a string, and no array or object",
        ),
        ("{\"s3cret x\":null}", "line 1, column 13: null is no value"),
        (
            "{\"A\":\"1\",\n\"A\":\"1\"}",
            "line 2 (A): this name is there already, at line 1",
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
            "line 1 (A): no base64 follows mcplexer+base64:",
        ),
        (
            "{\"A\":\"mcplexer+base64:AA\"}",
            "line 1 (A): no base64 follows mcplexer+base64:",
        ),
    ] {
        assert_refused(Format::Json, text.as_bytes(), said);
    }
    assert_refused(
        Format::Json,
        b"{\"A\":\n\"\xff\"}",
        "line 2, column 2: not text in UTF-8",
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
            "line 1, column 1: one mapping is expected, of names and values",
        ),
        (
            "s3cret",
            "line 1, column 1: one mapping is expected, of names and values",
        ),
        (
            "- s3cret",
            "line 1, column 1: one mapping is expected, of names and values",
        ),
        ("A: s3cret: x", "line 1, column 10: not YAML"),
        ("A: 's3cret", "line 1, column 4 (A): not YAML"),
        ("A: 1\nB:\n", "line 2, column 2 (B): null is no value"),
        ("B: ~", "line 1, column 4 (B): null is no value"),
        ("B: Null", "line 1, column 4 (B): null is no value"),
        (
            "B:\n  - s3cret",
            "line 2, column 3 (B): a value is a scalar, and no sequence or mapping",
        ),
        (
            "B:\n  s3cret: x",
            "line 2, column 3 (B): a value is a scalar, and no sequence or mapping",
        ),
        (
            "A: &s3cret x\nB: *s3cret",
            "line 1, column 12 (A): anchors are not read",
        ),
        ("A: *s3cret", "line 1, column 4 (A): not YAML"),
        (
            "&s3cret A: b",
            "line 1, column 9: a name is a scalar without anchor or tag",
        ),
        (
            "&s3cret\nA: b",
            "line 2, column 1: one mapping is expected, of names and values",
        ),
        (
            "? [s3cret]\n: x",
            "line 1, column 3: a name is a scalar without anchor or tag",
        ),
        (
            "A: !!int 3",
            "line 1, column 10 (A): a tag is !!str or !!binary",
        ),
        (
            "A: !s3cret x",
            "line 1, column 12 (A): a tag is !!str or !!binary",
        ),
        ("A: ! x", "line 1, column 6 (A): a tag is !!str or !!binary"),
        (
            "A: !!binary s3cret!",
            "line 1, column 13 (A): no base64 follows !!binary",
        ),
        (
            "A: b\nA: c",
            "line 2 (A): this name is there already, at line 1",
        ),
        (
            "A: b\n---\nB: s3cret",
            "line 2, column 1: a second document is one too many",
        ),
        (
            "A: b\n---\n",
            "line 2, column 1: a second document is one too many",
        ),
    ] {
        assert_refused(Format::Yaml, text.as_bytes(), said);
    }
}

#[test]
fn shell_assignments_are_read_as_shells_do() {
    for (text, value) in [
        ("A=b", "b"),
        ("  A=b  # c", "b"),
        ("A=b;", "b"),
        ("A=", ""),
        ("A=''", ""),
        ("export A=b", "b"),
        ("export\t\\\n  A=b", "b"),
        ("declare -x A=\"b\"", "b"),
        ("typeset -rx A=b", "b"),
        ("A=b#c", "b#c"),
        ("A=b\\ c", "b c"),
        ("A=b\\\nc", "bc"),
        ("A=\\'\\\"\\$\\#\\~", "'\"$#~"),
        ("A='b\nc'", "b\nc"),
        ("A='$B `c` \\'", "$B `c` \\"),
        ("A=\"b \\$c \\` \\\" \\\\ \\n 'd'\"", "b $c ` \" \\ \\n 'd'"),
        ("A=\"b\\\nc\"", "bc"),
        ("A='b'\\''c'\"d\"e", "b'cde"),
        ("A=b=~", "b=~"),
        ("A=b~", "b~"),
        ("A='~'", "~"),
        ("A={b,c}", "{b,c}"),
        ("export A='{b,c}'", "{b,c}"),
        ("A=[b]*?!^%@", "[b]*?!^%@"),
        ("A=http://x/?a=b", "http://x/?a=b"),
        ("A=ü", "ü"),
    ] {
        assert_read(Format::Shell, text, &[("A", value)]);
        // Every shell at hand says so, too.
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap();
        for shell in ["bash", "dash"] {
            let is_bash = ["declare", "typeset"].iter().any(|it| text.starts_with(it));
            if is_bash && shell != "bash" {
                continue;
            }
            let script = ". \"$1\"; printf '%s\\0' \"$A\"";
            if let Some(found) = values_of(shell, &["-c", script, "x", path], b"") {
                assert_eq!(
                    String::from_utf8_lossy(&found[0]),
                    value,
                    "{shell}: {text:?}"
                );
            }
        }
    }
    let escapes = r#"A=$'\a\b\e\E\f\n\r\t\v\\\'\"\?\101\x41\u00e9\U0001F600'"#;
    let value = "\u{7}\u{8}\u{1b}\u{1b}\u{c}\n\r\t\u{b}\\'\"?AAé😀";
    assert_read(Format::Shell, escapes, &[("A", value)]);
    let script = format!("{escapes}; printf '%s\\0' \"$A\"");
    assert_eq!(
        values_of("bash", &["-c", &script], b"").unwrap()[0],
        value.as_bytes()
    );
    assert_read(
        Format::Shell,
        "# x\n\nA=1 B=2;export C=3 D='4\n5' # y\nexport E\ndeclare -x F\nG=6",
        &[
            ("A", "1"),
            ("B", "2"),
            ("C", "3"),
            ("D", "4\n5"),
            ("G", "6"),
        ],
    );
}

#[test]
fn what_a_shell_would_expand_or_run_is_refused() {
    let only = "only assignments are read, NAME=word, with or without export";
    let expands = "a shell would put something else here; between single quotes it would not";
    let runs = "a shell would run something here; between quotes it would not";
    for (text, at, problem) in [
        ("A=$s3cret", "line 1, column 3 (A)", expands),
        ("A=${s3cret}", "line 1, column 3 (A)", expands),
        ("A=$(s3cret)", "line 1, column 3 (A)", expands),
        ("A=`s3cret`", "line 1, column 3 (A)", expands),
        ("A=$\"s3cret\"", "line 1, column 3 (A)", expands),
        ("B=1\nA=\"s3cret $B\"", "line 2, column 11 (A)", expands),
        ("A=\"`s3cret`\"", "line 1, column 4 (A)", expands),
        ("A=~", "line 1, column 3 (A)", expands),
        ("A=~/s3cret", "line 1, column 3 (A)", expands),
        ("A=s3cret:~", "line 1, column 10 (A)", expands),
        ("A=\\\n~", "line 2, column 1 (A)", expands),
        ("export A={b,s3cret}", "line 1, column 10 (A)", expands),
        ("A=b|s3cret", "line 1, column 4 (A)", runs),
        ("A=b & s3cret", "line 1, column 5", only),
        ("A=b>s3cret", "line 1, column 4 (A)", runs),
        ("A=(s3cret)", "line 1, column 3 (A)", runs),
        ("A=b s3cret", "line 1, column 5", only),
        ("s3cret", "line 1, column 1", only),
        ("A=b\nrm -rf s3cret", "line 2, column 1", only),
        ("A=b;; B=c", "line 1, column 5", only),
        ("A+=b", "line 1, column 1", only),
        ("A[0]=b", "line 1, column 1", only),
        ("A", "line 1, column 1", only),
        ("1A=b", "line 1, column 1", only),
        ("A =b", "line 1, column 1", only),
        ("export -n A=b", "line 1, column 8", only),
        ("declare A=b", "line 1, column 1", only),
        ("declare -ax A=b", "line 1, column 1", only),
        ("export A#b", "line 1, column 8", only),
        ("\u{feff}A=b", "line 1, column 1", only),
        ("if true; then A=b; fi", "line 1, column 1", only),
        (
            "A='s3cret\nB=c",
            "line 1, column 3 (A)",
            "this quote is not closed",
        ),
        (
            "A=\"s3cret",
            "line 1, column 3 (A)",
            "this quote is not closed",
        ),
        (
            "A=$'s3cret\\'",
            "line 1, column 3 (A)",
            "this quote is not closed",
        ),
        (
            "A=b\r\nB=c",
            "line 1, column 4 (A)",
            "a carriage return that is not quoted; lines end in LF alone",
        ),
        (
            "A='b\0'",
            "line 1, column 3 (A)",
            "a NUL byte, which a shell cannot have",
        ),
        (
            "A=$'\\0'",
            "line 1, column 5 (A)",
            "a NUL byte, which a shell cannot have",
        ),
        (
            "A=$'\\q'",
            "line 1, column 5 (A)",
            "no escape of bash follows this backslash",
        ),
        (
            "A=$'\\ud800'",
            "line 1, column 5 (A)",
            "no escape of bash follows this backslash",
        ),
        (
            "A=b\\",
            "line 1, column 4 (A)",
            "no escape of bash follows this backslash",
        ),
        (
            "A=b\nA=c",
            "line 2 (A)",
            "this name is there already, at line 1",
        ),
    ] {
        let at = at
            .strip_suffix(" (A)")
            .map_or_else(|| at.to_owned(), |at| format!("{at} (A)"));
        assert_refused(Format::Shell, text.as_bytes(), &format!("{at}: {problem}"));
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
        "line 2: NAME=value is expected; a value of several lines stands in quotes",
    );
}

#[test]
fn an_entry_becomes_a_secret_or_says_why_not() {
    let secret = |text: &str| {
        let entries = exchange::read(text.as_bytes(), Format::Dotenv).unwrap();
        entries[0].secret().map_err(|error| error.to_string())
    };
    let (name, value) = secret("A=b").unwrap();
    assert_eq!((name.as_str(), value.expose()), ("A", &b"b"[..]));
    assert_eq!(
        secret("\nA=").unwrap_err(),
        "line 2 (A): the value is empty"
    );
    assert_eq!(
        secret("A=mcplexer+base64:").unwrap_err(),
        "line 1 (A): the value is empty"
    );
    let long = format!("A={}", "x".repeat((1 << 20) + 1));
    assert!(secret(&long).unwrap_err().contains("longer than 1 MiB"));
    let name = format!("{}=b", "A".repeat(129));
    assert!(
        secret(&name)
            .unwrap_err()
            .starts_with("line 1: secret name of 129 bytes is too long")
    );
    let entries = exchange::read(b"A=s3cret", Format::Dotenv).unwrap();
    assert_eq!(
        format!("{entries:?}"),
        "[Entry { name: \"A\", line: 1, .. }]"
    );
}

#[test]
fn a_format_is_told_by_the_name_of_a_file() {
    for (path, format) in [
        (".env", Some(Format::Dotenv)),
        ("a/.env.local", Some(Format::Dotenv)),
        ("prod.env", Some(Format::Dotenv)),
        ("a.json", Some(Format::Json)),
        (".env.json", Some(Format::Json)),
        ("a.yaml", Some(Format::Yaml)),
        ("a.yml", Some(Format::Yaml)),
        ("a.sh", Some(Format::Shell)),
        ("a", None),
        ("a.txt", None),
        ("env", None),
        ("/dev/stdin", None),
        ("a.env.d/x", None),
    ] {
        assert_eq!(Format::of_path(Path::new(path)), format, "{path}");
    }
    for format in Format::ALL {
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    assert!("toml".parse::<Format>().is_err());
}

/// Scripts put together of what matters, by a generator with a fixed seed: whatever is read at all,
/// shells read as the same.
#[test]
fn shells_agree_with_whatever_is_read() {
    const PIECES: [&str; 38] = [
        "'", "'", "\"", "\"", "$'", "\\", "\\\n", "\\n", "\\'", "\\\"", "\\x41", "\\101",
        "\\u00e9", "$", "`", "~", ":", "=", "#", " ", " # ", "\t", "\n", ";", "b", "c", "ü", "{",
        ",", "}", "*", "[", "]", "!", "%", "A=", " B=x", "\\ ",
    ];
    let mut state: u64 = 0x2545_F491_4F6C_DD1D;
    let mut next = |below: usize| {
        // Marsaglia's xorshift64.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let directory = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    let mut has_ansi_c = Vec::new();
    for at in 0..6000 {
        let begin = ["A=", "export A=", "A='"][at % 3];
        let length = 1 + next(7);
        let script: String = std::iter::once(begin)
            .chain((0..length).map(|_| PIECES[next(PIECES.len())]))
            .collect();
        let Ok(pairs) = read(script.as_bytes(), Format::Shell) else {
            continue;
        };
        let name = directory.path().join(format!("{:05}", expected.len()));
        std::fs::write(name, &script).unwrap();
        let values = ["A", "B"].map(|name| {
            let found = pairs.iter().find(|(it, _)| it == name);
            found.map_or(Vec::new(), |(_, value)| value.clone())
        });
        expected.push(values);
        has_ansi_c.push(script.contains("$'"));
    }
    assert!(expected.len() > 1000, "{}", expected.len());
    let print =
        "cd \"$1\"; for f in *; do A= B=; . \"./$f\"; printf '%s\\0%s\\0' \"$A\" \"$B\"; done";
    let place = directory.path().to_str().unwrap();
    for shell in ["bash", "dash"] {
        let Some(found) = values_of(shell, &["-c", print, "x", place], b"") else {
            eprintln!("skipped: there is no {shell}");
            continue;
        };
        assert_eq!(found.len(), expected.len() * 2, "{shell}");
        for (at, (found, expected)) in found.chunks(2).zip(&expected).enumerate() {
            // Dash has no such quotes.
            if shell == "bash" || !has_ansi_c[at] {
                let script = std::fs::read_to_string(directory.path().join(format!("{at:05}")));
                assert_eq!(found, expected, "{shell}: {:?}", script.unwrap());
            }
        }
    }
}
