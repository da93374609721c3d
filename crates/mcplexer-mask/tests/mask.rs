//! The masker replaces every form of a value. All other bytes pass unchanged and in order.

#![cfg(test)]

#[path = "mask/forms.rs"]
mod forms;

use forms::{FILE_FORMS, FORMS, known, piece, values};
use mcplexer_mask::{Known, Masker};
use proptest::collection::vec;
use proptest::prelude::*;

fn masker(values: &[&str]) -> Masker {
    let values: Vec<_> = values
        .iter()
        .map(|value| value.as_bytes().to_vec())
        .collect();
    Masker::new(known(&values))
}

/// Masks a stream that comes in chunks of these lengths, repeated.
fn mask(mut masker: Masker, stream: &[u8], chunks: &[usize]) -> Vec<u8> {
    let mut shown = Vec::new();
    let mut rest = stream;
    for &length in chunks.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, after) = rest.split_at(length.clamp(1, rest.len()));
        masker.feed(chunk, &mut shown);
        rest = after;
    }
    masker.flush(&mut shown);
    assert!(!masker.holds());
    shown
}

#[track_caller]
fn assert_masks(values: &[&str], stream: &str, expected: &str) {
    for chunk in [1, 2, 3, 7, stream.len()] {
        let shown = mask(masker(values), stream.as_bytes(), &[chunk]);
        assert_eq!(
            String::from_utf8_lossy(&shown),
            expected,
            "chunks of {chunk}"
        );
    }
}

/// What a dump shows as text may look like the end of a line, and a string may end where the last line of a dump does.
#[test]
fn the_text_beside_a_dump_is_masked_with_it() {
    let value = "d\\\"%0\\a  +A +aa\\ \\aAA\\\\//0a/\"0A \\n\"0\"/\"aaz\r\n";
    let dump = "000000 64 5c 22 25 30 5c 61 20 20 2b 41 20 2b 61 61 5c  >d\\\"%0\\a  +A +aa\\<\n000010 20 5c 61 41 41 5c 5c 2f 2f 30 61 2f 22 30 41 20  > \\aAA\\\\//0a/\"0A <\n000020 5c 6e 22 30 22 2f 22 61 61 7a 0d 0a              >\\n\"0\"/\"aaz..<\n";
    assert_masks(&[value], dump, "000000 [s/K0]\n");
    let value = "ghp_0123456789abcdef";
    for after in ["", ", ", "}\nmore\n", ",\"x\":\"\\n\"}\n"] {
        let stream = "{\"d\":\"00000000  67 68 70 5f 30 31 32 33  34 35 36 37 38 39 61 62  |ghp_0123456789ab|\\n00000010  63 64 65 66                                       |cdef|\\n\"";
        let dump = format!("{stream}{after}");
        assert_masks(
            &[value],
            &dump,
            &format!("{{\"d\":\"00000000  [s/K0]\\n\"{after}"),
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 400 } else { 20_000 }))]

    /// F42: every form of every value is masked, however the stream is cut into chunks.
    #[test]
    fn every_form_is_masked_and_nothing_else_changes(
        values in values(),
        pieces in vec((0..FORMS, any::<prop::sample::Index>(), any::<u64>(), "[ .,;:!?()<>\t\nü]{1,12}"), 1..12),
        chunks in vec(1..40_usize, 1..6),
    ) {
        let (mut stream, mut expected) = (Vec::new(), Vec::new());
        for (form, which, seed, noise) in pieces {
            let at = which.index(values.len());
            let (encoded, shown) = piece(form, &values[at], &format!("[s/K{at}]"), seed);
            stream.extend(encoded);
            expected.extend(shown);
            stream.extend(noise.bytes());
            expected.extend(noise.bytes());
        }
        let shown = mask(Masker::new(known(&values)), &stream, &chunks);
        prop_assert_eq!(
            String::from_utf8_lossy(&shown).into_owned(),
            String::from_utf8_lossy(&expected).into_owned(),
            "of {:?}", String::from_utf8_lossy(&stream)
        );
        prop_assert!(shown == expected);
    }

    /// Values that overlap, begin alike and repeat themselves, compared with a search at every position.
    #[test]
    fn overlapping_values_are_covered_to_the_last_byte(
        values in vec("[.,]{4,9}", 1..6),
        stream in "[.,;]{0,120}",
        chunks in vec(1..20_usize, 1..6),
    ) {
        let bytes: Vec<_> = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        let shown = mask(Masker::new(known(&bytes)), stream.as_bytes(), &chunks);
        prop_assert_eq!(String::from_utf8(shown).unwrap(), by_search(&values, &stream));
    }

    /// A stream without values passes unchanged, whenever it is flushed.
    #[test]
    fn a_stream_without_values_is_unchanged(
        stream in vec(any::<u8>(), 0..400),
        chunks in vec(1..40_usize, 1..6),
    ) {
        let mut masker = masker(&["correct horse battery staple", "ghp_abcdefghijklmnop"]);
        let mut shown = Vec::new();
        for (at, chunk) in stream.chunks(chunks[0]).enumerate() {
            masker.feed(chunk, &mut shown);
            if at % 2 == 0 {
                masker.flush(&mut shown);
            }
        }
        masker.flush(&mut shown);
        prop_assert!(shown == stream);
    }
}

