//! Other programs read what was written as the same values.

use std::process::Command;

use mcplexer_files::exchange::Format;
use test_support::skip;

use super::{Pairs, VALUES, pairs, servers, shell_at, values, values_of, written};

/// Returns the values that are text in this format, and the file.
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

#[test]
fn shells_read_the_same_values() {
    let (all, file) = texts(Format::Shell);
    assert!(all.len() > 40);
    let print: String = all
        .iter()
        .map(|(name, _)| format!(" \"${name}\""))
        .collect();
    let script = format!("cat > \"$1\"; . \"$1\"; printf '%s\\0'{print}");
    for shell in ["sh", "bash", "dash", "zsh"] {
        let Some(program) = shell_at(shell) else {
            continue;
        };
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let path = path.to_str().unwrap();
        let found = values_of(&program, &["-c", &script, "x", path], &file);
        assert!(found == values(&all), "{shell}");
    }
}

#[test]
fn python_reads_the_same_values() {
    let place = servers();
    let python = place.as_ref().map(|it| it.join("bin/python"));
    let python = python.map_or("python3".into(), |it| it.display().to_string());
    for (format, import, load) in [
        (Format::Json, "json", "json.loads(f)"),
        (Format::Yaml, "yaml", "yaml.safe_load(f)"),
    ] {
        let has = Command::new(&python)
            .args(["-c", &format!("import {import}")])
            .output();
        if !has.is_ok_and(|it| it.status.success()) {
            assert!(place.is_none(), "{python} has no {import}");
            skip(import, &format!("no {python} with the package {import}"));
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
        let found = values_of(python.as_ref(), &["-c", &script], &file);
        let expected = all
            .iter()
            .map(|(name, value)| [name.as_bytes(), b"=", value].concat());
        assert!(found == expected.collect::<Vec<_>>(), "{format}");
    }
}
