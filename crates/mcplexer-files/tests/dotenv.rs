//! `.env` files are read as the npm package `dotenv` reads them.
//!
//! `.ci/servers DIR` installs the package, and `MCPLEXER_TEST_SERVERS` names that directory. The cases that
//! are written out here are tested without it as well.

#![cfg(test)]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mcplexer_files::dotenv;
use serde::Deserialize;
use test_support::{Running, skip, tool};

type Variables = BTreeMap<String, String>;
type Pairs = [(&'static str, &'static str)];

/// Reads a file, and returns the last value of each name; `None` if the file is an error.
fn ours(text: &str) -> Option<Variables> {
    let variables = dotenv::parse(text.as_bytes()).ok()?;
    let variables = variables.into_iter().map(|it| {
        let value = String::from_utf8(it.value().to_vec()).unwrap();
        (it.name, value)
    });
    Some(variables.collect())
}

/// Files with one variable, `A`, and its value.
const ONE: [(&str, &str); 104] = [
    ("A=b", "b"),
    ("A=b\n", "b"),
    ("A=b\r\n", "b"),
    ("A=b\r", "b"),
    ("\nA=b", "b"),
    ("  A=b", "b"),
    ("\tA=b", "b"),
    ("A =b", "b"),
    ("A= b", "b"),
    ("A = b ", "b"),
    ("A\t=\tb\t", "b"),
    ("A: b", "b"),
    ("A:\tb", "b"),
    ("A:  b ", "b"),
    ("A: 'b'", "b"),
    ("A:\nb", "b"),
    ("A: =b", "=b"),
    ("A: b: c", "b: c"),
    ("A=:b", ":b"),
    ("export A=b", "b"),
    ("  export   A = b c  ", "b c"),
    ("export\tA=b", "b"),
    ("export\nA=b", "b"),
    ("export A: b", "b"),
    ("A=", ""),
    ("A= ", ""),
    ("A=\n", ""),
    ("A=\n\n\n", ""),
    ("A=''", ""),
    ("A=\"\"", ""),
    ("A=``", ""),
    ("A='", "'"),
    ("A=\"", "\""),
    ("A= ' ", "'"),
    ("A=#", ""),
    ("A= # b", ""),
    ("A=#b", ""),
    ("A=b # c", "b"),
    ("A=b#c", "b"),
    ("A=b #", "b"),
    ("A='b'#c", "b"),
    ("A='b' # c", "b"),
    ("A = 'b' # c", "b"),
    ("A='b # c' # d", "b # c"),
    ("A=\"b # c\"#d", "b # c"),
    ("A='b # c", "'b"),
    ("A=\"b#c", "\"b"),
    ("A=`b # c`", "b # c"),
    ("A='b' # it's", "b"),
    ("A=b # 'c'", "b"),
    ("A='b' c # 'd'", "'b' c"),
    ("A='b' c # d", "'b' c"),
    ("A='b", "'b"),
    ("A=b'", "b'"),
    ("A='b'c", "'b'c"),
    ("A='b' 'c'", "b' 'c"),
    ("A='b''c'", "b''c"),
    ("A='b'c'", "b'c"),
    ("A=\"b\" c", "\"b\" c"),
    ("A=b\"c\"", "b\"c\""),
    ("A='b\"", "'b\""),
    ("A=\"b'", "\"b'"),
    ("A=`it's \"b\"`", "it's \"b\""),
    ("A=\"it's\"", "it's"),
    ("A='say \"b\"'", "say \"b\""),
    ("A=' b '", " b "),
    ("A=  ' b '  ", " b "),
    ("A=\t\"\tb\t\"\t", "\tb\t"),
    ("A=\n'b'", "b"),
    ("A=\n\n  \"b\"  ", "b"),
    ("A='b\nc'", "b\nc"),
    ("A='b\r\nc'", "b\nc"),
    ("A='b\rc'", "b\nc"),
    ("A=\"b\r\nc\n\"", "b\nc\n"),
    ("A=`b\n\n# c\n`", "b\n\n# c\n"),
    ("A='\n'", "\n"),
    ("A='b\nB=c'", "b\nB=c"),
    ("A='b\\nc'", "b\\nc"),
    ("A=`b\\nc`", "b\\nc"),
    ("A=b\\nc", "b\\nc"),
    ("A=\"b\\nc\\r\"", "b\nc\r"),
    ("A=\"b\\tc\"", "b\\tc"),
    ("A=\"b\\\\nc\"", "b\\\nc"),
    ("A=\"b\\nc", "\"b\nc"),
    ("A=\"b\\n\" c", "\"b\n\" c"),
    ("A='b\\'c'", "b\\'c"),
    ("A=\"b\\\"c\"", "b\\\"c"),
    ("A='b\\'", "b\\"),
    ("A='b\\\\'", "b\\\\"),
    ("A='b\\' c", "'b\\' c"),
    ("A='b\\' # c", "b\\"),
    ("A=b\\", "b\\"),
    ("A=pa$$w0rd${HOME}", "pa$$w0rd${HOME}"),
    ("A=\"$B ${C}\"", "$B ${C}"),
    ("A={\"b\": \"c\"}", "{\"b\": \"c\"}"),
    ("A=b=c=", "b=c="),
    ("A=ü€😀", "ü€😀"),
    ("A=\u{a0}b\u{3000}", "b"),
    ("A=b\u{85}", "b\u{85}"),
    ("\u{feff}A=b", "b"),
    ("A=b\u{2028}c", "b\u{2028}c"),
    ("A='b'\u{2028}# c", "b"),
    ("# x\u{2028}A=b", "b"),
    ("# x\n\nA=b # y\n#", "b"),
];

