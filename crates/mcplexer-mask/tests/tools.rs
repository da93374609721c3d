//! What other programs print of a value, of which nothing must be left.

#![cfg(test)]

use mcplexer_mask::{Known, Masker, Scanner};

fn known(value: &str) -> [Known<'_>; 1] {
    [Known {
        label: "s/K".to_owned(),
        value: value.as_bytes(),
    }]
}

#[track_caller]
fn assert_masks(value: &str, printed: &str, expected: &str) {
    for chunk in [1, 5, 1000] {
        let mut masker = Masker::new(known(value));
        let mut shown = Vec::new();
        for bytes in printed.as_bytes().chunks(chunk) {
            masker.feed(bytes, &mut shown);
        }
        masker.flush(&mut shown);
        assert_eq!(String::from_utf8(shown).unwrap(), expected, "of {printed}");
    }
}

#[track_caller]
fn assert_masks_and_finds(value: &str, printed: &str, expected: &str) {
    assert_masks(value, printed, expected);
    let found = Scanner::new(known(value)).scan(printed.as_bytes()).unwrap();
    assert_eq!(found.len(), 1, "scan of {printed}");
}

/// The text beside the hex shows the value once more.
#[test]
fn dumps_are_masked_with_their_text() {
    let value = "ghp_abc123 be f\nmore stuff here";
    for (printed, expected) in [
        // od -tx1
        (
            "0000000 67 68 70 5f 61 62 63 31 32 33 20 62 65 20 66 0a\n0000020 6d 6f 72 65 20 73 74 75 66 66 20 68 65 72 65\n0000037\n",
            "0000000 [s/K]\n0000037\n",
        ),
        // od -An -tx1
        (
            " 67 68 70 5f 61 62 63 31 32 33 20 62 65 20 66 0a\n 6d 6f 72 65 20 73 74 75 66 66 20 68 65 72 65\n",
            " [s/K]\n",
        ),
        // od -Ax -tx1z
        (
            "000000 67 68 70 5f 61 62 63 31 32 33 20 62 65 20 66 0a  >ghp_abc123 be f.<\n000010 6d 6f 72 65 20 73 74 75 66 66 20 68 65 72 65     >more stuff here<\n00001f\n",
            "000000 [s/K]\n00001f\n",
        ),
        // xxd
        (
            "00000000: 6768 705f 6162 6331 3233 2062 6520 660a  ghp_abc123 be f.\n00000010: 6d6f 7265 2073 7475 6666 2068 6572 65    more stuff here\n",
            "00000000: [s/K]\n",
        ),
        // xxd -g1 of `x` and the value
        (
            "00000000: 78 67 68 70 5f 61 62 63 31 32 33 20 62 65 20 66  xghp_abc123 be f\n00000010: 0a 6d 6f 72 65 20 73 74 75 66 66 20 68 65 72 65  .more stuff here\n",
            "00000000: 78 [s/K]\n",
        ),
        // hexdump -C of the value and `!!`
        (
            "00000000  67 68 70 5f 61 62 63 31  32 33 20 62 65 20 66 0a  |ghp_abc123 be f.|\n00000010  6d 6f 72 65 20 73 74 75  66 66 20 68 65 72 65 21  |more stuff here!|\n00000020  21 0a  |!.|\n",
            "00000000  [s/K]\n00000020  21 0a  |!.|\n",
        ),
        // openssl
        (
            "pub:\n    67:68:70:5f:61:62:63:31:32:33:20:62:65:20:66:\n    0a:6d:6f:72:65:20:73:74:75:66:66:20:68:65:72:\n    65\nASN1\n",
            "pub:\n    [s/K]\nASN1\n",
        ),
        // node
        (
            "<Buffer 67 68 70 5f 61 62 63 31 32 33 20 62 65 20 66 0a 6d 6f 72 65 20 73 74 75 66 66 20 68 65 72 65>\n",
            "<Buffer [s/K]>\n",
        ),
        // The answer of a tool server
        (
            r#"{"text":"00000000: 6768 705f 6162 6331 3233 2062 6520 660a  ghp_abc123 be f.\n00000010: 6d6f 7265 2073 7475 6666 2068 6572 65    more stuff here\n"}"#,
            r#"{"text":"00000000: [s/K]\n"}"#,
        ),
    ] {
        assert_masks_and_finds(value, printed, expected);
    }
    // xxd -i
    assert_masks(
        value,
        "  0x67, 0x68, 0x70, 0x5f, 0x61, 0x62, 0x63, 0x31, 0x32, 0x33, 0x20, 0x62,\n  0x65, 0x20, 0x66, 0x0a, 0x6d, 0x6f, 0x72, 0x65, 0x20, 0x73, 0x74, 0x75,\n  0x66, 0x66, 0x20, 0x68, 0x65, 0x72, 0x65\n",
        "  0x[s/K]\n",
    );
}

