//! The scanner finds what the masker masks.

#![cfg(test)]

#[path = "mask/forms.rs"]
mod forms;

use std::io::{self, Read};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use forms::{FILE_FORMS, known, piece, values};
use mcplexer_mask::{Masker, Occurrence, Scanner};
use proptest::collection::vec;
use proptest::prelude::*;

/// How much the scanner reads at once.
const CHUNK: usize = 256 * 1024;

/// What stands around the values. An escape sequence ends before the value begins: of one that does not, a
/// terminal takes the first byte of the value, and the rest may go on with a byte from before.
const NOISE: &str = "([ .,;:!?()<>\t\nü]|\u{1b}[:;<>?]){1,12}";

/// Escapes, line ends and words, without a space that would separate them.
const ESCAPES: &str = r#"(\\["/ntu\\]|%2[0F5]|%0A|&quot;|\n|\r\n|[a-z]{1,9}|[/",.]){1,9}"#;

/// Returns the name and the line of each value that is found.
fn scan(values: &[Vec<u8>], stream: &[u8]) -> Vec<(String, u64)> {
    let mut scanner = Scanner::new(known(values));
    let found = scanner.scan(stream).unwrap().into_iter();
    let name = |label: &str| label.strip_prefix("s/").unwrap().to_owned();
    found.map(|it| (name(&it.label), it.line)).collect()
}

/// Returns the names that the masker writes for a stream that contains no bracket.
fn masked(values: &[Vec<u8>], stream: &[u8]) -> Vec<String> {
    let mut masker = Masker::new(known(values));
    let mut shown = Vec::new();
    masker.feed(stream, &mut shown);
    masker.flush(&mut shown);
    let shown = String::from_utf8_lossy(&shown).into_owned();
    let names = shown
        .split("[s/")
        .skip(1)
        .map(|it| it.split(']').next().unwrap().to_owned());
    names.collect()
}

fn line_of(stream: &[u8], at: usize) -> u64 {
    let before = stream[..at].iter().filter(|&&byte| byte == b'\n');
    before.count() as u64 + 1
}

