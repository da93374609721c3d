//! The programs that read `.env` files read what was written for them as the same values.

use std::path::Path;

use mcplexer_files::exchange::{self, Format, Reader, WriteError};
use test_support::{skip, tool};

use super::{Pairs, VALUES, credentials, pairs, read, servers, shell_at, values, values_of};

/// Makes values from pieces that matter to some reader, with a fixed seed, and adds the handwritten ones.
fn random(count: usize) -> Vec<Vec<u8>> {
    const PIECES: [&str; 44] = [
        "a",
        "Z9",
        "_",
        "-",
        ".",
        "/",
        ":",
        "=",
        "@",
        "%",
        "+",
        ",",
        "~",
        "^",
        "!",
        "{",
        "}",
        "[",
        "]",
        "*",
        "?",
        "|",
        "&",
        ";",
        "<",
        "(",
        "'",
        "\"",
        "`",
        "\\",
        "\\n",
        "$",
        "${HOME}",
        "${A:-b}",
        "$(touch pwned)",
        "#",
        " #",
        " ",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "ü€",
        "😀",
    ];
    const ENDS: [&str; 12] = [
        "",
        "",
        "",
        "",
        "export A=b",
        "`touch pwned`",
        "\u{feff}",
        "\u{a0}",
        "\u{2028}",
        "\nB=c\n",
        "à",
        "'; touch pwned #",
    ];
    let mut state = 20u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut values: Vec<Vec<u8>> = VALUES.iter().map(|value| value.to_vec()).collect();
    while values.len() < count {
        // Every third value is of few kinds of pieces, so that all readers can be given some.
        let (kinds, ends) = [(PIECES.len(), ENDS.len()), (20, 1), (30, 5)][next(3)];
        let mut value = ENDS[next(ends)].to_owned();
        (0..next(6)).for_each(|_| value += PIECES[next(kinds)]);
        value += ENDS[next(ends)];
        if !value.is_empty() {
            values.push(value.into_bytes());
        }
    }
    values
}

/// Returns those of the values that a file for the reader can hold, and the file with all of them.
fn held(values: &[Vec<u8>], reader: Option<Reader>) -> (Pairs, Vec<u8>) {
    let write = |pairs: &Pairs| exchange::write(&credentials(pairs), Format::Dotenv, reader);
    let is_held = |value: &&[u8]| match write(&pairs(&[value])) {
        Ok(written) => written.encoded == 0,
        Err(error) => {
            assert!(matches!(error, WriteError::Value { .. }), "{error}");
            false
        }
    };
    let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).filter(is_held).collect();
    let all = pairs(&values);
    let file = write(&all).unwrap().expose().to_vec();
    (all, file)
}

/// What docker reads: `parseKeyValueFile` in `pkg/kvfile/kvfile.go` of github.com/docker/cli, at commit
/// 28f756087eea5fa301f3fbf12b01ae62f91521c2, with Go's `bufio.ScanLines`.
fn docker(file: &[u8]) -> Result<Pairs, String> {
    let mut pairs = Pairs::new();
    let file = file.strip_suffix(b"\n").unwrap_or(file);
    for (at, line) in file.split(|&byte| byte == b'\n').enumerate() {
        // The scanner's buffer has to hold the line end as well.
        if line.len() >= 64 * 1024 {
            return Err("bufio.Scanner: token too long".to_owned());
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = str::from_utf8(line).map_err(|_| format!("invalid utf8 bytes at line {at}"))?;
        let line = if at == 0 {
            line.strip_prefix('\u{feff}').unwrap_or(line)
        } else {
            line
        };
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        if name.is_empty() || name.contains([' ', '\t']) {
            return Err(format!("no variable name on line {at}"));
        }
        pairs.push((name.to_owned(), value.as_bytes().to_vec()));
    }
    Ok(pairs)
}

fn node(file: &[u8]) -> Option<Vec<Vec<u8>>> {
    let Some(place) = servers() else {
        skip("servers", "MCPLEXER_TEST_SERVERS names no directory");
        return None;
    };
    let script = "for (const v of Object.values(require(process.argv[1]).parse(require('fs').readFileSync(0)))) process.stdout.write(v + '\\0')";
    let package = place.join("node_modules/dotenv");
    Some(values_of(
        &tool("node")?,
        &["-e", script, package.to_str().unwrap()],
        file,
    ))
}

fn python(file: &[u8]) -> Option<Vec<Vec<u8>>> {
    let Some(place) = servers() else {
        skip("servers", "MCPLEXER_TEST_SERVERS names no directory");
        return None;
    };
    let script = "import sys, dotenv\nfor v in dotenv.dotenv_values(sys.argv[1]).values(): sys.stdout.buffer.write(v.encode() + b'\\0')";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(".env");
    std::fs::write(&path, file).unwrap();
    let arguments = ["-c", script, path.to_str().unwrap()];
    Some(values_of(&place.join("bin/python"), &arguments, b""))
}

/// Has a shell read the file in an empty directory, and asserts that nothing is in it afterwards.
fn shell(program: &Path, file: &[u8], count: usize) -> Vec<Vec<u8>> {
    let print: String = (0..count).map(|at| format!(" \"$K{at}\"")).collect();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(".env");
    std::fs::write(&path, file).unwrap();
    let script = format!("cd \"$1\"; set -a; . ./.env; printf '%s\\0'{print}");
    let arguments = ["-c", &script, "x", directory.path().to_str().unwrap()];
    let found = values_of(program, &arguments, b"");
    assert_eq!(
        std::fs::read_dir(directory.path()).unwrap().count(),
        1,
        "{program:?} ran a value"
    );
    found
}

/// Has every reader of the file read it that is installed.
fn assert_read_alike(all: &Pairs, file: &[u8], reader: Option<Reader>) {
    let expected = values(all);
    let assert_same = |found: Vec<Vec<u8>>, by: &str| {
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let (found, text) = (
                String::from_utf8_lossy(found),
                String::from_utf8_lossy(expected),
            );
            assert_eq!(found, text, "{by} reads K{at} of the file for {reader:?}");
        }
        assert_eq!(found.len(), expected.len(), "{by}");
    };
    for one in Reader::ALL {
        if reader.is_some_and(|reader| reader != one) {
            continue;
        }
        match one {
            Reader::Node => {
                if let Some(found) = node(file) {
                    assert_same(found, "npm dotenv");
                }
                // What is exported for it is imported again.
                assert!(read(file, Format::Dotenv).as_ref() == Ok(all));
            }
            Reader::Python => {
                if let Some(found) = python(file) {
                    assert_same(found, "python-dotenv");
                }
            }
            Reader::Docker => assert!(docker(file).as_ref() == Ok(all), "{reader:?}"),
            Reader::Sh => {
                for name in ["sh", "bash", "dash", "zsh"] {
                    if let Some(program) = shell_at(name) {
                        assert_same(shell(&program, file, all.len()), name);
                    }
                }
            }
            _ => unreachable!(),
        }
    }
}