/// The text beside the hex may begin like hex.
#[test]
fn a_text_that_looks_like_hex_is_no_hex() {
    assert_masks(
        "be happy, don't worry",
        "00000000: 6265 2068 6170 7079 2c20 646f 6e27 7420  be happy, don't \n00000010: 776f 7272 79                             worry\n",
        "00000000: [s/K]\n",
    );
    // The line ends within the line ends of the value.
    assert_masks(
        "a0 of a value z\r\n",
        "00000000: 61 30 20 6f 66 20 61 20 76 61 6c 75 65 20 7a 0d  a0 of a value z.\n00000010: 0a                                               .\n",
        "00000000: [s/K]\n",
    );
}

/// Node shows the first 50 bytes of a buffer.
#[test]
fn a_buffer_that_is_cut_is_masked() {
    let value = "0123456789".repeat(6);
    let bytes: Vec<_> = value
        .bytes()
        .take(50)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let printed = format!("<Buffer {} ... 10 more bytes>", bytes.join(" "));
    assert_masks(&value, &printed, "<Buffer [s/K]>");
}

/// Not every number in groups is a value.
#[test]
fn other_hex_stays() {
    let value = "ghp_abc123";
    for printed in [
        "2026-11-24 15:09:09 67:68:70\n",
        "00000000: 6768 705f 6162 6331 3234            ghp_abc124\n",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8\n",
        "<Buffer 67 68 ... 9 more bytes>\n",
    ] {
        assert_masks(value, printed, printed);
    }
}

#[test]
fn escapes_of_languages_are_masked() {
    let value = "pä's<w>\"&\r\u{1f511}x";
    for (printed, expected) in [
        // export -p of zsh in the C locale
        (
            r#"export V=$'p\M-C\M-$\'s<w>"&\C-M\M-p\M-\C-_\M-\C-T\M-\C-Qx'"#,
            "export V=$'[s/K]'",
        ),
        // Python
        (r#"'pä\'s<w>"&\r🔑x'"#, "'[s/K]'"),
        (r#"b'p\xc3\xa4\'s<w>"&\r\xf0\x9f\x94\x91x'"#, "b'[s/K]'"),
        (r#""p\xe4's<w>\"&\r\U0001f511x""#, "\"[s/K]\""),
        // Rust, JavaScript
        (r#""p\u{e4}\u{27}s<w>\"&\r\u{1f511}x""#, "\"[s/K]\""),
        (r#""p\u00e4's\x3cw\x3e\"&\r\ud83d\udd11x""#, "\"[s/K]\""),
        // HTML, XML
        ("p&#228;&#39;s&lt;w&gt;&quot;&amp;&#13;&#x1f511;x", "[s/K]"),
        (
            "<a>p\u{e4}&apos;s&lt;w&gt;\"&amp;&#xD;\u{1f511}x</a>",
            "<a>[s/K]</a>",
        ),
        // A URL in the query of another
        (
            "?next=%2F%3Fk%3Dp%25C3%25A4%2527s%253Cw%253E%2522%2526%250D%25F0%259F%2594%2591x",
            "?next=%2F%3Fk%3D[s/K]",
        ),
    ] {
        assert_masks_and_finds(value, printed, expected);
    }
    assert_masks_and_finds("it's a \"pw\" 1", "pw: 'it''s a \"pw\" 1'", "pw: '[s/K]'");
    assert_masks_and_finds(
        "it's a \"pw\" 1",
        "x,\"it's a \"\"pw\"\" 1\",y",
        "x,\"[s/K]\",y",
    );
}
