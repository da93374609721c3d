//! Tests of the scrubber.

use mcplexer_mask::Known;

use super::*;

const TOKEN: &str = "hunter2hunter2";

fn scrubber() -> Scrubber {
    let known = |label: &str, value| Known {
        label: label.to_owned(),
        value,
    };
    Scrubber::new(Masker::new([
        known("s/TOKEN", b"hunter2hunter2"),
        known("s/PIN", b"8675309123"),
        known("s/ODD", br#"x","isError":true,"y":"#),
    ]))
}

#[test]
fn the_first_value_has_its_label() {
    for (text, label) in [
        ("a hunter2hunter2 8675309123", Some("s/TOKEN")),
        (r#"["8675309123"]"#, Some("s/PIN")),
        (r#"[["ü",8675309123]]"#, Some("s/PIN")),
        ("hunter2hunter2", Some("s/TOKEN")),
        ("hunter2hunter3", None),
        ("[s/TOKEN]", None),
    ] {
        assert_eq!(scrubber().finds(text).as_deref(), label, "{text}");
    }
}

#[test]
fn a_message_stays_json() {
    for (text, scrubbed) in [
        (r#"{"a":1.50,"a":"b"}"#, r#"{"a":1.50,"a":"b"}"#),
        (
            r#"{"a":1.50,"b":"-hunter2hunter2-"}"#,
            r#"{"a":1.50,"b":"-[s/TOKEN]-"}"#,
        ),
        (r#"{"a":[8675309123]}"#, r#"{"a":["[s/PIN]"]}"#),
        (
            r#"{"hunter2hunter2":8675309123}"#,
            r#"{"[s/TOKEN]":"[s/PIN]"}"#,
        ),
        // `hunter2hunter2` in hex, and a digit as an escape.
        (
            r#"{"a":"\u00368756e7465723268756e74657232","b":"\u0061"}"#,
            r#"{"a":"[s/TOKEN]","b":"\u0061"}"#,
        ),
        (
            r#"["b'\\x38\\x36\\x37\\x35\\x33\\x30\\x39\\x31\\x32\\x33'"]"#,
            r#"["b'[s/PIN]'"]"#,
        ),
        // What has no value in it stays as it is written, also if no number type or text can hold it.
        (
            r#"{"n":8675309123 ,"a":1e400,"b":1.50,"c":"\ud800\"" , "hunter2hunter2\ud800":-0}"#,
            r#"{"n":"[s/PIN]" ,"a":1e400,"b":1.50,"c":"\ud800\"" , "[s/TOKEN]\ud800":-0}"#,
        ),
    ] {
        let (found, count) = scrubber().json(text.to_owned());
        let labels = scrubbed.matches("[s/").count() as u64;
        assert_eq!((found.as_str(), count), (scrubbed, labels));
    }
}

/// Each says `hunter2hunter2`: as the elements of an array, in octal, and beside half of a surrogate pair.
#[test]
fn a_value_has_its_label_however_a_message_writes_it() {
    let bytes: Vec<String> = TOKEN.bytes().map(|it| it.to_string()).collect();
    let (list, lines) = (bytes.join(","), bytes.join(",\n  "));
    let octal: String = TOKEN.bytes().map(|it| format!("\\\\{it:03o}")).collect();
    let hex = r"\u00368756e7465723268756e74657232";
    for (text, scrubbed) in [
        (
            format!(r#"{{"type":"Buffer","data":[{list}]}}"#),
            r#"{"type":"Buffer","data":["[s/TOKEN]"]}"#,
        ),
        (
            format!(r#"{{"a":[[1, 2,{lines} , 3],[{list}]],"b":1}}"#),
            r#"{"a":[[1, 2,"[s/TOKEN]" , 3],["[s/TOKEN]"]],"b":1}"#,
        ),
        (
            format!(r#"["a", {list}, 8675309123, 1.5,-2, {list}, 1.5]"#),
            r#"["a", "[s/TOKEN]", "[s/PIN]", 1.5,-2, "[s/TOKEN]", 1.5]"#,
        ),
        (
            format!(r#"{{"json":"{{\"a\":[{list}]}}"}}"#),
            r#"{"json":"{\"a\":[[s/TOKEN]]}"}"#,
        ),
        (format!(r#"["it is {octal}"]"#), r#"["it is [s/TOKEN]"]"#),
        (format!(r#"["\ud800 {hex}"]"#), "[\"\u{fffd} [s/TOKEN]\"]"),
        (
            format!(r#"["\udfff\ud83d\ude00\"{hex}"]"#),
            "[\"\u{fffd}\u{1f600}\\\"[s/TOKEN]\"]",
        ),
    ] {
        let (found, count) = scrubber().json(text.clone());
        let labels = scrubbed.matches("[s/").count() as u64;
        assert_eq!((found.as_str(), count), (scrubbed, labels), "{text}");
    }
}

/// `hunter2` is too short for a part of `hunter2hunter2`.
#[test]
fn a_string_with_the_larger_part_of_a_value_has_its_label() {
    for (text, scrubbed) in [
        (
            r#"{"a":"hunter2hun","b":["nter2hunter2"]}"#,
            r#"{"a":"[s/TOKEN]","b":["[s/TOKEN]"]}"#,
        ),
        (
            r#"{"hunter2hunte":1,"it is unter2hunter2":2}"#,
            r#"{"[s/TOKEN]":1,"it is [s/TOKEN]":2}"#,
        ),
        (
            r#"["it is\nhunter2h\"","\\hunter2hu"]"#,
            r#"["it is\n[s/TOKEN]\"","\\[s/TOKEN]"]"#,
        ),
        (
            r#"{"json":"{\"a\":\"hunter2hunte\"}"}"#,
            r#"{"json":"{\"a\":\"[s/TOKEN]\"}"}"#,
        ),
        // In hex, in base64, and as escapes.
        (
            r#"["68756e7465723268756e","aHVudGVyMmh1bnRlcg=="]"#,
            r#"["[s/TOKEN]","[s/TOKEN]"]"#,
        ),
        (
            r#"["\u0068unter2hunt","b'\\x68unter2hun'"]"#,
            r#"["[s/TOKEN]","b'\\x68unter2hun'"]"#,
        ),
        ("hunter2hun", "[s/TOKEN]"),
        (
            r#"["hunter2","2hunter2","hunter2hunx","xnter2hunter2"]"#,
            r#"["hunter2","[s/TOKEN]","hunter2hunx","xnter2hunter2"]"#,
        ),
        (
            r#"{"hunter2h":"hunter2hunter2"}"#,
            r#"{"[s/TOKEN]":"[s/TOKEN]"}"#,
        ),
    ] {
        let (found, count) = scrubber().json(text.to_owned());
        let labels = scrubbed.matches("[s/").count() as u64;
        assert_eq!((found.as_str(), count), (scrubbed, labels), "{text}");
    }
    let text = "ü hunter2hunt unter2hunter2 ü hunter2hunte".to_owned();
    assert_eq!(
        scrubber().text(text),
        ("ü [s/TOKEN] [s/TOKEN] ü [s/TOKEN]".to_owned(), 3)
    );
    let line = scrubber().text("it is hunter2hunt".to_owned());
    assert_eq!(line, ("it is [s/TOKEN]".to_owned(), 1));
}

/// A request is refused for every spelling that is replaced in an answer.
#[test]
fn what_would_be_replaced_is_found() {
    let bytes: Vec<String> = TOKEN.bytes().map(|it| it.to_string()).collect();
    let octal: String = TOKEN.bytes().map(|it| format!("\\\\{it:03o}")).collect();
    for text in [
        r#"{"a":"\u00368756e7465723268756e74657232"}"#.to_owned(),
        r#"{"a":"[s/PIN] \u0061","b":"hunter2hun"}"#.to_owned(),
        format!(r#"{{"a":[{}]}}"#, bytes.join(",")),
        format!(r#"{{"a":"{octal}"}}"#),
    ] {
        assert_eq!(
            scrubber().finds(&text).as_deref(),
            Some("s/TOKEN"),
            "{text}"
        );
    }
}

#[test]
fn the_last_values_are_replaced_as_well() {
    let scrubber = Scrubber::default();
    assert_eq!(scrubber.text("one".to_owned()), ("one".to_owned(), 0));
    for number in 0..=VERSIONS {
        let label = format!("s/{number}");
        let value = format!("hunter-{number}");
        let value = value.as_bytes();
        scrubber.replace(Masker::new([Known { label, value }]));
    }
    let text = "hunter-8 hunter-7 hunter-1 hunter-0".to_owned();
    assert_eq!(
        scrubber.text(text),
        ("[s/8] [s/7] [s/1] hunter-0".to_owned(), 3)
    );
}
