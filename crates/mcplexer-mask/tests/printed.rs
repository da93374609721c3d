//! What real tools print of a value: of the value itself, nothing must be left.

#![cfg(test)]

use std::io::Write;
use std::process::{Command, Stdio};

use mcplexer_mask::{Known, Masker};
use test_support::tool;

fn mask(value: &[u8], printed: &[u8], chunk: usize) -> Vec<u8> {
    let mut masker = Masker::new([Known {
        label: "s/K".to_owned(),
        value,
    }]);
    let mut shown = Vec::new();
    for bytes in printed.chunks(chunk) {
        masker.feed(bytes, &mut shown);
    }
    masker.flush(&mut shown);
    shown
}

/// Runs a command with a value as its input.
fn printed(command: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(command[0]);
    child.args(&command[1..]).env("LC_ALL", "C");
    let child = child.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = child.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}");
    output.stdout
}

/// Values of even and odd length, longer than a line, and with bytes that are not ASCII.
const VALUES: [&str; 4] = [
    "ghp_abc123XYZ0",
    "sk-proj-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789_abcdefghijklmnopqrstuv",
    "pä§ßw0rd-Zürich-\u{1}x",
    "correct horse battery staple 4711",
];

/// Asserts what is left of what a command prints.
#[track_caller]
fn assert_masked(command: &[&str], expected: impl Fn(&str) -> bool) {
    if tool(command[0]).is_none() {
        return;
    }
    for value in VALUES {
        let text = printed(command, value.as_bytes());
        for chunk in [1, 7, text.len()] {
            let shown = mask(value.as_bytes(), &text, chunk);
            let shown = String::from_utf8(shown).unwrap();
            let (command, text) = (command.join(" "), String::from_utf8_lossy(&text));
            assert!(expected(&shown), "{command} in {chunk}: {shown} of {text}");
        }
    }
}

fn is(expected: &'static str) -> impl Fn(&str) -> bool {
    move |shown| shown.trim_end() == expected
}

#[test]
fn lists_of_bytes_in_decimal_are_masked() {
    let python = "import sys; print(list(sys.stdin.buffer.read()))";
    assert_masked(&["python3", "-c", python], is("[[s/K]]"));
    let indented = "import sys, json; print(json.dumps(list(sys.stdin.buffer.read()), indent=2))";
    assert_masked(&["python3", "-c", indented], is("[\n  [s/K]\n]"));
    let buffer = "process.stdin.on('data', it => console.log(JSON.stringify(it)))";
    let shown = r#"{"type":"Buffer","data":[[s/K]]}"#;
    assert_masked(&["node", "-e", buffer], is(shown));
    let pretty = "process.stdin.on('data', it => console.log(JSON.stringify([...it], null, 1)))";
    assert_masked(&["node", "-e", pretty], is("[\n [s/K]\n]"));
    let array = "process.stdin.on('data', it => console.log(new Uint8Array(it)))";
    let is_array =
        |it: &str| it.starts_with("Uint8Array(") && it.contains("[s/K]") && !it.contains(',');
    assert_masked(&["node", "-e", array], is_array);
    assert_masked(&["od", "-An", "-tu1", "-v"], |it| it.trim() == "[s/K]");
    assert_masked(&["od", "-tu1", "-v"], |it| {
        it.split_whitespace().count() == 3
    });
    // Go: `fmt.Println([]byte(…))`
    let go = "[103 104 112 95 97 98 99 49 50 51 88 89 90 48]\n";
    assert_eq!(mask(VALUES[0].as_bytes(), go.as_bytes(), 3), b"[[s/K]]\n");
}

#[test]
fn words_of_two_bytes_are_masked() {
    for command in [
        &["od"][..],
        &["od", "-v", "-x"],
        &["od", "-An"],
        &["hexdump"],
        &["hexdump", "-v"],
    ] {
        assert_masked(command, |it| {
            let offsets = it.split_whitespace().filter(|word| *word != "[s/K]");
            it.contains("[s/K]") && offsets.count() <= 2
        });
    }
}

#[test]
fn base32_of_either_case_is_masked() {
    assert_masked(&["base32"], is("[s/K]"));
    assert_masked(&["base32", "-w0"], is("[s/K]"));
    assert_masked(&["base32", "-w20"], is("[s/K]"));
    let lower = "import sys, base64; print(base64.b32encode(sys.stdin.buffer.read()).decode().lower().rstrip('='))";
    assert_masked(&["python3", "-c", lower], is("[s/K]"));
}

