//! No value of a server's secrets comes out of the gateway, in whatever form the server writes it.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::random::Random;
use super::world::{World, program};

const MIRROR: &str = env!("CARGO_BIN_EXE_mirror-server");

/// Of several alphabets, so that each form differs from the value.
const VALUES: [(&str, &str); 5] = [
    ("TOKEN", "ghx_5e1f2d3c4b5A69788796a5b4c3d2e1f0"),
    ("PASSWORD", "p/w \"quoted\"\\ & <ümlaut> 100%\ttab"),
    ("PIN", "8675309123471"),
    ("LINES", "first line of it\nsecond: line\n"),
    (
        "URL",
        "https://user:pa55w0rd+plus@host.example/path?key=value1234",
    ),
];

/// The value in one of the forms that the masker knows, as text.
fn written(random: &mut Random, value: &str) -> String {
    let each = |write: fn(u8) -> String| value.bytes().map(write).collect::<String>();
    let noise = random.one(&["", "a", "bc", "def"]);
    match random.below(10) {
        0 => value.to_owned(),
        // In the middle of something longer, at each alignment.
        1 => BASE64_STANDARD.encode(format!("{noise}{value}{noise}")),
        2 => BASE64_URL_SAFE_NO_PAD.encode(format!("{noise}{value}{noise}")),
        3 => each(|byte| format!("{byte:02x}")),
        4 => each(|byte| format!("{byte:02X}")),
        5 => each(|byte| format!("{byte:02x}:")),
        6 => each(|byte| format!("%{byte:02X}")),
        7 => each(|byte| match byte.is_ascii_alphanumeric() {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02x}"),
        }),
        8 => each(|byte| format!("\\x{byte:02x}")),
        _ => json!({ "inner": value }).to_string(),
    }
}

/// The text as a JSON string, with some or all of its characters escaped.
fn quoted(random: &mut Random, text: &str) -> String {
    let escaped = |text: &str| {
        text.encode_utf16()
            .map(|it| format!("\\u{it:04x}"))
            .collect::<String>()
    };
    match random.below(3) {
        0 => Value::from(text).to_string(),
        1 => format!("\"{}\"", escaped(text)),
        _ => {
            let plain = Value::from(text).to_string();
            // No escape of JSON ends in this letter.
            plain.replace('/', "\\/").replace('o', &escaped("o"))
        }
    }
}

/// A result with one of the values in it: in a string, in a name, or as a number.
fn result(random: &mut Random) -> String {
    let (_, value) = VALUES[random.below(VALUES.len())];
    let form = written(random, value);
    let around = [
        random.one(&["", "it is ", "=", "[", "\u{1f600} "]),
        random.one(&["", ".", "&x=1", "\n"]),
    ];
    let text = quoted(random, &format!("{}{form}{}", around[0], around[1]));
    let bad = match random.below(6) {
        0 => format!("{{{text}:1.50}}"),
        1 => "8675309123471".to_owned(),
        2 => format!("[[{{\"deep\":{text}}}]]"),
        3 => {
            let inner = quoted(random, &format!("{{\"k\":{text}}}"));
            format!("{{\"text\":{inner}}}")
        }
        _ => text,
    };
    let members = vec![random.member("\"content\"", &bad)];
    loop {
        let result = random.object(members.clone());
        // What no reader reads, the test does not read either: a number that is too large, half of a surrogate pair.
        if serde_json::from_str::<Value>(&result).is_ok() {
            return result;
        }
    }
}

/// Every text in a JSON value: strings, names and numbers.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(elements) => elements.iter().for_each(|it| texts(it, found)),
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            found.push(name.clone());
            texts(value, found);
        }),
        other => found.push(other.to_string()),
    }
}