/// Encodes in UTF-16, of either order of bytes.
fn utf16(text: &str, is_big: bool) -> Vec<u8> {
    let units = text.encode_utf16();
    let bytes = units.flat_map(|unit| {
        if is_big {
            unit.to_be_bytes()
        } else {
            unit.to_le_bytes()
        }
    });
    bytes.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 300 } else { 20_000 }))]

    /// F42: every form of every value is found, wherever it is.
    #[test]
    fn what_is_masked_is_found(
        values in values(),
        pieces in vec((0..FILE_FORMS, any::<prop::sample::Index>(), any::<u64>(), NOISE), 1..12),
        first in prop_oneof![3 => Just(0), 1 => CHUNK - 5000..CHUNK],
    ) {
        let mut stream: Vec<u8> = b"lines, \n".iter().copied().cycle().take(first).collect();
        let mut expected = Vec::new();
        for (form, which, seed, noise) in pieces {
            let at = which.index(values.len());
            stream.extend(noise.bytes());
            expected.push((format!("K{at}"), line_of(&stream, stream.len())));
            stream.extend(piece(form, &values[at], "", seed).0);
            stream.extend(noise.bytes());
        }
        let names: Vec<_> = expected.iter().map(|(name, _)| name.clone()).collect();
        prop_assert_eq!(masked(&values, &stream), names);
        prop_assert_eq!(scan(&values, &stream), expected, "of {:?}", String::from_utf8_lossy(&stream));
    }

    /// Among escapes and line ends, which break a value or stand next to it. The masker looks at every position.
    #[test]
    fn a_value_next_to_escapes_is_found_as_the_masker_finds_it(
        values in values(),
        pieces in vec((0..FILE_FORMS, any::<prop::sample::Index>(), any::<u64>(), ESCAPES), 1..12),
    ) {
        let mut stream = Vec::new();
        for (form, which, seed, escapes) in pieces {
            stream.extend(escapes.bytes());
            stream.extend(piece(form, &values[which.index(values.len())], "", seed).0);
            stream.extend(escapes.bytes().take(which.index(8)));
        }
        let names: Vec<_> = scan(&values, &stream).into_iter().map(|(name, _)| name).collect();
        prop_assert_eq!(names, masked(&values, &stream), "of {:?}", String::from_utf8_lossy(&stream));
    }

    /// In UTF-16, with a byte order mark or not, and with a part in another encoding appended, as PowerShell and
    /// `cmd` do.
    #[test]
    fn a_value_in_utf16_is_found(
        token in "[A-Za-z0-9+/\"ä€🔑]{7,40}",
        (before, after) in ("[a-z\n]{0,200}", "[a-z\n]{0,200}"),
        (is_big, has_mark, form) in (any::<bool>(), any::<bool>(), prop::sample::select(vec![0, 1, 3, 8, 20])),
        appended in 0..3_usize,
        seed in any::<u64>(),
    ) {
        let values = [format!("k{token}z").into_bytes()];
        let text = |form| String::from_utf8(piece(form, &values[0], "", seed).0).unwrap();
        let mark = if has_mark { "\u{feff}" } else { "" };
        // Nothing tells where the text begins in which the high byte of a character comes first.
        let is_big = is_big && appended < 2;
        let wide = utf16(&format!("{mark}some {before} key={}\r\n{after}\r\n", text(form)), is_big);
        let plain = format!("plain\nkey={}\n", text(0)).into_bytes();
        let (stream, count) = match appended {
            0 => (wide, 1),
            1 => ([wide, plain].concat(), 2),
            _ => ([plain, wide].concat(), 2),
        };
        let found = scan(&values, &stream);
        prop_assert_eq!(found.len(), count, "{:?} of {:?}", found, String::from_utf8_lossy(&stream));
    }

    /// Values that overlap, begin alike and repeat themselves.
    #[test]
    fn overlapping_values_are_found_as_the_masker_finds_them(
        values in vec("[.,]{4,30}", 1..6),
        stream in "[.,;]{0,300}",
    ) {
        let values: Vec<_> = values.into_iter().map(String::into_bytes).collect();
        let found = scan(&values, stream.as_bytes());
        let names: Vec<_> = found.into_iter().map(|(name, _)| name).collect();
        prop_assert_eq!(names, masked(&values, stream.as_bytes()));
    }

    /// In base64 of a whole file, in lines as in MIME and PEM: RFC 2045, RFC 7468.
    #[test]
    fn a_value_in_an_encoded_file_is_found(
        values in values(),
        (before, after) in ("[a-z\n]{0,200}", "[a-z\n]{0,200}"),
        (width, end) in (prop::sample::select(vec![20, 64, 76, 4000]), prop::sample::select(vec!["\n", "\r\n", "\\n"])),
    ) {
        let text = [before.as_bytes(), &values[0], after.as_bytes()].concat();
        let dense = [
            BASE64_STANDARD.encode(&text),
            BASE64_URL_SAFE_NO_PAD.encode(&text),
            text.iter().map(|byte| format!("{byte:02x}")).collect(),
            BASE64_STANDARD.encode(&text).replace('/', "\\/"),
            BASE64_STANDARD.encode(&text).replace('/', "%2F").replace('+', "%2b"),
            BASE64_URL_SAFE_NO_PAD.encode(&text).bytes().map(|byte| format!("%{byte:02X}")).collect(),
        ];
        for encoded in dense {
            let lines: Vec<_> = encoded.as_bytes().chunks(width).collect();
            let stream = lines.join(end.as_bytes());
            let found = scan(&values, &stream);
            let names: Vec<_> = found.into_iter().map(|(name, _)| name).collect();
            // A line end within an escape breaks the value as well.
            prop_assert_eq!(&names, &masked(&values, &stream));
            prop_assert!(encoded.contains(['\\', '%']) || names.first().is_some_and(|it| it == "K0"));
        }
    }
}