/// What programs print to a terminal, and shells as their variables.
#[test]
fn a_value_is_masked_as_terminals_and_shells_show_it() {
    let values = [b"it's $ecret: 5\\6".to_vec()];
    for form in FILE_FORMS..FORMS {
        for seed in 0..200 {
            let (encoded, expected) = piece(form, &values[0], "[s/K0]", seed);
            let shown = mask(Masker::new(known(&values)), &encoded, &[3]);
            let text = String::from_utf8_lossy(&encoded);
            assert!(shown == expected, "form {form}: {text:?}");
        }
    }
}

/// F42: less and vim break a line at the edge of the window, and grep colours what it has found.
#[test]
fn a_value_across_the_edge_of_a_window_is_masked() {
    let value = "ghp_abc123XYZ";
    for (stream, expected) in [
        ("0ghp_a \x08bc123XYZ.", "0[s/K0]."),
        ("0ghp_a\x1b[m \x08bc123XYZ.", "0[s/K0]\x1b[m."),
        ("0ghp_aa\x1b[2;1Hbc123XYZ.", "0[s/K0]\x1b[2;1H."),
        (
            "\x1b[01;31m\x1b[Kghp_\x1b[m\x1b[Kabc123XYZ",
            "\x1b[01;31m\x1b[K[s/K0]\x1b[m\x1b[K",
        ),
    ] {
        assert_masks(&[value], stream, expected);
    }
}

/// Control sequences that are part of the value do not pass.
#[test]
fn controls_of_a_value_are_masked_with_it() {
    for value in [
        "first\nred \x1b[31mSECRET\x1b[0m rest\nlast",
        "first\x0eline\nlast-part",
        "\x1b]topsecret\x07abc\nlast-part",
    ] {
        assert_masks(&[value], value, "[s/K0]");
        assert_masks(&[value], &value.replace('\n', "\r\n"), "[s/K0]");
    }
}

/// A label never interrupts a control sequence, however late the rest of it comes.
#[test]
fn a_control_that_was_begun_is_completed() {
    for begun in ["\x1b", "\x1b[", "\x1b[3"] {
        let mut masker = masker(&["ghp_abc123"]);
        let mut shown = Vec::new();
        masker.feed(format!("x ghp_{begun}").as_bytes(), &mut shown);
        masker.flush(&mut shown);
        let rest = "\x1b[31m\x1b[1mabc123 end";
        masker.feed(rest.strip_prefix(begun).unwrap().as_bytes(), &mut shown);
        masker.flush(&mut shown);
        let shown = String::from_utf8(shown).unwrap();
        assert_eq!(shown, "x ghp_\x1b[31m[s/K0]\x1b[1m end");
    }
}