/// All that can be read out of a text by undoing one encoding after another, for some rounds.
fn readings(text: &str, depth: usize) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    if depth == 0 || text.len() > 20_000 {
        return all;
    }
    let mut undone = Vec::new();
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        texts(&value, &mut undone);
    }
    let plain = [
        ("\\n", "\n"),
        ("\\t", "\t"),
        ("\\\"", "\""),
        ("\\/", "/"),
        ("\\\\", "\\"),
    ];
    undone.push(
        plain
            .iter()
            .fold(text.to_owned(), |text, (from, to)| text.replace(from, to)),
    );
    undone.push(unescaped(text, "%", 2));
    undone.push(unescaped(text, "\\x", 2));
    undone.push(unescaped(text, "\\u", 4));
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    for start in 0..2.min(digits.len()) {
        let bytes = digits.as_bytes()[start..].chunks_exact(2);
        let bytes: Vec<u8> = bytes
            .filter_map(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok())
            .collect();
        undone.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    let is_base64 = |it: char| it.is_ascii_alphanumeric() || "+/-_".contains(it);
    for run in text.split(|it| !is_base64(it)).filter(|it| it.len() > 10) {
        let run = run.replace('+', "-").replace('/', "_");
        for start in 0..4 {
            for end in [run.len(), run.len() - (run.len() - start) % 4] {
                if let Ok(bytes) = BASE64_URL_SAFE_NO_PAD.decode(&run[start..end]) {
                    undone.push(String::from_utf8_lossy(&bytes).into_owned());
                }
            }
        }
    }
    for one in undone.iter().filter(|it| *it != text) {
        all.extend(readings(one, depth - 1));
    }
    all
}

/// The text with each escape replaced by its character, as far as that is one byte.
fn unescaped(text: &str, mark: &str, digits: usize) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(mark) {
        bytes.extend(before.bytes());
        let byte = after
            .get(..digits)
            .and_then(|it| u8::from_str_radix(it, 16).ok());
        bytes.extend(byte.map_or_else(|| mark.as_bytes().to_vec(), |it| vec![it]));
        rest = if byte.is_some() {
            &after[digits..]
        } else {
            after
        };
    }
    bytes.extend(rest.bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a value can be read out of it.
fn leaks(text: &str) -> Option<&'static str> {
    let all = readings(text, 3);
    VALUES
        .iter()
        .map(|(_, value)| *value)
        .find(|value| all.iter().any(|it| it.contains(value.trim_end())))
}

#[test]
fn what_was_written_can_be_read() {
    // The search finds what it looks for: without this, it might find nothing at all.
    let mut random = Random::new(7);
    for _ in 0..200 {
        let text = result(&mut random);
        assert!(leaks(&text).is_some(), "{text}");
    }
}

async fn nothing_comes_out(rounds: usize, seed: u64) {
    let scope: Vec<_> = VALUES
        .iter()
        .map(|(name, value)| ("scope", *name, value.as_bytes()))
        .collect();
    let env: Vec<_> = VALUES
        .iter()
        .map(|(name, _)| (*name, format!("mcplexer://scope/{name}")))
        .collect();
    let env: Vec<_> = env
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let world = World::new(vec![("mirror", program(MIRROR, &[], &env))], &scope);
    let mut client = world.client(Some("mirror")).await;
    let mut random = Random::new(seed);
    for _ in 0..rounds {
        let result = result(&mut random);
        let kind = random.one(&["result", "result", "error"]);
        let answer = match kind {
            "error" => format!(
                r#"{{"jsonrpc":"2.0","id":@ID@,"error":{{"code":-1,"message":"no","data":{result}}}}}"#
            ),
            _ => format!(r#"{{"jsonrpc":"2.0","id":@ID@,"result":{result}}}"#),
        };
        let log =
            format!(r#"{{"jsonrpc":"2.0","method":"notifications/message","params":{result}}}"#);
        // A request may have the values in it that its server has anyway.
        let params = json!({ "name": "mirror", "say": [log, answer] });
        let id = client.begin("tools/call", &params).await;
        let answer = client.answer(id).await;
        for line in client.others.drain(..).chain([answer.to_string()]) {
            assert!(
                line.contains("[scope/") || line.contains("null"),
                "{line}\n{result}"
            );
            assert_eq!(leaks(&line), None, "{line}\n{result}");
        }
    }
    client.leave().await;
    world.stop().await;
}

async fn in_many(gateways: u64, rounds: usize) {
    let mut all = JoinSet::new();
    for seed in 0..gateways {
        all.spawn(nothing_comes_out(rounds, seed));
    }
    all.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_comes_out_in_any_form() {
    in_many(4, 75).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
async fn no_value_comes_out_of_ten_thousand_results() {
    in_many(16, 625).await;
}
