//! Every value comes back from the file that it is written to.

use mcplexer_files::exchange::{self, Format};
use proptest::prelude::*;

use super::{Pairs, VALUES, pairs, read, writable, written};

/// F05: bytes come back unchanged.
#[test]
fn what_is_written_is_read_again() {
    let mut all = pairs(&VALUES);
    for byte in 0..=255 {
        all.push((format!("B{byte}"), vec![byte]));
        all.push((format!("C{byte}"), vec![b'a', byte, b'\'']));
    }
    for format in Format::READ {
        let all = writable(&all, format);
        assert!(all.len() > 280, "{format}: {}", all.len());
        assert!(
            read(&written(&all, format), format).unwrap() == all,
            "{format}"
        );
        assert_eq!(read(&written(&Vec::new(), format), format).unwrap(), []);
    }
}

#[test]
fn the_longest_value_is_read_again() {
    let text: Vec<u8> = b"a\"'\\\n".iter().copied().cycle().take(1 << 20).collect();
    let all = pairs(&[&text, &vec![0xff; 1 << 20], &vec![b'x'; 1 << 20]]);
    for format in Format::READ {
        let all = writable(&all, format);
        assert!(
            read(&written(&all, format), format).unwrap() == all,
            "{format}"
        );
    }
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let bytes = proptest::collection::vec(any::<u8>(), 1..40);
    let tricky = proptest::sample::select(&[
        "'",
        "\"",
        "`",
        "\\",
        "\\n",
        "$",
        "#",
        " ",
        "\n",
        "\r",
        "\t",
        ":",
        "~",
        "=",
        "a",
        "ü",
        "\u{2028}",
        "\u{feff}",
        "mcplexer+base64:",
        "{",
        "}",
        "- ",
        "? ",
        "!",
        "&",
        "*",
        "|",
        "%",
        "@",
        "\u{1b}",
    ]);
    let texts = proptest::collection::vec(tricky, 1..12).prop_map(|it| it.concat().into_bytes());
    let any_text = proptest::collection::vec(any::<char>(), 1..20)
        .prop_map(|it| it.into_iter().collect::<String>().into_bytes());
    prop_oneof![bytes, texts, any_text]
}

/// Names of header fields, or as `.env` files may have them.
fn names(characters: &'static [u8], first: &'static [u8]) -> impl Strategy<Value = String> {
    let rest = proptest::collection::vec(proptest::sample::select(characters), 0..12);
    (proptest::sample::select(first), rest)
        .prop_map(|(first, rest)| std::iter::once(first).chain(rest).map(char::from).collect())
}

const TCHARS: &[u8] = b"ABYZabnoyz0189!#$%&'*+-.^_`|~";

const DOTENV: &[u8] = b"ABYZabnoyz0189._-";

fn any_pairs(name: impl Strategy<Value = String>) -> impl Strategy<Value = Pairs> {
    let map = proptest::collection::btree_map(name, value(), 0..6);
    map.prop_map(|it| it.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_values_are_read_again_from_json_and_yaml(all in any_pairs(names(TCHARS, TCHARS))) {
        for format in [Format::Json, Format::Yaml] {
            prop_assert!(read(&written(&all, format), format).unwrap() == all, "{}", format);
        }
    }

    #[test]
    fn any_values_are_read_again_from_a_dotenv_file(all in any_pairs(names(DOTENV, DOTENV))) {
        let all = writable(&all, Format::Dotenv);
        prop_assert!(read(&written(&all, Format::Dotenv), Format::Dotenv).unwrap() == all);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), text in value()) {
        for format in Format::ALL {
            let _ = exchange::read(&bytes, format);
            let _ = exchange::read(&text, format);
        }
    }
}
