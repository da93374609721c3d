//! Files of secrets: the library, and the programs that a file is for, read what was written.

#![cfg(test)]

mod alike;
mod programs;
mod readers;
mod round_trip;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mcplexer_files::exchange::{self, Format, Reader};
use mcplexer_secrets::{Credentials, ScopeKind, SecretName, SecretValue};
use test_support::{Running, STANDARD_PATH, tool};

type Pairs = Vec<(String, Vec<u8>)>;

fn credentials(pairs: &Pairs) -> Credentials {
    let secrets = pairs.iter().map(|(name, value)| {
        let name: SecretName = name.parse().unwrap();
        (name, SecretValue::copy_of(value).unwrap())
    });
    Credentials::new("s".parse().unwrap(), ScopeKind::Header, secrets.collect())
}

/// Returns the file; a `.env` file is for npm's dotenv.
fn written(pairs: &Pairs, format: Format) -> Vec<u8> {
    let written = exchange::write(&credentials(pairs), format, Some(Reader::Node)).unwrap();
    written.expose().to_vec()
}

fn values(pairs: &Pairs) -> Vec<Vec<u8>> {
    pairs.iter().map(|(_, value)| value.clone()).collect()
}

/// Returns those of the pairs that [`written`] takes, and [`read`] does not read as base64.
fn writable(pairs: &Pairs, format: Format) -> Pairs {
    let mut pairs = pairs.clone();
    pairs.retain(|pair| {
        let one = credentials(&vec![pair.clone()]);
        let is_raw = format == Format::Dotenv && pair.1.starts_with(b"mcplexer+base64:");
        !is_raw && exchange::write(&one, format, Some(Reader::Node)).is_ok()
    });
    pairs
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

/// Values that are difficult in some format.
const VALUES: [&[u8]; 51] = [
    b"ghp_abc123",
    b" ",
    b" a ",
    // Of these two, the first would end in the second if a quote followed it.
    b"a b\\",
    b"\nc",
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
    "a \u{2028} \u{85} b".as_bytes(),
    "\u{1}\u{7f}\u{80}\u{9f}\u{fffe}\u{ffff}\u{10ffff}".as_bytes(),
    b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----\n",
];

#[track_caller]
fn assert_read(format: Format, text: &str, expected: &[(&str, &str)]) {
    let found = read(text.as_bytes(), format);
    let owned = expected
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
    assert_eq!(found, Ok(owned.collect()), "{text:?}");
}

/// Asserts that a file is an error with this message, and that the message repeats nothing of it.
#[track_caller]
fn assert_refused(format: Format, text: &[u8], said: &str) {
    let error = read(text, format).unwrap_err();
    assert_eq!(error, said, "{}", String::from_utf8_lossy(text));
    assert!(!error.contains("s3cret"), "{error}");
}

/// Returns where `.ci/servers DIR` has installed other readers of files. If it has, none may be missing.
fn servers() -> Option<PathBuf> {
    std::env::var_os("MCPLEXER_TEST_SERVERS").map(PathBuf::from)
}

/// Finds a shell; reports the test as skipped for a shell that is missing. Every Unix has `sh`.
fn shell_at(name: &str) -> Option<PathBuf> {
    match name {
        "sh" => Some("/bin/sh".into()),
        _ => tool(name),
    }
}

/// Has another program read a file, and collects what it prints: each value, with a NUL byte behind it.
fn values_of(program: &Path, arguments: &[&str], file: &[u8]) -> Vec<Vec<u8>> {
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C.UTF-8");
    // Shells need programs of every Unix, which a PATH of the Rust toolchain alone does not have.
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{path}:{STANDARD_PATH}"));
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = Running::start(command).unwrap();
    child.stdin.take().unwrap().write_all(file).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program:?}");
    let values = output
        .stdout
        .strip_suffix(b"\0")
        .unwrap()
        .split(|&byte| byte == 0);
    values.map(<[u8]>::to_vec).collect()
}

#[test]
fn the_name_of_a_file_says_its_format() {
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

#[test]
fn a_shell_script_is_not_read() {
    let error = exchange::read(b"A='s3cret'", Format::Shell).unwrap_err();
    assert_eq!(error.to_string(), "line 1: shell scripts are not read");
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
        let file = exchange::write(&credentials(&all), format, None).unwrap();
        assert_eq!(str::from_utf8(file.expose()).unwrap(), text);
        assert_eq!(file.encoded, 1);
        assert_eq!(format!("{file:?}"), "Written([REDACTED])");
    }
    for (reader, text) in [
        (Reader::Node, "A=ghp_abc\nB=\"it's\"\nC='a b\nc'\n"),
        (Reader::Python, "A=ghp_abc\nB='it\\'s'\nC='a b\nc'\n"),
        (Reader::Sh, "A=ghp_abc\nB='it'\\''s'\nC='a b\nc'\n"),
    ] {
        let all = all.iter().take(3).cloned().collect();
        let file = exchange::write(&credentials(&all), Format::Dotenv, Some(reader)).unwrap();
        assert_eq!(str::from_utf8(file.expose()).unwrap(), text);
    }
    let all = vec![
        ("A".to_owned(), b"ghp_abc".to_vec()),
        ("D".to_owned(), vec![0]),
    ];
    let file = exchange::write(&credentials(&all), Format::Dotenv, None).unwrap();
    assert_eq!(file.expose(), b"A=ghp_abc\nD=mcplexer+base64:AA==\n");
}

#[test]
fn a_name_that_is_invalid_in_a_format_is_an_error() {
    for (format, name, fits) in [
        (Format::Dotenv, "X-Api.Key_1", true),
        (Format::Dotenv, "X!", false),
        (Format::Shell, "X_1", true),
        (Format::Shell, "X-Api-Key", false),
        (Format::Shell, "1", false),
        // bash does not let a script set it.
        (Format::Shell, "UID", false),
        (Format::Json, "!#$%&'*+-.^_`|~", true),
        (Format::Yaml, "!#$%&'*+-.^_`|~", true),
    ] {
        let all = vec![
            ("A".to_owned(), b"v".to_vec()),
            (name.to_owned(), b"v".to_vec()),
        ];
        match exchange::write(&credentials(&all), format, Some(Reader::Node)) {
            Ok(file) => {
                assert!(fits, "{name}");
                if Format::READ.contains(&format) {
                    assert!(read(file.expose(), format).unwrap() == all);
                }
            }
            Err(error) => {
                assert!(
                    !fits && error.to_string().contains(&format!("s/{name} ")),
                    "{error}"
                );
            }
        }
    }
}
