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
        let generate = ["secret", "generate", "shop/KEY", "--alphabet", alphabet];
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
    with(&["--create", "--rotate-every", "90d"]).succeeded();
    let first = home.get("shop", "KEY");
    with(&["--create"]).failed(8, &["already exists, at version 1"]);
    with(&["--if-version", "2"]).failed(8, &["is at version 1"]);
    assert_eq!(home.get("shop", "KEY"), first);
    with(&["--if-version", "1"]).succeeded();
    assert_ne!(home.get("shop", "KEY"), first);
    for length in ["7", "513", "x"] {
        with(&["--length", length]).failed(2, &["takes a number from 8 to 512"]);
    }
    with(&["--alphabet", "emoji"]).failed(2, &["alnum"]);
}