/// Files with other names, several variables or none; `None` is an error.
const FILES: [(&str, Option<&Pairs>); 33] = [
    ("", Some(&[])),
    ("\n \t\r\n", Some(&[])),
    ("# A=b", Some(&[])),
    ("  # A='b\n#'", Some(&[])),
    ("A=1\nB=2", Some(&[("A", "1"), ("B", "2")])),
    ("A=1\r\n\r\nB=2\r\n", Some(&[("A", "1"), ("B", "2")])),
    ("A=\nB=2", Some(&[("A", ""), ("B", "2")])),
    ("A=1\nA=2", Some(&[("A", "2")])),
    ("A=1\nA=", Some(&[("A", "")])),
    (
        "A='1\n2'\nB=\"3\n4\" # 5\nC=6",
        Some(&[("A", "1\n2"), ("B", "3\n4"), ("C", "6")]),
    ),
    ("A='1\nB='2'", Some(&[("A", "'1"), ("B", "2")])),
    (
        "A=1\nB='2\nC=3",
        Some(&[("A", "1"), ("B", "'2"), ("C", "3")]),
    ),
    ("A='1\\'\nB='2'", Some(&[("A", "1\\"), ("B", "2")])),
    ("A='1\\'\nB='\n2", None),
    ("export=b", Some(&[("export", "b")])),
    ("export = b", Some(&[("export", "b")])),
    ("export export=b", Some(&[("export", "b")])),
    ("exportA=b", Some(&[("exportA", "b")])),
    ("A.b-c_1=d", Some(&[("A.b-c_1", "d")])),
    ("1=b", Some(&[("1", "b")])),
    ("-=b", Some(&[("-", "b")])),
    ("A\n=b", Some(&[("A", "b")])),
    ("A", None),
    ("=b", None),
    ("A b=c", None),
    ("A:b", None),
    ("A : b", None),
    ("export A", None),
    ("export export A=b", None),
    ("Ä=b", None),
    ("A[0]=b", None),
    ("A=b\nghp_abc123\nB=c", None),
    ("'A'=b", None),
];