#[test]
fn what_cat_prints_of_hidden_bytes_is_masked() {
    assert_masked(&["cat", "-v"], is("[s/K]"));
    assert_masked(&["cat", "-A"], is("[s/K]"));
    assert_masked(&["sed", "-n", "l200"], |it| it.starts_with("[s/K]"));
}

#[test]
fn names_of_characters_are_masked() {
    let html4 = "import sys, html.entities as e
for c in sys.stdin.buffer.read().decode():
    print('&%s;' % e.codepoint2name[ord(c)] if ord(c) in e.codepoint2name else c, end='')";
    assert_masked(&["python3", "-c", html4], is("[s/K]"));
    for (value, printed) in [
        ("pä§ßw0rd-Zürich", "p&auml;&sect;&szlig;w0rd-Z&uuml;rich"),
        ("éàx&ø€", "&eacute;&agrave;x&amp;&oslash;&euro;"),
        ("#1$a_b=c@d", "&num;1&dollar;a&lowbar;b&equals;c&commat;d"),
        ("a[b]{c}", "a&lbrack;b&rsqb;&lcub;c&rbrace;"),
    ] {
        for chunk in [1, 4, 100] {
            let text = format!("<p>{printed}</p> &auml; &nosuch; &copy");
            let shown = mask(value.as_bytes(), text.as_bytes(), chunk);
            let shown = String::from_utf8(shown).unwrap();
            assert_eq!(shown, "<p>[s/K]</p> &auml; &nosuch; &copy");
        }
    }
}

#[test]
fn utf16_of_either_order_is_masked() {
    for value in VALUES.iter().chain(&["key-🔑-of-Zoë"]) {
        let text = format!("K={value}\r\nnext");
        let expected = "K=[s/K]\r\nnext";
        let encode = |text: &str, encode: fn(u16) -> [u8; 2]| {
            text.encode_utf16().flat_map(encode).collect::<Vec<u8>>()
        };
        for order in [u16::to_le_bytes, u16::to_be_bytes] {
            for chunk in [1, 2, 5, 1000] {
                let shown = mask(value.as_bytes(), &encode(&text, order), chunk);
                assert_eq!(shown, encode(expected, order), "{value} in {chunk}");
            }
        }
    }
}

/// Groups of two bytes with colons, as addresses of IPv6 have them, and lists in hex.
#[test]
fn hex_in_groups_is_masked() {
    let value = VALUES[0].as_bytes();
    for (text, expected) in [
        ("6768:705f:6162:6331:3233:5859:5a30\n", "[s/K]\n"),
        (
            "[]byte{0x67, 0x68, 0x70, 0x5f, 0x61, 0x62, 0x63, 0x31, 0x32, 0x33, 0x58, 0x59, 0x5a, 0x30}",
            "[]byte{0x[s/K]}",
        ),
        (
            "0x67,0x68,0x70,0x5f,0x61,0x62,0x63,0x31,0x32,0x33,0x58,0x59,0x5a,0x30",
            "0x[s/K]",
        ),
        (
            "0x67 0x68 0x70 0x5f 0x61 0x62 0x63 0x31 0x32 0x33 0x58 0x59 0x5a 0x30",
            "0x[s/K]",
        ),
    ] {
        for chunk in [1, 7, 1000] {
            let shown = mask(value, text.as_bytes(), chunk);
            assert_eq!(String::from_utf8(shown).unwrap(), expected);
        }
    }
}

/// Numbers of which not all are those of a value.
#[test]
fn other_numbers_stay() {
    for text in [
        "103, 104, 112, 95, 97, 98, 99, 49, 50, 51, 88, 89, 90, 49",
        "103 104 112\n95 97 98 1030 7",
        "0000000 064147 057560 061141\n",
        "0000000 6867 5f70 6261 3163 3332 5958 315a\n",
        "M5UHAX3BMJRTCMRTLBMVUMI",
        "M-CM-$ ^C ^",
        "&ampere; &; &#; R&D; a&b",
    ] {
        for chunk in [1, 7, 1000] {
            let shown = mask(VALUES[0].as_bytes(), text.as_bytes(), chunk);
            assert_eq!(String::from_utf8(shown).unwrap(), text);
        }
    }
}