#[test]
fn a_value_across_the_border_of_what_is_read_at_once_is_found() {
    let values = [
        b"gh+p_abcdefghij 0123456789\nklmn".to_vec(),
        b"Pin7".to_vec(),
    ];
    for form in 0..FILE_FORMS {
        for which in [0, 1] {
            for before in (0..80).step_by(9).chain([150, 440, 1200]) {
                let mut stream = vec![b' '; CHUNK - before];
                stream[7] = b'\n';
                let (encoded, _) = piece(form, &values[which], "", before as u64);
                stream.extend(encoded);
                stream.extend(b" \n");
                let expected = [(format!("K{which}"), 2)];
                assert_eq!(
                    scan(&values, &stream),
                    expected,
                    "form {form}, {before} before"
                );
            }
        }
    }
}

/// What is searched together is 64 bytes, and 32 times as many.
#[test]
fn a_value_is_found_at_every_offset() {
    let values = [
        b"gh+p_abcd/fghij \"123456'89\nklmn".to_vec(),
        b"q&7Lx0%Zr\\2w".to_vec(),
    ];
    let mut scanner = Scanner::new(known(&values));
    for form in 0..FILE_FORMS {
        for (which, value) in values.iter().enumerate() {
            for before in (0..130).chain(2048 - 80..2048 + 2) {
                let mut stream = vec![b'.'; before];
                stream.push(b' ');
                stream.extend(piece(form, value, "", before as u64).0);
                // At the end of the stream, or within it.
                stream.extend(if before % 2 == 0 {
                    &b" "[..]
                } else {
                    &[b' '; 700]
                });
                let found = scanner.scan(&stream[..]).unwrap();
                let labels: Vec<_> = found.iter().map(|it| it.label.to_string()).collect();
                assert_eq!(
                    labels,
                    [format!("s/K{which}")],
                    "form {form}, {before} before"
                );
            }
        }
    }
}

/// Where many escapes and line ends are, several are looked at together.
#[test]
fn a_value_among_many_breaks_is_found() {
    let values: [&[u8]; 6] = [
        b"gh+p_abcd/fghij \"123456'89\nklmn",
        b"aB3/dE6\"gH9+jK2 mN5&pQ8?sT1%vW4/yZ7",
        b"kR7\"wQ2/9&xV5%tB8",
        b"q&7L/x0%Zr\\2w",
        b"J\"8k/Vq3%T",
        b"no-break-in-it-but-of-base64-9Xk2",
    ];
    let filler = b"\\\"yyyyyyyy ".repeat(40);
    for value in values {
        let values = [value.to_vec()];
        let mut scanner = Scanner::new(known(&values));
        for form in 0..FILE_FORMS {
            for before in 0..16 {
                let mut stream = filler[..before * 11].to_vec();
                stream.extend(b"; ");
                stream.extend(piece(form, value, "", before as u64 * 7).0);
                stream.extend(b" ;");
                stream.extend(&filler);
                let found = scanner.scan(&stream[..]).unwrap();
                let value = String::from_utf8_lossy(value);
                assert_eq!(found.len(), 1, "{value:?}, form {form}, {before} before");
            }
        }
    }
}

/// Any character may be escaped, also one that need not be.
#[test]
fn base64_with_escapes_for_other_characters_is_found() {
    for (value, stream) in [
        (
            "ghp_a?bcdefghij0123",
            "%5A%32%68%77%58%32%45%5F%59%6D%4E%6B%5A%57%5A%6E%61%47%6C%71%4D%44%45%79%4D%77",
        ),
        (
            "JT8b6o-kx1A_tGJGnm-v",
            "sS5KVDhiN%6D8t%613%67xQV%390R0%70%48bm%30tdj%49%3D",
        ),
    ] {
        let values = [value.as_bytes().to_vec()];
        assert_eq!(masked(&values, stream.as_bytes()), ["K0"], "{value}");
        assert_eq!(scan(&values, stream.as_bytes()), [("K0".to_owned(), 1)]);
    }
}

