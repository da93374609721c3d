//! What is read from scripts is what shells make of them, and the rest is refused.

use mcplexer_files::exchange::Format;
use test_support::find;

use super::{assert_read, assert_refused, read, shell_at, values_of};

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
            // The test below reports a shell that is missing.
            let Some(program) = find(shell) else { continue };
            let found = values_of(&program, &["-c", script, "x", path], b"");
            assert_eq!(
                String::from_utf8_lossy(&found[0]),
                value,
                "{shell}: {text:?}"
            );
        }
    }
    let escapes = r#"A=$'\a\b\e\E\f\n\r\t\v\\\'\"\?\101\x41\u00e9\U0001F600'"#;
    let value = "\u{7}\u{8}\u{1b}\u{1b}\u{c}\n\r\t\u{b}\\'\"?AAé😀";
    assert_read(Format::Shell, escapes, &[("A", value)]);
    let script = format!("{escapes}; printf '%s\\0' \"$A\"");
    if let Some(bash) = find("bash") {
        let found = values_of(&bash, &["-c", &script], b"");
        assert_eq!(found[0], value.as_bytes());
    }
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
        let Some(program) = shell_at(shell) else {
            continue;
        };
        let found = values_of(&program, &["-c", print, "x", place], b"");
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