/// phpdotenv#470, python-dotenv#330.
#[test]
fn a_file_for_a_reader_is_read_by_it() {
    let values = random(2000);
    for (reader, least) in [
        (None, 200),
        (Some(Reader::Node), 1000),
        (Some(Reader::Python), 1900),
        (Some(Reader::Docker), 1000),
        (Some(Reader::Sh), 1900),
    ] {
        // What import reads as base64 has no other notation for Node.js.
        let mut values = values.clone();
        values.retain(|value| !value.starts_with(b"mcplexer+base64:"));
        let (all, file) = held(&values, reader);
        assert!(all.len() >= least, "{reader:?}: {}", all.len());
        assert_read_alike(&all, &file, reader);
    }
}

#[test]
fn what_no_reader_can_be_given_is_named_with_who_can() {
    let cases: [(&[u8], Option<Reader>, &[Reader]); 9] = [
        (b"it's", None, &Reader::ALL),
        (b"a b#c", None, &Reader::ALL),
        (b"a\nb", None, &[Reader::Node, Reader::Python, Reader::Sh]),
        (
            b"a\nb",
            Some(Reader::Docker),
            &[Reader::Node, Reader::Python, Reader::Sh],
        ),
        (
            b"'\"` # d",
            Some(Reader::Node),
            &[Reader::Python, Reader::Docker, Reader::Sh],
        ),
        (b"'\"`\n#", None, &[Reader::Python, Reader::Sh]),
        (b"\xff", Some(Reader::Python), &[Reader::Sh]),
        (
            b"a\r",
            Some(Reader::Docker),
            &[Reader::Node, Reader::Python, Reader::Sh],
        ),
        (b"a\0b", Some(Reader::Sh), &[]),
    ];
    for (value, reader, readers) in cases {
        let all = pairs(&[b"plain", value]);
        match exchange::write(&credentials(&all), Format::Dotenv, reader) {
            Err(error @ WriteError::Value { .. }) => {
                let text = error.to_string();
                assert!(
                    text.starts_with("no notation for s/K1 in a .env file is read "),
                    "{text}"
                );
                let WriteError::Value { names, others, .. } = error else {
                    unreachable!()
                };
                assert_eq!((names.len(), others.as_slice()), (1, readers), "{value:?}");
            }
            other => panic!("{value:?} {reader:?}: {other:?}"),
        }
    }
    let long = pairs(&[&vec![b'x'; 64 * 1024 - 4]]);
    let fits = |pairs: &Pairs| exchange::write(&credentials(pairs), Format::Dotenv, None).is_ok();
    assert!(fits(&long) && docker(format!("K0={}", "x".repeat(64 * 1024 - 4)).as_bytes()).is_ok());
    assert!(!fits(&pairs(&[&vec![b'x'; 64 * 1024 - 3]])));
    assert!(!fits(&pairs(&[&vec![0xff; 48 * 1024]])));
}

/// A text may look as if it were in base64. Its reader sees it as it is.
#[test]
fn a_reader_is_given_no_base64() {
    for reader in Reader::ALL {
        let all = pairs(&[b"mcplexer+base64:AAAA"]);
        let written = exchange::write(&credentials(&all), Format::Dotenv, Some(reader)).unwrap();
        assert_eq!(written.expose(), b"K0=mcplexer+base64:AAAA\n");
    }
}

#[test]
fn a_name_that_a_reader_has_not_is_an_error() {
    for (name, reader, fits) in [
        ("X-Api.Key_1", Some(Reader::Node), true),
        ("X-Api.Key_1", Some(Reader::Docker), true),
        ("X-Api.Key_1", Some(Reader::Sh), false),
        ("X-Api.Key_1", None, false),
        ("UID", None, false),
        ("1", None, false),
        ("export", None, true),
    ] {
        let all = vec![(name.to_owned(), b"v".to_vec())];
        let written = exchange::write(&credentials(&all), Format::Dotenv, reader);
        assert_eq!(written.is_ok(), fits, "{name} {reader:?}");
        if let Err(WriteError::Name { others, .. }) = written {
            assert_eq!(others, [Reader::Node, Reader::Python, Reader::Docker]);
        }
    }
}