/// The scanner looks for the beginning of a short value, but for a piece of a long one, which may be read
/// later.
#[test]
fn a_short_value_within_a_long_one_does_not_hide_it() {
    let values = [b"x+p_Pin7;w?qrstuvwxy#zQ5k9Lm2".to_vec(), b"Pin7".to_vec()];
    for before in 400..480 {
        let stream = [&vec![b' '; CHUNK - before][..], &values[0], &[b' '; 2000]].concat();
        let expected = [("K0".to_owned(), 1)];
        assert_eq!(scan(&values, &stream), expected, "{before} before");
    }
}

#[test]
fn a_value_of_a_mebibyte_is_found() {
    let value: Vec<u8> = (0..1_u32 << 20)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8 | 1)
        .collect();
    let values = [value];
    for form in [0, 1, 5, 8, 14] {
        let encoded = piece(form, &values[0], "", 3).0;
        let stream = [
            &vec![b'\n'; 1000][..],
            &encoded,
            b" ",
            &encoded[..encoded.len() / 2],
            b"!",
        ]
        .concat();
        assert_eq!(
            scan(&values, &stream),
            [("K0".to_owned(), 1001)],
            "form {form}"
        );
    }
}

#[test]
fn places_are_counted_from_one_across_all_that_was_read() {
    let values = [b"a-long-enough-token".to_vec()];
    let stream = [&b"x\n".repeat(CHUNK)[..], b"ab a-long-enough-token"].concat();
    let mut scanner = Scanner::new(known(&values));
    let places = |found: Vec<Occurrence>| -> Vec<_> {
        found.iter().map(|it| (it.line, it.column)).collect()
    };
    let lines = CHUNK as u64 + 1;
    assert_eq!(places(scanner.scan(&stream[..]).unwrap()), [(lines, 4)]);
    // One scanner can scan many streams.
    assert_eq!(
        places(scanner.scan(&b"a-long-enough-token\n"[..]).unwrap()),
        [(1, 1)]
    );
    assert_eq!(
        places(
            scanner
                .for_another_thread()
                .scan(&b"\n a-long-enough-token"[..])
                .unwrap()
        ),
        [(2, 2)]
    );
    assert_eq!(places(scanner.scan(&b"token\n"[..]).unwrap()), []);
    let line = [&vec![b'x'; 2 * CHUNK][..], b"a-long-enough-token"].concat();
    assert_eq!(
        places(scanner.scan(&line[..]).unwrap()),
        [(1, 2 * CHUNK as u64 + 1)]
    );
}

#[test]
fn short_values_are_reported_and_not_looked_for() {
    let values = [b"abc".to_vec(), b"abcd".to_vec(), b"ab\n\n".to_vec()];
    let mut scanner = Scanner::new(known(&values));
    assert_eq!(scanner.too_short(), ["s/K0"]);
    let found = scanner.scan(&b"abc abcd"[..]).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(&*found[0].label, "s/K1");
    let mut none = Scanner::new([]);
    assert!(none.scan(&b"abc"[..]).unwrap().is_empty());
}

#[test]
fn a_failure_to_read_is_an_error() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let values = [b"token-1".to_vec()];
    let mut scanner = Scanner::new(known(&values));
    let error = scanner.scan((&b"token-1 "[..]).chain(Failing)).unwrap_err();
    assert_eq!(error.to_string(), "the disk is gone");
}

#[test]
fn debug_shows_no_value() {
    let values = [b"ghp_abc123".to_vec()];
    let scanner = Scanner::new(known(&values));
    insta::assert_snapshot!(format!("{scanner:?}"), @"Scanner { values: 1, .. }");
}