/// F42: what bash and dash print as their variables.
#[test]
fn values_in_quotes_of_shells_are_masked() {
    for (value, stream) in [
        ("it's\nmultiline1", r"K0=$'it\'s\nmultiline1'"),
        ("tab\there's x1", r"K0=$'tab\there\'s x1'"),
        ("a\x01b\x1bc'd", r"K0=$'a\001b\Ec\'d'"),
        ("abcdefg''hij", r#"K0='abcdefg'"''"'hij'"#),
        ("ab'cd'''ef", r#"K0='ab'"'"'cd'"'''"'ef'"#),
        ("it's-a-secret", r"K0='it'\''s-a-secret'"),
        ("pa$$\"w`ord", r#"K0="pa\$\$\"w\`ord""#),
    ] {
        let shown = mask(masker(&[value]), stream.as_bytes(), &[1]);
        let shown = String::from_utf8(shown).unwrap();
        let rest = shown.trim_start_matches(['K', '0', '=', '$', '\'', '"']);
        assert!(matches!(rest, "[s/K0]'" | "[s/K0]\""), "{shown}");
    }
}

/// However many control sequences follow the beginning of a value, it is not held back for long.
#[test]
fn a_value_is_not_waited_for_behind_endless_controls() {
    let mut masker = masker(&["correct horse"]);
    let mut shown = Vec::new();
    masker.feed(b"c", &mut shown);
    assert!(masker.holds());
    masker.feed(&b"\x1b[1!p".repeat(400), &mut shown);
    masker.feed(b"!", &mut shown);
    assert!(!masker.holds());
}

/// A value of several lines that is indented, joined or cut: the lines that reveal it are masked. Lines that
/// other texts contain as well are not.
#[test]
fn lines_of_a_value_are_masked_by_themselves() {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let last = "MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3supV";
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n{last}\n-----END PRIVATE KEY-----\n");
    let stream = format!("  {body}\r\n  {last}\n-----BEGIN PRIVATE KEY-----\nusage: {body} {last}");
    let expected = "  [s/K0]\r\n  [s/K0]\n-----BEGIN PRIVATE KEY-----\nusage: [s/K0] [s/K0]";
    assert_masks(&[&pem], &stream, expected);
    assert_masks(&[&pem], &pem, "[s/K0]\n");
    // Other texts contain rules and paths as well.
    let text =
        "title\n----------------------------------------\n/usr/share/doc/packages/something/readme";
    let stream = text.replacen("title", "=====", 1);
    assert_masks(&[text], &stream, &stream);
    let account = "{\n  \"type\": \"service_account\",\n  \"private_key_id\": \"0f4c7e9b2d6a8135c0e4f7a9b3d5e8f1a2c4b6d8\"\n}";
    assert_masks(
        &[account],
        "  \"type\": \"service_account\", 0f4c7e9b2d6a8135c0e4f7a9b3d5e8f1a2c4b6d8",
        "  \"type\": \"service_account\", [s/K0]",
    );
}

/// Masks values that are in the stream only as they are, by a search at every position. The longest value
/// at each position is covered, and gets a label unless it also covers the position before.
fn by_search(values: &[String], stream: &str) -> String {
    let mut shown = String::new();
    let mut covered = 0;
    let mut last = (0, "");
    for at in 0..stream.len() {
        let here = values
            .iter()
            .filter(|value| stream[at..].starts_with(value.as_str()));
        // Of equal values, the first one's name is shown.
        let longest = here.rev().max_by_key(|value| value.len());
        match longest {
            Some(value) if at + value.len() > covered => {
                if at >= last.0 || last.1 != value {
                    let name = values.iter().position(|it| it == value).unwrap();
                    shown.push_str(&format!("[s/K{name}]"));
                }
                covered = at + value.len();
                last = (covered, value);
            }
            _ if at >= covered => shown.push_str(&stream[at..=at]),
            _ => {}
        }
    }
    shown
}

#[test]
fn a_value_is_masked_in_what_programs_print() {
    let token = "gh+p_a\"b/c\n9";
    for (stream, expected) in [
        (
            "Authorization: Bearer gh+p_a\"b/c\n9\n",
            "Authorization: Bearer [s/K0]\n",
        ),
        (
            "\u{1b}[31mgh+p_a\"b/c\n9\u{1b}[0m",
            "\u{1b}[31m[s/K0]\u{1b}[0m",
        ),
        ("{\"t\":\"gh+p_a\\\"b/c\\n9\"}", "{\"t\":\"[s/K0]\"}"),
        (
            "{\"x\":\"{\\\"t\\\":\\\"gh+p_a\\\\\\\"b/c\\\\n9\\\"}\"}",
            "{\"x\":\"{\\\"t\\\":\\\"[s/K0]\\\"}\"}",
        ),
        ("?t=gh%2Bp_a%22b%2Fc%0A9&u", "?t=[s/K0]&u"),
        ("gh+p_a\"b/c\r\n9\r\n", "[s/K0]\r\n"),
        ("67682B705F6122622F630A39", "[s/K0]"),
        ("Z2grcF9hImIvYwo5", "[s/K0]"),
        ("gh+p_a\"b/c\n8", "gh+p_a\"b/c\n8"),
    ] {
        assert_masks(&[token], stream, expected);
    }
}

/// The `a` of `%0a`, and the rest of the value after an escape sequence that ends in its `a`.
#[test]
fn a_value_may_go_on_after_an_escape_sequence() {
    assert_masks(
        &["a^w;rwz\r\n"],
        "a^w;rwz%0d%0a\u{1b},a^w;rwz\r\n,",
        "[s/K0]\u{1b},a\r\n,",
    );
}

/// F20: a value is masked however deeply it is nested.
#[test]
fn nested_values_are_masked() {
    let token = "t0ken\"with/quote";
    let mut document =
        serde_json::json!({ "token": token, "list": [1, token, [token, { "a": [token] }]] });
    for level in 0..4 {
        document = serde_json::json!({ "level": level, "inner": [[document], token], token: null });
    }
    let text = document.to_string();
    let escaped = serde_json::to_string(token).unwrap();
    let expected = text.replace(&escaped, "\"[s/K0]\"");
    assert_eq!(expected.matches("[s/K0]").count(), 12);
    assert_masks(&[token], &text, &expected);
}

/// F42: the value ends with a line end, and the output does not.
#[test]
fn a_line_end_at_a_values_end_is_not_needed() {
    assert_masks(&["token-1\n"], "token-1 token-1\n", "[s/K0] [s/K0]\n");
    assert_masks(
        &["token-1\r\n"],
        "token-1\ntoken-1\r\n",
        "[s/K0]\n[s/K0]\r\n",
    );
    // `echo "$TOKEN" | base64`, and the same without the line end.
    assert_masks(&["token-1"], "dG9rZW4tMQo=\n", "[s/K0]o=\n");
    assert_masks(&["token-1\n"], "dG9rZW4tMQ==\n", "[s/K0]\n");
    // Also if the value contains bytes that begin an escape.
    assert_masks(&["%41+\\token-1\n"], "%41+\\token-1\n\n", "[s/K0]\n\n");
    // An encoded line end is masked with the value.
    for value in ["token-1\n", "token-1\r\n"] {
        for (encoded, rest) in [
            ("dG9rZW4tMQo=", "o="),
            ("dG9rZW4tMQ0K", "0K"),
            ("746f6b656e2d310a", "0a"),
            ("746F6B656E2D310D0A", "0D0A"),
            ("\"token-1\\n\"", "\\n\""),
            ("token-1%0D%0A", "%0D%0A"),
        ] {
            let has_cr = ["0D", "0K"].iter().any(|it| encoded.contains(it));
            let quote = if encoded.starts_with('"') { "\"" } else { "" };
            let masked = match value.contains('\r') == has_cr {
                true => format!("{quote}[s/K0]{quote}"),
                false => format!("{quote}[s/K0]{rest}"),
            };
            assert_masks(&[value], &format!("{encoded}\n"), &format!("{masked}\n"));
        }
    }
}

#[test]
fn short_values_are_reported_and_not_masked() {
    let masker = masker(&["abc", "a\n\n\n", "abcd", "abc\n"]);
    assert_eq!(masker.too_short(), ["s/K0"]);
    let shown = mask(masker, b"abc abcd abc\n", &[5]);
    assert_eq!(shown, b"abc [s/K2] [s/K3]");
}

#[test]
fn if_two_labels_have_the_same_value_the_first_is_shown() {
    assert_masks(&["same-value", "same-value"], "same-value", "[s/K0]");
}

#[test]
fn only_what_may_be_a_value_is_held_back_and_a_pause_writes_it() {
    let mut masker = masker(&["ghp_abc123"]);
    let mut shown = Vec::new();
    masker.feed(b"$ ", &mut shown);
    assert!(!masker.holds());
    masker.feed(b"x ghp_a", &mut shown);
    assert!(masker.holds());
    assert_eq!(shown, b"$ x ");
    masker.flush(&mut shown);
    assert!(!masker.holds());
    assert_eq!(shown, b"$ x ghp_a");
    // If a pause splits a value, the rest of it is still masked.
    masker.feed(b"bc123 y", &mut shown);
    assert_eq!(shown, b"$ x ghp_a[s/K0] y");
}

#[test]
fn a_longer_value_wins_over_a_shorter_one_that_it_begins_with() {
    assert_masks(
        &["abcd", "abcd-efgh"],
        "abcd-efgh abcd-ef",
        "[s/K1] [s/K0]-ef",
    );
}

/// Each backslash may begin an escape with what is behind the last one.
#[test]
fn many_backslashes_are_masked_in_one_pass() {
    let token = "hunter2hunter2";
    for tail in ["", "x41", "u0041", "u00e9", "\"", "n", "/"] {
        let stream = format!("{}{tail}{token}", "\\".repeat(1 << 20));
        let shown = mask(masker(&[token]), stream.as_bytes(), &[1 << 16]);
        let expected = stream.replace(token, "[s/K0]");
        assert!(shown == expected.as_bytes(), "before {tail:?}");
    }
}

#[test]
fn a_value_of_a_mebibyte_is_masked() {
    let value: Vec<u8> = (0..1_u32 << 20)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8 | 1)
        .collect();
    let stream = [b"<", &value[..], b">"].concat();
    let masker = Masker::new(known(std::slice::from_ref(&value)));
    let shown = mask(masker, &stream, &[65_536]);
    assert!(shown == b"<[s/K0]>", "{} bytes", shown.len());
}

#[test]
fn debug_shows_no_value() {
    let mut masker = masker(&["ghp_abc123"]);
    masker.feed(b"ghp_", &mut Vec::new());
    insta::assert_snapshot!(format!("{masker:?}"), @"Masker { values: 1, held: 4, .. }");
    let known = Known {
        label: "s/K0".to_owned(),
        value: b"ghp_abc123",
    };
    insta::assert_snapshot!(format!("{known:?}"), @r#"Known { label: "s/K0", length: 10 }"#);
}
