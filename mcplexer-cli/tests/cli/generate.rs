//! Random values.

use super::home::Home;

#[test]
fn a_random_value_is_stored_and_not_printed() {
    let home = Home::new();
    let generated = home.run(["secret", "generate", "shop", "KEY"]).succeeded();
    let value = home.get("shop", "KEY");
    assert_eq!(value.len(), 32);
    assert!(value.iter().all(u8::is_ascii_alphanumeric));
    let text = str::from_utf8(&value).unwrap();
    assert_eq!(generated.text(), "");
    assert!(!generated.stderr.contains(text));
    assert!(generated.stderr.ends_with("stored shop/KEY, version 1\n"));
    let is_there = |file: &[u8]| file.windows(value.len()).any(|it| it == value);
    assert!(!home.files().iter().any(|(_, file)| is_there(file)));
    for (alphabet, letters) in [
        ("digits", "0123456789"),
        ("hex", "0123456789abcdef"),
        (
            "base64url",
            "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_",
        ),
    ] {
        let generate = [
            "secret",
            "generate",
            "--force",
            "shop/KEY",
            "--alphabet",
            alphabet,
        ];
        home.run([&generate[..], &["--length", "512"]].concat())
            .succeeded();
        let value = home.get("shop", "KEY");
        assert_eq!(value.len(), 512);
        assert!(value.iter().all(|it| letters.as_bytes().contains(it)));
    }
}

#[test]
fn a_random_value_replaces_only_what_it_may() {
    let home = Home::new();
    let generate = ["secret", "generate", "shop", "KEY"];
    let with = |options: &[&str]| home.run([&generate[..], options].concat());
    with(&["--rotate-every", "90d"]).succeeded();
    let first = home.get("shop", "KEY");
    with(&[]).failed(8, &["already exists, at version 1", "--force stores"]);
    with(&["--if-version", "2"]).failed(8, &["is at version 1"]);
    assert_eq!(home.get("shop", "KEY"), first);
    with(&["--if-version", "1"]).succeeded();
    let second = home.get("shop", "KEY");
    assert_ne!(second, first);
    with(&["--force"]).succeeded();
    assert_ne!(home.get("shop", "KEY"), second);
    with(&["--force", "--if-version", "3"]).failed(2, &["cannot be used with"]);
    for length in ["7", "513", "x"] {
        with(&["--length", length]).failed(2, &["takes a number from 8 to 512"]);
    }
    with(&["--alphabet", "emoji"]).failed(2, &["alnum"]);
}

#[test]
fn a_passphrase_has_words_and_separators() {
    let home = Home::new();
    let generate = |options: &[&str]| {
        let start = ["secret", "generate", "shop", "KEY", "--force"];
        home.run([&start[..], options].concat())
    };
    for (options, separator, count) in [
        (&["--words", "6", "--separator", " "][..], " ", 6),
        (&["--words", "4", "--separator", "--"], "--", 4),
    ] {
        let run = generate(options).succeeded();
        let value = home.get("shop", "KEY");
        let text = str::from_utf8(&value).unwrap();
        assert_eq!(text.split(separator).count(), count, "{text}");
        let is_word = |word: &str| {
            word.len() >= 3 && word.bytes().all(|it| it.is_ascii_lowercase() || it == b'-')
        };
        assert!(text.split(separator).all(is_word), "{text}");
        assert!(!run.stderr.contains(text) && run.text().is_empty());
    }
    generate(&["--words", "5"]).succeeded();
    // A few words have a hyphen themselves.
    let value = home.get("shop", "KEY");
    assert!(value.split(|it| *it == b'-').count() >= 5);
    for (options, said) in [
        (&["--words", "3"][..], "takes a number from 4 to 32"),
        (&["--words", "33"], "takes a number from 4 to 32"),
        (&["--words", "5", "--length", "9"], "cannot be used with"),
        (
            &["--words", "5", "--alphabet", "hex"],
            "cannot be used with",
        ),
        (&["--separator", "_"], "--words"),
        (
            &["--words", "5", "--separator", "\n"],
            "takes up to 8 characters",
        ),
        (
            &["--words", "5", "--separator", "123456789"],
            "takes up to 8",
        ),
    ] {
        generate(options).failed(2, &[said]);
    }
}