fn handwritten() -> Vec<(&'static str, Option<Variables>)> {
    let owned = |pairs: &Pairs| -> Variables {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let one = ONE
        .iter()
        .map(|(text, value)| (*text, Some(owned(&[("A", value)]))));
    let files = FILES
        .iter()
        .map(|(text, variables)| (*text, variables.map(owned)));
    one.chain(files).collect()
}

#[test]
fn the_cases_are_read_as_the_package_does() {
    let cases = handwritten().into_iter();
    let wrong = cases.filter(|(text, expected)| ours(text) != *expected);
    let wrong: Vec<_> = wrong
        .map(|(text, expected)| (text, ours(text), expected))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Makes files from pieces that matter, with a fixed seed.
fn mixed(count: usize) -> Vec<String> {
    const PIECES: [&str; 40] = [
        "A", "B", "A=", "B=", "C.d-e=", "A: ", "export ", "export", "=", ":", " ", "  ", "\t",
        "\n", "\n", "\r\n", "\r", "'", "'", "\"", "\"", "`", "`", "#", " # ", "\\", "\\n", "\\r",
        "\\'", "\\\"", "b", "c d", "$X", "{", "ü", "😀", "\u{a0}", "\u{2028}", "\u{feff}",
        "\n# x\n",
    ];
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut next = |below: usize| {
        // Marsaglia's xorshift64.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let files = (0..count).map(|at| {
        let begin = if at % 3 == 0 { "" } else { "A=" };
        let length = 1 + next(16);
        let pieces = (0..length).map(|_| PIECES[next(PIECES.len())]);
        std::iter::once(begin).chain(pieces).collect()
    });
    files.collect()
}

/// What the package reads from a file.
#[derive(Deserialize)]
struct Theirs {
    variables: Variables,
    /// Whether the package ignores something that is neither blank nor a comment.
    remains: bool,
}

/// Removes everything that the package's own expression matches: the package ignores the rest.
const SCRIPT: &str = r#"
const fs = require('fs');
const dotenv = require(process.argv[1]);
const LINE = /(?:^|^)\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?(?:$|$)/mg;
if (!fs.readFileSync(require.resolve(process.argv[1]), 'utf8').includes(LINE.source)) {
  throw new Error('the package has another expression');
}
const blank = /^\s*(?:#.*)?$/;
const cases = JSON.parse(fs.readFileSync(0, 'utf8'));
console.log(JSON.stringify(cases.map((text) => ({
  variables: dotenv.parse(text),
  remains: text.replace(/\r\n?/g, '\n').replace(LINE, '').split(/[\n\u2028\u2029]/).some((line) => !blank.test(line)),
}))));
"#;

fn theirs(node: &Path, place: &str, cases: &[String]) -> Vec<Theirs> {
    let mut node = Command::new(node);
    let node = node.args(["-e", SCRIPT, place]).stdin(Stdio::piped());
    let mut node = Running::start(node.stdout(Stdio::piped())).unwrap();
    let json = serde_json::to_vec(cases).unwrap();
    node.stdin.take().unwrap().write_all(&json).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_package_agrees_on_every_case() {
    let Some(place) = std::env::var_os("MCPLEXER_TEST_SERVERS").map(PathBuf::from) else {
        return skip("servers", "MCPLEXER_TEST_SERVERS names no directory");
    };
    let Some(node) = tool("node") else { return };
    let place = place.join("node_modules/dotenv");
    let mut cases: Vec<String> = handwritten()
        .iter()
        .map(|(text, _)| (*text).to_owned())
        .collect();
    cases.extend(mixed(1000));
    let theirs = theirs(&node, place.to_str().unwrap(), &cases);
    assert_eq!(theirs.len(), cases.len());
    let mut errors = 0;
    for (text, theirs) in cases.iter().zip(theirs) {
        match ours(text) {
            Some(variables) => {
                assert_eq!(variables, theirs.variables, "{text:?}");
                assert!(!theirs.remains, "{text:?} is no error");
            }
            None => {
                assert!(theirs.remains, "{text:?} is an error");
                errors += 1;
            }
        }
    }
    // The generator makes enough of both kinds.
    assert!((200..900).contains(&errors), "{errors} errors");
}
