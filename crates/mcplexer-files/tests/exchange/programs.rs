//! What is written is read by other programs as well.

use std::process::Command;

use mcplexer_files::exchange::Format;
use test_support::{skip, tool};

use super::{Pairs, VALUES, assert_refused, pairs, read, servers, shell_at, values_of, written};

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
    for shell in ["sh", "bash", "dash", "zsh"] {
        let Some(program) = shell_at(shell) else {
            continue;
        };
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let path = path.to_str().unwrap();
        let found = values_of(&program, &["-c", &script, "x", path], &file);
        assert!(found == values(&all), "{shell}");
        let mut sorted = all.clone();
        let mut exports = "export -p".to_owned();
        if shell == "zsh" {
            sorted.retain(|(_, value)| !has_escapes_of_zsh(value));
            assert!(sorted.len() > 35);
            // Its `export -p` shows some of its own variables with options: `export -i10 SHLVL=1`.
            let names = sorted.iter().map(|(name, _)| name.as_str());
            exports = format!("typeset -p {}", names.collect::<Vec<_>>().join(" "));
        }
        sorted.sort();
        let file = written(&sorted, Format::Shell);
        let script = format!("cat > \"$1\"; . \"$1\"; {exports}; printf '\\0'");
        let printed = values_of(&program, &["-c", &script, "x", path], &file);
        let mut again = read(&printed[0], Format::Shell).unwrap();
        again.retain(|(name, _)| sorted.iter().any(|(it, _)| it == name));
        again.sort();
        assert!(again == sorted, "{shell}");
    }
}

/// Whether zsh shows a value with escapes that no other shell has, `\C-M` for a carriage return and
/// `\M-\C-E` for U+0085. Zsh itself takes the second for another value, the byte 0x85.
fn has_escapes_of_zsh(value: &[u8]) -> bool {
    let text = str::from_utf8(value).unwrap();
    text.chars()
        .any(|it| it.is_control() && !matches!(it, '\t' | '\n'))
}

#[test]
fn escapes_that_only_zsh_has_are_refused() {
    let escape = "no escape of bash follows this backslash";
    for text in ["$'\\C-A'", "$'\\M-\\C-E'"] {
        let said = format!("line 1, column 12 (A): {escape}");
        assert_refused(Format::Shell, format!("export A={text}").as_bytes(), &said);
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

#[test]
fn the_npm_package_dotenv_reads_the_same_values() {
    let Some(place) = servers() else {
        return skip("servers", "MCPLEXER_TEST_SERVERS names no directory");
    };
    let Some(node) = tool("node") else { return };
    let (all, file) = texts(Format::Dotenv);
    assert!(all.len() > 30);
    let script = "for (const v of Object.values(require(process.argv[1]).parse(require('fs').readFileSync(0)))) process.stdout.write(v + '\\0')";
    let package = place.join("node_modules/dotenv");
    let found = values_of(&node, &["-e", script, package.to_str().unwrap()], &file);
    assert!(found == values(&all));
}
